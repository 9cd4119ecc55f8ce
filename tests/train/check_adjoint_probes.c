/* SPDX-License-Identifier: Apache-2.0 */
/* check_adjoint_probes.c -- gradients where the trace is estimated by random vectors: those of that estimate exactly, and in the mean
 * those of the trace. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "likelihood_loss.h"
#include "run_suite.h"
#include "small.h"

#define MUST(call) ck_assert_msg(!(call), "%s", error.text)

enum { SAMPLES = 50, TENSORS = 11, MOST_PROBES = 3 };

typedef struct Data {
  double x[SAMPLES * 2], c[SAMPLES * 3], e[SAMPLES * 2 * MOST_PROBES];
  FlowTensor condition[2];      /* c, and the vectors where they are given */
} Data;

static void make_data(Data *d) {
  uint64_t state = 42;
  for (int i = 0; i < SAMPLES * 2; i++) d->x[i] = 2 * small_number(&state);
  for (int i = 0; i < SAMPLES * 3; i++) d->c[i] = small_number(&state);
  d->condition[0] = (FlowTensor){.name = "c", .type = FLOW_TYPE_F64, .rank = 2, .dim = {SAMPLES, 3}, .count = SAMPLES * 3, .data = d->c};
}

static FlowAdjointSettings settings_of(const Small *s) {
  return (FlowAdjointSettings){.ahead = flow_compiled_model(s->ahead), .back = flow_compiled_model(s->back),
                               .tableau = flow_tableau_find("rk4"), .steps = 4, .from = 1, .to = 0, .interval = 1, .most = SAMPLES,
                               .threads = 1, .allocator = &flow_standard_allocator};
}

static const FlowAdaptive adaptive = {.tolerance = {1e-5, 1e-5, 1e-5}, .most_attempts = 200};

static Small open_kind(uint32_t probes, unsigned entries) {
  return small_open_as((SmallKind){probes ? FLOW_PROBES : FLOW_LOG_P, probes, entries, FLOW_F64});
}

static FlowAdjoint *open_adjoint(const FlowAdjointSettings *settings) {
  flow_error error = {{0}};
  FlowAdjoint *adjoint;
  MUST(flow_adjoint_open(settings, &adjoint, &error));
  return adjoint;
}

/* -log p of all samples; with `probes` of the samples first, first + 1, ..., else with those of the data. */
static double run(FlowAdjoint *adjoint, const Small *s, const Data *d, const FlowProbes *probes, uint64_t first) {
  static const FlowSource source = {.kind = FLOW_SOURCE_NORMAL, .dim = 2};
  FlowLikelihoodLoss loss = {.source = &source, .precision = FLOW_F64};
  flow_error error = {{0}};
  double sum;
  const FlowAdjointBatch batch = {.count = SAMPLES, .x = d->x, .condition = d->condition, .probes = probes, .first = first,
                                  .loss = flow_likelihood_loss, .user = &loss};
  MUST(flow_adjoint_run(adjoint, s->ahead_blob.data, s->back_blob.data, &batch, &sum, &error));
  return sum;
}

/* h = 1e-5: h^2 times the third derivative, and 1e-16/h of the loss, are below 1e-7 of a loss near 100. */
START_TEST(the_gradient_with_given_probes_is_that_of_differences_tensor_by_tensor) {
  static const struct { uint32_t probes; FlowProbeKind kind; } cases[] = {
      {1, FLOW_PROBE_RADEMACHER}, {3, FLOW_PROBE_RADEMACHER}, {2, FLOW_PROBE_GAUSSIAN}};
  const double h = 1e-5;
  Small s = open_kind(cases[_i].probes, FLOW_ENTRY_STEP);
  Data d;
  make_data(&d);
  FlowAdjointSettings settings = settings_of(&s);
  FlowAdjoint *adjoint = open_adjoint(&settings);
  const FlowProbes probes = {.kind = cases[_i].kind, .seed = 5, .count = cases[_i].probes, .stream = 21};
  for (int only = -1; only < TENSORS; only++) {
    small_move(&s, 0, -1, NULL);
    run(adjoint, &s, &d, &probes, 1000);
    double slope = small_move(&s, h, only, flow_adjoint_sums(adjoint)), above = run(adjoint, &s, &d, &probes, 1000);
    small_move(&s, -h, only, NULL);
    double difference = (above - run(adjoint, &s, &d, &probes, 1000)) / (2 * h);
    ck_assert_msg(fabs(slope - difference) <= 1e-7 * (10 + fabs(difference)), "tensor %d: %.12g, differences %.12g", only, slope, difference);
  }
  flow_adjoint_close(adjoint);
  small_close(&s);
}
END_TEST

/* The tile of one sample after the other; which vectors a sample has is said in probes.h. */
static void draw(const FlowProbes *probes, uint64_t first, Data *d) {
  uint64_t numbers = 2 * probes->count;
  for (uint64_t i = 0; i < SAMPLES; i++) {
    double one[2 * MOST_PROBES] = {0};
    FlowTile tile = {one, numbers, FLOW_F64, 1, 1, 1};
    flow_probes_fill(probes, first + i, 2, 0, &tile);
    memcpy(d->e + i * numbers, one, numbers * sizeof *one);
  }
  d->condition[1] = (FlowTensor){.name = "probes", .type = FLOW_TYPE_F64, .rank = 2, .dim = {SAMPLES, numbers}, .count = SAMPLES * numbers,
                                 .data = d->e};
}

