/* SPDX-License-Identifier: Apache-2.0 */
/* rates.c -- what is integrated beside a velocity u, or added to a loss of it: the rate of log p, and terms that make a flow easy to
 * solve (Finlay et al. 2020), |u|^2 and |J|^2, J_ij = du_i/dx_j.
 *
 *     exact        -div u by its structure (divergence.c); where |J|^2 is wanted, -trace J, so that J is made once
 *     by probes    with random vectors e, E e e' = 1:  E e.Je = trace J  (Hutchinson),  E |Je|^2 = |J|^2; one J e serves both */
#include <string.h>
#include "derive_parts.h"

/* ---- probes -------------------------------------------------------------------------------------------------------------- */

Ref derive_vectors(IrFunction *f, const char *name, int64_t numbers, Span at) {
  Shape flat = {.rank = 1, .dim = {numbers}};
  for (uint32_t slot = 2; slot < f->inputs; slot++) {
    if (strcmp(f->input[slot].name, name) != 0) continue;
    IrNode node = {.op = IR_input, .slot = slot, .shape = f->input[slot].shape, .at = at};
    return derive_flat(f, ir_append(f, &node));
  }
  return derive_condition(f, name, &flat, at);
}

/* J e for the vectors of e, [count] ++ the shape of u. */
static Ref moved(IrFunction *f, Ref u, Ref x, Ref e, uint32_t count, Span at) {
  Shape own = f->node[x].shape, lead = {.rank = own.rank + 1, .dim = {count}};
  IrMap natural = {0, {0}};
  if (own.rank == FLOW_MOST_RANK) return IR_NONE;
  for (uint32_t k = 0; k < own.rank; k++) lead.dim[k + 1] = own.dim[k];
  ir_strides(&lead, natural.stride);
  return ir_jvp(f, 0, u, x, ir_view_flat(f, e, &lead, &natural, at), at);
}

/* -e . J e for each vector. */
static Ref estimates(IrFunction *f, Ref e, Ref products, uint32_t count, Span at) {
  int64_t n = shape_count(&f->node[e].shape) / count;
  Shape rows = {.rank = 1, .dim = {count}};
  IrMap row = {0, {n, 1}};
  return ir_one(f, IR_neg, ir_contract(f, &rows, 1, &n, (IrOperand){e, row}, (IrOperand){products, row}, IR_NONE, at), at);
}

/* ---- exactly -------------------------------------------------------------------------------------------------------------- */

/* All columns of J at once, [n] ++ the shape of u. */
static Ref whole_jacobian(IrFunction *f, Ref u, Ref x, Span at) {
  Shape shape = f->node[u].shape;
  Forward d = {.f = f, .variable = x, .lead = true, .directions = shape_count(&shape)};
  d.seed = (Tangent){.kind = TANGENT_UNITS, .factor = IR_NONE, .base = IR_NONE};
  ir_strides(&shape, d.seed.step);
  Tangent t;
  if (!forward_run(&d, u, &t)) return IR_NONE;
  if (t.kind != TANGENT_ZERO) return forward_dense(&d, &t, &shape, at);
  Shape whole = forward_shape(&d, &shape);
  return ir_number(f, &whole, 0, at);
}

static Ref trace_of(IrFunction *f, Ref jacobian, Span at) {
  Shape flat = {.rank = 1, .dim = {f->node[jacobian].shape.dim[0]}};
  return ir_reduce(f, IR_reduce_sum, ir_view_flat(f, jacobian, &flat, &(IrMap){0, {flat.dim[0] + 1}}, at), at);
}

/* Minus what log p grows by; of a jump the whole of it. */
static Ref exact_rate(IrFunction *f, Ref u, Ref x, Ref jacobian, Span at) {
  Ref trace = jacobian != IR_NONE ? trace_of(f, jacobian, at)
              : f->jump           ? ir_log_det(f, 0, u, x, at)
                                  : ir_divergence(f, 0, u, x, f->node[x].shape.rank, at);
  return trace == IR_NONE ? IR_NONE : derive_flat(f, ir_one(f, IR_neg, trace, at));
}

/* ---- all -------------------------------------------------------------------------------------------------------------------- */

Ref derive_dot(IrFunction *f, Ref a, Ref b, Span at) {
  Shape own = f->node[a].shape, scalar = {0};
  int64_t n = shape_count(&own);
  IrOperand x = {a, {0, {1}}}, y = {b, {0, {1}}};
  return ir_contract(f, &scalar, 1, &n, x, y, IR_NONE, at);
}

bool derive_rates(IrFunction *f, Ref u, Ref x, const Wanted *wanted, Rates *rates, Span at) {
  const IrTerms *terms = wanted->terms;
  bool jacobian = terms->jacobian > 0;
  Ref products = IR_NONE;               /* J, or J e */
  *rates = (Rates){.log_p = IR_NONE};
  if (wanted->vectors != IR_NONE)
    products = moved(f, u, x, wanted->vectors, wanted->count, at);
  else if (jacobian)
    products = whole_jacobian(f, u, x, at);
  if (products == IR_NONE && (wanted->vectors != IR_NONE || jacobian)) return false;
  if (wanted->log_p)
    rates->log_p = wanted->estimated ? estimates(f, wanted->vectors, products, wanted->count, at)
                                     : exact_rate(f, u, x, wanted->vectors == IR_NONE ? products : IR_NONE, at);
  if (wanted->log_p && rates->log_p == IR_NONE) return false;
  if (terms->kinetic > 0) rates->term[rates->terms++] = derive_dot(f, u, u, at);
  if (!jacobian) return true;
  Ref square = derive_dot(f, products, products, at);
  if (wanted->vectors != IR_NONE && wanted->count > 1)
    square = ir_two(f, IR_mul, square, derive_like(f, square, 1.0 / wanted->count), at);
  rates->term[rates->terms++] = square;
  return true;
}
