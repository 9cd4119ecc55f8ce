/* SPDX-License-Identifier: Apache-2.0 */
/* check_adaptive.c -- adaptive solves: the bits of a sample, failures, reports, memory, cancelling. */
#include "adaptive.h"
#include "run.h"
#include "suite.h"
#include <math.h>

/* A run of run.h solved adaptively, and the reports that came with its rows. */
typedef struct Solve {
  Run run;
  FlowAdaptive what;
  FlowAdaptiveSummary summary;
  FlowSampleReport *report;
  FlowSink *sink;
} Solve;

static flow_status take_reports(void *user, const FlowRows *rows, flow_error *error) {
  Solve *solve = user;
  size_t had = solve->run.out.count;
  ck_assert_ptr_nonnull(rows->report);
  solve->report = realloc(solve->report, (had + rows->count) * sizeof *solve->report);
  memcpy(solve->report + had, rows->report, rows->count * sizeof *solve->report);
  return solve->sink(&solve->run.out, rows, error);
}

static int report_progress(void *user, uint64_t done, uint64_t total) {
  Solve *solve = user;
  return solve->run.what.progress(&solve->run.out, done, total);
}

static void open_solve(Solve *solve, DoubleField field, DoubleConfiguration configuration, uint64_t count) {
  memset(solve, 0, sizeof *solve);
  run_open(&solve->run, field, configuration, count);
  bool f32 = solve->run.what.model->precision == FLOW_F32;
  solve->sink = solve->run.what.sink;
  solve->what = (FlowAdaptive){.tolerance = {f32 ? 1e-4 : 1e-8, f32 ? 1e-4 : 1e-8, 0}};
  solve->run.what.tableau = flow_tableau_find("dopri5");
  solve->run.what.steps = 0;
}

static flow_status collect(Solve *solve, flow_error *error) {
  Run *run = &solve->run;
  Collected fresh = {.stop_after = run->out.stop_after, .answer = run->out.answer, .row = (size_t)run->what.model->dim * run->what.model->precision};
  free(run->out.value), free(run->out.status), free(solve->report);
  solve->report = NULL;
  run->out = fresh;
  solve->what.sampling = run->what;
  solve->what.sampling.sink = take_reports;
  solve->what.sampling.progress = report_progress;
  solve->what.sampling.user = solve;
  solve->what.summary = &solve->summary;
  return flow_sample_adaptive(&solve->what, error);
}

static void close_solve(Solve *solve) {
  run_close(&solve->run);
  free(solve->report);
}

static double value_of(const Solve *solve, uint64_t sample, uint32_t component) {
  const char *row = solve->run.out.value + sample * solve->run.out.row;
  return solve->run.what.model->precision == FLOW_F32 ? (double)((const float *)(const void *)row)[component]
                                                      : ((const double *)(const void *)row)[component];
}

/* Rows, statuses and reports of `part` are those of `whole` from its first sample on. */
static void assert_same_samples(const Solve *whole, const Solve *part) {
  uint64_t from = part->run.what.first - whole->run.what.first, count = part->run.out.count;
  ck_assert_uint_eq(count, part->run.what.end - part->run.what.first);
  ck_assert_mem_eq(part->run.out.value, whole->run.out.value + from * whole->run.out.row, count * whole->run.out.row);
  ck_assert_mem_eq(part->run.out.status, whole->run.out.status + from, count);
  for (uint64_t i = 0; i < count; i++) {
    const FlowSampleReport *a = &part->report[i], *b = &whole->report[from + i];
    ck_assert_double_eq(a->t, b->t);
    ck_assert_double_eq(a->smallest_step, b->smallest_step);
    ck_assert_uint_eq(a->attempts, b->attempts);
    ck_assert_uint_eq(a->rejected, b->rejected);
  }
}

START_TEST(a_sample_has_the_same_bits_in_every_tile_on_any_number_of_threads) {
  static const char *const method[] = {"dopri5", "dop853", "bosh3", "tsit5"};
  for (DoubleField field = 0; field < DOUBLE_FIELD_COUNT; field++)
    for (int k = 0; k < 4; k++)
      for (int wide = 0; wide < 2; wide++) {
        Solve whole;
        open_solve(&whole, field, wide ? DOUBLE_f64_24 : DOUBLE_f32_24, 131);
        whole.run.what.tableau = flow_tableau_find(method[k]);
        ck_assert_int_eq(collect(&whole, NULL), FLOW_OK);
        for (int c = 0; c < 3; c++)
          for (int threads = 1; threads <= 3; threads++) {
            Solve part;
            open_solve(&part, field, (DoubleConfiguration)(wide * 3 + c), 131 - (uint64_t)threads);
            part.run.what.tableau = whole.run.what.tableau;
            part.run.what.first = (uint64_t)(11 * c);
            part.run.what.threads = threads;
            ck_assert_int_eq(collect(&part, NULL), FLOW_OK);
            assert_same_samples(&whole, &part);
            close_solve(&part);
          }
        close_solve(&whole);
      }
}
END_TEST

