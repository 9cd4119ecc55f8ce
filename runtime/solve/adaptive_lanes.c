/* SPDX-License-Identifier: Apache-2.0 */
/* adaptive_lanes.c -- attempt, settle, refill. */
#include "adaptive_lanes.h"
#include "adaptive_attempt.h"
#include "checked.h"
#include <math.h>
#include <string.h>

enum { STIFF_EVERY = 50, STIFF_HITS = 15, STIFF_MISSES = 6 };   /* of accepted steps: Hairer, Wanner II, IV.2 */
enum { FAILURES_IN_A_ROW = 3, CALM_STEPS = 2 };
enum { ATTEMPTS_BETWEEN_POLLS = 16 };

/* ---- memory ------------------------------------------------------------------------------------------------------------ */

typedef enum { X, K, CONDITIONS, COND, ROW, FIRST_K, MOVED, MOVED_K, TIME, TIMES, LANE, TRACED, FIRST_STEP, SCRATCH, PARTS } Part;

static bool aligned(size_t count, size_t size, size_t *bytes) {
  return flow_mul_size(count, size, bytes) && flow_add_size(*bytes, 63, bytes) && (*bytes -= *bytes % 64, true);
}

static bool scratch_bytes(const FlowLanesShared *shared, size_t *bytes) {
  const flow_model *model = shared->chunk->what->model;
  const flow_level *level = shared->chunk->level;
  size_t attempt = (size_t)level->attempt_bytes;
  if (!level->attempt && !flow_attempt_bytes(model, level, &attempt)) return false;
  if (!flow_model_scratch_bytes(level, 0, bytes)) return false;
  if (attempt > *bytes) *bytes = attempt;
  return aligned(*bytes, 1, bytes);
}

static bool lay_out(const FlowLanesShared *shared, size_t at[PARTS + 1]) {
  const flow_model *model = shared->chunk->what->model;
  const flow_level *level = shared->chunk->level;
  uint64_t rows = (uint64_t)model->dim + model->extras;
  const uint64_t of_part[] = {[X] = rows, [K] = 0, [CONDITIONS] = model->condition_rows, [COND] = model->cond_rows,
                              [ROW] = FLOW_LANE_ROWS, [FIRST_K] = rows, [MOVED] = rows, [MOVED_K] = rows, [TIME] = 1,
                              [TIMES] = model->times_rows};
  at[0] = 0;
  for (int i = 0; i < PARTS; i++) {
    size_t bytes = 0;
    bool fits = i == K            ? aligned(shared->method.data.stages, flow_attempt_stage_bytes(level), &bytes)
                : i == LANE       ? aligned(level->lanes, sizeof(FlowLane), &bytes)
                : i == TRACED     ? aligned(model->dim, sizeof(double), &bytes)
                : i == FIRST_STEP ? aligned(level->lanes, sizeof(double), &bytes)
                : i == SCRATCH    ? scratch_bytes(shared, &bytes)
                                  : flow_model_lanes_bytes(model, level, of_part[i], &bytes);
    if (!fits || !flow_add_size(at[i], bytes, &at[i + 1])) return false;
  }
  return true;
}

bool flow_lanes_bytes(const FlowLanesShared *shared, size_t *bytes) {
  size_t at[PARTS + 1];
  if (!lay_out(shared, at)) return false;
  *bytes = at[PARTS];
  return true;
}

FlowLanes flow_lanes_open(FlowLanesShared *shared, char *memory) {
  size_t at[PARTS + 1];
  lay_out(shared, at);
#define PART(part) ((void *)(memory + at[part]))
  return (FlowLanes){.shared = shared, .memory = memory, .x = PART(X), .k = PART(K), .conditions = PART(CONDITIONS), .cond = PART(COND),
                     .row = PART(ROW), .lane = PART(LANE), .traced = PART(TRACED), .width = shared->chunk->width,
                     .first_k = PART(FIRST_K), .moved = PART(MOVED), .moved_k = PART(MOVED_K), .t = PART(TIME), .times = PART(TIMES),
                     .first_step = PART(FIRST_STEP), .scratch = PART(SCRATCH)};
#undef PART
}

