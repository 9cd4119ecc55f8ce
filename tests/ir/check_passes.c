/* SPDX-License-Identifier: Apache-2.0 */
/* check_passes.c -- every pass keeps every value: on functions written by hand, and on random ones. */
#include "ir_suite.h"
#include <string.h>
#include "random_ir.h"

enum { SEEDS = 300 };

/* Wild ones too: NaN, infinities and labels outside their tables must survive as they are. */
static IrFunction *random_function(uint64_t seed) {
  RandomIrOptions options = {.nodes = 40, .most_size = seed % 3 ? 20 : 130, .tame = seed % 2};
  return random_ir(ir_arena(), seed, &options);
}

/* Inputs and weights of a random function, and its value. */
static const double *values_of(const IrFunction *f, uint64_t seed) {
  const double *input[3], *weight[4];
  double *result = arena_array(ir_arena(), (size_t)shape_count(&f->input[1].shape), sizeof *result);
  for (uint32_t i = 0; i < f->inputs; i++)
    input[i] = random_ir_numbers(ir_arena(), seed * 10 + i, f->input[i].shape);
  for (uint32_t i = 0; i < f->weights; i++)
    weight[i] = random_ir_numbers(ir_arena(), seed * 10 + 5 + i, f->weight[i].shape);
  ck_assert(ir_run_f64(f, input, weight, result));
  return result;
}

static void expect_same_values(const IrFunction *f, const double *expected, const double *found, uint64_t seed,
                               const char *pass) {
  for (int64_t i = 0; i < shape_count(&f->input[1].shape); i++)
    ck_assert_msg(ir_equal_bits(expected[i], found[i]), "seed %llu: %s changes element %lld from %.17g to %.17g",
                  (unsigned long long)seed, pass, (long long)i, expected[i], found[i]);
}

static IrFunction *fold(IrFunction *f) { ir_fold(f, 8); return f; }
static IrFunction *same(IrFunction *f) { ir_same(f); return f; }
static IrFunction *all(IrFunction *f) { return ir_sweep(same(fold(ir_sweep(same(fold(f)))))); }
static const struct { const char *name; IrFunction *(*run)(IrFunction *); } pass[] = {
    {"fold", fold}, {"same", same}, {"sweep", ir_sweep}, {"all", all}};
enum { PASSES = sizeof pass / sizeof pass[0] };

START_TEST(a_pass_keeps_every_value_to_the_bit) {
  for (uint64_t seed = 0; seed < SEEDS; seed++) {
    IrFunction *f = random_function(seed);
    const double *before = values_of(f, seed);
    f = pass[_i].run(f);
    const char *wrong = ir_verify(f);
    ck_assert_msg(!wrong, "seed %llu after %s: %s", (unsigned long long)seed, pass[_i].name, wrong ? wrong : "");
    expect_same_values(f, before, values_of(f, seed), seed, pass[_i].name);
  }
} END_TEST

START_TEST(a_pass_that_has_run_finds_nothing_left) {
  for (uint64_t seed = 0; seed < 100; seed++) {
    IrFunction *f = all(random_function(seed));
    char *once = ir_text(f);
    ck_assert_str_eq(ir_text(all(f)), once);
  }
} END_TEST

START_TEST(random_functions_use_every_operation) {
  bool used[IR_OP_COUNT] = {false};
  for (uint64_t seed = 0; seed < 50; seed++) {
    IrFunction *f = random_function(seed);
    for (Ref i = 0; i < f->nodes; i++) used[f->node[i].op] = true;
  }
  for (int op = 0; op < IR_OP_COUNT; op++) ck_assert_msg(used[op], "%s is not used", ir_op_name[op]);
} END_TEST

