/* SPDX-License-Identifier: Apache-2.0 */
/* masters.h -- the weights that are trained, and what goes with each of them: flat arrays in the model's precision.
 *
 *   weight, first, second, average, gradient    [count], tensor after tensor, each in C order from offset[i] on
 *
 * A file sees them as tensors under the model's names. */
#ifndef FLOW_MASTERS_H
#define FLOW_MASTERS_H
#include "flow/model.h"
#include "tensor.h"

typedef enum { FLOW_MASTER_WEIGHT, FLOW_MASTER_FIRST, FLOW_MASTER_SECOND, FLOW_MASTER_AVERAGE, FLOW_MASTER_GRADIENT, FLOW_MASTER_PARTS } FlowMasterPart;

typedef struct FlowMasters {
  FlowAllocator allocator;
  const flow_model *model;
  size_t count;
  size_t *offset;               /* [model->weights + 1] */
  void *part[FLOW_MASTER_PARTS];        /* 64-byte aligned; NULL where it is not kept */
} FlowMasters;

/* All zero.  On failure there is nothing to close. */
flow_status flow_masters_open(const FlowAllocator *allocator, const flow_model *model, bool second, bool average, FlowMasters *masters,
                              flow_error *error);
void flow_masters_close(FlowMasters *masters);

/* Tensor i of a part, under the model's name. */
FlowTensor flow_masters_tensor(const FlowMasters *masters, FlowMasterPart part, uint32_t i);
/* Where one number is, and the tensor that it belongs to. */
uint32_t flow_masters_owner(const FlowMasters *masters, size_t number);
double flow_masters_at(const FlowMasters *masters, FlowMasterPart part, size_t number);

/* From a tensor of the same shape, each number rounded once. */
void flow_masters_take(FlowMasters *masters, FlowMasterPart part, uint32_t i, const FlowTensor *from);
/* The gradient from sums as the model's code lays them out (flow_gradient), times `scale`. */
void flow_masters_gather(FlowMasters *masters, const void *sums, double scale);

#endif
