/* SPDX-License-Identifier: Apache-2.0 */
/* adaptive_lanes.c -- attempt, settle, refill. */
#include "adaptive_lanes.h"
#include "adaptive_attempt.h"
#include "checked.h"
#include <math.h>
#include <string.h>

enum { ATTEMPTS_BETWEEN_POLLS = 16 };

/* ---- memory ------------------------------------------------------------------------------------------------------------ */

typedef enum {
  PART_X, PART_K, PART_CONDITIONS, PART_COND, PART_ROW, PART_SUM,
  PART_FIRST_K, PART_MOVED, PART_MOVED_K, PART_T, PART_TIMES, PART_TRACED, PART_WATCHED,
  PART_FIRST_STEP, PART_FIRST_H, PART_FIRST_LAST, PART_STEP_BEFORE, PART_NORMS, PART_THROUGH, PART_SOURCE, PART_SCRATCH,
#define X(type, name, start) PART_##name,
  FLOW_LANE_COLUMNS(X)
#undef X
  PARTS
} Part;

static bool aligned(uint64_t count, size_t size, size_t *bytes) {
  size_t items;
  return flow_u64_to_size(count, &items) && flow_mul_size(items, size, bytes) && flow_align_up(*bytes, 64, bytes);
}

static bool scratch_bytes(const FlowLanesShared *shared, size_t *bytes) {
  const flow_model *model = shared->chunk->what->model;
  const flow_level *level = shared->chunk->level;
  size_t attempt = (size_t)level->attempt_bytes;
  if (!level->attempt && !flow_attempt_bytes(model, level, &attempt)) return false;
  if (!flow_model_scratch_bytes(level, 0, bytes)) return false;
  return aligned(attempt > *bytes ? attempt : *bytes, 1, bytes);
}

static bool part_bytes(const FlowLanesShared *shared, Part part, size_t *bytes) {
  const flow_model *model = shared->chunk->what->model;
  const flow_level *level = shared->chunk->level;
  uint64_t rows = (uint64_t)model->dim + model->extras;
  switch (part) {
  case PART_X: case PART_FIRST_K: case PART_MOVED: case PART_MOVED_K: return flow_model_lanes_bytes(model, level, rows, bytes);
  case PART_CONDITIONS: return flow_model_lanes_bytes(model, level, model->condition_rows, bytes);
  case PART_COND: return flow_model_lanes_bytes(model, level, model->cond_rows, bytes);
  case PART_ROW: return flow_model_lanes_bytes(model, level, FLOW_LANE_ROWS, bytes);
  case PART_T: return flow_model_lanes_bytes(model, level, 1, bytes);
  case PART_TIMES: return flow_model_lanes_bytes(model, level, model->times_rows, bytes);
  case PART_K: return aligned(shared->method.data.stages, flow_attempt_stage_bytes(level), bytes);
  case PART_SUM: return flow_mul_size(level->lanes, sizeof(double), bytes) && aligned(shared->chunk->extras, *bytes, bytes);
  case PART_NORMS: return flow_mul_size(level->lanes, sizeof(double), bytes) && aligned(3, *bytes, bytes);
  case PART_WATCHED: return aligned(shared->what->watch ? shared->what->watch->bytes : 0, 1, bytes);
  case PART_TRACED: return aligned(model->dim, sizeof(double), bytes);
  case PART_SCRATCH: return scratch_bytes(shared, bytes);
  default: return aligned(level->lanes, sizeof(double), bytes);         /* columns, of 4 or 8 bytes */
  }
}

