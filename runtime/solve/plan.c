/* SPDX-License-Identifier: Apache-2.0 */
/* plan.c -- rows of stage times, and linear combinations. */
#include "plan.h"
#include <inttypes.h>
#include <string.h>

double flow_plan_node(const FlowPlan *plan, uint64_t step) {
  return flow_grid_node(&plan->grid, plan->steps, plan->t0, plan->t1, step);
}

static double length_of(const FlowPlan *plan, uint64_t step) {
  if (plan->grid.spacing == FLOW_SPACING_EQUAL) return plan->h;
  return flow_plan_node(plan, step + 1) - flow_plan_node(plan, step);
}

double flow_plan_time(const FlowPlan *plan, uint64_t row) {
  uint64_t step = row / plan->period;
  uint32_t slot = (uint32_t)(row % plan->period);
  double node = flow_plan_node(plan, step);
  return slot == 0 ? node : node + plan->fraction[slot] * length_of(plan, step);
}

static bool reads_the_end(const FlowPlan *plan) {
  for (uint32_t j = 0; j < plan->tableau->stages; j++)
    if (plan->slot[j] == plan->period) return true;
  return false;
}

uint64_t flow_plan_rows_until(const FlowPlan *plan, uint64_t step) {
  return step * plan->period + (reads_the_end(plan) ? 1 : 0);
}

/* The slot of an earlier stage with the same c, or 0 if stage j is the first one with it. */
static uint32_t slot_of_equal(const FlowPlan *plan, uint32_t j) {
  for (uint32_t i = 0; i < j; i++)
    if (plan->tableau->c[i] == plan->tableau->c[j]) return plan->slot[i];
  return 0;
}

static void assign_slots(FlowPlan *plan) {
  const FlowTableau *tableau = plan->tableau;
  plan->period = 1;
  for (uint32_t j = 0; j < tableau->stages; j++) {
    if (tableau->c[j] == 0 || tableau->c[j] == 1) continue;
    plan->slot[j] = slot_of_equal(plan, j);
    if (plan->slot[j]) continue;
    plan->fraction[plan->period] = tableau->c[j];
    plan->slot[j] = plan->period++;
  }
  for (uint32_t j = 0; j < tableau->stages; j++)
    if (tableau->c[j] == 1) plan->slot[j] = plan->period;
}

/* Appends row[0 .. count) without its zeros. */
static void append(FlowPlan *plan, const double *row, uint32_t count, flow_combination *combination) {
  combination->stage = plan->stage + plan->terms;
  for (uint32_t i = 0; i < count; i++) {
    if (row[i] == 0) continue;
    plan->stage[plan->terms] = i;
    plan->entry[plan->terms++] = row[i];
    combination->count++;
  }
}

/* h*entry, rounded once; the combinations' coefficients stand one after the other as their stages do. */
static void scale(const FlowPlan *plan, double h, flow_combination *combination, FlowCoefficients *to) {
  for (uint32_t i = 0; i < plan->terms; i++) {
    if (plan->precision == FLOW_F32)
      to->f32[i] = (float)(h * plan->entry[i]);
    else
      to->f64[i] = h * plan->entry[i];
  }
  for (uint32_t j = 0; j <= plan->tableau->stages; j++) {
    ptrdiff_t at = plan->combination[j].stage - plan->stage;
    combination[j] = plan->combination[j];
    combination[j].coefficient = plan->precision == FLOW_F32 ? (const void *)(to->f32 + at) : to->f64 + at;
  }
}

const flow_combination *flow_plan_combination(const FlowPlan *plan, uint64_t step, FlowStepCombinations *room) {
  if (plan->grid.spacing == FLOW_SPACING_EQUAL) return plan->combination;
  scale(plan, length_of(plan, step), room->combination, &room->coefficient);
  return room->combination;
}

static void make_combinations(FlowPlan *plan) {
  const FlowTableau *tableau = plan->tableau;
  for (uint32_t j = 0; j <= tableau->stages; j++)       /* the end's row is b */
    append(plan, flow_tableau_row(tableau, j), flow_tableau_row_length(tableau, j), &plan->combination[j]);
  scale(plan, plan->h, plan->combination, &plan->coefficient);
}

flow_status flow_plan_make_on(FlowPlan *plan, const FlowGrid *grid, const FlowTableau *tableau, uint32_t precision,
                              uint64_t steps, double t0, double t1, flow_error *error) {
  double length = t1 - t0;
  if (length - length != 0)
    return flow_fail(error, FLOW_BAD_CALL, "a solve from t = %.17g to t = %.17g: both times must be finite", t0, t1);
  if (steps < 1 || steps > UINT64_C(1) << 48)
    return flow_fail(error, FLOW_BAD_CALL, "%" PRIu64 " steps: a solve takes at least 1 step and at most 2^48", steps);
  memset(plan, 0, sizeof *plan);
  if (grid) plan->grid = *grid;
  flow_status status = flow_grid_check(&plan->grid, steps, t0, t1, error);
  if (status) return status;
  plan->tableau = tableau;
  plan->precision = precision;
  plan->t0 = t0;
  plan->t1 = t1;
  plan->steps = steps;
  plan->h = plan->grid.spacing == FLOW_SPACING_EQUAL ? length / (double)steps : 0;
  assign_slots(plan);
  plan->rows = flow_plan_rows_until(plan, steps);
  make_combinations(plan);
  return FLOW_OK;
}