START_TEST(a_sample_does_not_depend_on_the_order_of_the_samples) {
  enum { N = 100 };
  double x[N], mixed[N];
  FlowTensor tensor = {.name = "", .type = FLOW_TYPE_F64, .rank = 2, .dim = {N, 1}, .count = N};
  Solve straight, shuffled;
  open_solve(&straight, DOUBLE_cubic, DOUBLE_f64_24, N);
  open_solve(&shuffled, DOUBLE_cubic, DOUBLE_f64_24, N);
  for (int i = 0; i < N; i++) x[i] = 0.05 * (i - 30);
  for (int i = 0; i < N; i++) mixed[i] = x[i * 37 % N];
  FlowTensor other = tensor;
  tensor.data = x, other.data = mixed;
  straight.run.source = (FlowSource){.kind = FLOW_SOURCE_TENSOR, .dim = 1, .tensor = &tensor};
  shuffled.run.source = (FlowSource){.kind = FLOW_SOURCE_TENSOR, .dim = 1, .tensor = &other};
  ck_assert_int_eq(collect(&straight, NULL), FLOW_OK);
  ck_assert_int_eq(collect(&shuffled, NULL), FLOW_OK);
  for (uint64_t i = 0; i < N; i++) {
    double a = value_of(&shuffled, i, 0), b = value_of(&straight, i * 37 % N, 0);
    ck_assert_mem_eq(&a, &b, sizeof a);
    ck_assert_uint_eq(shuffled.report[i].attempts, straight.report[i * 37 % N].attempts);
  }
  close_solve(&straight);
  close_solve(&shuffled);
}
END_TEST

/* x(t1) of swing, x exp(sin t1 - sin t0), from its start. */
static double swing_at(double x, double t0, double t1) { return x * exp(sin(t1) - sin(t0)); }

START_TEST(the_error_follows_the_tolerance_forward_and_backward) {
  static const char *const method[] = {"dopri5", "dop853", "bosh3", "tsit5"};
  for (int k = 0; k < 4; k++)
    for (double tolerance = 1e-3; tolerance > 1e-10; tolerance /= 10)
      for (int backward = 0; backward < 2; backward++) {
        double x[3] = {1, -2, 0.25}, t0 = backward ? 7 : 0.5, t1 = backward ? 0.5 : 7;
        FlowTensor tensor = {.name = "", .type = FLOW_TYPE_F64, .rank = 2, .dim = {3, 1}, .count = 3, .data = x};
        Solve solve;
        open_solve(&solve, DOUBLE_swing, DOUBLE_f64_8, 3);
        solve.run.source = (FlowSource){.kind = FLOW_SOURCE_TENSOR, .dim = 1, .tensor = &tensor};
        solve.run.what.tableau = flow_tableau_find(method[k]);
        solve.run.what.t0 = t0, solve.run.what.t1 = t1;
        solve.what.tolerance = (FlowTolerance){tolerance, tolerance, 0};
        ck_assert_int_eq(collect(&solve, NULL), FLOW_OK);
        for (uint64_t i = 0; i < 3; i++) {
          double error = fabs(value_of(&solve, i, 0) - swing_at(x[i], t0, t1));
          ck_assert_double_le(error, 100 * tolerance);
          ck_assert_double_eq(solve.report[i].t, t1);
        }
        close_solve(&solve);
      }
}
END_TEST

START_TEST(a_start_that_is_no_number_is_told_and_disturbs_nobody) {
  enum { N = 60 };
  double good[N], bad[N];
  for (int i = 0; i < N; i++) good[i] = bad[i] = 1 + 0.1 * i;
  bad[0] = NAN, bad[17] = INFINITY, bad[18] = -INFINITY, bad[59] = NAN;
  FlowTensor of_good = {.name = "", .type = FLOW_TYPE_F64, .rank = 2, .dim = {N, 1}, .count = N, .data = good}, of_bad = of_good;
  of_bad.data = bad;
  Solve a, b;
  open_solve(&a, DOUBLE_cubic, DOUBLE_f64_24, N);
  open_solve(&b, DOUBLE_cubic, DOUBLE_f64_24, N);
  a.run.source = (FlowSource){.kind = FLOW_SOURCE_TENSOR, .dim = 1, .tensor = &of_good};
  b.run.source = (FlowSource){.kind = FLOW_SOURCE_TENSOR, .dim = 1, .tensor = &of_bad};
  ck_assert_int_eq(collect(&a, NULL), FLOW_OK);
  ck_assert_int_eq(collect(&b, NULL), FLOW_OK);
  for (uint64_t i = 0; i < N; i++) {
    bool is_bad = bad[i] - bad[i] != 0;
    ck_assert_uint_eq(b.run.out.status[i], is_bad ? FLOW_SAMPLE_BAD_START : FLOW_SAMPLE_OK);
    if (!is_bad) ck_assert_mem_eq(b.run.out.value + 8 * i, a.run.out.value + 8 * i, 8);
  }
  ck_assert_uint_eq(b.summary.solve.failed, 4);
  ck_assert_uint_eq(b.summary.solve.first_failed, 0);
  flow_error error;
  ck_assert_int_eq(flow_summary_status(&b.summary.solve, &error), FLOW_FAILED_SAMPLES);
  close_solve(&a);
  close_solve(&b);
}
END_TEST

