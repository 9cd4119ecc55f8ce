/* SPDX-License-Identifier: Apache-2.0 */
/* adaptive.h -- solves to a tolerance: every sample has its own steps.
 *
 *   FlowAdaptiveSummary summary;
 *   FlowAdaptive what = {.sampling = {.model = model, .weights = blob.data, .source = &normal, .end = 10000, .t1 = 1,
 *                                     .tableau = flow_tableau_find("dopri5"), .allocator = &flow_standard_allocator,
 *                                     .sink = write_rows, .user = writer},
 *                        .tolerance = {.rtol = 1e-5, .atol = 1e-5}, .summary = &summary};
 *   if (!(status = flow_sample_adaptive(&what, &error))) status = flow_summary_status(&summary.solve, &error);
 *
 * As solve.h in everything that is not said here: sources, conditions, probes, extras, densities, rows in ascending order on
 * the calling thread, failures as data.  The method is one with error weights (tableau.h); `steps` is not read.
 *
 * HOW.  A lane of a tile is one sample with its own t, h, history and accept or reject.  As soon as it arrives (or fails) a
 * waiting sample takes its place, so that tiles stay full; at the end the lanes that are left move together.  First step:
 * Hairer, Norsett, Wanner, Solving ODEs I, II.4 (4.14), for a tile of waiting samples at once.  Error and control of the
 * step: flow/model.h, `attempt`; the constants are the method's row in tableau.def.
 *
 * EXTRAS take part in the error with their own absolute tolerance `ltol`.  Their integrals are summed in f64.
 *
 * SAME BITS.  As with fixed steps: sample i depends on no other sample, nor on their order, the tile, the threads, or when
 * its lane was filled.
 *
 * STATUS.  TOO_MANY_STEPS, STEP_TOO_SMALL (the solution has a singularity, the velocity a jump, or the tolerance is below
 * what the precision holds), NON_FINITE_VELOCITY.  The row is then the last accepted point, and its report has the time. */
#ifndef FLOW_ADAPTIVE_H
#define FLOW_ADAPTIVE_H
#include "adaptive_method.h"
#include "solve.h"

/* How the solve of one sample went; FlowRows.report. */
typedef struct FlowSampleReport {
  double t;                     /* where its row is: t1 if it arrived */
  double smallest_step;         /* of those accepted, the last one apart; 0: there were none */
  uint32_t attempts, rejected;
  uint32_t evaluations;         /* of the velocity */
  bool stiff;                   /* stability, not the tolerance, set its steps */
} FlowSampleReport;

/* One attempted step of one sample. */
typedef struct FlowAttempt {
  uint64_t sample;
  uint32_t number;              /* from 0 */
  double t, h;
  double error;                 /* 1: as large as allowed */
  bool accepted;
  const double *x;              /* [dim]: at t */
  uint64_t dim;
} FlowAttempt;
typedef void FlowAttemptTrace(void *user, const FlowAttempt *attempt);

typedef struct FlowAdaptiveSummary {
  FlowSummary solve;            /* evaluations: the median */
  uint64_t least_evaluations, median_evaluations, most_evaluations;
  uint64_t attempts, rejected;
  double smallest_step;         /* of all samples; 0 where there was none */
  uint64_t smallest_sample;     /* whose that was */
  uint64_t hardest_sample;      /* the first one with the most evaluations */
  uint64_t stiff, first_stiff;  /* samples with a notice of stiffness; the first one */
  uint64_t slots;               /* lanes of all attempts, the idle ones too: attempts/slots is the useful part */
  double failed_at;             /* the time at which the first failed sample stopped */
} FlowAdaptiveSummary;

typedef struct FlowAdaptive {   /* unset = 0; everything is borrowed */
  FlowSampling sampling;        /* `steps` and `times_bytes` are not read */
  FlowTolerance tolerance;      /* 0: flow_standard_tolerance; ltol 0: as atol */
  uint64_t most_attempts;       /* of a sample; 0: 10,000 */
  double least_step;            /* 0: 4 units in the last place of the largest time or the span */
  double largest_step;          /* 0: no bound */
  FlowAttemptTrace *trace;      /* NULL, or called for every attempt of the sample `traced`, on whatever thread solves it */
  void *trace_user;
  uint64_t traced;
  const struct FlowLanesWatch *watch;   /* of the runtime's own: adaptive_lanes.h */
  FlowAdaptiveSummary *summary; /* may be NULL; filled whatever the answer is */
} FlowAdaptive;

/* As flow_sample; BAD_CALL also for a method without error weights and for tolerances that the precision cannot hold. */
flow_status flow_sample_adaptive(const FlowAdaptive *what, flow_error *error);

#endif
