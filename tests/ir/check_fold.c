/* SPDX-License-Identifier: Apache-2.0 */
/* check_fold.c -- what ir_fold folds, and what it leaves alone. */
#include "ir_suite.h"
#include <string.h>

/* x [1] in %0, the number in %1, the operation in %2; after fold and sweep, as text from the first node on. */
static const char *folded(const char *number, const char *operation) {
  IrFunction *f = ir_of(1, arena_format(ir_arena(), "%%0 = input 1 [1] s\n%%1 = constant [1] - data %s\n"
                                                    "%%2 = %s [1] s\nresult %%2\n",
                                        number, operation));
  ir_fold(f, 8);
  ck_assert_ptr_null(ir_verify(f));
  return strstr(ir_text(ir_sweep(f)), "%0 =");
}

/* Does the operation fold to x itself? */
static bool is_x(const char *number, const char *operation) {
  return strcmp(folded(number, operation), "%0 = input 1 [1] s\nresult %0\n") == 0;
}

START_TEST(x_times_one_is_x) { ck_assert(is_x("1", "mul %0 %1") && is_x("1", "mul %1 %0")); } END_TEST
START_TEST(x_over_one_is_x) { ck_assert(is_x("1", "div %0 %1")); } END_TEST
START_TEST(x_minus_zero_is_x) { ck_assert(is_x("0", "sub %0 %1")); } END_TEST
START_TEST(x_plus_minus_zero_is_x) { ck_assert(is_x("-0", "add %0 %1") && is_x("-0", "add %1 %0")); } END_TEST

START_TEST(keeps_x_minus_negative_zero) { ck_assert(!is_x("-0", "sub %0 %1")); } END_TEST
START_TEST(keeps_x_plus_zero) { ck_assert(!is_x("0", "add %0 %1")); } END_TEST
START_TEST(keeps_x_times_zero) { ck_assert_ptr_nonnull(strstr(folded("0", "mul %0 %1"), "mul")); } END_TEST
START_TEST(keeps_zero_minus_x) { ck_assert_ptr_nonnull(strstr(folded("0", "sub %1 %0"), "sub")); } END_TEST
START_TEST(keeps_one_over_x) { ck_assert_ptr_nonnull(strstr(folded("1", "div %1 %0"), "div")); } END_TEST
START_TEST(keeps_x_minus_x) { ck_assert_ptr_nonnull(strstr(folded("1", "sub %0 %0"), "sub")); } END_TEST
START_TEST(keeps_x_over_x) { ck_assert_ptr_nonnull(strstr(folded("1", "div %0 %0"), "div")); } END_TEST
START_TEST(keeps_a_factor_that_is_only_nearly_one) { ck_assert(!is_x("1.0000000000000002", "mul %0 %1")); } END_TEST

static const char *folded_text(int64_t d, const char *nodes, int precision) {
  IrFunction *f = ir_of(d, nodes);
  ir_fold(f, precision);
  ck_assert_ptr_null(ir_verify(f));
  return strstr(ir_text(ir_sweep(f)), "%0 =");
}

START_TEST(a_double_negation_is_nothing) {
  ck_assert_str_eq(folded_text(1, "%0 = input 1 [1] s\n%1 = neg %0 [1] s\n%2 = neg %1 [1] s\nresult %2\n", 8),
                   "%0 = input 1 [1] s\nresult %0\n");
} END_TEST

START_TEST(a_selection_by_a_constant_is_its_branch) {
  const char *text = "%%0 = input 1 [2] s\n%%1 = neg %%0 [2] s\n%%2 = constant truth [2] - data %s\n"
                     "%%3 = select %%2 %%0 %%1 [2] s\nresult %%3\n";
  ck_assert_str_eq(folded_text(2, arena_format(ir_arena(), text, "1*2"), 8), "%0 = input 1 [2] s\nresult %0\n");
  ck_assert_str_eq(folded_text(2, arena_format(ir_arena(), text, "0*2"), 8),
                   "%0 = input 1 [2] s\n%1 = neg %0 [2] s\nresult %1\n");
  ck_assert_ptr_nonnull(strstr(folded_text(2, arena_format(ir_arena(), text, "0 1"), 8), "select"));
} END_TEST

