/* SPDX-License-Identifier: Apache-2.0 */
/* lower_suite.h -- what the tests of the lowering share: an arena per test, and verbs on programs as text. */
#ifndef FLOW_TEST_LOWER_SUITE_H
#define FLOW_TEST_LOWER_SUITE_H
#include <check.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#include "check_program.h"
#include "ir.h"

Arena *test_arena(void);
Diagnostics *test_diagnostics(void);

/* The program's definition u, checked and lowered.  Fails the test, with the diagnostics, where there is an error. */
IrFunction *lowered(const char *program);
IrFunction *lowered_as(const char *program, const char *name, const char *prefix);
TypedProgram *checked_program(const char *program);      /* its errors are in test_diagnostics() */
/* The same, and through all passes: frozen for f64. */
IrFunction *frozen(const char *program);

/* The checker or the lowering refuses the program as too large. */
void expect_too_large(const char *program);

char *ir_text(const IrFunction *f);             /* as ir_print has it, in the arena */
char *diagnostics_text(void);
/* Fails unless the texts are equal; shows both. */
void expect_text(const char *found, const char *expected);

/* The value at (t, x) with the given conditions; weight i of the function is filled with test_weight(i, element). */
const double *value_at(const IrFunction *f, double t, const double *x, const double *c);
/* The same, with a bound of the error that f's own arithmetic makes in f64. */
const double *value_and_bound(const IrFunction *f, double t, const double *x, const double *c, const double **bound);
/* What a function that is no velocity gives: a density, a map, a side of a check. */
const double *value_of(const TypedFunction *function, const double *const *argument);
double test_weight(uint32_t slot, int64_t element);
/* Lowered and frozen program both agree with expected[d] to 1e-13 of the largest element. */
void expect_value(const char *program, double t, const double *x, const double *c, const double *expected, int d);
uint32_t count_ops(const IrFunction *f, IrOp op);

/* One suite per file, in the order of main.c. */
#define LOWER_SUITES(X) X(lowering) X(derivatives) X(weights) X(freezing) X(bind) X(random)
#define X(name) void add_##name##_tests(TCase *tcase);
LOWER_SUITES(X)
#undef X

#endif
