/* SPDX-License-Identifier: Apache-2.0 */
/* divergence.c -- the trace of a Jacobian (derive.h).
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

/* The diagonal [loops ++ directions] of a dense base [directions] ++ loops ++ own, and the factor's elements beside it; direction 0
 * is element `start` of the own axes. */
static Ref trace_of_dense(Forward *d, Ref made, const Tangent *t, const Shape *shape, uint32_t own, int64_t start, Span at) {
  IrFunction *f = d->f;
  uint32_t loops = shape->rank - own;
  int64_t stride[FLOW_MOST_RANK], whole = shape_count(shape);
  ir_strides(shape, stride);
  Shape flat = {.rank = loops + 1};
  IrMap diagonal = {start, {0}}, beside = {start, {0}};
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

/* The same for a few directions of a vector at a time, so that memory holds the tangents of one block. */
enum { BLOCK = 64 };
static Ref trace_in_blocks(const Forward *whole, Ref value, Span at) {
  IrFunction *f = whole->f;
  Shape shape = f->node[value].shape;
  int64_t n = whole->directions;
  Ref total = IR_NONE;
  for (int64_t start = 0; start < n; start += BLOCK) {
    Forward d = {.f = f, .from = whole->from, .variable = whole->variable, .lead = true, .directions = n - start < BLOCK ? n - start : BLOCK};
    d.seed = (Tangent){.kind = TANGENT_UNITS, .factor = IR_NONE, .base = IR_NONE, .at = -start, .step = {1}};
    Ref made = f->nodes;
    Tangent t;
    if (!forward_run(&d, value, &t)) return IR_NONE;
    if (t.kind != TANGENT_DENSE) t = tangent_dense(forward_dense(&d, &t, &shape, at));
    Ref trace = trace_of_dense(&d, made, &t, &shape, 1, start, at);
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
  Ref trace = trace_of_dense(&d, made, &t, &shape, own, 0, at);
  if (trace_is_constant(f, trace, true)) f->trace = "constant: a trace of weights";
  else if (f->trace == plainly && d.directions > BLOCK && shape.rank == 1 && own == 1) return trace_in_blocks(&d, value, at);
  return trace;
}
