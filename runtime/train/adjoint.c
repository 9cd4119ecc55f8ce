/* SPDX-License-Identifier: Apache-2.0 */
/* adjoint.c -- a block: its states in, the solve, the losses at its end, the solve backward. */
#include "adjoint_parts.h"
#include <inttypes.h>
#include <string.h>

/* ---- between blocks and tiles ------------------------------------------------------------------------------------------------ */

void adjoint_take(const FlowTile *tile, const FlowTile *block, uint32_t lane) {
  size_t size = tile->precision, bytes = tile->live * size;
  for (uint64_t row = 0; row < tile->rows; row++)
    memcpy((char *)tile->data + row * tile->stride * size, (const char *)block->data + (row * block->stride + lane) * size, bytes);
  flow_tile_pad(tile);
}

void adjoint_put(const FlowTile *tile, const FlowTile *block, uint32_t lane) {
  size_t size = tile->precision, bytes = tile->live * size;
  for (uint64_t row = 0; row < tile->rows; row++)
    memcpy((char *)block->data + (row * block->stride + lane) * size, (const char *)tile->data + row * tile->stride * size, bytes);
}

void adjoint_fill_conditions(const AdjointWork *w, const flow_model *model, uint32_t lane, const FlowTile *tile) {
  const FlowAdjointBatch *batch = w->batch;
  flow_model given = *model;            /* with those of the caller alone */
  given.conditions = w->adjoint->settings.ahead->conditions - (batch->probes != NULL);
  for (uint32_t i = 0; i < tile->live; i++) {
    uint64_t sample = w->first + (w->by_places ? w->solve->sample[lane + i] : lane + i);
    FlowTile one = *tile;
    one.data = (char *)tile->data + (size_t)i * tile->precision;
    one.lanes = one.live = 1;
    if (given.conditions) flow_conditions_fill(&given, batch->condition, batch->row ? batch->row[sample] : sample, &one);
    if (batch->probes) flow_probes_fill(batch->probes, batch->first + sample, model->dim, model->condition[given.conditions].row, &one);
  }
  flow_tile_pad(tile);
}

/* ---- a block ----------------------------------------------------------------------------------------------------------------- */

static void load(const AdjointWork *w) {
  uint64_t dim = w->adjoint->settings.ahead->dim;
  FlowTile state = adjoint_block_tile(w, adjoint_block(w, PART_STATE, 0), dim);
  for (uint32_t lane = 0; lane < w->live; lane++)
    for (uint64_t row = 0; row < dim; row++) flow_tile_set(&state, row, lane, w->batch->x[(w->first + lane) * dim + row]);
}

/* What terms add to a sample's loss, and their weights for the way back. */
static double end_terms(const AdjointWork *w, uint32_t lane, uint32_t place, const FlowTile *rate, double *value) {
  const FlowAdjoint *a = w->adjoint;
  const double *integral = (const double *)(const void *)(w->memory + a->at[PART_INTEGRAL]);
  double sum = 0;
  for (uint32_t i = 0; i < a->settings.terms; i++) {
    double term = integral[(1 + i) * FLOW_BLOCK_SAMPLES + lane];
    value[1 + i] += term;
    sum += w->batch->weight[i] * term;
    flow_tile_set(rate, 1 + i, place, w->batch->weight[i]);
  }
  return sum;
}

/* The same once the way back has the integrals, and that of log p. */
static void add_integrals(const AdjointWork *w, double *value) {
  const double *integral = (const double *)(const void *)(w->memory + w->adjoint->at[PART_INTEGRAL]);
  for (uint32_t i = 0; i < adjoint_integrals(w->adjoint); i++, integral += FLOW_BLOCK_SAMPLES) {
    for (uint32_t lane = 0; lane < w->live; lane++) {
      value[0] += (i ? w->batch->weight[i - 1] : 1) * integral[lane];
      if (i) value[i] += integral[lane];
    }
  }
}

/* The losses where the samples have ended, and what goes backward from there, by places where there are some. */
static void end(const AdjointWork *w, double *value) {
  const FlowAdjoint *a = w->adjoint;
  uint64_t dim = a->settings.ahead->dim;
  uint32_t rates = a->settings.ahead->extras ? a->settings.ahead->extras - a->settings.terms : 1;
  const double *integral = (const double *)(const void *)(w->memory + a->at[PART_INTEGRAL]);
  double *x = (double *)(void *)(w->memory + a->at[PART_POINT]), *by_x = x + dim;
  FlowTile state = adjoint_block_tile(w, adjoint_block(w, PART_STATE, 0), dim);
  FlowTile costate = adjoint_block_tile(w, adjoint_block(w, PART_COSTATE, 0), dim);
  FlowTile rate = adjoint_block_tile(w, w->memory + a->at[PART_RATE], 1 + a->settings.terms);
  for (uint32_t lane = 0; lane < w->live; lane++) {
    uint32_t place = w->solve ? w->solve->place[lane] : lane;
    double by_integral = 0;
    for (uint64_t row = 0; row < dim; row++) x[row] = flow_tile_at(&state, row, lane);
    value[0] += w->batch->loss(w->batch->user, w->first + lane, x, integral[lane] / rates, by_x, &by_integral);
    value[0] += end_terms(w, lane, place, &rate, value);
    for (uint64_t row = 0; row < dim; row++) flow_tile_set(&costate, row, place, by_x[row]);
    flow_tile_set(&rate, 0, place, by_integral);
  }
}

