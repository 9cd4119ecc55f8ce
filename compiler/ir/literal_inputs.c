/* SPDX-License-Identifier: Apache-2.0 */
/* literal_inputs.c -- numbers written at a call become numbers that come at run time, so that what is called has code of its own.
 *   needs   verified IR, not frozen
 *   keeps   the value at these numbers; as inputs they have the masks that a field's t and state have, so that freezing decides
 *           as it does for the field alone and u(0.5, [1, 0]) has the bits of the compiled u
 *   leaves  f in place, its literals folded, with an input more for each */
#include "ir_run.h"

static const double *elements(IrFunction *f, const IrNode *of) {
  if (of->op == IR_constant) return of->data;
  const IrNode *from = of->op == IR_view ? &f->node[of->arg[0]] : NULL;
  if (!from || from->op != IR_constant) return NULL;
  double *element = arena_array(f->arena, (size_t)shape_count(&of->shape), sizeof *element);
  const double *arg[] = {from->data};
  (void)ir_evaluate_f64(f, of, arg, element);   /* fails for matrices only */
  return element;
}

static void make_input(IrFunction *f, IrNode *pin) {
  IrInput input = {"literal", pin->shape, pin->mask & IR_TIMES ? IR_TIMES : IR_STATE};
  pin->op = IR_input;
  pin->args = 0;
  pin->mask = input.mask;
  pin->slot = ir_add_input(f, &input);
}

const double *const *ir_literals_to_inputs(IrFunction *f, Span text) {
  ir_fold(f, 8);
  const double **value = arena_array(f->arena, f->nodes + (size_t)f->inputs, sizeof *value);
  for (Ref i = 0; i < f->nodes; i++) {
    IrNode *node = &f->node[i];
    for (uint32_t j = 0; j < node->args; j++) node->mask |= f->node[node->arg[j]].mask;
    if (node->op != IR_pin || node->at.from < text.from || node->at.from >= text.to) continue;
    const double *element = elements(f, &f->node[node->arg[0]]);
    if (!element) continue;
    value[f->inputs] = element;
    make_input(f, node);
  }
  return value;
}
