/* SPDX-License-Identifier: Apache-2.0 */
/* likelihood.c -- rounds of backward solves, and what they add up to. */
#include "likelihood.h"
#include "likelihood_checks.h"
#include "rounding.h"
#include "two_stage.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

FlowLogP flow_rows_log_p(const FlowRows *rows, uint64_t index, bool backward, bool probes) {
  FlowEstimate estimate = {0};
  for (uint32_t e = 0; e < rows->extras; e++) flow_estimate_add(&estimate, rows->integral[index * rows->extras + e]);
  double start = rows->log_density[index];
  return (FlowLogP){backward ? start - estimate.mean : start + estimate.mean, probes ? flow_estimate_error(&estimate) : 0};
}

/* ---- one likelihood -------------------------------------------------------------------------------------------------- */

typedef struct Likelihood {
  const FlowLikelihood *what;
  uint64_t count;               /* points */
  FlowSource data;
  FlowProbes probes;            /* of the round */
  FlowSampling solve;
  FlowTwoStage *estimate;       /* [count] */
  uint64_t *unsettled;          /* [count]: rows that need another round; NULL where one round is all */
  uint64_t unsettled_count, rounds;
  LikelihoodChecks checks;
  FlowLikelihoodSummary summary;
} Likelihood;

static flow_status check(const FlowLikelihood *what, flow_error *error) {
  const flow_model *model = what->solve.model;
  if (!what->solve.source || !what->data || !what->solve.allocator || !what->log_p || !what->status)
    return flow_fail(error, FLOW_BAD_CALL, "a likelihood needs a source, data, an allocator and room for log p and status");
  if (what->solve.first > what->solve.end)
    return flow_fail(error, FLOW_BAD_CALL, "rows %" PRIu64 " to %" PRIu64 ": the range ends before it begins", what->solve.first,
                     what->solve.end);
  uint32_t extras = what->solve.probes ? what->solve.probes->count : 1;
  if (model->extras != extras)
    return flow_fail(error, FLOW_BAD_CALL, "%s computes %" PRIu32 " rates beside its velocity; the likelihood needs %" PRIu32,
                     model->name, model->extras, extras);
  if (what->target < 0 || isnan(what->target) || (what->target > 0 && !what->solve.probes))
    return flow_fail(error, FLOW_BAD_CALL, "a standard error of %.17g: the target of a likelihood by probes is above 0", what->target);
  if (what->target > 0 && what->most_probes == 0)
    return flow_fail(error, FLOW_BAD_CALL, "a likelihood to a standard error of %.17g by 0 probes: at least 1 is needed", what->target);
  if (what->all_probes && (what->target > 0 || !what->solve.probes))
    return flow_fail(error, FLOW_BAD_CALL, "%" PRIu32 " probes in all: for a likelihood by probes, without a target", what->all_probes);
  if (what->solve.source->dim != model->dim)
    return flow_fail(error, FLOW_BAD_INPUT, "the source has %" PRIu64 " numbers in a state; a state of this model has %" PRIu32,
                     what->solve.source->dim, model->dim);
  return flow_source_has_density(what->solve.source, error);
}

static bool has_rounds(const FlowLikelihood *what) {
  return what->target > 0 || (what->solve.probes && what->all_probes > what->solve.probes->count);
}

/* Where there are rounds, progress tells of the points that need no further one; else of those that have arrived. */
static int report(void *user, uint64_t done, uint64_t total) {
  const Likelihood *self = user;
  const FlowLikelihood *what = self->what;
  bool only_settled = has_rounds(what);
  uint64_t settled = self->rounds == 1 ? 0 : self->count - self->unsettled_count;
  return what->solve.progress(what->solve.user, only_settled ? settled : done, only_settled ? self->count : total);
}

static flow_status take(void *user, const FlowRows *rows, flow_error *error) {
  Likelihood *self = user;
  const FlowLikelihood *what = self->what;
  (void)error;
  size_t row = (size_t)what->solve.model->dim * what->solve.model->precision;
  for (uint64_t i = 0; i < rows->count; i++) {
    uint64_t place = rows->first + i, sample = self->solve.picked ? self->solve.picked[place] : place, at = sample - what->solve.first;
    for (uint32_t e = 0; e < rows->extras; e++) flow_two_stage_add(&self->estimate[at], rows->integral[i * rows->extras + e]);
    what->status[at] = rows->status[i];
    if (self->rounds > 1) continue;
    what->log_p[at] = rows->log_density[i];     /* log p0; settle_all makes log p of it */
    if (what->latent) memcpy((char *)what->latent + at * row, (const char *)rows->value + i * row, row);
    likelihood_checks_take(&self->checks, sample, rows, i);
  }
  return FLOW_OK;
}

