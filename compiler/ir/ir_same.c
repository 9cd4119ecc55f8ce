/* SPDX-License-Identifier: Apache-2.0 */
/* ir_same.c -- one node per distinct value (common subexpressions).
 *   needs   verified IR
 *   keeps   every value, to the bit; the numbers of the nodes
 *   leaves  the later twins dead, for ir_sweep
 *
 * Two nodes are the same if operation, attributes, mask and operands agree, operands in their order: nothing is sorted
 * or commuted, for a*b + c*d is contracted differently from c*d + a*b, and a value must not change with what else the
 * program computes.  Constants are compared by bits. */
#include <string.h>
#include "ir.h"

/* ---- equality --------------------------------------------------------------------------------------------------- */
static bool same_map(const IrMap *a, const IrMap *b, uint32_t axes) {
  return a->offset == b->offset && memcmp(a->stride, b->stride, axes * sizeof *a->stride) == 0;
}

static bool same_contraction(const IrNode *a, const IrNode *b) {
  uint32_t axes = a->shape.rank + a->sums;
  return a->sums == b->sums && memcmp(a->extent, b->extent, a->sums * sizeof *a->extent) == 0 &&
         same_map(&a->map, &b->map, axes) && same_map(&a->map_b, &b->map_b, axes);
}

static bool same_attributes(const IrNode *a, const IrNode *b) {
  switch (a->op) {
  case IR_constant: return memcmp(a->data, b->data, (size_t)shape_count(&a->shape) * sizeof *a->data) == 0;
  case IR_input: case IR_weight: return a->slot == b->slot;
  case IR_view: return same_map(&a->map, &b->map, a->shape.rank);
  case IR_concat: return a->axis == b->axis;
  case IR_contract: return same_contraction(a, b);
  case IR_standardize: return memcmp(&a->number, &b->number, sizeof a->number) == 0;
  default: return true;
  }
}

static bool same_node(const IrNode *a, const IrNode *b) {
  return a->op == b->op && a->truth == b->truth && a->mask == b->mask && a->args == b->args &&
         shape_equal(&a->shape, &b->shape) && (a->args == 0 || memcmp(a->arg, b->arg, a->args * sizeof *a->arg) == 0) &&
         same_attributes(a, b);
}

/* ---- the pass: an open table of the first nodes of each kind ---------------------------------------------------- */
static Ref first_of(const IrFunction *f, Ref *table, uint32_t size, Ref i) {
  uint32_t at = (uint32_t)ir_hash_node(&f->node[i]) & (size - 1);
  while (table[at] != IR_NONE && !same_node(&f->node[table[at]], &f->node[i])) at = (at + 1) & (size - 1);
  if (table[at] == IR_NONE) table[at] = i;
  return table[at];
}

void ir_same(IrFunction *f) {
  uint32_t size = 64;
  while (size / 2 < f->nodes) size *= 2;        /* at most 2^20 nodes: no overflow, and never full */
  Ref *table = arena_array(f->arena, size, sizeof *table);
  Ref *now = arena_array(f->arena, f->nodes, sizeof *now);
  memset(table, 0xff, size * sizeof *table);    /* IR_NONE */
  for (Ref i = 0; i < f->nodes; i++) {
    IrNode *node = &f->node[i];
    for (uint32_t j = 0; j < node->args; j++) node->arg[j] = now[node->arg[j]];
    now[i] = first_of(f, table, size, i);
  }
  f->result = now[f->result];
}
