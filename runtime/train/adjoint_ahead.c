/* SPDX-License-Identifier: Apache-2.0 */
/* adjoint_ahead.c -- steps forward: the solve, and again what of it was not kept. */
#include "adjoint_lanes.h"
#include "adjoint_parts.h"
#include <string.h>

/* One tile of the velocity's: the samples from `lane` of the block on. */
typedef struct Tile {
  const AdjointWork *work;
  uint32_t lane;
  FlowTile x;                   /* the state's rows, behind which the extras' stand */
  flow_call call;
  const void *time[FLOW_MOST_STAGES];
  FlowStepCombinations own;
} Tile;

static void open_tile(Tile *t, const AdjointWork *w, uint32_t lane) {
  const flow_model *model = w->adjoint->settings.ahead;
  t->work = w;
  t->lane = lane;
  t->x = adjoint_ahead_tile(w, PART_AHEAD_X, model->dim, lane);
  FlowTile conditions = adjoint_ahead_tile(w, PART_AHEAD_CONDITIONS, model->condition_rows, lane);
  FlowTile cond = adjoint_ahead_tile(w, PART_AHEAD_COND, model->cond_rows, lane);
  t->call = (flow_call){.size = sizeof(flow_call), .lanes = t->x.lanes, .weights = w->ahead_weights,
                        .conditions = conditions.rows ? conditions.data : NULL, .cond = cond.rows ? cond.data : NULL, .x = t->x.data,
                        .stages = w->adjoint->settings.tableau->stages, .stage_times = t->time,
                        .scratch = w->memory + w->adjoint->at[PART_AHEAD_SCRATCH]};
}

static void load(const Tile *t, void *block) {
  FlowTile from = adjoint_block_tile(t->work, block, t->x.rows);
  adjoint_take(&t->x, &from, t->lane);
}

static void store(const Tile *t, void *block) {
  FlowTile to = adjoint_block_tile(t->work, block, t->x.rows);
  adjoint_put(&t->x, &to, t->lane);
}

static void aim(Tile *t, uint64_t step) {
  const FlowAdjoint *a = t->work->adjoint;
  for (uint32_t j = 0; j < t->call.stages; j++) t->time[j] = flow_times_row(&a->times, flow_plan_row(&a->plan, step, j));
  t->call.combination = flow_plan_combination(&a->plan, step, &t->own);
}

/* ---- the solve -------------------------------------------------------------------------------------------------------------- */

static int begin(const Tile *t) {
  const FlowAdjoint *a = t->work->adjoint;
  const flow_model *model = a->settings.ahead;
  FlowTile conditions = adjoint_ahead_tile(t->work, PART_AHEAD_CONDITIONS, model->condition_rows, t->lane);
  if (conditions.rows) adjoint_fill_conditions(t->work, model, t->lane, &conditions);
  load(t, adjoint_block(t->work, PART_STATE, 0));
  if (model->cond_rows == 0) return 0;
  flow_call call = t->call;
  call.u = (void *)(uintptr_t)call.cond;
  call.cond = NULL;
  return a->ahead->cond(&call);
}

/* Stages of weight 0 need no rates. */
static uint64_t quiet_stages(const FlowTableau *tableau) {
  uint64_t quiet = 0;
  for (uint32_t j = 0; j < tableau->stages; j++)
    if (tableau->b[j] == 0) quiet |= UINT64_C(1) << j;
  return quiet;
}

static void clear_extras(const Tile *t) {
  size_t row = (size_t)t->x.stride * t->x.precision;
  memset((char *)t->x.data + t->x.rows * row, 0, t->work->adjoint->settings.ahead->extras * row);
}

/* What the step has added to the integrals, in f64; and the next one begins at 0. */
static void take_extras(const Tile *t, double *integral) {
  uint32_t extras = t->work->adjoint->settings.ahead->extras;
  for (uint32_t e = 0; e < extras; e++) {
    double *to = integral + adjoint_integral_of(t->work->adjoint, e) * FLOW_BLOCK_SAMPLES + t->lane;
    for (uint32_t lane = 0; lane < t->x.live; lane++) to[lane] += flow_tile_at(&t->x, t->x.rows + e, lane);
  }
  if (extras) clear_extras(t);
}

