/* SPDX-License-Identifier: Apache-2.0 */
/* extras.c -- a velocity with more behind it: what a log-density needs, or products with the Jacobian (derive.h). */
#include "derive_parts.h"

/* ---- what functions with extras and training functions (gradients.c) share ------------------------------------------------ */

IrFunction *derive_copy(const IrFunction *from) {
  IrFunction *f = arena_alloc(from->arena, sizeof *f);
  *f = *from;
  f->room = f->nodes;           /* so that the first node that is added moves to an array of its own */
  return f;
}

Ref derive_condition(IrFunction *f, const char *name, const Shape *shape, Span at) {
  IrInput input = {name, *shape, IR_CONDITIONS}, *all = arena_array(f->arena, f->inputs + 1, sizeof *all);
  for (uint32_t i = 0; i < f->inputs; i++) all[i] = f->input[i];
  all[f->inputs] = input;
  f->input = all;               /* ir_add_input may write behind a table that another function shares */
  IrNode node = {.op = IR_input, .slot = f->inputs++, .shape = *shape, .at = at};
  return ir_append(f, &node);
}

Ref derive_state(IrFunction *f) {
  for (Ref r = 0; r < f->nodes; r++)
    if (f->node[r].op == IR_input && f->node[r].slot == 1) return r;
  IrNode node = {.op = IR_input, .slot = 1, .shape = f->input[1].shape, .at = f->node[f->result].at};
  return ir_append(f, &node);
}

Ref derive_flat(IrFunction *f, Ref r) {
  Shape flat = {.rank = 1, .dim = {shape_count(&f->node[r].shape)}};
  return ir_view_flat(f, r, &flat, &(IrMap){0, {f->node[r].shape.rank > 0}}, f->node[r].at);
}

/* ---- extras ------------------------------------------------------------------------------------------------------------------ */

Ref derive_probe_rates(IrFunction *f, Ref x, uint32_t probes, Span at) {
  if (f->node[x].shape.rank == FLOW_MOST_RANK) return IR_NONE;
  Shape own = f->node[x].shape, lead = {.rank = own.rank + 1, .dim = {probes}};
  int64_t n = shape_count(&own);
  Shape given = {.rank = 1, .dim = {(int64_t)probes * n}};
  Ref e = derive_condition(f, "probes", &given, at);
  IrMap natural = {0, {0}};
  for (uint32_t k = 0; k < own.rank; k++) lead.dim[k + 1] = own.dim[k];
  ir_strides(&lead, natural.stride);
  Ref direction = ir_view_flat(f, e, &lead, &natural, at);
  Ref moved = ir_jvp(f, 0, f->result, x, direction, at);
  if (moved == IR_NONE) return IR_NONE;
  Shape rows = {.rank = 1, .dim = {probes}};
  IrMap row = {0, {n, 1}};
  Ref products = ir_contract(f, &rows, 1, &n, (IrOperand){e, row}, (IrOperand){moved, row}, IR_NONE, at);
  return ir_one(f, IR_neg, products, at);
}

static Ref extra_rows(IrFunction *f, IrExtras extras, uint32_t probes, Span at) {
  Ref x = derive_state(f), value = f->result;
  Shape own = f->node[x].shape;
  if (extras == IR_PROBES) return derive_probe_rates(f, x, probes, at);
  if (extras == IR_LOG_P) {
    Ref divergence = f->jump ? ir_log_det(f, 0, value, x, at) : ir_divergence(f, 0, value, x, own.rank, at);
    if (divergence == IR_NONE) return IR_NONE;
    return derive_flat(f, ir_one(f, IR_neg, divergence, at));
  }
  Ref given = derive_condition(f, extras == IR_JVP ? "tangent" : "cotangent", &own, at);
  Ref product = extras == IR_JVP ? ir_jvp(f, 0, value, x, given, at) : ir_vjp(f, 0, value, x, given, at);
  return product == IR_NONE ? IR_NONE : derive_flat(f, product);
}

static bool has_value_too_large(const IrFunction *f) {
  for (Ref r = 0; r < f->nodes; r++)
    if (shape_count(&f->node[r].shape) > IR_MOST_ELEMENTS) return true;
  return false;
}

IrFunction *ir_with_extras(IrFunction *from, IrExtras extras, uint32_t probes) {
  if (extras == IR_NO_EXTRAS) return from;
  IrFunction *f = derive_copy(from);
  Span at = f->node[f->result].at;
  Ref part[] = {f->result, extra_rows(f, extras, probes, at)};
  if (part[1] == IR_NONE) return NULL;
  part[0] = derive_flat(f, part[0]);
  f->result = ir_concat(f, 0, part, 2, at);
  f = ir_sweep(f);
  return has_value_too_large(f) ? NULL : f;
}