/* The solve of the first round: from the data back to the source. */
static void prepare(Likelihood *self) {
  const FlowLikelihood *what = self->what;
  self->data = (FlowSource){.kind = FLOW_SOURCE_TENSOR, .dim = what->solve.model->dim, .tensor = what->data,
                            .name = what->data_name ? what->data_name : "the data"};
  if (what->solve.probes) self->probes = *what->solve.probes;
  self->solve = what->solve;
  self->solve.source = &self->data;
  self->solve.t0 = what->solve.t1;
  self->solve.t1 = what->solve.t0;
  self->solve.probes = what->solve.probes ? &self->probes : NULL;
  self->solve.density = what->solve.source;
  self->solve.density_at_end = true;
  self->solve.picked = NULL;
  self->solve.quiet = self->solve.source_by_place = false;
  self->solve.sink = take;
  self->solve.progress = what->solve.progress ? report : NULL;
  self->solve.user = self;
}

/* How many numbers a point's estimate has, as far as that is known before them. */
static FlowTwoStage no_estimate(const FlowLikelihood *what) {
  if (what->target > 0) return flow_two_stage_begin(what->target, what->most_probes);
  return flow_one_stage_begin(what->all_probes ? what->all_probes : what->solve.model->extras);
}

static flow_status allocate(Likelihood *self, flow_error *error) {
  const FlowLikelihood *what = self->what;
  self->estimate = flow_alloc_array(what->solve.allocator, (size_t)self->count, sizeof *self->estimate);
  if (has_rounds(what)) self->unsettled = flow_alloc_array(what->solve.allocator, (size_t)self->count, sizeof *self->unsettled);
  if (!self->estimate || (has_rounds(what) && !self->unsettled))
    return flow_fail(error, FLOW_NO_MEMORY, "out of memory for the estimates of %" PRIu64 " points", self->count);
  for (uint64_t i = 0; i < self->count; i++) self->estimate[i] = no_estimate(what);
  return likelihood_checks_open(what, &self->checks, error);
}

static void release(Likelihood *self) {
  const FlowAllocator *allocator = self->what->solve.allocator;
  likelihood_checks_close(&self->checks);
  flow_free(allocator, self->estimate, (size_t)self->count * sizeof *self->estimate);
  flow_free(allocator, self->unsettled, (size_t)self->count * sizeof *self->unsettled);
}

/* ---- rounds ------------------------------------------------------------------------------------------------------------ */

static void list_unsettled(Likelihood *self) {
  const FlowLikelihood *what = self->what;
  self->unsettled_count = 0;
  for (uint64_t i = 0; has_rounds(what) && i < self->count; i++)
    if (what->status[i] == FLOW_SAMPLE_OK && flow_two_stage_wants_more(&self->estimate[i]))
      self->unsettled[self->unsettled_count++] = what->solve.first + i;
}

static flow_status run_rounds(Likelihood *self, flow_error *error) {
  FlowSummary summary;
  self->rounds = 1;
  self->solve.summary = &summary;
  flow_status status = flow_sample(&self->solve, error);
  self->summary.solve.evaluations = summary.evaluations;
  FlowSampling first = self->solve;
  while (!status) {
    list_unsettled(self);
    if (self->unsettled_count == 0) break;
    self->rounds++;
    self->probes.first += self->probes.count;
    self->solve.picked = self->unsettled;
    self->solve.first = 0;
    self->solve.end = self->unsettled_count;
    status = flow_sample(&self->solve, error);
  }
  if (self->what->solve.probes) self->probes.first = self->what->solve.probes->first;
  self->summary.rounds = self->rounds;
  return status ? status : likelihood_checks_run(&self->checks, &first, &self->summary, error);
}

/* ---- sums -------------------------------------------------------------------------------------------------------------- */

