/* SPDX-License-Identifier: Apache-2.0 */
/* printed.h -- tableau.def as it is printed: every coefficient read from its digits as a long double, not as the double that the
 * compiler makes of it. */
#ifndef FLOW_TEST_PRINTED_H
#define FLOW_TEST_PRINTED_H
#include "trees.h"

enum { PRINTED_MOST_ROWS = 4 };

typedef struct Printed {
  const char *name;
  uint32_t order, steps;        /* steps: the stages that make the new state; the end is the next one */
  Stages stages;                /* all of them */
  long double b[FLOW_MOST_STAGES];
  uint32_t error_order[2];
  long double error[2][FLOW_MOST_STAGES];
  uint32_t dense_order, rows;
  long double dense[PRINTED_MOST_ROWS][FLOW_MOST_STAGES];
} Printed;

size_t printed_count(void);
void printed_read(size_t index, Printed *method);

/* The weights of the dense output at theta, term by term as tableau.h writes them. */
void printed_dense_weights(const Printed *method, long double theta, long double *weight);

#endif
