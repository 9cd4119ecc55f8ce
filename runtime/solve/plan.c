/* SPDX-License-Identifier: Apache-2.0 */
/* plan.c -- rows of stage times, and linear combinations. */
#include "plan.h"
#include <inttypes.h>
#include <string.h>

static double node(const FlowPlan *plan, uint64_t step) {
  if (step == plan->steps) return plan->t1;
  return plan->t0 + (plan->t1 - plan->t0) * (double)step / (double)plan->steps;
}

double flow_plan_time(const FlowPlan *plan, uint64_t row) {
  uint64_t step = row / plan->period;
  uint32_t slot = (uint32_t)(row % plan->period);
  return slot == 0 ? node(plan, step) : node(plan, step) + plan->offset[slot];
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
    plan->offset[plan->period] = tableau->c[j] * plan->h;
    plan->slot[j] = plan->period++;
  }
  for (uint32_t j = 0; j < tableau->stages; j++)
    if (tableau->c[j] == 1) plan->slot[j] = plan->period;
}

/* Appends h*row[0 .. count) without its zeros; returns the number of terms used so far. */
static uint32_t combine(FlowPlan *plan, uint32_t precision, const double *row, uint32_t count, uint32_t terms,
                        flow_combination *combination) {
  combination->stage = plan->stage + terms;
  combination->coefficient =
      precision == FLOW_F32 ? (const void *)(plan->coefficient.f32 + terms) : plan->coefficient.f64 + terms;
  for (uint32_t i = 0; i < count; i++) {
    if (row[i] == 0) continue;
    uint32_t at = terms + combination->count++;
    plan->stage[at] = i;
    if (precision == FLOW_F32)
      plan->coefficient.f32[at] = (float)(plan->h * row[i]);
    else
      plan->coefficient.f64[at] = plan->h * row[i];
  }
  return terms + combination->count;
}

flow_status flow_plan_make(FlowPlan *plan, const FlowTableau *tableau, uint32_t precision, uint64_t steps, double t0,
                           double t1, flow_error *error) {
  double length = t1 - t0;
  if (length - length != 0)
    return flow_fail(error, FLOW_BAD_CALL, "a solve from t = %.17g to t = %.17g: both times must be finite", t0, t1);
  if (steps < 1 || steps > UINT64_C(1) << 48)
    return flow_fail(error, FLOW_BAD_CALL, "%" PRIu64 " steps: a solve takes at least 1 step and at most 2^48", steps);
  memset(plan, 0, sizeof *plan);
  plan->tableau = tableau;
  plan->t0 = t0;
  plan->t1 = t1;
  plan->steps = steps;
  plan->h = length / (double)steps;
  assign_slots(plan);
  plan->rows = flow_plan_rows_until(plan, steps);
  uint32_t stages = tableau->stages, terms = 0;
  for (uint32_t j = 0; j < stages; j++)
    terms = combine(plan, precision, flow_tableau_row(tableau, j), j, terms, &plan->combination[j]);
  combine(plan, precision, tableau->b, stages, terms, &plan->combination[stages]);
  return FLOW_OK;
}
