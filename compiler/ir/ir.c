/* SPDX-License-Identifier: Apache-2.0 */
/* ir.c -- tables of the operations, and building a function node by node. */
#include "ir.h"
#include <string.h>

const char *const ir_op_name[IR_OP_COUNT] = {
#define OP(name, operands, class, value) #name,
#include "ops.def"
#undef OP
};

const int ir_op_operands[IR_OP_COUNT] = {
#define OP(name, operands, class, value) operands,
#include "ops.def"
#undef OP
};

const IrClass ir_op_class[IR_OP_COUNT] = {
#define OP(name, operands, class, value) IR_##class,
#include "ops.def"
#undef OP
};

const bool ir_op_frozen[IR_OP_COUNT] = {
#define OP(name, operands, class, value) true,
#define SOURCE_OP(name, operands, class, value) false,
#include "ops.def"
#undef OP
};

IrFunction *ir_new(Arena *arena, const char *name) {
  IrFunction *f = arena_alloc(arena, sizeof *f);
  f->arena = arena;
  f->name = name;
  f->result = IR_NONE;
  return f;
}

uint32_t ir_add_input(IrFunction *f, const IrInput *input) {
  f->input = arena_grow(f->arena, f->input, f->inputs, f->inputs + 1, sizeof *f->input);
  f->input[f->inputs] = *input;
  return f->inputs++;
}

/* The table has room for the next power of two: what an arena has grown out of stays in it. */
uint32_t ir_add_weight(IrFunction *f, const IrWeight *weight) {
  bool full = (f->weights & (f->weights - 1)) == 0;
  if (full) f->weight = arena_grow(f->arena, f->weight, f->weights, f->weights ? 2 * (size_t)f->weights : 1, sizeof *f->weight);
  f->weight[f->weights] = *weight;
  return f->weights++;
}

/* What a node depends on by itself and by its operands.  A mistaken slot or operand is the verifier's to name. */
static uint8_t mask_of(const IrFunction *f, const IrNode *node) {
  unsigned mask = node->mask;
  if (node->op == IR_input && node->slot < f->inputs) mask |= f->input[node->slot].mask;
  if (node->op == IR_weight) mask |= IR_WEIGHTS;
  for (uint32_t i = 0; i < node->args; i++)
    if (node->arg[i] < f->nodes) mask |= f->node[node->arg[i]].mask;
  return (uint8_t)mask;
}

Ref ir_append(IrFunction *f, const IrNode *node) {
  IrNode copy = *node;                  /* first: node may stand in f->node itself */
  if (f->nodes == f->room) {
    uint32_t room = f->room ? 2 * f->room : 64;
    f->node = arena_grow(f->arena, f->node, f->room, room, sizeof *f->node);
    f->room = room;
  }
  copy.mask = mask_of(f, &copy);
  if (copy.args) {
    Ref *arg = arena_array(f->arena, copy.args, sizeof *arg);
    memcpy(arg, copy.arg, copy.args * sizeof *arg);
    copy.arg = arg;
  }
  f->node[f->nodes] = copy;
  return f->nodes++;
}

int64_t shape_count(const Shape *shape) {
  int64_t count = 1;
  for (uint32_t k = 0; k < shape->rank; k++) count *= shape->dim[k];
  return count;
}

bool shape_equal(const Shape *a, const Shape *b) {
  if (a->rank != b->rank) return false;
  for (uint32_t k = 0; k < a->rank; k++)
    if (a->dim[k] != b->dim[k]) return false;
  return true;
}
