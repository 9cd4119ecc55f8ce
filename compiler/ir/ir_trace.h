/* SPDX-License-Identifier: Apache-2.0 */
/* ir_trace.h -- where a value stops being finite: the interpreter, looked at node by node.
 *
 *   IrCulprit culprit;
 *   switch (ir_trace(f, FLOW_F32, input, weight, result, &culprit)) { case IR_TRACE_CULPRIT: ir_culprit_words(...) }
 *
 * The function is evaluated at one point in its precision.  If its result is not finite, the search goes back from there
 * along what is not finite and counts: of a select the branch taken, of a product the terms of that element.  It ends at the
 * operation whose operands are finite and whose value is not, or at the input or weight that brought it in. */
#ifndef FLOW_IR_TRACE_H
#define FLOW_IR_TRACE_H
#include "ir.h"

enum { IR_MOST_CULPRIT_OPERANDS = 3 };

typedef struct IrCulprit {
  Ref node;
  int64_t element;              /* of the node's value, in C order */
  double value;
  uint32_t operands;            /* elementwise operations: of the values below; else 0 */
  double operand[IR_MOST_CULPRIT_OPERANDS];
  double label;                 /* lookup: the label that the table does not have */
  char layer[96];               /* full name of the nearest layer or tensor before it, without .weight; empty: there is none */
} IrCulprit;

typedef enum { IR_TRACE_FINITE, IR_TRACE_CULPRIT, IR_TRACE_NO_MEMORY } IrTrace;

/* input[i], weight[i]: as for ir_run_f64; rounded to the precision (bytes 4 or 8).  result: the elements of the result, or NULL.
 * `f` is frozen. */
IrTrace ir_trace(const IrFunction *f, int precision, const double *const *input, const double *const *weight, double *result,
                 IrCulprit *culprit);

/* One phrase: "left the domain: log of -0.3", "division by zero: 1 / 0", "overflow: exp of 812". */
void ir_culprit_words(const IrFunction *f, const IrCulprit *culprit, char *words, size_t room);

#endif
