/* SPDX-License-Identifier: Apache-2.0 */
/* check_adjoint_adaptive.c -- gradients through steps that adapt, against central differences of a loss that this file computes for itself:
 * the accepted steps as a solve of adaptive.h traces them, taken again one velocity after the other with other weights. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "adaptive.h"
#include "adjoint.h"
#include "base/faulty.h"
#include "eval.h"
#include "run_suite.h"
#include "small.h"

#define MUST(call) ck_assert_msg(!(call), "%s", error.text)

/* More than two blocks, their last one not whole. */
enum { SAMPLES = 500, TENSORS = 11, ENTRIES = FLOW_ENTRY_EVAL | FLOW_ENTRY_EVAL_LANE | FLOW_ENTRY_ATTEMPT };

/* A loss with a part of everything: of the state, of the integral (not linear), of the sample's number. */
static double mixed_loss(void *user, uint64_t sample, double *x, double integral, double *by_x, double *by_integral) {
  double share = 1 + 0.1 * (double)(sample % 3);
  (void)user;
  by_x[0] = share * x[0], by_x[1] = share * cos(x[1]);
  *by_integral = 1 + 0.5 * integral;
  return share * (x[0] * x[0] / 2 + sin(x[1])) + integral + integral * integral / 4;
}

typedef struct Data {
  double x[SAMPLES * 2], c[SAMPLES * 3];
  FlowTensor start, condition;
} Data;

/* Points near and far: their numbers of steps differ. */
static void make_data(Data *d) {
  uint64_t state = 42;
  for (int i = 0; i < SAMPLES * 2; i++) d->x[i] = (i / 2 % 5 == 0 ? 8 : 1.5) * small_number(&state);
  for (int i = 0; i < SAMPLES * 3; i++) d->c[i] = 2 * small_number(&state);
  d->start = (FlowTensor){.name = "x", .type = FLOW_TYPE_F64, .rank = 2, .dim = {SAMPLES, 2}, .count = SAMPLES * 2, .data = d->x};
  d->condition = (FlowTensor){.name = "c", .type = FLOW_TYPE_F64, .rank = 2, .dim = {SAMPLES, 3}, .count = SAMPLES * 3, .data = d->c};
}

typedef struct Case { const char *method; bool log_p; double from, to, tolerance; } Case;
static const Case cases[] = {{"dopri5", true, 1, 0, 1e-5}, {"bosh3", true, 1, 0, 1e-3}, {"dop853", true, 0, 1, 1e-9},
                             {"tsit5", false, 1, 0, 1e-6}};
enum { CASES = sizeof cases / sizeof cases[0] };

static FlowAdaptive adaptive_of(const Case *c) {
  return (FlowAdaptive){.tolerance = {c->tolerance, c->tolerance, c->tolerance}, .most_attempts = 300};
}

static Small open_case(const Case *c, int precision) {
  return small_open_as((SmallKind){c->log_p ? FLOW_LOG_P : FLOW_NO_EXTRAS, 0, ENTRIES, precision});
}

static FlowAdjointSettings settings_of(const Small *s, const Case *c, const FlowAdaptive *adaptive) {
  return (FlowAdjointSettings){.ahead = flow_compiled_model(s->ahead), .back = flow_compiled_model(s->back),
                               .tableau = flow_tableau_find(c->method), .adaptive = adaptive, .from = c->from, .to = c->to,
                               .most = SAMPLES, .threads = 1, .allocator = &flow_standard_allocator};
}

static FlowAdjoint *open_adjoint(const FlowAdjointSettings *settings) {
  flow_error error = {{0}};
  FlowAdjoint *adjoint;
  MUST(flow_adjoint_open(settings, &adjoint, &error));
  return adjoint;
}

static double run_batch(FlowAdjoint *adjoint, const Small *s, const FlowAdjointBatch *batch) {
  flow_error error = {{0}};
  double sum;
  MUST(flow_adjoint_run(adjoint, s->ahead_blob.data, s->back_blob.data, batch, &sum, &error));
  return sum;
}

static double run(FlowAdjoint *adjoint, const Small *s, const Data *d) {
  const FlowAdjointBatch batch = {.count = SAMPLES, .x = d->x, .condition = &d->condition, .loss = mixed_loss};
  return run_batch(adjoint, s, &batch);
}

