/* SPDX-License-Identifier: Apache-2.0 */
/* check_sums.c -- reductions, contractions and the operations on the last axis: values, and above all their order. */
#include "ir_suite.h"
#include "random_ir.h"

/* x [n] -> the reduction, repeated to [n]. */
static IrFunction *reduction(const char *op, int64_t n) {
  return ir_of(n, arena_format(ir_arena(), "%%0 = input 1 [%lld] s\n%%1 = %s %%0 [] s\n"
                                           "%%2 = view %%1 [%lld] s offset 0 strides 0\n"
                               "result %%2\n", (long long)n, op, (long long)n));
}

/* Numbers of different size with all their digits, so that another order of summation has another result. */
static double *rough_numbers(int64_t n) {
  double *x = random_ir_numbers(ir_arena(), (uint64_t)n, (Shape){1, {n}});
  for (int64_t i = 0; i < n; i++) x[i] = ldexp(x[i], (int)(i * 5 % 7)) * (1 + (double)(i + 1) / 3);
  return x;
}

static double plain_chain(const double *x, int64_t n) {
  double sum = x[0];
  for (int64_t i = 1; i < n; i++) sum += x[i];
  return sum;
}

/* The tree of ir.h, spelled out. */
static double plain_tree(const double *x, int64_t n) {
  double p[8];
  for (int i = 0; i < 8; i++) p[i] = x[i];
  for (int64_t i = 8; i < n; i++) p[i % 8] += x[i];
  return ((p[0] + p[4]) + (p[2] + p[6])) + ((p[1] + p[5]) + (p[3] + p[7]));
}

static const int64_t lengths[] = {1, 2, 7, 8, 15, 16, 17, 31, 64, 130};
enum { LENGTHS = sizeof lengths / sizeof lengths[0] };

START_TEST(a_sum_is_a_chain_below_sixteen_and_a_tree_of_eight_from_there) {
  int64_t n = lengths[_i];
  double *x = rough_numbers(n), expected = n < 16 ? plain_chain(x, n) : plain_tree(x, n);
  ck_assert_msg(ir_equal_bits(ir_values(reduction("reduce_sum", n), x)[0], expected), "length %lld", (long long)n);
} END_TEST

START_TEST(the_order_of_a_sum_matters_to_these_tests) {
  double *short_x = rough_numbers(15), *long_x = rough_numbers(16);
  ck_assert(plain_chain(short_x, 15) != plain_tree(short_x, 15));
  ck_assert(plain_chain(long_x, 16) != plain_tree(long_x, 16));
} END_TEST

START_TEST(a_sum_in_f32_has_the_same_order) {
  enum { N = 64 };
  float x[N], p[8];
  double *rough = rough_numbers(N);
  for (int i = 0; i < N; i++) x[i] = (float)rough[i];
  for (int i = 0; i < 8; i++) p[i] = x[i];
  for (int i = 8; i < N; i++) p[i % 8] += x[i];
  float expected = ((p[0] + p[4]) + (p[2] + p[6])) + ((p[1] + p[5]) + (p[3] + p[7]));
  ck_assert(ir_values_f32(reduction("reduce_sum", N), x)[0] == expected);
} END_TEST

START_TEST(a_maximum_and_a_minimum_are_those_of_all_elements) {
  int64_t n = lengths[_i];
  double *x = rough_numbers(n), most = x[0], least = x[0];
  for (int64_t i = 1; i < n; i++) most = fmax(most, x[i]), least = fmin(least, x[i]);
  ck_assert(ir_values(reduction("reduce_max", n), x)[0] == most);
  ck_assert(ir_values(reduction("reduce_min", n), x)[0] == least);
} END_TEST

START_TEST(a_reduction_of_a_nan_anywhere_is_nan) {
  static const char *const op[] = {"reduce_sum", "reduce_max", "reduce_min"};
  for (int64_t n = 3; n < 20; n += 16) {
    for (int64_t at = 0; at < n; at++) {
      double *x = rough_numbers(n);
      x[at] = NAN;
      for (int k = 0; k < 3; k++) ck_assert(isnan(ir_values(reduction(op[k], n), x)[0]));
    }
  }
} END_TEST