static void count_point(FlowSummary *summary, uint64_t sample, FlowSampleStatus status) {
  summary->samples++;
  summary->by_status[status]++;
  if (status == FLOW_SAMPLE_OK || summary->failed++ > 0) return;
  summary->first_failed = sample;
  summary->first_status = status;
}

/* log p of each point, for those that asked how many probes and how sure. */
static void settle_all(Likelihood *self) {
  const FlowLikelihood *what = self->what;
  for (uint64_t i = 0; i < self->count; i++) {
    FlowSampleStatus status = (FlowSampleStatus)what->status[i];
    const FlowEstimate *estimate = &self->estimate[i].estimate;
    if (status == FLOW_SAMPLE_OK)
      what->log_p[i] -= estimate->mean;
    else
      what->log_p[i] = status == FLOW_SAMPLE_OUTSIDE ? -INFINITY : NAN;
    if (what->standard_error)
      what->standard_error[i] = status != FLOW_SAMPLE_OK ? NAN : what->solve.probes ? flow_estimate_error(estimate) : 0;
    if (what->probes_used) what->probes_used[i] = what->solve.probes ? (uint32_t)flow_two_stage_used(&self->estimate[i]) : 0;
    count_point(&self->summary.solve, what->solve.first + i, status);
  }
}

static void sum_points(Likelihood *self) {
  const FlowLikelihood *what = self->what;
  FlowLikelihoodSummary *summary = &self->summary;
  double points = (double)summary->solve.by_status[FLOW_SAMPLE_OK], squares = 0;
  for (uint64_t i = 0; i < self->count; i++)
    if (what->status[i] == FLOW_SAMPLE_OK) summary->sum_log_p += what->log_p[i];
  summary->nll = -summary->sum_log_p / points;
  for (uint64_t i = 0; i < self->count; i++)
    if (what->status[i] == FLOW_SAMPLE_OK) squares += (what->log_p[i] + summary->nll) * (what->log_p[i] + summary->nll);
  summary->nll_error = points < 2 ? NAN : sqrt(squares / (points - 1) / points);
  summary->bits_per_dim = summary->nll / ((double)what->solve.model->dim * 0.69314718055994531);
}

static void sum_probes(Likelihood *self) {
  const FlowLikelihood *what = self->what;
  FlowLikelihoodSummary *summary = &self->summary;
  uint64_t points = 0;
  summary->mean_standard_error = summary->worst_standard_error = NAN;
  if (!what->solve.probes) return;
  double sum = 0, worst = 0;
  for (uint64_t i = 0; i < self->count; i++) {
    if (what->status[i] != FLOW_SAMPLE_OK) continue;
    uint32_t used = (uint32_t)flow_two_stage_used(&self->estimate[i]);
    double error = flow_estimate_error(&self->estimate[i].estimate);
    if (points == 0 || used < summary->least_probes) summary->least_probes = used;
    if (used > summary->most_probes) summary->most_probes = used;
    if (what->target > 0 && !(error <= what->target)) summary->above_target++;
    if (!(error <= worst)) worst = error;
    sum += error;
    points++;
  }
  if (points == 0) return;
  summary->mean_standard_error = sum / (double)points;
  summary->worst_standard_error = worst;
}

static flow_status run(Likelihood *self, flow_error *error) {
  flow_status status = flow_model_check(self->what->solve.model, error);
  if (!status) status = check(self->what, error);
  if (status) return status;
  self->count = self->what->solve.end - self->what->solve.first;
  prepare(self);
  if (self->count == 0) {
    status = flow_sample(&self->solve, error);  /* its settings are checked even where there is nothing to do */
  } else {
    status = allocate(self, error);
    if (!status) status = run_rounds(self, error);
  }
  if (!status) settle_all(self), sum_points(self), sum_probes(self);
  if (self->count > 0) release(self);
  return status;
}

flow_status flow_log_likelihood(const FlowLikelihood *what, flow_error *error) {
  FlowRounding callers = flow_rounding_enter();
  Likelihood self = {.what = what, .checks.what = what, .summary.solve.first_failed = UINT64_MAX};
  flow_status status = run(&self, error);
  if (!status && what->summary) *what->summary = self.summary;
  flow_rounding_leave(callers);
  return status;
}
