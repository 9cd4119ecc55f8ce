/* SPDX-License-Identifier: Apache-2.0 */
/* log_det.c -- log |det J| of a map from the state to the state, for densities that are pushed forward.
 *
 * If each component depends on itself alone, the sum of the logarithms of the derivatives' sizes; else the whole matrix, by
 * elimination. */
#include "derive_parts.h"

static Ref log_size(IrFunction *f, Ref r, Span at) { return ir_one(f, IR_log, ir_one(f, IR_abs, r, at), at); }

static bool is_diagonal(const Tangent *t, const Shape *shape) {
  int64_t stride[FLOW_MOST_RANK];
  if (t->kind != TANGENT_UNITS || t->at) return false;
  ir_strides(shape, stride);
  for (uint32_t k = 0; k < shape->rank; k++)
    if (shape->dim[k] > 1 && t->step[k] != stride[k]) return false;
  return true;
}

Ref ir_log_det(IrFunction *f, Ref from, Ref value, Ref variable, Span at) {
  Shape shape = f->node[value].shape, scalar = {0};
  int64_t n = shape_count(&shape);
  Shape matrix = {.rank = 2, .dim = {n, n}}, flat = {.rank = 1, .dim = {n}};
  Forward d = {.f = f, .from = from, .variable = variable, .lead = true, .directions = n};
  d.seed = (Tangent){.kind = TANGENT_UNITS, .factor = IR_NONE, .base = IR_NONE};
  ir_strides(&shape, d.seed.step);
  Tangent t;
  if (!forward_run(&d, value, &t)) return IR_NONE;
  if (is_diagonal(&t, &shape)) {
    f->trace = "diagonal: the logarithms of one derivative for each component";
    if (t.factor == IR_NONE) return ir_number(f, &scalar, 0, at);
    return ir_reduce(f, IR_reduce_sum, log_size(f, ir_view_flat(f, t.factor, &flat, &(IrMap){0, {1}}, at), at), at);
  }
  f->trace = arena_format(f->arena, "the Jacobian, %lld x %lld, and its elimination", (long long)n, (long long)n);
  Ref jacobian = t.kind == TANGENT_ZERO ? ir_number(f, &matrix, 0, at)
                                        : ir_view_flat(f, forward_dense(&d, &t, &shape, at), &matrix, &(IrMap){0, {n, 1}}, at);
  IrNode node = {.op = IR_logdet, .args = 1, .arg = &jacobian, .shape = scalar, .at = at};
  return ir_append(f, &node);
}
