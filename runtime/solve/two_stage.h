/* SPDX-License-Identifier: Apache-2.0 */
/* two_stage.h -- a mean of as many random numbers as it takes for a standard error, which says the truth about itself.
 *
 * Whoever stops as soon as the standard error is small enough stops where the numbers happen to be close together: the error
 * that is left is larger than claimed, and where they are skew the mean is off too.  So the numbers are taken in two stages
 * (Stein, Ann. Math. Stat. 16 (1945), 243).  The first ones, the pilot, only decide how many follow.  Those that follow are all
 * of the estimate: given their count they are independent numbers, so that their mean has no bias and the square of its
 * standard error is on average the mean's variance, whatever the numbers' distribution.  (Stein's own estimate also uses the
 * pilot's numbers, but his proof is for normal ones, whose mean does not depend on their spread.)
 *
 *   pilot     16 numbers; it doubles while it is less than a quarter of what it says must follow, up to a quarter of `most`
 *   estimate  (s/target)^2 numbers, s the pilot's deviation, times what makes this enough for 99 of 100 pilots of normal
 *             numbers (2.9 for a pilot of 16, 1.6 for one of 64); at least 8, and with the pilot's no more than `most`.
 *             Numbers with long tails, such as Gaussian probes of a few components give, miss the target more often, up to one
 *             pilot in five; what they claim is as true
 *
 * Where `most` has no room for 16 and 8, there is no pilot, and the estimate has `most` numbers. */
#ifndef FLOW_SOLVE_TWO_STAGE_H
#define FLOW_SOLVE_TWO_STAGE_H
#include "estimate.h"
#include <stdbool.h>

enum { FLOW_PILOT = 16, FLOW_LEAST_ESTIMATE = 8 };

typedef struct FlowTwoStage {
  FlowEstimate pilot, estimate;
  uint64_t wanted;              /* of the estimate; 0: the pilot does not know yet */
  uint64_t most;                /* of both; at least 1 */
  double target;                /* standard error, above 0 */
} FlowTwoStage;

FlowTwoStage flow_two_stage_begin(double target, uint64_t most);
/* So many numbers, without a pilot. */
FlowTwoStage flow_one_stage_begin(uint64_t count);
/* Numbers beyond those that are wanted are dropped. */
void flow_two_stage_add(FlowTwoStage *stages, double value);

static inline bool flow_two_stage_wants_more(const FlowTwoStage *stages) {
  return stages->wanted == 0 || stages->estimate.count < stages->wanted;
}
static inline uint64_t flow_two_stage_used(const FlowTwoStage *stages) { return stages->pilot.count + stages->estimate.count; }

#endif
