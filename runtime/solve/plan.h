/* SPDX-License-Identifier: Apache-2.0 */
/* plan.h -- the numbers of a fixed-step solve that are the same for all samples: stage times and coefficients.
 *
 * TIMES.  Every time is computed from its step i, never accumulated:
 *     node i     grid.h; with equal steps t0 + (t1 - t0)*i/N;   node N is t1 itself
 *     stage j    t_i + c_j h_i;        c_j = 0 and c_j = 1 mean the nodes i and i + 1
 * where h_i is (t1 - t0)/N with equal steps and else t_(i+1) - t_i.
 * Equal times share one row.  Rows are numbered through the whole solve: `period` rows a step, first the node, then one
 * for each other c in the order in which the stages use them; the last node's row stands at the end, if a stage needs it:
 *
 *     rk4:   t_0   t_0 + h/2   t_1   t_1 + h/2   t_2 ...  t_N        period 2, 2N + 1 rows
 *
 * COEFFICIENTS.  h*a_ji and h*b_j are computed in f64 and rounded once to the model's precision; terms whose entry in
 * the tableau is 0 are left out.  stages + 1 combinations: one for each stage's argument (the first is empty) and the
 * last one for the new state.  Equal steps share those of the plan; others scale their own.
 *
 * A plan has no memory of its own beyond the struct and must not be copied: its combinations point into it. */
#ifndef FLOW_PLAN_H
#define FLOW_PLAN_H
#include "flow/model.h"
#include "flow/status.h"
#include "grid.h"
#include "tableau.h"

enum { FLOW_MOST_TERMS = FLOW_MOST_STAGES * (FLOW_MOST_STAGES + 1) / 2 };

typedef union FlowCoefficients {
  float f32[FLOW_MOST_TERMS];
  double f64[FLOW_MOST_TERMS];
} FlowCoefficients;

typedef struct FlowPlan {
  const FlowTableau *tableau;
  FlowGrid grid;
  uint32_t precision;
  double t0, t1, h;             /* h: of equal steps, else 0 */
  uint64_t steps, rows;
  uint32_t period;
  uint32_t slot[FLOW_MOST_STAGES];      /* row of a stage, counted from its step's node; c = 1 is slot `period` */
  double fraction[FLOW_MOST_STAGES];    /* c of slots 1 .. period - 1 */
  flow_combination combination[FLOW_MOST_STAGES + 1];
  uint32_t terms, stage[FLOW_MOST_TERMS];
  double entry[FLOW_MOST_TERMS];        /* of the tableau */
  FlowCoefficients coefficient;         /* h*entry */
} FlowPlan;

/* grid NULL: equal steps.  A grid's nodes are borrowed as long as the plan is used.  BAD_CALL if a number of steps, a time or
 * the grid makes no sense. */
flow_status flow_plan_make_on(FlowPlan *plan, const FlowGrid *grid, const FlowTableau *tableau, uint32_t precision,
                              uint64_t steps, double t0, double t1, flow_error *error);
static inline flow_status flow_plan_make(FlowPlan *plan, const FlowTableau *tableau, uint32_t precision, uint64_t steps,
                                         double t0, double t1, flow_error *error) {
  return flow_plan_make_on(plan, NULL, tableau, precision, steps, t0, t1, error);
}

double flow_plan_node(const FlowPlan *plan, uint64_t step);
/* Of a step: the plan's own with equal steps, else made in `room`. */
typedef struct FlowStepCombinations {
  flow_combination combination[FLOW_MOST_STAGES + 1];
  FlowCoefficients coefficient;
} FlowStepCombinations;
const flow_combination *flow_plan_combination(const FlowPlan *plan, uint64_t step, FlowStepCombinations *room);

double flow_plan_time(const FlowPlan *plan, uint64_t row);
static inline uint64_t flow_plan_row(const FlowPlan *plan, uint64_t step, uint32_t stage) {
  return step * plan->period + plan->slot[stage];
}
/* One past the last row that the steps before `step` read. */
uint64_t flow_plan_rows_until(const FlowPlan *plan, uint64_t step);

#endif
