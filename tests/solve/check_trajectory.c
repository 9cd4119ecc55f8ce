/* SPDX-License-Identifier: Apache-2.0 */
/* check_trajectory.c -- states at any times: the bits of a state, the order between nodes, wrong times. */
#include "trajectory.h"
#include "run.h"
#include "suite.h"
#include <math.h>

enum { MOST_TIMES = 64 };

/* Every state, [time][sample][dim]. */
typedef struct Path {
  uint64_t samples;
  size_t row;
  char *value;
  uint8_t *status;
  size_t calls, stop_after;
} Path;

static flow_status take(void *user, size_t time, const FlowRows *rows, flow_error *error) {
  Path *path = user;
  size_t at = time * (size_t)path->samples + (size_t)rows->first;
  if (path->stop_after && ++path->calls == path->stop_after) return flow_fail(error, FLOW_BAD_FILE, "the disk is full");
  memcpy(path->value + at * path->row, rows->value, (size_t)rows->count * path->row);
  memcpy(path->status + at, rows->status, (size_t)rows->count);
  return FLOW_OK;
}

static Path path_open(const Run *run) {
  Path path = {.samples = run->what.end, .row = (size_t)run->what.model->dim * run->what.model->precision};
  path.value = calloc(MOST_TIMES * (size_t)path.samples, path.row);
  path.status = calloc(MOST_TIMES, (size_t)path.samples);
  return path;
}

static void path_close(Path *path) {
  free(path->value);
  free(path->status);
}

static flow_status collect(Run *run, const double *time, size_t times, Path *path, flow_error *error) {
  run->what.user = path;
  run->what.progress = NULL;
  flow_status status = flow_trajectory(&run->what, time, times, take, error);
  run->what.user = &run->out;
  return status;
}

static const char *states(const Path *path, size_t time) { return path->value + time * (size_t)path->samples * path->row; }
static void assert_same_states(const Path *a, size_t time_a, const Path *b, size_t time_b) {
  ck_assert_mem_eq(states(a, time_a), states(b, time_b), (size_t)a->samples * a->row);
}

START_TEST(the_last_time_is_the_sample_and_the_first_its_start) {
  for (DoubleField field = 0; field < DOUBLE_FIELD_COUNT; field++)
    for (size_t m = 0; m < flow_tableau_count(); m++) {
      Run run;
      run_open(&run, field, m % 2 ? DOUBLE_f32_24 : DOUBLE_f64_8, 53);
      run.what.tableau = flow_tableau_at(m);
      run.what.t0 = 0.1, run.what.t1 = 1.3;
      run.what.steps = 7;
      ck_assert_int_eq(run_collect(&run, NULL), FLOW_OK);
      Path path = path_open(&run);
      static const double time[] = {0.1, 0.65, 1.3};
      ck_assert_int_eq(collect(&run, time, 3, &path, NULL), FLOW_OK);
      ck_assert_mem_eq(states(&path, 2), run.out.value, 53 * run.out.row);
      _Alignas(64) char start[DOUBLE_MOST_DIM * sizeof(double)];
      FlowTile tile = {start, run.what.model->dim, run.what.model->precision, 1, 1, 1};
      flow_source_fill(&run.source, (FlowRandom){42, run.what.stream}, 31, &tile);
      ck_assert_mem_eq(states(&path, 0) + 31 * path.row, start, path.row);
      path_close(&path);
      run_close(&run);
    }
}
END_TEST

START_TEST(at_a_node_a_state_is_that_of_a_solve_that_ends_there) {
  static const double node[] = {0, 0.25, 0.375, 1};
  FlowGrid all = {.spacing = FLOW_SPACING_GIVEN, .intervals = 3, .node = node}, some = all;
  Run run;
  run_open(&run, DOUBLE_driven, DOUBLE_f32_8, 20);
  run.what.grid = &all;
  run.what.steps = 3;
  Path path = path_open(&run);
  ck_assert_int_eq(collect(&run, node, 4, &path, NULL), FLOW_OK);
  some.intervals = 2;
  run.what.grid = &some;
  run.what.steps = 2;
  run.what.t1 = 0.375;
  ck_assert_int_eq(run_collect(&run, NULL), FLOW_OK);
  ck_assert_mem_eq(states(&path, 2), run.out.value, 20 * run.out.row);
  path_close(&path);
  run_close(&run);
}
END_TEST

