/* SPDX-License-Identifier: Apache-2.0 */
/* tableau.h -- the table of explicit Runge-Kutta methods (Butcher tableaus), found by name.
 *
 * One step of length h from (t, x), s = stages:
 *     k_j = u(t + c_j h, x + h sum_{i<j} a_ji k_i),      x' = x + h sum_j b_j k_j
 *
 *   const FlowTableau *rk4 = flow_tableau_find("rk4");
 *
 * STAGES are numbered through, whatever they are for; flow_tableau_row and flow_tableau_c know all of them:
 *     0 .. s - 1         make the new state
 *     s                  the END of the step: k_s = u(t + h, x'), c = 1, its row of a is b.  It is the next step's stage 0
 *     s + 1 ..           further ones of the dense output (dop853 has three)
 * A solve of fixed steps needs the first s alone.  An attempt whose error is estimated takes the end with it: s + 1
 * stages (dopri5: 7), and stage 0 of the next attempt is then known.
 *
 * ERROR.  h sum_{j<=s} weight_j k_j is x' less the result of another order.  dop853 has two of them; with their norms e5
 * and e3 its error is e5^2/sqrt(e5^2 + e3^2/100).
 *
 * DENSE OUTPUT, 0 <= theta <= 1, in the basis that falls apart at the ends of the step:
 *     x(t + theta h) = x + h (theta d_1 + theta(1-theta) d_2 + theta^2(1-theta) d_3 + theta^2(1-theta)^2 d_4 + ...)
 *     d_1 = sum b_j k_j,   d_2 = k_0 - d_1,   d_3 = 2 d_1 - k_0 - k_s,   d_4, d_5, ... = the rows of weights
 * Without rows that is the cubic with the right values and slopes at both ends (Hermite's).  Between steps x and its
 * slope are continuous; at theta = 1 it is the new state.  `order` is that of the conditions that the weights satisfy for
 * every theta: the error is O(h^(order + 1)) inside a step, beside what the steps before have left.
 *
 * The rows are in tableau.def; adding one there is all that a new method needs.  Everything here is constant. */
#ifndef FLOW_TABLEAU_H
#define FLOW_TABLEAU_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct FlowErrorWeights {
  uint32_t order;               /* of what the new state is compared with; 0: there is none */
  const double *weight;         /* [stages + 1] */
} FlowErrorWeights;

/* With l = log2 of an attempt's error, 0 where it is as large as allowed, the next step is longer by the factor
 *     2^(log2 safety - alpha l + beta l_old), but at least `least` and at most `most` */
typedef struct FlowStepControl {
  double safety, beta, alpha, least, most;
} FlowStepControl;

typedef struct FlowDense {
  uint32_t order;
  uint32_t stages;              /* further ones, from stage s + 1 on */
  const double *a, *c;          /* of these: a packed as the method's, the first row has s + 1 entries */
  uint32_t rows;                /* d_4, d_5, ... */
  const double *weight;         /* [rows][s + 1 + stages] */
} FlowDense;

typedef struct FlowTableau {
  const char *name;
  uint32_t order, stages;
  const double *a;              /* below the diagonal: rows of 0, 1, ... stages - 1 entries, one after the other */
  const double *b, *c;          /* [stages] */
  FlowErrorWeights error[2];    /* the first is the one that counts; adaptive steps need it */
  FlowStepControl control;      /* all 0 without error weights */
  FlowDense dense;
  const char *source;           /* where the coefficients are from */
  const char *help;             /* one line for users */
} FlowTableau;

/* No method has more, the end and the further stages of its dense output included. */
enum { FLOW_MOST_STAGES = 16 };

size_t flow_tableau_count(void);
const FlowTableau *flow_tableau_at(size_t index);                       /* in the table's order; NULL beyond it */
const FlowTableau *flow_tableau_find(const char *name);                 /* by name or second name; NULL if there is none */
/* The names in the table's order, then the second names, NULL at the end: for the checker, help and suggestions. */
const char *const *flow_tableau_names(void);
/* The row that `name` is a second name of, or NULL. */
const char *flow_tableau_alias(const char *name);

/* Row of a of any stage, and how many entries it has. */
const double *flow_tableau_row(const FlowTableau *tableau, uint32_t stage);
static inline uint32_t flow_tableau_row_length(const FlowTableau *tableau, uint32_t stage) {
  return stage == tableau->stages ? tableau->stages : stage;
}
double flow_tableau_c(const FlowTableau *tableau, uint32_t stage);
/* Of an attempt, its end included; and with all that dense output needs. */
static inline uint32_t flow_tableau_attempt_stages(const FlowTableau *tableau) { return tableau->stages + 1; }
static inline uint32_t flow_tableau_dense_stages(const FlowTableau *tableau) {
  return tableau->stages + 1 + tableau->dense.stages;
}

#endif
