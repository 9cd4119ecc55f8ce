/* SPDX-License-Identifier: Apache-2.0 */
/* gradients.c -- a loss and its gradients by all weights, as one function.
 *
 *   needs   a velocity u, lowered, not frozen
 *   leaves  a function of one sample with the result  loss ++ [terms, or the state's gradient ++] contribution ++ contribution ++ ...,
 *           each a flat vector: for a weight with several uses several contributions, whose sum is its gradient.
 *           f->contribution says to which weight each belongs.
 *
 * The contribution of a layer's matrix is a product of two vectors, cotangent[o] * input[k], and is kept as such a product: what
 * compiles this adds it up over samples and never makes it for one (compiler/tile).  The interpreter makes it, and is the oracle. */
#include "derive_parts.h"

/* mean (u - target)^2 over the components */
static Ref squares(IrFunction *f, Ref u, Span at) {
  Shape own = f->node[u].shape, scalar = {0};
  Ref difference = ir_two(f, IR_sub, u, derive_condition(f, "target", &own, at), at);
  Ref share = ir_number(f, &scalar, 1.0 / (double)shape_count(&own), at);
  return ir_two(f, IR_mul, derive_dot(f, difference, difference, at), share, at);
}

/* The velocity, and the loss behind it. */
static Ref of_program(IrFunction *f, Ref *u, Span at) {
  Shape own = f->input[1].shape, scalar = {0};
  IrMap natural = {0, {0}};
  ir_strides(&own, natural.stride);
  Ref both = f->result;
  *u = ir_view_flat(f, both, &own, &natural, at);
  return ir_view_flat(f, both, &scalar, &(IrMap){shape_count(&own), {0}}, at);
}

/* loss + weight * term/d + ..; *shown: that and the terms/d, as one vector. */
static Ref with_terms(IrFunction *f, const IrTerms *terms, Ref loss, Ref u, Ref x, Ref *shown, Span at) {
  Ref term[IR_MOST_TERMS], part[1 + IR_MOST_TERMS];
  Shape scalar = {0};
  Ref share = ir_number(f, &scalar, 1.0 / (double)shape_count(&f->node[u].shape), at);
  uint32_t count = derive_terms(f, terms, u, x, term, at);
  if (count == UINT32_MAX) return IR_NONE;
  for (uint32_t i = 0; i < count; i++) {
    double weight = i == 0 && terms->kinetic > 0 ? terms->kinetic : terms->jacobian;
    Ref mean = ir_two(f, IR_mul, term[i], share, at);
    loss = ir_two(f, IR_add, loss, ir_two(f, IR_mul, mean, ir_number(f, &scalar, weight, at), at), at);
    part[1 + i] = derive_flat(f, mean);
  }
  part[0] = derive_flat(f, loss);
  *shown = ir_concat(f, 0, part, 1 + count, at);
  return loss;
}

/* adjoint . (u, -div u, terms) */
static Ref adjoint(IrFunction *f, Ref x, bool log_p, const IrTerms *terms, Ref *shown, Span at) {
  Ref u = f->result, term[IR_MOST_TERMS];
  Shape own = f->node[x].shape, scalar = {0};
  int64_t next = shape_count(&own);
  uint32_t count = derive_terms(f, terms, u, x, term, at);
  if (count == UINT32_MAX) return IR_NONE;
  Shape given = {.rank = 1, .dim = {next + log_p + count}};
  Ref w = derive_condition(f, "adjoint", &given, at), sum = derive_dot(f, u, w, at);
  if (log_p) {
    Ref divergence = ir_divergence(f, 0, u, x, own.rank, at), last = ir_view_flat(f, w, &scalar, &(IrMap){next++, {0}}, at);
    if (divergence == IR_NONE) return IR_NONE;
    sum = ir_two(f, IR_sub, sum, ir_two(f, IR_mul, last, divergence, at), at);
  }
  for (uint32_t i = 0; i < count; i++) {
    Ref last = ir_view_flat(f, w, &scalar, &(IrMap){next++, {0}}, at);
    sum = ir_two(f, IR_add, sum, ir_two(f, IR_mul, last, term[i], at), at);
  }
  *shown = derive_flat(f, sum);
  return sum;
}

IrFunction *ir_with_gradients(IrFunction *from, IrLoss loss, const IrTerms *terms) {
  IrFunction *f = derive_copy(from);
  Span at = f->node[f->result].at;
  f->general = true;
  f->state_gradient = loss == IR_ADJOINT || loss == IR_ADJOINT_LOG_P;
  Ref x = f->state_gradient || terms->jacobian > 0 ? derive_state(f) : IR_NONE, u = f->result, shown = IR_NONE, value;
  if (f->state_gradient) {
    value = adjoint(f, x, loss == IR_ADJOINT_LOG_P, terms, &shown, at);
  } else {
    value = loss == IR_SQUARES ? squares(f, u, at) : of_program(f, &u, at);
    value = with_terms(f, terms, value, u, x, &shown, at);
  }
  WeightGradients gradients;
  Ref state = f->state_gradient ? x : IR_NONE;
  if (value == IR_NONE || !derive_weight_gradients(f, value, state, derive_like(f, value, 1), &gradients)) return NULL;
  Ref *part = arena_array(f->arena, gradients.count + 2, sizeof *part);
  uint32_t parts = 0;
  part[parts++] = shown;
  if (f->state_gradient) part[parts++] = derive_flat(f, gradients.state);
  for (uint32_t i = 0; i < gradients.count; i++) part[parts++] = derive_flat(f, gradients.value[i]);
  f->contributions = gradients.count;
  f->contribution = gradients.slot;
  f->result = ir_concat(f, 0, part, parts, at);
  return ir_sweep(f);
}
