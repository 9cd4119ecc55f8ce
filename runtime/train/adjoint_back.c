/* SPDX-License-Identifier: Apache-2.0 */
/* adjoint_back.c -- steps backward: stages from the last one on, each for all samples of the block that make the step. */
#include "adjoint_lanes.h"
#include "adjoint_parts.h"
#include <string.h>

static FlowTile tile_of(const AdjointWork *w, AdjointPart part, uint64_t rows, uint32_t lane) {
  const FlowAdjoint *a = w->adjoint;
  uint32_t rest = w->live - lane, width = a->back->lanes;
  size_t index = part == PART_BACK_CONDITIONS ? lane / width : 0;
  return flow_tile(a->settings.back, a->back, w->memory + a->at[part] + index * a->one[part], rows, rest < width ? rest : width);
}

int adjoint_back_open(AdjointWork *w) {
  const FlowAdjoint *a = w->adjoint;
  w->time_row = UINT64_MAX;
  int code = w->solve ? adjoint_replay_open(w) : 0;
  for (uint32_t lane = 0; a->settings.ahead->conditions && lane < w->live; lane += a->back->lanes) {
    FlowTile conditions = tile_of(w, PART_BACK_CONDITIONS, a->settings.back->condition_rows, lane);
    adjoint_fill_conditions(w, a->settings.back, lane, &conditions);
  }
  return code;
}

/* ---- the time of a stage, the same in all lanes, or each lane's own -------------------------------------------------------------- */

/* Number 0 of each row to all lanes of it. */
static void spread(const FlowTile *tile) {
  for (uint64_t row = 0; row < tile->rows; row++)
    for (uint32_t lane = 1; lane < tile->stride; lane++)
      memcpy((char *)tile->data + (row * tile->stride + lane) * tile->precision, (char *)tile->data + row * tile->stride * tile->precision,
             tile->precision);
}

static int compute_times(const AdjointWork *w, const FlowTile *t, uint32_t lanes, const FlowTile *times) {
  const FlowAdjoint *a = w->adjoint;
  flow_call call = {.size = sizeof call, .lanes = lanes, .weights = w->back_weights, .t = t->data, .u = times->data,
                    .scratch = w->memory + a->at[PART_BACK_SCRATCH]};
  return times->rows ? a->back->times(&call) : 0;
}

static int aim(AdjointWork *w, uint64_t step, uint32_t stage) {
  const FlowAdjoint *a = w->adjoint;
  uint64_t time_row = flow_plan_row(&a->plan, step, stage);
  if (w->time_row == time_row) return 0;
  w->time_row = time_row;
  FlowTile t = tile_of(w, PART_BACK_TIME, 1, 0), times = tile_of(w, PART_BACK_TIMES, a->settings.back->times_rows, 0);
  flow_tile_set(&t, 0, 0, flow_plan_time(&a->plan, time_row));
  spread(&t);
  int code = compute_times(w, &t, a->back->quantum, &times);
  spread(&times);
  return code;
}

static int aim_lanes(const AdjointWork *w, uint64_t step, uint32_t stage, uint32_t lane) {
  FlowTile t = tile_of(w, PART_BACK_TIME, 1, lane), times = tile_of(w, PART_BACK_TIMES, w->adjoint->settings.back->times_rows, lane);
  adjoint_replay_times(w, step, stage, lane, &t);
  return compute_times(w, &t, t.lanes, &times);
}

/* ---- one stage -------------------------------------------------------------------------------------------------------------- */

/* h b and h a of a step, [i][j]: what stage j has of slope i; row `stages` is the end of the step.  Where each sample has its h, b and a. */
typedef struct Coefficients { double of[FLOW_MOST_STAGES + 1][FLOW_MOST_STAGES]; } Coefficients;

static Coefficients coefficients_of(const AdjointWork *w, uint64_t step) {
  const FlowAdjoint *a = w->adjoint;
  FlowStepCombinations own;
  Coefficients c = {{{0}}};
  const flow_combination *combination = w->solve ? a->again.combination : flow_plan_combination(&a->plan, step, &own);
  for (uint32_t j = 0; j <= a->settings.tableau->stages; j++)
    for (uint32_t i = 0; i < combination[j].count; i++) c.of[j][combination[j].stage[i]] = adjoint_coefficient(a, &combination[j], i);
  return c;
}

