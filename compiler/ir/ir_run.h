/* SPDX-License-Identifier: Apache-2.0 */
/* ir_run.h -- the evaluators of single nodes, inside compiler/ir: the interpreter, the folder and the running bound
 * all execute exactly these. */
#ifndef FLOW_IR_RUN_H
#define FLOW_IR_RUN_H
#include "ir.h"

/* out = the node's value, arg[j] = the value of its operand j, in C order.  Truth values are 0 and 1.  Not for inputs
 * and weights, which have no value of their own.  false: out of memory, only for matrices, which are copied. */
bool ir_evaluate_f64(const IrFunction *f, const IrNode *node, const double *const *arg, double *out);
bool ir_evaluate_f32(const IrFunction *f, const IrNode *node, const float *const *arg, float *out);

/* The length of the longest operand list, at least 1. */
uint32_t ir_most_args(const IrFunction *f);

#endif
