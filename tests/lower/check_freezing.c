/* SPDX-License-Identifier: Apache-2.0 */
/* check_freezing.c -- the arithmetic that a program ends with: golden IR of small programs, and what must not change it. */
#include "lower_suite.h"

/* The frozen nodes, one a line, without masks and places: what is computed, in order. */
static const char *nodes_of(const char *program) {
  char *text = ir_text(frozen(program)), *from = strstr(text, "\n%");
  ck_assert_ptr_nonnull(from);
  const char *kept = "";
  for (char *line = strtok(from + 1, "\n"); line; line = strtok(NULL, "\n")) {
    char *at = strstr(line, " at ");
    if (at) *at = 0;
    kept = arena_format(test_arena(), "%s%s\n", kept, line);
  }
  return kept;
}

START_TEST(a_product_that_is_added_becomes_one_fma) {
  expect_text(nodes_of("field u(t, x: [2]) = x + t*x\n"),
              "%0 = input 0 [] t\n%1 = input 1 [2] s\n%2 = view %0 [2] t offset 0 strides 0\n%3 = fma %2 %1 %1 [2] ts\nresult %3\n");
} END_TEST

START_TEST(the_second_of_two_products_is_fused) {
  expect_text(nodes_of("field u(t, x: [2]) = x*x + x*t\n"),
              "%0 = input 0 [] t\n%1 = input 1 [2] s\n%2 = mul %1 %1 [2] s\n%3 = view %0 [2] t offset 0 strides 0\n"
              "%4 = fma %1 %3 %2 [2] ts\nresult %4\n");
} END_TEST

START_TEST(a_product_that_is_taken_away_is_fused_by_its_negated_factor) {
  expect_text(nodes_of("field u(t, x: [2]) = x - t*x\n"),
              "%0 = input 0 [] t\n%1 = input 1 [2] s\n%2 = neg %0 [] t\n%3 = view %2 [2] t offset 0 strides 0\n"
              "%4 = fma %3 %1 %1 [2] ts\nresult %4\n");
} END_TEST

START_TEST(a_quotient_by_what_depends_on_less_is_a_product_with_its_reciprocal) {
  expect_text(nodes_of("field u(t, x: [2]) = x / t\n"),
              "%0 = input 0 [] t\n%1 = input 1 [2] s\n%2 = constant [] - data 1\n%3 = div %2 %0 [] t\n"
              "%4 = view %3 [2] t offset 0 strides 0\n%5 = mul %1 %4 [2] ts\nresult %5\n");
} END_TEST

START_TEST(a_layer_over_a_concat_has_a_chain_for_each_class) {
  expect_text(nodes_of("network u(t, x: [2], c: [3]) -> [2] = [x, t, c] |> linear 2\n"),
              "%0 = input 0 [] t\n%1 = input 1 [2] s\n%2 = input 2 [3] c\n"
              "%3 = weight 0 [2, 6] w\n%4 = weight 1 [2] w\n"
              "%5 = contract %3 %0 %4 [2] wt sums 1 a 2 strides 6 1 b 0 strides 0 0\n"
              "%6 = contract %3 %2 [2] wc sums 3 a 3 strides 6 1 b 0 strides 0 1\n"
              "%7 = add %5 %6 [2] wtc\n"
              "%8 = contract %3 %1 %7 [2] wtcs sums 2 a 0 strides 6 1 b 0 strides 0 1\nresult %8\n");
} END_TEST

static const char mixture[] = "let mu = for k < 8: [cos(k), sin(k)]\n"
                              "let s = 0.5\n"
                              "field u(t, x: [2]) =\n"
                              "  let var = (1 - t)^2 + (s*t)^2\n"
                              "  let w = softmax(for k: -norm2(x - t*mu[k]) / (2*var))\n"
                              "  let a = (s^2*t - (1 - t)) / var\n"
                              "  sum k: w[k] * (mu[k] + a*(x - t*mu[k]))\n";

static bool by_state(const IrNode *node) {
  return (node->mask & IR_STATE) && node->op != IR_view && node->op != IR_input;
}

/* Ten operations and one exponential for a component in two dimensions: 2 differences, 2 squares, the logit, its maximum,
 * the difference, the sum, and 2 means. */
START_TEST(a_mixture_takes_ten_operations_and_an_exponential_for_a_component) {
  IrFunction *f = frozen(mixture);
  int64_t work = 0;
  for (Ref r = 0; r < f->nodes; r++) {
    const IrNode *node = &f->node[r];
    if (!by_state(node)) continue;
    bool sum = ir_op_class[node->op] == IR_SUM && node->op != IR_contract;
    int64_t count = shape_count(sum ? &f->node[node->arg[0]].shape : &node->shape);
    for (uint32_t k = 0; node->op == IR_contract && k < node->sums; k++) count *= node->extent[k];
    if (count >= 8) work += count;
  }
  ck_assert_int_eq(work, 8 * 11);
} END_TEST

START_TEST(a_mixture_has_the_value_of_its_formula) {
  const double x[] = {0.4, -0.9}, t = 0.7, s = 0.5;
  double var = (1 - t) * (1 - t) + s * t * s * t, a = (s * s * t - (1 - t)) / var, sum = 0, expected[2] = {0};
  for (int k = 0; k < 8; k++) {
    double mu[] = {cos(k), sin(k)}, d0 = x[0] - t * mu[0], d1 = x[1] - t * mu[1], w = exp(-(d0 * d0 + d1 * d1) / (2 * var));
    sum += w;
    expected[0] += w * (mu[0] + a * d0);
    expected[1] += w * (mu[1] + a * d1);
  }
  expected[0] /= sum;
  expected[1] /= sum;
  expect_value(mixture, t, x, NULL, expected, 2);
} END_TEST

