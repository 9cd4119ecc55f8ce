/* SPDX-License-Identifier: Apache-2.0 */
/* couple.h -- which point of the source goes with which of the data: minibatch optimal transport (Tong et al. 2024).
 *
 * Of all ways to pair the points of one batch, the one with the least sum of |x1 - x0|^2, exactly.  The assignment is found by
 * shortest augmenting paths with prices (Jonker and Volgenant, Computing 38 (1987), 325): columns are reduced, what is left is
 * augmented row by row, each by Dijkstra's algorithm on reduced costs: at most n^3 operations. */
#ifndef FLOW_COUPLE_H
#define FLOW_COUPLE_H
#include "batch.h"
#include "stop.h"

typedef struct FlowCoupler {
  FlowAllocator allocator;
  size_t count, dim;
  double *cost;                 /* [count][count]: row: of the data, column: of the source */
  double *price, *distance;     /* [count]: of columns */
  double *before, *bar;         /* [count]: the row by which a column is reached; infinite once it is settled */
  size_t *column_of, *row_of, *waiting; /* [count] */
  double *moved;                /* [count][dim] */
  const FlowStop *stop;         /* NULL, or asked for each row */
} FlowCoupler;

flow_status flow_coupler_open(const FlowAllocator *allocator, size_t count, size_t dim, FlowCoupler *coupler, flow_error *error);
void flow_coupler_close(FlowCoupler *coupler);

/* Changes the order of the batch's x0.  false: stopped, and nothing has changed. */
bool flow_couple(FlowCoupler *coupler, FlowBatch *batch);
/* The assignment alone, for coupler->cost, which is finite: column_of[row].  Returns its cost; NaN: stopped. */
double flow_assign(FlowCoupler *coupler);

#endif
