/* SPDX-License-Identifier: Apache-2.0 */
/* check_build.c -- the builder and the tables of ops.def. */
#include "ir_suite.h"
#include <string.h>

START_TEST(a_function_grows_as_long_as_nodes_come) {
  IrFunction *f = ir_new(ir_arena(), "long");
  ir_add_input(f, &(IrInput){"t", {0}, IR_TIMES});
  Ref last = ir_append(f, &(IrNode){.op = IR_input, .slot = 0});
  for (Ref i = 1; i < 1000; i++) {
    ck_assert_uint_eq(ir_append(f, &(IrNode){.op = IR_neg, .args = 1, .arg = &last}), i);
    last = i;
  }
  ck_assert_uint_eq(f->nodes, 1000);
  for (Ref i = 1; i < 1000; i++) ck_assert_uint_eq(f->node[i].arg[0], i - 1);
} END_TEST

START_TEST(a_node_may_be_a_copy_of_one_in_the_function_itself) {
  IrFunction *f = ir_new(ir_arena(), "copies");
  ir_append(f, &(IrNode){.op = IR_constant, .data = (double[]){1}, .at = {3, 4}});
  for (int i = 0; i < 200; i++) ir_append(f, &f->node[0]);
  for (Ref i = 0; i < f->nodes; i++) ck_assert_uint_eq(f->node[i].at.to, 4);
} END_TEST

START_TEST(a_mask_is_the_union_of_what_the_operands_depend_on) {
  IrFunction *f = ir_of(2, "%0 = input 0 [] t\n%1 = input 2 [2] c\n%2 = weight 0 [3, 2] w\n"
                           "%3 = view %1 [] - offset 0 strides\n%4 = add %0 %3 [] -\n"
                           "%5 = contract %2 %4 [2] - sums a 0 strides 1 b 0 strides 0\nresult %5\n");
  ck_assert_uint_eq(f->node[0].mask, IR_TIMES);
  ck_assert_uint_eq(f->node[3].mask, IR_CONDITIONS);
  ck_assert_uint_eq(f->node[4].mask, IR_TIMES | IR_CONDITIONS);
  ck_assert_uint_eq(f->node[5].mask, IR_TIMES | IR_CONDITIONS | IR_WEIGHTS);
} END_TEST

START_TEST(a_mask_that_is_handed_in_is_kept) {
  IrFunction *f = ir_new(ir_arena(), "pinned");
  Ref half = ir_append(f, &(IrNode){.op = IR_constant, .data = (double[]){0.5}});
  Ref t = ir_append(f, &(IrNode){.op = IR_pin, .mask = IR_TIMES, .args = 1, .arg = &half});
  ck_assert_uint_eq(f->node[half].mask, 0);
  ck_assert_uint_eq(f->node[t].mask, IR_TIMES);
} END_TEST

START_TEST(what_freeze_takes_apart_is_marked_in_the_table) {
  static const IrOp source[] = {IR_mod, IR_sign, IR_pin, IR_variable, IR_hold, IR_softmax, IR_logsumexp, IR_standardize, IR_logdet};
  int frozen = 0;
  for (int op = 0; op < IR_OP_COUNT; op++) frozen += ir_op_frozen[op];
  for (size_t i = 0; i < sizeof source / sizeof source[0]; i++) ck_assert(!ir_op_frozen[source[i]]);
  ck_assert_int_eq(frozen, IR_OP_COUNT - (int)(sizeof source / sizeof source[0]));
} END_TEST

START_TEST(shapes_are_equal_only_axis_by_axis) {
  Shape a = {2, {2, 3}}, b = {2, {3, 2}}, c = {1, {6}}, scalar = {0};
  ck_assert(shape_equal(&a, &a));
  ck_assert(!shape_equal(&a, &b) && !shape_equal(&a, &c));
  ck_assert_int_eq(shape_count(&a), 6);
  ck_assert_int_eq(shape_count(&scalar), 1);
} END_TEST

void add_build_tests(TCase *tcase) {
  tcase_add_test(tcase, a_function_grows_as_long_as_nodes_come);
  tcase_add_test(tcase, a_node_may_be_a_copy_of_one_in_the_function_itself);
  tcase_add_test(tcase, a_mask_is_the_union_of_what_the_operands_depend_on);
  tcase_add_test(tcase, a_mask_that_is_handed_in_is_kept);
  tcase_add_test(tcase, what_freeze_takes_apart_is_marked_in_the_table);
  tcase_add_test(tcase, shapes_are_equal_only_axis_by_axis);
}