/* Unlike a quadratic that is multiplied out, whose error grows as the square of the offset. */
START_TEST(moving_a_mixture_far_away_costs_no_more_digits_than_the_numbers_themselves) {
  IrFunction *near = frozen(mixture);
  const char *rest = strchr(mixture, '\n');
  const char *program = arena_format(test_arena(), "let mu = for k < 8: [cos(k) + 1024, sin(k) + 1024]%s", rest);
  IrFunction *far = frozen(program);
  const double x[] = {0.4, -0.9}, y[] = {0.4 + 1024 * 0.75, -0.9 + 1024 * 0.75}, t = 0.75;
  const double *a = value_at(near, t, x, NULL), *b = value_at(far, t, y, NULL);
  for (int i = 0; i < 2; i++) ck_assert_double_le(fabs(b[i] - 1024 - a[i]), 1024 * 1e-14);
} END_TEST

/* ---- a literal time ------------------------------------------------------------------------------------------------------ */
static void expect_same_bits(const char *definitions) {
  const char *call = arena_format(test_arena(), "%sfield u(t, x: [2]) = v(0.3, x)\n", definitions);
  const char *plain = arena_format(test_arena(), "%sfield u(t, x: [2]) = v(t, x)\n", definitions);
  const double x[] = {0.4, -0.9};
  const double *a = value_at(frozen(call), 99, x, NULL), *b = value_at(frozen(plain), 0.3, x, NULL);
  for (int i = 0; i < 2; i++)
    ck_assert_msg(memcmp(&a[i], &b[i], sizeof a[i]) == 0, "%.17g at a literal time, %.17g at run time\n%s", a[i], b[i], definitions);
}

START_TEST(a_literal_time_has_the_bits_of_the_same_time_at_run_time) {
  expect_same_bits("field v(t, x: [2]) = (x - t*x) / (3*t*t + 0.1) + t^3\n");
  expect_same_bits("field v(t, x: [2]) = abs(x)^t + max(x, t) + (t + 1e-17)/3\n");
  expect_same_bits("network v(t, x: [2]) -> [2] = [x, sin(t), t] |> linear 5 |> gelu |> linear 2\n");
  expect_same_bits("field v(t, x: [2]) = softmax(x/t) + logsumexp(t*x)\n");
} END_TEST

START_TEST(a_value_has_the_same_bits_whatever_else_uses_its_parts) {
  const double x[] = {0.4, -0.9};
  const double *alone = value_at(frozen("field u(t, x: [2]) = x + t*x\n"), 0.3, x, NULL);
  const double *shared = value_at(frozen("field u(t, x: [2]) =\n"
                                         "  let p = t*x\n"
                                         "  let q = x + p\n"
                                         "  if sum(p) > 100 then p else q\n"),
                                  0.3, x, NULL);
  ck_assert(memcmp(alone, shared, sizeof x) == 0);
} END_TEST

/* ---- exactness --------------------------------------------------------------------------------------------------------------- */
START_TEST(mod_of_a_multiple_is_zero) {
  for (int n = 1; n < 200; n++) {
    const double x[] = {n};
    const char *program = arena_format(test_arena(), "field u(t, x: [1]) = mod(x, %d)\n", n);
    ck_assert_double_eq(value_at(frozen(program), 0, x, NULL)[0], 0);
  }
} END_TEST

START_TEST(nan_goes_through_relu_max_and_sign) {
  const double x[] = {NAN, 1};
  const double *u = value_at(frozen("field u(t, x: [2]) = [relu(x[0]) + max(0, x[0]) + min(x[0], 1) + sign(x[0]), 0]\n"), 0, x, NULL);
  ck_assert(isnan(u[0]));
  ck_assert(isnan(value_at(frozen("field u(t, x: [2]) = [sign(x[0]), 0]\n"), 0, x, NULL)[0]));
  ck_assert(isnan(value_at(frozen("field u(t, x: [2]) = [relu(x[0]), 0]\n"), 0, x, NULL)[0]));
} END_TEST

START_TEST(logits_a_thousand_apart_do_not_overflow) {
  const double x[] = {1000, -1000};
  const double *u = value_at(frozen("field u(t, x: [2]) = softmax(x) + logsumexp(x)\n"), 0, x, NULL);
  ck_assert_double_eq(u[0], 1001);
  ck_assert_double_eq_tol(u[1], 1000, 1e-12);
} END_TEST

void add_freezing_tests(TCase *tcase) {
  tcase_add_test(tcase, a_product_that_is_added_becomes_one_fma);
  tcase_add_test(tcase, the_second_of_two_products_is_fused);
  tcase_add_test(tcase, a_product_that_is_taken_away_is_fused_by_its_negated_factor);
  tcase_add_test(tcase, a_quotient_by_what_depends_on_less_is_a_product_with_its_reciprocal);
  tcase_add_test(tcase, a_layer_over_a_concat_has_a_chain_for_each_class);
  tcase_add_test(tcase, a_mixture_takes_ten_operations_and_an_exponential_for_a_component);
  tcase_add_test(tcase, a_mixture_has_the_value_of_its_formula);
  tcase_add_test(tcase, moving_a_mixture_far_away_costs_no_more_digits_than_the_numbers_themselves);
  tcase_add_test(tcase, a_literal_time_has_the_bits_of_the_same_time_at_run_time);
  tcase_add_test(tcase, a_value_has_the_same_bits_whatever_else_uses_its_parts);
  tcase_add_test(tcase, mod_of_a_multiple_is_zero);
  tcase_add_test(tcase, nan_goes_through_relu_max_and_sign);
  tcase_add_test(tcase, logits_a_thousand_apart_do_not_overflow);
}