START_TEST(arithmetic_of_constants_is_done) {
  ck_assert_str_eq(folded_text(2, "%0 = constant [2] - data 3 4\n%1 = mul %0 %0 [2] -\n%2 = reduce_sum %1 [] -\n"
                                  "%3 = sqrt %2 [] -\n%4 = view %3 [2] - offset 0 strides 0\n%5 = add %4 %0 [2] -\n"
                                  "result %5\n", 8),
                   "%0 = constant [2] - data 8 9\nresult %0\n");
} END_TEST

START_TEST(equal_elements_become_one_element_and_a_view) {
  ck_assert_str_eq(folded_text(3, "%0 = constant [3] - data 2*3\n%1 = exp2n %0 [3] -\n%2 = mul %0 %0 [3] -\n"
                                  "result %2\n", 8),
                   "%0 = constant [] - data 4\n%1 = view %0 [3] - offset 0 strides 0\nresult %1\n");
} END_TEST

START_TEST(a_view_of_a_constant_is_a_constant) {
  ck_assert_str_eq(folded_text(2, "%0 = constant [2, 2] - data 1 2 3 4\n%1 = view %0 [2] - offset 1 strides 2\n"
                                  "result %1\n", 8),
                   "%0 = constant [2] - data 2 4\nresult %0\n");
} END_TEST

START_TEST(a_view_that_repeats_a_constant_stays_and_its_value_is_known) {
  const char *text = "%0 = constant [2] - data 1 2\n%1 = view %0 [2, 2] - offset 0 strides 0 1\n%2 = input 1 [2] s\n"
                     "%3 = contract %1 %2 [2] s sums 2 a 0 strides 2 1 b 0 strides 0 1\nresult %3\n";
  ck_assert_str_eq(folded_text(2, text, 8), text);
  ck_assert_str_eq(folded_text(2, "%0 = constant [2] - data 1 2\n%1 = view %0 [2, 2] - offset 0 strides 0 1\n"
                                  "%2 = exp2n %1 [2, 2] -\n%3 = mul %1 %1 [2, 2] -\n%4 = reduce_sum %3 [2] -\n"
                                  "result %4\n", 8),
                   "%0 = constant [] - data 5\n%1 = view %0 [2] - offset 0 strides 0\nresult %1\n");
} END_TEST

START_TEST(a_constant_of_a_frozen_function_depends_on_nothing) {
  IrFunction *f = ir_of_text("frozen function \"f\"\ninput \"t\" [] t\ninput \"x\" [1] s\n"
                             "%0 = constant [1] - data 0.5\n%1 = exp %0 [1] t\n%2 = input 1 [1] s\n"
                             "%3 = add %1 %2 [1] ts\nresult %3\n");
  ir_fold(f, 8);
  ck_assert_uint_eq(f->node[f->result].mask, IR_STATE);
} END_TEST

START_TEST(a_view_of_a_view_is_one_view) {
  ck_assert_str_eq(folded_text(2, "%0 = weight 0 [3, 2] w\n%1 = view %0 [2, 3] w offset 0 strides 1 2\n"
                                  "%2 = view %1 [2] w offset 3 strides 2\nresult %2\n", 8),
                   "%0 = weight 0 [3, 2] w\n%1 = view %0 [2] w offset 1 strides 4\nresult %1\n");
} END_TEST

START_TEST(a_view_that_moves_nothing_goes) {
  ck_assert_str_eq(folded_text(2, "%0 = input 1 [2] s\n%1 = view %0 [2] s offset 0 strides 1\n%2 = exp %1 [2] s\n"
                                  "result %2\n", 8),
                   "%0 = input 1 [2] s\n%1 = exp %0 [2] s\nresult %1\n");
} END_TEST

START_TEST(nothing_is_folded_past_a_pin) {
  const char *text = "%0 = constant [1] - data 0.1\n%1 = pin %0 [1] -\n%2 = constant [1] - data 3\n"
                     "%3 = mul %1 %2 [1] -\nresult %3\n";
  ck_assert_str_eq(folded_text(1, text, 8), text);
} END_TEST

