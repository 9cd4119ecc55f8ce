/* SPDX-License-Identifier: Apache-2.0 */
/* rates.h -- models written by hand that compute rates beside their velocity: -div u exactly, or -e . J e for each probe.
 *
 *   Rates rates;
 *   rates_open(&rates, &rates_linear, FLOW_F64, 24, 8, 0);      ... .model = &rates.model, .weights = rates.weights
 *
 * Any field in any precision, number of lanes and of probes; the arithmetic is f64, what is stored is of the precision.  A
 * rate of a stage that is quiet is NaN, so that a use of it shows. */
#ifndef FLOW_TEST_RATES_H
#define FLOW_TEST_RATES_H
#include "flow/model.h"

enum { RATES_MOST_DIM = 4 };

typedef struct RatesField {
  uint32_t dim;
  void (*velocity)(const double *p, double t, const double *x, double *u);
  void (*jvp)(const double *p, double t, const double *x, const double *v, double *jv);
  double p[12];         /* parameters */
} RatesField;

/* u = A x, A = p [3][3]: of trace 1.5 */
extern const RatesField rates_linear;
/* the same with A diagonal, and skew */
extern const RatesField rates_diagonal, rates_skew;
/* u = -x^3/2 */
extern const RatesField rates_cubic;
/* The exact velocity from N(0, 1) along straight lines to N(p0, p1^2). */
extern const RatesField rates_gaussian;
/* The same in two dimensions to the mixture of N((-2, 0), 1/4) and N((2, 1), 1/4). */
extern const RatesField rates_mixture;
double rates_mixture_log_p(const double x[2]);

typedef struct Rates {
  flow_model model;
  flow_level level;
  flow_condition condition;
  void *weights;        /* 64-byte aligned; how the entries know the field */
} Rates;
/* probes 0: one extra, the exact -div u. */
void rates_open(Rates *rates, const RatesField *field, uint32_t precision, uint32_t lanes, uint32_t quantum, uint32_t probes);
void rates_close(Rates *rates);
/* Rates of lanes that steps have computed so far, in all models. */
uint64_t rates_computed(void);

#endif