START_TEST(tame_random_functions_have_finite_values) {
  for (uint64_t seed = 0; seed < 200; seed++) {
    IrFunction *f = random_ir(ir_arena(), seed, &(RandomIrOptions){.nodes = 40, .tame = true});
    const double *value = values_of(f, seed);
    for (int64_t i = 0; i < shape_count(&f->input[1].shape); i++)
      ck_assert_msg(fabs(value[i]) < 1e12, "seed %llu: %g", (unsigned long long)seed, value[i]);
  }
} END_TEST

/* ---- same ------------------------------------------------------------------------------------------------------- */
static const char *after_same(const char *nodes) {
  IrFunction *f = ir_of(2, nodes);
  ir_same(f);
  ck_assert_ptr_null(ir_verify(f));
  return strstr(ir_text(ir_sweep(f)), "%0 =");
}

START_TEST(equal_expressions_become_one) {
  ck_assert_str_eq(after_same("%0 = input 1 [2] s\n%1 = input 1 [2] s\n%2 = exp %0 [2] s\n%3 = exp %1 [2] s\n"
                              "%4 = mul %2 %3 [2] s\nresult %4\n"),
                   "%0 = input 1 [2] s\n%1 = exp %0 [2] s\n%2 = mul %1 %1 [2] s\nresult %2\n");
} END_TEST

START_TEST(operands_in_another_order_are_another_expression) {
  const char *text = "%0 = input 1 [2] s\n%1 = exp %0 [2] s\n%2 = add %0 %1 [2] s\n%3 = add %1 %0 [2] s\n"
                     "%4 = mul %2 %3 [2] s\nresult %4\n";
  ck_assert_str_eq(after_same(text), text);
} END_TEST

START_TEST(zeros_of_different_sign_are_different_constants) {
  const char *text = "%0 = constant [2] - data 0*2\n%1 = constant [2] - data -0*2\n%2 = add %0 %1 [2] -\nresult %2\n";
  ck_assert_str_eq(after_same(text), text);
} END_TEST

START_TEST(a_value_that_depends_on_t_by_decree_is_not_merged_with_one_that_does_not) {
  const char *text = "%0 = constant [2] - data 0.5*2\n%1 = pin %0 [2] t\n%2 = pin %0 [2] -\n%3 = add %1 %2 [2] t\n"
                     "result %3\n";
  ck_assert_str_eq(after_same(text), text);
} END_TEST

START_TEST(views_with_different_maps_are_different) {
  const char *text = "%0 = weight 0 [3, 2] w\n%1 = view %0 [2] w offset 0 strides 1\n"
                     "%2 = view %0 [2] w offset 0 strides 2\n"
                     "%3 = add %1 %2 [2] w\nresult %3\n";
  ck_assert_str_eq(after_same(text), text);
} END_TEST

/* ---- sweep ------------------------------------------------------------------------------------------------------ */
START_TEST(a_sweep_drops_dead_nodes_and_keeps_the_tables) {
  IrFunction *f = ir_of(2, "%0 = weight 0 [3, 2] w\n%1 = input 1 [2] s\n%2 = exp %0 [3, 2] w\n%3 = neg %1 [2] s\n"
                           "%4 = neg %3 [2] s\n"
                           "result %3\n");
  IrFunction *swept = ir_sweep(f);
  ck_assert_str_eq(strstr(ir_text(swept), "%0 ="), "%0 = input 1 [2] s\n%1 = neg %0 [2] s\nresult %1\n");
  ck_assert_uint_eq(swept->weights, 1);
  ck_assert_uint_eq(swept->inputs, 3);
  ck_assert_uint_eq(f->nodes, 5);
} END_TEST

START_TEST(a_sweep_of_a_frozen_function_makes_the_masks_exact) {
  IrFunction *f = ir_of_text("frozen function \"f\"\ninput \"t\" [] t\ninput \"x\" [1] s\n"
                             "%0 = constant [1] - data 0.5\n%1 = exp %0 [1] t\n%2 = input 1 [1] s\n"
                             "%3 = add %1 %2 [1] ts\nresult %3\n");
  IrFunction *swept = ir_sweep(f);
  ck_assert_uint_eq(swept->node[1].mask, 0);
  ck_assert_uint_eq(swept->node[3].mask, IR_STATE);
  ck_assert(swept->frozen);
} END_TEST

