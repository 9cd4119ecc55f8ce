/* SPDX-License-Identifier: Apache-2.0 */
/* build.h -- making nodes: constants, elementwise values, views that compose, contractions.
 *
 * The lowering and the freezing passes make IR only through these.  A view is asked for by an IrIndex, which says for
 * each axis of the operand which element is meant:
 *
 *     index along axis a = base[a] + sum over j of step[a][j] * i[j]        i: the indices of the result
 *
 * From it follows the flat map that an IrNode holds, and, other than from a flat map, what happens if the operand is a
 * view itself (the two become one) or a concat (the view of one piece is a view of that piece). */
#ifndef FLOW_IR_BUILD_H
#define FLOW_IR_BUILD_H
#include "ir.h"

typedef struct IrIndex {
  int64_t base[FLOW_MOST_RANK];
  int64_t step[FLOW_MOST_RANK][IR_MOST_AXES];
} IrIndex;

/* ---- shapes and maps --------------------------------------------------------------------------------------------- */
/* Elements between neighbours along each axis, in C order. */
void ir_strides(const Shape *shape, int64_t *stride);
/* The first `axes` axes pass through unchanged. */
IrIndex ir_index_identity(uint32_t axes);
IrMap ir_map_of_index(const IrIndex *index, const Shape *of, uint32_t axes);
/* The way back: which indices of `of` the map visits.  false: the map is not of that form (it steps from the end of one
 * row into the next). */
bool ir_index_of_map(const IrMap *map, uint32_t axes, const int64_t *extent, const Shape *of, IrIndex *index);

/* ---- nodes ------------------------------------------------------------------------------------------------------- */
Ref ir_number(IrFunction *f, const Shape *shape, double value, Span at);     /* a constant of equal elements */
Ref ir_data(IrFunction *f, const Shape *shape, const double *data, Span at); /* copies */
Ref ir_one(IrFunction *f, IrOp op, Ref a, Span at);                          /* elementwise; shapes are the operands' */
Ref ir_two(IrFunction *f, IrOp op, Ref a, Ref b, Span at);
Ref ir_three(IrFunction *f, IrOp op, Ref a, Ref b, Ref c, Span at);
Ref ir_reduce(IrFunction *f, IrOp op, Ref a, Span at);                       /* reduce_*, logsumexp: drops the last axis */
Ref ir_concat(IrFunction *f, uint32_t axis, const Ref *part, uint32_t parts, Span at);

/* A view of `of` with the given shape, composed with the views below it; `of` itself where nothing moves. */
Ref ir_view(IrFunction *f, Ref of, const Shape *shape, const IrIndex *index, Span at);
/* The same from a flat map. */
Ref ir_view_flat(IrFunction *f, Ref of, const Shape *shape, const IrMap *map, Span at);
/* `of` repeated along new last axes, so that its shape becomes `shape`. */
Ref ir_repeat_last(IrFunction *f, Ref of, const Shape *shape, Span at);

/* An operand of a contraction: a node and the map into its elements.  ir_see_through looks below views. */
typedef struct IrOperand { Ref ref; IrMap map; } IrOperand;
IrOperand ir_see_through(const IrFunction *f, IrOperand operand, uint32_t axes, const int64_t *extent);
/* init: IR_NONE where there is none; then the chain starts from +0. */
Ref ir_contract(IrFunction *f, const Shape *shape, uint32_t sums, const int64_t *sum_extent, IrOperand a, IrOperand b,
                Ref init, Span at);

/* ---- questions --------------------------------------------------------------------------------------------------- */
/* Is every element one number that is known?  Looks through views; a pin is not known. */
bool ir_known(const IrFunction *f, Ref r, double *value);

#endif
