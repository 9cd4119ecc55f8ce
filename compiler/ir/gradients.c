/* SPDX-License-Identifier: Apache-2.0 */
/* gradients.c -- a loss and its gradients by all weights, as one function.
 *
 *   needs   a velocity u, lowered, not frozen
 *   leaves  a function of one sample with the result  loss ++ [terms, or the state's gradient, rates ++] contribution ++ ...,
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
  Ref part[1 + IR_MOST_TERMS];
  Shape scalar = {0};
  int64_t n = shape_count(&f->node[u].shape);
  bool probe = terms->jacobian > 0 && terms->probe;
  Rates rates;
  Wanted wanted = {.vectors = probe ? derive_vectors(f, " probe", n, at) : IR_NONE, .count = 1, .terms = terms};
  if (!derive_rates(f, u, x, &wanted, &rates, at)) return IR_NONE;
  for (uint32_t i = 0; i < rates.terms; i++) {
    double weight = i == 0 && terms->kinetic > 0 ? terms->kinetic : terms->jacobian;
    Ref mean = ir_two(f, IR_mul, rates.term[i], ir_number(f, &scalar, 1.0 / (double)n, at), at);
    loss = ir_two(f, IR_add, loss, ir_two(f, IR_mul, mean, ir_number(f, &scalar, weight, at), at), at);
    part[1 + i] = derive_flat(f, mean);
  }
  part[0] = derive_flat(f, loss);
  *shown = ir_concat(f, 0, part, 1 + rates.terms, at);
  return loss;
}

/* The mean of estimates. */
static Ref mean_of(IrFunction *f, Ref rates, Span at) {
  Shape scalar = {0};
  double count = (double)shape_count(&f->node[rates].shape);
  return count == 1 ? ir_view_flat(f, rates, &scalar, &(IrMap){0, {0}}, at) : derive_sum_last(f, rates, derive_like(f, rates, 1 / count), at);
}

/* What an adjoint shows behind the gradient by the state. */
typedef struct Shown { Ref rate[1 + IR_MOST_TERMS]; uint32_t count; } Shown;

/* adjoint . (u, the rate of log p, terms) */
static Ref adjoint(IrFunction *f, Ref x, IrLoss loss, uint32_t probes, const IrTerms *terms, Shown *shown, Span at) {
  bool log_p = loss != IR_ADJOINT, jacobian = terms->jacobian > 0;
  Shape scalar = {0};
  int64_t next = shape_count(&f->node[x].shape);
  Wanted wanted = derive_wanted(f, log_p, loss == IR_ADJOINT_PROBES ? probes : 0, terms, at);    /* vectors stand before the adjoint */
  Shape given = {.rank = 1, .dim = {next + log_p + (terms->kinetic > 0) + jacobian}};
  Ref u = f->result, w = derive_condition(f, "adjoint", &given, at), sum = derive_dot(f, u, w, at);
  Rates rates;
  if (!derive_rates(f, u, x, &wanted, &rates, at)) return IR_NONE;
  if (log_p) shown->rate[shown->count++] = mean_of(f, rates.log_p, at);
  for (uint32_t i = 0; i < rates.terms; i++) shown->rate[shown->count++] = rates.term[i];
  for (uint32_t i = 0; i < shown->count; i++) {
    Ref last = ir_view_flat(f, w, &scalar, &(IrMap){next + i, {0}}, at);
    sum = ir_two(f, IR_add, sum, ir_two(f, IR_mul, last, shown->rate[i], at), at);
  }
  return sum;
}

/* The gradient by the state, and rates behind it. */
static Ref state_part(IrFunction *f, Ref gradient, const Shown *shown, Span at) {
  Ref part[2 + IR_MOST_TERMS] = {derive_flat(f, gradient)};
  for (uint32_t i = 0; i < shown->count; i++) part[1 + i] = derive_flat(f, shown->rate[i]);
  return shown->count ? ir_concat(f, 0, part, 1 + shown->count, at) : part[0];
}

IrFunction *ir_with_gradients(IrFunction *from, IrLoss loss, uint32_t probes, const IrTerms *terms) {
  IrFunction *f = derive_copy(from);
  Span at = f->node[f->result].at;
  f->general = true;
  f->state_gradient = loss >= IR_ADJOINT;
  Ref x = f->state_gradient || terms->jacobian > 0 ? derive_state(f) : IR_NONE, u = f->result, shown = IR_NONE, value;
  Shown rates = {.count = 0};
  if (f->state_gradient) {
    value = adjoint(f, x, loss, probes, terms, &rates, at);
    if (value != IR_NONE) shown = derive_flat(f, value);
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
  if (f->state_gradient) part[parts++] = state_part(f, gradients.state, &rates, at);
  for (uint32_t i = 0; i < gradients.count; i++) part[parts++] = derive_flat(f, gradients.value[i]);
  f->contributions = gradients.count;
  f->contribution = gradients.slot;
  f->result = ir_concat(f, 0, part, parts, at);
  return ir_sweep(f);
}
