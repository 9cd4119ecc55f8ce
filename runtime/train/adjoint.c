/* SPDX-License-Identifier: Apache-2.0 */
/* adjoint.c -- a block: its states in, the solve, the losses at its end, the solve backward. */
#include "adjoint_parts.h"
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
  for (uint32_t i = 0; i < tile->live; i++) {
    uint64_t sample = w->first + lane + i;
    FlowTile one = *tile;
    one.data = (char *)tile->data + (size_t)i * tile->precision;
    one.lanes = one.live = 1;
    flow_conditions_fill(model, w->batch->condition, w->batch->row ? w->batch->row[sample] : sample, &one);
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

/* The losses where the samples have ended, and what goes backward from there. */
static void end(const AdjointWork *w, double *loss) {
  const FlowAdjoint *a = w->adjoint;
  uint64_t dim = a->settings.ahead->dim;
  const double *integral = (const double *)(const void *)(w->memory + a->at[PART_INTEGRAL]);
  double *x = (double *)(void *)(w->memory + a->at[PART_POINT]), *by_x = x + dim;
  FlowTile state = adjoint_block_tile(w, adjoint_block(w, PART_STATE, 0), dim);
  FlowTile costate = adjoint_block_tile(w, adjoint_block(w, PART_COSTATE, 0), dim);
  FlowTile rate = adjoint_block_tile(w, w->memory + a->at[PART_RATE], 1);
  for (uint32_t lane = 0; lane < w->live; lane++) {
    double by_integral = 0;
    for (uint64_t row = 0; row < dim; row++) x[row] = flow_tile_at(&state, row, lane);
    *loss += w->batch->loss(w->batch->user, w->first + lane, x, integral[lane], by_x, &by_integral);
    for (uint64_t row = 0; row < dim; row++) flow_tile_set(&costate, row, lane, by_x[row]);
    flow_tile_set(&rate, 0, lane, by_integral);
  }
}

static int run_block(void *user, int thread, uint64_t first, uint64_t past, void *sums, double *loss) {
  AdjointWork w = *(const AdjointWork *)user;
  w.memory = w.adjoint->threads + (size_t)thread * w.adjoint->thread_bytes;
  w.first = first;
  w.live = (uint32_t)(past - first);
  load(&w);
  int code = adjoint_ahead(&w);
  if (code < 0) return code;
  end(&w, loss);
  return w.batch->loss_alone ? 0 : adjoint_back(&w, sums);
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
  flow_status status = compute_times(a, ahead_weights, error);
  if (status) return status;
  AdjointWork work = {.adjoint = a, .batch = batch, .ahead_weights = ahead_weights, .back_weights = back_weights};
  int code = flow_block_sums_run(&a->sums, batch->count, run_block, &work, loss);
  return code < 0 ? flow_model_refused(a->settings.back, "gradient", code, error) : FLOW_OK;
}

const void *flow_adjoint_sums(const FlowAdjoint *a) { return a->sums.group; }
