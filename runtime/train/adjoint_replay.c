/* SPDX-License-Identifier: Apache-2.0 */
/* adjoint_replay.c -- recorded steps once more: the same attempts of the same states, so that all comes out as it did.
 *
 * Everything here is by places: lane p of a block is the sample in place p, and at a step those under way are lanes 0 .. live - 1. */
#include "adaptive_attempt.h"
#include "adjoint_lanes.h"
#include "adjoint_parts.h"
#include <string.h>

uint32_t adjoint_under_way(const AdjointWork *w, uint64_t step) {
  const AdjointSolve *solve = w->solve;
  uint32_t low = 0, high = (uint32_t)solve->chunk.count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (solve->steps[solve->sample[middle]] > step)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* ---- a tile of places -------------------------------------------------------------------------------------------------------------- */

typedef struct Tile {
  const AdjointWork *work;
  uint32_t lane;
  FlowTile x, k;                /* the state, and its velocity: stage 0 */
  FlowLanes lanes;
} Tile;

/* Its first `live` places. */
static void narrow(Tile *t, uint32_t live) {
  const FlowAdjoint *a = t->work->adjoint;
  uint64_t dim = a->settings.ahead->dim;
  if (live > a->ahead->lanes) live = a->ahead->lanes;
  t->x = flow_tile(a->settings.ahead, a->ahead, t->lanes.x, dim, live);
  t->k = flow_tile(a->settings.ahead, a->ahead, t->lanes.k, dim, live);
  t->lanes.live = live;
  t->lanes.lanes = t->x.lanes;
}

static Tile open_tile(const AdjointWork *w, uint32_t lane, uint32_t live) {
  const flow_model *model = w->adjoint->settings.ahead;
  Tile t = {.work = w, .lane = lane, .lanes = w->solve->lanes};
  t.lanes.conditions = adjoint_ahead_tile(w, PART_AHEAD_CONDITIONS, model->condition_rows, lane).data;
  t.lanes.cond = adjoint_ahead_tile(w, PART_AHEAD_COND, model->cond_rows, lane).data;
  narrow(&t, live);
  return t;
}

static void load(const Tile *t, void *node) {
  FlowTile x = adjoint_block_tile(t->work, node, t->x.rows), k = adjoint_block_tile(t->work, adjoint_velocities(t->work, node), t->x.rows);
  adjoint_take(&t->x, &x, t->lane);
  adjoint_take(&t->k, &k, t->lane);
}

static void store(const Tile *t, void *node) {
  FlowTile x = adjoint_block_tile(t->work, node, t->x.rows), k = adjoint_block_tile(t->work, adjoint_velocities(t->work, node), t->x.rows);
  adjoint_put(&t->x, &x, t->lane);
  adjoint_put(&t->k, &k, t->lane);
}

static double recorded(const AdjointWork *w, AdjointPart part, uint64_t step, uint32_t place) {
  const double *record = (const double *)(const void *)(w->memory + w->adjoint->at[part]);
  return record[step * FLOW_BLOCK_SAMPLES + w->solve->sample[place]];
}

/* Time and length of the step; where idle lanes stand does not matter. */
static void aim(const Tile *t, uint64_t step) {
  const FlowAdjoint *a = t->work->adjoint;
  FlowTile rows = flow_tile(a->settings.ahead, a->ahead, t->lanes.row, FLOW_LANE_ROWS, t->x.live);
  for (uint32_t i = 0; i < t->x.live; i++) {
    flow_tile_set(&rows, FLOW_LANE_TIME, i, recorded(t->work, PART_STEP_TIME, step, t->lane + i));
    flow_tile_set(&rows, FLOW_LANE_STEP, i, recorded(t->work, PART_STEP_LENGTH, step, t->lane + i));
    flow_tile_set(&rows, FLOW_LANE_CEILING, i, 0);
    flow_tile_set(&rows, FLOW_LANE_MEMORY, i, 0);
  }
  flow_tile_pad(&rows);
}

/* ---- before the way back ------------------------------------------------------------------------------------------------------------- */

int adjoint_replay_open(AdjointWork *w) {
  const FlowAdjoint *a = w->adjoint;
  const flow_model *model = a->settings.ahead;
  int code = 0;
  w->by_places = true;
  for (uint32_t lane = 0; code >= 0 && lane < w->live; lane += a->ahead->lanes) {
    FlowTile conditions = adjoint_ahead_tile(w, PART_AHEAD_CONDITIONS, model->condition_rows, lane);
    FlowTile cond = adjoint_ahead_tile(w, PART_AHEAD_COND, model->cond_rows, lane);
    if (conditions.rows) adjoint_fill_conditions(w, model, lane, &conditions);
    flow_call call = {.size = sizeof call, .lanes = cond.lanes, .weights = w->ahead_weights, .u = cond.data,
                      .conditions = conditions.rows ? conditions.data : NULL, .scratch = w->memory + a->at[PART_AHEAD_SCRATCH]};
    if (cond.rows) code = a->ahead->cond(&call);
  }
  return code;
}

/* ---- nodes ------------------------------------------------------------------------------------------------------------------------- */

/* From samples to places. */
static void gather(const AdjointWork *w, uint32_t live, const char *from, char *to) {
  size_t size = w->adjoint->settings.ahead->precision, row_bytes = FLOW_BLOCK_SAMPLES * size;
  for (size_t row = 0; row < w->adjoint->node_bytes; row += row_bytes)
    for (uint32_t place = 0; place < live; place++)
      memcpy(to + row + place * size, from + row + w->solve->sample[place] * size, size);
}

int adjoint_replay_remake(const AdjointWork *w, uint64_t checkpoint) {
  const FlowAdjoint *a = w->adjoint;
  uint64_t end = checkpoint + a->interval < w->steps ? checkpoint + a->interval : w->steps;
  gather(w, adjoint_under_way(w, checkpoint), adjoint_node(w, PART_KEPT, checkpoint / a->interval), adjoint_state(w, checkpoint));
  uint32_t most = end > checkpoint + 1 ? adjoint_under_way(w, checkpoint + 1) : 0;
  int code = 0;
  for (uint32_t lane = 0; code >= 0 && lane < most; lane += a->ahead->lanes) {
    Tile tile = open_tile(w, lane, most - lane);
    load(&tile, adjoint_state(w, checkpoint));
    for (uint64_t at = checkpoint; code >= 0 && at + 1 < end; at++) {
      uint32_t live = adjoint_under_way(w, at + 1);
      if (live <= lane) break;
      narrow(&tile, live - lane);
      aim(&tile, at);
      code = flow_lanes_attempt(&tile.lanes, &a->again);
      store(&tile, adjoint_state(w, at + 1));
    }
  }
  return code;
}

/* ---- stages ------------------------------------------------------------------------------------------------------------------------ */

/* k_0 .. k_(s-2) of a tile. */
static int slopes(Tile *t, uint64_t step) {
  const AdjointWork *w = t->work;
  const FlowAdjoint *a = w->adjoint;
  load(t, adjoint_state(w, step));
  aim(t, step);
  int code = flow_lanes_attempt(&t->lanes, &a->slopes);
  for (uint32_t j = 1; j + 1 < a->settings.tableau->stages; j++) {
    FlowTile to = adjoint_block_tile(w, adjoint_block(w, PART_SLOPE, j), t->x.rows), from = t->x;
    from.data = (char *)t->lanes.k + j * flow_attempt_pitch(a->ahead);
    adjoint_put(&from, &to, t->lane);
  }
  return code;
}

/* X_j = x + h sum, with the terms and roundings of the attempt. */
static void combine(const AdjointWork *w, const void *state, uint32_t j, const flow_combination *terms) {
  const FlowAdjoint *a = w->adjoint;
  uint32_t precision = a->settings.ahead->precision;
  void *to = adjoint_block(w, PART_STAGE, j), *sum = adjoint_block(w, PART_COMBINED, 0);
  memset(sum, 0, a->block_bytes);
  for (uint32_t i = 0; i < terms->count; i++)
    flow_lanes_fma(precision, a->block_bytes / precision, adjoint_coefficient(a, terms, i), adjoint_block(w, PART_SLOPE, terms->stage[i]), sum);
  memcpy(to, state, a->block_bytes);
  flow_lanes_fma_row(precision, a->settings.ahead->dim, FLOW_BLOCK_SAMPLES, w->memory + a->at[PART_LENGTH], sum, to);
}

int adjoint_replay_stages(const AdjointWork *w, uint64_t step) {
  const FlowAdjoint *a = w->adjoint;
  FlowTile length = adjoint_block_tile(w, w->memory + a->at[PART_LENGTH], 1);
  void *state = adjoint_state(w, step);
  int code = 0;
  for (uint32_t place = 0; place < w->live; place++) flow_tile_set(&length, 0, place, recorded(w, PART_STEP_LENGTH, step, place));
  for (uint32_t lane = 0; code >= 0 && lane < w->live; lane += a->ahead->lanes) {
    Tile tile = open_tile(w, lane, w->live - lane);
    code = slopes(&tile, step);
  }
  memcpy(adjoint_block(w, PART_SLOPE, 0), adjoint_velocities(w, state), a->block_bytes);
  for (uint32_t j = 0; code >= 0 && j < a->settings.tableau->stages; j++) combine(w, state, j, &a->again.combination[j]);
  return code;
}

/* ---- times ------------------------------------------------------------------------------------------------------------------------- */

static double number(const FlowAdjoint *a, const void *numbers, size_t at) {
  return a->settings.ahead->precision == FLOW_F32 ? (double)((const float *)numbers)[at] : ((const double *)numbers)[at];
}

/* t + c h as the attempt has it: rounded once in its precision, not beyond the end. */
static double stage_time(const FlowAdjoint *a, double c, double h, double t) {
  const void *numbers = &a->again.number;
  double end = number(a, numbers, FLOW_METHOD_END), direction = number(a, numbers, FLOW_METHOD_DIRECTION);
  double at = a->settings.ahead->precision == FLOW_F32 ? (double)__builtin_fmaf((float)c, (float)h, (float)t) : __builtin_fma(c, h, t);
  return (at - end) * direction > 0 ? end : at;
}

/* Of stage 0 that of the end of the step before, where its velocity was computed. */
void adjoint_replay_times(const AdjointWork *w, uint64_t step, uint32_t stage, uint32_t lane, const FlowTile *t) {
  const FlowAdjoint *a = w->adjoint;
  double c = stage ? number(a, &a->again.node, stage) : 1;
  uint64_t from = stage ? step : step - 1;
  for (uint32_t i = 0; i < t->live; i++) {
    double at = a->settings.from;
    if (stage || step)
      at = stage_time(a, c, recorded(w, PART_STEP_LENGTH, from, lane + i), recorded(w, PART_STEP_TIME, from, lane + i));
    flow_tile_set(t, 0, i, at);
  }
  flow_tile_pad(t);
}