/* ---- the pipeline ----------------------------------------------------------------------------------------------- */
START_TEST(each_pass_has_a_name_of_its_own_and_a_purpose) {
  for (uint32_t i = 0; ir_pass_name(i); i++) {
    ck_assert_ptr_nonnull(ir_pass_purpose(i));
    for (uint32_t j = 0; j < i; j++) ck_assert_str_ne(ir_pass_name(i), ir_pass_name(j));
  }
} END_TEST

START_TEST(the_pipeline_stops_after_the_pass_that_is_named) {
  IrFunction *swept, *f = ir_of(2, "%0 = input 1 [2] s\n%1 = softmax %0 [2] s\nresult %1\n");
  ck_assert_ptr_null(ir_check_passes(f, 4, "sweep", &swept));
  ck_assert(!swept->frozen);
  ck_assert_int_eq(swept->node[swept->result].op, IR_softmax);
} END_TEST

START_TEST(an_unknown_pass_is_named_in_the_sentence) {
  IrFunction *swept, *f = ir_of(2, "%0 = input 1 [2] s\nresult %0\n");
  ck_assert_str_eq(ir_check_passes(f, 4, "polish", &swept), "there is no pass `polish`");
  ck_assert_ptr_null(swept);
} END_TEST

START_TEST(a_malformed_function_is_an_answer_of_the_pipeline) {
  IrFunction *swept, *f = ir_of(2, "%0 = input 1 [2] s\n%1 = exp %0 [2] s\nresult %1\n");
  f->node[1].mask = 0;
  ck_assert_ptr_nonnull(strstr(ir_check_passes(f, 4, NULL, &swept), "before the first pass: %1 = exp: the mask"));
} END_TEST

START_TEST(the_whole_pipeline_leaves_a_frozen_function) {
  for (uint64_t seed = 0; seed < 100; seed++) {
    for (int precision = 4; precision <= 8; precision += 4) {
      IrFunction *frozen;
      const char *wrong = ir_check_passes(random_function(seed), precision, NULL, &frozen);
      ck_assert_msg(!wrong, "seed %llu: %s", (unsigned long long)seed, wrong ? wrong : "");
      ck_assert(frozen->frozen);
    }
  }
} END_TEST

void add_passes_tests(TCase *tcase) {
  tcase_add_loop_test(tcase, a_pass_keeps_every_value_to_the_bit, 0, PASSES);
  tcase_add_test(tcase, a_pass_that_has_run_finds_nothing_left);
  tcase_add_test(tcase, random_functions_use_every_operation);
  tcase_add_test(tcase, tame_random_functions_have_finite_values);
  tcase_add_test(tcase, equal_expressions_become_one);
  tcase_add_test(tcase, operands_in_another_order_are_another_expression);
  tcase_add_test(tcase, zeros_of_different_sign_are_different_constants);
  tcase_add_test(tcase, a_value_that_depends_on_t_by_decree_is_not_merged_with_one_that_does_not);
  tcase_add_test(tcase, views_with_different_maps_are_different);
  tcase_add_test(tcase, a_sweep_drops_dead_nodes_and_keeps_the_tables);
  tcase_add_test(tcase, a_sweep_of_a_frozen_function_makes_the_masks_exact);
  tcase_add_test(tcase, each_pass_has_a_name_of_its_own_and_a_purpose);
  tcase_add_test(tcase, the_pipeline_stops_after_the_pass_that_is_named);
  tcase_add_test(tcase, an_unknown_pass_is_named_in_the_sentence);
  tcase_add_test(tcase, a_malformed_function_is_an_answer_of_the_pipeline);
  tcase_add_test(tcase, the_whole_pipeline_leaves_a_frozen_function);
}
