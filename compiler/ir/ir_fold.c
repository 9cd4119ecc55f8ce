/* SPDX-License-Identifier: Apache-2.0 */
/* ir_fold.c -- arithmetic among constants, and identities that hold for every number.
 *   needs   verified IR; precision 8 before freeze (literal arithmetic is f64), the model's after it
 *   keeps   every value, to the bit: -0, infinities and NaN (not its payload) included
 *   leaves  f with new nodes in the old order, some of them dead, for ir_sweep
 *
 * A folded value comes from the interpreter's own evaluators, so that it has the bits that the program would have had.
 * A pin is never looked through: what it holds is a parameter, on which the program computes in its own precision.
 *
 * A constant of equal elements becomes one element and a view that repeats it, and a view that repeats elements of a
 * constant stays one, though its value is known here: constants stay small, and views cost nothing later.
 *
 * Left out on purpose: x*0 (NaN and infinity), x+0 (is +0 for -0), 0-x (differs from -x for +0), x-x, x/x (NaN),
 * reassociation of any kind, and x*c/c.  x/2^k is freeze's business, and so is everything that looks at masks. */
#include <math.h>
#include <string.h>
#include "build.h"
#include "ir_run.h"
#include "ir_walk.h"

enum { MOST_FOLDED = 1 << 16 };         /* elements of a folded value: the table of a program may be larger */
static const int64_t most_folded_work = (int64_t)1 << 22;

typedef struct Fold {
  IrFunction *to;
  int precision;
  const double **value;                 /* of each new node: its elements if they are known, else NULL */
  uint32_t room;
} Fold;

/* ---- known values ----------------------------------------------------------------------------------------------- */
static const double *value_of(const Fold *fold, Ref r) { return r < fold->room ? fold->value[r] : NULL; }

static void set_value(Fold *fold, Ref r, const double *value) {
  if (r >= fold->room) {
    uint32_t room = 2 * r + 64;
    fold->value = arena_grow(fold->to->arena, fold->value, fold->room, room, sizeof *fold->value);
    fold->room = room;
  }
  fold->value[r] = value;
}

static bool same_bits(double a, double b) { return memcmp(&a, &b, sizeof a) == 0; }

static bool all_equal(const double *value, int64_t count) {
  for (int64_t i = 1; i < count; i++)
    if (!same_bits(value[i], value[0])) return false;
  return true;
}

/* Is every element the number k?  Compares bits, not values: 0 == -0, but x - 0 is x and x - -0 is not. */
static bool is_exactly(const Fold *fold, Ref r, double k) {
  const double *value = value_of(fold, r);
  if (!value || !all_equal(value, shape_count(&fold->to->node[r].shape))) return false;
  return same_bits(fold->precision == 4 ? (double)(float)value[0] : value[0], k);
}

/* ---- evaluation ------------------------------------------------------------------------------------------------- */
static const float *rounded(Arena *arena, const double *from, int64_t count) {
  float *to = arena_array(arena, (size_t)count, sizeof *to);
  for (int64_t i = 0; i < count; i++) to[i] = (float)from[i];
  return to;
}

static void evaluate_f32(const Fold *fold, const IrNode *node, double *result) {
  Arena *arena = fold->to->arena;
  const int64_t count = shape_count(&node->shape);
  const float **arg = arena_array(arena, node->args, sizeof *arg);
  float *out = arena_array(arena, (size_t)count, sizeof *out);
  for (uint32_t j = 0; j < node->args; j++)
    arg[j] = rounded(arena, value_of(fold, node->arg[j]), shape_count(&fold->to->node[node->arg[j]].shape));
  (void)ir_evaluate_f32(fold->to, node, arg, out);      /* fails for matrices only */
  for (int64_t i = 0; i < count; i++) result[i] = out[i];
}

static void evaluate_f64(const Fold *fold, const IrNode *node, double *result) {
  const double **arg = arena_array(fold->to->arena, node->args, sizeof *arg);
  for (uint32_t j = 0; j < node->args; j++) arg[j] = value_of(fold, node->arg[j]);
  (void)ir_evaluate_f64(fold->to, node, arg, result);
}

static bool can_evaluate(const Fold *fold, const IrNode *node) {
  int64_t count = shape_count(&node->shape);
  if (node->args == 0 || node->op == IR_pin || ir_op_class[node->op] == IR_MATRIX || count > MOST_FOLDED) return false;
  if (node->op == IR_contract && count * ir_contract_terms(node) > most_folded_work) return false;
  for (uint32_t j = 0; j < node->args; j++)
    if (!value_of(fold, node->arg[j])) return false;
  return true;
}

