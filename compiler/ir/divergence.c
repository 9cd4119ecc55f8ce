/* SPDX-License-Identifier: Apache-2.0 */
/* divergence.c -- the trace of a Jacobian, and functions with extras (derive.h).
 *
 * Tangents for all directions at once, and of the last step the diagonal alone.  By structure (the kind of the value's
 * tangent, and derive_order.c) this is: nothing for a field without a diagonal, one sum for an elementwise field, a constant
 * for a linear one, a dot product or one more layer for one or two hidden layers, else d tangents through shared weights. */
#include "derive_parts.h"

/* sum over the elements whose own index is their units': step*j + at == j along the flat own index. */
static Ref trace_of_units(Forward *d, const Tangent *t, const Shape *shape, uint32_t own, bool *known, Span at) {
  IrFunction *f = d->f;
  uint32_t loops = shape->rank - own;
  int64_t stride[FLOW_MOST_RANK];
  ir_strides(shape, stride);
  Shape outer = {.rank = loops};
  for (uint32_t k = 0; k < loops; k++) outer.dim[k] = shape->dim[k];
  bool identity = t->at == 0, steps = false;
  for (uint32_t k = 0; k < shape->rank; k++) {
    bool moves = shape->dim[k] > 1;
    if (k < loops) steps = steps || (moves && t->step[k] != 0);
    else identity = identity && (!moves || t->step[k] == stride[k]);
  }
  *known = !steps && (identity || own == 1);
  if (!*known) return IR_NONE;
  if (identity && t->factor == IR_NONE) return ir_number(f, &outer, (double)d->directions, at);
  if (identity) {
    if (!own) return t->factor;
    Shape flat = outer;
    flat.dim[flat.rank++] = d->directions;
    IrMap map = {0, {0}};
    for (uint32_t k = 0; k < loops; k++) map.stride[k] = stride[k];
    map.stride[loops] = 1;
    return ir_reduce(f, IR_reduce_sum, ir_view_flat(f, t->factor, &flat, &map, at), at);
  }
  int64_t step = shape->dim[loops] > 1 ? t->step[loops] : 0, gap = 1 - step;
  bool meets = gap != 0 && t->at % gap == 0 && t->at / gap >= 0 && t->at / gap < d->directions;
  if (!meets) return ir_number(f, &outer, 0, at);
  if (t->factor == IR_NONE) return ir_number(f, &outer, 1, at);
  IrMap map = {t->at / gap, {0}};
  for (uint32_t k = 0; k < loops; k++) map.stride[k] = stride[k];
  return ir_view_flat(f, t->factor, &outer, &map, at);
}

/* The diagonal [loops ++ n] of a dense base [n] ++ loops ++ own, and the factor's elements beside it. */
static Ref trace_of_dense(Forward *d, Ref made, const Tangent *t, const Shape *shape, uint32_t own, Span at) {
  IrFunction *f = d->f;
  uint32_t loops = shape->rank - own;
  int64_t stride[FLOW_MOST_RANK], whole = shape_count(shape);
  ir_strides(shape, stride);
  Shape flat = {.rank = loops + 1};
  IrMap diagonal = {0, {0}}, beside = {0, {0}};
  for (uint32_t k = 0; k < loops; k++) {
    flat.dim[k] = shape->dim[k];
    diagonal.stride[k] = beside.stride[k] = stride[k];
  }
  flat.dim[loops] = d->directions;
  diagonal.stride[loops] = whole + 1;
  beside.stride[loops] = 1;
  Ref trace = derive_pull(f, made, t->base, &flat, &diagonal, at);
  if (t->factor != IR_NONE) trace = ir_two(f, IR_mul, ir_view_flat(f, t->factor, &flat, &beside, at), trace, at);
  if (loops == 0) return derive_total(f, made, trace, at);
  return ir_reduce(f, IR_reduce_sum, trace, at);
}

