/* SPDX-License-Identifier: Apache-2.0 */
/* check_ode.c -- the solvers for a velocity that is a C function (flow/ode.h). */
#include "flow/ode.h"
#include "suite.h"
#include <math.h>
#include <stdatomic.h>

enum { SAMPLES = 150 };

/* x' = a x cos t with a in user, in both precisions. */
typedef struct Swing { uint32_t precision; double rate; atomic_uint calls; } Swing;

static void swing(void *user, uint32_t lanes, uint32_t stride, const void *t, const void *x, void *u) {
  Swing *s = user;
  ck_assert_uint_ge(stride, lanes);
  atomic_fetch_add(&s->calls, 1);
  for (uint32_t i = 0; i < lanes; i++) {
    if (s->precision == FLOW_F32)
      ((float *)u)[i] = (float)(s->rate * ((const float *)x)[i] * cos(((const float *)t)[i]));
    else
      ((double *)u)[i] = s->rate * ((const double *)x)[i] * cos(((const double *)t)[i]);
  }
}

static double exactly(double x, double rate, double t0, double t1) { return x * exp(rate * (sin(t1) - sin(t0))); }

static void fill(double *x) {
  for (int i = 0; i < SAMPLES; i++) x[i] = 0.02 * (i - 50);
}

START_TEST(steps_that_adapt_keep_to_the_tolerance_both_ways_in_time) {
  for (int backward = 0; backward < 2; backward++) {
    double x[SAMPLES], y[SAMPLES], t0 = backward ? 4 : -1, t1 = backward ? -1 : 4;
    uint8_t status[SAMPLES];
    flow_ode_report report[SAMPLES];
    Swing user = {.precision = FLOW_F64, .rate = 1.5};
    fill(x);
    flow_ode ode = {.dim = 1, .precision = FLOW_F64, .velocity = swing, .user = &user, .count = SAMPLES, .start = x, .result = y, .t0 = t0,
                    .t1 = t1, .rtol = 1e-9, .atol = 1e-9, .status = status, .report = report};
    ck_assert_int_eq(flow_ode_solve(&ode, NULL), FLOW_OK);
    for (int i = 0; i < SAMPLES; i++) {
      ck_assert_double_eq_tol(y[i], exactly(x[i], 1.5, t0, t1), 1e-7);          /* 100 tolerances */
      ck_assert_uint_eq(status[i], 0);
      ck_assert_double_eq(report[i].t, t1);
      ck_assert_uint_ge(report[i].evaluations, report[i].attempts);
    }
  }
}
END_TEST

START_TEST(equal_steps_have_the_order_of_their_method) {
  static const struct { const char *method; double order; } row[] = {{"euler", 1}, {"midpoint", 2}, {"rk4", 4}, {"dopri5", 5}};
  for (size_t k = 0; k < sizeof row / sizeof row[0]; k++) {
    double x[SAMPLES], y[SAMPLES], error[2];
    Swing user = {.precision = FLOW_F64, .rate = 1};
    fill(x);
    for (int half = 0; half < 2; half++) {
      flow_ode ode = {.dim = 1, .precision = FLOW_F64, .velocity = swing, .user = &user, .count = SAMPLES, .start = x, .result = y, .t1 = 2,
                      .method = row[k].method, .steps = half ? 80 : 40};
      ck_assert_int_eq(flow_ode_solve(&ode, NULL), FLOW_OK);
      error[half] = fabs(y[SAMPLES - 1] - exactly(x[SAMPLES - 1], 1, 0, 2));
    }
    ck_assert_double_eq_tol(log2(error[0] / error[1]), row[k].order, 0.25);     /* far from the limit of small steps */
  }
}
END_TEST

START_TEST(f32_is_solved_in_f32) {
  float x[SAMPLES], y[SAMPLES];
  Swing user = {.precision = FLOW_F32, .rate = 1};
  for (int i = 0; i < SAMPLES; i++) x[i] = 0.02f * (float)i;
  for (int fixed = 0; fixed < 2; fixed++) {
    flow_ode ode = {.dim = 1, .precision = FLOW_F32, .velocity = swing, .user = &user, .count = SAMPLES, .start = x, .result = y, .t1 = 1,
                    .steps = fixed ? 50 : 0, .method = fixed ? "rk4" : NULL};
    ck_assert_int_eq(flow_ode_solve(&ode, NULL), FLOW_OK);
    for (int i = 0; i < SAMPLES; i++) ck_assert_double_eq_tol(y[i], exactly(x[i], 1, 0, 1), 1e-5 * (1 + x[i]));
  }
}
END_TEST

