/* SPDX-License-Identifier: Apache-2.0 */
/* check_trajectory_adaptive.c -- paths of adaptive solves: the steps do not know of them, and between steps they are as near. */
#include "adaptive.h"
#include "run.h"
#include "run_suite.h"
#include "suite.h"
#include "trajectory.h"
#include <math.h>

static const char *const methods[] = {"bosh3", "dopri5", "tsit5", "dop853"};
enum { METHODS = 4, SAMPLES = 61, TIMES = 41 };

/* States at times, all samples. */
typedef struct Paths {
  Run run;
  FlowAdaptive adaptive;
  uint64_t dim;
  double value[TIMES][SAMPLES][DOUBLE_MOST_DIM];
  uint8_t status[TIMES][SAMPLES];
  size_t rows[TIMES];
} Paths;

static double number(const Paths *paths, const FlowRows *rows, uint64_t at) {
  return paths->run.what.model->precision == FLOW_F32 ? (double)((const float *)rows->value)[at] : ((const double *)rows->value)[at];
}

static flow_status take(void *user, size_t time, const FlowRows *rows, flow_error *error) {
  Paths *paths = user;
  (void)error;
  for (uint64_t i = 0; i < rows->count; i++) {
    paths->status[time][rows->first + i] = rows->status[i];
    for (uint64_t c = 0; c < paths->dim; c++) paths->value[time][rows->first + i][c] = number(paths, rows, i * paths->dim + c);
  }
  paths->rows[time] += rows->count;
  return FLOW_OK;
}

static flow_status take_end(void *user, const FlowRows *rows, flow_error *error) { return take(user, 0, rows, error); }

static Paths *open_paths(DoubleField field, DoubleConfiguration configuration, const char *method, double tolerance) {
  Paths *paths = calloc(1, sizeof *paths);
  run_open(&paths->run, field, configuration, SAMPLES);
  paths->dim = paths->run.what.model->dim;
  paths->adaptive.tolerance = (FlowTolerance){tolerance, tolerance, 0};
  paths->run.what.adaptive = &paths->adaptive;
  paths->run.what.tableau = flow_tableau_find(method);
  paths->run.what.steps = 0;
  paths->run.what.user = paths;
  paths->run.what.progress = NULL;
  return paths;
}

static void close_paths(Paths *paths) {
  run_close(&paths->run);
  free(paths);
}

static void follow(Paths *paths, const double *time, size_t times) {
  flow_error error = {{0}};
  memset(paths->rows, 0, sizeof paths->rows);
  flow_status status = flow_trajectory(&paths->run.what, time, times, take, &error);
  ck_assert_msg(status == FLOW_OK, "%s", error.text);
  for (size_t i = 0; i < times; i++) ck_assert_uint_eq(paths->rows[i], SAMPLES);
}

static void sample(Paths *paths) {
  flow_error error = {{0}};
  FlowSampling what = paths->run.what;
  what.sink = take_end;
  ck_assert_int_eq(flow_sample(&what, &error), FLOW_OK);
}

static void evenly(double from, double to, double *time) {
  for (int i = 0; i < TIMES; i++) time[i] = i == TIMES - 1 ? to : from + (to - from) * i / (TIMES - 1);
}

static const DoubleConfiguration configurations[] = {DOUBLE_f32_8, DOUBLE_f64_24, DOUBLE_f64_48};

START_TEST(the_end_has_the_bits_of_the_sample_whatever_the_times_are) {
  for (int k = 0; k < 3; k++) {
    for (int backward = 0; backward < 2; backward++) {
      Paths *end = open_paths(DOUBLE_swing, configurations[k], methods[_i], 1e-5), *path = open_paths(DOUBLE_swing, configurations[k], methods[_i], 1e-5);
      double t0 = backward ? 2 : 0, t1 = backward ? 0 : 2, time[TIMES];
      end->run.what.t0 = path->run.what.t0 = t0;
      end->run.what.t1 = path->run.what.t1 = t1;
      sample(end);
      evenly(t0, t1, time);
      follow(path, time, TIMES);
      for (int i = 0; i < SAMPLES; i++) ck_assert_mem_eq(path->value[TIMES - 1][i], end->value[0][i], sizeof(double));
      follow(path, &time[TIMES - 1], 1);
      for (int i = 0; i < SAMPLES; i++) ck_assert_mem_eq(path->value[0][i], end->value[0][i], sizeof(double));
      close_paths(end), close_paths(path);
    }
  }
}
END_TEST

