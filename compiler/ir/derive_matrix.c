/* SPDX-License-Identifier: Apache-2.0 */
/* derive_matrix.c -- derivatives of A^-1 B and of log |det A|.
 *
 *   X = A^-1 B:       dX = A^-1 (dB - dA X)          B' = A^-T X',  A' = -B' X^T
 *   l = log |det A|:  dl = tr(A^-1 dA)               A' = l' A^-T
 *
 * (Giles, Collected matrix derivative results for forward and reverse mode, 2008.)  Directions of B are further columns, so the
 * matrix is eliminated once for all of them. */
#include <string.h>
#include "derive_parts.h"

static Ref solve(IrFunction *f, Ref a, Ref b, Span at) {
  IrNode node = {.op = IR_solve, .args = 2, .arg = (Ref[]){a, b}, .shape = f->node[b].shape, .at = at};
  return ir_append(f, &node);
}

/* The axes in another order: axis k of the result is axis order[k] of r. */
static Ref permuted(IrFunction *f, Ref r, const uint32_t *order, Span at) {
  Shape own = f->node[r].shape, shape = {.rank = own.rank};
  int64_t stride[FLOW_MOST_RANK];
  IrMap map = {0, {0}};
  ir_strides(&own, stride);
  for (uint32_t k = 0; k < own.rank; k++) {
    shape.dim[k] = own.dim[order[k]];
    map.stride[k] = stride[order[k]];
  }
  return ir_view_flat(f, r, &shape, &map, at);
}

static Ref transposed(IrFunction *f, Ref a, Span at) {
  uint32_t rank = f->node[a].shape.rank, order[FLOW_MOST_RANK];
  for (uint32_t k = 0; k < rank; k++) order[k] = k;
  order[rank - 2] = rank - 1, order[rank - 1] = rank - 2;
  return permuted(f, a, order, at);
}

/* A^-T of [loops, n, n]. */
static Ref inverse_transposed(IrFunction *f, Ref a, Span at) {
  Shape shape = f->node[a].shape, unit = {.rank = 2, .dim = {shape.dim[shape.rank - 1], shape.dim[shape.rank - 1]}};
  Shape line = {.rank = 1, .dim = {unit.dim[0]}};
  const int64_t step[] = {1};
  Ref units = derive_units(f, unit.dim[0], &line, 0, step, at);
  IrMap map = {0, {0}};
  map.stride[shape.rank - 2] = unit.dim[0], map.stride[shape.rank - 1] = 1;
  return solve(f, transposed(f, a, at), ir_view_flat(f, units, &shape, &map, at), at);
}

/* ---- forward ------------------------------------------------------------------------------------------------------------ */

/* dA X for each direction: [m, loops, n, rest]. */
static Ref moved_by(Forward *d, Ref da, Ref x, uint32_t loops, Span at) {
  IrFunction *f = d->f;
  Shape a = f->node[da].shape, own = f->node[x].shape, shape = forward_shape(d, &own);
  int64_t a_stride[FLOW_MOST_RANK], x_stride[FLOW_MOST_RANK], n = own.dim[loops];
  uint32_t lead = d->lead;
  ir_strides(&a, a_stride);
  ir_strides(&own, x_stride);
  IrOperand left = {da, {0}}, right = {x, {0}};
  for (uint32_t k = 0; k <= lead + loops; k++) left.map.stride[k] = a_stride[k];
  left.map.stride[shape.rank] = 1;
  for (uint32_t k = 0; k < own.rank; k++) right.map.stride[lead + k] = k == loops ? 0 : x_stride[k];
  right.map.stride[shape.rank] = x_stride[loops];
  return ir_contract(f, &shape, 1, &n, left, right, IR_NONE, at);
}

