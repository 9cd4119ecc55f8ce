/* SPDX-License-Identifier: Apache-2.0 */
/* problems.h -- smooth initial value problems with known solutions, and the textbook's way of taking steps.
 *
 * All numbers are long double, the methods' coefficients (printed.h) too, so that what is seen is the method's error. */
#ifndef FLOW_TEST_PROBLEMS_H
#define FLOW_TEST_PROBLEMS_H
#include "printed.h"

enum { PROBLEM_MOST_DIM = 2, PROBLEM_COUNT = 6, PROBLEM_STARTS = 5 };

typedef struct Problem {
  const char *name;
  int dim;
  void (*velocity)(long double t, const long double *x, long double *u);
  void (*solution)(long double t0, long double t, const long double *start, long double *x);
  long double start[PROBLEM_MOST_DIM];
  long double t0, t1;
} Problem;
extern const Problem problem[PROBLEM_COUNT];

/* The same from t1 back to t0. */
Problem problem_backward(const Problem *forward);

/* Distances from the solution with `steps` equal steps: the largest of the dense output at a few places of every step, the step's
 * end being one of them, and at the end of the time in *end; root mean squares over starts of .6 to 1 of the problem's. */
long double problem_error(const Problem *p, const Printed *method, int steps, long double *end);

#endif