START_TEST(a_state_does_not_depend_on_what_else_is_asked) {
  static const double many[] = {0.31, 1, 0, 0.3, 0.77, 0.31, 0.05, 0.999999}, few[] = {0.77, 0.31};
  for (size_t m = 0; m < flow_tableau_count(); m++) {
    Run run;
    run_open(&run, DOUBLE_driven, DOUBLE_f32_24, 70);
    run.what.tableau = flow_tableau_at(m);
    Path a = path_open(&run), b = path_open(&run);
    ck_assert_int_eq(collect(&run, many, 8, &a, NULL), FLOW_OK);
    ck_assert_int_eq(collect(&run, few, 2, &b, NULL), FLOW_OK);
    assert_same_states(&a, 4, &b, 0);
    assert_same_states(&a, 0, &b, 1);
    assert_same_states(&a, 5, &b, 1);
    path_close(&a);
    path_close(&b);
    run_close(&run);
  }
}
END_TEST

START_TEST(threads_tiles_windows_and_ranges_change_no_bit) {
  static const double time[] = {0, 0.123, 0.5, 0.9, 1};
  Run run, other;
  run_open(&run, DOUBLE_driven, DOUBLE_f64_8, 90);
  run_open(&other, DOUBLE_driven, DOUBLE_f64_48, 90);
  other.what.threads = 3;
  other.what.times_bytes = 1;
  Path a = path_open(&run), b = path_open(&other);
  ck_assert_int_eq(collect(&run, time, 5, &a, NULL), FLOW_OK);
  ck_assert_int_eq(collect(&other, time, 5, &b, NULL), FLOW_OK);
  for (size_t t = 0; t < 5; t++) assert_same_states(&a, t, &b, t);
  run.what.first = 40;
  run.what.end = 41;
  Path one = path_open(&other);
  ck_assert_int_eq(collect(&run, time, 5, &one, NULL), FLOW_OK);
  for (size_t t = 0; t < 5; t++) ck_assert_mem_eq(states(&one, t) + 40 * a.row, states(&a, t) + 40 * a.row, a.row);
  path_close(&a);
  path_close(&b);
  path_close(&one);
  run_close(&run);
  run_close(&other);
}
END_TEST

/* x' = x cos t from 1: the largest error at the middles of `times` parts of the span. */
static double error_of(const FlowTableau *tableau, uint64_t steps, int times, double t0, double t1) {
  double one = 1, time[MOST_TIMES], worst = 0;
  FlowTensor tensor = {.name = "", .type = FLOW_TYPE_F64, .rank = 1, .dim = {1}, .count = 1, .data = &one};
  Run run;
  run_open(&run, DOUBLE_swing, DOUBLE_f64_8, 1);
  run.source = (FlowSource){.kind = FLOW_SOURCE_TENSOR, .dim = 1, .tensor = &tensor};
  run.what.tableau = tableau;
  run.what.steps = steps;
  run.what.t0 = t0, run.what.t1 = t1;
  for (int i = 0; i < times; i++) time[i] = t0 + (t1 - t0) * (i + 0.5) / times;
  Path path = path_open(&run);
  ck_assert_int_eq(collect(&run, time, (size_t)times, &path, NULL), FLOW_OK);
  for (size_t i = 0; i < (size_t)times; i++)
    worst = fmax(worst, fabs(*(const double *)(const void *)states(&path, i) - exp(sin(time[i]) - sin(t0))));
  path_close(&path);
  run_close(&run);
  return worst;
}

