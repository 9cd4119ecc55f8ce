/* SPDX-License-Identifier: Apache-2.0 */
/* derive_view.c -- layout that derivatives need: views pulled into arithmetic, views transposed, zeros and units. */
#include <string.h>
#include "derive_parts.h"

/* ---- zeros and units ---------------------------------------------------------------------------------------------------- */

Ref derive_pad(IrFunction *f, Ref of, uint32_t axis, int64_t before, int64_t length, Span at) {
  Shape shape = f->node[of].shape;
  int64_t behind = length - before - shape.dim[axis];
  Ref part[3];
  uint32_t parts = 0;
  if (before) {
    shape.dim[axis] = before;
    part[parts++] = ir_number(f, &shape, 0, at);
  }
  part[parts++] = of;
  if (behind) {
    shape.dim[axis] = behind;
    part[parts++] = ir_number(f, &shape, 0, at);
  }
  return ir_concat(f, axis, part, parts, at);
}

static void write_units(double *data, int64_t m, const Shape *shape, int64_t first, const int64_t *step) {
  int64_t count = shape_count(shape), index[FLOW_MOST_RANK] = {0};
  for (int64_t e = 0; e < count; e++) {
    int64_t i = first;
    for (uint32_t k = 0; k < shape->rank; k++) i += step[k] * index[k];
    if (i >= 0 && i < m) data[i * count + e] = 1;
    for (uint32_t k = shape->rank; k-- > 0 && ++index[k] == shape->dim[k];) index[k] = 0;
  }
}

/* start + step * (0, 1, 2, ...) along one axis of `whole`. */
static Ref counter(IrFunction *f, const Shape *whole, uint32_t axis, int64_t start, int64_t step, Span at) {
  Shape line = {.rank = 1, .dim = {whole->dim[axis]}};
  double *data = arena_array(f->arena, (size_t)line.dim[0], sizeof *data);
  for (int64_t i = 0; i < line.dim[0]; i++) data[i] = (double)(start + step * i);
  IrMap map = {0, {0}};
  map.stride[axis] = 1;
  return ir_view_flat(f, ir_data(f, &line, data, at), whole, &map, at);
}

/* Written out where that is little; else as a comparison of counters, so that no constant is as large as a value. */
enum { MOST_UNITS = 1 << 16 };
Ref derive_units(IrFunction *f, int64_t m, const Shape *shape, int64_t first, const int64_t *step, Span at) {
  Shape whole = {.rank = shape->rank + 1, .dim = {m}};
  for (uint32_t k = 0; k < shape->rank; k++) whole.dim[k + 1] = shape->dim[k];
  if (shape_count(&whole) <= MOST_UNITS) {
    double *data = arena_array(f->arena, (size_t)shape_count(&whole), sizeof *data);
    write_units(data, m, shape, first, step);
    return ir_data(f, &whole, data, at);
  }
  Ref place = ir_number(f, &whole, (double)first, at);
  for (uint32_t k = 0; k < shape->rank; k++)
    if (step[k]) place = ir_two(f, IR_add, place, counter(f, &whole, k + 1, 0, step[k], at), at);
  Ref met = ir_two(f, IR_equal, counter(f, &whole, 0, 0, 1, at), place, at);
  return ir_three(f, IR_select, met, ir_number(f, &whole, 1, at), ir_number(f, &whole, 0, at), at);
}

/* ---- pulling ---------------------------------------------------------------------------------------------------------------
 * view(op(a, b)) is op(view a, view b), and a view of a contraction a contraction with other maps: so a trace costs a
 * diagonal and not a matrix. */

/* A map over the axes of a view, put through an index into a contraction's own axes. */
static IrMap through(const IrMap *map, const Shape *own, const IrIndex *index, uint32_t axes, uint32_t sums) {
  IrMap to = {map->offset, {0}};
  for (uint32_t o = 0; o < own->rank; o++) {
    to.offset += map->stride[o] * index->base[o];
    for (uint32_t j = 0; j < axes; j++) to.stride[j] += map->stride[o] * index->step[o][j];
  }
  for (uint32_t k = 0; k < sums; k++) to.stride[axes + k] = map->stride[own->rank + k];
  return to;
}

static Ref pull_contract(IrFunction *f, Ref from, const IrNode *node, const Shape *shape, const IrMap *map, const IrIndex *index) {
  IrOperand a = {node->arg[0], through(&node->map, &node->shape, index, shape->rank, node->sums)};
  IrOperand b = {node->arg[1], through(&node->map_b, &node->shape, index, shape->rank, node->sums)};
  Ref init = node->args > 2 ? derive_pull(f, from, node->arg[2], shape, map, node->at) : IR_NONE;
  return ir_contract(f, shape, node->sums, node->extent, a, b, init, node->at);
}