/* ---- the steps, frozen ---------------------------------------------------------------------------------------------------------------- */

enum { MOST_STEPS = 64 };
typedef struct Steps { uint32_t count[SAMPLES], most; double t[SAMPLES][MOST_STEPS], h[SAMPLES][MOST_STEPS]; } Steps;

static void take_attempt(void *user, const FlowAttempt *attempt) {
  Steps *steps = user;
  uint32_t *count = &steps->count[attempt->sample];
  if (!attempt->accepted) return;
  ck_assert_uint_lt(*count, MOST_STEPS);
  steps->t[attempt->sample][*count] = attempt->t;
  steps->h[attempt->sample][(*count)++] = attempt->h;
}

static flow_status ignore_rows(void *user, const FlowRows *rows, flow_error *error) {
  (void)user, (void)rows, (void)error;
  return FLOW_OK;
}

static Steps *trace_steps(const Small *s, const Case *c, const Data *d) {
  flow_error error = {{0}};
  Steps *steps = calloc(1, sizeof *steps);
  FlowSource source = {.kind = FLOW_SOURCE_TENSOR, .dim = 2, .tensor = &d->start, .name = "x"};
  for (uint64_t i = 0; i < SAMPLES; i++) {
    FlowAdaptive what = adaptive_of(c);
    what.sampling = (FlowSampling){.model = flow_compiled_model(s->ahead), .weights = s->ahead_blob.data, .source = &source, .first = i,
                                   .end = i + 1, .tableau = flow_tableau_find(c->method), .t0 = c->from, .t1 = c->to,
                                   .condition = &d->condition, .threads = 1, .allocator = &flow_standard_allocator, .sink = ignore_rows};
    what.trace = take_attempt, what.trace_user = steps, what.traced = i;
    MUST(flow_sample_adaptive(&what, &error));
    if (steps->count[i] > steps->most) steps->most = steps->count[i];
  }
  return steps;
}

/* A Runge-Kutta step of every sample, each from its own time with its own length (0: it is through). */
static void step_all(const Small *s, const Case *c, const Data *d, const double *t, const double *h, double *x, double *integral) {
  const FlowTableau *tableau = flow_tableau_find(c->method);
  double *k = calloc((size_t)tableau->stages * SAMPLES * 2, sizeof *k), *rate = calloc((size_t)tableau->stages * SAMPLES, sizeof *rate);
  double *at = calloc(SAMPLES * 2, sizeof *at), *time = calloc(SAMPLES, sizeof *time);
  flow_error error = {{0}};
  for (uint32_t j = 0; j < tableau->stages; j++) {
    const double *a = flow_tableau_row(tableau, j);
    for (int i = 0; i < SAMPLES * 2; i++) {
      at[i] = x[i];
      for (uint32_t l = 0; l < j; l++) at[i] += h[i / 2] * a[l] * k[(size_t)l * SAMPLES * 2 + (size_t)i];
    }
    for (int i = 0; i < SAMPLES; i++) time[i] = t[i] + tableau->c[j] * h[i];
    const FlowEvaluation what = {.model = flow_compiled_model(s->ahead), .weights = s->ahead_blob.data, .count = SAMPLES, .t = time,
                                 .t_per_sample = true, .x = at, .u = k + (size_t)j * SAMPLES * 2,
                                 .extra = c->log_p ? rate + (size_t)j * SAMPLES : NULL, .condition = &d->condition, .threads = 1,
                                 .allocator = &flow_standard_allocator};
    MUST(flow_evaluate(&what, &error));
  }
  for (uint32_t j = 0; j < tableau->stages; j++) {
    for (int i = 0; i < SAMPLES * 2; i++) x[i] += h[i / 2] * tableau->b[j] * k[(size_t)j * SAMPLES * 2 + (size_t)i];
    for (int i = 0; i < SAMPLES; i++) integral[i] += h[i] * tableau->b[j] * rate[(size_t)j * SAMPLES + (size_t)i];
  }
  free(k), free(rate), free(at), free(time);
}