START_TEST(a_reduction_drops_the_last_axis) {
  IrFunction *f = ir_of(3, "%0 = weight 0 [3, 2] w\n%1 = reduce_sum %0 [3] w\nresult %1\n");
  ir_expect(f, (double[3]){0}, (double[]){3, 7, 11});
} END_TEST

/* ---- contractions ----------------------------------------------------------------------------------------------- */
START_TEST(a_contraction_is_a_matrix_product) {
  IrFunction *f = ir_of(3, "%0 = weight 0 [3, 2] w\n%1 = input 2 [2] c\n"
                           "%2 = contract %0 %1 [3] cw sums 2 a 0 strides 2 1 b 0 strides 0 1\nresult %2\n");
  ir_expect(f, (double[3]){0}, (double[]){50, 110, 170});
} END_TEST

START_TEST(a_contraction_is_a_trace_and_an_outer_product) {
  IrFunction *trace = ir_of(1, "%0 = weight 0 [3, 2] w\n%1 = constant [2, 2] - data 1 0 0 1\n"
                               "%2 = contract %0 %1 [1] w sums 2 2 a 0 strides 0 2 1 b 0 strides 0 2 1\nresult %2\n");
  ir_expect(trace, (double[1]){0}, (double[]){5});
  IrFunction *outer = ir_of(4, "%0 = input 2 [2] c\n%1 = contract %0 %0 [2, 2] c sums a 0 strides 1 0 b 0 strides 0 1\n"
                               "%2 = view %1 [4] c offset 0 strides 1\nresult %2\n");
  ir_expect(outer, (double[4]){0}, (double[]){100, 200, 200, 400});
} END_TEST

/* x [n] with weights of it reversed: sum of x[k] * x[n-1-k], with or without init. */
static IrFunction *dot(int64_t n, bool init) {
  return ir_of(n, arena_format(ir_arena(),
      "%%0 = input 1 [%lld] s\n%%1 = view %%0 [] s offset 0 strides\n"
      "%%2 = contract %%0 %%0%s [] s sums %lld a 0 strides 1 b %lld strides -1\n"
      "%%3 = view %%2 [%lld] s offset 0 strides 0\nresult %%3\n",
      (long long)n, init ? " %1" : "", (long long)n, (long long)n - 1, (long long)n));
}

START_TEST(a_contraction_is_one_chain_of_fma_from_init) {
  int64_t n = lengths[_i];
  double *x = rough_numbers(n), from_zero = 0, from_init = x[0];
  for (int64_t k = 0; k < n; k++) {
    from_zero = fma(x[k], x[n - 1 - k], from_zero);
    from_init = fma(x[k], x[n - 1 - k], from_init);
  }
  ck_assert(ir_equal_bits(ir_values(dot(n, false), x)[0], from_zero));
  ck_assert(ir_equal_bits(ir_values(dot(n, true), x)[0], from_init));
} END_TEST

START_TEST(a_contraction_in_f32_is_a_chain_of_fmaf) {
  enum { N = 64 };
  float x[N], expected = 0;
  double *rough = rough_numbers(N);
  for (int i = 0; i < N; i++) x[i] = (float)rough[i];
  for (int i = 0; i < N; i++) expected = fmaf(x[i], x[N - 1 - i], expected);
  ck_assert(ir_values_f32(dot(N, false), x)[0] == expected);
} END_TEST

/* x*1 in one term: the sign of a zero tells what the chain started from. */
static IrFunction *times_one(const char *init) {
  return ir_of(1, arena_format(ir_arena(),
      "%%0 = input 1 [1] s\n%%1 = constant [1] - data 1\n%%2 = constant [1] - data -0\n"
      "%%3 = contract %%0 %%1%s [1] s sums a 0 strides 1 b 0 strides 1\nresult %%3\n", init));
}

START_TEST(a_contraction_without_init_starts_from_plus_zero) {
  ir_expect(times_one(""), (double[]){-0.0}, (double[]){0.0});
  ir_expect(times_one(" %2"), (double[]){-0.0}, (double[]){-0.0});
} END_TEST

