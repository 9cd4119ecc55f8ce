/* SPDX-License-Identifier: Apache-2.0 */
/* build.c -- see build.h. */
#include "build.h"
#include <string.h>

void ir_strides(const Shape *shape, int64_t *stride) {
  int64_t step = 1;
  for (uint32_t a = shape->rank; a-- > 0;) {
    stride[a] = step;
    step *= shape->dim[a];
  }
}

IrIndex ir_index_identity(uint32_t axes) {
  IrIndex index = {0};
  for (uint32_t a = 0; a < axes; a++) index.step[a][a] = 1;
  return index;
}

IrMap ir_map_of_index(const IrIndex *index, const Shape *of, uint32_t axes) {
  IrMap map = {0};
  int64_t stride[FLOW_MOST_RANK];
  ir_strides(of, stride);
  for (uint32_t a = 0; a < of->rank; a++) {
    map.offset += index->base[a] * stride[a];
    for (uint32_t j = 0; j < axes; j++) map.stride[j] += index->step[a][j] * stride[a];
  }
  return map;
}

/* Writes `flat` as a sum of digit[a] * stride[a], the largest stride first. */
static void digits_of(int64_t flat, const Shape *of, const int64_t *stride, int64_t *digit) {
  for (uint32_t a = 0; a < of->rank; a++) {
    digit[a] = flat / stride[a];
    flat -= digit[a] * stride[a];
  }
}

/* Whether each axis of `of` stays inside its own extent: only then do the digits mean what the flat map means. */
static bool stays_inside(const IrIndex *index, uint32_t axes, const int64_t *extent, const Shape *of) {
  for (uint32_t a = 0; a < of->rank; a++) {
    int64_t least = index->base[a], most = index->base[a];
    for (uint32_t j = 0; j < axes; j++) {
      int64_t reach = index->step[a][j] * (extent[j] - 1);
      if (reach < 0) least += reach;
      else most += reach;
    }
    if (least < 0 || most >= of->dim[a]) return false;
  }
  return true;
}

bool ir_index_of_map(const IrMap *map, uint32_t axes, const int64_t *extent, const Shape *of, IrIndex *index) {
  int64_t stride[FLOW_MOST_RANK], digit[FLOW_MOST_RANK];
  memset(index, 0, sizeof *index);
  ir_strides(of, stride);
  digits_of(map->offset, of, stride, index->base);
  for (uint32_t j = 0; j < axes; j++) {
    if (extent[j] == 1) continue;
    digits_of(map->stride[j], of, stride, digit);
    for (uint32_t a = 0; a < of->rank; a++) index->step[a][j] = digit[a];
  }
  return stays_inside(index, axes, extent, of);
}

/* ---- nodes ------------------------------------------------------------------------------------------------------- */
Ref ir_data(IrFunction *f, const Shape *shape, const double *data, Span at) {
  size_t count = (size_t)shape_count(shape);
  double *copy = arena_array(f->arena, count, sizeof *copy);
  memcpy(copy, data, count * sizeof *copy);
  IrNode node = {.op = IR_constant, .shape = *shape, .data = copy, .at = at};
  return ir_append(f, &node);
}

Ref ir_number(IrFunction *f, const Shape *shape, double value, Span at) {
  Shape scalar = {0}, whole = *shape; /* a copy: *shape may stand in a node, and nodes move as they are added */
  return ir_repeat_last(f, ir_data(f, &scalar, &value, at), &whole, at);
}

static Ref append(IrFunction *f, IrNode *node, uint32_t args, const Ref *arg) {
  node->args = args;
  node->arg = (Ref *)arg; /* copied by ir_append */
  return ir_append(f, node);
}

static Ref elementwise(IrFunction *f, IrOp op, uint32_t args, const Ref *arg, Span at) {
  IrNode node = {.op = op, .shape = f->node[arg[0]].shape, .at = at};
  node.truth = ir_op_class[op] == IR_COMPARE || ir_op_class[op] == IR_LOGIC;
  if (op == IR_select) node.truth = f->node[arg[1]].truth;
  return append(f, &node, args, arg);
}

Ref ir_one(IrFunction *f, IrOp op, Ref a, Span at) { return elementwise(f, op, 1, &a, at); }
Ref ir_two(IrFunction *f, IrOp op, Ref a, Ref b, Span at) { return elementwise(f, op, 2, (Ref[]){a, b}, at); }
Ref ir_three(IrFunction *f, IrOp op, Ref a, Ref b, Ref c, Span at) {
  return elementwise(f, op, 3, (Ref[]){a, b, c}, at);
}

Ref ir_reduce(IrFunction *f, IrOp op, Ref a, Span at) {
  IrNode node = {.op = op, .shape = f->node[a].shape, .at = at};
  node.shape.rank--;
  node.shape.dim[node.shape.rank] = 0;
  return append(f, &node, 1, &a);
}

Ref ir_concat(IrFunction *f, uint32_t axis, const Ref *part, uint32_t parts, Span at) {
  if (parts == 1) return part[0];
  IrNode node = {.op = IR_concat, .shape = f->node[part[0]].shape, .axis = axis, .at = at};
  for (uint32_t i = 1; i < parts; i++) node.shape.dim[axis] += f->node[part[i]].shape.dim[axis];
  return append(f, &node, parts, part);
}

