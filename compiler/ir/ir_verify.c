/* SPDX-License-Identifier: Apache-2.0 */
/* ir_verify.c -- is a function well formed?
 *
 * Trusts nothing but that the arrays have the lengths that they claim: the parser hands hostile functions in.  What it
 * accepts can be executed without another check: no index leaves its operand, no product of extents overflows, no
 * value is read before it is defined.  The answer is a sentence in the function's arena, or NULL. */
#include "ir.h"

/* The sentence about node i. */
#define WRONG(f, i, ...) about(f, i, arena_format((f)->arena, __VA_ARGS__))
static const char *about(const IrFunction *f, Ref i, const char *wrong) {
  return arena_format(f->arena, "%%%u = %s: %s", (unsigned)i, ir_op_name[f->node[i].op], wrong);
}

/* Multiply-adds of one contraction (LANGUAGE section 2: of one evaluation). */
static const int64_t most_work = (int64_t)1 << 36;

static const char *text_of(const IrFunction *f, const Shape *shape) {
  const char *text = "[";
  for (uint32_t k = 0; k < shape->rank; k++)
    text = arena_format(f->arena, "%s%s%lld", text, k ? ", " : "", (long long)shape->dim[k]);
  return arena_format(f->arena, "%s]", text);
}

/* ---- shapes ----------------------------------------------------------------------------------------------------- */
/* NULL or what is wrong with a shape: nothing empty, and no more elements than `most`. */
static const char *shape_wrong(const IrFunction *f, const Shape *shape, int64_t most) {
  if (shape->rank > FLOW_MOST_RANK)
    return arena_format(f->arena, "has %u axes, at most %d are allowed", (unsigned)shape->rank, (int)FLOW_MOST_RANK);
  int64_t count = 1;
  for (uint32_t k = 0; k < shape->rank; k++) {
    if (shape->dim[k] < 1)
      return arena_format(f->arena, "axis %u has length %lld", (unsigned)k, (long long)shape->dim[k]);
    if (__builtin_mul_overflow(count, shape->dim[k], &count) || count > most)
      return arena_format(f->arena, "%s has more than 2^24 elements", text_of(f, shape));
  }
  return NULL;
}

/* What a value may have; the contributions of a training function (gradients.c) are never made as one, and have no bound. */
static int64_t most_elements(const IrFunction *f, Ref i) {
  return f->contributions && i == f->result ? INT64_MAX : IR_MOST_ELEMENTS;
}

/* The shape less its last axis. */
static Shape without_last(const Shape *shape) {
  Shape rest = *shape;
  rest.rank--;
  return rest;
}

/* ---- maps ------------------------------------------------------------------------------------------------------- */
/* Does offset + sum stride*index stay in [0, count) for every index below extent? */
static bool map_inside(const IrMap *map, uint32_t axes, const int64_t *extent, int64_t count) {
  int64_t least = map->offset, most = map->offset;
  for (uint32_t k = 0; k < axes; k++) {
    int64_t reach, *end = map->stride[k] < 0 ? &least : &most;
    if (__builtin_mul_overflow(map->stride[k], extent[k] - 1, &reach)) return false;
    if (__builtin_add_overflow(*end, reach, end)) return false;
  }
  return least >= 0 && most < count;
}

static const char *view_wrong(const IrFunction *f, Ref i) {
  const IrNode *node = &f->node[i];
  const Shape *from = &f->node[node->arg[0]].shape;
  if (map_inside(&node->map, node->shape.rank, node->shape.dim, shape_count(from))) return NULL;
  return WRONG(f, i, "the map leaves its operand %%%u, which is %s", (unsigned)node->arg[0], text_of(f, from));
}

