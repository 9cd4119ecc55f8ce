/* SPDX-License-Identifier: Apache-2.0 */
/* density.c -- log p0: the logarithm of a source's density at a point, in f64. */
#include "elementary.h"
#include "source.h"
#include <inttypes.h>
#include <math.h>

flow_status flow_source_has_density(const FlowSource *source, flow_error *error) {
  if (source->log_density) return FLOW_OK;
  if (source->kind == FLOW_SOURCE_DRAWN)
    return flow_fail(error, FLOW_BAD_INPUT, "a source without density: how it draws says nothing of how likely a point is");
  for (uint64_t c = 0; source->kind == FLOW_SOURCE_GAUSSIAN && c < source->dim; c++)
    if (!(source->factor[c * source->dim + c] > 0))
      return flow_fail(error, FLOW_BAD_INPUT, "a source without density: component %" PRIu64 " of the gaussian source is a function of "
                       "those before it", c);
  if (source->kind == FLOW_SOURCE_TENSOR)
    return flow_fail(error, FLOW_BAD_INPUT, "a source without density: the samples of %s say nothing of how likely a point is",
                     source->name ? source->name : "an array");
  for (uint64_t c = 0; source->kind == FLOW_SOURCE_UNIFORM && c < source->dim; c++)
    if (!(source->low[c] < source->high[c]))
      return flow_fail(error, FLOW_BAD_INPUT,
                       "a source without density: component %" PRIu64 " of the uniform source is always %.17g", c, source->low[c]);
  return FLOW_OK;
}

/* -d/2 log(2 pi) - |x|^2/2, the squares summed in order. */
static double log_normal(const double *x, uint64_t dim) {
  static const double half_log_two_pi = 0.91893853320467274;
  double squares = 0;
  for (uint64_t c = 0; c < dim; c++) squares += x[c] * x[c];
  return -((double)dim * half_log_two_pi + squares / 2);
}

/* x becomes L^-1 (x - m), row by row. */
static double log_gaussian(const FlowSource *source, double *x) {
  double log_det = 0;
  for (uint64_t r = 0; r < source->dim; r++) {
    const double *row = source->factor + r * source->dim;
    x[r] -= source->mean[r];
    for (uint64_t c = 0; c < r; c++) x[r] -= row[c] * x[c];
    x[r] /= row[r];
    log_det += flow_log_f64(row[r]);
  }
  return log_normal(x, source->dim) - log_det;
}

/* A bound as a model of this precision sees it: numbers that were drawn have been rounded alike. */
static double rounded(double bound, uint32_t precision) { return precision == FLOW_F32 ? (double)(float)bound : bound; }

static double log_uniform(const FlowSource *source, uint32_t precision, const double *x) {
  double sum = 0;
  for (uint64_t c = 0; c < source->dim; c++) {
    if (x[c] != x[c]) return NAN;
    if (x[c] < rounded(source->low[c], precision) || x[c] > rounded(source->high[c], precision)) return -INFINITY;
    sum += flow_log_f64(source->high[c] - source->low[c]);
  }
  return -sum;
}

double flow_source_log_density(const FlowSource *source, uint32_t precision, double *x) {
  if (source->log_density) return source->log_density(source->density_user, x, source->dim);
  switch (source->kind) {
  case FLOW_SOURCE_NORMAL: return log_normal(x, source->dim);
  case FLOW_SOURCE_UNIFORM: return log_uniform(source, precision, x);
  case FLOW_SOURCE_GAUSSIAN: return log_gaussian(source, x);
  case FLOW_SOURCE_TENSOR:
  case FLOW_SOURCE_DRAWN: break;
  }
  return NAN;
}