/* One step a part, and three: the times lie in the middles of steps both times.  More problems and a closer look:
 * tests/numerics. */
START_TEST(states_between_nodes_have_the_order_that_is_told) {
  static const double span[][2] = {{0, 2}, {1.7, -0.2}};
  for (size_t m = 0; m < flow_tableau_count(); m++)
    for (int s = 0; s < 2; s++) {
      const FlowTableau *tableau = flow_tableau_at(m);
      int parts = tableau->order < 5 ? 60 : tableau->order < 8 ? 18 : 4;
      double coarse = error_of(tableau, (uint64_t)parts, parts, span[s][0], span[s][1]);
      double order = log(coarse / error_of(tableau, 3 * (uint64_t)parts, parts, span[s][0], span[s][1])) / log(3);
      ck_assert_msg(fabs(order - flow_trajectory_order(tableau)) < 0.25, "%s, span %d: order %.2f", tableau->name, s, order);
    }
}
END_TEST

START_TEST(the_told_order_is_the_lesser_of_two) {
  ck_assert_uint_eq(flow_trajectory_order(flow_tableau_find("euler")), 1);
  ck_assert_uint_eq(flow_trajectory_order(flow_tableau_find("rk4")), 4);
  ck_assert_uint_eq(flow_trajectory_order(flow_tableau_find("dopri5")), 5);
  ck_assert_uint_eq(flow_trajectory_order(flow_tableau_find("dop853")), 8);
}
END_TEST

/* As `3 * 0.1` is beyond 0.3. */
START_TEST(a_time_that_is_an_end_but_for_roundings_is_that_end) {
  static const double end[] = {0.1, 0.3}, near[] = {0.1 - 0x1p-56, 3 * 0.1};
  Run run;
  run_open(&run, DOUBLE_rotation, DOUBLE_f32_8, 5);
  run.what.t0 = 0.1, run.what.t1 = 0.3;
  Path exact = path_open(&run), rounded = path_open(&run);
  ck_assert(near[0] < end[0] && near[1] > end[1]);
  ck_assert_int_eq(collect(&run, end, 2, &exact, NULL), FLOW_OK);
  ck_assert_int_eq(collect(&run, near, 2, &rounded, NULL), FLOW_OK);
  for (size_t i = 0; i < 2; i++) assert_same_states(&exact, i, &rounded, i);
  path_close(&exact);
  path_close(&rounded);
  run_close(&run);
}
END_TEST

START_TEST(a_time_outside_of_the_span_is_refused_with_the_span) {
  static const double bad[] = {-1e-14, 1.00000000000001, NAN, INFINITY, -INFINITY};
  Run run;
  flow_error error;
  run_open(&run, DOUBLE_rotation, DOUBLE_f32_8, 5);
  Path path = path_open(&run);
  for (int i = 0; i < 5; i++)
    for (int backward = 0; backward < 2; backward++) {
      double time[2] = {0.5, bad[i]};
      run.what.t0 = backward, run.what.t1 = !backward;
      ck_assert_int_eq(collect(&run, time, 2, &path, &error), FLOW_BAD_CALL);
      ck_assert_words(error, "time 1 is");
      ck_assert_words(error, backward ? "the solve is from 1 to 0" : "the solve is from 0 to 1");
    }
  path_close(&path);
  run_close(&run);
}
END_TEST