/* The same for a few directions at a time, so that memory holds the tangents of one block: directions start .. of a vector. */
enum { BLOCK = 64 };
static Ref trace_of_block(const Forward *whole, Ref value, int64_t start, int64_t n, Span at) {
  IrFunction *f = whole->f;
  Shape shape = f->node[value].shape;
  Forward d = {.f = f, .from = whole->from, .variable = whole->variable, .lead = true, .directions = n - start < BLOCK ? n - start : BLOCK};
  d.seed = (Tangent){.kind = TANGENT_UNITS, .factor = IR_NONE, .base = IR_NONE, .at = -start, .step = {1}};
  Ref made = f->nodes;
  Tangent t;
  if (!forward_run(&d, value, &t)) return IR_NONE;
  if (t.kind != TANGENT_DENSE) t = tangent_dense(forward_dense(&d, &t, &shape, at));
  Shape flat = {.rank = 1, .dim = {d.directions}};
  IrMap diagonal = {start, {n + 1}}, beside = {start, {1}};
  Ref trace = derive_pull(f, made, t.base, &flat, &diagonal, at);
  if (t.factor != IR_NONE) trace = ir_two(f, IR_mul, ir_view_flat(f, t.factor, &flat, &beside, at), trace, at);
  return derive_total(f, made, trace, at);
}

static Ref trace_in_blocks(const Forward *d, Ref value, Span at) {
  IrFunction *f = d->f;
  int64_t n = d->directions;
  Ref total = IR_NONE;
  for (int64_t start = 0; start < n; start += BLOCK) {
    Ref trace = trace_of_block(d, value, start, n, at);
    total = total == IR_NONE ? trace : ir_two(f, IR_add, total, trace, at);
  }
  f->trace = arena_format(f->arena, "%lld tangents through shared weights, %d at a time, of the last step the diagonal alone", (long long)n, BLOCK);
  return total;
}

static bool trace_is_constant(const IrFunction *f, Ref trace, bool known) { return known && !(f->node[trace].mask & IR_STATE); }

Ref ir_divergence(IrFunction *f, Ref from, Ref value, Ref variable, uint32_t own, Span at) {
  Shape shape = f->node[value].shape;
  uint32_t loops = shape.rank - own;
  Forward d = {.f = f, .from = from, .variable = variable, .lead = true, .directions = 1};
  for (uint32_t k = loops; k < shape.rank; k++) d.directions *= shape.dim[k];
  d.seed = (Tangent){.kind = TANGENT_UNITS, .factor = IR_NONE, .base = IR_NONE};
  int64_t stride[FLOW_MOST_RANK];
  ir_strides(&shape, stride);
  for (uint32_t k = loops; k < shape.rank; k++) d.seed.step[k] = stride[k];
  Ref made = f->nodes;
  Tangent t;
  if (!forward_run(&d, value, &t)) return IR_NONE;
  Shape outer = {.rank = loops};
  for (uint32_t k = 0; k < loops; k++) outer.dim[k] = shape.dim[k];
  f->trace = "zero: the value does not depend on the state";
  if (t.kind == TANGENT_ZERO) return ir_number(f, &outer, 0, at);
  if (t.kind == TANGENT_UNITS) {
    bool known;
    Ref trace = trace_of_units(&d, &t, &shape, own, &known, at);
    f->trace = trace_is_constant(f, trace, known) ? "constant: the diagonal of the Jacobian does not depend on the state"
                                                  : "diagonal: each component depends on itself alone, one derivative each";
    if (known) return trace;
    t = tangent_dense(forward_dense(&d, &t, &shape, at));
  }
  const char *plainly = arena_format(f->arena, "%lld tangents through shared weights, of the last step the diagonal alone", (long long)d.directions);
  f->trace = plainly;
  Ref trace = trace_of_dense(&d, made, &t, &shape, own, at);
  if (trace_is_constant(f, trace, true)) f->trace = "constant: a trace of weights";
  else if (f->trace == plainly && d.directions > BLOCK && shape.rank == 1 && own == 1) return trace_in_blocks(&d, value, at);
  return trace;
}

