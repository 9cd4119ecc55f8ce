/* SPDX-License-Identifier: Apache-2.0 */
/* trace.h -- how a log-density gets the trace of the velocity's Jacobian: exactly, or by probes; what the options say, in a training
 * else the flow's block, else exactly up to 64 numbers in a state and by 2 probes above, in a training by one. */
#ifndef FLOWC_TRACE_H
#define FLOWC_TRACE_H
#include "compile.h"
#include "probes.h"
#include "program.h"

typedef struct Trace {
  uint32_t probes; /* for which a model is compiled; 0: exact */
  FlowProbeKind probe;
  double target; /* standard error of each point; 0: one round of probes */
  uint32_t most;
} Trace;

/* For the program's flow; one that is a map has an exact determinant whatever its size.  Says so on standard error where probes
 * were not asked for. */
flow_status trace_choose(const Run *run, const Program *program, Trace *trace, flow_error *error);
static inline FlowExtras trace_extras(const Trace *trace) { return trace->probes ? FLOW_PROBES : FLOW_LOG_P; }
/* A number of probes, as many as the verb takes at most. */
flow_status trace_take_count(VerbId verb, const char *text, uint32_t *probes, flow_error *error);
const char *trace_probe_name(const Trace *trace);

#endif