/* u = -x^3/2 from 1e30: the first steps overflow, the start does not. */
START_TEST(a_sample_fails_at_the_times_where_it_is_not_finite) {
  float start[9] = {1, 1, 1, 1e30f, 1, 1, 1, 1, 1};
  FlowTensor tensor = {.name = "", .type = FLOW_TYPE_F32, .rank = 1, .dim = {9}, .count = 9, .data = start};
  static const double time[] = {1, 0, 0.55};
  Run run;
  run_open(&run, DOUBLE_cubic, DOUBLE_f32_8, 9);
  run.source = (FlowSource){.kind = FLOW_SOURCE_TENSOR, .dim = 1, .tensor = &tensor};
  Path path = path_open(&run);
  ck_assert_int_eq(collect(&run, time, 3, &path, NULL), FLOW_OK);
  for (size_t i = 0; i < 9; i++)
    for (size_t t = 0; t < 3; t++)
      ck_assert_uint_eq(path.status[t * 9 + i], i == 3 && t != 1 ? FLOW_SAMPLE_NON_FINITE : FLOW_SAMPLE_OK);
  ck_assert_uint_eq(run.summary.samples, 9);
  ck_assert_uint_eq(run.summary.failed, 1);
  ck_assert_uint_eq(run.summary.first_failed, 3);
  path_close(&path);
  run_close(&run);
}
END_TEST

START_TEST(steps_end_at_the_last_time_that_is_asked_for) {
  static const double time[] = {0.2, 0.25};
  Run run;
  run_open(&run, DOUBLE_rotation, DOUBLE_f64_8, 3);      /* rk4, 10 steps, t from 0 to 1 */
  Path path = path_open(&run);
  ck_assert_int_eq(collect(&run, time, 2, &path, NULL), FLOW_OK);
  ck_assert_uint_eq(run.summary.evaluations, 2 * 4 + 5);        /* two steps, and one look with the step's end */
  ck_assert_int_eq(collect(&run, time, 0, &path, NULL), FLOW_OK);
  ck_assert_uint_eq(run.summary.evaluations, 0);
  path_close(&path);
  run_close(&run);
}
END_TEST

START_TEST(what_the_sink_says_is_the_answer) {
  static const double time[] = {0.2, 0.25, 0.5};
  Run run;
  flow_error error;
  run_open(&run, DOUBLE_rotation, DOUBLE_f64_8, 3);
  Path path = path_open(&run);
  for (path.stop_after = 1; path.stop_after <= 3; path.stop_after++) {
    path.calls = 0;
    ck_assert_int_eq(collect(&run, time, 3, &path, &error), FLOW_BAD_FILE);
    ck_assert_words(error, "the disk is full");
  }
  path_close(&path);
  run_close(&run);
}
END_TEST

START_TEST(memory_that_runs_out_anywhere_is_said_and_given_back) {
  static const double time[] = {0.2, 0.25, 0.5};
  Run run;
  Failing failing;
  run_open(&run, DOUBLE_driven, DOUBLE_f64_8, 30);
  Path path = path_open(&run);
  FlowAllocator allocator = failing_allocator(&failing);
  run.what.allocator = &allocator;
  ck_assert_int_eq(collect(&run, time, 3, &path, NULL), FLOW_OK);
  uint64_t calls = failing.calls;
  ck_assert_uint_gt(calls, 8);
  for (uint64_t fail_at = 1; fail_at <= calls; fail_at++) {
    failing = (Failing){.fail_at = fail_at};
    ck_assert_int_eq(collect(&run, time, 3, &path, NULL), FLOW_NO_MEMORY);
    ck_assert_uint_eq(failing.in_use, 0);
  }
  path_close(&path);
  run_close(&run);
}
END_TEST

TEST_MAIN("trajectory", the_last_time_is_the_sample_and_the_first_its_start, at_a_node_a_state_is_that_of_a_solve_that_ends_there,
          a_state_does_not_depend_on_what_else_is_asked, threads_tiles_windows_and_ranges_change_no_bit,
          states_between_nodes_have_the_order_that_is_told, the_told_order_is_the_lesser_of_two,
          a_time_outside_of_the_span_is_refused_with_the_span, a_time_that_is_an_end_but_for_roundings_is_that_end, a_sample_fails_at_the_times_where_it_is_not_finite,
          steps_end_at_the_last_time_that_is_asked_for, what_the_sink_says_is_the_answer,
          memory_that_runs_out_anywhere_is_said_and_given_back)