static double frozen_loss(const Small *s, const Case *c, const Data *d, const Steps *steps) {
  double *x = malloc(sizeof d->x), *integral = calloc(SAMPLES, sizeof *integral), t[SAMPLES], h[SAMPLES], sum = 0;
  memcpy(x, d->x, sizeof d->x);
  for (uint32_t n = 0; n < steps->most; n++) {
    for (int i = 0; i < SAMPLES; i++) {
      bool makes_it = n < steps->count[i];
      t[i] = makes_it ? steps->t[i][n] : c->to, h[i] = makes_it ? steps->h[i][n] : 0;
    }
    step_all(s, c, d, t, h, x, integral);
  }
  for (uint64_t i = 0; i < SAMPLES; i++) {
    double by_x[2], by_integral;
    sum += mixed_loss(NULL, i, x + 2 * i, integral[i], by_x, &by_integral);
  }
  free(x), free(integral);
  return sum;
}

/* h = 1e-5: h^2 times the third derivative, and 1e-16/h of a loss near 1000, are below 1e-7 of the sum of what samples add. */
START_TEST(the_gradient_is_that_of_differences_with_the_accepted_steps_as_they_were_tensor_by_tensor) {
  const Case *c = &cases[_i];
  const double h = 1e-5;
  Small s = open_case(c, FLOW_F64);
  Data d;
  make_data(&d);
  FlowAdaptive adaptive = adaptive_of(c);
  FlowAdjointSettings settings = settings_of(&s, c, &adaptive);
  FlowAdjoint *adjoint = open_adjoint(&settings);
  Steps *steps = trace_steps(&s, c, &d);
  double loss = run(adjoint, &s, &d), again = frozen_loss(&s, c, &d, steps);
  ck_assert_msg(fabs(loss - again) <= 1e-12 * fabs(loss), "loss %.17g, by the frozen steps %.17g", loss, again);
  for (int only = -1; only < TENSORS; only++) {
    double slope = small_move(&s, h, only, flow_adjoint_sums(adjoint)), above = frozen_loss(&s, c, &d, steps);
    small_move(&s, -h, only, NULL);
    double difference = (above - frozen_loss(&s, c, &d, steps)) / (2 * h);
    ck_assert_msg(fabs(slope - difference) <= 1e-7 * (100 + fabs(difference)), "%s, tensor %d: %.12g, differences %.12g", c->method, only, slope,
                  difference);
  }
  free(steps);
  flow_adjoint_close(adjoint);
  small_close(&s);
}
END_TEST

START_TEST(the_report_counts_the_steps_that_a_solve_of_its_own_traces) {
  const Case *c = &cases[_i];
  Small s = open_case(c, FLOW_F64);
  Data d;
  make_data(&d);
  FlowAdaptive adaptive = adaptive_of(c);
  FlowAdjointSettings settings = settings_of(&s, c, &adaptive);
  settings.threads = 2;
  FlowAdjoint *adjoint = open_adjoint(&settings);
  Steps *steps = trace_steps(&s, c, &d);
  uint64_t sum = 0, least = MOST_STEPS;
  for (int i = 0; i < SAMPLES; i++) {
    sum += steps->count[i];
    if (steps->count[i] < least) least = steps->count[i];
  }
  run(adjoint, &s, &d);
  const FlowAdjointReport *report = flow_adjoint_report(adjoint);
  ck_assert_uint_eq(report->steps, sum);
  ck_assert_uint_eq(report->least, least);
  ck_assert_uint_eq(report->most, steps->most);
  ck_assert_uint_gt(report->most, report->least);       /* or this data would test little */
  ck_assert_uint_eq(report->failed, 0);
  free(steps);
  flow_adjoint_close(adjoint);
  small_close(&s);
}
END_TEST

/* Both have the error of their solves, 1e-10 of each sample's integral and state. */
/* Loss and gradient of one adjoint and of another, tensor by tensor. */
static void compare_adjoints(FlowAdjoint *first, Small *s, FlowAdjoint *second, Small *other, double loss_bound, double bound) {
  Data d;
  make_data(&d);
  double a = run(first, s, &d), b = run(second, other, &d);
  ck_assert_double_eq_tol(a, b, loss_bound * fabs(b));
  for (int only = -1; only < TENSORS; only++) {
    double x = small_move(s, 0, only, flow_adjoint_sums(first)), y = small_move(other, 0, only, flow_adjoint_sums(second));
    ck_assert_msg(fabs(x - y) <= bound * (1 + fabs(y)), "tensor %d: %.12g, not %.12g", only, x, y);
  }
  flow_adjoint_close(first), flow_adjoint_close(second);
}