/* ---- functions with extras ---------------------------------------------------------------------------------------------- */

static Ref flat_vector(IrFunction *f, Ref r, int64_t n, Span at) {
  Shape flat = {.rank = 1, .dim = {n}};
  return ir_view_flat(f, r, &flat, &(IrMap){0, {1}}, at);
}

static Ref add_condition(IrFunction *f, const char *name, const Shape *shape, Span at) {
  IrInput input = {name, *shape, IR_CONDITIONS};
  IrInput *all = arena_array(f->arena, f->inputs + 1, sizeof *all);
  for (uint32_t i = 0; i < f->inputs; i++) all[i] = f->input[i];
  f->input = all;               /* ir_add_input may write behind a table that another function shares */
  IrNode node = {.op = IR_input, .slot = f->inputs, .shape = *shape, .at = at};
  all[f->inputs++] = input;
  return ir_append(f, &node);
}

static Ref state_of(IrFunction *f) {
  for (Ref r = 0; r < f->nodes; r++)
    if (f->node[r].op == IR_input && f->node[r].slot == 1) return r;
  IrNode node = {.op = IR_input, .slot = 1, .shape = f->input[1].shape, .at = f->node[f->result].at};
  return ir_append(f, &node);
}

/* -e_j . J e_j for each probe j, as one vector. */
static Ref probe_rates(IrFunction *f, Ref x, uint32_t probes, int64_t n, Span at) {
  if (f->node[x].shape.rank == FLOW_MOST_RANK) return IR_NONE;
  Shape given = {.rank = 1, .dim = {(int64_t)probes * n}}, own = f->node[x].shape, lead = {.rank = own.rank + 1, .dim = {probes}};
  Ref e = add_condition(f, "probes", &given, at);
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

static Ref extra_rows(IrFunction *f, IrExtras extras, uint32_t probes, int64_t n, Span at) {
  Ref x = state_of(f), value = f->result;
  Shape own = f->node[x].shape;
  if (extras == IR_PROBES) return probe_rates(f, x, probes, n, at);
  if (extras == IR_LOG_P) {
    Ref divergence = f->jump ? ir_log_det(f, 0, value, x, at) : ir_divergence(f, 0, value, x, own.rank, at);
    if (divergence == IR_NONE) return IR_NONE;
    Ref rate = ir_one(f, IR_neg, divergence, at);
    Shape one = {.rank = 1, .dim = {1}};
    return ir_view_flat(f, rate, &one, &(IrMap){0, {0}}, at);
  }
  Ref given = add_condition(f, extras == IR_JVP ? "tangent" : "cotangent", &own, at);
  Ref product = extras == IR_JVP ? ir_jvp(f, 0, value, x, given, at) : ir_vjp(f, 0, value, x, given, at);
  return product == IR_NONE ? IR_NONE : flat_vector(f, product, n, at);
}

static bool has_value_too_large(const IrFunction *f) {
  for (Ref r = 0; r < f->nodes; r++)
    if (shape_count(&f->node[r].shape) > IR_MOST_ELEMENTS) return true;
  return false;
}

IrFunction *ir_with_extras(IrFunction *from, IrExtras extras, uint32_t probes) {
  if (extras == IR_NO_EXTRAS) return from;
  IrFunction *f = arena_alloc(from->arena, sizeof *f);
  *f = *from;
  f->room = f->nodes;           /* so that the first node that is added moves to an array of its own */
  Span at = f->node[f->result].at;
  int64_t n = shape_count(&f->input[1].shape);
  Ref part[] = {f->result, extra_rows(f, extras, probes, n, at)};
  if (part[1] == IR_NONE) return NULL;
  part[0] = flat_vector(f, part[0], n, at);
  f->result = ir_concat(f, 0, part, 2, at);
  f = ir_sweep(f);
  return has_value_too_large(f) ? NULL : f;
}
