/* SPDX-License-Identifier: Apache-2.0 */
/* tableau.h -- the table of explicit Runge-Kutta methods (Butcher tableaus), found by name.
 *
 * One step of length h from (t, x):
 *     k_j = u(t + c_j h, x + h sum_{i<j} a_ji k_i),      x' = x + h sum_j b_j k_j
 *
 *   const FlowTableau *rk4 = flow_tableau_find("rk4");
 *
 * The rows are in tableau.def; adding one there is all that a new method needs.  Everything here is constant. */
#ifndef FLOW_TABLEAU_H
#define FLOW_TABLEAU_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct FlowTableau {
  const char *name;
  uint32_t order, stages;
  const double *a;              /* [stages][stages] */
  const double *b, *c;          /* [stages] */
  uint32_t embedded_order;      /* 0: no embedded weights */
  const double *embedded;       /* [stages] or NULL */
  const char *source;           /* where the coefficients are from */
  const char *help;             /* one line for users */
} FlowTableau;

enum { FLOW_MOST_STAGES = 16 };         /* no method in the table has more */

size_t flow_tableau_count(void);
const FlowTableau *flow_tableau_at(size_t index);                       /* in the table's order; NULL beyond it */
const FlowTableau *flow_tableau_find(const char *name);                 /* NULL if there is none of this name */
/* The names in the table's order, NULL at the end: for help, completion and suggestions of near names. */
const char *const *flow_tableau_names(void);

/* Is the last stage of a step the first of the next one (c = 1, its row of a is b)? */
bool flow_tableau_first_same_as_last(const FlowTableau *tableau);

#endif