/* The same solve, in fixed steps or adaptive ones, whether it draws its vectors or is handed them. */
START_TEST(a_sample_has_the_probes_of_its_number) {
  enum { PROBES = 2 };
  Small s = open_kind(PROBES, FLOW_ENTRY_STEP | FLOW_ENTRY_EVAL_LANE | FLOW_ENTRY_ATTEMPT);
  Data d;
  make_data(&d);
  FlowAdjointSettings settings = settings_of(&s);
  if (_i) settings.adaptive = &adaptive, settings.tableau = flow_tableau_find("dopri5");
  FlowAdjoint *adjoint = open_adjoint(&settings);
  const FlowProbes probes = {.kind = FLOW_PROBE_GAUSSIAN, .seed = 5, .count = PROBES, .stream = 21};
  draw(&probes, 77, &d);
  double drawn = run(adjoint, &s, &d, &probes, 77);
  size_t bytes = (size_t)settings.back->gradient_bytes;
  void *sums = memcpy(malloc(bytes), flow_adjoint_sums(adjoint), bytes);
  ck_assert_double_eq(drawn, run(adjoint, &s, &d, NULL, 0));
  ck_assert(memcmp(sums, flow_adjoint_sums(adjoint), bytes) == 0);
  ck_assert_double_ne(drawn, run(adjoint, &s, &d, &probes, 78));
  free(sums);
  flow_adjoint_close(adjoint);
  small_close(&s);
}
END_TEST

/* ---- in the mean ------------------------------------------------------------------------------------------------------------------- */

/* The derivative along one direction of all weights. */
static double slope_of(Small *s, FlowAdjoint *adjoint) { return small_move(s, 0, -1, flow_adjoint_sums(adjoint)); }

/* 300 draws of one vector a sample: the mean is within 4 of its standard errors of the exact loss and gradient (one time in 16,000 it
 * would not be; the draws are always the same).  Their spread is far from 0, so that this says something. */
START_TEST(losses_and_gradients_by_probes_are_in_the_mean_those_of_the_trace) {
  enum { DRAWS = 300 };
  Small exact = open_kind(0, FLOW_ENTRY_STEP), s = open_kind(1, FLOW_ENTRY_STEP);
  Data d;
  make_data(&d);
  FlowAdjointSettings of_exact = settings_of(&exact), settings = settings_of(&s);
  FlowAdjoint *trace = open_adjoint(&of_exact), *adjoint = open_adjoint(&settings);
  double truth[2] = {run(trace, &exact, &d, NULL, 0), slope_of(&exact, trace)}, sum[2] = {0}, squares[2] = {0};
  for (int k = 0; k < DRAWS; k++) {
    const FlowProbes probes = {.kind = _i ? FLOW_PROBE_GAUSSIAN : FLOW_PROBE_RADEMACHER, .seed = 9, .count = 1, .stream = 21};
    double loss = run(adjoint, &s, &d, &probes, (uint64_t)k * SAMPLES);
    const double off[2] = {loss - truth[0], slope_of(&s, adjoint) - truth[1]};
    for (int i = 0; i < 2; i++) sum[i] += off[i], squares[i] += off[i] * off[i];
  }
  for (int i = 0; i < 2; i++) {
    double error = sqrt(squares[i] / DRAWS / DRAWS), mean = sum[i] / DRAWS;
    ck_assert_msg(fabs(mean) <= 4 * error && error > 1e-4, "%s: off by %.6g, standard error %.3g", i ? "slope" : "loss", mean, error);
  }
  flow_adjoint_close(trace), flow_adjoint_close(adjoint);
  small_close(&exact), small_close(&s);
}
END_TEST

START_TEST(as_many_probes_as_rates_or_a_refusal) {
  flow_error error = {{0}};
  Small s = open_kind(2, FLOW_ENTRY_STEP);
  Data d;
  make_data(&d);
  FlowAdjointSettings settings = settings_of(&s);
  FlowAdjoint *adjoint = open_adjoint(&settings);
  const FlowProbes three = {.count = 3};
  const FlowAdjointBatch batch = {.count = SAMPLES, .x = d.x, .condition = d.condition, .probes = &three, .loss = flow_likelihood_loss};
  double sum;
  ck_assert_int_eq(flow_adjoint_run(adjoint, s.ahead_blob.data, s.back_blob.data, &batch, &sum, &error), FLOW_BAD_CALL);
  flow_adjoint_close(adjoint);
  small_close(&s);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("adjoint by probes");
  TCase *tcase = tcase_create("probes");
  tcase_set_timeout(tcase, 60);
  tcase_add_loop_test(tcase, the_gradient_with_given_probes_is_that_of_differences_tensor_by_tensor, 0, 3);
  tcase_add_loop_test(tcase, a_sample_has_the_probes_of_its_number, 0, 2);
  tcase_add_loop_test(tcase, losses_and_gradients_by_probes_are_in_the_mean_those_of_the_trace, 0, 2);
  tcase_add_test(tcase, as_many_probes_as_rates_or_a_refusal);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
