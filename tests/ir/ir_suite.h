/* SPDX-License-Identifier: Apache-2.0 */
/* ir_suite.h -- what the tests of the IR share: an arena per test, and verbs on functions written as text. */
#ifndef FLOW_TEST_IR_SUITE_H
#define FLOW_TEST_IR_SUITE_H
#include <check.h>
#include <math.h>
#include <stdint.h>
#include "ir.h"

/* The arena of the running test; a fixture makes and frees it. */
Arena *ir_arena(void);

/* A function from its nodes alone: `nodes` follows the heading
 *     function "f"; input "t" [] t; input "x" [d] s; input "c" [2] c; weight "W" [3, 2]
 * and the result line.  Fails the test if it is not well formed. */
IrFunction *ir_of(int64_t d, const char *nodes);
IrFunction *ir_of_text(const char *text);
/* The sentence with which the parser or the verifier refuses the text; fails the test if it does not. */
const char *ir_refusal(const char *text);
char *ir_text(const IrFunction *f);             /* as ir_print has it, in the arena */

/* The values at x, with t = 0.25, c = {10, 20} and W = 1 .. 6; in the arena. */
const double *ir_values(const IrFunction *f, const double *x);
const float *ir_values_f32(const IrFunction *f, const float *x);
/* Fails the test unless the function's value at x is exactly this (NaN equals NaN, -0 is not 0). */
void ir_expect(const IrFunction *f, const double *x, const double *expected);
bool ir_equal_bits(double a, double b);

/* One suite per file, in the order of main.c. */
#define IR_SUITES(X) X(build) X(elements) X(layout) X(sums) X(run) X(verify) X(text) X(fold) X(passes) X(derive) X(bound)
#define X(name) void add_##name##_tests(TCase *tcase);
IR_SUITES(X)
#undef X

#endif
