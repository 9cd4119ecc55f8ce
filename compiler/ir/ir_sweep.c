/* SPDX-License-Identifier: Apache-2.0 */
/* ir_sweep.c -- drops what the result does not need.
 *   needs   verified IR
 *   keeps   the order of the nodes that stay, all inputs and the whole table of weights: slots mean what they meant
 *   leaves  a new function that ends with its result; f itself is untouched
 *
 * In a frozen function the masks are made anew: the arithmetic is final, so a mask only says where a value may be
 * computed, and there the true dependence counts (of t as well: a t that was a constant all along costs nothing). */
#include "ir.h"

static bool *live_nodes(const IrFunction *f) {
  bool *live = arena_array(f->arena, f->nodes, sizeof *live);
  live[f->result] = true;
  for (Ref i = f->result + 1; i-- > 0;)
    for (uint32_t j = 0; live[i] && j < f->node[i].args; j++) live[f->node[i].arg[j]] = true;
  return live;
}

static Ref copy_node(IrFunction *to, const IrNode *from, const Ref *now) {
  IrNode node = *from;
  if (to->frozen) node.mask = 0;        /* ir_append adds the operands' */
  if (node.args) node.arg = arena_array(to->arena, node.args, sizeof *node.arg);
  for (uint32_t j = 0; j < node.args; j++) node.arg[j] = now[from->arg[j]];
  return ir_append(to, &node);
}

IrFunction *ir_sweep(IrFunction *f) {
  const bool *live = live_nodes(f);
  Ref *now = arena_array(f->arena, f->nodes, sizeof *now);
  IrFunction *swept = ir_new(f->arena, f->name);
  swept->inputs = f->inputs;
  swept->input = f->input;
  swept->weights = f->weights;
  swept->weight = f->weight;
  swept->frozen = f->frozen;
  swept->general = f->general;
  swept->trace = f->trace;
  swept->jump = f->jump;
  swept->contributions = f->contributions;
  swept->state_gradient = f->state_gradient;
  swept->contribution = f->contribution;
  for (Ref i = 0; i <= f->result; i++)
    if (live[i]) now[i] = copy_node(swept, &f->node[i], now);
  swept->result = now[f->result];
  return swept;
}
