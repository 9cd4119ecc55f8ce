/* SPDX-License-Identifier: Apache-2.0 */
/* adjoint_back.c -- steps backward: stages from the last one on, each for all samples of the block. */
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
  for (uint32_t lane = 0; a->given.conditions && lane < w->live; lane += a->back->lanes) {
    FlowTile conditions = tile_of(w, PART_BACK_CONDITIONS, a->settings.back->condition_rows, lane);
    adjoint_fill_conditions(w, &a->given, lane, &conditions);
  }
  return 0;
}

/* ---- the time of a stage, the same in all lanes ------------------------------------------------------------------------------ */

/* Number 0 of each row to all lanes of it. */
static void spread(const FlowTile *tile) {
  for (uint64_t row = 0; row < tile->rows; row++)
    for (uint32_t lane = 1; lane < tile->stride; lane++)
      memcpy((char *)tile->data + (row * tile->stride + lane) * tile->precision, (char *)tile->data + row * tile->stride * tile->precision,
             tile->precision);
}

static int aim(AdjointWork *w, uint64_t time_row) {
  const FlowAdjoint *a = w->adjoint;
  const flow_model *model = a->settings.back;
  if (w->time_row == time_row) return 0;
  w->time_row = time_row;
  FlowTile t = tile_of(w, PART_BACK_TIME, 1, 0), times = tile_of(w, PART_BACK_TIMES, model->times_rows, 0);
  flow_tile_set(&t, 0, 0, flow_plan_time(&a->plan, time_row));
  spread(&t);
  if (model->times_rows == 0) return 0;
  flow_call call = {.size = sizeof call, .lanes = a->back->quantum, .weights = w->back_weights, .t = t.data, .u = times.data,
                    .scratch = w->memory + a->at[PART_BACK_SCRATCH]};
  int code = a->back->times(&call);
  spread(&times);
  return code;
}

/* ---- one stage -------------------------------------------------------------------------------------------------------------- */

/* h b and h a of a step, [i][j]: what stage j has of slope i; row `stages` is the end of the step. */
typedef struct Coefficients { double of[FLOW_MOST_STAGES + 1][FLOW_MOST_STAGES]; } Coefficients;

static Coefficients coefficients_of(const FlowPlan *plan, uint64_t step) {
  FlowStepCombinations own;
  Coefficients c = {{{0}}};
  const flow_combination *combination = flow_plan_combination(plan, step, &own);
  for (uint32_t j = 0; j <= plan->tableau->stages; j++)
    for (uint32_t i = 0; i < combination[j].count; i++) {
      const void *from = combination[j].coefficient;
      c.of[j][combination[j].stage[i]] = plan->precision == FLOW_F32 ? (double)((const float *)from)[i] : ((const double *)from)[i];
    }
  return c;
}

/* One more term of a chain whose first one is a product. */
static bool add_term(const AdjointWork *w, bool begun, double c, const void *from) {
  const FlowAdjoint *a = w->adjoint;
  uint32_t precision = a->plan.precision;
  if (c == 0) return begun;
  (begun ? flow_lanes_fma : flow_lanes_scale)(precision, a->block_bytes / precision, c, from, adjoint_block(w, PART_COMBINED, 0));
  return true;
}

/* kbar_i; false: it vanishes. */
static bool combine(const AdjointWork *w, const Coefficients *c, uint32_t stage, uint32_t active) {
  uint32_t stages = w->adjoint->plan.tableau->stages;
  bool begun = add_term(w, false, c->of[stages][stage], adjoint_block(w, PART_COSTATE, 0));
  for (uint32_t j = stages; j-- > stage + 1;)
    if (active >> j & 1) begun = add_term(w, begun, c->of[j][stage], adjoint_block(w, PART_BAR, j));
  return begun;
}

/* kbar_i and rbar_i to the last condition of a tile. */
static void fill_adjoint(const AdjointWork *w, double rate, uint32_t lane, const FlowTile *conditions) {
  const FlowAdjoint *a = w->adjoint;
  const flow_model *model = a->settings.back;
  FlowTile target = *conditions, from = adjoint_block_tile(w, adjoint_block(w, PART_COMBINED, 0), model->dim);
  target.data = (char *)conditions->data + (size_t)model->condition[model->conditions - 1].row * target.stride * target.precision;
  target.rows = model->dim;
  adjoint_take(&target, &from, lane);
  if (a->settings.ahead->extras == 0) return;
  FlowTile rates = adjoint_block_tile(w, w->memory + a->at[PART_RATE], 1), row = target;
  row.data = (char *)target.data + (size_t)model->dim * target.stride * target.precision;
  row.rows = 1;
  adjoint_take(&row, &rates, lane);
  flow_lanes_scale(row.precision, row.lanes, rate, row.data, row.data);
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
  return code;
}

static int run_stage(AdjointWork *w, uint64_t step, uint32_t stage, double rate, void *sums) {
  const FlowAdjoint *a = w->adjoint;
  int code = aim(w, flow_plan_row(&a->plan, step, stage));
  for (uint32_t lane = 0; code >= 0 && lane < w->live; lane += a->back->lanes) code = run_tile(w, stage, rate, lane, sums);
  return code;
}

/* ---- steps ------------------------------------------------------------------------------------------------------------------ */

static int run_step(AdjointWork *w, uint64_t step, void *sums) {
  const FlowAdjoint *a = w->adjoint;
  uint32_t stages = a->plan.tableau->stages, active = 0;
  Coefficients c = coefficients_of(&a->plan, step);
  int code = adjoint_stages(w, step);
  for (uint32_t i = stages; code >= 0 && i-- > 0;) {
    double rate = c.of[stages][i];
    if (!combine(w, &c, i, active)) continue;           /* and then b is 0: neither has the rate a part */
    active |= 1u << i;
    code = run_stage(w, step, i, rate, sums);
  }
  for (uint32_t i = stages; i-- > 0;)
    if (active >> i & 1)
      flow_lanes_add(a->plan.precision, a->block_bytes / a->plan.precision, adjoint_block(w, PART_BAR, i), adjoint_block(w, PART_COSTATE, 0));
  return code;
}

int adjoint_back(AdjointWork *w, void *sums) {
  const FlowAdjoint *a = w->adjoint;
  int code = adjoint_back_open(w);
  for (uint64_t step = a->plan.steps; code >= 0 && step-- > 0;) {
    bool last_of_interval = step + 1 == a->plan.steps || (step + 1) % a->interval == 0;
    if (last_of_interval && a->interval > 1) code = adjoint_remake(w, step - step % a->interval);
    if (code >= 0) code = run_step(w, step, sums);
  }
  return code;
}
