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

/* The sum of the products of all elements of a with as many of b. */
static Ref dot(IrFunction *f, Ref a, Ref b, Span at) {
  Shape own = f->node[a].shape, scalar = {0};
  int64_t n = shape_count(&own);
  IrOperand x = {a, {0, {1}}}, y = {b, {0, {1}}};
  return ir_contract(f, &scalar, 1, &n, x, y, IR_NONE, at);
}

/* mean (u - target)^2 over the components */
static Ref squares(IrFunction *f, Span at) {
  Shape own = f->node[f->result].shape, scalar = {0};
  Ref difference = ir_two(f, IR_sub, f->result, derive_condition(f, "target", &own, at), at);
  Ref share = ir_number(f, &scalar, 1.0 / (double)shape_count(&own), at);
  return ir_two(f, IR_mul, dot(f, difference, difference, at), share, at);
}

/* The mean of the estimates of -div u. */
static Ref mean_rate(IrFunction *f, Ref x, uint32_t probes, Span at) {
  Ref rates = derive_probe_rates(f, x, probes, at);
  return rates == IR_NONE ? IR_NONE : derive_sum_last(f, rates, derive_like(f, rates, 1.0 / probes), at);
}

/* adjoint . u; adjoint . (u, -div u), the rate exact or estimated */
static Ref adjoint(IrFunction *f, Ref x, IrLoss loss, uint32_t probes, Span at) {
  bool estimated = loss == IR_ADJOINT_PROBES, log_p = estimated || loss == IR_ADJOINT_LOG_P;
  Shape own = f->node[x].shape, given = {.rank = 1, .dim = {shape_count(&own) + log_p}}, scalar = {0};
  Ref value = f->result, rate = estimated ? mean_rate(f, x, probes, at) : IR_NONE;     /* the probes stand before the adjoint */
  if (estimated && rate == IR_NONE) return IR_NONE;
  Ref w = derive_condition(f, "adjoint", &given, at), sum = dot(f, value, w, at);
  if (!log_p) return sum;
  Ref divergence = estimated ? IR_NONE : ir_divergence(f, 0, value, x, own.rank, at);
  if (!estimated && divergence == IR_NONE) return IR_NONE;
  Ref last = ir_view_flat(f, w, &scalar, &(IrMap){given.dim[0] - 1, {0}}, at);
  return estimated ? ir_two(f, IR_add, sum, ir_two(f, IR_mul, last, rate, at), at)
                   : ir_two(f, IR_sub, sum, ir_two(f, IR_mul, last, divergence, at), at);
}

IrFunction *ir_with_gradients(IrFunction *from, IrLoss loss, uint32_t probes) {
  IrFunction *f = derive_copy(from);
  f->general = true;
  f->state_gradient = loss != IR_SQUARES;
  Span at = f->node[f->result].at;
  Ref x = f->state_gradient ? derive_state(f) : IR_NONE;
  Ref value = loss == IR_SQUARES ? squares(f, at) : adjoint(f, x, loss, probes, at);
  WeightGradients gradients;
  if (value == IR_NONE || !derive_weight_gradients(f, value, x, derive_like(f, value, 1), &gradients)) return NULL;
  Ref *part = arena_array(f->arena, gradients.count + 2, sizeof *part);
  uint32_t parts = 0;
  part[parts++] = derive_flat(f, value);
  if (f->state_gradient) part[parts++] = derive_flat(f, gradients.state);
  for (uint32_t i = 0; i < gradients.count; i++) part[parts++] = derive_flat(f, gradients.value[i]);
  f->contributions = gradients.count;
  f->contribution = gradients.slot;
  f->result = ir_concat(f, 0, part, parts, at);
  return ir_sweep(f);
}