/* A vector of elements of several parts of a concat, one after the other along its axis. */
static Ref pull_concat(IrFunction *f, Ref from, const IrNode *node, const Shape *shape, const IrIndex *index, Span at) {
  Ref *piece = arena_array(f->arena, node->args, sizeof *piece);
  uint32_t pieces = 0;
  int64_t start = 0, first = index->base[node->axis];
  for (uint32_t i = 0; i < node->args; i++) {
    Shape part = f->node[node->arg[i]].shape, own = *shape;
    int64_t low = start > first ? start : first, high = start + part.dim[node->axis];
    if (high > first + shape->dim[0]) high = first + shape->dim[0];
    if (low < high) {
      IrIndex inside = *index;
      own.dim[0] = high - low;
      for (uint32_t a = 0; a < part.rank; a++) inside.base[a] += index->step[a][0] * (low - first);
      inside.base[node->axis] -= start;
      IrMap map = ir_map_of_index(&inside, &part, 1);
      piece[pieces++] = derive_pull(f, from, node->arg[i], &own, &map, at);
    }
    start += part.dim[node->axis];
  }
  return ir_concat(f, 0, piece, pieces, at);
}

Ref derive_pull(IrFunction *f, Ref from, Ref of, const Shape *viewed, const IrMap *at_map, Span at) {
  Shape shape = *viewed;
  IrOperand operand = ir_see_through(f, (IrOperand){of, *at_map}, shape.rank, shape.dim);
  IrNode node = f->node[operand.ref];
  IrIndex index;
  bool known = ir_index_of_map(&operand.map, shape.rank, shape.dim, &node.shape, &index);
  if (operand.ref >= from && ir_op_class[node.op] == IR_EACH && shape_count(&shape) < shape_count(&node.shape)) {
    Ref *arg = arena_array(f->arena, node.args, sizeof *arg);
    for (uint32_t i = 0; i < node.args; i++) arg[i] = derive_pull(f, from, node.arg[i], &shape, &operand.map, node.at);
    node.arg = arg, node.shape = shape, node.mask = 0;
    return ir_append(f, &node);
  }
  if (operand.ref >= from && node.op == IR_contract && known) return pull_contract(f, from, &node, &shape, &operand.map, &index);
  if (operand.ref >= from && node.op == IR_concat && known && shape.rank == 1 && index.step[node.axis][0] == 1)
    return pull_concat(f, from, &node, &shape, &index, at);
  return ir_view_flat(f, operand.ref, &shape, &operand.map, at);
}

/* ---- the transpose of a view -------------------------------------------------------------------------------------------------
 * view[j] = of[map(j)], so of'[e] = sum of c[j] over the j with map(j) = e.  Axis by axis:
 *   an axis of c that the map does not step along is summed;
 *   an axis of `of` that no axis of c moves along has its one place, with zeros before and behind;
 *   one axis of c along one of `of`, with step 1 or -1, is that axis, with zeros before and behind;
 *   anything else (diagonals, windows, wider steps) is multiplied by a matrix of units, for the axes concerned. */

/* Sums over the axes of c that are marked, and puts the others in order. */
static Ref sum_axes(IrFunction *f, Ref c, const bool *summed, Span at) {
  Shape shape = f->node[c].shape, rest = {.rank = 0};
  IrMap map = {0, {0}};
  int64_t stride[FLOW_MOST_RANK], extent[IR_MOST_AXES];
  uint32_t sums = 0;
  ir_strides(&shape, stride);
  for (uint32_t j = 0; j < shape.rank; j++)
    if (!summed[j]) {
      map.stride[rest.rank] = stride[j];
      rest.dim[rest.rank++] = shape.dim[j];
    }
  for (uint32_t j = 0; j < shape.rank; j++)
    if (summed[j]) {
      map.stride[rest.rank + sums] = stride[j];
      extent[sums++] = shape.dim[j];
    }
  if (!sums) return c;
  double one = 1;
  IrOperand unit = {ir_data(f, &(Shape){0}, &one, at), {0}};
  return ir_contract(f, &rest, sums, extent, (IrOperand){c, map}, unit, IR_NONE, at);
}

