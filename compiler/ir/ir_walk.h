/* SPDX-License-Identifier: Apache-2.0 */
/* ir_walk.h -- visiting an iteration space point by point, in C order.
 *
 *   int64_t index[IR_MOST_AXES] = {0};
 *   do use(ir_map_at(&map, axes, index)); while (ir_next_point(axes, extent, index));                              */
#ifndef FLOW_IR_WALK_H
#define FLOW_IR_WALK_H
#include "ir.h"

/* The flat element that the map gives for a point. */
static inline int64_t ir_map_at(const IrMap *map, uint32_t axes, const int64_t *index) {
  int64_t at = map->offset;
  for (uint32_t k = 0; k < axes; k++) at += map->stride[k] * index[k];
  return at;
}

/* Steps to the next point; false, and back at the first point, after the last one. */
static inline bool ir_next_point(uint32_t axes, const int64_t *extent, int64_t *index) {
  for (uint32_t k = axes; k-- > 0;) {
    if (++index[k] < extent[k]) return true;
    index[k] = 0;
  }
  return false;
}

/* The iteration space of a contraction, the result's axes before the summed ones: how many axes it has. */
static inline uint32_t ir_contract_space(const IrNode *node, int64_t *extent) {
  uint32_t axes = 0;
  for (uint32_t k = 0; k < node->shape.rank; k++) extent[axes++] = node->shape.dim[k];
  for (uint32_t k = 0; k < node->sums; k++) extent[axes++] = node->extent[k];
  return axes;
}

/* How many terms each output of a contraction sums. */
static inline int64_t ir_contract_terms(const IrNode *node) {
  int64_t terms = 1;
  for (uint32_t k = 0; k < node->sums; k++) terms *= node->extent[k];
  return terms;
}

#endif
