/* SPDX-License-Identifier: Apache-2.0 */
/* adaptive_steps.h -- solves whose steps adapt to a tolerance, as the command line and the flow ask for them.
 *
 *   --rtol, --atol                                     steps adapt
 *   --steps, --grid, or `solver NAME steps N`          they do not
 *   a solver that estimates its error, or none at all  they do, to the precision's standard tolerance; without a name by
 *                                                      dopri5, or dop853 (flow_automatic_method)
 *
 * --only I --replay FILE: every attempted step of one sample as a table. */
#ifndef FLOWC_ADAPTIVE_STEPS_H
#define FLOWC_ADAPTIVE_STEPS_H
#include "adaptive.h"
#include "program.h"

typedef struct AdaptiveSteps {
  bool wanted;
  bool automatic;               /* nobody named the method */
  IrSmoothness smoothness;      /* of the velocity */
  FlowAdaptive what;            /* all but the sampling */
  FlowAdaptiveSummary summary;
  double stopped_at[4];         /* the first numbers of the first failed sample's last good point */
  uint64_t stopped_numbers, stopped_dim;        /* how many of those; 0: none failed */
  const char *replay_path;      /* NULL: not wanted */
  FILE *replay;
} AdaptiveSteps;

/* The entries of the model that the solve will call. */
unsigned adaptive_steps_entries(const Run *run, const Program *program);

/* steps->wanted says whether steps adapt; then sampling's tableau and the tolerances are set, and options checked. */
flow_status adaptive_steps_choose(const Run *run, const Program *program, FlowSampling *sampling, AdaptiveSteps *steps, flow_error *error);

/* The solve, of whichever kind. */
flow_status adaptive_steps_solve(AdaptiveSteps *steps, const FlowSampling *sampling, flow_error *error);

/* Keeps the first failed sample's point from rows that hold one. */
void adaptive_steps_note(AdaptiveSteps *steps, const flow_model *model, const FlowRows *rows);

/* What adaptive steps have to say beside the usual summary: to standard error, as text or as members of a JSON object. */
void adaptive_steps_print(const AdaptiveSteps *steps);
void adaptive_steps_print_json(const AdaptiveSteps *steps);

#endif
