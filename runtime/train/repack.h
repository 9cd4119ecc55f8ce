/* SPDX-License-Identifier: Apache-2.0 */
/* repack.h -- the weights blob from the masters, in every iteration: what flow_model_pack does from files, without checks and without
 * memory.  The tables have been checked by flow_model_pack when the training was opened. */
#ifndef FLOW_REPACK_H
#define FLOW_REPACK_H
#include "masters.h"
#include "model.h"

typedef struct FlowRepack {
  const FlowMasters *masters;
  const flow_model *model;      /* that of the masters, or another one of the same weights */
  const flow_level *level;
  uint32_t *tensor;             /* [model->weights]: which of the masters' each weight is */
  FlowBlob blob;                /* what the model's code reads */
  void *derived;                /* lanes of derived rows */
  size_t derived_bytes;
  void *scratch;
  size_t scratch_bytes;
} FlowRepack;

flow_status flow_repack_open(const FlowMasters *masters, const flow_model *model, const flow_level *level, FlowRepack *repack,
                             flow_error *error);
void flow_repack_close(FlowRepack *repack);
/* part: FLOW_MASTER_WEIGHT or FLOW_MASTER_AVERAGE. */
flow_status flow_repack(FlowRepack *repack, FlowMasterPart part, flow_error *error);

#endif
