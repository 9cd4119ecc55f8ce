/* SPDX-License-Identifier: Apache-2.0 */
/* check_lowering.c -- what a program means: values against the formula in C, and the IR of small programs as text. */
#include "lower_suite.h"

static const double x2[] = {0.3, -1.2}, x3[] = {0.3, -1.2, 2.5};

/* ---- loops are axes ------------------------------------------------------------------------------------------------ */
START_TEST(a_for_is_an_axis_and_a_sum_of_products_one_contraction) {
  IrFunction *f = lowered("let m = [[1, 2], [3, 4], [5, 6]]\n"
                          "field u(t, x: [2]) =\n"
                          "  let v = for k: sum j: m[k][j]*x[j]\n"
                          "  v[0:2]\n");
  ck_assert_uint_eq(count_ops(f, IR_contract), 1);
  ck_assert_uint_eq(count_ops(f, IR_reduce_sum), 0);
} END_TEST

START_TEST(what_does_not_depend_on_a_loop_has_no_axis_for_it) {
  IrFunction *f = lowered("field u(t, x: [2]) = for k < 2: sin(t)*x[k]\n");
  for (Ref r = 0; r < f->nodes; r++)
    if (f->node[r].op == IR_sin) ck_assert_uint_eq(f->node[r].shape.rank, 0);
} END_TEST

START_TEST(an_index_is_one_view_however_it_is_written) {
  IrFunction *f = lowered("field u(t, x: [6]) =\n"
                          "  let v = for k < 6: x[5 - k]\n"
                          "  let w = v[1:5]\n"
                          "  let y = for k < 2: w[2*k + 1]\n"
                          "  [y[1], y[0], y[1], y[0], y[0], y[0]]\n");
  for (Ref r = 0; r < f->nodes; r++)
    if (f->node[r].op == IR_view) ck_assert_int_eq(f->node[f->node[r].arg[0]].op, IR_input);
  const double x[] = {0, 1, 2, 3, 4, 5};
  expect_value("field u(t, x: [6]) =\n"
               "  let v = for k < 6: x[5 - k]\n"
               "  let w = v[1:5]\n"
               "  let y = for k < 2: w[2*k + 1]\n"
               "  [y[1], y[0], y[1], y[0], y[0], y[0]]\n",
               0, x, NULL, (const double[]){1, 3, 1, 3, 3, 3}, 6);
} END_TEST

START_TEST(a_diagonal_and_a_transpose_are_views) {
  expect_value("let m = for i < 3: for j < 3: 10*i + j\n"
               "field u(t, x: [3]) =\n"
               "  let turned = for i: for j: m[j][i]\n"
               "  let d = for i: m[i][i]\n"
               "  d + turned[0] + 0*x\n",
               0, x3, NULL, (const double[]){0, 21, 42}, 3);
} END_TEST

START_TEST(nested_sums_and_products_of_loops_meet) {
  double expected[3];
  for (int k = 0; k < 3; k++) {
    expected[k] = 0;
    for (int i = 0; i < 3; i++)
      for (int j = 0; j < 2; j++) expected[k] += x3[i] * (j + 1) * (k - 1) + 0.25;
  }
  expect_value("field u(t, x: [3]) = for k < 3: sum i: sum j < 2: (x[i]*(j + 1)*(k - 1) + t)\n", 0.25, x3, NULL, expected, 3);
} END_TEST

START_TEST(a_sum_whose_body_is_the_same_for_every_index_is_a_multiple) {
  expect_value("field u(t, x: [2]) = for k < 2: sum j < 5: x[k]\n", 0, x2, NULL, (const double[]){1.5, -6}, 2);
} END_TEST

START_TEST(max_and_min_over_an_index) {
  expect_value("field u(t, x: [2]) = [max k < 4: (k - 1)*x[0], min k < 4: k*x[1]]\n", 0, x2, NULL,
               (const double[]){0.6, -3.6}, 2);
} END_TEST

START_TEST(a_loop_in_a_function_that_is_called_in_a_loop) {
  double expected[2] = {0};
  for (int k = 0; k < 2; k++)
    for (int j = 0; j < 3; j++) expected[k] += sin(x2[k] + j);
  expect_value("fn f(a) = sum j < 3: sin(a + j)\n"
               "field u(t, x: [2]) = for k: f(x[k])\n",
               0, x2, NULL, expected, 2);
} END_TEST

