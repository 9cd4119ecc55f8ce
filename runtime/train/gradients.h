/* SPDX-License-Identifier: Apache-2.0 */
/* gradients.h -- the loss of a batch and its gradient by all weights, in an order that no thread changes.
 *
 * The batch is cut into blocks of FLOW_TRAIN_BLOCK consecutive samples, the last one shorter.  Inside of a block each number is one
 * chain over the samples, ascending (the model's code).  Blocks are added by a binary tree over their numbers: node (k, i) is the
 * sum of nodes (k-1, 2i) and (k-1, 2i+1), or the first alone where there is no second.  At most 16 subtrees are summed on threads of
 * their own, each with one buffer for every level below; memory is at most (16 + threads * levels) times the gradient's. */
#ifndef FLOW_GRADIENTS_H
#define FLOW_GRADIENTS_H
#include "batch.h"

enum { FLOW_TRAIN_BLOCK = 192, FLOW_TRAIN_GROUPS = 16 };

typedef struct FlowGradients {
  const FlowTrainSettings *settings;
  const flow_level *level;
  int threads;
  uint64_t most_blocks;
  uint32_t levels;              /* of a group's tree: it has at most 2^levels blocks */
  size_t pitch;                 /* bytes of one buffer of sums */
  char *group;                  /* [FLOW_TRAIN_GROUPS or less] buffers; the first one has the sums in the end */
  size_t groups;
  double loss[FLOW_TRAIN_GROUPS];
  char *thread;                 /* [threads]: levels buffers, lane buffers, scratch */
  size_t thread_bytes, at[8];
} FlowGradients;

/* For batches of at most `most` samples. */
flow_status flow_gradients_open(const FlowTrainSettings *settings, const flow_level *level, int threads, uint64_t most,
                                FlowGradients *gradients, flow_error *error);
void flow_gradients_close(FlowGradients *gradients);
size_t flow_gradients_bytes(const FlowGradients *gradients);    /* all that it holds */

/* *loss: the mean over the samples.  Sums over the samples (not means) are in gradients->group, laid out as the model says. */
flow_status flow_gradients_run(FlowGradients *gradients, const void *weights, const FlowBatch *batch, double *loss, flow_error *error);

#endif
