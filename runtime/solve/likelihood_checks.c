/* SPDX-License-Identifier: Apache-2.0 */
/* likelihood_checks.c -- the chosen points there and back again, and once more with half the step. */
#include "likelihood_checks.h"
#include "adaptive.h"
#include <math.h>
#include <string.h>

static size_t row_bytes(const LikelihoodChecks *checks) {
  return (size_t)checks->what->solve.model->dim * checks->what->solve.model->precision;
}

flow_status likelihood_checks_open(const FlowLikelihood *what, LikelihoodChecks *checks, flow_error *error) {
  uint64_t points = what->solve.end - what->solve.first, count = what->check_points < points ? what->check_points : points;
  *checks = (LikelihoodChecks){.what = what, .count = count, .room = count};
  if (count == 0) return FLOW_OK;
  checks->sample = flow_alloc_array(what->solve.allocator, (size_t)count, sizeof *checks->sample);
  checks->log_p = flow_alloc_array(what->solve.allocator, (size_t)count, sizeof *checks->log_p);
  checks->latent = flow_alloc_array(what->solve.allocator, (size_t)count, row_bytes(checks));
  if (!checks->sample || !checks->log_p || !checks->latent) {
    likelihood_checks_close(checks);
    return flow_fail(error, FLOW_NO_MEMORY, "out of memory for the checks of a likelihood");
  }
  uint64_t stride = points / count, rest = points % count;      /* i*points/count without overflow */
  for (uint64_t i = 0; i < count; i++) checks->sample[i] = what->solve.first + i * stride + i * rest / count;
  return FLOW_OK;
}

void likelihood_checks_close(LikelihoodChecks *checks) {
  const FlowAllocator *allocator = checks->what->solve.allocator;
  flow_free(allocator, checks->sample, (size_t)checks->room * sizeof *checks->sample);
  flow_free(allocator, checks->log_p, (size_t)checks->room * sizeof *checks->log_p);
  flow_free(allocator, checks->latent, (size_t)checks->room * row_bytes(checks));
  checks->sample = NULL;
  checks->log_p = NULL;
  checks->latent = NULL;
}

void likelihood_checks_take(LikelihoodChecks *checks, uint64_t sample, const FlowRows *rows, uint64_t index) {
  if (checks->next == checks->count || checks->sample[checks->next] != sample) return;
  checks->next++;
  if (rows->status[index] != FLOW_SAMPLE_OK) return;
  size_t bytes = row_bytes(checks);
  uint64_t at = checks->taken++;
  checks->sample[at] = sample;
  checks->log_p[at] = flow_rows_log_p(rows, index, true, checks->what->solve.probes != NULL).log_p;
  memcpy(checks->latent + at * bytes, (const char *)rows->value + index * bytes, bytes);
}

/* |x - y| of each component; y rounded to the model's precision, as the solve has seen it.  A path that is lost on its way
 * back is infinitely far. */
static flow_status take_returned(void *user, const FlowRows *rows, flow_error *error) {
  LikelihoodChecks *checks = user;
  const flow_model *model = checks->what->solve.model;
  (void)error;
  for (uint64_t i = 0; i < rows->count; i++) {
    uint64_t sample = checks->sample[rows->first + i];
    for (uint64_t c = 0; c < model->dim; c++) {
      uint64_t at = i * model->dim + c;
      double y = flow_tensor_at(checks->what->data, sample * model->dim + c);
      double distance = model->precision == FLOW_F32 ? fabs((double)((const float *)rows->value)[at] - (double)(float)y)
                                                     : fabs(((const double *)rows->value)[at] - y);
      if (!(distance <= checks->farthest)) checks->farthest = isnan(distance) ? INFINITY : distance;
    }
  }
  return FLOW_OK;
}

static flow_status take_halved(void *user, const FlowRows *rows, flow_error *error) {
  LikelihoodChecks *checks = user;
  (void)error;
  for (uint64_t i = 0; i < rows->count; i++) {
    double other = flow_rows_log_p(rows, i, true, checks->what->solve.probes != NULL).log_p;
    double difference = rows->status[i] == FLOW_SAMPLE_OK ? fabs(other - checks->log_p[rows->first + i]) : INFINITY;
    checks->squares += difference * difference;
    if (!(difference <= checks->worst)) checks->worst = difference;
  }
  return FLOW_OK;
}

static flow_status run_round_trip(LikelihoodChecks *checks, const FlowSampling *backward, flow_error *error) {
  const FlowLikelihood *what = checks->what;
  FlowTensor rows = {.name = "", .type = what->solve.model->precision == FLOW_F32 ? FLOW_TYPE_F32 : FLOW_TYPE_F64, .rank = 2,
                     .dim = {checks->taken, what->solve.model->dim}, .count = checks->taken * what->solve.model->dim, .data = checks->latent};
  FlowSource latent = {.kind = FLOW_SOURCE_TENSOR, .dim = what->solve.model->dim, .tensor = &rows, .name = "the latent points"};
  FlowSampling forward = *backward;
  forward.source = &latent;
  forward.source_by_place = true;
  forward.density = NULL;
  forward.quiet = true;
  forward.t0 = backward->t1;
  forward.t1 = backward->t0;
  forward.sink = take_returned;
  return flow_sample(&forward, error);
}

static flow_status run_halved(const FlowSampling *backward, flow_error *error) {
  FlowSampling halved = *backward;
  halved.steps *= 2;
  halved.sink = take_halved;
  FlowAdaptive tighter;
  if (halved.adaptive) {
    tighter = *halved.adaptive;
    tighter.tolerance = flow_tighter_tolerance(halved.model->precision, tighter.tolerance);
    halved.adaptive = &tighter;
  }
  return flow_sample(&halved, error);
}

/* Nothing new arrives any more, but the solves can be stopped. */
static int report(void *user, uint64_t done, uint64_t total) {
  const FlowLikelihood *what = ((LikelihoodChecks *)user)->what;
  (void)done, (void)total;
  return what->solve.progress(what->solve.user, what->solve.end - what->solve.first, what->solve.end - what->solve.first);
}

flow_status likelihood_checks_run(LikelihoodChecks *checks, const FlowSampling *backward, FlowLikelihoodSummary *summary,
                                  flow_error *error) {
  summary->checked = checks->taken;
  summary->round_trip = summary->halving = summary->halving_worst = NAN;
  if (checks->taken == 0) return FLOW_OK;
  FlowSampling chosen = *backward;
  chosen.picked = checks->sample;
  chosen.first = 0;
  chosen.end = checks->taken;
  chosen.user = checks;
  chosen.progress = checks->what->solve.progress ? report : NULL;
  chosen.summary = NULL;
  flow_status status = run_round_trip(checks, &chosen, error);
  if (!status && !chosen.model->jump) status = run_halved(&chosen, error);
  if (status) return status;
  summary->round_trip = checks->farthest;
  if (chosen.model->jump) return FLOW_OK;               /* no steps, no error of steps */
  summary->halving = sqrt(checks->squares / (double)checks->taken);
  summary->halving_worst = checks->worst;
  return FLOW_OK;
}
