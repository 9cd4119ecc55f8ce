/* SPDX-License-Identifier: Apache-2.0 */
/* gradients.c -- a loss and its gradients by all weights, as one function.
 *
 *   needs   a velocity u, lowered, not frozen
 *   leaves  a function of one sample with the result  loss ++ contribution ++ contribution ++ ...,  each a flat vector: for a
 *           weight with several uses several contributions, whose sum is its gradient.  f->contribution says to which weight
 *           each belongs.
 *
 * The contribution of a layer's matrix is a product of two vectors, cotangent[o] * input[k], and is kept as such a product: what
 * compiles this adds it up over samples and never makes it for one (compiler/tile).  The interpreter makes it, and is the oracle. */
#include "derive_parts.h"

/* mean (u - target)^2 over the components */
static Ref squares(IrFunction *f, Span at) {
  Shape own = f->node[f->result].shape, scalar = {0};
  int64_t n = shape_count(&own), stride[FLOW_MOST_RANK];
  IrInput input = {"target", own, IR_CONDITIONS}, *all = arena_array(f->arena, f->inputs + 1, sizeof *all);
  for (uint32_t i = 0; i < f->inputs; i++) all[i] = f->input[i];
  all[f->inputs] = input;
  f->input = all;
  IrNode node = {.op = IR_input, .slot = f->inputs++, .shape = own, .at = at};
  Ref difference = ir_two(f, IR_sub, f->result, ir_append(f, &node), at);
  IrOperand operand = {difference, {0}};
  ir_strides(&own, stride);
  for (uint32_t k = 0; k < own.rank; k++) operand.map.stride[k] = stride[k];
  Ref sum = own.rank ? ir_contract(f, &scalar, own.rank, own.dim, operand, operand, IR_NONE, at) : ir_two(f, IR_mul, difference, difference, at);
  return ir_two(f, IR_mul, sum, ir_number(f, &scalar, 1.0 / (double)n, at), at);
}

static Ref flattened(IrFunction *f, Ref r) {
  Shape flat = {.rank = 1, .dim = {shape_count(&f->node[r].shape)}};
  return ir_view_flat(f, r, &flat, &(IrMap){0, {f->node[r].shape.rank > 0}}, f->node[r].at);
}

IrFunction *ir_with_gradients(IrFunction *from) {
  IrFunction *f = arena_alloc(from->arena, sizeof *f);
  *f = *from;
  f->room = f->nodes;           /* so that the first node that is added moves to an array of its own */
  f->general = true;
  Span at = f->node[f->result].at;
  Ref loss = squares(f, at), one = derive_like(f, loss, 1);
  WeightGradients gradients;
  if (!derive_weight_gradients(f, loss, one, &gradients)) return NULL;
  Ref *part = arena_array(f->arena, gradients.count + 1, sizeof *part);
  part[0] = flattened(f, loss);
  for (uint32_t i = 0; i < gradients.count; i++) part[i + 1] = flattened(f, gradients.value[i]);
  f->contributions = gradients.count;
  f->contribution = gradients.slot;
  f->result = ir_concat(f, 0, part, gradients.count + 1, at);
  return ir_sweep(f);
}
