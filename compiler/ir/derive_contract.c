/* SPDX-License-Identifier: Apache-2.0 */
/* derive_contract.c -- tangents of contractions and of sums.
 *
 * Over the index space (o, k) of out[o] = sum_k a(o, k) b(o, k), where b has tangents factor * base:
 *   DENSE   sum_k a(o, k) (factor * base)(i, o, k): the same contraction for each direction, through the same weights.  Where b
 *           is a concat with constant parts, over the other parts alone.
 *   UNITS   base(i, o, k) = [i == at + sum step * index].  If the right side has no k in it, the sum is one of units again.  If it
 *           is at +- k for one summed index and nothing else, then that k is known from i and its sum is gone: the tangents of
 *           a layer on the state are the columns of its weights.  Else the units are written out. */
#include <string.h>
#include "derive_parts.h"

static const Tangent zero = {.kind = TANGENT_ZERO, .factor = IR_NONE, .base = IR_NONE};

/* A contraction to be differentiated in its operand b; a.ref IR_NONE: ones. */
typedef struct Sum {
  Shape shape;                  /* o */
  uint32_t sums;
  int64_t extent[IR_MOST_AXES]; /* k */
  IrOperand a, b;
  Span at;
} Sum;

static uint32_t space_of(const Sum *s, int64_t *extent) {
  uint32_t axes = s->shape.rank;
  for (uint32_t j = 0; j < axes; j++) extent[j] = s->shape.dim[j];
  for (uint32_t k = 0; k < s->sums; k++) extent[axes++] = s->extent[k];
  return axes;
}

/* A map over (o, k) as one over (i, o, k), where i steps by `stride`. */
static IrMap lifted(const Forward *d, const IrMap *map, uint32_t axes, int64_t stride) {
  if (!d->lead) return *map;
  IrMap with = {map->offset, {stride}};
  for (uint32_t j = 0; j < axes; j++) with.stride[j + 1] = map->stride[j];
  return with;
}

static Ref contract_operands(IrFunction *f, const Shape *shape, uint32_t sums, const int64_t *extent, const IrOperand *a,
                             const IrOperand *b, Span at) {
  if (sums) return ir_contract(f, shape, sums, extent, *a, *b, IR_NONE, at);
  Ref x = ir_view_flat(f, a->ref, shape, &a->map, at), y = ir_view_flat(f, b->ref, shape, &b->map, at);
  return ir_two(f, IR_mul, x, y, at);
}

/* sum_k a(o, k) v(o, k) with v at b's map, or without a the sum of v; v IR_NONE: of a. */
static Ref sum_of(IrFunction *f, const Sum *s, Ref v) {
  IrOperand b = {v, s->b.map};
  if (s->a.ref != IR_NONE && v != IR_NONE) return contract_operands(f, &s->shape, s->sums, s->extent, &s->a, &b, s->at);
  const IrOperand *one = v == IR_NONE ? &s->a : &b;
  Shape space = {.rank = 0};
  int64_t extent[IR_MOST_AXES];
  uint32_t axes = space_of(s, extent);
  double unit = 1;
  Ref ones = ir_data(f, &(Shape){0}, &unit, s->at);
  if (one->ref == IR_NONE) {            /* a count */
    double count = 1;
    for (uint32_t k = 0; k < s->sums; k++) count *= (double)s->extent[k];
    return ir_number(f, &s->shape, count, s->at);
  }
  if (axes <= FLOW_MOST_RANK && s->sums == 1) {
    space.rank = axes;
    memcpy(space.dim, extent, axes * sizeof *extent);
    return ir_reduce(f, IR_reduce_sum, ir_view_flat(f, one->ref, &space, &one->map, s->at), s->at);
  }
  if (s->sums == 0) return ir_view_flat(f, one->ref, &s->shape, &one->map, s->at);
  return ir_contract(f, &s->shape, s->sums, s->extent, *one, (IrOperand){ones, {0}}, IR_NONE, s->at);
}

/* ---- dense -------------------------------------------------------------------------------------------------------------- */

