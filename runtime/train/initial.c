/* SPDX-License-Identifier: Apache-2.0 */
#include "initial.h"
#include "streams.h"

static double number_of(const FlowInitial *rule, FlowRandom random, uint32_t weight, uint64_t k) {
  double pair[2];
  switch (rule->kind) {
  case FLOW_INITIAL_UNIFORM: return rule->scale * (2 * flow_random_uniform(random, weight, (uint32_t)k) - 1);
  case FLOW_INITIAL_NORMAL:
    flow_random_normal_pair(random, weight, (uint32_t)(k / 2), pair);
    return rule->scale * pair[k % 2];
  case FLOW_INITIAL_CONSTANT: break;
  }
  return rule->scale;
}

void flow_initial_fill(FlowMasters *masters, const FlowInitial *rule, uint64_t seed) {
  FlowRandom random = {seed, FLOW_STREAM_INITIAL};
  for (uint32_t i = 0; i < masters->model->weights; i++) {
    for (size_t at = masters->offset[i]; at < masters->offset[i + 1]; at++) {
      double value = number_of(&rule[i], random, i, at - masters->offset[i]);
      if (masters->model->precision == FLOW_F32)
        ((float *)masters->part[FLOW_MASTER_WEIGHT])[at] = (float)value;
      else
        ((double *)masters->part[FLOW_MASTER_WEIGHT])[at] = value;
    }
  }
}