/* One more term of a chain whose first one is a product. */
static bool add_term(const AdjointWork *w, bool begun, double c, const void *from) {
  const FlowAdjoint *a = w->adjoint;
  uint32_t precision = a->settings.ahead->precision;
  if (c == 0) return begun;
  (begun ? flow_lanes_fma : flow_lanes_scale)(precision, a->block_bytes / precision, c, from, adjoint_block(w, PART_COMBINED, 0));
  return true;
}

/* A row for each lane, times the row of lengths. */
static void lengthen(const AdjointWork *w, uint64_t rows, void *block) {
  const FlowAdjoint *a = w->adjoint;
  if (w->solve) flow_lanes_times_row(a->settings.ahead->precision, rows, FLOW_BLOCK_SAMPLES, w->memory + a->at[PART_LENGTH], block);
}

/* kbar_i; false: it vanishes. */
static bool combine(const AdjointWork *w, const Coefficients *c, uint32_t stage, uint32_t active) {
  uint32_t stages = w->adjoint->settings.tableau->stages;
  bool begun = add_term(w, false, c->of[stages][stage], adjoint_block(w, PART_COSTATE, 0));
  for (uint32_t j = stages; j-- > stage + 1;)
    if (active >> j & 1) begun = add_term(w, begun, c->of[j][stage], adjoint_block(w, PART_BAR, j));
  if (begun) lengthen(w, w->adjoint->settings.ahead->dim, adjoint_block(w, PART_COMBINED, 0));
  return begun;
}

/* kbar_i, rbar_i and those of terms to the last condition of a tile. */
static void fill_adjoint(const AdjointWork *w, double rate, uint32_t lane, const FlowTile *conditions) {
  const FlowAdjoint *a = w->adjoint;
  const flow_model *model = a->settings.back;
  FlowTile target = *conditions, from = adjoint_block_tile(w, adjoint_block(w, PART_COMBINED, 0), model->dim);
  target.data = (char *)conditions->data + (size_t)model->condition[model->conditions - 1].row * target.stride * target.precision;
  target.rows = model->dim;
  adjoint_take(&target, &from, lane);
  if (a->settings.ahead->extras == 0) return;
  uint32_t rows = adjoint_integrals(a);
  FlowTile rates = adjoint_block_tile(w, w->memory + a->at[w->solve ? PART_STEP_RATE : PART_RATE], rows), row = target;
  row.data = (char *)target.data + (size_t)model->dim * target.stride * target.precision;
  row.rows = rows;
  adjoint_take(&row, &rates, lane);
  for (uint32_t i = 0; i < rows; i++) {
    char *at = (char *)row.data + (size_t)i * row.stride * row.precision;
    flow_lanes_scale(row.precision, row.lanes, rate, at, at);
  }
}

/* h b times the rates of a stage, to the integrals. */
static void add_rates(const AdjointWork *w, double rate, uint32_t lane, const FlowTile *rates) {
  double *integral = (double *)(void *)(w->memory + w->adjoint->at[PART_INTEGRAL]) + lane;
  for (uint32_t i = 0; i < rates->rows; i++, integral += FLOW_BLOCK_SAMPLES)
    for (uint32_t k = 0; k < rates->live; k++) integral[k] += rate * flow_tile_at(rates, i, k);
}

static int run_tile(const AdjointWork *w, uint32_t stage, double rate, uint32_t lane, void *sums) {
  const FlowAdjoint *a = w->adjoint;
  const flow_model *model = a->settings.back;
  FlowTile x = tile_of(w, PART_BACK_X, model->dim, lane), cond = tile_of(w, PART_BACK_COND, model->cond_rows, lane);
  FlowTile conditions = tile_of(w, PART_BACK_CONDITIONS, model->condition_rows, lane), bar = x;
  FlowTile from = adjoint_block_tile(w, adjoint_block(w, PART_STAGE, stage), model->dim);
  FlowTile to = adjoint_block_tile(w, adjoint_block(w, PART_BAR, stage), model->dim);
  adjoint_take(&x, &from, lane);
  fill_adjoint(w, rate, lane, &conditions);
  flow_call call = {.size = sizeof call, .lanes = x.lanes, .live = x.live, .weights = w->back_weights, .conditions = conditions.data,
                    .t = w->memory + a->at[PART_BACK_TIME], .scratch = w->memory + a->at[PART_BACK_SCRATCH], .u = cond.data};
  int code = cond.rows ? a->back->cond(&call) : 0;
  call.cond = cond.rows ? cond.data : NULL;
  call.times = w->memory + a->at[PART_BACK_TIMES];
  call.x = x.data;
  call.u = w->memory + a->at[PART_BACK_RESULT];
  call.gradient = sums;
  if (code >= 0) code = a->back->gradient(&call);
  bar.data = (char *)call.u + (size_t)x.stride * x.precision;
  adjoint_put(&bar, &to, lane);
  FlowTile rates = bar;
  rates.data = (char *)bar.data + (size_t)model->dim * x.stride * x.precision;
  rates.rows = adjoint_integrals(a);
  if (code >= 0 && rate != 0 && adjoint_sums_back(w)) add_rates(w, rate, lane, &rates);
  return code;
}

