/* SPDX-License-Identifier: Apache-2.0 */
/* adjoint_adaptive.c -- a block forward in steps that adapt: the lanes of adaptive_lanes.h on this thread alone, with someone who
 * records what they accept. */
#include "adaptive_attempt.h"
#include "adjoint_parts.h"
#include "checked.h"
#include <string.h>

/* ---- the record ---------------------------------------------------------------------------------------------------------------- */

static const AdjointWork *work_of(const FlowLanes *lanes) { return ((const AdjointSolve *)lanes->shared->what->watch->user)->work; }

/* Rows of one lane to a lane of a block buffer. */
static void keep_lane(const AdjointWork *w, const void *rows, uint32_t lane, void *block, uint32_t sample) {
  const FlowAdjoint *a = w->adjoint;
  size_t size = a->settings.ahead->precision, stride = a->ahead->lanes;
  for (uint64_t row = 0; row < a->settings.ahead->dim; row++)
    memcpy((char *)block + (row * FLOW_BLOCK_SAMPLES + sample) * size, (const char *)rows + (row * stride + lane) * size, size);
}

/* An attempt that is rejected leaves the node as it was, to be kept again. */
static void keep_nodes(FlowLanes *lanes) {
  const AdjointWork *w = work_of(lanes);
  uint64_t interval = w->adjoint->interval;
  for (uint32_t lane = 0; lane < lanes->live; lane++) {
    uint32_t sample = (uint32_t)lanes->at[lane];
    uint64_t step = w->solve->steps[sample];
    if (step % interval) continue;
    void *node = adjoint_node(w, PART_KEPT, step / interval);
    keep_lane(w, lanes->x, lane, node, sample);
    keep_lane(w, lanes->k, lane, adjoint_velocities(w, node), sample);
  }
}

static double *record_of(const AdjointWork *w, AdjointPart part) { return (double *)(void *)(w->memory + w->adjoint->at[part]); }

static int record_steps(FlowLanes *lanes) {
  const AdjointWork *w = work_of(lanes);
  FlowTile rows = {lanes->row, FLOW_LANE_ROWS, w->adjoint->settings.ahead->precision, w->adjoint->ahead->lanes, lanes->lanes, lanes->live};
  double *time = record_of(w, PART_STEP_TIME), *length = record_of(w, PART_STEP_LENGTH);
  for (uint32_t lane = 0; lane < lanes->live; lane++) {
    if (!(flow_tile_at(&rows, FLOW_LANE_ERROR, lane) <= 1)) continue;
    uint64_t sample = lanes->at[lane], at = w->solve->steps[sample]++ * (uint64_t)FLOW_BLOCK_SAMPLES + sample;
    time[at] = lanes->time[lane];
    length[at] = lanes->step[lane];
  }
  return 0;
}

/* ---- opening ------------------------------------------------------------------------------------------------------------------- */

static flow_status open_thread(const FlowAdjoint *a, AdjointSolve *solve, flow_error *error) {
  const FlowAdjointSettings *s = &a->settings;
  solve->watch = (FlowLanesWatch){.before = keep_nodes, .after = record_steps, .user = solve};
  solve->what = *s->adaptive;
  solve->what.sampling = (FlowSampling){.model = s->ahead, .level = a->ahead, .tableau = s->tableau, .t0 = s->from, .t1 = s->to,
                                        .quiet = s->ahead->extras == 0};
  solve->what.trace = NULL;
  solve->what.summary = NULL;
  solve->what.watch = &solve->watch;
  flow_status status = flow_lanes_share(&solve->what, &solve->shared, error);
  solve->chunk = (FlowChunk){.what = &solve->what.sampling, .level = a->ahead, .threads = 1, .width = a->ahead->lanes,
                             .extras = s->ahead->extras, .status = solve->status};
  if (!status && !flow_chunk_sizes(&solve->chunk)) return flow_fail(error, FLOW_NO_MEMORY, "out of memory for the tiles of a solve");
  solve->shared.chunk = &solve->chunk;
  solve->shared.report = solve->report;
  return status;
}

/* An attempt that was accepted once is accepted again under any tolerance: without rates, which took part in its error, under the widest. */
static flow_status open_replay(FlowAdjoint *a, flow_error *error) {
  const FlowAdjointSettings *s = &a->settings;
  const FlowTolerance widest = {1e29, 1e29, 1e29};
  flow_status status = flow_method_make(&a->again, s->tableau, s->ahead->precision, 0, widest, s->from, s->to, error);
  if (!status) status = flow_method_make(&a->slopes, s->tableau, s->ahead->precision, 0, widest, s->from, s->to, error);
  a->slopes.data.stages--;              /* it ends with the argument of the last stage before the end, */
  a->slopes.data.estimates = 1;         /* and has no error */
  a->slopes.error[0].count = 0;
  return status;
}

flow_status adjoint_adaptive_open(FlowAdjoint *a, flow_error *error) {
  a->solve = flow_alloc_array(&a->allocator, (size_t)a->settings.threads, sizeof *a->solve);
  if (!a->solve) return flow_fail(error, FLOW_NO_MEMORY, "out of memory for solves on %d threads", a->settings.threads);
  flow_status status = open_replay(a, error);
  for (int i = 0; !status && i < a->settings.threads; i++) status = open_thread(a, &a->solve[i], error);
  a->steps = a->solve->shared.most_attempts;
  return status;
}

