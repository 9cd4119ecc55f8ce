/* SPDX-License-Identifier: Apache-2.0 */
/* failure.h -- why a sample failed: it is solved once more, and its velocity taken apart where it stopped.
 *
 *   failure_tell(run, program, &sampling.what, summary.first_failed);
 *
 * The compiled model gives the last good point (of fixed steps the last finite node, of others the last accepted one), with
 * the bits of the whole run.  From there the stages are evaluated by the interpreter, in the model's precision, until one is
 * not finite: compiler/ir/ir_trace.h then names the operation. */
#ifndef FLOWC_FAILURE_H
#define FLOWC_FAILURE_H
#include "ir_trace.h"
#include "program.h"
#include "solve.h"

typedef struct Failure {
  uint64_t sample;
  FlowSampleStatus status;      /* OK: it does not fail, and the rest is unset */
  double t;                     /* of the argument below */
  double *x;                    /* [dim]: what the velocity was asked at; NULL: not known */
  uint64_t dim;
  char words[320];              /* what happened */
  bool has_culprit;
  IrCulprit culprit;
} Failure;

/* `what` is the solve as it was run. */
flow_status failure_find(const Program *program, const FlowSampling *what, uint64_t sample, Failure *failure, flow_error *error);
void failure_free(Failure *failure);

/* All of the above, for a sample that has failed. */
void failure_tell(const Run *run, const Program *program, const FlowSampling *what, uint64_t sample);

/* failure_print.c: to standard error, as text with the line of the program, or as a line of JSON. */
void failure_print(const Run *run, const Program *program, const Failure *failure);
void failure_print_json(const Program *program, const Failure *failure);

#endif