START_TEST(a_tight_tolerance_has_the_gradient_of_many_fixed_steps) {
  static const Case tight = {"dopri5", true, 1, 0, 1e-11};
  Small s = small_open_as((SmallKind){FLOW_LOG_P, 0, ENTRIES | FLOW_ENTRY_STEP, FLOW_F64});
  FlowAdaptive adaptive = adaptive_of(&tight);
  FlowAdjointSettings settings = settings_of(&s, &tight, &adaptive), fixed = settings;
  fixed.adaptive = NULL, fixed.tableau = flow_tableau_find("rk4"), fixed.steps = 400;
  compare_adjoints(open_adjoint(&settings), &s, open_adjoint(&fixed), &s, 1e-7, 1e-6);
  small_close(&s);
}
END_TEST

/* The solves of f32 are 1e-5 from those of f64 at this tolerance, their own roundings some 1e-6. */
START_TEST(in_f32_the_gradient_is_near_that_of_f64) {
  static const Case loose = {"dopri5", true, 1, 0, 1e-5};
  Small s = open_case(&loose, FLOW_F32), exact = open_case(&loose, FLOW_F64);
  FlowAdaptive adaptive = adaptive_of(&loose);
  FlowAdjointSettings settings = settings_of(&s, &loose, &adaptive), of_exact = settings_of(&exact, &loose, &adaptive);
  compare_adjoints(open_adjoint(&settings), &s, open_adjoint(&of_exact), &exact, 1e-4, 1e-3);
  small_close(&s), small_close(&exact);
}
END_TEST

/* ---- what may not matter ------------------------------------------------------------------------------------------------------------- */

/* Kept states, threads, the vector width; f32 has times and lengths that round. */
START_TEST(the_bits_do_not_depend_on_what_is_kept_nor_on_threads) {
  static const struct { uint64_t interval; int threads; } how[] = {{1, 1}, {2, 1}, {5, 2}, {7, 3}, {300, 1}, {0, 2}, {1, 3}};
  const Case *c = &cases[_i % CASES];
  Small s = open_case(c, _i < CASES ? FLOW_F64 : FLOW_F32);
  Data d;
  make_data(&d);
  FlowAdaptive adaptive = adaptive_of(c);
  if (_i >= CASES) adaptive.tolerance = (FlowTolerance){1e-5, 1e-5, 1e-5};
  FlowAdjointSettings settings = settings_of(&s, c, &adaptive);
  size_t bytes = (size_t)settings.back->gradient_bytes;
  void *first = NULL;
  double loss = 0;
  for (size_t k = 0; k < sizeof how / sizeof how[0]; k++) {
    settings.interval = how[k].interval, settings.threads = how[k].threads;
    FlowAdjoint *adjoint = open_adjoint(&settings);
    for (int turn = 0; turn < 2; turn++) {              /* nothing of the batch before is left over */
      double found = run(adjoint, &s, &d);
      if (!first) loss = found, first = memcpy(malloc(bytes), flow_adjoint_sums(adjoint), bytes);
      ck_assert_double_eq(found, loss);
      ck_assert_msg(memcmp(first, flow_adjoint_sums(adjoint), bytes) == 0, "%s, interval %llu, %d threads, turn %d", c->method,
                    (unsigned long long)how[k].interval, how[k].threads, turn);
    }
    flow_adjoint_close(adjoint);
  }
  free(first);
  small_close(&s);
}
END_TEST

/* The loss of one sample alone counts. */
static double loss_of_one(void *user, uint64_t sample, double *x, double integral, double *by_x, double *by_integral) {
  if (sample == *(const uint64_t *)user) return mixed_loss(NULL, 0, x, integral, by_x, by_integral);
  by_x[0] = by_x[1] = *by_integral = 0;
  return 0;
}

