/* SPDX-License-Identifier: Apache-2.0 */
/* derive.h -- derivatives of IR as IR.
 *
 * What is differentiated is a stretch of one function: the nodes from `from` on, up to `value`, as functions of one node
 * among them, the *variable*.  All that stands before the stretch is constant.  The derivative is appended to the same
 * function, so that it can be differentiated again and that value and derivative share what they have in common.
 *
 *   Ref from = f->nodes, x = ir_variable(f, argument, at);
 *   Ref u = ... the body, which reads x ...
 *   Ref div = ir_divergence(f, from, u, x, 1);
 *
 * FORWARD (ir_jvp, ir_divergence).  A tangent is kept as factor * base (derive.c), so that a chain of elementwise operations
 * is differentiated once for all directions, a layer of the state itself takes the columns of its weights as tangents,
 * and the last layer computes the diagonal alone.
 * BACKWARD (ir_vjp).  Cotangents are summed in descending order of the nodes that use a value.
 *
 * Each answers IR_NONE where a value of the stretch has no room for another axis (FLOW_MOST_RANK): report E0901.  Values may
 * become larger than IR_MOST_ELEMENTS: whoever finishes a function checks that.
 *
 * CONVENTIONS.  At a tie max and min take the derivative of the operand that is constant, else of the first, so that
 * relu'(0) = 0; of a vector with several greatest elements each takes an equal share; |a|' and sign of 0 are 0; a comparison, floor and a
 * label have derivative 0; `if` has the derivative of the branch that is taken, max and min that of the operand (all are computed,
 * so what is not taken may be infinite without harm, up to the next sum). a^b by a has the derivative 0 where b is 0. */
#ifndef FLOW_IR_DERIVE_H
#define FLOW_IR_DERIVE_H
#include "build.h"

/* A copy of a value that no rewriting looks through before the first ir_fold, which removes it. */
Ref ir_variable(IrFunction *f, Ref of, Span at);

/* The derivative of value along `direction`.  direction: the variable's shape, then the result has value's shape; or
 * [m] ++ the variable's shape, m directions at once, then the result has [m] ++ value's shape. */
Ref ir_jvp(IrFunction *f, Ref from, Ref value, Ref variable, Ref direction, Span at);

/* w J: the sum over value's elements of w times their gradients; w of value's shape, the result of the variable's. */
Ref ir_vjp(IrFunction *f, Ref from, Ref value, Ref variable, Ref w, Span at);

/* The trace of the Jacobian in the last `own` axes; variable and value have one shape, and the axes before these are
 * independent of each other (open loops).  The result has the shape of those.  f->trace says in words what was chosen. */
Ref ir_divergence(IrFunction *f, Ref from, Ref value, Ref variable, uint32_t own, Span at);

/* Terms that a loss may have besides (rates.c), each with its weight; 0: it has not.
 *   kinetic    |u|^2
 *   jacobian   |J|^2, the sum of (du_i/dx_j)^2; with `probe` its estimate |J e|^2                                                */
enum { IR_MOST_TERMS = 2 };
typedef struct IrTerms { double kinetic, jacobian; bool probe; } IrTerms;

/* A loss of a velocity u and its gradients by all weights: a general function with the result  loss ++ contributions
 * (gradients.c).  NULL: no room for an axis.
 *   SQUARES         |u - w|^2 / d, the last condition (but for a probe) being w: "target"
 *   OF_PROGRAM      f is a loss of the program with its velocity before it (ir_lower_loss)
 *   ADJOINT         w . u, the last condition being w: "adjoint"; behind the loss stands its gradient by the state
 *   ADJOINT_LOG_P   w . (u, -div u), w: [d + 1]; likewise, and behind the gradient -div u
 *   ADJOINT_PROBES  w . (u, mean of -e_j . J e_j) over `probes` vectors e_j, the condition before w: "probes"
 * Terms: the first two become loss + kinetic |u|^2/d + jacobian |J|^2/d, and behind that stand |u|^2/d and |J|^2/d; e is the condition
 * " probe" (one of the loss of a program, or a new last one).  The last two become w . (u, .., |u|^2, |J|^2), what a term weighs is in w, and show the terms behind -div u;
 * e are the vectors "probes", of which there is one if the trace needs none. */
typedef enum IrLoss { IR_SQUARES, IR_OF_PROGRAM, IR_ADJOINT, IR_ADJOINT_LOG_P, IR_ADJOINT_PROBES } IrLoss;
IrFunction *ir_with_gradients(IrFunction *f, IrLoss loss, uint32_t probes, const IrTerms *terms);

/* log |det J| of value, of the variable's shape, in the variable: a scalar. */
Ref ir_log_det(IrFunction *f, Ref from, Ref value, Ref variable, Span at);

/* A new function with the extras of compile.h behind the result of f (a velocity, not frozen, whose result has the shape of
 * input 1): what is needed for a log-density, or products with the Jacobian.  Its result is a vector [d + extras].  NULL: the
 * program is too large for it (more than IR_MOST_ELEMENTS elements in a value, or no room for an axis). */
typedef enum IrExtras { IR_NO_EXTRAS, IR_LOG_P, IR_PROBES, IR_JVP, IR_VJP } IrExtras;   /* LOG_P of a jump: -log |det J| */
IrFunction *ir_with_extras(IrFunction *f, IrExtras extras, uint32_t probes);
/* LOG_P, or with `probes` PROBES, and behind its rows those of the terms; a |J|^2 by probes is the mean over those there are, or by one. */
IrFunction *ir_with_rates(IrFunction *f, uint32_t probes, const IrTerms *terms);

#endif
