/* SPDX-License-Identifier: Apache-2.0 */
/* grid.h -- where the steps of a solve end: node 0 = t0, node 1, ... node N = t1.
 *
 * With s = i/N:
 *     equal       t0 + (t1 - t0) s
 *     cosine      t0 + (t1 - t0) (1 - cos(pi s))/2      steps short at both ends
 *     power P     t0 + (t1 - t0) s^P                    P > 1: short at t0;  P < 1: short at t1
 *     given       an array of N + 1 times
 *
 * Every node is computed from its i alone and node N is t1 itself, so that a node does not depend on how it is come by; cosine and
 * power are the project's own functions, with the same bits everywhere. */
#ifndef FLOW_GRID_H
#define FLOW_GRID_H
#include "flow/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum FlowSpacing { FLOW_SPACING_EQUAL, FLOW_SPACING_COSINE, FLOW_SPACING_POWER, FLOW_SPACING_GIVEN } FlowSpacing;

typedef struct FlowGrid {
  FlowSpacing spacing;
  double power;                 /* POWER */
  const double *node;           /* GIVEN: [steps + 1], borrowed */
} FlowGrid;

/* The rule of that name (equal, cosine, power), or GIVEN if there is none; what there is, NULL at the end. */
FlowSpacing flow_spacing_find(const char *name);
const char *const *flow_spacing_names(void);

/* BAD_CALL with the place: the grid has its power above 0, or its nodes are finite, all in one direction, from t0 to t1. */
flow_status flow_grid_check(const FlowGrid *grid, uint64_t steps, double t0, double t1, flow_error *error);

double flow_grid_node(const FlowGrid *grid, uint64_t steps, double t0, double t1, uint64_t i);

#endif
