/* SPDX-License-Identifier: Apache-2.0 */
/* conditions.c -- the extra inputs of a velocity, from tensors into lanes. */
#include "model.h"
#include <inttypes.h>

flow_status flow_conditions_check(const flow_model *model, const FlowTensor *condition, uint64_t first, uint64_t end,
                                  flow_error *error) {
  for (uint32_t i = 0; i < model->conditions; i++) {
    const flow_condition *needs = &model->condition[i];
    if (!condition) return flow_fail(error, FLOW_BAD_INPUT, "condition '%s' has no value", needs->name);
    const FlowTensor *has = &condition[i];
    uint64_t rows = has->rank ? has->dim[0] : 1;
    if (has->count == needs->size) continue;
    if (rows == 0 || has->count % rows != 0 || has->count / rows != needs->size)
      return flow_fail(error, FLOW_BAD_INPUT,
                       "condition '%s': %" PRIu64 " numbers were given; it takes %" PRIu64 " for all samples, or an array with %" PRIu64
                       " in each row",
                       needs->name, has->count, needs->size, needs->size);
    if (end > rows)
      return flow_fail(error, FLOW_BAD_INPUT, "condition '%s' has %" PRIu64 " rows; samples %" PRIu64 " to %" PRIu64 " were asked for",
                       needs->name, rows, first, end - 1);
  }
  return FLOW_OK;
}

static void fill_one(const flow_condition *needs, const FlowTensor *from, uint64_t first, const FlowTile *tile) {
  uint64_t row_of_sample = from->count == needs->size ? 0 : needs->size;
  for (uint32_t lane = 0; lane < tile->live; lane++) {
    for (uint64_t i = 0; i < needs->size; i++) {
      uint64_t index = (first + lane) * row_of_sample + i;
      size_t at = (size_t)(needs->row + i) * tile->stride + lane;
      if (tile->precision == FLOW_F32)
        flow_tensor_to_f32(from, index, 1, (float *)tile->data + at);
      else
        flow_tensor_to_f64(from, index, 1, (double *)tile->data + at);
    }
  }
}

void flow_conditions_fill(const flow_model *model, const FlowTensor *condition, uint64_t first, const FlowTile *tile) {
  for (uint32_t i = 0; i < model->conditions; i++) fill_one(&model->condition[i], &condition[i], first, tile);
  flow_tile_pad(tile);
}