/* ---- products ------------------------------------------------------------------------------------------------------- */
START_TEST(the_matrix_product_in_its_three_forms) {
  expect_value("let a = [[1, 2], [3, 4]]\nlet b = [[0, 1], [1, 1]]\n"
               "field u(t, x: [2]) = (a @ b) @ x + x @ a + dot(x, x)*[1, 1]\n",
               0, x2, NULL,
               (const double[]){2 * 0.3 + 3 * -1.2 + 0.3 - 3.6 + 0.09 + 1.44, 4 * 0.3 + 7 * -1.2 + 0.6 - 4.8 + 0.09 + 1.44}, 2);
} END_TEST

START_TEST(norms_means_and_standard_forms) {
  double mean = (x3[0] + x3[1] + x3[2]) / 3, variance = 0, expected[3];
  for (int i = 0; i < 3; i++) variance += (x3[i] - mean) * (x3[i] - mean) / 3;
  for (int i = 0; i < 3; i++)
    expected[i] = (x3[i] - mean) / sqrt(variance + 1e-5) + sqrt(0.09 + 1.44 + 6.25) + (0.09 + 1.44 + 6.25) + mean;
  expect_value("field u(t, x: [3]) = standardize(x) + norm(x) + norm2(x) + mean(x)\n", 0, x3, NULL, expected, 3);
} END_TEST

START_TEST(softmax_and_logsumexp) {
  double sum = exp(x3[0]) + exp(x3[1]) + exp(x3[2]), expected[3];
  for (int i = 0; i < 3; i++) expected[i] = exp(x3[i]) / sum + log(sum);
  expect_value("field u(t, x: [3]) = softmax(x) + logsumexp(x)\n", 0, x3, NULL, expected, 3);
} END_TEST

/* ---- elementwise ------------------------------------------------------------------------------------------------------ */
START_TEST(if_selects_and_comparisons_turn_round) {
  expect_value("field u(t, x: [2]) =\n"
               "  let a = x[0] > x[1] and not (x[0] >= 1 or t == 3)\n"
               "  if a then [1, 2] else x\n",
               0, x2, NULL, (const double[]){1, 2}, 2);
} END_TEST

START_TEST(powers_mod_and_sign_mean_what_they_say) {
  expect_value("field u(t, x: [2]) = [mod(x[1], 0.5) + sign(x[1]) + x[0]^3, x[0]^-2 + x[0]^0.5 + x[0]^1.5 + mod(49, 49*x[0]/x[0])]\n",
               0, x2, NULL, (const double[]){0.3 - 1 + 0.027, 1 / 0.09 + sqrt(0.3) + pow(0.3, 1.5)}, 2);
} END_TEST

START_TEST(a_linear_system_is_solved_and_a_determinant_measured) {
  /* [[0, 2], [3, 1]]: the first pivot is 0, so that rows change places; det = -6. */
  const char *program = "let a = [[0, 2], [3, 1]]\nfield u(t, x: [2]) = solve(a, x) + logdet(a)\n";
  double y1 = x2[0] / 2, y0 = (x2[1] - y1) / 3;
  expect_value(program, 0, x2, NULL, (const double[]){y0 + log(6), y1 + log(6)}, 2);
  double expected[2]; /* in a loop, and with two right sides */
  for (int k = 0; k < 2; k++) expected[k] = x2[0] / (2 + k) + x2[1] / 4;
  expect_value("field u(t, x: [2]) = for k < 2: sum(solve([[2 + k, 0], [0, 4]], [[x[0], 1], [x[1], 2]])[:, 0])\n", 0, x2, NULL,
               expected, 2);
} END_TEST

START_TEST(one_hot_is_one_in_one_place) {
  expect_value("field u(t, x: [3]) = one_hot(1, 3) + one_hot(3*t, 3)\n", 0.5, x3, NULL, (const double[]){0, 1, 0}, 3);
} END_TEST