Tangent forward_solve(Forward *d, Ref r) {
  IrFunction *f = d->f;
  const IrNode node = f->node[r];
  Tangent ta = forward_of(d, node.arg[0]), tb = forward_of(d, node.arg[1]);
  if (ta.kind == TANGENT_ZERO && tb.kind == TANGENT_ZERO) return (Tangent){.kind = TANGENT_ZERO, .factor = IR_NONE, .base = IR_NONE};
  Shape a = f->node[node.arg[0]].shape;
  uint32_t loops = a.rank - 2, rank = node.shape.rank;
  Ref right = tb.kind == TANGENT_ZERO ? IR_NONE : forward_dense(d, &tb, &node.shape, node.at);
  if (ta.kind != TANGENT_ZERO) {
    Ref moved = moved_by(d, forward_dense(d, &ta, &a, node.at), r, loops, node.at);
    right = right == IR_NONE ? ir_one(f, IR_neg, moved, node.at) : ir_two(f, IR_sub, right, moved, node.at);
  }
  if (!d->lead) return tangent_dense(solve(f, node.arg[0], right, node.at));
  uint32_t behind[FLOW_MOST_RANK], back[FLOW_MOST_RANK];      /* the directions as the last axis, and in front again */
  for (uint32_t k = 0; k < rank; k++) behind[k] = k + 1, back[k + 1] = k;
  behind[rank] = 0, back[0] = rank;
  return tangent_dense(permuted(f, solve(f, node.arg[0], permuted(f, right, behind, node.at), node.at), back, node.at));
}

/* The sum of A^-T * dA over both axes of the matrix. */
Tangent forward_logdet(Forward *d, Ref r) {
  IrFunction *f = d->f;
  const IrNode node = f->node[r];
  Tangent t = forward_of(d, node.arg[0]);
  if (t.kind == TANGENT_ZERO) return t;
  Shape a = f->node[node.arg[0]].shape, shape = forward_shape(d, &node.shape);
  int64_t extent[] = {a.dim[a.rank - 2], a.dim[a.rank - 1]}, stride[FLOW_MOST_RANK];
  Ref da = forward_dense(d, &t, &a, node.at), inverse = inverse_transposed(f, node.arg[0], node.at);
  IrOperand left = {inverse, {0}}, right = {da, {0}};
  ir_strides(&a, stride);
  for (uint32_t k = 0; k < a.rank; k++) left.map.stride[d->lead + k] = stride[k];
  ir_strides(&f->node[da].shape, right.map.stride);
  return tangent_dense(ir_contract(f, &shape, 2, extent, left, right, IR_NONE, node.at));
}

/* ---- backward ------------------------------------------------------------------------------------------------------------- */

Ref backward_solve_b(IrFunction *f, Ref r, Ref c) {
  const IrNode node = f->node[r];
  return solve(f, transposed(f, node.arg[0], node.at), c, node.at);
}

/* -b' x^T, summed over what stands behind the rows. */
Ref backward_solve_a(IrFunction *f, Ref r, Ref b_cotangent) {
  const IrNode node = f->node[r];
  Shape a = f->node[node.arg[0]].shape, own = node.shape;
  uint32_t loops = a.rank - 2, rest = own.rank - loops - 1;
  int64_t stride[FLOW_MOST_RANK];
  ir_strides(&own, stride);
  IrOperand left = {b_cotangent, {0}}, right = {r, {0}};
  for (uint32_t k = 0; k < loops; k++) left.map.stride[k] = right.map.stride[k] = stride[k];
  left.map.stride[loops] = stride[loops];
  right.map.stride[loops + 1] = stride[loops];
  for (uint32_t k = 0; k < rest; k++) left.map.stride[a.rank + k] = right.map.stride[a.rank + k] = stride[loops + 1 + k];
  Ref product;
  if (rest) {
    product = ir_contract(f, &a, rest, own.dim + loops + 1, left, right, IR_NONE, node.at);
  } else {
    Ref x = ir_view_flat(f, left.ref, &a, &left.map, node.at), y = ir_view_flat(f, right.ref, &a, &right.map, node.at);
    product = ir_two(f, IR_mul, x, y, node.at);
  }
  return ir_one(f, IR_neg, product, node.at);
}

Ref backward_logdet(IrFunction *f, Ref r, Ref c) {
  const IrNode node = f->node[r];
  Shape a = f->node[node.arg[0]].shape;
  Ref inverse = inverse_transposed(f, node.arg[0], node.at);
  return ir_two(f, IR_mul, ir_repeat_last(f, c, &a, node.at), inverse, node.at);
}
