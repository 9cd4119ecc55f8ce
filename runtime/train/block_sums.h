/* SPDX-License-Identifier: Apache-2.0 */
/* block_sums.h -- sums over the samples of a batch, in an order that no thread changes.
 *
 * The batch is cut into blocks of FLOW_BLOCK_SAMPLES consecutive samples, the last one shorter; what the sums of a block are is its
 * function's business.  Blocks are added by a binary tree over their numbers: node (k, i) is the sum of nodes (k-1, 2i) and
 * (k-1, 2i+1), or the first alone where there is no second.  At most 16 subtrees are summed on threads of their own, each with one
 * buffer for every level below; memory is at most (16 + threads * levels) times that of the sums.
 *
 *   FlowBlockSums sums;
 *   flow_block_sums_open(&allocator, FLOW_F32, model->gradient_bytes, threads, 512, &sums, &error);
 *   int code = flow_block_sums_run(&sums, 500, run_block, &work);              sums.group is their beginning, sums.value[0] the loss
 *   flow_block_sums_close(&sums); */
#ifndef FLOW_BLOCK_SUMS_H
#define FLOW_BLOCK_SUMS_H
#include <stddef.h>
#include <stdint.h>
#include "alloc.h"
#include "flow/status.h"

enum { FLOW_BLOCK_SAMPLES = 192, FLOW_BLOCK_GROUPS = 16, FLOW_BLOCK_VALUES = 3 };

/* Numbers that are summed in f64 beside: a loss, and of what terms it consists. */
typedef struct FlowBlockValues { double of[FLOW_BLOCK_VALUES]; } FlowBlockValues;

typedef struct FlowBlockSums {
  FlowAllocator allocator;
  uint32_t precision, levels;   /* levels: of a group's tree, which has at most 2^levels blocks */
  int threads;
  size_t pitch;                 /* bytes of one buffer of sums */
  size_t groups;
  char *group;                  /* [groups] buffers; the first one has the sums in the end */
  char *thread;                 /* [threads][levels] buffers */
  FlowBlockValues value[FLOW_BLOCK_GROUPS];     /* the first one has those of the batch in the end */
} FlowBlockSums;

/* For batches of at most `most` samples and sums of `bytes` bytes.  On failure there is nothing to close. */
flow_status flow_block_sums_open(const FlowAllocator *allocator, uint32_t precision, uint64_t bytes, int threads, uint64_t most,
                                 FlowBlockSums *sums, flow_error *error);
void flow_block_sums_close(FlowBlockSums *sums);
size_t flow_block_sums_bytes(const FlowBlockSums *sums);        /* all that it holds */

/* What a block answers that was stopped (stop.h), and the run then too. */
enum { FLOW_BLOCK_STOPPED = -0x7fffffff };

/* Adds samples first .. end - 1 to `sums` and value[FLOW_BLOCK_VALUES], which are 0 before.  Negative: what the model's code answered. */
typedef int FlowBlockRun(void *user, int thread, uint64_t first, uint64_t end, void *sums, double *value);

/* Runs all blocks; each thread in the floating-point mode of rounding.h.  The first negative answer of a block, or 0. */
int flow_block_sums_run(FlowBlockSums *sums, uint64_t count, FlowBlockRun *run, void *user);

#endif
