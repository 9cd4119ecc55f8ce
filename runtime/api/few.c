/* SPDX-License-Identifier: Apache-2.0 */
/* few.c -- the velocity at a few points and one time, on the calling thread, with no more memory than its stack: what a control
 * loop asks for thousands of times a second. */
#include "few.h"
#include "rounding.h"
#include <string.h>

enum { ROOM = 1 << 15, ALIGNMENT = 64 };
enum { X, U, T, TIMES, CONDITIONS, COND, SCRATCH, PARTS };

typedef struct Few {
  const FlowEvaluation *what;
  const flow_level *level;
  char *part[PARTS];            /* of one lane: rows are numbers side by side */
} Few;

static bool lay_out(Few *few, char *memory) {
  const flow_model *model = few->what->model;
  const uint64_t numbers[SCRATCH] = {model->dim, (uint64_t)model->dim + model->extras, 1, model->times_rows, model->condition_rows, model->cond_rows};
  uint64_t at = 0;
  for (int i = 0; i < PARTS; i++) {
    few->part[i] = memory + at;
    uint64_t bytes = i == SCRATCH ? few->level->scratch_bytes : numbers[i] < ROOM ? numbers[i] * model->precision : ROOM;
    if (bytes > ROOM) return false;
    at += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (at > ROOM) return false;
  }
  return true;
}

static int prepare_times(Few *few, flow_call *call) {
  const flow_model *model = few->what->model;
  if (model->precision == FLOW_F32)
    *(float *)(void *)few->part[T] = (float)*few->what->t;
  else
    *(double *)(void *)few->part[T] = *few->what->t;
  if (model->times_rows == 0) return 0;
  call->t = few->part[T];
  call->u = few->part[TIMES];
  int code = few->level->times(call);
  call->times = few->part[TIMES];
  return code;
}

static int prepare_conditions(Few *few, uint64_t sample, flow_call *call) {
  const flow_model *model = few->what->model;
  if (model->condition_rows == 0) return 0;
  FlowTile tile = flow_tile(model, few->level, few->part[CONDITIONS], model->condition_rows, 1);
  flow_conditions_fill(model, few->what->condition, sample, &tile);
  call->conditions = few->part[CONDITIONS];
  if (model->cond_rows == 0) return 0;
  call->u = few->part[COND];
  int code = few->level->cond(call);
  call->cond = few->part[COND];
  return code;
}

static int evaluate(Few *few) {
  const FlowEvaluation *what = few->what;
  size_t row = (size_t)what->model->dim * what->model->precision;
  flow_call call = {.size = sizeof call, .lanes = 1, .weights = what->weights, .scratch = few->part[SCRATCH]};
  int code = prepare_times(few, &call);
  for (uint64_t i = 0; code >= 0 && i < what->count; i++) {
    code = prepare_conditions(few, i, &call);
    if (code < 0) break;
    memcpy(few->part[X], (const char *)what->x + i * row, row);
    call.x = few->part[X];
    call.u = few->part[U];
    code = few->level->eval(&call);
    memcpy((char *)what->u + i * row, few->part[U], row);
  }
  return code;
}

bool api_evaluate_few(const FlowEvaluation *what, flow_status *status, flow_error *error) {
  _Alignas(ALIGNMENT) char memory[ROOM];
  Few few = {what, what->level, {NULL}};
  if (what->level->lanes != 1 || !what->level->eval || what->t_per_sample || what->extra || !lay_out(&few, memory)) return false;
  FlowRounding callers = flow_rounding_enter();
  int code = evaluate(&few);
  flow_rounding_leave(callers);
  *status = code < 0 ? flow_model_refused(what->model, "eval", code, error) : FLOW_OK;
  return true;
}
