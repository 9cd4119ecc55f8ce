/* SPDX-License-Identifier: Apache-2.0 */
/* logp.h -- what flowc logp has computed, for the files that write it down and tell of it. */
#ifndef FLOWC_LOGP_H
#define FLOWC_LOGP_H
#include "likelihood.h"
#include "sampling.h"
#include "show_progress.h"
#include "trace.h"

typedef struct LogP {
  const Run *run;
  Program *program;
  Trace trace;
  FlowSource density;
  Given data;
  const char *data_name;
  Sampling sampling;
  FlowLikelihood what;
  FlowLikelihoodSummary summary;
  double *log_p, *standard_error; /* [what.end - what.first], as the next two */
  uint32_t *probes;
  uint8_t *status;
  void *latent; /* NULL where nobody asked */
  double seconds;
  ShowProgress progress;
} LogP;

/* -o and --latent. */
flow_status logp_write(const LogP *logp, flow_error *error);
/* The summary on standard error, as text or JSON. */
void logp_report(const LogP *logp);

#endif
