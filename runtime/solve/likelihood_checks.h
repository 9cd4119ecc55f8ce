/* SPDX-License-Identifier: Apache-2.0 */
/* likelihood_checks.h -- how good a likelihood is, on some of its points: round trips, and twice as many steps.
 *
 *   open      chooses the points, evenly spread over first .. end - 1
 *   take      every row of the first pass, in ascending order: what the chosen ones gave is kept
 *   run       round trip and step halving of the chosen points that are OK */
#ifndef FLOW_LIKELIHOOD_CHECKS_H
#define FLOW_LIKELIHOOD_CHECKS_H
#include "likelihood.h"

typedef struct LikelihoodChecks {
  const FlowLikelihood *what;
  uint64_t count, taken, room;  /* chosen; of these kept so far, OK */
  uint64_t next;                /* the chosen point that is expected next */
  uint64_t *sample;             /* [room]: rows of the data; after take those that are kept */
  double *log_p;                /* [room]: with the steps that were asked for, and the first round's probes */
  char *latent;                 /* [room][dim], model precision */
  double worst, squares, farthest;      /* of what the sinks have seen */
} LikelihoodChecks;

flow_status likelihood_checks_open(const FlowLikelihood *what, LikelihoodChecks *checks, flow_error *error);
void likelihood_checks_take(LikelihoodChecks *checks, uint64_t sample, const FlowRows *rows, uint64_t index);
/* `backward` is the solve of the first pass, complete but for sink and user. */
flow_status likelihood_checks_run(LikelihoodChecks *checks, const FlowSampling *backward, FlowLikelihoodSummary *summary,
                                  flow_error *error);
void likelihood_checks_close(LikelihoodChecks *checks);

#endif