static bool lay_out(const FlowLanesShared *shared, size_t at[PARTS + 1]) {
  at[0] = 0;
  for (int i = 0; i < PARTS; i++) {
    size_t bytes = 0;
    if (!part_bytes(shared, (Part)i, &bytes) || !flow_add_size(at[i], bytes, &at[i + 1])) return false;
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
#define PART(part) ((void *)(memory + at[PART_##part]))
#define X(type, name, start) .name = PART(name),
  return (FlowLanes){.shared = shared, .memory = memory, .x = PART(X), .k = PART(K), .conditions = PART(CONDITIONS),
                     .cond = PART(COND), .row = PART(ROW), .sum = PART(SUM), FLOW_LANE_COLUMNS(X) .traced = PART(TRACED), .watched = PART(WATCHED), .width = shared->chunk->width,
                     .first_k = PART(FIRST_K), .moved = PART(MOVED), .moved_k = PART(MOVED_K), .t = PART(T), .times = PART(TIMES),
                     .first_step = PART(FIRST_STEP), .first_h = PART(FIRST_H), .first_last = PART(FIRST_LAST),
                     .step_before = PART(STEP_BEFORE), .norms = PART(NORMS), .through = PART(THROUGH), .source = PART(SOURCE), .scratch = PART(SCRATCH)};
#undef X
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

/* ---- lanes come and go --------------------------------------------------------------------------------------------------- */

static size_t stride_of(const FlowLanes *self) { return self->shared->chunk->level->lanes; }

static bool is_f32(const FlowLanes *self) { return self->shared->chunk->what->model->precision == FLOW_F32; }

/* One lane of some rows, whose numbers have 4 or 8 bytes. */
static inline void copy_lane(const FlowLanes *self, void *to, uint32_t to_lane, const void *from, uint32_t from_lane, uint64_t rows) {
  size_t pitch = stride_of(self);
  if (is_f32(self)) {
    uint32_t *target = (uint32_t *)to + to_lane;
    const uint32_t *source = (const uint32_t *)from + from_lane;
    for (size_t row = 0; row < rows; row++) target[row * pitch] = source[row * pitch];
  } else {
    uint64_t *target = (uint64_t *)to + to_lane;
    const uint64_t *source = (const uint64_t *)from + from_lane;
    for (size_t row = 0; row < rows; row++) target[row * pitch] = source[row * pitch];
  }
}

static inline void put(const FlowLanes *self, enum flow_lane_row row, uint32_t lane, double value) {
  size_t at = (size_t)row * stride_of(self) + lane;
  if (is_f32(self))
    ((float *)self->row)[at] = (float)value;
  else
    ((double *)self->row)[at] = value;
}

static double get(const FlowLanes *self, const void *rows, size_t row, uint32_t lane) {
  size_t at = row * stride_of(self) + lane;
  return self->shared->chunk->what->model->precision == FLOW_F32 ? (double)((const float *)rows)[at] : ((const double *)rows)[at];
}

static void move_lane(FlowLanes *self, uint32_t to, uint32_t from) {
  const flow_model *model = self->shared->chunk->what->model;
  copy_lane(self, self->x, to, self->x, from, model->dim + model->extras);
  copy_lane(self, self->k, to, self->k, from, model->dim + model->extras);
  copy_lane(self, self->conditions, to, self->conditions, from, model->condition_rows);
  copy_lane(self, self->cond, to, self->cond, from, model->cond_rows);
  copy_lane(self, self->row, to, self->row, from, FLOW_LANE_ROWS);
  for (size_t e = 0, pitch = stride_of(self); e < self->shared->chunk->extras; e++) self->sum[e * pitch + to] = self->sum[e * pitch + from];
#define X(type, name, start) self->name[to] = self->name[from];
  FLOW_LANE_COLUMNS(X)
#undef X
}

/* Idle lanes of the last vector stand still where a live one is. */
static void park_idle_lanes(FlowLanes *self) {
  uint32_t quantum = self->shared->chunk->level->quantum;
  self->lanes = (self->live + quantum - 1) / quantum * quantum;
  for (uint32_t i = self->live; self->live && i < self->lanes; i++) {
    move_lane(self, i, self->live - 1);
    put(self, FLOW_LANE_STEP, i, 0);
  }
}

/* Waiting samples for lanes lane[0], lane[1], ...: as many as there are. */
static uint32_t fill(FlowLanes *self, const uint32_t *lane, uint32_t count) {
  uint32_t filled = 0;
  while (filled < count && flow_lanes_start_tile(self)) {
    uint32_t found = 0;
    for (; filled + found < count && self->next < self->started; self->next++) {
      self->source[found] = self->next;
      found += self->first_step[self->next] != 0;
    }
    flow_lanes_begin(self, lane + filled, self->source, found);
    filled += found;
  }
  return filled;
}

/* Every lane that is through gives its place to a waiting sample, or where none is left to the last lane: from the back, so
 * that the last one is always under way. */
static void refill(FlowLanes *self) {
  uint32_t before = self->live, filled = fill(self, self->through, self->through_count);
  for (uint32_t i = self->through_count; i-- > filled;)
    if (--self->live > self->through[i]) move_lane(self, self->through[i], self->live);
  self->through_count = 0;
  uint32_t room = self->width - self->live;
  for (uint32_t i = 0; i < room; i++) self->through[i] = self->live + i;
  if (room) self->live += fill(self, self->through, room);
  if (self->live != before) park_idle_lanes(self);
}

/* ---- one attempt ------------------------------------------------------------------------------------------------------------ */

int flow_lanes_attempt(const FlowLanes *self, const FlowMethod *method) {
  const FlowChunk *chunk = self->shared->chunk;
  const flow_model *model = chunk->what->model;
  flow_call call = {.size = sizeof call, .lanes = self->lanes, .weights = chunk->what->weights,
                    .conditions = model->condition_rows ? self->conditions : NULL, .cond = model->cond_rows ? self->cond : NULL,
                    .x = self->x, .scratch = self->scratch, .method = &method->data, .k = self->k, .lane = self->row};
  return chunk->level->attempt ? chunk->level->attempt(&call) : flow_attempt(model, chunk->level, &call);
}

void flow_lanes_finish(FlowLanes *self, uint64_t at, FlowSampleStatus status, const FlowSampleReport *report) {
  FlowLanesShared *shared = self->shared;
  uint8_t *known = &shared->chunk->status[at];
  if (*known == FLOW_SAMPLE_OK) *known = (uint8_t)status;       /* a start without density stays one */
  shared->report[at] = *report;
  self->finished++;
}

static FlowSampleStatus status_of(int flags) {
  if (flags & FLOW_LANE_ARRIVED) return FLOW_SAMPLE_OK;
  if (!(flags & FLOW_LANE_STEP_TOO_SMALL)) return FLOW_SAMPLE_TOO_MANY_STEPS;
  return flags & FLOW_LANE_NOT_FINITE ? FLOW_SAMPLE_NON_FINITE_VELOCITY : FLOW_SAMPLE_STEP_TOO_SMALL;
}

/* All lanes that are through. */
static void deliver(FlowLanes *self) {
  uint32_t evaluations = self->shared->method.evaluations;
  flow_lanes_send_home(self, self->through, self->through_count);
  for (uint32_t k = 0; k < self->through_count; k++) {
    uint32_t i = self->through[k], attempts = (uint32_t)self->attempts[i];
    FlowSampleReport report = {.t = self->time[i], .smallest_step = self->smallest[i] < INFINITY ? self->smallest[i] : 0,
                               .attempts = attempts, .rejected = (uint32_t)self->rejected[i], .evaluations = 2 + attempts * evaluations,
                               .stiff = self->stiff[i] != 0};
    flow_lanes_finish(self, self->at[i], status_of(self->flags[i]), &report);
  }
}

/* Does h |lambda| stand at the limit of stability?  If so at 15 accepted steps, with fewer than 6 others in a row between them,
 * the sample gets a notice.  */
static void check_stiffness(FlowLanes *self, uint32_t i, double h) {
  double slope = get(self, self->row, FLOW_LANE_SLOPE, i), spread = get(self, self->row, FLOW_LANE_SPREAD, i);
  double limit = self->shared->method.stiff;
  if (spread > 0 && h * h * slope > limit * limit * spread) {
    self->stiff_misses[i] = 0;
    self->stiff_hits[i] += 1;
    if (self->stiff_hits[i] >= FLOW_STIFF_HITS) self->stiff[i] = 1;
  } else {
    self->stiff_misses[i] += 1;
    if (self->stiff_misses[i] >= FLOW_STIFF_MISSES) self->stiff_hits[i] = self->stiff_misses[i] = 0;
  }
  bool goes_on = self->stiff_hits[i] > 0 && !self->stiff[i];
  self->until_check[i] = goes_on ? 1 : FLOW_STIFF_EVERY;
}

static uint32_t traced_lane(const FlowLanes *self) {
  const FlowLanesShared *shared = self->shared;
  if (!shared->what->trace) return self->live;
  for (uint32_t i = 0; i < self->live; i++)
    if (shared->chunk->first + self->at[i] == shared->what->traced) return i;
  return self->live;
}

static void trace(const FlowLanes *self, uint32_t i) {
  const FlowLanesShared *shared = self->shared;
  double error = get(self, self->row, FLOW_LANE_ERROR, i);
  FlowAttempt now = {.sample = shared->what->traced, .number = (uint32_t)self->attempts[i], .t = self->time[i], .h = self->step[i],
                     .error = sqrt(error), .accepted = error <= 1, .x = self->traced, .dim = shared->chunk->what->model->dim};
  shared->what->trace(shared->what->trace_user, &now);
}

static void look_at_flags(FlowLanes *self) {
  const int32_t *flags = self->flags;
  uint32_t *through = self->through, count = 0, live = self->live;
  int32_t all = 0;
  for (uint32_t i = 0; i < live; i++) {
    all |= flags[i];
    through[count] = i;
    count += (flags[i] & FLOW_LANE_THROUGH) != 0;
  }
  self->through_count = count;
  for (uint32_t i = 0; all & FLOW_LANE_CHECK_STIFF && i < live; i++)
    if (flags[i] & FLOW_LANE_CHECK_STIFF) check_stiffness(self, i, self->step_before[i]);
  if (count) deliver(self);
}

static void attempt_and_settle(FlowLanes *self) {
  uint32_t traced = traced_lane(self);
  for (uint64_t row = 0; traced < self->live && row < self->shared->chunk->what->model->dim; row++)
    self->traced[row] = get(self, self->x, row, traced);
  const FlowLanesWatch *watch = self->shared->what->watch;
  if (watch) watch->before(self);
  self->code = flow_lanes_attempt(self, &self->shared->method);
  if (self->code >= 0 && watch) self->code = watch->after(self);
  if (self->code < 0) return;
  if (traced < self->live) trace(self, traced);
  memcpy(self->step_before, self->step, self->live * sizeof *self->step);
  flow_lanes_wide(self) ? flow_lanes_settle_v4(self) : flow_lanes_settle_v3(self);
  look_at_flags(self);
  atomic_fetch_add_explicit(&self->shared->slots, self->lanes, memory_order_relaxed);
}

static void count_finished(FlowLanes *self) {
  if (self->finished) atomic_fetch_add_explicit(&self->shared->done, self->finished, memory_order_relaxed);
  self->finished = 0;
}

void flow_lanes_run(FlowLanes *self, void (*poll)(FlowLanesShared *, void *), void *user) {
  FlowLanesShared *shared = self->shared;
  for (uint64_t turn = 0; !atomic_load_explicit(&shared->stop, memory_order_relaxed); turn++) {
    refill(self);
    count_finished(self);
    if (self->code < 0 || self->live == 0) return;
    attempt_and_settle(self);
    count_finished(self);
    if (self->code < 0) return;
    if (poll && turn % ATTEMPTS_BETWEEN_POLLS == 0) poll(shared, user);
  }
}
