/* SPDX-License-Identifier: Apache-2.0 */
/* source.h -- where the first states of a solve come from.
 *
 *   normal(d)        d independent standard normal numbers a sample
 *   gaussian(m, L)   m + L z with z of `normal` and L lower triangular: covariance L L'; summed in f64 in the order of
 *                    columns and rounded once
 *   uniform(lo, hi)  component c is lo[c] + (hi[c] - lo[c]) u, u in [0, 1), computed in f64 and rounded once; never
 *                    outside [lo, hi]
 *   tensor           row i of an array [n, ...] of any type is the state of sample i; for d = 1 also [n]
 *   drawn            what a function of the caller's makes of the sample's random numbers
 *
 * A source says nothing about how many samples there are; sample i is the same whoever asks for it.
 *
 * LOG-DENSITY.  log p0 at a point, in f64 whatever the model's precision:
 *   normal(d)        -d/2 log(2 pi) - |x|^2/2
 *   gaussian(m, L)   -d/2 log(2 pi) - log det L - |L^-1 (x - m)|^2/2, by forward substitution
 *   uniform(lo, hi)  -sum of log(hi - lo) inside of the bounds (as the precision rounds them) and on them, else -infinity
 *   tensor, drawn    none: samples say nothing of a density
 * A function of the caller's takes the place of these, whatever the kind. */
#ifndef FLOW_SOLVE_SOURCE_H
#define FLOW_SOLVE_SOURCE_H
#include "random.h"
#include "tensor.h"

typedef enum FlowSourceKind {
  FLOW_SOURCE_NORMAL,
  FLOW_SOURCE_UNIFORM,
  FLOW_SOURCE_TENSOR,
  FLOW_SOURCE_GAUSSIAN,
  FLOW_SOURCE_DRAWN
} FlowSourceKind;

/* log p0(x): -infinity outside of the support.  Called from several threads at once. */
typedef double FlowLogDensity(void *user, const double *x, uint64_t dim);

/* d log p0/dx at x[dim] to slope[dim].  Called from several threads at once. */
typedef void FlowDensitySlope(void *user, const double *x, uint64_t dim, double *slope);

/* Puts the state of a sample into a lane of a tile.  A function of (random, sample) alone, called from several threads at once;
 * where it cannot, it puts NaN. */
typedef void FlowDraw(void *user, FlowRandom random, uint64_t sample, const FlowTile *tile, uint32_t lane);

typedef struct FlowSource {
  FlowSourceKind kind;
  uint64_t dim;                 /* numbers of a state */
  const double *low, *high;     /* uniform: [dim]; borrowed */
  const double *mean, *factor;  /* gaussian: [dim], [dim][dim]; borrowed */
  FlowDraw *draw;               /* drawn */
  void *draw_user;
  const FlowTensor *tensor;     /* tensor: borrowed */
  const char *name;             /* tensor: its file, for messages */
  FlowLogDensity *log_density;  /* NULL: that of the kind */
  FlowDensitySlope *density_slope;      /* of log_density, or NULL: not known */
  void *density_user;
} FlowSource;

/* Has every sample in [first, end) a state of `dim` numbers?  If not, the words say what was found. */
flow_status flow_source_check(const FlowSource *source, uint64_t dim, uint64_t first, uint64_t end, flow_error *error);

/* The states of samples first, first + 1, ... into the tile's lanes; the source has been checked. */
void flow_source_fill(const FlowSource *source, FlowRandom random, uint64_t first, const FlowTile *tile);

/* BAD_INPUT where the source has no density: samples of a file, a component that is always the same. */
flow_status flow_source_has_density(const FlowSource *source, flow_error *error);
/* log p0 at x[dim], which is used up; precision: of the model whose state x is. */
double flow_source_log_density(const FlowSource *source, uint32_t precision, double *x);

#endif
