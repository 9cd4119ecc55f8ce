/* SPDX-License-Identifier: Apache-2.0 */
/* likelihood_gradients.h -- maximum likelihood in a training: the mean of -log p over a batch of data and its gradient by all weights, of
 * the velocity and its adjoint as two models with the same weights. */
#ifndef FLOW_LIKELIHOOD_GRADIENTS_H
#define FLOW_LIKELIHOOD_GRADIENTS_H
#include "batch.h"
#include "repack.h"

typedef struct FlowLikelihoodGradients {
  const FlowTrainSettings *settings;
  FlowAdjoint *adjoint;
  FlowRepack ahead;             /* the weights of the velocity */
  FlowLikelihoodLoss loss;
  double direction, weight[2];  /* of time, from the data to the source; of the terms, so that they grow on that way */
} FlowLikelihoodGradients;

/* For batches of at most settings->batch samples.  What is given is borrowed.  On failure there is nothing to close. */
flow_status flow_likelihood_gradients_open(const FlowTrainSettings *settings, const FlowMasters *masters, int threads,
                                           FlowLikelihoodGradients *gradients, flow_error *error);
void flow_likelihood_gradients_close(FlowLikelihoodGradients *gradients);
size_t flow_likelihood_gradients_bytes(const FlowLikelihoodGradients *gradients);

/* Weights of the velocity from the masters; those of the adjoint are the caller's, `weights`.  *loss: means over the samples.  Sums
 * of the gradient over the samples are flow_adjoint_sums; without `weights` there are none.  FAILED_SAMPLES: steps that adapt do not
 * arrive from a row of the data; loss->all is then NaN. */
flow_status flow_likelihood_gradients_run(FlowLikelihoodGradients *gradients, FlowMasterPart part, const void *weights,
                                          const FlowBatch *batch, FlowLossParts *loss, flow_error *error);

#endif
