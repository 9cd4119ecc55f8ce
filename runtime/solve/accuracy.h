/* SPDX-License-Identifier: Apache-2.0 */
/* accuracy.h -- the cheapest method that keeps an accuracy, found by trying them.
 *
 *   FlowAccuracyResult result;
 *   FlowAccuracy what = {.solve = as for flow_sample, .reference = the same with a model of f64, .target = 1e-4, .points = 512,
 *                        .confirmations = 4096, .draws = true, .result = &result};
 *   if (!(status = flow_accuracy(&what, &error)) && result.chosen) ... result.chosen->tableau, ->steps or ->tolerance
 *
 * ERROR of a point is the largest |x - reference| of its components and, where the sampling has a density, |log p - reference|:
 * absolute, both.  The reference is the same path in the reference's model, with steps that adapt to a tolerance far below the
 * target; a second method at ten times that tolerance tells how far the reference itself can be trusted.
 *
 * POINTS.  `draws`: samples of the source from a stream of their own; else rows first .. end - 1 of what the source reads,
 * evenly spread.  Conditions are those of the samples first .. end - 1 in turn.
 *
 * SEARCH.  Every method with fixed steps for the fewest that hold at `points` points, every method that adapts for the loosest
 * tolerance, where to hold is a worst error of at most half of the target.  Most of a flow's error is in few paths, so the
 * cheapest is then held against `confirmations` further points, whose tail should not reach beyond the target among 100,000
 * samples; where it fails there it is tightened, and the cheapest again is next, until one is confirmed.  Where every tail
 * reaches beyond, the cheapest whose worst point has the margin is chosen, and its `far` is larger than the target.
 *
 * COST is evaluations, those of steps that adapt counted as `adaptive_cost`.  No clock has a part in the choice: the same
 * model, points and target give the same answer everywhere. */
#ifndef FLOW_ACCURACY_H
#define FLOW_ACCURACY_H
#include "adaptive.h"

enum { FLOW_MOST_TRIALS = 32 };

typedef struct FlowTrial {
  const FlowTableau *tableau;
  bool adaptive;
  uint64_t steps;               /* not adaptive */
  double tolerance;             /* adaptive: of x, relative and absolute, and of log p */
  double evaluations;           /* of a sample, the mean */
  double worst, most;           /* errors: of all points; of 99.9 % of them.  INFINITY: a point failed */
  double far;                   /* what the worst of 100,000 samples may be, by the tail of the errors */
  double cost;                  /* see COST */
  uint64_t points;              /* that it was last held against */
  bool holds;                   /* with the margin */
  bool given_up;                /* does not hold yet, and would cost far more than others that do */
  bool confirmed;
} FlowTrial;

typedef struct FlowAccuracyResult {
  FlowTrial trial[FLOW_MOST_TRIALS];    /* the cheapest that holds first; those that do not hold last */
  uint32_t trials;
  const FlowTrial *chosen;      /* one of them; NULL: none holds */
  double floor;                 /* the smallest worst error of all trials */
  uint64_t points, left_out;    /* of both kinds; of these without a reference */
  const FlowTableau *reference;
  double reference_tolerance;
  double reference_error;       /* by the second method */
  double fixed_ns, adaptive_ns; /* of an evaluation of one sample on one thread, measured */
} FlowAccuracyResult;

typedef struct FlowAccuracy {   /* unset = 0; everything is borrowed */
  FlowSampling solve;           /* method, steps, tolerances, sink and summary are not read; progress counts methods */
  FlowSampling reference;       /* model, level and weights alone are read */
  double target;
  const FlowTableau *only;      /* NULL: every method */
  uint64_t points, confirmations;
  double adaptive_cost;         /* of an evaluation in steps that adapt, against one in fixed steps; 0: 1.25 */
  bool draws;
  bool probes;                  /* log p is the mean of the model's probes */
  FlowAccuracyResult *result;
} FlowAccuracy;

/* BAD_CALL, BAD_INPUT, NO_MEMORY, CANCELLED, INTERNAL.  The models need their steps and their attempts. */
flow_status flow_accuracy(const FlowAccuracy *what, flow_error *error);

#endif