/* u = (-x1, x0): (x0 cos t - x1 sin t, ..).  The error between steps is some tolerances, with Hermite's cubic more. */
START_TEST(states_between_steps_are_as_near_as_those_at_their_ends) {
  static const double most[METHODS] = {3e-5, 3e-6, 3e-6, 3e-6};
  double time[TIMES];
  Paths *path = open_paths(DOUBLE_rotation, DOUBLE_f64_24, methods[_i], 1e-8);
  path->run.what.t1 = 6;
  evenly(0, 6, time);
  follow(path, time, TIMES);
  for (int t = 0; t < TIMES; t++)
    for (int i = 0; i < SAMPLES; i++) {
      const double *x = path->value[0][i], *y = path->value[t][i];
      ck_assert_double_eq_tol(y[0], x[0] * cos(time[t]) - x[1] * sin(time[t]), most[_i]);
      ck_assert_double_eq_tol(y[1], x[1] * cos(time[t]) + x[0] * sin(time[t]), most[_i]);
    }
  close_paths(path);
}
END_TEST

/* A tenth of the tolerance shortens steps by 10^(1/order of the estimate + 1): the error inside of them must follow. */
START_TEST(between_steps_errors_fall_with_the_tolerance) {
  double time[TIMES], worst[2] = {0};
  evenly(0, 6, time);
  for (int k = 0; k < 2; k++) {
    Paths *path = open_paths(DOUBLE_rotation, DOUBLE_f64_48, methods[_i], k ? 1e-9 : 1e-5);
    path->run.what.t1 = 6;
    follow(path, time, TIMES);
    for (int t = 0; t < TIMES; t++)
      for (int i = 0; i < SAMPLES; i++) {
        const double *x = path->value[0][i];
        worst[k] = fmax(worst[k], fabs(path->value[t][i][0] - (x[0] * cos(time[t]) - x[1] * sin(time[t]))));
      }
    close_paths(path);
  }
  ck_assert_msg(worst[1] < 1e-3 * worst[0], "%s: %g after %g", methods[_i], worst[1], worst[0]);
}
END_TEST

START_TEST(a_state_depends_on_its_time_alone) {
  double time[TIMES], few[5];
  Paths *all = open_paths(DOUBLE_driven, DOUBLE_f64_8, methods[_i], 1e-6), *some = open_paths(DOUBLE_driven, DOUBLE_f64_48, methods[_i], 1e-6);
  evenly(0, 1, time);
  for (int i = 0; i < 5; i++) few[i] = time[(i * 17) % TIMES];
  some->run.what.threads = 3;
  follow(all, time, TIMES);
  follow(some, few, 5);
  for (int t = 0; t < 5; t++)
    for (int i = 0; i < SAMPLES; i++) ck_assert_mem_eq(some->value[t][i], all->value[(t * 17) % TIMES][i], sizeof all->value[0][0]);
  close_paths(all), close_paths(some);
}
END_TEST

