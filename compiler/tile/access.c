/* SPDX-License-Identifier: Apache-2.0 */
/* access.c -- looking through views.
 *
 * A view maps its own indices to flat elements of its operand; a reader maps its indices to flat elements of the view.
 * The two compose to one affine map if stepping along an axis of the reader is a fixed step along the axes of the view,
 * without a carry from one axis into the next anywhere in the reader's index space. */
#include "tile.h"

IrMap tile_identity(const Shape *shape) {
  IrMap map = {0, {0}};
  int64_t step = 1;
  for (uint32_t k = shape->rank; k-- > 0; step *= shape->dim[k]) map.stride[k] = step;
  return map;
}

/* Splits a flat distance into steps along the axes of `shape`, C order. */
static void split(const Shape *shape, int64_t flat, int64_t *step) {
  int64_t sign = flat < 0 ? -1 : 1;
  flat *= sign;
  for (uint32_t k = shape->rank; k-- > 0;) {
    int64_t size = k ? shape->dim[k] : INT64_MAX;
    step[k] = sign * (flat % size);
    flat /= size;
  }
}

/* *outer := inner after *outer; false where they do not compose. */
static bool compose(const IrNode *view, IrMap *outer, const int64_t *extent, uint32_t axes) {
  int64_t start[IR_MOST_AXES], step[IR_MOST_AXES];
  int64_t least[IR_MOST_AXES], most[IR_MOST_AXES];
  IrMap composed = {view->map.offset, {0}};
  split(&view->shape, outer->offset, start);
  for (uint32_t j = 0; j < view->shape.rank; j++) {
    least[j] = most[j] = start[j];
    composed.offset += start[j] * view->map.stride[j];
  }
  for (uint32_t k = 0; k < axes; k++) {
    split(&view->shape, outer->stride[k], step);
    for (uint32_t j = 0; j < view->shape.rank; j++) {
      int64_t reach = step[j] * (extent[k] - 1);
      *(reach < 0 ? &least[j] : &most[j]) += reach;
      composed.stride[k] += step[j] * view->map.stride[j];
    }
  }
  for (uint32_t j = 0; j < view->shape.rank; j++)
    if (least[j] < 0 || most[j] >= view->shape.dim[j]) return false;
  *outer = composed;
  return true;
}

TileAccess tile_access(const IrFunction *f, Ref ref, const IrMap *map, const int64_t *extent, uint32_t axes) {
  TileAccess access = {ref, *map};
  while (f->node[access.base].op == IR_view && compose(&f->node[access.base], &access.map, extent, axes))
    access.base = f->node[access.base].arg[0];
  return access;
}

bool tile_is_identity(const IrFunction *f, const TileAccess *access, const Shape *space) {
  IrMap identity = tile_identity(space);
  if (shape_count(&f->node[access->base].shape) != shape_count(space) || access->map.offset) return false;
  for (uint32_t k = 0; k < space->rank; k++)
    if (space->dim[k] > 1 && access->map.stride[k] != identity.stride[k]) return false;
  return true;
}
