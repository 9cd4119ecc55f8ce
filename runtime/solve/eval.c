/* SPDX-License-Identifier: Apache-2.0 */
/* eval.c -- one parallel loop over tiles of samples. */
#include "eval.h"
#include "checked.h"
#include "rounding.h"
#include "threads.h"
#include <omp.h>
#include "times.h"

/* The memory of a thread: lane buffers one after another, then scratch. */
enum { X, U, CONDITIONS, COND, T, TIMES, BUFFERS };

typedef struct Evaluation {
  const FlowEvaluation *what;
  const flow_level *level;
  FlowTimes times;              /* its one row, where all samples share the time */
  uint64_t rows[BUFFERS];
  size_t at[BUFFERS + 1];       /* offsets; at[BUFFERS] is scratch */
  size_t thread_bytes, all_bytes;
  int threads;
  char *memory;
  int refused;                  /* the first refusal, in order of tiles */
  uint64_t refused_tile;
} Evaluation;

static bool lay_out(Evaluation *self) {
  const flow_model *model = self->what->model;
  const uint64_t rows[BUFFERS] = {model->dim, (uint64_t)model->dim + model->extras, model->condition_rows, model->cond_rows, 1,
                                  self->what->t_per_sample ? model->times_rows : 0};
  size_t at = 0, bytes;
  for (int i = 0; i < BUFFERS; i++) {
    self->rows[i] = rows[i];
    self->at[i] = at;
    if (!flow_model_lanes_bytes(model, self->level, rows[i], &bytes) || !flow_add_size(at, bytes, &at)) return false;
  }
  self->at[BUFFERS] = at;
  return flow_model_scratch_bytes(self->level, 0, &bytes) && flow_add_size(at, bytes, &self->thread_bytes) &&
         flow_mul_size(self->thread_bytes, (size_t)self->threads, &self->all_bytes);
}

static FlowTile tile_of(const Evaluation *self, char *mine, int buffer, uint32_t live) {
  return flow_tile(self->what->model, self->level, mine + self->at[buffer], self->rows[buffer], live);
}

static int write_times(const Evaluation *self, uint64_t first, flow_call *call, const FlowTile *t, const FlowTile *times) {
  for (uint32_t lane = 0; lane < t->live; lane++) flow_tile_set(t, 0, lane, self->what->t[first + lane]);
  flow_tile_pad(t);
  call->t = t->data;
  call->u = times->data;
  int code = times->rows ? self->level->times(call) : 0;
  call->times = times->data;
  return code;
}

static int write_cond(const Evaluation *self, uint64_t first, flow_call *call, const FlowTile *conditions, const FlowTile *cond) {
  if (conditions->rows == 0) return 0;
  flow_conditions_fill(self->what->model, self->what->condition, first, conditions);
  call->conditions = conditions->data;
  call->u = cond->data;
  int code = cond->rows ? self->level->cond(call) : 0;
  call->cond = cond->rows ? cond->data : NULL;
  return code;
}

/* The state's rows to u, those behind them to extra. */
static void store(const FlowEvaluation *what, const FlowTile *u, uint64_t first) {
  const flow_model *model = what->model;
  FlowTile part = *u;
  part.rows = model->dim;
  flow_tile_store(&part, (char *)what->u + (size_t)first * model->dim * model->precision);
  if (!what->extra || model->extras == 0) return;
  part.rows = model->extras;
  part.data = (char *)u->data + (size_t)model->dim * u->stride * u->precision;
  flow_tile_store(&part, (char *)what->extra + (size_t)first * model->extras * model->precision);
}

static int evaluate_lanes(const Evaluation *self, char *mine, uint64_t first, uint32_t live) {
  const FlowEvaluation *what = self->what;
  size_t row = (size_t)what->model->dim * what->model->precision;
  FlowTile tile[BUFFERS];
  for (int i = 0; i < BUFFERS; i++) tile[i] = tile_of(self, mine, i, live);
  flow_call call = {.size = sizeof call, .lanes = tile[X].lanes, .weights = what->weights,
                    .scratch = mine + self->at[BUFFERS]};
  int code = write_cond(self, first, &call, &tile[CONDITIONS], &tile[COND]);
  if (code >= 0 && what->t_per_sample)
    code = write_times(self, first, &call, &tile[T], &tile[TIMES]);
  else
    call.times = flow_times_row(&self->times, 0);
  if (code < 0) return code;
  flow_tile_load(&tile[X], (const char *)what->x + (size_t)first * row);
  call.x = tile[X].data;
  call.u = tile[U].data;
  code = what->t_per_sample ? self->level->eval_lane(&call) : self->level->eval(&call);
  if (code >= 0) store(what, &tile[U], first);
  return code;
}

