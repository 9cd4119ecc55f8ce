/* SPDX-License-Identifier: Apache-2.0 */
/* gradients.h -- samples along a path: the loss of a batch and its gradient by all weights, in the order of block_sums.h.  Inside of a block
 * each number is one chain over the samples, ascending (the model's code). */
#ifndef FLOW_GRADIENTS_H
#define FLOW_GRADIENTS_H
#include "batch.h"
#include "block_sums.h"

typedef struct FlowGradients {
  const FlowTrainSettings *settings;
  const flow_level *level;
  int threads;
  FlowBlockSums sums;
  char *thread;                 /* [threads]: lane buffers, scratch */
  size_t thread_bytes, at[7];
} FlowGradients;

/* For batches of at most `most` samples. */
flow_status flow_gradients_open(const FlowTrainSettings *settings, const flow_level *level, int threads, uint64_t most,
                                FlowGradients *gradients, flow_error *error);
void flow_gradients_close(FlowGradients *gradients);
size_t flow_gradients_bytes(const FlowGradients *gradients);    /* all that it holds */

/* *loss: means over the samples.  Sums over the samples (not means) are in gradients->sums.group, laid out as the model says. */
flow_status flow_gradients_run(FlowGradients *gradients, const void *weights, const FlowBatch *batch, FlowLossParts *loss, flow_error *error);

#endif