static const char *contract_wrong(const IrFunction *f, Ref i) {
  const IrNode *node = &f->node[i];
  if (node->args < 2 || node->args > 3) return WRONG(f, i, "has %u operands, 2 or 3 are right", (unsigned)node->args);
  if (node->sums > IR_MOST_AXES || node->shape.rank + node->sums > IR_MOST_AXES)
    return WRONG(f, i, "has %u axes, at most %d are allowed", (unsigned)node->shape.rank + (unsigned)node->sums,
                 (int)IR_MOST_AXES);
  int64_t extent[IR_MOST_AXES], work = shape_count(&node->shape);
  uint32_t axes = 0;
  for (uint32_t k = 0; k < node->shape.rank; k++) extent[axes++] = node->shape.dim[k];
  for (uint32_t k = 0; k < node->sums; k++) {
    if (node->extent[k] < 1)
      return WRONG(f, i, "summed axis %u has length %lld", (unsigned)k, (long long)node->extent[k]);
    if (__builtin_mul_overflow(work, node->extent[k], &work) || work > most_work)
      return WRONG(f, i, "takes more than 2^36 multiplications");
    extent[axes++] = node->extent[k];
  }
  for (int side = 0; side < 2; side++) {
    const Shape *from = &f->node[node->arg[side]].shape;
    if (!map_inside(side ? &node->map_b : &node->map, axes, extent, shape_count(from)))
      return WRONG(f, i, "the map of %c leaves its operand %%%u, which is %s", side ? 'b' : 'a',
                   (unsigned)node->arg[side], text_of(f, from));
  }
  const Shape *init = node->args == 3 ? &f->node[node->arg[2]].shape : &node->shape;
  if (shape_equal(&node->shape, init)) return NULL;
  return WRONG(f, i, "init is %s, the result is %s", text_of(f, init), text_of(f, &node->shape));
}

/* ---- the other layouts ------------------------------------------------------------------------------------------ */
static const char *concat_wrong(const IrFunction *f, Ref i) {
  const IrNode *node = &f->node[i];
  if (node->args == 0) return WRONG(f, i, "has no operands");
  if (node->axis >= node->shape.rank)
    return WRONG(f, i, "axis %u is outside the result %s", (unsigned)node->axis, text_of(f, &node->shape));
  int64_t total = 0;    /* cannot overflow: each operand has at most 2^24 elements, args at most 2^32 */
  for (uint32_t j = 0; j < node->args; j++) {
    const Shape *found = &f->node[node->arg[j]].shape;
    Shape part = *found;
    if (part.rank == node->shape.rank) {
      total += part.dim[node->axis];
      part.dim[node->axis] = node->shape.dim[node->axis];
    }
    if (!shape_equal(&part, &node->shape))
      return WRONG(f, i, "operand %%%u is %s, the result is %s along axis %u", (unsigned)node->arg[j],
                   text_of(f, found), text_of(f, &node->shape), (unsigned)node->axis);
  }
  if (total != node->shape.dim[node->axis])
    return WRONG(f, i, "the operands have %lld elements along axis %u, the result has %lld", (long long)total,
                 (unsigned)node->axis, (long long)node->shape.dim[node->axis]);
  return NULL;
}

static const char *lookup_wrong(const IrFunction *f, Ref i) {
  const IrNode *node = &f->node[i];
  const Shape *table = &f->node[node->arg[0]].shape, *label = &f->node[node->arg[1]].shape;
  if (table->rank != 2) return WRONG(f, i, "the table is %s, [K, n] is right", text_of(f, table));
  if (node->shape.rank == label->rank + 1) {
    Shape rest = without_last(&node->shape);
    if (shape_equal(&rest, label) && node->shape.dim[label->rank] == table->dim[1]) return NULL;
  }
  return WRONG(f, i, "table %s and label %s do not give %s", text_of(f, table), text_of(f, label),
               text_of(f, &node->shape));
}

/* reduce_*, and logsumexp, which drop the last axis. */
static const char *reduction_wrong(const IrFunction *f, Ref i) {
  const IrNode *node = &f->node[i];
  const Shape *from = &f->node[node->arg[0]].shape;
  if (from->rank == 0) return WRONG(f, i, "operand %%%u is a scalar and has no last axis", (unsigned)node->arg[0]);
  Shape rest = without_last(from);
  if (shape_equal(&rest, &node->shape)) return NULL;
  return WRONG(f, i, "%s without its last axis is not %s", text_of(f, from), text_of(f, &node->shape));
}

static const char *same_shape_wrong(const IrFunction *f, Ref i) {
  const IrNode *node = &f->node[i];
  for (uint32_t j = 0; j < node->args; j++) {
    const Shape *from = &f->node[node->arg[j]].shape;
    if (!shape_equal(from, &node->shape))
      return WRONG(f, i, "operand %%%u is %s, the result is %s", (unsigned)node->arg[j], text_of(f, from),
                   text_of(f, &node->shape));
  }
  return NULL;
}