void adjoint_adaptive_close(FlowAdjoint *a) {
  flow_free(&a->allocator, a->solve, (size_t)a->settings.threads * sizeof *a->solve);
  a->solve = NULL;
}

/* ---- the solve ------------------------------------------------------------------------------------------------------------------- */

static FlowTile rows_of(const AdjointWork *w, const FlowLanesTile *tile, void *data, uint64_t rows) {
  return flow_tile(w->adjoint->settings.ahead, w->adjoint->ahead, data, rows, tile->x.live);
}

static int begin_tile(const AdjointWork *w, uint32_t lane, const FlowLanesTile *tile) {
  const FlowAdjoint *a = w->adjoint;
  const flow_model *model = a->settings.ahead;
  FlowTile from = adjoint_block_tile(w, adjoint_node(w, PART_STATE, 0), model->dim);
  FlowTile conditions = rows_of(w, tile, tile->conditions, model->condition_rows);
  adjoint_take(&tile->x, &from, lane);
  if (conditions.rows) adjoint_fill_conditions(w, model, lane, &conditions);
  memset(tile->sum, 0, w->solve->chunk.sum_bytes);
  if (model->cond_rows == 0) return 0;
  flow_call call = {.size = sizeof call, .lanes = tile->x.lanes, .weights = w->ahead_weights, .u = tile->cond,
                    .conditions = conditions.rows ? conditions.data : NULL, .scratch = w->memory + a->at[PART_AHEAD_SCRATCH]};
  return a->ahead->cond(&call);
}

static void end_tile(const AdjointWork *w, uint32_t lane, const FlowLanesTile *tile) {
  FlowTile to = adjoint_block_tile(w, adjoint_node(w, PART_STATE, 0), tile->x.rows);
  double *integral = record_of(w, PART_INTEGRAL) + lane;
  adjoint_put(&tile->x, &to, lane);
  for (uint32_t e = 0; e <= w->adjoint->settings.terms; e++) memset(integral + e * FLOW_BLOCK_SAMPLES, 0, tile->x.live * sizeof *integral);
  for (uint32_t e = 0; e < w->solve->chunk.extras; e++) {
    double *sum = integral + adjoint_integral_of(w->adjoint, e) * FLOW_BLOCK_SAMPLES;
    for (uint32_t i = 0; i < tile->x.live; i++) sum[i] += tile->sum[e * (size_t)tile->x.stride + i];
  }
}

/* Counting sort by falling numbers of steps; equals keep their order. */
static void find_places(const AdjointWork *w, uint64_t most) {
  AdjointSolve *solve = w->solve;
  uint32_t place = 0;
  for (uint64_t steps = most; place < w->live; steps--) {
    for (uint32_t sample = 0; sample < w->live; sample++) {
      if (solve->steps[sample] != steps) continue;
      solve->sample[place] = sample;
      solve->place[sample] = place++;
    }
    if (steps == 0) break;
  }
}

static uint64_t most_steps(const AdjointWork *w) {
  uint64_t most = 0;
  for (uint32_t sample = 0; sample < w->live; sample++)
    if (w->solve->steps[sample] > most) most = w->solve->steps[sample];
  return most;
}

static void reset(const AdjointWork *w) {
  const FlowAdjoint *a = w->adjoint;
  AdjointSolve *solve = w->solve;
  solve->work = w;
  solve->what.watch = w->batch->loss_alone ? NULL : &solve->watch;
  solve->what.sampling.weights = w->ahead_weights;
  solve->chunk.tiles = w->memory + a->at[PART_CHUNK];
  solve->chunk.count = w->live;
  solve->lanes = flow_lanes_open(&solve->shared, w->memory + a->at[PART_LANES]);
  atomic_store(&solve->shared.next_tile, 0);
  atomic_store(&solve->shared.stop, 0);
  memset(solve->steps, 0, sizeof solve->steps);
  memset(solve->status, FLOW_SAMPLE_OK, sizeof solve->status);
}

static void ask_to_stop(FlowLanesShared *shared, void *user) {
  if (flow_stop_asked(user)) atomic_store(&shared->stop, 1);
}

int adjoint_adaptive_ahead(AdjointWork *w) {
  AdjointSolve *solve = w->solve;
  uint32_t width = solve->chunk.width;
  int code = 0;
  reset(w);
  for (uint32_t lane = 0; code >= 0 && lane < w->live; lane += width) {
    FlowLanesTile tile = flow_lanes_tile(&solve->shared, lane / width);
    code = begin_tile(w, lane, &tile);
  }
  if (code < 0) return code;
  flow_lanes_run(&solve->lanes, w->adjoint->settings.stop ? ask_to_stop : NULL, (void *)(uintptr_t)w->adjoint->settings.stop);
  if (atomic_load(&solve->shared.stop)) return FLOW_BLOCK_STOPPED;
  for (uint32_t lane = 0; lane < w->live; lane += width) {
    FlowLanesTile tile = flow_lanes_tile(&solve->shared, lane / width);
    end_tile(w, lane, &tile);
  }
  w->steps = most_steps(w);
  find_places(w, w->steps);
  return solve->lanes.code;
}
