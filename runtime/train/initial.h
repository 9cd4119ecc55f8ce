/* SPDX-License-Identifier: Apache-2.0 */
/* initial.h -- the numbers with which a weight begins: a rule, and random numbers that belong to the weight.
 *
 * Number k of weight i is a function of (seed, i, k), whatever else there is (stream FLOW_STREAM_INITIAL, sample i). */
#ifndef FLOW_INITIAL_H
#define FLOW_INITIAL_H
#include "masters.h"

typedef enum { FLOW_INITIAL_CONSTANT, FLOW_INITIAL_UNIFORM, FLOW_INITIAL_NORMAL } FlowInitialKind;
typedef struct FlowInitial {
  FlowInitialKind kind;
  double scale;                 /* the constant; uniform in [-scale, scale); the standard deviation */
} FlowInitial;

/* rule: [model->weights] */
void flow_initial_fill(FlowMasters *masters, const FlowInitial *rule, uint64_t seed);

#endif