START_TEST(every_builtin_has_a_lowering) {
  static const char *const call[BUILTIN_COUNT] = {
#define EACH "%s(x[0])"
#define REDUCE "%s(x)"
#define EXTREME "%s(x[0], x[1])"
#define LAST "sum(%s(x))"
#define DOT "%s(x, x)"
#define SOLVE "%s([[2, 1], [0, x[0]]], x)"
#define LOGDET "%s([[2, 1], [0, x[0]]])"
#define ONE_HOT "sum(%s(1, 2))"
#define BUILTIN(name, least, most, rule, help) rule,
#include "builtins.def"
#undef BUILTIN
#undef EACH
#undef REDUCE
#undef EXTREME
#undef LAST
#undef DOT
#undef SOLVE
#undef LOGDET
#undef ONE_HOT
  };
  static const struct { const char *name; int least; } builtin[] = {
#define BUILTIN(name, least, most, rule, help) {#name, least},
#include "builtins.def"
#undef BUILTIN
  };
  for (int i = 0; i < BUILTIN_COUNT; i++) {
    bool pair = builtin[i].least == 2 && strcmp(call[i], "%s(x[0])") == 0;
    char text[128], use[64];
    snprintf(use, sizeof use, pair ? "%s(x[0], x[1])" : call[i], builtin[i].name);
    snprintf(text, sizeof text, "field u(t, x: [2]) = x + %s\n", use);
    frozen(text);
  }
} END_TEST

/* ---- bounds --------------------------------------------------------------------------------------------------------------- */
START_TEST(a_chain_of_a_hundred_thousand_operators_is_lowered) {
  enum { TERMS = 100000 };
  char *text = arena_alloc(test_arena(), 64 + 8 * TERMS), *end = text;
  end += sprintf(end, "field u(t, x: [1]) = x");
  for (int i = 0; i < TERMS; i++) end += sprintf(end, i % 2 ? " - t" : " + t*x");
  sprintf(end, "\n");
  ck_assert_uint_ge(lowered(text)->nodes, TERMS);
} END_TEST

START_TEST(sixty_functions_that_each_call_the_one_before_twice_are_too_large) {
  char *text = arena_alloc(test_arena(), 8192), *end = text;
  end += sprintf(end, "fn f0(a) = sin(a)\n");
  for (int i = 1; i < 60; i++) end += sprintf(end, "fn f%d(a) = f%d(a + 1) + f%d(a)\n", i, i - 1, i - 1);
  sprintf(end, "field u(t, x: [1]) = [f59(x[0])]\n");
  expect_too_large(text);
} END_TEST

START_TEST(seven_axes_are_too_many) {
  expect_too_large("field u(t, x: [2]) = for a < 2: sum b < 2: sum c < 2: sum d < 2: sum e < 2: sum f < 2: sum g < 2: "
                   "(x[a]*b + c + d + e + f*g)\n");
} END_TEST

void add_lowering_tests(TCase *tcase) {
  tcase_add_test(tcase, a_for_is_an_axis_and_a_sum_of_products_one_contraction);
  tcase_add_test(tcase, what_does_not_depend_on_a_loop_has_no_axis_for_it);
  tcase_add_test(tcase, an_index_is_one_view_however_it_is_written);
  tcase_add_test(tcase, a_diagonal_and_a_transpose_are_views);
  tcase_add_test(tcase, nested_sums_and_products_of_loops_meet);
  tcase_add_test(tcase, a_sum_whose_body_is_the_same_for_every_index_is_a_multiple);
  tcase_add_test(tcase, max_and_min_over_an_index);
  tcase_add_test(tcase, a_loop_in_a_function_that_is_called_in_a_loop);
  tcase_add_test(tcase, the_matrix_product_in_its_three_forms);
  tcase_add_test(tcase, norms_means_and_standard_forms);
  tcase_add_test(tcase, softmax_and_logsumexp);
  tcase_add_test(tcase, if_selects_and_comparisons_turn_round);
  tcase_add_test(tcase, powers_mod_and_sign_mean_what_they_say);
  tcase_add_test(tcase, a_linear_system_is_solved_and_a_determinant_measured);
  tcase_add_test(tcase, one_hot_is_one_in_one_place);
  tcase_add_test(tcase, every_builtin_has_a_lowering);
  tcase_add_test(tcase, a_chain_of_a_hundred_thousand_operators_is_lowered);
  tcase_add_test(tcase, sixty_functions_that_each_call_the_one_before_twice_are_too_large);
  tcase_add_test(tcase, seven_axes_are_too_many);
}
