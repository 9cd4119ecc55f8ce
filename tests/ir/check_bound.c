/* SPDX-License-Identifier: Apache-2.0 */
/* check_bound.c -- the running bound holds, is not vacuous, and says so where it cannot know. */
#include "ir_suite.h"
#include "random_ir.h"

typedef struct Bounded { const double *value, *bound; } Bounded;

static Bounded bounded(const IrFunction *f, int precision, const double *x) {
  static const double t = 0.25, c[] = {10, 20}, w[] = {1, 2, 3, 4, 5, 6};
  size_t count = (size_t)shape_count(&f->input[1].shape);
  double *value = arena_array(ir_arena(), count, sizeof *value), *bound = arena_array(ir_arena(), count, sizeof *bound);
  ck_assert(ir_run_bound(f, precision, (const double *const[]){&t, x, c}, (const double *const[]){w}, value, bound));
  return (Bounded){value, bound};
}

static double bound_of(const char *operation, double x, double y) {
  IrFunction *f = ir_of(2, arena_format(ir_arena(),
      "%%0 = input 1 [2] s\n%%1 = view %%0 [] s offset 0 strides\n%%2 = view %%0 [] s offset 1 strides\n%%3 = mul %%1 %%2 [] s\n%s"
      "%%9 = view %%8 [2] s offset 0 strides 0\nresult %%9\n", operation));
  return bounded(f, 4, (double[]){x, y}).bound[0];
}
/* Nodes 4-7 are four operations; where fewer are wanted the rest are copies. */
#define COPIES(from) "%7 = neg %" from " [] s\n%8 = neg %7 [] s\n"
#define FOUR(op) "%4 = neg %1 [] s\n%5 = neg %2 [] s\n%6 = " op " s\n" COPIES("6")

START_TEST(one_rounding_has_half_an_ulp) {
  double bound = bound_of(FOUR("mul %1 %2 []"), 3, 0.1f);
  ck_assert_double_eq_tol(bound, 0x1p-24 * 3 * 0.1f, 1e-12);    /* u|v|, and nothing else of that size */
} END_TEST

START_TEST(moving_elements_costs_nothing) { ck_assert_double_eq(bound_of(FOUR("neg %1 []"), 3, 1), 0); } END_TEST

START_TEST(an_error_is_carried_through_a_difference_in_full) {
  double bound = bound_of(FOUR("sub %3 %1 []"), 3, 1 + 0x1p-20);        /* x y - x, most of it cancels */
  ck_assert(bound > 0x1p-24 * 2.9 && bound < 0x1p-24 * 3.2);
} END_TEST

START_TEST(a_comparison_within_the_error_is_undecided) {
  const char *compare = "%4 = less %3 %1 truth [] s\n%5 = neg %1 [] s\n%6 = select %4 %1 %5 [] s\n" COPIES("6");
  ck_assert(isinf(bound_of(compare, 3, 1 + 0x1p-24)));
  ck_assert(bound_of(compare, 3, 1.5) == 0);
} END_TEST

START_TEST(a_floor_within_the_error_is_undecided) {
  ck_assert(isinf(bound_of(FOUR("floor %3 []"), 3, 1 + 0x1p-26)));
  ck_assert(bound_of(FOUR("floor %3 []"), 3, 1.25) == 0);
} END_TEST

START_TEST(a_divisor_that_may_be_zero_is_undecided) {
  const char *divide = "%4 = sub %3 %1 [] s\n%5 = neg %1 [] s\n%6 = div %1 %4 [] s\n" COPIES("6");
  ck_assert(isinf(bound_of(divide, 3, 1 + 0x1p-26)));
  ck_assert(isfinite(bound_of(divide, 3, 2)));
} END_TEST

START_TEST(a_logarithm_of_what_may_be_zero_is_undecided) {
  const char *logarithm = "%4 = sub %3 %1 [] s\n%5 = log %4 [] s\n%6 = sqrt %4 [] s\n%7 = add %5 %6 [] s\n%8 = neg %7 [] s\n";
  ck_assert(isinf(bound_of(logarithm, 3, 1 + 0x1p-26)));
  ck_assert(isfinite(bound_of(logarithm, 3, 2)));
} END_TEST

START_TEST(a_maximum_is_never_undecided) { ck_assert(isfinite(bound_of(FOUR("max %3 %1 []"), 3, 1 + 0x1p-26))); } END_TEST