/* What the solve of a block came to; true: all samples have arrived. */
static bool report(FlowAdjointReport *all, const AdjointWork *w) {
  FlowAdjointReport r = {.least = UINT64_MAX};
  for (uint32_t lane = 0; lane < w->live; lane++) {
    const FlowSampleReport *one = &w->solve->report[lane];
    uint64_t steps = one->attempts - one->rejected;
    if (steps < r.least) r.least = steps;
    if (steps > r.most) r.most = steps;
    r.steps += steps;
    r.rejected += one->rejected;
    if (w->solve->status[lane] == FLOW_SAMPLE_OK || r.failed++ > 0) continue;
    r.sample = w->first + lane;
    r.status = (FlowSampleStatus)w->solve->status[lane];
    r.t = one->t;
  }
#pragma omp critical(flow_adjoint_report)
  {
    if (r.least < all->least) all->least = r.least;
    if (r.most > all->most) all->most = r.most;
    all->steps += r.steps;
    all->rejected += r.rejected;
    if (r.failed && (all->failed == 0 || r.sample < all->sample)) all->sample = r.sample, all->status = r.status, all->t = r.t;
    all->failed += r.failed;
  }
  return r.failed == 0;
}

static int run_block(void *user, int thread, uint64_t first, uint64_t past, void *sums, double *value) {
  AdjointWork w = *(const AdjointWork *)user;
  FlowAdjoint *a = w.adjoint;
  w.memory = a->threads + (size_t)thread * a->thread_bytes;
  w.first = first;
  w.live = (uint32_t)(past - first);
  w.steps = a->steps;
  w.solve = a->solve ? a->solve + thread : NULL;
  load(&w);
  int code = w.solve ? adjoint_adaptive_ahead(&w) : adjoint_ahead(&w);
  if (code < 0) return code;
  if (w.solve && !report(&a->report, &w)) return 0;     /* the others have their turn: the first failure is the same on any threads */
  end(&w, value);
  if (w.batch->loss_alone) return 0;
  code = adjoint_back(&w, sums);
  if (code >= 0 && adjoint_sums_back(&w)) add_integrals(&w, value);
  return code;
}

/* ---- a batch ----------------------------------------------------------------------------------------------------------------- */

/* Rows of the plan's stage times, a few at once: no memory is taken. */
static flow_status compute_times(FlowAdjoint *a, const void *weights, flow_error *error) {
  enum { MOST = 64 };
  double t[MOST];
  flow_status status = FLOW_OK;
  a->times.weights = weights;
  for (uint64_t row = 0; !status && row < a->plan.rows; row += MOST) {
    size_t count = a->plan.rows - row < MOST ? (size_t)(a->plan.rows - row) : MOST;
    for (size_t i = 0; i < count; i++) t[i] = flow_plan_time(&a->plan, row + i);
    status = flow_times_compute(&a->times, (size_t)row, t, count, error);
  }
  return status;
}

flow_status flow_adjoint_run(FlowAdjoint *a, const void *ahead_weights, const void *back_weights, const FlowAdjointBatch *batch,
                             double *loss, flow_error *error) {
  if (batch->count < 1 || batch->count > a->settings.most || !batch->loss)
    return flow_fail(error, FLOW_BAD_CALL, "a batch has a loss and at least 1 sample, and no more than it was opened for");
  uint32_t rates = a->settings.ahead->extras - a->settings.terms;
  if (batch->probes && batch->probes->count != rates)
    return flow_fail(error, FLOW_BAD_CALL, "%s computes %" PRIu32 " rates, one for each probe, not %" PRIu32, a->settings.ahead->name, rates,
                     batch->probes->count);
  if (a->settings.terms && !batch->weight)
    return flow_fail(error, FLOW_BAD_CALL, "%s computes %" PRIu32 " terms of a loss, and they have no weights", a->settings.ahead->name,
                     a->settings.terms);
  flow_status status = compute_times(a, ahead_weights, error);
  if (status) return status;
  a->report = (FlowAdjointReport){.least = a->solve ? UINT64_MAX : 0};
  AdjointWork work = {.adjoint = a, .batch = batch, .ahead_weights = ahead_weights, .back_weights = back_weights};
  int code = flow_block_sums_run(&a->sums, batch->count, run_block, &work);
  *loss = a->sums.value[0].of[0];
  const FlowAdjointReport *r = &a->report;
  if (code == FLOW_BLOCK_STOPPED) return flow_fail(error, FLOW_CANCELLED, "stopped");
  if (code < 0) return flow_model_refused(a->settings.back, "gradient", code, error);
  return r->failed == 0 ? FLOW_OK
                        : flow_fail(error, FLOW_FAILED_SAMPLES, "the solve of sample %" PRIu64 " of the batch stopped at t = %.9g: %s", r->sample,
                                    r->t, flow_sample_status_text(r->status));
}

const void *flow_adjoint_sums(const FlowAdjoint *a) { return a->sums.group; }
const double *flow_adjoint_terms(const FlowAdjoint *a) { return a->sums.value[0].of + 1; }
const FlowAdjointReport *flow_adjoint_report(const FlowAdjoint *a) { return &a->report; }