START_TEST(threads_and_company_do_not_show_and_the_result_may_lie_over_the_start) {
  for (uint64_t steps = 0; steps <= 20; steps += 20) {
    double x[SAMPLES], all[SAMPLES], y[SAMPLES];
    Swing user = {.precision = FLOW_F64, .rate = 1};
    fill(x);
    flow_ode ode = {.dim = 1, .precision = FLOW_F64, .velocity = swing, .user = &user, .count = SAMPLES, .start = x, .result = all, .t1 = 3,
                    .steps = steps, .threads = 1};
    ck_assert_int_eq(flow_ode_solve(&ode, NULL), FLOW_OK);
    for (int threads = 1; threads <= 3; threads++) {
      for (int count = 1; count <= SAMPLES; count += 37) {
        memcpy(y, x, sizeof y);
        ode.start = ode.result = y, ode.count = (uint64_t)count, ode.threads = threads;
        ck_assert_int_eq(flow_ode_solve(&ode, NULL), FLOW_OK);
        ck_assert_mem_eq(y, all, (size_t)count * sizeof *y);
      }
    }
  }
}
END_TEST

START_TEST(what_cannot_be_solved_is_refused_in_words) {
  double x[1] = {1};
  Swing user = {.precision = FLOW_F64, .rate = 1};
  const flow_ode good = {.dim = 1, .precision = FLOW_F64, .velocity = swing, .user = &user, .count = 1, .start = x, .result = x, .t1 = 1};
  flow_ode bad[5] = {good, good, good, good, good};
  static const char *const words[5] = {"a velocity", "3 bytes", "no method 'rk5'", "no estimate of its error", "no components"};
  bad[0].velocity = NULL;
  bad[1].precision = 3;
  bad[2].method = "rk5";
  bad[3].method = "rk4";
  bad[4].dim = 0;
  for (int i = 0; i < 5; i++) {
    flow_error error;
    ck_assert_int_ne(flow_ode_solve(&bad[i], &error), FLOW_OK);
    ck_assert_words(error, words[i]);
  }
}
END_TEST

START_TEST(no_time_moves_no_sample) {
  for (uint64_t steps = 0; steps <= 3; steps += 3) {
    double x[SAMPLES], y[SAMPLES];
    uint8_t status[SAMPLES];
    flow_error error = {{0}};
    Swing user = {.precision = FLOW_F64, .rate = 1};
    fill(x);
    flow_ode ode = {.dim = 1, .precision = FLOW_F64, .velocity = swing, .user = &user, .count = SAMPLES, .start = x, .result = y, .t0 = 2, .t1 = 2,
                    .steps = steps, .status = status};
    ck_assert_msg(flow_ode_solve(&ode, &error) == FLOW_OK, "%s", error.text);
    ck_assert_mem_eq(x, y, sizeof x);
    for (int i = 0; i < SAMPLES; i++) ck_assert_uint_eq(status[i], 0);
  }
}
END_TEST

START_TEST(no_samples_are_no_work) {
  double x[1] = {1};
  Swing user = {.precision = FLOW_F64, .rate = 1};
  flow_ode ode = {.dim = 1, .precision = FLOW_F64, .velocity = swing, .user = &user, .count = 0, .start = x, .result = x, .t1 = 1};
  ck_assert_int_eq(flow_ode_solve(&ode, NULL), FLOW_OK);
  ck_assert_uint_eq(atomic_load(&user.calls), 0);
}
END_TEST

TEST_MAIN("ode", steps_that_adapt_keep_to_the_tolerance_both_ways_in_time, equal_steps_have_the_order_of_their_method, f32_is_solved_in_f32,
          threads_and_company_do_not_show_and_the_result_may_lie_over_the_start, what_cannot_be_solved_is_refused_in_words,
          no_time_moves_no_sample, no_samples_are_no_work)
