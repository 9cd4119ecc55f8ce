/* SPDX-License-Identifier: Apache-2.0 */
/* derive_each.c -- partial derivatives of single operations (the rows of derivative.def). */
#include "derive_parts.h"

/* Every elementwise operation stands in one of the three lists: IR_CLASS of the row's operation is checked by the compiler,
 * its being there by tests/ir. */
bool derive_is_flat(IrOp op) {
  switch (op) {
#define PARTIAL(op, operand, expression)
#define FLAT(op) case IR_##op:
#define CHOICE(op)
#include "derivative.def"
#undef PARTIAL
#undef FLAT
#undef CHOICE
    return true;
  case IR_pivots: return true;  /* made by freeze alone, when all derivatives have been taken */
  default: return ir_op_class[op] == IR_COMPARE || ir_op_class[op] == IR_LOGIC;
  }
}

bool derive_is_choice(IrOp op) {
  switch (op) {
#define PARTIAL(op, operand, expression)
#define FLAT(op)
#define CHOICE(op) case IR_##op:
#include "derivative.def"
#undef PARTIAL
#undef FLAT
#undef CHOICE
    return true;
  default: return false;
  }
}

Ref derive_like(IrFunction *f, Ref like, double value) {
  Shape shape = f->node[like].shape;
  return ir_number(f, &shape, value, f->node[like].at);
}

Ref derive_times(IrFunction *f, Ref a, Ref b, Span at) {
  if (a == IR_NONE || b == IR_NONE) return a == IR_NONE ? b : a;
  return ir_two(f, IR_mul, a, b, at);
}

/* The exponent in b a^(b-1), the derivative of a^b by a.  That is 0 where b is 0, but would be 0 times infinity at a = 0, so
 * there the exponent is 0 too.  Where b may vary that is done at a = 0 alone: elsewhere the power has a derivative by b. */
static Ref constant_below(IrFunction *f, Ref b) {
  const IrNode n = f->node[b], of = n.op == IR_view ? f->node[n.arg[0]] : n;
  if (of.op != IR_constant) return IR_NONE;
  int64_t count = shape_count(&of.shape);
  double *number = arena_array(f->arena, (size_t)count, sizeof *number);
  for (int64_t i = 0; i < count; i++) number[i] = of.data[i] == 0 ? 0 : of.data[i] - 1;
  Ref below = ir_data(f, &of.shape, number, n.at);
  return n.op == IR_view ? ir_view_flat(f, below, &n.shape, &n.map, n.at) : below;
}

static Ref exponent_below(IrFunction *f, Ref node) {
  const IrNode n = f->node[node];
  Ref a = n.arg[0], b = n.arg[1], known = constant_below(f, b);
  if (known != IR_NONE) return known;
  Ref none = derive_like(f, node, 0), less = ir_two(f, IR_sub, b, derive_like(f, node, 1), n.at);
  Ref zero = ir_two(f, IR_and, ir_two(f, IR_equal, a, none, n.at), ir_two(f, IR_equal, b, none, n.at), n.at);
  return ir_three(f, IR_select, zero, none, less, n.at);
}

Ref derive_partial(IrFunction *f, Ref node, uint32_t operand) {
  const IrNode n = f->node[node];
  const Ref V = node, A = n.arg[0], B = n.args > 1 ? n.arg[1] : IR_NONE, UNIT = IR_NONE;
  const Span at = n.at;
  (void)V, (void)A, (void)B;
#define N(x) derive_like(f, node, x)
#define ADD(x, y) ir_two(f, IR_add, x, y, at)
#define SUB(x, y) ir_two(f, IR_sub, x, y, at)
#define MUL(x, y) ir_two(f, IR_mul, x, y, at)
#define DIV(x, y) ir_two(f, IR_div, x, y, at)
#define NEG(x) ir_one(f, IR_neg, x, at)
#define EACH1(op, x) ir_one(f, IR_##op, x, at)
#define EACH2(op, x, y) ir_two(f, IR_##op, x, y, at)
#define CHOOSE(c, x, y) ir_three(f, IR_select, c, x, y, at)
#define BELOW exponent_below(f, node)
#define PARTIAL(name, place, expression) if (n.op == IR_##name && operand == place) return expression;
#define FLAT(op)
#define CHOICE(op)
#include "derivative.def"
#undef PARTIAL
#undef FLAT
#undef CHOICE
  return UNIT;          /* no such row: tests/ir checks that there is one for every operation */
}

Ref derive_chosen(IrFunction *f, Ref node, bool first_varies, bool second_varies) {
  const IrNode n = f->node[node];
  if (n.op == IR_select) return n.arg[0];
  Ref a = n.arg[0], b = n.arg[1];
  IrOp strict = first_varies && !second_varies ? IR_less : IR_less_equal;       /* does the first win a tie? */
  return n.op == IR_max ? ir_two(f, strict, b, a, n.at) : ir_two(f, strict, a, b, n.at);
}

/* ---- the last axis ------------------------------------------------------------------------------------------------ */

Ref derive_sum_last(IrFunction *f, Ref a, Ref b, Span at) {
  if (b == IR_NONE) return ir_reduce(f, IR_reduce_sum, a, at);
  Shape whole = f->node[a].shape, outer = whole;
  int64_t n = whole.dim[whole.rank - 1];
  outer.dim[--outer.rank] = 0;
  IrOperand x = {a, {0}}, y = {b, {0}};
  ir_strides(&whole, x.map.stride);
  ir_strides(&whole, y.map.stride);
  return ir_contract(f, &outer, 1, &n, x, y, IR_NONE, at);
}

Ref derive_shares(IrFunction *f, Ref node) {
  const IrNode n = f->node[node];
  Ref a = n.arg[0];
  Shape shape = f->node[a].shape;
  Ref taken = ir_two(f, IR_equal, a, ir_repeat_last(f, node, &shape, n.at), n.at);
  Ref one = ir_three(f, IR_select, taken, derive_like(f, a, 1), derive_like(f, a, 0), n.at);
  Ref count = ir_repeat_last(f, ir_reduce(f, IR_reduce_sum, one, n.at), &shape, n.at);
  return ir_two(f, IR_div, one, count, n.at);
}

/* As freeze writes it, so that both become one. */
Ref derive_standard_scale(IrFunction *f, Ref node) {
  const IrNode n = f->node[node];
  Ref a = n.arg[0];
  Shape shape = f->node[a].shape;
  Ref sum = ir_reduce(f, IR_reduce_sum, a, n.at);
  Ref share = derive_like(f, sum, 1.0 / (double)shape.dim[shape.rank - 1]);
  Ref mean = ir_two(f, IR_mul, sum, share, n.at);
  Ref centred = ir_two(f, IR_sub, a, ir_repeat_last(f, mean, &shape, n.at), n.at);
  Ref squares = derive_sum_last(f, centred, centred, n.at);
  Ref variance = ir_two(f, IR_add, ir_two(f, IR_mul, squares, share, n.at), derive_like(f, sum, n.number), n.at);
  return ir_two(f, IR_div, derive_like(f, sum, 1), ir_one(f, IR_sqrt, variance, n.at), n.at);
}
