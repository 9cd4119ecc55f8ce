/* SPDX-License-Identifier: Apache-2.0 */
/* adaptive_start.c -- the first velocity and the first step of a tile of waiting samples.
 *
 * Hairer, Norsett, Wanner, Solving ODEs I, II.4 (4.14): an Euler step, small against x/u, shows how u changes; the first step
 * is such that h^order times the larger of both is 0.01.  Both evaluations are made by the kernel that makes the steps. */
#include "adaptive_lanes.h"
#include "elementary.h"
#include <math.h>
#include <string.h>

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

/* Lanes as numbers of f64. */
typedef struct View { const FlowLanes *self; uint32_t lane, dim, rows; FlowTolerance tolerance; } View;
static FlowTile rows_of(const FlowLanes *self, void *data) {
  const FlowChunk *chunk = self->shared->chunk;
  return flow_tile(chunk->what->model, chunk->level, data, 1, chunk->level->lanes);
}
static double at(const View *view, void *rows, uint32_t row) {
  FlowTile tile = rows_of(view->self, rows);
  return flow_tile_at(&tile, row, view->lane);
}

/* The norm of a - b (b NULL: of a) as attempts measure errors, at the state x. */
static double norm(const View *view, void *x, void *a, void *b) {
  double state = 0, extras = 0;
  for (uint32_t row = 0; row < view->rows; row++) {
    double scale = row < view->dim ? view->tolerance.atol + view->tolerance.rtol * fabs(at(view, x, row)) : view->tolerance.ltol;
    double q = (at(view, a, row) - (b ? at(view, b, row) : 0)) / scale;
    if (row < view->dim)
      state += q * q;
    else
      extras += q * q;
  }
  return sqrt(state / view->dim + (view->rows > view->dim ? extras / (view->rows - view->dim) : 0));
}

static View view_of(const FlowLanes *self, uint32_t lane) {
  const FlowLanesShared *shared = self->shared;
  uint32_t dim = shared->chunk->what->model->dim;
  return (View){self, lane, dim, dim + shared->chunk->extras, shared->method.tolerance};
}

/* The length of the Euler step; 0 where u is not finite. */
static double trial_length(const View *view, void *x, double slope) {
  View state = *view;
  state.rows = state.dim;
  double size = norm(&state, x, x, NULL), span = view->self->shared->span;
  double length = size < 1e-5 || slope < 1e-5 ? 1e-6 : 0.01 * size / slope;
  return slope - slope == 0 ? (length < span ? length : span) : 0;
}

static void make_trials(FlowLanes *self, const FlowLanesTile *tile) {
  const FlowLanesShared *shared = self->shared;
  FlowTile moved = rows_of(self, self->moved), t = rows_of(self, self->t);
  memset(self->moved, 0, (size_t)(shared->chunk->what->model->dim + shared->chunk->what->model->extras) * moved.stride * moved.precision);
  for (uint32_t lane = 0; lane < tile->x.live; lane++) {
    View view = view_of(self, lane);
    double length = trial_length(&view, tile->x.data, norm(&view, tile->x.data, self->first_k, NULL)), h = shared->direction * length;
    self->first_step[lane] = length;
    flow_tile_set(&t, 0, lane, shared->what->sampling.t0 + h);
    for (uint32_t row = 0; row < view.dim; row++)
      flow_tile_set(&moved, row, lane, at(&view, tile->x.data, row) + h * at(&view, self->first_k, row));
  }
}

/* From the trial's velocity to the first step; `length` is the trial's. */
static double first_length(const View *view, const FlowLanesTile *tile, double length) {
  const FlowLanesShared *shared = view->self->shared;
  double slope = norm(view, tile->x.data, view->self->first_k, NULL);
  double bend = norm(view, tile->x.data, view->self->moved_k, view->self->first_k) / length;
  double larger = bend > slope ? bend : slope;
  if (!(larger - larger == 0)) return length;
  double step = larger <= 1e-15 ? fmax(1e-6, length * 1e-3)
                                : flow_exp_f64(flow_log_f64(0.01 / larger) / shared->method.tableau->order);
  step = step < 100 * length ? step : 100 * length;
  step = step < shared->span ? step : shared->span;
  return step > shared->least_step ? step : shared->least_step;
}

static bool is_finite(const View *view, void *rows) {
  for (uint32_t row = 0; row < view->rows; row++)
    if (at(view, rows, row) - at(view, rows, row) != 0) return false;
  return true;
}

/* Samples that cannot start are through at once; the others move to the front of the tile's list, in order. */
static void choose_steps(FlowLanes *self, const FlowLanesTile *tile) {
  const FlowLanesShared *shared = self->shared;
  for (uint32_t lane = 0; lane < tile->x.live; lane++) {
    View view = view_of(self, lane);
    FlowLane fresh = {.at = self->tile * self->width + lane, .t = shared->what->sampling.t0, .smallest = INFINITY};
    FlowSampleStatus status = (FlowSampleStatus)shared->chunk->status[fresh.at];
    if (status == FLOW_SAMPLE_BAD_START)
      self->first_step[lane] = 0;
    else if (is_finite(&view, self->first_k) && self->first_step[lane] > 0)
      self->first_step[lane] = first_length(&view, tile, self->first_step[lane]);
    else
      self->first_step[lane] = 0, status = FLOW_SAMPLE_NON_FINITE_VELOCITY;
    if (self->first_step[lane] == 0) flow_lanes_finish(self, &fresh, status);
  }
}

static void clear_extras(const FlowLanes *self, const FlowLanesTile *tile) {
  const flow_model *model = self->shared->chunk->what->model;
  size_t row = (size_t)tile->x.stride * model->precision;
  memset((char *)tile->x.data + model->dim * row, 0, model->extras * row);
}

static bool start(FlowLanes *self, uint64_t index) {
  FlowLanesTile tile = flow_lanes_tile(self->shared, index);
  FlowTile t = rows_of(self, self->t);
  self->tile = index;
  self->next = 0;
  self->started = tile.x.live;
  clear_extras(self, &tile);
  for (uint32_t lane = 0; lane < tile.x.lanes; lane++) flow_tile_set(&t, 0, lane, self->shared->what->sampling.t0);
  self->code = evaluate(self, &tile, tile.x.data, self->first_k);
  if (self->code < 0) return false;
  make_trials(self, &tile);
  self->code = evaluate(self, &tile, self->moved, self->moved_k);
  if (self->code < 0) return false;
  choose_steps(self, &tile);
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
    if (index >= tiles) return false;
    if (!start(self, index)) return false;
  }
  return false;
}
