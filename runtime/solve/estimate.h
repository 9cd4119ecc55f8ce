/* SPDX-License-Identifier: Apache-2.0 */
/* estimate.h -- mean and sum of squared deviations of numbers that come one after the other (Welford, Technometrics 4 (1962),
 * 419), and the standard error of the mean. */
#ifndef FLOW_SOLVE_ESTIMATE_H
#define FLOW_SOLVE_ESTIMATE_H
#include <math.h>
#include <stdint.h>

typedef struct FlowEstimate {
  double mean, squares;
  uint64_t count;
} FlowEstimate;

static inline void flow_estimate_add(FlowEstimate *estimate, double value) {
  double from_mean = value - estimate->mean;
  estimate->count++;
  estimate->mean += from_mean / (double)estimate->count;
  estimate->squares += from_mean * (value - estimate->mean);
}

/* NaN for fewer than two. */
static inline double flow_estimate_error(const FlowEstimate *estimate) {
  double count = (double)estimate->count;
  return estimate->count < 2 ? NAN : sqrt(estimate->squares / (count - 1) / count);
}

#endif
