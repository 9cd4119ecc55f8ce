/* SPDX-License-Identifier: Apache-2.0 */
/* ir_fingerprint.c -- all on which the bits of a function's results depend, as one number (FNV-1a, by words).
 *
 * Places in the text and names are left out: a comment, another order of definitions or another name change nothing. */
#include <string.h>
#include "ir.h"

#define BEGIN UINT64_C(0xcbf29ce484222325)

static uint64_t mix(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * UINT64_C(0x100000001b3);
  return hash ^ hash >> 29;     /* FNV alone carries nothing from high bits to low ones */
}

static uint64_t mix_shape(uint64_t hash, const Shape *shape) {
  hash = mix(hash, shape->rank);
  for (uint32_t k = 0; k < shape->rank; k++) hash = mix(hash, (uint64_t)shape->dim[k]);
  return hash;
}

static uint64_t mix_map(uint64_t hash, const IrMap *map, uint32_t axes) {
  hash = mix(hash, (uint64_t)map->offset);
  for (uint32_t k = 0; k < axes; k++) hash = mix(hash, (uint64_t)map->stride[k]);
  return hash;
}

static uint64_t mix_numbers(uint64_t hash, const double *number, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    uint64_t bits;
    memcpy(&bits, &number[i], sizeof bits);
    hash = mix(hash, bits);
  }
  return hash;
}

static uint64_t mix_contraction(uint64_t hash, const IrNode *node) {
  uint32_t axes = node->shape.rank + node->sums;
  hash = mix(hash, node->sums);
  for (uint32_t k = 0; k < node->sums; k++) hash = mix(hash, (uint64_t)node->extent[k]);
  return mix_map(mix_map(hash, &node->map, axes), &node->map_b, axes);
}

static uint64_t mix_attributes(uint64_t hash, const IrNode *node) {
  switch (node->op) {
  case IR_constant: return mix_numbers(hash, node->data, shape_count(&node->shape));
  case IR_input: case IR_weight: return mix(hash, node->slot);
  case IR_view: return mix_map(hash, &node->map, node->shape.rank);
  case IR_concat: return mix(hash, node->axis);
  case IR_contract: return mix_contraction(hash, node);
  case IR_standardize: return mix_numbers(hash, &node->number, 1);
  default: return hash;
  }
}

/* An operation goes in by its name: its number is another one in another version. */
static uint64_t mix_node(uint64_t hash, const IrNode *node) {
  for (const char *c = ir_op_name[node->op]; *c; c++) hash = mix(hash, (unsigned char)*c);
  hash = mix(hash, node->truth);
  hash = mix(hash, node->args);
  for (uint32_t j = 0; j < node->args; j++) hash = mix(hash, node->arg[j]);
  return mix_attributes(mix_shape(hash, &node->shape), node);
}

uint64_t ir_hash_node(const IrNode *node) { return mix_node(BEGIN, node); }

uint64_t ir_fingerprint(const IrFunction *f) {
  uint64_t hash = BEGIN;
  for (uint32_t i = 0; i < f->inputs; i++) hash = mix_shape(hash, &f->input[i].shape);
  for (uint32_t i = 0; i < f->weights; i++) hash = mix_shape(hash, &f->weight[i].shape);
  for (Ref i = 0; i < f->nodes; i++) hash = mix_node(hash, &f->node[i]);
  return mix(hash, f->result);
}
