/* SPDX-License-Identifier: Apache-2.0 */
/* series.h -- the first terms of a Taylor series through elementwise operations.
 *
 * A Series is a function of one variable s near 0, c[0] + c[1] s + ...; the rules are the recurrences of automatic
 * differentiation (Griewank, Walther, Evaluating Derivatives, 13.2): where y' = g(a) a', k y_k = sum j a_j g_{k-j}. */
#ifndef FLOW_IR_SERIES_H
#define FLOW_IR_SERIES_H
#include "ir.h"

enum { SERIES_TERMS = 4 };
typedef struct Series { double c[SERIES_TERMS]; } Series;

Series series_number(double value);
/* -1, 0 or 1: the sign of a near 0 on the side of s: -1 left, 1 right. */
int series_sign(const Series *a, int side);
/* An operation of class EACH, COMPARE or LOGIC (truth values: 0 and 1) on that side.  Values without a number are NaN. */
Series series_each(IrOp op, const Series *arg, int side);

#endif