/* solve, pivots, logdet. */
static const char *matrix_wrong(const IrFunction *f, Ref i) {
  const IrNode *node = &f->node[i];
  const Shape *a = &f->node[node->arg[0]].shape, *b = node->op == IR_solve ? &f->node[node->arg[1]].shape : a;
  uint32_t loops = a->rank - 2;
  if (a->rank < 2 || a->dim[loops] != a->dim[loops + 1]) return WRONG(f, i, "operand %%%u is %s, no square matrix", (unsigned)node->arg[0], text_of(f, a));
  Shape expected = *b;
  if (node->op != IR_solve) expected.rank = node->op == IR_pivots ? a->rank - 1 : loops;
  bool fits = b->rank > loops && b->dim[loops] == a->dim[loops];
  for (uint32_t k = 0; k < loops; k++) fits = fits && b->dim[k] == a->dim[k];
  if (fits && shape_equal(&expected, &node->shape)) return NULL;
  return WRONG(f, i, "operands %s and %s do not give %s", text_of(f, a), text_of(f, b), text_of(f, &node->shape));
}

static const char *whole_wrong(const IrFunction *f, Ref i) {
  if (f->node[i].op == IR_logsumexp) return reduction_wrong(f, i);
  if (f->node[i].shape.rank == 0) return WRONG(f, i, "a scalar has no last axis");
  return same_shape_wrong(f, i);
}

/* ---- kinds: numbers and truth values ---------------------------------------------------------------------------- */
static const char *kind_wrong(const IrFunction *f, Ref i, uint32_t operand, bool truth) {
  const Ref from = f->node[i].arg[operand];
  if (f->node[from].truth == truth) return NULL;
  return WRONG(f, i, "operand %%%u is a %s, a %s is right", (unsigned)from, truth ? "number" : "truth value",
               truth ? "truth value" : "number");
}

/* Do the node's operands want truth values?  A layout and a select hand through what they get. */
static bool wants_truth(const IrNode *node, uint32_t operand) {
  switch (ir_op_class[node->op]) {
  case IR_LOGIC: return true;
  case IR_EACH: return node->op == IR_select && (operand == 0 || node->truth);
  case IR_LAYOUT: return node->op != IR_lookup && node->truth;
  default: return false;
  }
}

static bool may_be_truth(const IrNode *node) {
  IrClass class = ir_op_class[node->op];
  return class == IR_COMPARE || class == IR_LOGIC || node->op == IR_select || node->op == IR_constant ||
         node->op == IR_view || node->op == IR_concat;
}

static const char *kinds_wrong(const IrFunction *f, Ref i) {
  const IrNode *node = &f->node[i];
  IrClass class = ir_op_class[node->op];
  if (node->truth && !may_be_truth(node)) return WRONG(f, i, "makes a number, not a truth value");
  if (!node->truth && (class == IR_COMPARE || class == IR_LOGIC))
    return WRONG(f, i, "makes a truth value, not a number");
  for (uint32_t j = 0; j < node->args; j++) {
    const char *wrong = kind_wrong(f, i, j, wants_truth(node, j));
    if (wrong) return wrong;
  }
  return NULL;
}

/* ---- leaves ----------------------------------------------------------------------------------------------------- */
static const char *constant_wrong(const IrFunction *f, Ref i) {
  const IrNode *node = &f->node[i];
  if (!node->data) return WRONG(f, i, "has no data");
  if (!node->truth) return NULL;
  int64_t count = shape_count(&node->shape);
  for (int64_t e = 0; e < count; e++)
    if (node->data[e] != 0 && node->data[e] != 1)
      return WRONG(f, i, "element %lld is %g, a truth value is 0 or 1", (long long)e, node->data[e]);
  return NULL;
}

static const char *outside_wrong(const IrFunction *f, Ref i, const char *what, uint32_t known, const Shape *shape) {
  const IrNode *node = &f->node[i];
  unsigned slot = node->slot;
  if (slot >= known) return WRONG(f, i, "there is no %s %u, only %u", what, slot, (unsigned)known);
  if (shape_equal(shape, &node->shape)) return NULL;
  return WRONG(f, i, "%s %u is %s, the node is %s", what, slot, text_of(f, shape), text_of(f, &node->shape));
}

static const char *leaf_wrong(const IrFunction *f, Ref i) {
  const IrNode *node = &f->node[i];
  if (node->op == IR_constant) return constant_wrong(f, i);
  if (node->op == IR_input)
    return outside_wrong(f, i, "input", f->inputs, node->slot < f->inputs ? &f->input[node->slot].shape : NULL);
  return outside_wrong(f, i, "weight", f->weights, node->slot < f->weights ? &f->weight[node->slot].shape : NULL);
}

