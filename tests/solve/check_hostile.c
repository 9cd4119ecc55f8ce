/* SPDX-License-Identifier: Apache-2.0 */
/* check_hostile.c -- twelve velocities that break solvers: each sample is told what became of it, its neighbours notice nothing.
 *
 * A state is (x, kind): samples of kind 0 have the velocity -x, the others the hostile one; the kind does not move. */
#include "flow/ode.h"
#include "run_suite.h"
#include "solve.h"
#include "suite.h"
#include <math.h>

enum { SAMPLES = 40, HOSTILE_EVERY = 7 };       /* samples 3, 10, 17, ... are hostile */
typedef double Hostile(double t, double x);

static double bits_to_unit(double t, double x) {
  uint64_t a, b;
  memcpy(&a, &t, sizeof a);
  memcpy(&b, &x, sizeof b);
  a = (a ^ b * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xbf58476d1ce4e5b9);
  a = (a ^ a >> 29) * UINT64_C(0x94d049bb133111eb);
  return (double)(a >> 11) * 0x1p-53;
}

static double nan_later(double t, double x) { return t > 0.5 ? NAN : x; }
static double nan_at_random(double t, double x) { return bits_to_unit(t, x) < 0.3 ? NAN : 1; }
static double noise(double t, double x) { return 2e100 * (2 * bits_to_unit(t, x) - 1); }
static double huge_jump(double t, double x) { return (void)x, t < 0.5 ? 0 : 1e300; }
static double blow_up(double t, double x) { return (void)t, x * x; }
static double root_of_negative(double t, double x) { return (void)t, -2 - sqrt(x); }
static double oscillation(double t, double x) { return (void)x, sin(1 / (t - 0.5)); }
static double zero(double t, double x) { return (void)t, (void)x, 0; }
static double constant(double t, double x) { return (void)t, (void)x, 3; }
static double stiff(double t, double x) { return -1e6 * (x - cos(t)); }
static double step_down(double t, double x) { return (void)x, t < 1.0 / 3 ? 1 : -1; }

static void velocity(void *user, uint32_t lanes, uint32_t stride, const void *times, const void *state, void *result) {
  Hostile *hostile = *(Hostile **)user;
  const double *t = times, *x = state, *kind = x + stride;
  double *u = result;
  for (uint32_t i = 0; i < lanes; i++) {
    u[i] = kind[i] != 0 ? hostile(t[i], x[i]) : -x[i];
    u[stride + i] = 0;
  }
}

typedef struct Outcome {
  flow_status status;
  flow_error error;
  double x[SAMPLES][2];
  uint8_t became[SAMPLES];
  flow_ode_report report[SAMPLES];
} Outcome;

static bool is_hostile(int i) { return i % HOSTILE_EVERY == 3; }

static Outcome solve(Hostile *hostile, bool with_them, double tolerance, int threads) {
  Outcome out;
  double start[SAMPLES][2];
  for (int i = 0; i < SAMPLES; i++) start[i][0] = is_hostile(i) ? 2 : 1 + 0.1 * i, start[i][1] = with_them && is_hostile(i);
  flow_ode ode = {.dim = 2, .precision = FLOW_F64, .velocity = velocity, .user = &hostile, .count = SAMPLES, .start = start,
                  .result = out.x, .t1 = 1, .rtol = tolerance, .atol = tolerance, .threads = threads, .status = out.became,
                  .report = out.report};
  out.status = flow_ode_solve(&ode, &out.error);
  return out;
}

static const struct { const char *name; Hostile *hostile; FlowSampleStatus became; double from, to; } field[] = {
    {"NaN for t > 1/2", nan_later, FLOW_SAMPLE_NON_FINITE_VELOCITY, 0.49, 0.5},
    {"NaN at random", nan_at_random, FLOW_SAMPLE_NON_FINITE_VELOCITY, 0, 1},
    {"noise of 2e100", noise, FLOW_SAMPLE_STEP_TOO_SMALL, 0, 1e-6},
    {"a jump to 1e300", huge_jump, FLOW_SAMPLE_STEP_TOO_SMALL, 0.49, 0.51},
    {"x' = x^2 up to its pole", blow_up, FLOW_SAMPLE_STEP_TOO_SMALL, 0.49, 0.51},
    {"the root of a negative number", root_of_negative, FLOW_SAMPLE_NON_FINITE_VELOCITY, 0.68, 0.69},
    {"sin(1/(t - 1/2))", oscillation, FLOW_SAMPLE_OK, 1, 1},
    {"0", zero, FLOW_SAMPLE_OK, 1, 1},
    {"a constant", constant, FLOW_SAMPLE_OK, 1, 1},
    {"stiff, 1e6", stiff, FLOW_SAMPLE_TOO_MANY_STEPS, 0, 1},
    {"a step", step_down, FLOW_SAMPLE_OK, 1, 1},
};
enum { FIELDS = sizeof field / sizeof field[0], MOST_ATTEMPTS = 10000 };

