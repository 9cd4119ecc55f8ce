/* SPDX-License-Identifier: Apache-2.0 */
/* grid.h -- where the steps of a solve end: node 0 = t0, node 1, ... node N = t1.
 *
 * With s = i/N:
 *     equal       t0 + (t1 - t0) s
 *     cosine      t0 + (t1 - t0) (1 - cos(pi s))/2      steps short at both ends
 *     power P     t0 + (t1 - t0) s^P                    P > 1: short at t0;  P < 1: short at t1
 *     given       an array of times whose intervals are divided evenly, N / intervals steps each
 *
 * A grid belongs to a path, not to a direction: the solve from t1 to t0 has the same nodes from their end.  So power
 * counts s from the time `from`, whichever end that is, and an array may run either way.
 *
 * Every node is computed from its i alone and node N is t1 itself, so that a node does not depend on how it is come by;
 * cosine and power are the project's own functions, with the same bits everywhere. */
#ifndef FLOW_GRID_H
#define FLOW_GRID_H
#include "flow/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum FlowSpacing { FLOW_SPACING_EQUAL, FLOW_SPACING_COSINE, FLOW_SPACING_POWER, FLOW_SPACING_GIVEN } FlowSpacing;

typedef struct FlowGrid {
  FlowSpacing spacing;
  double power, from;           /* POWER */
  uint64_t intervals;           /* GIVEN */
  const double *node;           /* GIVEN: [intervals + 1], borrowed */
} FlowGrid;

/* The rule of that name (equal, cosine, power), or GIVEN if there is none; what there is, NULL at the end. */
FlowSpacing flow_spacing_find(const char *name);
const char *const *flow_spacing_names(void);

/* BAD_CALL with the place unless the power is above 0 and `from` an end, or the times are finite, rise or fall all the way
 * between t0 and t1, and the steps are a multiple of their intervals. */
flow_status flow_grid_check(const FlowGrid *grid, uint64_t steps, double t0, double t1, flow_error *error);

double flow_grid_node(const FlowGrid *grid, uint64_t steps, double t0, double t1, uint64_t i);

#endif