START_TEST(a_sample_that_needs_too_many_steps_stops_at_its_last_good_point) {
  Solve solve;
  open_solve(&solve, DOUBLE_rotation, DOUBLE_f64_24, 30);
  solve.run.what.t1 = 1000;
  solve.what.most_attempts = 50;
  ck_assert_int_eq(collect(&solve, NULL), FLOW_OK);
  for (uint64_t i = 0; i < 30; i++) {
    ck_assert_uint_eq(solve.run.out.status[i], FLOW_SAMPLE_TOO_MANY_STEPS);
    ck_assert_uint_eq(solve.report[i].attempts, 50);
    ck_assert_double_gt(solve.report[i].t, 0);
    ck_assert_double_lt(solve.report[i].t, 1000);
  }
  ck_assert_double_eq(solve.summary.failed_at, solve.report[0].t);
  close_solve(&solve);
}
END_TEST

START_TEST(the_summary_adds_up) {
  Solve solve;
  open_solve(&solve, DOUBLE_linear, DOUBLE_f32_24, 500);
  ck_assert_int_eq(collect(&solve, NULL), FLOW_OK);
  uint64_t attempts = 0, rejected = 0, most = 0, least = UINT64_MAX, below = 0, hardest = 0;
  for (uint64_t i = 0; i < 500; i++) {
    const FlowSampleReport *report = &solve.report[i];
    ck_assert_uint_eq(report->evaluations, 2 + 6 * report->attempts);
    attempts += report->attempts;
    rejected += report->rejected;
    if (report->evaluations > most) most = report->evaluations, hardest = i;
    if (report->evaluations < least) least = report->evaluations;
    below += report->evaluations < solve.summary.median_evaluations;
  }
  ck_assert_uint_eq(solve.summary.attempts, attempts);
  ck_assert_uint_eq(solve.summary.rejected, rejected);
  ck_assert_uint_eq(solve.summary.most_evaluations, most);
  ck_assert_uint_eq(solve.summary.least_evaluations, least);
  ck_assert_uint_eq(solve.summary.hardest_sample, hardest);
  ck_assert_uint_le(below, 250);
  ck_assert_uint_ge(solve.summary.slots, attempts);
  ck_assert_uint_eq(solve.summary.solve.evaluations, solve.summary.median_evaluations);
  close_solve(&solve);
}
END_TEST

START_TEST(tiles_stay_full) {
  Solve solve;
  open_solve(&solve, DOUBLE_cubic, DOUBLE_f64_24, 10000);
  ck_assert_int_eq(collect(&solve, NULL), FLOW_OK);
  ck_assert_double_ge((double)solve.summary.attempts / (double)solve.summary.slots, 0.85);
  close_solve(&solve);
}
END_TEST

typedef struct Traced { uint32_t attempts, accepted; double t, x; } Traced;
static void trace(void *user, const FlowAttempt *attempt) {
  Traced *traced = user;
  ck_assert_uint_eq(attempt->sample, 7);
  ck_assert_uint_eq(attempt->number, traced->attempts++);
  ck_assert_double_eq(attempt->t, traced->t);
  if (!attempt->accepted) return;
  ck_assert_double_le(attempt->error, 1);
  traced->accepted++;
  traced->t += attempt->h;
  traced->x = attempt->x[0];
}

START_TEST(a_traced_sample_tells_every_attempt_and_keeps_its_bits) {
  Solve plain, traced;
  Traced seen = {0};
  open_solve(&plain, DOUBLE_swing, DOUBLE_f64_24, 40);
  open_solve(&traced, DOUBLE_swing, DOUBLE_f64_24, 8);
  traced.run.what.first = 7;
  traced.what.trace = trace, traced.what.trace_user = &seen, traced.what.traced = 7;
  ck_assert_int_eq(collect(&plain, NULL), FLOW_OK);
  ck_assert_int_eq(collect(&traced, NULL), FLOW_OK);
  assert_same_samples(&plain, &traced);
  ck_assert_uint_eq(seen.attempts, traced.report[0].attempts);
  ck_assert_uint_eq(seen.attempts - seen.accepted, traced.report[0].rejected);
  ck_assert_double_eq_tol(seen.t, 1, 1e-15);
  close_solve(&plain);
  close_solve(&traced);
}
END_TEST

