/* SPDX-License-Identifier: Apache-2.0 */
/* sampling.h -- the solve that a flow and the command line ask for together: what the options say, else the flow. */
#ifndef FLOWC_SAMPLING_H
#define FLOWC_SAMPLING_H
#include "adaptive_steps.h"
#include "given.h"
#include "program.h"
#include "solve.h"
#include "trace.h"
#include "wanted_times.h"

typedef struct Sampling {
  FlowSampling what; /* complete but for sink, progress, user and summary */
  FlowSource source;
  Given from; /* --from, or the file that the flow names as its source */
  GivenConditions conditions;
  FlowGrid grid;     /* what.grid */
  WantedTimes nodes; /* of --grid */
  AdaptiveSteps adaptive;
  /* For log-densities on the way; set before sampling_prepare, which leaves them alone. */
  FlowSource density; /* dim 0: not wanted */
  Trace trace;
  FlowProbes probes;
} Sampling;

/* The program is linked.  `count`: how many samples where neither -n nor --range nor --from says; for logp the rows of its
 * data, which --range cannot leave. */
flow_status sampling_prepare(const Run *run, const Program *program, uint64_t count, Sampling *sampling,
                             flow_error *error);
void sampling_free(Sampling *sampling);

/* Steps that are fixed, their method and where they end: as the options say, else the flow.  Nothing else is touched. */
flow_status sampling_fixed_steps(const Run *run, const TypedFlow *flow, Sampling *sampling, flow_error *error);

/* The flow's own source, for its log-density: BAD_INPUT where it has none. */
flow_status sampling_density(const Program *program, FlowSource *source, flow_error *error);

#endif
