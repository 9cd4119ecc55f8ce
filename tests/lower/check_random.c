/* SPDX-License-Identifier: Apache-2.0 */
/* check_random.c -- what holds for every program, tried on a few hundred. */
#include "lower_suite.h"
#include "random_flow.h"

enum { PROGRAMS = 250 };

static const double *random_numbers(uint64_t seed, int64_t count) {
  double *number = arena_array(test_arena(), (size_t)count + 1, sizeof *number);
  for (int64_t i = 0; i < count; i++) number[i] = 1.5 * sin((double)seed * 12.9898 + (double)i * 78.233);
  return number;
}

/* frozen() and lowered() fail the test where a program has an error or a pass leaves malformed IR. */
START_TEST(every_random_program_is_checked_lowered_and_frozen) {
  RandomFlowOptions options = {.width = _i % 5 == 0 ? 70 : 0};
  frozen(random_flow(test_arena(), (uint64_t)_i, &options));
} END_TEST

START_TEST(a_text_depends_on_nothing_but_its_seed) {
  const char *first = random_flow(test_arena(), 7, NULL), *second = random_flow(test_arena(), 7, NULL);
  expect_text(second, first);
  ck_assert_str_ne(first, random_flow(test_arena(), 8, NULL));
} END_TEST

/* The bound covers the rounding of the frozen program; the lowered one, in its own order, errs about as much.  Where a
 * comparison is too near to call the bound is infinite, and the program counts as undecided. */
START_TEST(freezing_keeps_the_value_of_a_program) {
  int decided = 0;
  for (uint64_t seed = 1000; seed < 1000 + 150; seed++) {
    const char *text = random_flow(test_arena(), seed, &(RandomFlowOptions){.tame = true});
    IrFunction *source = lowered(text), *final = frozen(text);
    int64_t d = shape_count(&source->input[1].shape);
    const double *x = random_numbers(seed, d), *c = random_numbers(seed + 9, 16), t = 0.375;
    const double *expected = value_at(source, t, x, c), *bound;
    const double *found = value_and_bound(final, t, x, c, &bound);
    bool all = true;
    for (int64_t i = 0; i < d; i++) {
      all = all && isfinite(bound[i]) && bound[i] < 1e-6 * (1 + fabs(found[i]));
      if (!isfinite(bound[i]) || !isfinite(expected[i])) continue;
      ck_assert_msg(fabs(found[i] - expected[i]) <= 8 * bound[i] + 1e-14 * fabs(expected[i]),
                    "seed %u, element %d: %.17g lowered, %.17g frozen, bound %g\n%s", (unsigned)seed, (int)i, expected[i],
                    found[i], bound[i], text);
    }
    decided += all;
  }
  ck_assert_msg(decided >= 90, "only %d of 150 programs could be judged", decided);
} END_TEST

/* ---- derivatives ------------------------------------------------------------------------------------------------------ */
enum { WIDTH = 4 };

static IrFunction *with_field(const char *program, const char *value, const char *called) {
  const char *text = arena_format(test_arena(), "%s\nfield %s(t, x: [4]) = %s\n", program, called, value);
  IrFunction *f = lowered_as(text, called, "");
  ck_assert_msg(f != NULL, "%s", diagnostics_text());
  return f;
}

static void expect_law(double left, double right, double size, uint64_t seed, const char *law, const char *program) {
  if (!isfinite(left) || !isfinite(right) || size > 1e6) return;        /* at a pole nothing is to be compared */
  ck_assert_msg(fabs(left - right) <= 1e-10 * (1 + size), "seed %u, %s: %.17g and %.17g\n%s", (unsigned)seed, law, left, right, program);
}

/* <w, J v> = <w J, v>, and div u is the sum of the diagonal of J; all three also survive the passes. */
START_TEST(derivatives_of_a_random_program_agree_with_each_other) {
  uint64_t seed = 3000 + (uint64_t)_i;
  const char *program = random_flow(test_arena(), seed, &(RandomFlowOptions){.dim = WIDTH, .lets = 4, .no_conditions = true, .tame = true});
  const double *x = random_numbers(seed, WIDTH), t = 0.375, v[] = {1, -2, 0.5, 3}, w[] = {-1, 0.25, 2, 1};
  const double *forward = value_at(with_field(program, "jvp(u)(t, x; [1, -2, 0.5, 3])", "law_a"), t, x, NULL);
  const double *back = value_at(with_field(program, "vjp(u)(t, x; [-1, 0.25, 2, 1])", "law_b"), t, x, NULL);
  const double *trace = value_at(with_field(program, "for k < 4: div(u)(t, x)", "law_c"), t, x, NULL);
  const double *sum = value_at(with_field(program, "for j < 4: sum i < 4: jvp(u)(t, x; one_hot(i, 4))[i]", "law_d"), t, x, NULL);
  double left = 0, right = 0, size = 0;
  for (int i = 0; i < WIDTH; i++) {
    left += w[i] * forward[i];
    right += back[i] * v[i];
    size += fabs(w[i] * forward[i]) + fabs(back[i] * v[i]);
  }
  expect_law(left, right, size, seed, "<w, Jv> and <wJ, v>", program);
  expect_law(trace[0], sum[0], fabs(sum[0]) + size, seed, "div and the diagonal", program);
} END_TEST

void add_random_tests(TCase *tcase) {
  tcase_add_loop_test(tcase, every_random_program_is_checked_lowered_and_frozen, 0, PROGRAMS);
  tcase_add_loop_test(tcase, derivatives_of_a_random_program_agree_with_each_other, 0, PROGRAMS / 2);
  tcase_add_test(tcase, a_text_depends_on_nothing_but_its_seed);
  tcase_add_test(tcase, freezing_keeps_the_value_of_a_program);
}