/* A sample that is not a number at its start has no state at any time; the others have theirs. */
START_TEST(a_sample_that_fails_has_its_status_at_the_times_it_did_not_see) {
  Paths *path = open_paths(DOUBLE_cubic, DOUBLE_f64_24, methods[_i], 1e-6), *good = open_paths(DOUBLE_cubic, DOUBLE_f64_24, methods[_i], 1e-6);
  double start[SAMPLES], time[3] = {1, 0, 0.5};
  for (int i = 0; i < SAMPLES; i++) start[i] = i == 7 ? NAN : i == 9 ? 1e200 : 0.1 * i;
  FlowTensor rows = {.name = "", .type = FLOW_TYPE_F64, .rank = 2, .dim = {SAMPLES, 1}, .count = SAMPLES, .data = start};
  FlowSource source = {.kind = FLOW_SOURCE_TENSOR, .dim = 1, .tensor = &rows, .name = "starts"};
  path->run.what.source = &source;
  follow(path, time, 3);
  for (int t = 0; t < 3; t++) ck_assert_int_eq(path->status[t][7], FLOW_SAMPLE_BAD_START);
  ck_assert_int_ne(path->status[0][9], FLOW_SAMPLE_OK);
  ck_assert_int_eq(path->status[1][9], FLOW_SAMPLE_OK);
  ck_assert_double_nan(path->value[0][9][0]);
  ck_assert_double_finite(path->value[1][9][0]);
  ck_assert_double_eq(path->value[1][9][0], 1e200);
  ck_assert_uint_eq(path->run.summary.failed, 2);
  ck_assert_double_eq_tol(path->value[2][20][0], 2 / sqrt(1 + 4 * 0.5), 1e-4);
  close_paths(path), close_paths(good);
}
END_TEST

START_TEST(times_outside_are_refused_and_no_samples_are_none) {
  Paths *path = open_paths(DOUBLE_swing, DOUBLE_f64_8, methods[_i], 1e-6);
  flow_error error = {{0}};
  const double outside[] = {-0.1, 1.1, NAN, INFINITY};
  for (int i = 0; i < 4; i++) {
    ck_assert_int_eq(flow_trajectory(&path->run.what, &outside[i], 1, take, &error), FLOW_BAD_CALL);
    ck_assert_ptr_nonnull(strstr(error.text, "the solve is from 0 to 1"));
  }
  path->run.what.end = 0;
  ck_assert_int_eq(flow_trajectory(&path->run.what, NULL, 0, take, &error), FLOW_OK);
  close_paths(path);
}
END_TEST

START_TEST(every_failing_allocation_is_told_and_leaves_nothing) {
  double time[TIMES];
  evenly(0, 1, time);
  for (uint64_t fail_at = 1;; fail_at++) {
    Paths *path = open_paths(DOUBLE_swing, DOUBLE_f64_24, methods[_i], 1e-4);
    Failing failing;
    FlowAllocator allocator = failing_allocator(&failing);
    failing.fail_at = fail_at;
    flow_error error = {{0}};
    path->run.what.allocator = &allocator;
    flow_status status = flow_trajectory(&path->run.what, time, TIMES, take, &error);
    ck_assert_uint_eq(failing.in_use, 0);
    bool enough = failing.calls < fail_at;
    ck_assert_int_eq(status, enough ? FLOW_OK : FLOW_NO_MEMORY);
    close_paths(path);
    if (enough) break;
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("adaptive trajectories");
  TCase *all = tcase_create("all");
  tcase_set_timeout(all, 60);
  tcase_add_loop_test(all, the_end_has_the_bits_of_the_sample_whatever_the_times_are, 0, METHODS);
  tcase_add_loop_test(all, states_between_steps_are_as_near_as_those_at_their_ends, 0, METHODS);
  tcase_add_loop_test(all, between_steps_errors_fall_with_the_tolerance, 0, METHODS);
  tcase_add_loop_test(all, a_state_depends_on_its_time_alone, 0, METHODS);
  tcase_add_loop_test(all, a_sample_that_fails_has_its_status_at_the_times_it_did_not_see, 0, METHODS);
  tcase_add_loop_test(all, times_outside_are_refused_and_no_samples_are_none, 0, METHODS);
  tcase_add_loop_test(all, every_failing_allocation_is_told_and_leaves_nothing, 0, 1);
  suite_add_tcase(suite, all);
  return run_suite(suite);
}