/* k_0, k_1, .. as a step has left them in scratch (flow/model.h). */
static void store_slopes(const Tile *t, uint64_t step, uint32_t count) {
  const FlowAdjoint *a = t->work->adjoint;
  FlowTile from = t->x;
  for (uint32_t j = 0; j < count; j++) {
    FlowTile to = adjoint_block_tile(t->work, adjoint_slope(t->work, step, j), t->x.rows);
    from.data = (char *)t->call.scratch + a->ahead->scratch_bytes + j * a->ahead->stage_bytes;
    adjoint_put(&from, &to, t->lane);
  }
}

static int solve_tile(Tile *t, double *integral) {
  const FlowAdjoint *a = t->work->adjoint;
  uint32_t slopes = a->keeps_slopes && !t->work->batch->loss_alone ? t->call.stages - 1 : 0;
  int code = begin(t);
  clear_extras(t);
  t->call.quiet = adjoint_sums_back(t->work) ? UINT64_MAX : quiet_stages(a->settings.tableau);
  for (uint64_t step = 0; code >= 0 && step < a->plan.steps; step++) {
    if (flow_stop_asked(a->settings.stop)) return FLOW_BLOCK_STOPPED;
    if (step % a->interval == 0) store(t, adjoint_node(t->work, PART_KEPT, step / a->interval));
    aim(t, step);
    code = a->ahead->step(&t->call);
    store_slopes(t, step, slopes);
    if (!adjoint_sums_back(t->work)) take_extras(t, integral);
  }
  store(t, adjoint_block(t->work, PART_STATE, 0));
  return code;
}

int adjoint_ahead(const AdjointWork *w) {
  double *integral = (double *)(void *)(w->memory + w->adjoint->at[PART_INTEGRAL]);
  int code = 0;
  memset(integral, 0, (1 + w->adjoint->settings.terms) * FLOW_BLOCK_SAMPLES * sizeof *integral);
  for (uint32_t lane = 0; code >= 0 && lane < w->live; lane += w->adjoint->ahead->lanes) {
    Tile tile;
    open_tile(&tile, w, lane);
    code = solve_tile(&tile, integral);
  }
  return code;
}

/* ---- again ------------------------------------------------------------------------------------------------------------------ */

int adjoint_remake(const AdjointWork *w, uint64_t step) {
  const FlowAdjoint *a = w->adjoint;
  uint64_t rest = a->plan.steps - step, end = step + (rest < a->interval ? rest : a->interval);
  int code = 0;
  for (uint32_t lane = 0; code >= 0 && lane < w->live; lane += a->ahead->lanes) {
    Tile tile;
    open_tile(&tile, w, lane);
    tile.call.quiet = UINT64_MAX;
    load(&tile, adjoint_state(w, step));
    for (uint64_t at = step; code >= 0 && at + 1 < end; at++) {
      aim(&tile, at);
      code = a->ahead->step(&tile.call);
      store(&tile, adjoint_state(w, at + 1));
    }
  }
  return code;
}

/* k_0 .. k_(s-2) of a tile: a step that ends with the last stage's state. */
static int slopes(Tile *t, uint64_t step) {
  load(t, adjoint_state(t->work, step));
  aim(t, step);
  t->call.stages--;
  t->call.quiet = UINT64_MAX;
  int code = t->work->adjoint->ahead->step(&t->call);
  store_slopes(t, step, t->call.stages);
  return code;
}

/* X_j, with the terms and roundings of the step itself. */
static void combine(const AdjointWork *w, uint64_t step, uint32_t j, const flow_combination *terms) {
  const FlowAdjoint *a = w->adjoint;
  uint32_t precision = a->settings.ahead->precision;
  size_t numbers = a->block_bytes / precision;
  void *to = adjoint_block(w, PART_STAGE, j);
  memcpy(to, adjoint_state(w, step), a->block_bytes);
  for (uint32_t i = 0; i < terms->count; i++) {
    double c = adjoint_coefficient(a, terms, i);
    flow_lanes_fma(precision, numbers, c, adjoint_slope(w, step, terms->stage[i]), to);
  }
}

int adjoint_stages(const AdjointWork *w, uint64_t step) {
  const FlowAdjoint *a = w->adjoint;
  uint32_t stages = a->settings.tableau->stages;
  int code = 0;
  for (uint32_t lane = 0; code >= 0 && stages > 1 && !a->keeps_slopes && lane < w->live; lane += a->ahead->lanes) {
    Tile tile;
    open_tile(&tile, w, lane);
    code = slopes(&tile, step);
  }
  FlowStepCombinations own;
  const flow_combination *combination = flow_plan_combination(&a->plan, step, &own);
  for (uint32_t j = 0; code >= 0 && j < stages; j++) combine(w, step, j, &combination[j]);
  return code;
}
