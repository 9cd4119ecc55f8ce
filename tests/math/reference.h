/* SPDX-License-Identifier: Apache-2.0 */
/* reference.h -- what the tests measure the elementary functions with.
 *
 * f32 is measured against libm in double (its own error is below 2^-27 ulp of a float), f64 against MPFR with 120 bits. */
#ifndef FLOW_TESTS_MATH_REFERENCE_H
#define FLOW_TESTS_MATH_REFERENCE_H
#include <stdint.h>

enum { FUNCTIONS = 0
#define ELEMENTARY(name, operands, ulp_f32, ulp_f64, domain) + 1
#include "elementary.def"
#undef ELEMENTARY
};

/* One row of elementary.def; of the function pointers only those with `operands` arguments are set. */
typedef struct Function {
  const char *name;
  int operands;
  double ulp_f32, ulp_f64;
  float (*f32_1)(float), (*f32_2)(float, float);
  double (*f64_1)(double), (*f64_2)(double, double);
} Function;
extern const Function function_table[FUNCTIONS];

/* The row of that name, or NULL. */
const Function *function_named(const char *name);

/* |result - exact| in units in the last place of a float (double) as large as exact; subnormals have the unit 2^-149
 * (2^-1074).  0 if both are NaN, or both the same infinity, or if exact rounds to the infinity that result is; else
 * infinity where one of them is not finite. */
double error_f32(float result, double exact);

/* The exact value, to double. */
double exact_1(const Function *f, double x);
double exact_2(const Function *f, double x, double y);

/* The error of f's f64 version at x (and y), in ulp, against MPFR. */
double error_f64(const Function *f, double x, double y);

/* Whether row f promises its bound at x in f32 or f64: see the note in elementary.def. */
int in_domain_f32(const Function *f, float x);
int in_domain_f64(const Function *f, double x);

float float_of(uint32_t bits);
double double_of(uint64_t bits);
uint32_t bits_of_float(float x);
uint64_t bits_of_double(double x);
#endif
