/* SPDX-License-Identifier: Apache-2.0 */
/* dense.c -- the basis theta, theta(1-theta), theta^2(1-theta), theta^2(1-theta)^2, ..., nested from its last factor. */
#include "dense.h"

/* Weight of stage j in d_1, d_2 and d_3. */
static double in_ends(const FlowTableau *tableau, uint32_t j, uint32_t d) {
  double b = j < tableau->stages ? tableau->b[j] : 0;
  double first = j == 0, last = j == tableau->stages;
  if (d == 1) return b;
  return d == 2 ? first - b : 2 * b - first - last;
}

void flow_dense_weights(const FlowTableau *tableau, double theta, double *weight) {
  const FlowDense *dense = &tableau->dense;
  uint32_t stages = flow_tableau_dense_stages(tableau);
  for (uint32_t j = 0; j < stages; j++) {
    double sum = 0;
    for (uint32_t d = 3 + dense->rows; d >= 1; d--) {   /* theta (d_1 + (1-theta) (d_2 + theta (d_3 + ...))) */
      double coefficient = d > 3 ? dense->weight[(size_t)(d - 4) * stages + j] : in_ends(tableau, j, d);
      sum = (coefficient + sum) * (d % 2 ? theta : 1 - theta);
    }
    weight[j] = sum;
  }
}
