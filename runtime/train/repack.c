/* SPDX-License-Identifier: Apache-2.0 */
#include "repack.h"
#include "weave.h"
#include <stdlib.h>
#include <string.h>

_Static_assert(FLOW_WEAVE == 8, "rows of a panel (flow/model.h)");

/* `step` numbers lie between elements of the source: 1 in the masters, the lanes' stride for what was derived.  A panel is eight rows side
 * by side; a matrix in C order is its columns so. */
#define FILL(T)                                                                                                        \
  static void fill_##T(const flow_pack *p, const T *from, int64_t step, T *to) {                                       \
    int64_t row = p->row_stride * step, column = p->column_stride * step;                                              \
    bool panels = p->layout == FLOW_PACK_PANELS;                                                                       \
    uint64_t lines = panels ? p->rows : p->columns;                                                                    \
    from += p->offset * step;                                                                                          \
    for (uint64_t at = 0; at < lines; at += FLOW_WEAVE) {                                                              \
      uint64_t some = lines - at < FLOW_WEAVE ? lines - at : FLOW_WEAVE;                                               \
      if (panels)                                                                                                      \
        flow_weave_##T(from + (int64_t)at * row, row, column, p->columns, some, 1, to + at * p->columns, FLOW_WEAVE);  \
      else                                                                                                             \
        flow_weave_##T(from + (int64_t)at * column, column, row, p->rows, some, 1, to + at, p->columns);               \
    }                                                                                                                  \
  }
FILL(float)
FILL(double)

static void fill(const FlowRepack *repack, const flow_pack *piece, const void *from, int64_t step) {
  void *to = (char *)repack->blob.data + piece->at;
  repack->model->precision == FLOW_F32 ? fill_float(piece, from, step, to) : fill_double(piece, from, step, to);
}

flow_status flow_repack(FlowRepack *repack, FlowMasterPart part, flow_error *error) {
  const flow_model *model = repack->model;
  for (uint32_t i = 0; i < model->packs; i++) {
    const flow_pack *piece = &model->pack[i];
    if (piece->weight == FLOW_PACK_DERIVED) continue;
    size_t at = repack->masters->offset[repack->tensor[piece->weight]] * model->precision;
    fill(repack, piece, (const char *)repack->masters->part[part] + at, 1);
  }
  if (model->derived_rows == 0) return FLOW_OK;
  flow_call call = {.size = sizeof call, .lanes = repack->level->quantum, .weights = repack->blob.data, .u = repack->derived,
                    .scratch = repack->scratch};
  int code = repack->level->derive(&call);
  if (code < 0) return flow_model_refused(model, "derive", code, error);
  for (uint32_t i = 0; i < model->packs; i++)
    if (model->pack[i].weight == FLOW_PACK_DERIVED) fill(repack, &model->pack[i], repack->derived, repack->level->lanes);
  return FLOW_OK;
}

static int by_name(const void *a, const void *b) { return flow_natural_order(((const FlowTensor *)a)->name, ((const FlowTensor *)b)->name); }

/* The first blob, by the way that checks the tables. */
static flow_status first_blob(FlowRepack *repack, flow_error *error) {
  const FlowMasters *masters = repack->masters;
  const FlowAllocator *allocator = &masters->allocator;
  uint32_t count = masters->model->weights;
  FlowTensor *tensor = flow_alloc_array(allocator, count, sizeof *tensor);
  if (!tensor) return flow_fail(error, FLOW_NO_MEMORY, "out of memory for the weights");
  for (uint32_t i = 0; i < count; i++) tensor[i] = flow_masters_tensor(masters, FLOW_MASTER_WEIGHT, i);
  qsort(tensor, count, sizeof *tensor, by_name);
  FlowTensors tensors = {.allocator = *allocator, .count = count, .tensor = tensor};
  flow_status status = flow_model_pack(allocator, repack->model, &tensors, "the weights", &repack->blob, error);
  flow_free(allocator, tensor, count * sizeof *tensor);
  return status;
}

/* Which tensor is which; first_blob has found all of them. */
static flow_status match(FlowRepack *repack, flow_error *error) {
  const flow_model *from = repack->masters->model, *to = repack->model;
  repack->tensor = flow_alloc_array(&repack->masters->allocator, to->weights, sizeof *repack->tensor);
  if (!repack->tensor && to->weights) return flow_fail(error, FLOW_NO_MEMORY, "out of memory for the weights");
  for (uint32_t i = 0; i < to->weights; i++)
    while (strcmp(from->weight[repack->tensor[i]].name, to->weight[i].name) != 0) repack->tensor[i]++;
  return FLOW_OK;
}

flow_status flow_repack_open(const FlowMasters *masters, const flow_model *model, const flow_level *level, FlowRepack *repack,
                             flow_error *error) {
  *repack = (FlowRepack){.masters = masters, .model = model, .level = level};
  if (!flow_model_lanes_bytes(model, level, model->derived_rows ? model->derived_rows : 1, &repack->derived_bytes) ||
      !flow_model_scratch_bytes(level, 0, &repack->scratch_bytes))
    return flow_fail(error, FLOW_NO_MEMORY, "out of memory for the weights");
  flow_status status = first_blob(repack, error);
  if (!status) status = match(repack, error);
  if (status) {
    flow_repack_close(repack);
    return status;
  }
  repack->derived = flow_alloc_aligned(&masters->allocator, repack->derived_bytes);
  repack->scratch = flow_alloc_aligned(&masters->allocator, repack->scratch_bytes);
  if (repack->derived && repack->scratch) return FLOW_OK;
  flow_repack_close(repack);
  return flow_fail(error, FLOW_NO_MEMORY, "out of memory for what is derived from the weights");
}

void flow_repack_close(FlowRepack *repack) {
  if (!repack->masters) return;
  const FlowAllocator *allocator = &repack->masters->allocator;
  if (repack->blob.data) flow_blob_free(&repack->blob);
  flow_free(allocator, repack->tensor, repack->model->weights * sizeof *repack->tensor);
  if (repack->derived) flow_free_aligned(allocator, repack->derived, repack->derived_bytes);
  if (repack->scratch) flow_free_aligned(allocator, repack->scratch, repack->scratch_bytes);
  *repack = (FlowRepack){0};
}