static void evaluate_tile(Evaluation *self, uint64_t index, int thread) {
  uint64_t lanes = self->level->lanes, rest = self->what->count - index * lanes;
  char *mine = self->memory + (size_t)thread * self->thread_bytes;
  int code = evaluate_lanes(self, mine, index * lanes, rest < lanes ? (uint32_t)rest : (uint32_t)lanes);
  if (code >= 0) return;
#pragma omp critical(flow_evaluate_refused)
  if (!self->refused || index < self->refused_tile) self->refused = code, self->refused_tile = index;
}

/* One thread alone is the caller's, whose mode is set. */
static void evaluate_tiles(Evaluation *self) {
  uint64_t count = self->what->count, lanes = self->level->lanes, tiles = count / lanes + (count % lanes != 0);
  if (self->threads == 1) {
    for (uint64_t i = 0; i < tiles; i++) evaluate_tile(self, i, 0);
    return;
  }
#pragma omp parallel num_threads(self->threads)
  {
    FlowRounding callers = flow_rounding_enter();
#pragma omp for schedule(dynamic, 1)
    for (uint64_t i = 0; i < tiles; i++) evaluate_tile(self, i, omp_get_thread_num());
    flow_rounding_leave(callers);
  }
}

static flow_status choose_level(Evaluation *self, flow_error *error) {
  const FlowEvaluation *what = self->what;
  self->level = what->level;
  flow_status status = what->level ? FLOW_OK : flow_model_level(what->model, 0, &self->level, error);
  if (!status && !(what->t_per_sample ? self->level->eval_lane : self->level->eval))
    return flow_fail(error, FLOW_BAD_CALL, "%s was compiled without its velocity for %s", what->model->name,
                     what->t_per_sample ? "a time for each sample" : "one time");
  return status;
}

static flow_status evaluate_all(Evaluation *self, flow_error *error) {
  const FlowEvaluation *what = self->what;
  self->memory = lay_out(self) ? flow_alloc_aligned(what->allocator, self->all_bytes) : NULL;
  if (!self->memory) return flow_fail(error, FLOW_NO_MEMORY, "out of memory for an evaluation on %d threads", self->threads);
  flow_status status = what->t_per_sample ? FLOW_OK : flow_times_compute(&self->times, 0, what->t, 1, error);
  if (!status) evaluate_tiles(self);
  if (self->refused) status = flow_model_refused(what->model, what->t_per_sample ? "eval_lane" : "eval", self->refused, error);
  flow_free_aligned(what->allocator, self->memory, self->all_bytes);
  return status;
}

static flow_status run(Evaluation *self, flow_error *error) {
  const FlowEvaluation *what = self->what;
  flow_status status = flow_model_check(what->model, error);
  if (!status) status = flow_conditions_check(what->model, what->condition, 0, what->count, error);
  if (!status) status = choose_level(self, error);
  if (status || what->count == 0) return status;
  self->threads = flow_threads(what->threads);
  uint64_t tiles = what->count / self->level->lanes + (what->count % self->level->lanes != 0);
  if ((uint64_t)self->threads > tiles) self->threads = (int)tiles;
  status = flow_times_open(what->allocator, what->model, self->level, what->weights, 1, &self->times, error);
  if (status) return status;
  status = evaluate_all(self, error);
  flow_times_close(&self->times);
  return status;
}

flow_status flow_evaluate(const FlowEvaluation *what, flow_error *error) {
  FlowRounding callers = flow_rounding_enter();
  Evaluation self = {.what = what};
  flow_status status = run(&self, error);
  flow_rounding_leave(callers);
  return status;
}