static Ref dense_sum(Forward *d, const Sum *s, Ref tangents, int64_t own_count) {
  int64_t extent[IR_MOST_AXES];
  uint32_t axes = space_of(s, extent);
  Sum over = *s;
  over.shape = forward_shape(d, &s->shape);
  over.a.map = lifted(d, &s->a.map, axes, 0);
  over.b.map = lifted(d, &s->b.map, axes, own_count);
  return sum_of(d->f, &over, tangents);
}

/* b as a whole vector put together of parts, some of them constant. */
static bool has_constant_parts(const Forward *d, const Sum *s, const IrNode *b) {
  if (b->op != IR_concat || b->shape.rank != 1 || s->sums != 1 || s->extent[0] != b->shape.dim[0] || s->b.map.offset) return false;
  for (uint32_t o = 0; o < s->shape.rank; o++)
    if (s->b.map.stride[o] && s->shape.dim[o] > 1) return false;
  if (s->b.map.stride[s->shape.rank] != 1) return false;
  for (uint32_t i = 0; i < b->args; i++)
    if (forward_of(d, b->arg[i]).kind == TANGENT_ZERO) return true;
  return false;
}

static Tangent differentiate(Forward *d, const Sum *s, const Tangent *t);

static Tangent sum_of_parts(Forward *d, const Sum *s, const IrNode *b) {
  Tangent total = zero;
  int64_t start = 0;
  for (uint32_t i = 0; i < b->args; i++) {
    Tangent t = forward_of(d, b->arg[i]);
    Sum part = *s;
    part.extent[0] = d->f->node[b->arg[i]].shape.dim[0];
    part.a.map.offset += start * s->a.map.stride[s->shape.rank];
    part.b.ref = b->arg[i];
    start += part.extent[0];
    if (t.kind == TANGENT_ZERO) continue;
    Tangent term = differentiate(d, &part, &t);
    total = tangent_add(d, &total, &term, &s->shape, s->at);
  }
  return total;
}

/* ---- units -------------------------------------------------------------------------------------------------------------- */

/* at + sum step[j]*index[j] over the axes of (o, k). */
typedef struct Form { int64_t at, step[IR_MOST_AXES]; } Form;

static bool form_of(const Forward *d, const Sum *s, const Tangent *t, Form *form) {
  int64_t extent[IR_MOST_AXES];
  uint32_t axes = space_of(s, extent);
  const Shape *of = &d->f->node[s->b.ref].shape;
  IrIndex index;
  if (!ir_index_of_map(&s->b.map, axes, extent, of, &index)) return false;
  *form = (Form){t->at, {0}};
  for (uint32_t a = 0; a < of->rank; a++) {
    form->at += t->step[a] * index.base[a];
    for (uint32_t j = 0; j < axes; j++)
      if (extent[j] > 1) form->step[j] += t->step[a] * index.step[a][j];
  }
  return true;
}

/* The summed axis that the direction alone decides: form = at +- k.  IR_MOST_AXES: there is none. */
static uint32_t decided_axis(const Sum *s, const Form *form) {
  uint32_t found = IR_MOST_AXES;
  for (uint32_t j = 0; j < s->shape.rank + s->sums; j++) {
    if (form->step[j] == 0) continue;
    if (j < s->shape.rank || found != IR_MOST_AXES || (form->step[j] != 1 && form->step[j] != -1)) return IR_MOST_AXES;
    found = j;
  }
  return found;
}

/* A map over (o, k) as one over (i, o, k without `axis`), k[axis] = start + turn*i. */
static IrMap decided(const IrMap *map, uint32_t axes, uint32_t axis, int64_t start, int64_t turn) {
  IrMap with = {map->offset + map->stride[axis] * start, {map->stride[axis] * turn}};
  for (uint32_t j = 0, to = 1; j < axes; j++)
    if (j != axis) with.stride[to++] = map->stride[j];
  return with;
}