START_TEST(in_f32_constants_are_rounded_before_they_are_multiplied) {
  IrFunction *f = ir_of(1, "%0 = constant [1] - data 0.3\n%1 = constant [1] - data 3\n%2 = mul %0 %1 [1] -\n"
                           "result %2\n");
  float at_run_time = ir_values_f32(f, (float[1]){0})[0];
  ir_fold(f, 4);
  ck_assert_int_eq(f->node[f->result].op, IR_constant);
  ck_assert(f->node[f->result].data[0] == (double)at_run_time);
  ck_assert((float)(0.3 * 3) != at_run_time);                   /* rounded once it would be another number */
} END_TEST

START_TEST(a_factor_that_is_one_in_f32_is_one) {
  IrFunction *f = ir_of(1, "%0 = input 1 [1] s\n%1 = constant [1] - data 1.0000000000000002\n%2 = mul %0 %1 [1] s\n"
                           "result %2\n");
  ir_fold(f, 4);
  ck_assert_int_eq(f->node[f->result].op, IR_input);
} END_TEST

START_TEST(a_table_of_more_than_65536_elements_is_not_written_out) {
  const char *text = folded_text(1, "%0 = constant [2] - data 1 2\n%1 = view %0 [65537, 2] - offset 0 strides 0 1\n"
                                    "%2 = reduce_sum %1 [65537] -\n%3 = view %2 [1] - offset 65536 strides 0\n"
                                    "result %3\n", 8);
  ck_assert_ptr_nonnull(strstr(text, "reduce_sum"));
} END_TEST

START_TEST(a_nan_and_an_infinity_are_folded_as_they_are_computed) {
  ck_assert_ptr_nonnull(strstr(folded_text(2, "%0 = constant [2] - data 0 1\n%1 = constant [2] - data 0*2\n"
                                              "%2 = div %0 %1 [2] -\nresult %2\n", 8), " inf\n"));
} END_TEST

void add_fold_tests(TCase *tcase) {
  tcase_add_test(tcase, x_times_one_is_x);
  tcase_add_test(tcase, x_over_one_is_x);
  tcase_add_test(tcase, x_minus_zero_is_x);
  tcase_add_test(tcase, x_plus_minus_zero_is_x);
  tcase_add_test(tcase, keeps_x_minus_negative_zero);
  tcase_add_test(tcase, keeps_x_plus_zero);
  tcase_add_test(tcase, keeps_x_times_zero);
  tcase_add_test(tcase, keeps_zero_minus_x);
  tcase_add_test(tcase, keeps_one_over_x);
  tcase_add_test(tcase, keeps_x_minus_x);
  tcase_add_test(tcase, keeps_x_over_x);
  tcase_add_test(tcase, keeps_a_factor_that_is_only_nearly_one);
  tcase_add_test(tcase, a_double_negation_is_nothing);
  tcase_add_test(tcase, a_selection_by_a_constant_is_its_branch);
  tcase_add_test(tcase, arithmetic_of_constants_is_done);
  tcase_add_test(tcase, equal_elements_become_one_element_and_a_view);
  tcase_add_test(tcase, a_view_of_a_constant_is_a_constant);
  tcase_add_test(tcase, a_view_that_repeats_a_constant_stays_and_its_value_is_known);
  tcase_add_test(tcase, a_constant_of_a_frozen_function_depends_on_nothing);
  tcase_add_test(tcase, a_view_of_a_view_is_one_view);
  tcase_add_test(tcase, a_view_that_moves_nothing_goes);
  tcase_add_test(tcase, nothing_is_folded_past_a_pin);
  tcase_add_test(tcase, in_f32_constants_are_rounded_before_they_are_multiplied);
  tcase_add_test(tcase, a_factor_that_is_one_in_f32_is_one);
  tcase_add_test(tcase, a_table_of_more_than_65536_elements_is_not_written_out);
  tcase_add_test(tcase, a_nan_and_an_infinity_are_folded_as_they_are_computed);
}
