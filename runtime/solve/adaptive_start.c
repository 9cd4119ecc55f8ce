/* SPDX-License-Identifier: Apache-2.0 */
/* adaptive_start.c -- the first velocity and the first step of a tile of waiting samples.
 *
 * Hairer, Norsett, Wanner, Solving ODEs I, II.4 (4.14): an Euler step, small against x/u, shows how u changes; the first step
 * is such that h^order times the larger of both is 0.01.  Both evaluations are made by the kernel that makes the steps. */
#include "adaptive_lanes.h"
#include <string.h>

static bool is_f32(const FlowLanes *self) { return self->shared->chunk->what->model->precision == FLOW_F32; }

static FlowLanesStart start_of(const FlowLanes *self, const FlowLanesTile *tile) {
  const FlowLanesShared *shared = self->shared;
  size_t stride = shared->chunk->level->lanes;
  return (FlowLanesStart){.tolerance = shared->method.tolerance, .lanes = tile->x.lanes, .dim = shared->chunk->what->model->dim,
                 .extras = shared->chunk->extras, .stride = stride, .t0 = shared->what->sampling.t0, .direction = shared->direction,
                 .span = shared->span, .least_step = shared->least_step, .per_order = 1.0 / shared->method.tableau->order,
                 .x = tile->x.data, .k = self->first_k, .moved = self->moved, .moved_k = self->moved_k, .t = self->t,
                 .length = self->first_step, .size = self->norms, .slope = self->norms + stride, .more = self->norms + 2 * stride};
}

static int evaluate(FlowLanes *self, const FlowLanesTile *tile, void *x, void *u) {
  const FlowChunk *chunk = self->shared->chunk;
  const flow_model *model = chunk->what->model;
  flow_call call = {.size = sizeof call, .lanes = tile->x.lanes, .weights = chunk->what->weights, .t = self->t,
                    .conditions = model->condition_rows ? tile->conditions : NULL, .cond = model->cond_rows ? tile->cond : NULL,
                    .scratch = self->scratch};
  call.u = self->times;
  int code = model->times_rows ? chunk->level->times(&call) : 0;
  if (code < 0) return code;
  call.times = self->times;
  call.x = x;
  call.u = u;
  return chunk->level->eval_lane(&call);
}

/* Samples that cannot start are through at once, and have no first step; and so are all, where there is no way to go. */
static void finish_hopeless(FlowLanes *self, uint32_t live) {
  FlowLanesShared *shared = self->shared;
  for (uint32_t lane = 0; lane < live; lane++) {
    uint64_t at = self->tile * self->width + lane;
    bool bad_start = shared->chunk->status[at] == FLOW_SAMPLE_BAD_START;
    if (self->first_step[lane] > 0 && !bad_start) continue;
    self->first_step[lane] = 0;
    FlowSampleReport report = {.t = shared->what->sampling.t0, .evaluations = 2};
    FlowSampleStatus stays = shared->span == 0 ? FLOW_SAMPLE_OK : FLOW_SAMPLE_NON_FINITE_VELOCITY;
    flow_lanes_finish(self, at, bad_start ? FLOW_SAMPLE_BAD_START : stays, &report);
  }
}

static void set_time(const FlowLanes *self, uint32_t lanes, double t) {
  for (uint32_t i = 0; i < lanes; i++) {
    if (is_f32(self))
      ((float *)self->t)[i] = (float)t;
    else
      ((double *)self->t)[i] = t;
  }
}

static void clear_extras(const FlowLanes *self, void *x) {
  const flow_model *model = self->shared->chunk->what->model;
  size_t row = (size_t)self->shared->chunk->level->lanes * model->precision;
  memset((char *)x + model->dim * row, 0, model->extras * row);
}

static bool start_tile(FlowLanes *self, uint64_t index) {
  FlowLanesTile tile = self->waiting = flow_lanes_tile(self->shared, index);
  FlowLanesStart start = start_of(self, &tile);
  self->tile = index;
  self->next = 0;
  self->started = tile.x.live;
  clear_extras(self, tile.x.data);
  clear_extras(self, self->moved);
  set_time(self, tile.x.lanes, start.t0);
  self->code = evaluate(self, &tile, tile.x.data, self->first_k);
  if (self->code < 0) return false;
  bool wide = flow_lanes_wide(self);
  wide ? flow_lanes_make_trials_v4(self, &start) : flow_lanes_make_trials_v3(self, &start);
  self->code = evaluate(self, &tile, self->moved, self->moved_k);
  if (self->code < 0) return false;
  wide ? flow_lanes_choose_lengths_v4(self, &start) : flow_lanes_choose_lengths_v3(self, &start);
  finish_hopeless(self, tile.x.live);
  return true;
}

/* Skips samples without a first step. */
static bool find_waiting(FlowLanes *self) {
  while (self->next < self->started && self->first_step[self->next] == 0) self->next++;
  return self->next < self->started;
}

bool flow_lanes_start_tile(FlowLanes *self) {
  FlowLanesShared *shared = self->shared;
  const FlowChunk *chunk = shared->chunk;
  uint64_t tiles = (chunk->count + chunk->width - 1) / chunk->width;
  while (self->code >= 0) {
    if (find_waiting(self)) return true;
    size_t index = atomic_fetch_add(&shared->next_tile, 1);
    if (index >= tiles || !start_tile(self, index)) return false;
  }
  return false;
}
