/* SPDX-License-Identifier: Apache-2.0 */
/* terms.c -- what may be added to a loss so that a flow is easy to solve (Finlay et al. 2020): the squares of the velocity and of its
 * derivatives by the state, J_ij = du_i/dx_j. */
#include <string.h>
#include "derive_parts.h"

Ref derive_dot(IrFunction *f, Ref a, Ref b, Span at) {
  Shape own = f->node[a].shape, scalar = {0};
  int64_t n = shape_count(&own);
  IrOperand x = {a, {0, {1}}}, y = {b, {0, {1}}};
  return ir_contract(f, &scalar, 1, &n, x, y, IR_NONE, at);
}

/* All columns of J at once. */
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

/* The input of this name; a new one where there is none. */
static Ref probe_of(IrFunction *f, const Shape *shape, Span at) {
  for (uint32_t slot = 2; slot < f->inputs; slot++) {
    if (strcmp(f->input[slot].name, IR_PROBE_NAME) != 0) continue;
    IrNode node = {.op = IR_input, .slot = slot, .shape = f->input[slot].shape, .at = at};
    return ir_append(f, &node);
  }
  return derive_condition(f, IR_PROBE_NAME, shape, at);
}

/* With random signs e the mean of |J e|^2 is the sum of J_ij^2 (Hutchinson); one product forward, as for the trace. */
static Ref jacobian_square(IrFunction *f, bool probe, Ref u, Ref x, Span at) {
  Ref moved = probe ? ir_jvp(f, 0, u, x, probe_of(f, &f->node[x].shape, at), at) : whole_jacobian(f, u, x, at);
  return moved == IR_NONE ? IR_NONE : derive_dot(f, moved, moved, at);
}

uint32_t derive_terms(IrFunction *f, const IrTerms *terms, Ref u, Ref x, Ref value[IR_MOST_TERMS], Span at) {
  uint32_t count = 0;
  if (terms->kinetic > 0) value[count++] = derive_dot(f, u, u, at);
  if (terms->jacobian <= 0) return count;
  value[count] = jacobian_square(f, terms->probe, u, x, at);
  return value[count] == IR_NONE ? UINT32_MAX : count + 1;
}
