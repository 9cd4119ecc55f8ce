/* SPDX-License-Identifier: Apache-2.0 */
/* two_stage.c -- what a pilot decides. */
#include "two_stage.h"

static const double pilot_quantile = 2.3263478740408408;        /* of a normal distribution, 99 of 100 */

FlowTwoStage flow_one_stage_begin(uint64_t count) { return (FlowTwoStage){.wanted = count, .most = count}; }

FlowTwoStage flow_two_stage_begin(double target, uint64_t most) {
  if (most < FLOW_PILOT + FLOW_LEAST_ESTIMATE) return flow_one_stage_begin(most);
  return (FlowTwoStage){.most = most, .target = target};
}

/* By how much a variance can exceed the one that is estimated from so many degrees of freedom: k over a low quantile of a chi
 * squared, after Wilson and Hilferty (Proc. Natl. Acad. Sci. 17 (1931), 684). */
static double margin(double freedom) {
  double spread = 2 / (9 * freedom), root = 1 - spread - pilot_quantile * sqrt(spread);
  return 1 / (root * root * root);
}

/* NaN, where numbers are not finite, is taken for too many. */
static double needed(const FlowTwoStage *stages) {
  double freedom = (double)stages->pilot.count - 1, ratio = sqrt(stages->pilot.squares / freedom) / stages->target;
  return ceil(margin(freedom) * ratio * ratio);
}

static bool is_power_of_two(uint64_t count) { return (count & (count - 1)) == 0; }

static void decide(FlowTwoStage *stages) {
  uint64_t pilot = stages->pilot.count, rest = stages->most - pilot;
  if (pilot < FLOW_PILOT || !is_power_of_two(pilot)) return;
  double follow = needed(stages);
  if (!(follow <= 4.0 * (double)pilot) && 8 * pilot <= stages->most) return;
  stages->wanted = !(follow < (double)rest) ? rest : follow < FLOW_LEAST_ESTIMATE ? FLOW_LEAST_ESTIMATE : (uint64_t)follow;
}

void flow_two_stage_add(FlowTwoStage *stages, double value) {
  if (stages->wanted == 0) {
    flow_estimate_add(&stages->pilot, value);
    decide(stages);
  } else if (stages->estimate.count < stages->wanted) {
    flow_estimate_add(&stages->estimate, value);
  }
}