/* ---- one node, and all of them ---------------------------------------------------------------------------------- */
static const char *layout_wrong(const IrFunction *f, Ref i) {
  switch (f->node[i].op) {
  case IR_view: return view_wrong(f, i);
  case IR_concat: return concat_wrong(f, i);
  default: return lookup_wrong(f, i);
  }
}

static const char *attributes_wrong(const IrFunction *f, Ref i) {
  switch (ir_op_class[f->node[i].op]) {
  case IR_LEAF: return leaf_wrong(f, i);
  case IR_LAYOUT: return layout_wrong(f, i);
  case IR_SUM: return f->node[i].op == IR_contract ? contract_wrong(f, i) : reduction_wrong(f, i);
  case IR_WHOLE: return whole_wrong(f, i);
  case IR_MATRIX: return matrix_wrong(f, i);
  default: return same_shape_wrong(f, i);
  }
}

static const char *mask_wrong(const IrFunction *f, Ref i) {
  const IrNode *node = &f->node[i];
  unsigned least = 0;
  if (node->op == IR_input) least = f->input[node->slot].mask;
  if (node->op == IR_weight) least = IR_WEIGHTS;
  for (uint32_t j = 0; j < node->args; j++) least |= f->node[node->arg[j]].mask;
  if ((node->mask & least) == least) return NULL;
  return WRONG(f, i, "the mask 0x%x lacks what it depends on, 0x%x", node->mask, least);
}

static const char *node_wrong(const IrFunction *f, Ref i) {
  const IrNode *node = &f->node[i];
  if ((unsigned)node->op >= IR_OP_COUNT)
    return arena_format(f->arena, "%%%u has the operation %u, which there is not", (unsigned)i, (unsigned)node->op);
  if (f->frozen && !ir_op_frozen[node->op]) return WRONG(f, i, "does not stand in a frozen function");
  const char *wrong = shape_wrong(f, &node->shape, most_elements(f, i));
  if (wrong) return WRONG(f, i, "%s", wrong);
  int operands = ir_op_operands[node->op];
  if (operands >= 0 && node->args != (uint32_t)operands)
    return WRONG(f, i, "has %u operands, %d is right", (unsigned)node->args, operands);
  for (uint32_t j = 0; j < node->args; j++)
    if (node->arg[j] >= i) return WRONG(f, i, "operand %%%u does not stand before it", (unsigned)node->arg[j]);
  if (!(wrong = attributes_wrong(f, i)) && !(wrong = kinds_wrong(f, i))) wrong = mask_wrong(f, i);
  return wrong;
}

static const char *table_wrong(const IrFunction *f) {
  for (uint32_t i = 0; i < f->inputs; i++) {
    const char *wrong = shape_wrong(f, &f->input[i].shape, IR_MOST_ELEMENTS);
    if (wrong) return arena_format(f->arena, "input %u: %s", (unsigned)i, wrong);
  }
  for (uint32_t i = 0; i < f->weights; i++) {
    const char *wrong = shape_wrong(f, &f->weight[i].shape, IR_MOST_ELEMENTS);
    if (wrong) return arena_format(f->arena, "weight %u: %s", (unsigned)i, wrong);
  }
  if (f->general) return NULL;
  if (f->inputs < 2) return "a function has at least the inputs t and state";
  return f->input[0].shape.rank ? "input 0, the time, is not a scalar" : NULL;
}

const char *ir_verify(const IrFunction *f) {
  const char *wrong = table_wrong(f);
  for (Ref i = 0; i < f->nodes && !wrong; i++) wrong = node_wrong(f, i);
  if (wrong) return wrong;
  if (f->result >= f->nodes) return "the result is not a node of the function";
  const IrNode *result = &f->node[f->result];
  if (result->truth) return "the result is a truth value, not a number";
  if (f->general) return NULL;                      /* perhaps of no inputs */
  const Shape *state = &f->input[1].shape;
  if (shape_equal(&result->shape, state)) return NULL;
  if (result->shape.rank == 1 && result->shape.dim[0] > shape_count(state)) return NULL;       /* with extras */
  return arena_format(f->arena, "the result is %s, the state is %s", text_of(f, &result->shape), text_of(f, state));
}
