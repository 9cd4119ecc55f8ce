/* SPDX-License-Identifier: Apache-2.0 */
/* model.h -- what every compiled model needs from the runtime, driven by the model's own tables (flow/model.h).
 *
 *   const flow_level *level;
 *   FlowBlob blob;
 *   if (!(status = flow_model_check(model, &error)) && !(status = flow_model_level(model, 0, &level, &error)))
 *     status = flow_model_pack(&allocator, model, &tensors, "digits.safetensors", &blob, &error);
 *   ...                                                     eval.h, solve.h
 *   flow_blob_free(&blob);
 *
 * The model may come from a library that someone else has built: its tables are checked, its code is trusted. */
#ifndef FLOW_SOLVE_MODEL_H
#define FLOW_SOLVE_MODEL_H
#include "flow/model.h"
#include "flow/status.h"
#include "tensor.h"
#include "tile.h"

/* Is this a model of this ABI whose numbers make sense? */
flow_status flow_model_check(const flow_model *model, flow_error *error);

/* The best code that the processor can run.  cpu: 0, or FLOW_CPU_V3, FLOW_CPU_V4 to ask for this level and no other. */
flow_status flow_model_level(const flow_model *model, uint32_t cpu, const flow_level **level, flow_error *error);
/* The same for so many samples at a time: for fewer than FLOW_FEW_SAMPLES a level of one lane, where the model has one, which
 * works on each for itself.  The bits are the same. */
enum { FLOW_FEW_SAMPLES = 8 };
flow_status flow_model_level_for(const flow_model *model, uint32_t cpu, uint64_t samples, const flow_level **level,
                                 flow_error *error);

/* The weights as the model's code reads them.  May be shared by any number of solves and threads; nothing writes to it. */
typedef struct FlowBlob {
  FlowAllocator allocator;
  void *data;                   /* 64-byte aligned */
  size_t bytes;
} FlowBlob;

/* Fills a blob from the tensors of a file; each number is rounded once, whatever the file's type.  `tensors` may be NULL
 * where the model reads none; `file` is its name for messages.  BAD_INPUT names the tensor that is missing or has
 * another shape.  On failure there is nothing to free. */
flow_status flow_model_pack(const FlowAllocator *allocator, const flow_model *model, const FlowTensors *tensors,
                            const char *file, FlowBlob *blob, flow_error *error);
void flow_blob_free(FlowBlob *blob);

/* Bytes of a lane buffer of so many rows, rounded up to 64, so that buffers can stand one after another. */
bool flow_model_lanes_bytes(const flow_model *model, const flow_level *level, uint64_t rows, size_t *bytes);
/* Bytes of scratch for a call with so many stages (0: times, cond, eval); at least 64. */
bool flow_model_scratch_bytes(const flow_level *level, uint32_t stages, size_t *bytes);

/* The failure of an entry that returned `code`: a defect of flowc, or of the library that the model came from. */
flow_status flow_model_refused(const flow_model *model, const char *entry, int code, flow_error *error);

/* CONDITIONS are tensors, one for each of the model's, in its order.  One whose count is the condition's size holds for
 * all samples; otherwise it is [n, ...] and row i is for sample i. */
flow_status flow_conditions_check(const flow_model *model, const FlowTensor *condition, uint64_t first, uint64_t end,
                                  flow_error *error);
/* The conditions of samples first, first + 1, ... into a tile of model->condition_rows rows. */
void flow_conditions_fill(const flow_model *model, const FlowTensor *condition, uint64_t first, const FlowTile *tile);

#endif
