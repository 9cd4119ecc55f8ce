/* SPDX-License-Identifier: Apache-2.0 */
/* check_bound.c -- the running bound holds, is not vacuous, and says so where it cannot know. */
#include "ir_suite.h"
#include "random_ir.h"

typedef struct Bounded { const double *value, *bound; } Bounded;

static Bounded bounded(const IrFunction *f, int precision, const double *x) {
  static const double t = 0.25, c[] = {10, 20}, w[] = {1, 2, 3, 4, 5, 6};
  size_t count = (size_t)shape_count(&f->input[1].shape);
  double *value = arena_array(ir_arena(), count, sizeof *value);
  double *bound = arena_array(ir_arena(), count, sizeof *bound);
  ck_assert(ir_run_bound(f, precision, (const double *const[]){&t, x, c}, (const double *const[]){w}, value, bound));
  return (Bounded){value, bound};
}

static double bound_of(const char *operation, double x, double y) {
  IrFunction *f = ir_of(2, arena_format(ir_arena(),
      "%%0 = input 1 [2] s\n%%1 = view %%0 [] s offset 0 strides\n%%2 = view %%0 [] s offset 1 strides\n"
      "%%3 = mul %%1 %%2 [] s\n%s"
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
  const char *logarithm = "%4 = sub %3 %1 [] s\n%5 = log %4 [] s\n%6 = sqrt %4 [] s\n%7 = add %5 %6 [] s\n"
                          "%8 = neg %7 [] s\n";
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

/* ---- on random functions --------------------------------------------------------------------------------------- */
/* Inputs and weights that are exact in f32, in both types. */
typedef struct Numbers {
  const double *input[3], *weight[4];
  const float *input_f32[3], *weight_f32[4];
} Numbers;

static Numbers numbers_of(const IrFunction *f, uint64_t seed) {
  Numbers numbers = {0};
  for (uint32_t i = 0; i < f->inputs + f->weights; i++) {
    const bool input = i < f->inputs;
    const uint32_t slot = input ? i : i - f->inputs;
    Shape shape = input ? f->input[slot].shape : f->weight[slot].shape;
    double *number = random_ir_numbers(ir_arena(), seed * 10 + i, shape);
    float *single = arena_array(ir_arena(), (size_t)shape_count(&shape), sizeof *single);
    for (int64_t e = 0; e < shape_count(&shape); e++) single[e] = (float)number[e];
    if (input) numbers.input[slot] = number, numbers.input_f32[slot] = single;
    else numbers.weight[slot] = number, numbers.weight_f32[slot] = single;
  }
  return numbers;
}

static double *doubles(const IrFunction *f) {
  return arena_array(ir_arena(), (size_t)shape_count(&f->input[1].shape), sizeof(double));
}

typedef struct Tally { int elements, undecided, vacuous; double nearest; } Tally;

static void count(Tally *tally, double value, double other, double bound, const char *what, uint64_t seed) {
  tally->elements++;
  if (isinf(bound)) tally->undecided++;
  else if (bound > 0x1p-10 * (1 + fabs(value))) tally->vacuous++;
  if (bound > 0) tally->nearest = fmax(tally->nearest, fabs(other - value) / bound);
  ck_assert_msg(!(fabs(other - value) > bound), "seed %llu: %s %.9g, f64 %.17g, bound %g", (unsigned long long)seed, what,
                other, value, bound);
}

/* Few may be undecided, and the bound is to be a bound of this size, not of any size. */
static void expect_sharp(const Tally *tally, double most_undecided) {
  ck_assert_msg(tally->undecided < tally->elements * most_undecided, "%d of %d undecided", tally->undecided, tally->elements);
  ck_assert_msg(tally->vacuous < tally->elements * 0.05, "%d of %d vacuous", tally->vacuous, tally->elements);
  ck_assert_msg(tally->nearest > 0.2, "the bound is never nearer than %g", tally->nearest);
}

static IrFunction *tame_function(uint64_t seed, bool no_truth_steps) {
  return random_ir(ir_arena(), seed, &(RandomIrOptions){.nodes = 25, .tame = true, .no_truth_steps = no_truth_steps, .no_matrices = true});
}

static void compare_f32(const IrFunction *f, const Numbers *numbers, uint64_t seed, Tally *tally) {
  double *value = doubles(f), *bound = doubles(f);
  float *single = (float *)doubles(f);
  ck_assert(ir_run_bound(f, 4, numbers->input, numbers->weight, value, bound));
  ck_assert(ir_run_f32(f, numbers->input_f32, numbers->weight_f32, single));
  for (int64_t i = 0; i < shape_count(&f->input[1].shape); i++) count(tally, value[i], single[i], bound[i], "f32", seed);
}

START_TEST(f32_and_f64_differ_by_no_more_than_the_bound) {
  Tally tally = {0};
  for (uint64_t seed = 0; seed < 400; seed++) {
    IrFunction *f = tame_function(seed, seed % 2);
    Numbers numbers = numbers_of(f, seed);
    compare_f32(f, &numbers, seed, &tally);
  }
  expect_sharp(&tally, 0.15);
} END_TEST

/* The source means real numbers; so the f64 value of the source and that of the frozen function, and the frozen
 * function in f32, are all within the bound.  The passes fold in f64: what is folded in f32 has no error to bound. */
START_TEST(freezing_keeps_the_value_within_the_bound) {
  Tally source_tally = {0}, f32_tally = {0};
  for (uint64_t seed = 0; seed < 400; seed++) {
    IrFunction *frozen, *f = tame_function(seed, true);
    Numbers numbers = numbers_of(f, seed);
    double *source = doubles(f), *value = doubles(f), *bound = doubles(f);
    ck_assert(ir_run_f64(f, numbers.input, numbers.weight, source));
    ck_assert_ptr_null(ir_check_passes(f, 8, NULL, &frozen));
    ck_assert(ir_run_bound(frozen, 4, numbers.input, numbers.weight, value, bound));
    for (int64_t i = 0; i < shape_count(&frozen->input[1].shape); i++)
      count(&source_tally, value[i], source[i], bound[i] + 0x1p-40 * (1 + fabs(value[i])), "source", seed);
    compare_f32(frozen, &numbers, seed, &f32_tally);
  }
  expect_sharp(&f32_tally, 0.05);
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
  tcase_add_test(tcase, freezing_keeps_the_value_within_the_bound);
}