START_TEST(summed_axes_are_walked_in_c_order) {
  double *x = rough_numbers(12), expected = 0;
  IrFunction *f = ir_of(12, "%0 = input 1 [12] s\n%1 = constant [] - data 3\n"
                            "%2 = contract %0 %1 [] s sums 3 4 a 0 strides 1 3 b 0 strides 0 0\n"
                            "%3 = view %2 [12] s offset 0 strides 0\nresult %3\n");
  for (int i = 0; i < 3; i++)
    for (int k = 0; k < 4; k++) expected = fma(x[i + 3 * k], 3, expected);
  ck_assert(ir_equal_bits(ir_values(f, x)[0], expected));
} END_TEST

/* ---- the last axis at once -------------------------------------------------------------------------------------- */
START_TEST(softmax_sums_to_one_row_by_row) {
  IrFunction *f = ir_of(6, "%0 = weight 0 [3, 2] w\n%1 = softmax %0 [3, 2] w\n"
                           "%2 = view %1 [6] w offset 0 strides 1\nresult %2\n");
  const double *y = ir_values(f, (double[6]){0});
  for (int i = 0; i < 6; i += 2) {
    ck_assert_double_eq_tol(y[i] + y[i + 1], 1, 1e-15);            /* two roundings */
    ck_assert_double_eq_tol(y[i + 1] / y[i], exp(1), 1e-14);       /* exp, 2 ulp; the quotient, 3 roundings */
  }
} END_TEST

START_TEST(logsumexp_is_the_logarithm_of_the_sum_of_exponentials) {
  IrFunction *f = ir_of(3, "%0 = weight 0 [3, 2] w\n%1 = logsumexp %0 [3] w\nresult %1\n");
  const double *y = ir_values(f, (double[3]){0});
  for (int i = 0; i < 3; i++) ck_assert_double_eq_tol(y[i], log(exp(2 * i + 1) + exp(2 * i + 2)), 1e-14);
} END_TEST

START_TEST(standardize_has_mean_zero_and_variance_one_less_eps) {
  IrFunction *f = ir_of(4, "%0 = input 1 [4] s\n%1 = standardize %0 [4] s eps 0.5\nresult %1\n");
  const double *y = ir_values(f, (double[]){1, 2, 3, 6});       /* mean 3, variance 3.5, so y = (x - 3)/2 */
  static const double expected[] = {-1, -0.5, 0, 1.5};
  for (int i = 0; i < 4; i++) ck_assert_double_eq(y[i], expected[i]);
} END_TEST

void add_sums_tests(TCase *tcase) {
  tcase_add_loop_test(tcase, a_sum_is_a_chain_below_sixteen_and_a_tree_of_eight_from_there, 0, LENGTHS);
  tcase_add_test(tcase, the_order_of_a_sum_matters_to_these_tests);
  tcase_add_test(tcase, a_sum_in_f32_has_the_same_order);
  tcase_add_loop_test(tcase, a_maximum_and_a_minimum_are_those_of_all_elements, 0, LENGTHS);
  tcase_add_test(tcase, a_reduction_of_a_nan_anywhere_is_nan);
  tcase_add_test(tcase, a_reduction_drops_the_last_axis);
  tcase_add_test(tcase, a_contraction_is_a_matrix_product);
  tcase_add_test(tcase, a_contraction_is_a_trace_and_an_outer_product);
  tcase_add_loop_test(tcase, a_contraction_is_one_chain_of_fma_from_init, 0, LENGTHS);
  tcase_add_test(tcase, a_contraction_in_f32_is_a_chain_of_fmaf);
  tcase_add_test(tcase, a_contraction_without_init_starts_from_plus_zero);
  tcase_add_test(tcase, summed_axes_are_walked_in_c_order);
  tcase_add_test(tcase, softmax_sums_to_one_row_by_row);
  tcase_add_test(tcase, logsumexp_is_the_logarithm_of_the_sum_of_exponentials);
  tcase_add_test(tcase, standardize_has_mean_zero_and_variance_one_less_eps);
}