/* Its neighbours, which make other numbers of steps, hand back zeros: what is left are the bits that it has alone. */
START_TEST(what_a_sample_adds_does_not_depend_on_its_neighbours) {
  const Case *c = &cases[_i];
  Small s = open_case(c, FLOW_F64);
  Data d;
  make_data(&d);
  FlowAdaptive adaptive = adaptive_of(c);
  FlowAdjointSettings settings = settings_of(&s, c, &adaptive);
  FlowAdjoint *adjoint = open_adjoint(&settings);
  size_t numbers = (size_t)settings.back->gradient_bytes / sizeof(double);
  double *together = calloc(numbers, sizeof *together);
  static const uint64_t samples[] = {0, 3, 191, 192, 250, 499};
  for (size_t k = 0; k < sizeof samples / sizeof samples[0]; k++) {
    uint64_t which = samples[k], none = 0;
    const FlowAdjointBatch all = {.count = SAMPLES, .x = d.x, .condition = &d.condition, .loss = loss_of_one, .user = &which};
    const FlowAdjointBatch alone = {.count = 1, .x = d.x + 2 * which, .condition = &d.condition, .row = &which, .loss = loss_of_one,
                                    .user = &none};
    double loss = run_batch(adjoint, &s, &all);
    memcpy(together, flow_adjoint_sums(adjoint), numbers * sizeof *together);
    ck_assert_double_eq(loss, run_batch(adjoint, &s, &alone));
    const double *own = flow_adjoint_sums(adjoint);
    for (size_t i = 0; i < numbers; i++) ck_assert_msg(own[i] == together[i], "sample %llu: %.17g, alone %.17g", (unsigned long long)which, together[i], own[i]);
  }
  free(together);
  flow_adjoint_close(adjoint);
  small_close(&s);
}
END_TEST

/* ---- what does not arrive -------------------------------------------------------------------------------------------------------------- */

START_TEST(the_first_sample_that_does_not_arrive_is_named_whatever_the_threads) {
  Small s = open_case(&cases[0], FLOW_F64);
  Data d;
  make_data(&d);
  FlowAdaptive adaptive = adaptive_of(&cases[0]);
  Steps *steps = trace_steps(&s, &cases[0], &d);
  uint64_t first = 0;
  adaptive.most_attempts = steps->most - 1;             /* some need more: no attempt fewer than accepted steps */
  FlowAdjointSettings settings = settings_of(&s, &cases[0], &adaptive);
  for (int threads = 1; threads <= 3; threads++) {
    flow_error error = {{0}};
    double sum;
    settings.threads = threads;
    FlowAdjoint *adjoint = open_adjoint(&settings);
    const FlowAdjointBatch batch = {.count = SAMPLES, .x = d.x, .condition = &d.condition, .loss = mixed_loss};
    ck_assert_int_eq(flow_adjoint_run(adjoint, s.ahead_blob.data, s.back_blob.data, &batch, &sum, &error), FLOW_FAILED_SAMPLES);
    const FlowAdjointReport *report = flow_adjoint_report(adjoint);
    ck_assert_ptr_nonnull(strstr(error.text, "more attempted steps than are allowed"));
    ck_assert_int_eq(report->status, FLOW_SAMPLE_TOO_MANY_STEPS);
    ck_assert_uint_ge(report->failed, 1);
    ck_assert(report->t > 0 && report->t < 1);
    if (threads == 1) first = report->sample;
    ck_assert_uint_eq(report->sample, first);
    flow_adjoint_close(adjoint);
  }
  free(steps);
  small_close(&s);
}
END_TEST

START_TEST(a_velocity_that_is_not_finite_is_told) {
  Small s = open_case(&cases[0], FLOW_F64);
  Data d;
  make_data(&d);
  d.c[3 * 210] = NAN;
  flow_error error = {{0}};
  double sum;
  FlowAdaptive adaptive = adaptive_of(&cases[0]);
  FlowAdjointSettings settings = settings_of(&s, &cases[0], &adaptive);
  FlowAdjoint *adjoint = open_adjoint(&settings);
  const FlowAdjointBatch batch = {.count = SAMPLES, .x = d.x, .condition = &d.condition, .loss = mixed_loss};
  ck_assert_int_eq(flow_adjoint_run(adjoint, s.ahead_blob.data, s.back_blob.data, &batch, &sum, &error), FLOW_FAILED_SAMPLES);
  ck_assert_uint_eq(flow_adjoint_report(adjoint)->sample, 210);
  ck_assert_uint_eq(flow_adjoint_report(adjoint)->failed, 1);
  ck_assert_int_eq(flow_adjoint_report(adjoint)->status, FLOW_SAMPLE_NON_FINITE_VELOCITY);
  d.c[3 * 210] = 0;                                     /* and the next batch is none the worse */
  ck_assert_double_eq(run(adjoint, &s, &d), run(adjoint, &s, &d));
  ck_assert_uint_eq(flow_adjoint_report(adjoint)->failed, 0);
  flow_adjoint_close(adjoint);
  small_close(&s);
}
END_TEST

