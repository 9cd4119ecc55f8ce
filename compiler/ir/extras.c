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

Wanted derive_wanted(IrFunction *f, bool log_p, uint32_t probes, const IrTerms *terms, Span at) {
  Wanted wanted = {.log_p = log_p, .estimated = probes > 0, .vectors = IR_NONE, .count = probes ? probes : 1, .terms = terms};
  if (probes > 0 || (terms->jacobian > 0 && terms->probe))
    wanted.vectors = derive_vectors(f, "probes", wanted.count * shape_count(&f->input[1].shape), at);
  return wanted;
}

/* Rates of log p, one after the other, and terms. */
static Ref rate_rows(IrFunction *f, uint32_t probes, const IrTerms *terms, Span at) {
  Ref x = derive_state(f), part[1 + IR_MOST_TERMS];
  Rates rates;
  Wanted wanted = derive_wanted(f, true, probes, terms, at);
  if (!derive_rates(f, f->result, x, &wanted, &rates, at)) return IR_NONE;
  part[0] = rates.log_p;
  for (uint32_t i = 0; i < rates.terms; i++) part[1 + i] = derive_flat(f, rates.term[i]);
  return ir_concat(f, 0, part, 1 + rates.terms, at);
}

static Ref product_rows(IrFunction *f, IrExtras extras, Span at) {
  Ref x = derive_state(f), value = f->result;
  Shape own = f->node[x].shape;
  Ref given = derive_condition(f, extras == IR_JVP ? "tangent" : "cotangent", &own, at);
  Ref product = extras == IR_JVP ? ir_jvp(f, 0, value, x, given, at) : ir_vjp(f, 0, value, x, given, at);
  return product == IR_NONE ? IR_NONE : derive_flat(f, product);
}

static bool has_value_too_large(const IrFunction *f) {
  for (Ref r = 0; r < f->nodes; r++)
    if (shape_count(&f->node[r].shape) > IR_MOST_ELEMENTS) return true;
  return false;
}

/* The velocity, flat, and `rows` behind it. */
static IrFunction *finish(IrFunction *f, Ref rows, Span at) {
  Ref part[] = {f->result, rows};
  if (rows == IR_NONE) return NULL;
  part[0] = derive_flat(f, part[0]);
  f->result = ir_concat(f, 0, part, 2, at);
  f = ir_sweep(f);
  return has_value_too_large(f) ? NULL : f;
}

IrFunction *ir_with_rates(IrFunction *from, uint32_t probes, const IrTerms *terms) {
  IrFunction *f = derive_copy(from);
  Span at = f->node[f->result].at;
  return finish(f, rate_rows(f, probes, terms, at), at);
}

IrFunction *ir_with_extras(IrFunction *from, IrExtras extras, uint32_t probes) {
  if (extras == IR_NO_EXTRAS) return from;
  if (extras == IR_LOG_P || extras == IR_PROBES) return ir_with_rates(from, extras == IR_PROBES ? probes : 0, &(IrTerms){0});
  IrFunction *f = derive_copy(from);
  Span at = f->node[f->result].at;
  return finish(f, product_rows(f, extras, at), at);
}
