/* SPDX-License-Identifier: Apache-2.0 */
#include "likelihood_gradients.h"
#include "streams.h"
#include <inttypes.h>
#include <math.h>

static flow_status open_adjoint(FlowLikelihoodGradients *g, int threads, flow_error *error) {
  const FlowTrainSettings *s = g->settings;
  const FlowAdjointSettings settings = {.ahead = s->solve.ahead, .back = s->model, .cpu = s->level ? s->level->cpu : 0,
                                        .tableau = s->solve.tableau, .grid = s->solve.grid, .steps = s->solve.steps, .from = s->t1,
                                        .to = s->t0, .interval = s->solve.interval, .adaptive = s->solve.adaptive, .most = s->batch,
                                        .threads = threads, .terms = flow_train_terms(&s->terms), .stop = s->stop, .allocator = s->allocator};
  return flow_adjoint_open(&settings, &g->adjoint, error);
}

flow_status flow_likelihood_gradients_open(const FlowTrainSettings *settings, const FlowMasters *masters, int threads,
                                           FlowLikelihoodGradients *g, flow_error *error) {
  const FlowTrainSolve *solve = &settings->solve;
  *g = (FlowLikelihoodGradients){.settings = settings, .loss = {settings->source, settings->model->precision}};
  g->direction = settings->t1 < settings->t0 ? 1 : -1;
  if (settings->terms.kinetic > 0) g->weight[0] = g->direction * settings->terms.kinetic;
  if (settings->terms.jacobian > 0) g->weight[settings->terms.kinetic > 0] = g->direction * settings->terms.jacobian;
  const flow_level *level;
  flow_status status = flow_model_level(solve->ahead, settings->level ? settings->level->cpu : 0, &level, error);
  if (!status) status = flow_repack_open(masters, solve->ahead, level, &g->ahead, error);
  if (!status) status = open_adjoint(g, threads, error);
  if (status) flow_likelihood_gradients_close(g);
  return status;
}

void flow_likelihood_gradients_close(FlowLikelihoodGradients *g) {
  flow_adjoint_close(g->adjoint);
  flow_repack_close(&g->ahead);
  *g = (FlowLikelihoodGradients){0};
}

size_t flow_likelihood_gradients_bytes(const FlowLikelihoodGradients *g) { return g->adjoint ? flow_adjoint_bytes(g->adjoint) : 0; }

static flow_status not_arrived(const FlowLikelihoodGradients *g, const FlowBatch *batch, flow_error *error) {
  const FlowAdjointReport *r = flow_adjoint_report(g->adjoint);
  uint64_t row = batch->row ? batch->row[r->sample] : r->sample;
  return flow_fail(error, FLOW_FAILED_SAMPLES, "the solve from row %" PRIu64 " of the data stopped at t = %.9g: %s", row, r->t,
                   flow_sample_status_text(r->status));
}

flow_status flow_likelihood_gradients_run(FlowLikelihoodGradients *g, FlowMasterPart part, const void *weights, const FlowBatch *batch,
                                          FlowLossParts *loss, flow_error *error) {
  double sum = 0;
  const FlowTrainSettings *s = g->settings;
  const FlowProbes probes = {.kind = s->solve.probe, .seed = s->seed, .count = flow_train_vectors(s),
                             .stream = batch->once ? FLOW_STREAM_VALIDATION_TRACE : FLOW_STREAM_TRACE};
  const FlowAdjointBatch points = {.count = batch->count, .x = batch->x1, .condition = s->condition, .row = batch->row,
                                   .probes = probes.count ? &probes : NULL, .first = batch->first, .loss = flow_likelihood_loss,
                                   .user = &g->loss, .weight = g->weight, .loss_alone = !weights, .adds_integral = true};
  flow_status status = flow_repack(&g->ahead, part, error);
  if (!status) status = flow_adjoint_run(g->adjoint, g->ahead.blob.data, weights, &points, &sum, error);
  *loss = (FlowLossParts){.all = status == FLOW_FAILED_SAMPLES ? NAN : sum / (double)batch->count};
  const double *terms = flow_adjoint_terms(g->adjoint);
  for (uint32_t i = 0; i < flow_train_terms(&s->terms); i++) loss->term[i] = g->direction * terms[i] / (double)batch->count;
  return status == FLOW_FAILED_SAMPLES ? not_arrived(g, batch, error) : status;
}
