/* SPDX-License-Identifier: Apache-2.0 */
/* quadrature.h -- integrals over a box or a ball and over its surface.
 *
 * Up to three dimensions by product rules: Gauss and Legendre's along straight axes, radius and height, equal steps around a
 * circle.  Of order n they have n nodes along an axis (4n around a circle) and converge exponentially for analytic functions.
 * In more dimensions by random points in pairs, each beside its mirror image in the center, in strata. */
#ifndef FLOW_VERIFY_QUADRATURE_H
#define FLOW_VERIFY_QUADRATURE_H
#include "arena.h"
#include "random.h"

typedef struct Region {
  uint32_t dim;
  bool is_box;
  const double *low, *high;     /* of a box */
  const double *center;         /* of a ball */
  double radius;
} Region;
enum { MOST_PRODUCT_DIM = 3 };

typedef struct Rule {
  uint64_t count;
  double *point, *normal;       /* [count][dim]; normal: NULL inside */
  double *weight;               /* [count] */
} Rule;
Rule rule_surface(Arena *arena, const Region *region, uint32_t n);
Rule rule_inside(Arena *arena, const Region *region, uint32_t n);

/* Strata: the pairs of opposite faces of a box, else one.  A pair's value is the sum over its two points; the integral is the sum
 * over strata of measure times the mean value. */
uint32_t strata_surface(const Region *region);
double measure_surface(const Region *region, uint32_t stratum);
double measure_inside(const Region *region);
/* Pair `index`: two points [2][dim], and the outward normals there [2][dim]. */
void pair_surface(const Region *region, FlowRandom random, uint64_t index, uint32_t stratum, double *point, double *normal);
/* point: [4][dim], of which the first two are the pair. */
void pair_inside(const Region *region, FlowRandom random, uint64_t index, double *point);

#endif