START_TEST(a_value_beyond_the_precision_is_undecided) {
  ck_assert(isinf(bound_of(FOUR("mul %1 %2 []"), 0x1p100, 0x1p100)));
} END_TEST

START_TEST(a_decimal_constant_carries_its_rounding_and_a_short_one_none) {
  const char *text = "%%0 = constant [1] - data %s\nresult %%0\n";
  ck_assert(bounded(ir_of(1, arena_format(ir_arena(), text, "0.1")), 4, (double[]){0}).bound[0] > 0);
  ck_assert(bounded(ir_of(1, arena_format(ir_arena(), text, "0.5")), 4, (double[]){0}).bound[0] == 0);
} END_TEST

/* ---- on random functions: f32 against f64 ----------------------------------------------------------------------- */
typedef struct Tally { int elements, undecided, vacuous; double least_room; } Tally;

static void compare_precisions(uint64_t seed, Tally *tally) {
  IrFunction *f = random_ir(ir_arena(), seed, &(RandomIrOptions){.nodes = 25, .tame = true});
  const double *input[3], *weight[4];
  const float *input_f32[3], *weight_f32[4];
  int64_t count = shape_count(&f->input[1].shape);
  double *value = arena_array(ir_arena(), (size_t)count, sizeof *value), *bound = arena_array(ir_arena(), (size_t)count, sizeof *bound);
  float *single = arena_array(ir_arena(), (size_t)count, sizeof *single);
  for (uint32_t i = 0; i < f->inputs + f->weights; i++) {
    Shape shape = i < f->inputs ? f->input[i].shape : f->weight[i - f->inputs].shape;
    double *number = random_ir_numbers(ir_arena(), seed * 10 + i, shape);
    float *rounded = arena_array(ir_arena(), (size_t)shape_count(&shape), sizeof *rounded);
    for (int64_t e = 0; e < shape_count(&shape); e++) rounded[e] = (float)number[e];
    if (i < f->inputs) input[i] = number, input_f32[i] = rounded;
    else weight[i - f->inputs] = number, weight_f32[i - f->inputs] = rounded;
  }
  ck_assert(ir_run_bound(f, 4, input, weight, value, bound));
  ck_assert(ir_run_f32(f, input_f32, weight_f32, single));
  for (int64_t i = 0; i < count; i++) {
    tally->elements++;
    if (isinf(bound[i])) tally->undecided++;
    else if (bound[i] > 0x1p-10 * (1 + fabs(value[i]))) tally->vacuous++;
    ck_assert_msg(!(fabs(single[i] - value[i]) > bound[i]), "seed %llu, element %lld: f32 %.9g, f64 %.17g, bound %g",
                  (unsigned long long)seed, (long long)i, single[i], value[i], bound[i]);
    if (bound[i] > 0) tally->least_room = fmax(tally->least_room, fabs(single[i] - value[i]) / bound[i]);
  }
}

START_TEST(f32_and_f64_differ_by_no_more_than_the_bound) {
  Tally tally = {0};
  for (uint64_t seed = 0; seed < 400; seed++) compare_precisions(seed, &tally);
  ck_assert_msg(tally.undecided < tally.elements * 0.25, "%d of %d undecided", tally.undecided, tally.elements);
  ck_assert_msg(tally.vacuous < tally.elements * 0.05, "%d of %d vacuous", tally.vacuous, tally.elements);
  ck_assert_msg(tally.least_room > 0.2, "the bound is never nearer than %g", tally.least_room);
} END_TEST

void add_bound_tests(TCase *tcase) {
  tcase_add_test(tcase, one_rounding_has_half_an_ulp);
  tcase_add_test(tcase, moving_elements_costs_nothing);
  tcase_add_test(tcase, an_error_is_carried_through_a_difference_in_full);
  tcase_add_test(tcase, a_comparison_within_the_error_is_undecided);
  tcase_add_test(tcase, a_floor_within_the_error_is_undecided);
  tcase_add_test(tcase, a_divisor_that_may_be_zero_is_undecided);
  tcase_add_test(tcase, a_logarithm_of_what_may_be_zero_is_undecided);
  tcase_add_test(tcase, a_maximum_is_never_undecided);
  tcase_add_test(tcase, a_value_beyond_the_precision_is_undecided);
  tcase_add_test(tcase, a_decimal_constant_carries_its_rounding_and_a_short_one_none);
  tcase_add_test(tcase, f32_and_f64_differ_by_no_more_than_the_bound);
}