FlowLanesTile flow_lanes_tile(const FlowLanesShared *shared, uint64_t index) {
  const FlowChunk *chunk = shared->chunk;
  char *data = chunk->tiles + index * chunk->tile_bytes;
  uint64_t rest = chunk->count - index * chunk->width;
  FlowLanesTile tile = {.x = flow_tile(chunk->what->model, chunk->level, data, chunk->what->model->dim,
                                       rest < chunk->width ? (uint32_t)rest : chunk->width)};
  tile.conditions = data + chunk->x_bytes;
  tile.cond = tile.conditions + chunk->conditions_bytes;
  tile.sum = (double *)(void *)(tile.cond + chunk->cond_bytes);
  return tile;
}

/* ---- numbers of lanes ------------------------------------------------------------------------------------------------- */

static uint32_t precision_of(const FlowLanes *self) { return self->shared->chunk->what->model->precision; }
static size_t stride_of(const FlowLanes *self) { return self->shared->chunk->level->lanes; }

static double get(const FlowLanes *self, const void *rows, size_t row, uint32_t lane) {
  size_t at = row * stride_of(self) + lane;
  return precision_of(self) == FLOW_F32 ? (double)((const float *)rows)[at] : ((const double *)rows)[at];
}

static void put(const FlowLanes *self, void *rows, size_t row, uint32_t lane, double value) {
  size_t at = row * stride_of(self) + lane;
  if (precision_of(self) == FLOW_F32)
    ((float *)rows)[at] = (float)value;
  else
    ((double *)rows)[at] = value;
}

static void copy_lane(const FlowLanes *self, void *to, uint32_t to_lane, const void *from, uint32_t from_lane, uint64_t rows) {
  size_t size = precision_of(self), pitch = stride_of(self) * size;
  char *target = (char *)to + to_lane * size;
  const char *source = (const char *)from + from_lane * size;
  for (uint64_t row = 0; row < rows; row++, target += pitch, source += pitch) memcpy(target, source, size);
}

/* ---- the length of the next step --------------------------------------------------------------------------------------- */

/* Towards 0, so that t + h is never beyond the end. */
static double rounded(const FlowLanes *self, double h) {
  if (precision_of(self) == FLOW_F64) return h;
  float near = (float)h;
  return (double)(near > h ? nextafterf(near, 0) : near);
}

/* A step of about `length`; one that would leave a little rest is the last one and takes it all. */
static void set_step(const FlowLanes *self, uint32_t i, double length) {
  const FlowLanesShared *shared = self->shared;
  FlowLane *lane = &self->lane[i];
  double rest = (shared->what->sampling.t1 - lane->t) * shared->direction;
  if (shared->largest_step > 0 && length > shared->largest_step) length = shared->largest_step;
  lane->last = 1.01 * length >= rest;
  if (lane->last) length = rest;
  lane->h = shared->direction * rounded(self, length);
  bool may_grow = !lane->after_rejection && !lane->calm;
  put(self, self->row, FLOW_LANE_TIME, i, lane->t);
  put(self, self->row, FLOW_LANE_STEP, i, lane->h);
  put(self, self->row, FLOW_LANE_CEILING, i, may_grow ? shared->method.log_most : 0);
}

/* ---- lanes come and go --------------------------------------------------------------------------------------------------- */

static void begin_lane(FlowLanes *self, uint32_t i) {
  const FlowLanesShared *shared = self->shared;
  const flow_model *model = shared->chunk->what->model;
  uint32_t from = self->next++;
  FlowLanesTile tile = flow_lanes_tile(shared, self->tile);
  copy_lane(self, self->x, i, tile.x.data, from, model->dim + model->extras);
  copy_lane(self, self->k, i, self->first_k, from, model->dim + model->extras);
  copy_lane(self, self->conditions, i, tile.conditions, from, model->condition_rows);
  copy_lane(self, self->cond, i, tile.cond, from, model->cond_rows);
  self->lane[i] = (FlowLane){.at = self->tile * self->width + from, .t = shared->what->sampling.t0, .smallest = INFINITY};
  put(self, self->row, FLOW_LANE_MEMORY, i,
      precision_of(self) == FLOW_F32 ? (double)shared->method.number.f32[FLOW_METHOD_LEAST_MEMORY]
                                     : shared->method.number.f64[FLOW_METHOD_LEAST_MEMORY]);
  set_step(self, i, self->first_step[from]);
}

