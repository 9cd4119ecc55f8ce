/* SPDX-License-Identifier: Apache-2.0 */
/* dense.h -- the state inside a step, from the stages that the step has anyway (and a few more, where the method says so).
 *
 *     x(t + theta h) = x + h sum_j weight_j k_j,     j < flow_tableau_dense_stages(tableau)
 *
 * The weights are polynomials in theta (tableau.h: DENSE OUTPUT): 0 at theta = 0, the method's b at theta = 1, both exactly. */
#ifndef FLOW_DENSE_H
#define FLOW_DENSE_H
#include "tableau.h"

/* weight[flow_tableau_dense_stages(tableau)], at most FLOW_MOST_STAGES. */
void flow_dense_weights(const FlowTableau *tableau, double theta, double *weight);

#endif
