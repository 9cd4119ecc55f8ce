/* SPDX-License-Identifier: Apache-2.0 */
/* integral.h -- integrals of a program's functions over a region and over its surface.
 *
 * Up to three dimensions the order of the product rules doubles until two agree to 1e-11; what they still differ by is the
 * uncertainty, tenfold where they never agree, as at a kink.  Above, random pairs of points: four standard errors. */
#ifndef FLOW_VERIFY_INTEGRAL_H
#define FLOW_VERIFY_INTEGRAL_H
#include "quadrature.h"
#include "verify_parts.h"

/* All functions have the same parameters, of which the second is the point, the region's dim numbers. */
typedef struct Integrals {
  Verify *v;
  Region region;
  const double **input;         /* of the functions; [1] is set to each point */
  double *room[2];              /* results of the two functions of an integrand */
  uint64_t pairs;
} Integrals;

/* Inside, sign * f[place]; over the surface, f . n, n the outward normal; times exp(log_weight[0]) where there is one. */
typedef struct Integrand {
  bool surface;
  const Function *f, *log_weight;       /* log_weight: NULL, or perhaps f itself */
  uint32_t place;
  double sign;
} Integrand;

typedef struct Integral { double value, uncertainty; } Integral;

/* `costliest`: of the integrands' functions; it bounds the pairs. */
void integrals_prepare(Integrals *all, Verify *v, const Region *region, const double **input, const Function *costliest);
Integral integrate(Integrals *all, const Integrand *what);
bool integrals_are_exact(const Integrals *all);         /* product rules, no random points */

#endif