static void move_lane(FlowLanes *self, uint32_t to, uint32_t from) {
  const flow_model *model = self->shared->chunk->what->model;
  copy_lane(self, self->x, to, self->x, from, model->dim + model->extras);
  copy_lane(self, self->k, to, self->k, from, model->dim + model->extras);
  copy_lane(self, self->conditions, to, self->conditions, from, model->condition_rows);
  copy_lane(self, self->cond, to, self->cond, from, model->cond_rows);
  copy_lane(self, self->row, to, self->row, from, FLOW_LANE_ROWS);
  self->lane[to] = self->lane[from];
}

/* Idle lanes of the last vector stand still where a live one is. */
static void park_idle_lanes(FlowLanes *self) {
  uint32_t quantum = self->shared->chunk->level->quantum;
  self->lanes = (self->live + quantum - 1) / quantum * quantum;
  for (uint32_t i = self->live; self->live && i < self->lanes; i++) {
    move_lane(self, i, self->live - 1);
    put(self, self->row, FLOW_LANE_STEP, i, 0);
  }
}

/* Every lane that is through gives its place to a waiting sample, or to the last lane. */
static void refill(FlowLanes *self) {
  uint32_t before = self->live;
  for (uint32_t i = 0; i < self->live;) {
    if (!self->lane[i].through) i++;
    else if (flow_lanes_start_tile(self)) begin_lane(self, i++);
    else if (--self->live > i) move_lane(self, i, self->live);
  }
  while (self->live < self->width && flow_lanes_start_tile(self)) begin_lane(self, self->live++);
  if (self->live != before) park_idle_lanes(self);
}

/* ---- one attempt ------------------------------------------------------------------------------------------------------------ */

static int attempt(FlowLanes *self) {
  const FlowChunk *chunk = self->shared->chunk;
  const flow_model *model = chunk->what->model;
  flow_call call = {.size = sizeof call, .lanes = self->lanes, .weights = chunk->what->weights,
                    .conditions = model->condition_rows ? self->conditions : NULL, .cond = model->cond_rows ? self->cond : NULL,
                    .x = self->x, .scratch = self->scratch, .method = &self->shared->method.data, .k = self->k, .lane = self->row};
  return chunk->level->attempt ? chunk->level->attempt(&call) : flow_attempt(model, chunk->level, &call);
}

static void deliver(FlowLanes *self, uint32_t i, FlowSampleStatus status) {
  const FlowLanesShared *shared = self->shared;
  FlowLane *lane = &self->lane[i];
  FlowLanesTile tile = flow_lanes_tile(shared, lane->at / self->width);
  copy_lane(self, tile.x.data, (uint32_t)(lane->at % self->width), self->x, i, shared->chunk->what->model->dim);
  lane->through = 1;
  flow_lanes_finish(self, lane, status);
}

void flow_lanes_finish(FlowLanes *self, const FlowLane *lane, FlowSampleStatus status) {
  FlowLanesShared *shared = self->shared;
  uint8_t *known = &shared->chunk->status[lane->at];
  if (*known == FLOW_SAMPLE_OK) *known = (uint8_t)status;       /* a start without density stays one */
  shared->report[lane->at] = (FlowSampleReport){
      .t = lane->t, .smallest_step = lane->smallest < INFINITY ? lane->smallest : 0, .attempts = lane->attempts,
      .rejected = lane->rejected, .evaluations = 2 + lane->attempts * shared->method.evaluations, .stiff = lane->stiff};
  atomic_fetch_add_explicit(&shared->done, 1, memory_order_relaxed);
}

/* The increments of the extras go to the sample's sums, and the rows are 0 again. */
static void add_extras(FlowLanes *self, uint32_t i) {
  const FlowChunk *chunk = self->shared->chunk;
  FlowLanesTile tile = flow_lanes_tile(self->shared, self->lane[i].at / self->width);
  double *sum = tile.sum + self->lane[i].at % self->width;
  for (uint32_t e = 0; e < chunk->extras; e++) {
    sum[(size_t)e * stride_of(self)] += get(self, self->x, chunk->what->model->dim + e, i);
    put(self, self->x, chunk->what->model->dim + e, i, 0);
  }
}

