/* SPDX-License-Identifier: Apache-2.0 */
/* optimise.h -- one step of all weights along their gradient: elementwise over flat arrays, in the model's precision.
 *
 * Coefficients are computed in f64 and rounded once.  The formulas are those of optimisers.def. */
#ifndef FLOW_OPTIMISE_H
#define FLOW_OPTIMISE_H
#include <stddef.h>
#include <stdint.h>

typedef enum FlowOptimiser {
#define OPTIMISER(name, moments, rate, text) FLOW_OPTIMISER_##name,
#include "optimisers.def"
#undef OPTIMISER
  FLOW_OPTIMISERS
} FlowOptimiser;

const char *flow_optimiser_name(FlowOptimiser optimiser);
const char *flow_optimiser_text(FlowOptimiser optimiser);
int flow_optimiser_moments(FlowOptimiser optimiser);
double flow_optimiser_rate(FlowOptimiser optimiser);

typedef struct FlowStep {
  FlowOptimiser optimiser;
  uint64_t number;              /* of the step, from 1 */
  double rate, decay;
  double beta1, beta2, epsilon; /* sgd: beta1 is the momentum */
  double scale;                 /* the gradient is multiplied with it first (clipping) */
} FlowStep;

/* weight, first, second, gradient: [count] numbers of that precision; second may be NULL where one moment is kept. */
void flow_optimise(const FlowStep *step, uint32_t precision, size_t count, void *weight, void *first, void *second,
                   const void *gradient);
/* average += (1 - keep) (weight - average) */
void flow_follow(double keep, uint32_t precision, size_t count, void *average, const void *weight);
/* The sum of squares in f64: sixteen partial sums, number i in sum i mod 16, then halves onto halves. */
double flow_sum_of_squares(uint32_t precision, size_t count, const void *number);

#endif
