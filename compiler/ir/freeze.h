/* SPDX-License-Identifier: Apache-2.0 */
/* freeze.h -- what factor.c and freeze.c share. */
#ifndef FLOW_IR_FREEZE_H
#define FLOW_IR_FREEZE_H
#include "build.h"

/* Operand 0 or 1 of a contraction, with its map. */
IrOperand freeze_operand(const IrNode *contract, int which);
/* The operand of a contraction that is a whole softmax, summed over its last axis once; -1 where neither is. */
int freeze_softmax_operand(const IrFunction *f, const IrNode *contract);

#endif
