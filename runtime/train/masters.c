/* SPDX-License-Identifier: Apache-2.0 */
#include "masters.h"
#include "checked.h"
#include "weave.h"
#include <inttypes.h>

static flow_status count_weights(FlowMasters *masters, flow_error *error) {
  const flow_model *model = masters->model;
  for (uint32_t i = 0; i < model->weights; i++) {
    const flow_weight *w = &model->weight[i];
    uint64_t count;
    size_t numbers;
    if (w->rank > 4 || !flow_count_of(w->dim, w->rank, &count) || !flow_u64_to_size(count, &numbers) ||
        !flow_add_size(masters->offset[i], numbers, &masters->offset[i + 1]) || masters->offset[i + 1] > SIZE_MAX / 16)
      return flow_fail(error, FLOW_BAD_INPUT, "%s: its weights are more than memory can hold", model->name);
    const flow_gradient *g = &model->gradient[i];
    if (g->rows && g->rows * g->columns != count)
      return flow_fail(error, FLOW_BAD_INPUT, "%s: the gradient of '%s' has another size than its weight", model->name, w->name);
  }
  masters->count = masters->offset[model->weights];
  return FLOW_OK;
}

static size_t part_bytes(const FlowMasters *masters) { return (masters->count ? masters->count : 1) * masters->model->precision; }

flow_status flow_masters_open(const FlowAllocator *allocator, const flow_model *model, bool second, bool average, FlowMasters *masters,
                              flow_error *error) {
  *masters = (FlowMasters){.allocator = *allocator, .model = model};
  masters->offset = flow_alloc_array(allocator, (size_t)model->weights + 1, sizeof *masters->offset);
  flow_status status = masters->offset ? count_weights(masters, error) : flow_fail(error, FLOW_NO_MEMORY, "out of memory for the weights");
  const bool kept[FLOW_MASTER_PARTS] = {true, true, second, average, true};
  for (int i = 0; !status && i < FLOW_MASTER_PARTS; i++) {
    if (!kept[i]) continue;
    masters->part[i] = flow_alloc_aligned(allocator, part_bytes(masters));
    if (!masters->part[i]) status = flow_fail(error, FLOW_NO_MEMORY, "out of memory for %zu weights", masters->count);
  }
  if (status) flow_masters_close(masters);
  return status;
}

void flow_masters_close(FlowMasters *masters) {
  if (!masters->model) return;
  for (int i = 0; i < FLOW_MASTER_PARTS; i++)
    if (masters->part[i]) flow_free_aligned(&masters->allocator, masters->part[i], part_bytes(masters));
  flow_free(&masters->allocator, masters->offset, ((size_t)masters->model->weights + 1) * sizeof *masters->offset);
  *masters = (FlowMasters){0};
}

FlowTensor flow_masters_tensor(const FlowMasters *masters, FlowMasterPart part, uint32_t i) {
  const flow_weight *w = &masters->model->weight[i];
  FlowTensor tensor = {.name = w->name, .type = masters->model->precision == FLOW_F32 ? FLOW_TYPE_F32 : FLOW_TYPE_F64, .rank = w->rank,
                       .count = masters->offset[i + 1] - masters->offset[i],
                       .data = (const char *)masters->part[part] + masters->offset[i] * masters->model->precision};
  for (uint32_t k = 0; k < w->rank; k++) tensor.dim[k] = w->dim[k];
  return tensor;
}

uint32_t flow_masters_owner(const FlowMasters *masters, size_t number) {
  uint32_t i = 0;
  while (i + 1 < masters->model->weights && number >= masters->offset[i + 1]) i++;
  return i;
}

double flow_masters_at(const FlowMasters *masters, FlowMasterPart part, size_t number) {
  return masters->model->precision == FLOW_F32 ? (double)((const float *)masters->part[part])[number]
                                               : ((const double *)masters->part[part])[number];
}

void flow_masters_take(FlowMasters *masters, FlowMasterPart part, uint32_t i, const FlowTensor *from) {
  uint64_t count = masters->offset[i + 1] - masters->offset[i];
  if (masters->model->precision == FLOW_F32)
    flow_tensor_to_f32(from, 0, count, (float *)masters->part[part] + masters->offset[i]);
  else
    flow_tensor_to_f64(from, 0, count, (double *)masters->part[part] + masters->offset[i]);
}

/* A weight that the loss does not depend on keeps its zeros. */
#define GATHER(T)                                                                                                      \
  static void gather_##T(const flow_gradient *g, const T *from, T *to, T scale) {                                      \
    for (uint64_t c = 0; g->rows && c < g->columns; c += FLOW_WEAVE)                                                   \
      flow_weave_##T(from + (int64_t)c * g->column_step, g->column_step, g->row_step, g->rows,                         \
                     g->columns - c < FLOW_WEAVE ? g->columns - c : FLOW_WEAVE, scale, to + c, g->columns);            \
  }
GATHER(float)
GATHER(double)

void flow_masters_gather(FlowMasters *masters, const void *sums, double scale) {
  for (uint32_t i = 0; i < masters->model->weights; i++) {
    const flow_gradient *g = &masters->model->gradient[i];
    const char *from = (const char *)sums + g->at;
    void *to = masters->part[FLOW_MASTER_GRADIENT];
    if (masters->model->precision == FLOW_F32)
      gather_float(g, (const float *)(const void *)from, (float *)to + masters->offset[i], (float)scale);
    else
      gather_double(g, (const double *)(const void *)from, (double *)to + masters->offset[i], scale);
  }
}