START_TEST(each_hostile_sample_is_told_what_became_of_it) {
  Outcome out = solve(field[_i].hostile, true, 1e-6, 1);
  bool good = field[_i].became == FLOW_SAMPLE_OK;
  ck_assert_int_eq(out.status, good ? FLOW_OK : FLOW_FAILED_SAMPLES);
  for (int i = 0; i < SAMPLES; i++) {
    FlowSampleStatus expected = is_hostile(i) ? field[_i].became : FLOW_SAMPLE_OK;
    ck_assert_msg(out.became[i] == expected, "%s, sample %d: %s (t = %g)", field[_i].name, i, flow_ode_status_text(out.became[i]),
                  out.report[i].t);
    ck_assert(isfinite(out.x[i][0]));           /* the last good point */
    if (!is_hostile(i)) continue;
    ck_assert_msg(out.report[i].t >= field[_i].from && out.report[i].t <= field[_i].to, "%s: stopped at %.17g", field[_i].name, out.report[i].t);
    ck_assert_uint_le(out.report[i].attempts, MOST_ATTEMPTS);
  }
}
END_TEST

START_TEST(its_neighbours_keep_their_bits) {
  Outcome without = solve(field[_i].hostile, false, 1e-6, 1);
  for (int threads = 1; threads <= 3; threads++) {
    Outcome with = solve(field[_i].hostile, true, 1e-6, threads);
    for (int i = 0; i < SAMPLES; i++) {
      if (is_hostile(i)) continue;
      ck_assert_mem_eq(&with.x[i], &without.x[i], sizeof with.x[i]);
      ck_assert_uint_eq(with.report[i].attempts, without.report[i].attempts);
    }
  }
}
END_TEST

START_TEST(a_tolerance_below_the_precision_is_refused) {
  Outcome out = solve(zero, true, 1e-17, 1);
  ck_assert_int_eq(out.status, FLOW_BAD_CALL);
  ck_assert_words(out.error, "beyond f64");
}
END_TEST

START_TEST(simple_velocities_cost_next_to_nothing) {
  ck_assert_uint_le(solve(zero, true, 1e-6, 1).report[3].attempts, 10);
  ck_assert_uint_le(solve(constant, true, 1e-6, 1).report[3].attempts, 10);
}
END_TEST

START_TEST(values_beyond_a_step_are_right) {
  Outcome out = solve(step_down, true, 1e-6, 1);
  ck_assert_double_eq_tol(out.x[3][0], 2 + 1.0 / 3 - 2.0 / 3, 1e-5);
}
END_TEST

START_TEST(stiffness_is_noticed_and_only_there) {
  Outcome out = solve(stiff, true, 1e-6, 1);
  ck_assert_uint_eq(out.report[3].stiff, 1);
  ck_assert_uint_eq(out.report[4].stiff, 0);
  ck_assert_uint_eq(solve(oscillation, true, 1e-6, 1).report[3].stiff, 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("hostile");
  TCase *all = tcase_create("all");
  tcase_set_timeout(all, 60);
  tcase_add_loop_test(all, each_hostile_sample_is_told_what_became_of_it, 0, FIELDS);
  tcase_add_loop_test(all, its_neighbours_keep_their_bits, 0, FIELDS);
  tcase_add_test(all, a_tolerance_below_the_precision_is_refused);
  tcase_add_test(all, simple_velocities_cost_next_to_nothing);
  tcase_add_test(all, values_beyond_a_step_are_right);
  tcase_add_test(all, stiffness_is_noticed_and_only_there);
  suite_add_tcase(suite, all);
  return run_suite(suite);
}