/* Every so many accepted steps: does h |lambda| stand at the limit of stability?  15 times of 15 to 20 is a notice. */
static void look_for_stiffness(FlowLanes *self, uint32_t i) {
  FlowLane *lane = &self->lane[i];
  if (self->shared->method.stiff == 0 || lane->stiff || (lane->accepted % STIFF_EVERY && !lane->stiff_hits)) return;
  double slope = get(self, self->row, FLOW_LANE_SLOPE, i), spread = get(self, self->row, FLOW_LANE_SPREAD, i);
  double limit = self->shared->method.stiff;
  if (spread > 0 && lane->h * lane->h * slope > limit * limit * spread) {
    lane->stiff_misses = 0;
    lane->stiff = ++lane->stiff_hits == STIFF_HITS;
  } else if (++lane->stiff_misses == STIFF_MISSES) {
    lane->stiff_hits = lane->stiff_misses = 0;
  }
}

static void accept(FlowLanes *self, uint32_t i) {
  FlowLane *lane = &self->lane[i];
  double length = fabs(lane->h);
  if (!lane->last && length < lane->smallest) lane->smallest = length;
  lane->t = lane->last ? self->shared->what->sampling.t1 : lane->t + lane->h;
  lane->accepted++;
  lane->after_rejection = 0;
  lane->failures = 0;
  if (lane->calm) lane->calm--;
  if (self->shared->chunk->extras) add_extras(self, i);
  look_for_stiffness(self, i);
}

/* Near a wall of infinite values every accepted step would grow again, only to run into it. */
static void reject(FlowLane *lane, double error) {
  lane->rejected++;
  lane->after_rejection = 1;
  if (error - error == 0)
    lane->failures = 0;
  else if (++lane->failures >= FAILURES_IN_A_ROW)
    lane->calm = CALM_STEPS, lane->failures = FAILURES_IN_A_ROW;
}

static void settle(FlowLanes *self, uint32_t i) {
  const FlowLanesShared *shared = self->shared;
  FlowLane *lane = &self->lane[i];
  double error = get(self, self->row, FLOW_LANE_ERROR, i), factor = get(self, self->row, FLOW_LANE_FACTOR, i);
  bool accepted = error <= 1;
  lane->attempts++;
  if (accepted)
    accept(self, i);
  else
    reject(lane, error);
  if (accepted && lane->last) {
    deliver(self, i, FLOW_SAMPLE_OK);
    return;
  }
  double length = fabs(lane->h) * factor;
  set_step(self, i, length);
  if (!(length >= shared->least_step) && !lane->last)
    deliver(self, i, error - error == 0 ? FLOW_SAMPLE_STEP_TOO_SMALL : FLOW_SAMPLE_NON_FINITE_VELOCITY);
  else if (lane->attempts >= shared->most_attempts)
    deliver(self, i, FLOW_SAMPLE_TOO_MANY_STEPS);
}

static uint32_t traced_lane(const FlowLanes *self) {
  const FlowLanesShared *shared = self->shared;
  if (!shared->what->trace) return self->live;
  for (uint32_t i = 0; i < self->live; i++)
    if (shared->chunk->first + self->lane[i].at == shared->what->traced) return i;
  return self->live;
}

static void trace(const FlowLanes *self, uint32_t i) {
  const FlowLanesShared *shared = self->shared;
  const FlowLane *lane = &self->lane[i];
  double error = get(self, self->row, FLOW_LANE_ERROR, i);
  FlowAttempt now = {.sample = shared->what->traced, .number = lane->attempts, .t = lane->t, .h = lane->h, .error = sqrt(error),
                     .accepted = error <= 1, .x = self->traced, .dim = shared->chunk->what->model->dim};
  shared->what->trace(shared->what->trace_user, &now);
}

static void attempt_and_settle(FlowLanes *self) {
  uint32_t traced = traced_lane(self);
  for (uint64_t row = 0; traced < self->live && row < self->shared->chunk->what->model->dim; row++)
    self->traced[row] = get(self, self->x, row, traced);
  self->code = attempt(self);
  if (self->code < 0) return;
  if (traced < self->live) trace(self, traced);
  for (uint32_t i = 0; i < self->live; i++) settle(self, i);
  atomic_fetch_add_explicit(&self->shared->slots, self->lanes, memory_order_relaxed);
}

void flow_lanes_run(FlowLanes *self, void (*poll)(FlowLanesShared *, void *), void *user) {
  FlowLanesShared *shared = self->shared;
  for (uint64_t turn = 0; !atomic_load_explicit(&shared->stop, memory_order_relaxed); turn++) {
    refill(self);
    if (self->code < 0 || self->live == 0) return;
    attempt_and_settle(self);
    if (self->code < 0) return;
    if (poll && turn % ATTEMPTS_BETWEEN_POLLS == 0) poll(shared, user);
  }
}
