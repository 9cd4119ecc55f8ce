/* SPDX-License-Identifier: Apache-2.0 */
/* gradients.c -- a loss and its gradients by all weights, as one function.
 *
 *   needs   a velocity u, lowered, not frozen
 *   leaves  a function of one sample with the result  loss ++ [the state's gradient ++] contribution ++ contribution ++ ...,
 *           each a flat vector: for a weight with several uses several contributions, whose sum is its gradient.
 *           f->contribution says to which weight each belongs.
 *
 * The contribution of a layer's matrix is a product of two vectors, cotangent[o] * input[k], and is kept as such a product: what
 * compiles this adds it up over samples and never makes it for one (compiler/tile).  The interpreter makes it, and is the oracle. */
#include "derive_parts.h"

/* A further condition, of a shape. */
static Ref condition(IrFunction *f, const char *name, const Shape *shape, Span at) {
  IrInput input = {name, *shape, IR_CONDITIONS}, *all = arena_array(f->arena, f->inputs + 1, sizeof *all);
  for (uint32_t i = 0; i < f->inputs; i++) all[i] = f->input[i];
  all[f->inputs] = input;
  f->input = all;
  IrNode node = {.op = IR_input, .slot = f->inputs++, .shape = *shape, .at = at};
  return ir_append(f, &node);
}

/* The sum of the products of all elements; b is read from element `first` on. */
static Ref dot(IrFunction *f, Ref a, Ref b, int64_t first, Span at) {
  Shape own = f->node[a].shape, scalar = {0};
  int64_t n = shape_count(&own);
  IrOperand x = {a, {0, {1}}}, y = {b, {first, {1}}};
  return ir_contract(f, &scalar, 1, &n, x, y, IR_NONE, at);
}

/* mean (u - target)^2 over the components */
static Ref squares(IrFunction *f, Span at) {
  Shape own = f->node[f->result].shape, scalar = {0};
  Ref difference = ir_two(f, IR_sub, f->result, condition(f, "target", &own, at), at);
  Ref share = ir_number(f, &scalar, 1.0 / (double)shape_count(&own), at);
  return ir_two(f, IR_mul, dot(f, difference, difference, 0, at), share, at);
}

/* adjoint . (u, -div u) */
static Ref adjoint(IrFunction *f, Ref x, bool log_p, Span at) {
  Shape own = f->node[x].shape, given = {.rank = 1, .dim = {shape_count(&own) + log_p}}, scalar = {0};
  Ref value = f->result, w = condition(f, "adjoint", &given, at), sum = dot(f, value, w, 0, at);
  if (!log_p) return sum;
  Ref divergence = ir_divergence(f, 0, value, x, own.rank, at);
  if (divergence == IR_NONE) return IR_NONE;
  Ref last = ir_view_flat(f, w, &scalar, &(IrMap){given.dim[0] - 1, {0}}, at);
  return ir_two(f, IR_sub, sum, ir_two(f, IR_mul, last, divergence, at), at);
}

static Ref flattened(IrFunction *f, Ref r) {
  Shape flat = {.rank = 1, .dim = {shape_count(&f->node[r].shape)}};
  return ir_view_flat(f, r, &flat, &(IrMap){0, {f->node[r].shape.rank > 0}}, f->node[r].at);
}

static Ref state_of(IrFunction *f) {
  for (Ref r = 0; r < f->nodes; r++)
    if (f->node[r].op == IR_input && f->node[r].slot == 1) return r;
  IrNode node = {.op = IR_input, .slot = 1, .shape = f->input[1].shape, .at = f->node[f->result].at};
  return ir_append(f, &node);
}

IrFunction *ir_with_gradients(IrFunction *from, IrLoss loss) {
  IrFunction *f = arena_alloc(from->arena, sizeof *f);
  *f = *from;
  f->room = f->nodes;           /* so that the first node that is added moves to an array of its own */
  f->general = true;
  f->state_gradient = loss != IR_SQUARES;
  Span at = f->node[f->result].at;
  Ref x = f->state_gradient ? state_of(f) : IR_NONE;
  Ref value = loss == IR_SQUARES ? squares(f, at) : adjoint(f, x, loss == IR_ADJOINT_LOG_P, at);
  WeightGradients gradients;
  if (value == IR_NONE || !derive_weight_gradients(f, value, x, derive_like(f, value, 1), &gradients)) return NULL;
  Ref *part = arena_array(f->arena, gradients.count + 2, sizeof *part);
  uint32_t parts = 0;
  part[parts++] = flattened(f, value);
  if (f->state_gradient) part[parts++] = flattened(f, gradients.state);
  for (uint32_t i = 0; i < gradients.count; i++) part[parts++] = flattened(f, gradients.value[i]);
  f->contributions = gradients.count;
  f->contribution = gradients.slot;
  f->result = ir_concat(f, 0, part, parts, at);
  return ir_sweep(f);
}