/* A new constant of these elements; equal ones as a view of one. */
static Ref constant(Fold *fold, const IrNode *like, const double *value) {
  int64_t count = shape_count(&like->shape);
  IrNode node = {.op = IR_constant, .truth = like->truth, .mask = like->mask, .shape = like->shape, .at = like->at};
  node.data = value;
  bool repeat = count > 1 && all_equal(value, count);
  if (repeat) node.shape = (Shape){0};
  Ref r = ir_append(fold->to, &node);
  set_value(fold, r, value);
  if (!repeat) return r;
  IrNode view = {.op = IR_view, .truth = like->truth, .shape = like->shape, .args = 1, .arg = &r, .at = like->at};
  Ref repeated = ir_append(fold->to, &view);
  set_value(fold, repeated, value);
  return repeated;
}

static Ref evaluate(Fold *fold, const IrNode *node) {
  double *value = arena_array(fold->to->arena, (size_t)shape_count(&node->shape), sizeof *value);
  if (fold->precision == 4) evaluate_f32(fold, node, value);
  else evaluate_f64(fold, node, value);
  return constant(fold, node, value);
}

/* ---- identities ------------------------------------------------------------------------------------------------- */
/* The operand of r if r is this operation, else IR_NONE. */
static Ref under(const Fold *fold, Ref r, IrOp op) {
  return fold->to->node[r].op == op ? fold->to->node[r].arg[0] : IR_NONE;
}

static Ref select_same_as(const Fold *fold, const IrNode *node) {
  if (node->arg[1] == node->arg[2]) return node->arg[1];
  if (is_exactly(fold, node->arg[0], 1)) return node->arg[1];
  if (is_exactly(fold, node->arg[0], 0)) return node->arg[2];
  return IR_NONE;
}

/* The operand (or the operand's operand) that the node is equal to for every number, or IR_NONE. */
static Ref same_as(const Fold *fold, const IrNode *node) {
  const Ref a = node->args > 0 ? node->arg[0] : IR_NONE, b = node->args > 1 ? node->arg[1] : IR_NONE;
  switch (node->op) {
  case IR_add: return is_exactly(fold, b, -0.0) ? a : is_exactly(fold, a, -0.0) ? b : IR_NONE;
  case IR_sub: return is_exactly(fold, b, 0) ? a : IR_NONE;
  case IR_mul: return is_exactly(fold, b, 1) ? a : is_exactly(fold, a, 1) ? b : IR_NONE;
  case IR_div: return is_exactly(fold, b, 1) ? a : IR_NONE;
  case IR_variable: case IR_hold: return a;
  case IR_neg: return under(fold, a, IR_neg);
  case IR_not: return under(fold, a, IR_not);
  case IR_select: return select_same_as(fold, node);
  case IR_concat: return node->args == 1 ? a : IR_NONE;
  default: return IR_NONE;
  }
}

/* ---- the pass --------------------------------------------------------------------------------------------------- */
/* Is this a view that repeats elements of a constant? */
static bool repeats_constant(const Fold *fold, const IrNode *node) {
  if (node->op != IR_view) return false;
  const IrNode *from = &fold->to->node[node->arg[0]];
  return from->op == IR_constant && shape_count(&from->shape) < shape_count(&node->shape);
}

/* Stays as it is; its value is known where it is not too long to write down.  Moving elements rounds nothing. */
static Ref repeated_constant(Fold *fold, const IrNode *node) {
  Ref r = ir_append(fold->to, node);
  int64_t count = shape_count(&node->shape);
  if (count > MOST_FOLDED) return r;
  double *value = arena_array(fold->to->arena, (size_t)count, sizeof *value);
  evaluate_f64(fold, node, value);
  set_value(fold, r, value);
  return r;
}

static Ref fold_node(Fold *fold, const IrNode *node) {
  IrFunction *to = fold->to;
  if (node->op == IR_constant) return constant(fold, node, node->data);
  Ref same = same_as(fold, node);
  if (same != IR_NONE) return same;
  if (repeats_constant(fold, node)) return repeated_constant(fold, node);
  if (can_evaluate(fold, node)) return evaluate(fold, node);
  if (node->op == IR_view) return ir_view_flat(to, node->arg[0], &node->shape, &node->map, node->at);
  return ir_append(to, node);
}

void ir_fold(IrFunction *f, int precision) {
  IrFunction to = {.arena = f->arena, .inputs = f->inputs, .input = f->input};
  Fold fold = {.to = &to, .precision = precision};
  Ref *now = arena_array(f->arena, f->nodes, sizeof *now);
  Ref *arg = arena_array(f->arena, ir_most_args(f), sizeof *arg);
  for (Ref i = 0; i < f->nodes; i++) {
    IrNode node = f->node[i];
    for (uint32_t j = 0; j < node.args; j++) arg[j] = now[node.arg[j]];
    node.arg = arg;
    if (f->frozen) node.mask = 0;       /* no decision reads it any more: what the operands depend on */
    now[i] = fold_node(&fold, &node);
  }
  f->node = to.node;
  f->nodes = to.nodes;
  f->room = to.room;
  f->result = now[f->result];
}