/* ---- memory and refusals --------------------------------------------------------------------------------------------------------------- */

static int open_and_run(const FlowAllocator *allocator, void *user) {
  const Small *s = user;
  Data d;
  make_data(&d);
  FlowAdaptive adaptive = adaptive_of(&cases[0]);
  FlowAdjointSettings settings = settings_of(s, &cases[0], &adaptive);
  settings.allocator = allocator;
  settings.threads = 2;
  flow_error error = {{0}};
  FlowAdjoint *adjoint;
  flow_status status = flow_adjoint_open(&settings, &adjoint, &error);
  if (status) {
    ck_assert_ptr_null(adjoint);
    return status;
  }
  const Faulty *faulty = allocator->user;
  size_t calls = faulty->calls;
  ck_assert_uint_ge(flow_adjoint_bytes(adjoint) + 16 * 64, faulty->live);
  for (int k = 0; k < 2; k++) run(adjoint, s, &d);
  ck_assert_uint_eq(faulty->calls, calls);
  flow_adjoint_close(adjoint);
  return status;
}

START_TEST(memory_that_runs_out_is_said_and_none_is_taken_in_an_iteration) {
  Small s = open_case(&cases[0], FLOW_F64);
  ck_assert_uint_ge(faulty_every_failure(open_and_run, &s), 4);
  small_close(&s);
}
END_TEST

START_TEST(what_cannot_adapt_is_refused) {
  flow_error error = {{0}};
  FlowAdjoint *adjoint;
  Small s = open_case(&cases[0], FLOW_F64), fixed = small_open(true);
  FlowAdaptive adaptive = adaptive_of(&cases[0]);
  FlowAdjointSettings settings = settings_of(&s, &cases[0], &adaptive);
  settings.tableau = flow_tableau_find("rk4");
  ck_assert_int_eq(flow_adjoint_open(&settings, &adjoint, &error), FLOW_BAD_CALL);
  ck_assert_ptr_nonnull(strstr(error.text, "no estimate of its error"));
  settings = settings_of(&fixed, &cases[0], &adaptive);
  ck_assert_int_eq(flow_adjoint_open(&settings, &adjoint, &error), FLOW_BAD_CALL);
  ck_assert_ptr_nonnull(strstr(error.text, "a time in each lane"));
  settings = settings_of(&s, &cases[0], &adaptive);
  adaptive.tolerance.rtol = -1;
  ck_assert_int_eq(flow_adjoint_open(&settings, &adjoint, &error), FLOW_BAD_CALL);
  small_close(&s), small_close(&fixed);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("adjoint of adaptive solves");
  TCase *tcase = tcase_create("solves");
  tcase_set_timeout(tcase, 120);
  tcase_add_loop_test(tcase, the_gradient_is_that_of_differences_with_the_accepted_steps_as_they_were_tensor_by_tensor, 0, CASES);
  tcase_add_loop_test(tcase, the_report_counts_the_steps_that_a_solve_of_its_own_traces, 0, CASES);
  tcase_add_test(tcase, a_tight_tolerance_has_the_gradient_of_many_fixed_steps);
  tcase_add_test(tcase, in_f32_the_gradient_is_near_that_of_f64);
  tcase_add_loop_test(tcase, the_bits_do_not_depend_on_what_is_kept_nor_on_threads, 0, 2 * CASES);
  tcase_add_loop_test(tcase, what_a_sample_adds_does_not_depend_on_its_neighbours, 0, CASES);
  tcase_add_test(tcase, the_first_sample_that_does_not_arrive_is_named_whatever_the_threads);
  tcase_add_test(tcase, a_velocity_that_is_not_finite_is_told);
  tcase_add_test(tcase, memory_that_runs_out_is_said_and_none_is_taken_in_an_iteration);
  tcase_add_test(tcase, what_cannot_adapt_is_refused);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