/* Directions i0 .. i1-1 meet a k; the others have zero tangents. */
static Tangent columns(Forward *d, const Sum *s, Ref factor, const Form *form, uint32_t axis) {
  IrFunction *f = d->f;
  uint32_t rank = s->shape.rank, axes = rank + s->sums;
  int64_t n = s->extent[axis - rank], turn = form->step[axis];
  int64_t first = turn > 0 ? form->at : form->at - (n - 1), i0 = first < 0 ? 0 : first, i1 = first + n;
  if (i1 > d->directions) i1 = d->directions;
  if (i0 >= i1) return zero;
  int64_t start = turn > 0 ? i0 - form->at : form->at - i0;             /* k where i = i0 */
  Sum rest = {.at = s->at, .a = s->a, .b = {factor, {0}}};
  rest.a.map = decided(&s->a.map, axes, axis, start, turn);
  rest.b.map = decided(&s->b.map, axes, axis, start, turn);
  rest.shape = (Shape){.rank = rank + 1, .dim = {i1 - i0}};
  for (uint32_t j = 0; j < rank; j++) rest.shape.dim[j + 1] = s->shape.dim[j];
  for (uint32_t k = 0; k < s->sums; k++)
    if (rank + k != axis) rest.extent[rest.sums++] = s->extent[k];
  return tangent_dense(derive_pad(f, sum_of(f, &rest, factor), 0, i0, d->directions, s->at));
}

static Tangent units_sum(Forward *d, const Sum *s, const Tangent *t) {
  Form form;
  Shape own = d->f->node[s->b.ref].shape;
  if (form_of(d, s, t, &form)) {
    bool summed = false;
    for (uint32_t k = 0; k < s->sums; k++) summed = summed || form.step[s->shape.rank + k];
    if (!summed) {
      Tangent units = {.kind = TANGENT_UNITS, .factor = sum_of(d->f, s, t->factor), .base = IR_NONE, .at = form.at};
      memcpy(units.step, form.step, s->shape.rank * sizeof *form.step);
      return units;
    }
    uint32_t axis = decided_axis(s, &form);
    if (axis != IR_MOST_AXES) return columns(d, s, t->factor, &form, axis);
  }
  return tangent_dense(dense_sum(d, s, forward_dense(d, t, &own, s->at), shape_count(&own)));
}

/* ---- the doors ------------------------------------------------------------------------------------------------------------ */

/* The tangent of the sum as a function of b, whose tangent is t. */
static Tangent differentiate(Forward *d, const Sum *s, const Tangent *t) {
  if (t->kind == TANGENT_ZERO) return zero;
  if (t->kind == TANGENT_UNITS) return units_sum(d, s, t);
  IrNode b = d->f->node[s->b.ref];
  if (has_constant_parts(d, s, &b)) return sum_of_parts(d, s, &b);
  return tangent_dense(dense_sum(d, s, forward_dense(d, t, &b.shape, s->at), shape_count(&b.shape)));
}

Tangent forward_contract(Forward *d, Ref r) {
  IrNode node = d->f->node[r];
  Tangent total = node.args > 2 ? forward_of(d, node.arg[2]) : zero;
  for (int side = 0; side < 2; side++) {
    Tangent t = forward_of(d, node.arg[side]);
    Sum s = {.shape = node.shape, .sums = node.sums, .at = node.at};
    memcpy(s.extent, node.extent, sizeof s.extent);
    s.a = (IrOperand){node.arg[1 - side], side ? node.map : node.map_b};
    s.b = (IrOperand){node.arg[side], side ? node.map_b : node.map};
    Tangent term = differentiate(d, &s, &t);
    total = tangent_add(d, &total, &term, &node.shape, node.at);
  }
  return total;
}

Tangent forward_sum_last(Forward *d, Ref weights, Ref of, const Tangent *t, Span at) {
  Shape whole = d->f->node[of].shape;
  Sum s = {.shape = whole, .sums = 1, .at = at, .a = {weights, {0}}, .b = {of, {0}}};
  s.extent[0] = whole.dim[whole.rank - 1];
  s.shape.dim[--s.shape.rank] = 0;
  ir_strides(&whole, s.a.map.stride);
  ir_strides(&whole, s.b.map.stride);
  return differentiate(d, &s, t);
}