START_TEST(what_cannot_be_solved_is_refused_in_words) {
  static const struct { const char *method; FlowTolerance tolerance; bool wide; const char *words; } wrong[] = {
      {"rk4", {1e-3, 1e-3, 0}, true, "no estimate of its error"},
      {"dopri5", {-1, 1e-3, 0}, true, "rtol is at least 0"},
      {"dopri5", {1e-3, -1, 0}, true, "rtol is at least 0"},
      {"dopri5", {1e-3, NAN, 0}, true, "rtol is at least 0"},
      {"dopri5", {1e-8, 1e-8, 0}, false, "beyond f32"},
      {"dopri5", {1e-17, 1e-17, 0}, true, "beyond f64"},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    Solve solve;
    flow_error error;
    open_solve(&solve, DOUBLE_cubic, wrong[i].wide ? DOUBLE_f64_8 : DOUBLE_f32_8, 4);
    solve.run.what.tableau = flow_tableau_find(wrong[i].method);
    solve.what.tolerance = wrong[i].tolerance;
    ck_assert_int_eq(collect(&solve, &error), FLOW_BAD_CALL);
    ck_assert_words(error, wrong[i].words);
    close_solve(&solve);
  }
  ck_assert_ptr_nonnull(flow_tolerance_warning(FLOW_F32, (FlowTolerance){5e-7, 5e-7, 0}));
  ck_assert_ptr_null(flow_tolerance_warning(FLOW_F32, (FlowTolerance){1e-6, 1e-6, 0}));
  ck_assert_ptr_null(flow_tolerance_warning(FLOW_F64, (FlowTolerance){1e-9, 1e-9, 0}));
}
END_TEST

START_TEST(every_allocation_may_fail) {
  for (uint64_t fail_at = 1;; fail_at++) {
    Solve solve;
    Failing failing;
    FlowAllocator allocator = failing_allocator(&failing);
    open_solve(&solve, DOUBLE_driven, DOUBLE_f32_24, 200);
    failing.fail_at = fail_at;
    solve.run.what.allocator = &allocator;
    flow_status status = collect(&solve, NULL);
    bool failed = failing.calls >= fail_at;
    ck_assert_int_eq(status, failed ? FLOW_NO_MEMORY : FLOW_OK);
    ck_assert_uint_eq(failing.in_use, 0);
    close_solve(&solve);
    if (!failed) break;
  }
}
END_TEST

START_TEST(memory_does_not_grow_with_the_samples) {
  size_t peak[2];
  for (int i = 0; i < 2; i++) {
    Solve solve;
    Failing failing;
    FlowAllocator allocator = failing_allocator(&failing);
    open_solve(&solve, DOUBLE_rotation, DOUBLE_f32_24, i ? 50000 : 5000);
    solve.run.what.allocator = &allocator;
    ck_assert_int_eq(collect(&solve, NULL), FLOW_OK);
    peak[i] = failing.peak;
    close_solve(&solve);
  }
  ck_assert_uint_eq(peak[0], peak[1]);
}
END_TEST

START_TEST(a_solve_stops_when_it_is_told_to) {
  Solve solve;
  flow_error error;
  open_solve(&solve, DOUBLE_rotation, DOUBLE_f64_24, 20000);
  solve.run.out.stop_after = 3000;
  ck_assert_int_eq(collect(&solve, &error), FLOW_CANCELLED);
  ck_assert_words(error, "of 20000 samples");
  ck_assert_uint_lt(solve.run.out.count, 20000);
  close_solve(&solve);
}
END_TEST

START_TEST(no_samples_are_no_work) {
  Solve solve;
  open_solve(&solve, DOUBLE_rotation, DOUBLE_f64_24, 0);
  ck_assert_int_eq(collect(&solve, NULL), FLOW_OK);
  ck_assert_uint_eq(solve.run.out.calls, 0);
  close_solve(&solve);
}
END_TEST

TEST_MAIN("adaptive", a_sample_has_the_same_bits_in_every_tile_on_any_number_of_threads, a_sample_does_not_depend_on_the_order_of_the_samples,
          the_error_follows_the_tolerance_forward_and_backward, a_start_that_is_no_number_is_told_and_disturbs_nobody,
          a_sample_that_needs_too_many_steps_stops_at_its_last_good_point, the_summary_adds_up, tiles_stay_full,
          a_traced_sample_tells_every_attempt_and_keeps_its_bits, what_cannot_be_solved_is_refused_in_words, every_allocation_may_fail,
          memory_does_not_grow_with_the_samples, a_solve_stops_when_it_is_told_to, no_samples_are_no_work)
