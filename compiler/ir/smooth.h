/* SPDX-License-Identifier: Apache-2.0 */
/* smooth.h -- how smooth a function is in its state: what a method of high order may rely on.
 *
 *   IR_SMOOTH   has all derivatives (as far as four terms of a Taylor series can tell)
 *   IR_C1       slopes are continuous, second derivatives are not: elu
 *   IR_C0       values are continuous, slopes are not: relu, leaky_relu, selu, abs, max, min
 *   IR_JUMPS    values are not continuous: floor, sign, an `if` whose branches do not meet
 *
 * Only switches that depend on the state count.  One that depends on t or on conditions alone is met at most once on a path,
 * by all samples at the same time.  The ends of a domain (log, sqrt and the like) are no kinks: there a sample fails. */
#ifndef FLOW_IR_SMOOTH_H
#define FLOW_IR_SMOOTH_H
#include "ir.h"

typedef enum { IR_JUMPS, IR_C0, IR_C1, IR_SMOOTH } IrSmoothness;

/* Of the whole result, frozen or not; the least smooth place counts.  Works in f's arena; f is not changed.  An answer may be
 * less smooth than the truth, where a program is written in a way that is not seen through. */
IrSmoothness ir_smoothness(IrFunction *f);
const char *ir_smoothness_text(IrSmoothness smoothness);      /* for programs: "jumps", "C0", "C1", "smooth" */
const char *ir_smoothness_words(IrSmoothness smoothness);     /* for people, behind "the velocity": "has slopes that jump" */

#endif
