/* SPDX-License-Identifier: Apache-2.0 */
/* adaptive_attempt.c -- the attempt for both precisions, and its memory. */
#include "adaptive_attempt.h"
#include "checked.h"
#include "elementary.h"
#include "model.h"

/* Lane buffers in scratch, one after another; then the scratch of eval_lane. */
typedef enum {
  PART_MOVED,                   /* argument of a stage: dim rows */
  PART_END,                     /* the new x: dim + extras rows */
  PART_TIME,                    /* of a stage: 1 row */
  PART_TIMES,                   /* what the field computes from it */
  PART_SUM,                     /* of a combination: 1 row */
  PART_STATE_ERROR,             /* sums of squares: a row for each estimate */
  PART_EXTRAS_ERROR,
  PART_WRONG,                   /* 0, or not a number where the new x is not finite */
  PARTS
} Part;

static bool lay_out(const flow_model *model, const flow_level *level, size_t at[PARTS + 1]) {
  const uint64_t rows[PARTS] = {[PART_MOVED] = model->dim, [PART_END] = (uint64_t)model->dim + model->extras, [PART_TIME] = 1,
                                [PART_TIMES] = model->times_rows, [PART_SUM] = 1, [PART_STATE_ERROR] = 2,
                                [PART_EXTRAS_ERROR] = 2, [PART_WRONG] = 1};
  at[0] = 0;
  for (int i = 0; i < PARTS; i++) {
    size_t bytes;
    if (!flow_model_lanes_bytes(model, level, rows[i], &bytes) || !flow_add_size(at[i], bytes, &at[i + 1])) return false;
  }
  return true;
}

bool flow_attempt_bytes(const flow_model *model, const flow_level *level, size_t *bytes) {
  size_t at[PARTS + 1], scratch;
  return lay_out(model, level, at) && flow_model_scratch_bytes(level, 0, &scratch) && flow_add_size(at[PARTS], scratch, bytes);
}

size_t flow_attempt_stage_bytes(const flow_level *level) { return (size_t)(level->stage_bytes + 63) / 64 * 64; }

/* What does not change from stage to stage. */
typedef struct Attempt {
  const flow_level *level;
  const flow_call *call;
  const flow_method *method;
  uint32_t lanes, dim, extras;
  size_t stride, stage_bytes;
  bool has_times;
  char *part[PARTS];
  void *scratch;
} Attempt;

static Attempt open_attempt(const flow_model *model, const flow_level *level, const flow_call *call) {
  size_t at[PARTS + 1];
  Attempt self = {.level = level, .call = call, .method = call->method, .lanes = call->lanes, .dim = model->dim,
                  .extras = call->method->extras, .stride = level->lanes,
                  .stage_bytes = flow_attempt_stage_bytes(level), .has_times = model->times_rows > 0};
  lay_out(model, level, at);
  for (int i = 0; i < PARTS; i++) self.part[i] = (char *)call->scratch + at[i];
  self.scratch = (char *)call->scratch + at[PARTS];
  return self;
}

static int evaluate(const Attempt *self, uint32_t stage, void *x) {
  flow_call call = *self->call;
  bool same_time = self->method->same_time >> stage & 1;
  call.t = self->part[PART_TIME];
  call.scratch = self->scratch;
  if (self->has_times && !same_time) {
    call.u = self->part[PART_TIMES];
    int code = self->level->times(&call);
    if (code < 0) return code;
  }
  call.times = self->part[PART_TIMES];
  call.x = x;
  call.u = (char *)self->call->k + stage * self->stage_bytes;
  return self->level->eval_lane(&call);
}

#define T float
#define NAME(name) name##_f32
#define FMA __builtin_fmaf
#define ABS __builtin_fabsf
#include "adaptive_attempt.inc"
#undef T
#undef NAME
#undef FMA
#undef ABS
#define T double
#define NAME(name) name##_f64
#define FMA __builtin_fma
#define ABS __builtin_fabs
#include "adaptive_attempt.inc"

int flow_attempt(const flow_model *model, const flow_level *level, const flow_call *call) {
  Attempt self = open_attempt(model, level, call);
  return model->precision == FLOW_F32 ? attempt_f32(&self) : attempt_f64(&self);
}
