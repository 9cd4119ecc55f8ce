/* SPDX-License-Identifier: Apache-2.0 */
/* likelihood_loss.h -- the mean of -log p over data, and its gradient by all weights, through the solver (adjoint.h).
 *
 * The path of a point is solved from the data's time back to the source's: -log p = -log p0(x) + l, l being the integral of -div u on
 * the way back.  So lbar = 1, and backward begins with -d log p0/dx:
 *     normal           x
 *     gaussian(m, L)   (L L')^-1 (x - m), by substitution forward and backward
 *     uniform          0; outside of its bounds -log p is infinite
 * A density that is a function has the slope that the source has for it. */
#ifndef FLOW_LIKELIHOOD_LOSS_H
#define FLOW_LIKELIHOOD_LOSS_H
#include "adjoint.h"
#include "solve.h"

typedef struct FlowLikelihoodLoss {     /* borrowed; unset = 0 */
  const FlowSource *source;
  uint32_t precision;           /* of the model */
} FlowLikelihoodLoss;

/* BAD_INPUT: a source without density, or whose density has no slope. */
flow_status flow_likelihood_loss_check(const FlowLikelihoodLoss *loss, flow_error *error);

/* A FlowEndLoss; user: a FlowLikelihoodLoss that has been checked. */
double flow_likelihood_loss(void *user, uint64_t sample, double *x, double integral, double *by_x, double *by_integral);

#endif