/* ---- views ------------------------------------------------------------------------------------------------------- */
static bool is_identity(const IrIndex *index, const Shape *of, const Shape *shape) {
  if (!shape_equal(of, shape)) return false;
  for (uint32_t a = 0; a < of->rank; a++) {
    if (index->base[a] != 0) return false;
    for (uint32_t j = 0; j < shape->rank; j++)
      if (shape->dim[j] > 1 && index->step[a][j] != (a == j)) return false;
  }
  return true;
}

/* The piece of a concat that holds all elements that the index visits, or IR_NONE; base then counts from that piece. */
static Ref only_piece(const IrFunction *f, const IrNode *concat, IrIndex *index, uint32_t axes, const int64_t *extent) {
  uint32_t axis = concat->axis;
  int64_t least = index->base[axis], most = least, from = 0;
  for (uint32_t j = 0; j < axes; j++) {
    int64_t reach = index->step[axis][j] * (extent[j] - 1);
    if (reach < 0) least += reach;
    else most += reach;
  }
  for (uint32_t i = 0; i < concat->args; i++) {
    int64_t length = f->node[concat->arg[i]].shape.dim[axis];
    if (least >= from && most < from + length) {
      index->base[axis] -= from;
      return concat->arg[i];
    }
    from += length;
  }
  return IR_NONE;
}

/* Of a view with the map `outer` (given by an index into that view), the map into the view's own operand. */
static IrMap compose(const IrIndex *outer, const IrNode *view, uint32_t axes) {
  IrMap map = {.offset = view->map.offset};
  for (uint32_t a = 0; a < view->shape.rank; a++) {
    map.offset += outer->base[a] * view->map.stride[a];
    for (uint32_t j = 0; j < axes; j++) map.stride[j] += outer->step[a][j] * view->map.stride[a];
  }
  return map;
}

/* One step down: from `*of` at `*index` to what it is a view or the concat of.  *known says whether *index still holds;
 * *map does always. */
static bool look_below(const IrFunction *f, Ref *of, IrIndex *index, IrMap *map, bool *known, uint32_t axes,
                       const int64_t *extent) {
  const IrNode *node = &f->node[*of];
  if (!*known) return false;
  if (node->op == IR_view) {
    *map = compose(index, node, axes);
    *of = node->arg[0];
    *known = ir_index_of_map(map, axes, extent, &f->node[*of].shape, index);
    return true;
  }
  if (node->op != IR_concat) return false;
  Ref piece = only_piece(f, node, index, axes, extent);
  if (piece == IR_NONE) return false;
  *of = piece;
  *map = ir_map_of_index(index, &f->node[piece].shape, axes);
  return true;
}

Ref ir_view(IrFunction *f, Ref of, const Shape *shape, const IrIndex *wanted, Span at) {
  IrIndex index = *wanted;
  IrMap map = ir_map_of_index(&index, &f->node[of].shape, shape->rank);
  bool known = true;
  while (look_below(f, &of, &index, &map, &known, shape->rank, shape->dim)) {}
  if (known && is_identity(&index, &f->node[of].shape, shape)) return of;
  IrNode node = {.op = IR_view, .shape = *shape, .map = map, .at = at, .truth = f->node[of].truth};
  return append(f, &node, 1, &of);
}

Ref ir_view_flat(IrFunction *f, Ref of, const Shape *shape, const IrMap *map, Span at) {
  IrIndex index;
  if (ir_index_of_map(map, shape->rank, shape->dim, &f->node[of].shape, &index)) return ir_view(f, of, shape, &index, at);
  IrNode node = {.op = IR_view, .shape = *shape, .map = *map, .at = at, .truth = f->node[of].truth};
  return append(f, &node, 1, &of);
}

Ref ir_repeat_last(IrFunction *f, Ref of, const Shape *shape, Span at) {
  IrIndex index = ir_index_identity(f->node[of].shape.rank);
  return ir_view(f, of, shape, &index, at);
}

/* ---- contractions ------------------------------------------------------------------------------------------------ */
IrOperand ir_see_through(const IrFunction *f, IrOperand operand, uint32_t axes, const int64_t *extent) {
  IrIndex index;
  bool known = ir_index_of_map(&operand.map, axes, extent, &f->node[operand.ref].shape, &index);
  while (look_below(f, &operand.ref, &index, &operand.map, &known, axes, extent)) {}
  return operand;
}

Ref ir_contract(IrFunction *f, const Shape *shape, uint32_t sums, const int64_t *sum_extent, IrOperand a, IrOperand b,
                Ref init, Span at) {
  IrNode node = {.op = IR_contract, .shape = *shape, .sums = sums, .at = at};
  int64_t extent[IR_MOST_AXES];
  for (uint32_t j = 0; j < shape->rank; j++) extent[j] = shape->dim[j];
  for (uint32_t k = 0; k < sums; k++) extent[shape->rank + k] = node.extent[k] = sum_extent[k];
  a = ir_see_through(f, a, shape->rank + sums, extent);
  b = ir_see_through(f, b, shape->rank + sums, extent);
  node.map = a.map;
  node.map_b = b.map;
  return append(f, &node, init == IR_NONE ? 2 : 3, (Ref[]){a.ref, b.ref, init});
}

bool ir_known(const IrFunction *f, Ref r, double *value) {
  const IrNode *node = &f->node[r];
  while (node->op == IR_view) node = &f->node[node->arg[0]];
  if (node->op != IR_constant) return false;
  int64_t count = shape_count(&node->shape);
  for (int64_t i = 1; i < count; i++)
    if (memcmp(&node->data[i], &node->data[0], sizeof *node->data) != 0) return false;
  *value = node->data[0];
  return true;
}