typedef struct Scatter {
  IrFunction *f;
  Ref c;                        /* axes: those of the view that are left, in their order */
  uint32_t axes;
  int64_t extent[FLOW_MOST_RANK];
  IrIndex index;                /* of `into` by these axes */
  const Shape *into;
  Span at;
} Scatter;

/* Is axis a of `into` moved by one axis alone, by single steps, and that axis by nothing else?  *axis: which; axes: none. */
static bool moved_simply(const Scatter *s, uint32_t a, uint32_t *axis) {
  *axis = s->axes;
  for (uint32_t j = 0; j < s->axes; j++) {
    int64_t step = s->index.step[a][j];
    if (step == 0) continue;
    if (*axis != s->axes || (step != 1 && step != -1)) return false;
    *axis = j;
    for (uint32_t other = 0; other < s->into->rank; other++)
      if (other != a && s->index.step[other][j]) return false;
  }
  return true;
}

/* The general case: of'[e] = sum over all axes of c[j] * [map(j) = e], with the units written out. */
static Ref scatter_by_units(const Scatter *s) {
  IrFunction *f = s->f;
  Shape from = {.rank = s->axes};
  memcpy(from.dim, s->extent, sizeof from.dim);
  int64_t count = shape_count(&from), stride[FLOW_MOST_RANK], step[FLOW_MOST_RANK] = {0}, first = 0;
  ir_strides(s->into, stride);
  for (uint32_t a = 0; a < s->into->rank; a++) {
    first += stride[a] * s->index.base[a];
    for (uint32_t j = 0; j < s->axes; j++) step[j] += stride[a] * s->index.step[a][j];
  }
  int64_t size = shape_count(s->into);
  Ref units = derive_units(f, size, &from, first, step, s->at);
  IrOperand u = {units, {0, {0}}}, c = {s->c, {0, {0}}};
  for (uint32_t a = 0; a < s->into->rank; a++) u.map.stride[a] = stride[a] * count;
  ir_strides(&from, u.map.stride + s->into->rank);
  ir_strides(&from, c.map.stride + s->into->rank);
  return ir_contract(f, s->into, s->axes, s->extent, u, c, IR_NONE, s->at);
}

Ref derive_scatter(IrFunction *f, Ref c, const IrMap *map, const Shape *target, Span at) {
  Shape shape = f->node[c].shape, into = *target;
  bool summed[FLOW_MOST_RANK] = {false};
  Scatter s = {.f = f, .into = &into, .at = at};
  IrMap kept = {map->offset, {0}};
  for (uint32_t j = 0; j < shape.rank; j++) {
    summed[j] = shape.dim[j] == 1 || map->stride[j] == 0;
    if (summed[j]) continue;
    kept.stride[s.axes] = map->stride[j];
    s.extent[s.axes++] = shape.dim[j];
  }
  s.c = sum_axes(f, c, summed, at);
  if (!ir_index_of_map(&kept, s.axes, s.extent, &into, &s.index)) {     /* a reshape: go through one flat axis */
    Shape flat = {.rank = 1, .dim = {shape_count(&into)}};
    Ref scattered = derive_scatter(f, s.c, &kept, &flat, at);
    if (scattered == IR_NONE) return IR_NONE;
    IrMap natural = {0, {0}};
    ir_strides(&into, natural.stride);
    return ir_view_flat(f, scattered, &into, &natural, at);
  }
  uint32_t axis[FLOW_MOST_RANK];
  for (uint32_t a = 0; a < into.rank; a++)
    if (!moved_simply(&s, a, &axis[a])) return s.axes < FLOW_MOST_RANK ? scatter_by_units(&s) : IR_NONE;
  Shape placed = {.rank = into.rank};
  IrMap order = {0, {0}};
  int64_t stride[FLOW_MOST_RANK], from[FLOW_MOST_RANK];
  ir_strides(&f->node[s.c].shape, stride);
  for (uint32_t a = 0; a < into.rank; a++) {
    bool moves = axis[a] < s.axes;
    int64_t step = moves ? s.index.step[a][axis[a]] : 0, n = moves ? s.extent[axis[a]] : 1;
    placed.dim[a] = n;
    order.stride[a] = moves ? step * stride[axis[a]] : 0;
    if (step < 0) order.offset += (n - 1) * stride[axis[a]];
    from[a] = step < 0 ? s.index.base[a] - (n - 1) : s.index.base[a];
  }
  Ref all = ir_view_flat(f, s.c, &placed, &order, at);
  for (uint32_t a = 0; a < into.rank; a++) all = derive_pad(f, all, a, from[a], into.dim[a], at);
  return all;
}