static int run_stage(AdjointWork *w, uint64_t step, uint32_t stage, double rate, void *sums) {
  const FlowAdjoint *a = w->adjoint;
  int code = w->solve ? 0 : aim(w, step, stage);
  for (uint32_t lane = 0; code >= 0 && lane < w->live; lane += a->back->lanes) {
    if (w->solve) code = aim_lanes(w, step, stage, lane);
    if (code >= 0) code = run_tile(w, stage, rate, lane, sums);
  }
  return code;
}

/* ---- steps ------------------------------------------------------------------------------------------------------------------ */

static int remake_stages(AdjointWork *w, uint64_t step) {
  const FlowAdjoint *a = w->adjoint;
  if (!w->solve) return adjoint_stages(w, step);
  int code = adjoint_replay_stages(w, step);
  uint32_t rows = 1 + a->settings.terms;
  memcpy(w->memory + a->at[PART_STEP_RATE], w->memory + a->at[PART_RATE], (size_t)rows * FLOW_BLOCK_SAMPLES * a->settings.ahead->precision);
  lengthen(w, rows, w->memory + a->at[PART_STEP_RATE]);
  return code;
}

/* Those under way alone: the costates of others wait for their own steps. */
static void add_lanes(const AdjointWork *w, const char *from, char *to) {
  uint32_t precision = w->adjoint->settings.ahead->precision;
  size_t row = (size_t)FLOW_BLOCK_SAMPLES * precision;
  for (size_t at = 0; at < w->adjoint->block_bytes; at += row) flow_lanes_add(precision, w->live, from + at, to + at);
}

static int run_step(AdjointWork *w, uint64_t step, void *sums) {
  const FlowAdjoint *a = w->adjoint;
  uint32_t stages = a->settings.tableau->stages, active = 0;
  Coefficients c = coefficients_of(w, step);
  int code = remake_stages(w, step);
  for (uint32_t i = stages; code >= 0 && i-- > 0;) {
    double rate = c.of[stages][i];
    if (!combine(w, &c, i, active)) continue;           /* and then b is 0: neither has the rate a part */
    active |= 1u << i;
    code = run_stage(w, step, i, rate, sums);
  }
  for (uint32_t i = stages; i-- > 0;)
    if (active >> i & 1) add_lanes(w, adjoint_block(w, PART_BAR, i), adjoint_block(w, PART_COSTATE, 0));
  return code;
}

/* The nodes from a checkpoint on, up to the next one. */
static int remake(const AdjointWork *w, uint64_t checkpoint) {
  if (w->solve) return adjoint_replay_remake(w, checkpoint);
  return w->adjoint->interval > 1 ? adjoint_remake(w, checkpoint) : 0;
}

int adjoint_back(AdjointWork *w, void *sums) {
  const FlowAdjoint *a = w->adjoint;
  int code = adjoint_back_open(w);
  for (uint64_t step = w->steps; code >= 0 && step-- > 0;) {
    if (flow_stop_asked(a->settings.stop)) return FLOW_BLOCK_STOPPED;
    bool last_of_interval = step + 1 == w->steps || (step + 1) % a->interval == 0;
    if (w->solve) w->live = adjoint_under_way(w, step);
    if (last_of_interval) code = remake(w, step - step % a->interval);
    if (code >= 0) code = run_step(w, step, sums);
  }
  return code;
}
