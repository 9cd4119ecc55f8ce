/* SPDX-License-Identifier: Apache-2.0 */
/* accuracy_choice.h -- --accuracy X: the cheapest method and steps that keep it are found, told, and used.
 *
 * The model is linked with its steps and its attempts (adaptive_steps_entries says so); the reference is the same program
 * compiled once more in f64, unless it is so large that a tight solve of a few points would take minutes. */
#ifndef FLOWC_ACCURACY_CHOICE_H
#define FLOWC_ACCURACY_CHOICE_H
#include "accuracy.h"
#include "sampling.h"

/* Is it given, for a flow that takes steps? */
bool accuracy_wanted(const Run *run, const Program *program);
/* The number, and that no other option says what is searched for. */
flow_status accuracy_check(const Run *run, double *target, flow_error *error);

/* After sampling_prepare: sets the method and steps, or tolerance, of the sampling.  `data`: the rows whose log p is wanted
 * from `density` (logp); NULL: samples are drawn.  The exit status, 0 or after a message. */
int accuracy_choose(const Run *run, const Program *program, Sampling *sampling, const FlowTensor *data, const FlowSource *density);

/* accuracy_reference.c: the program in f64; `model` NULL: it is as the first one, or too large.  Its text and tensors are the first one's. */
typedef struct AccuracyReference {
  FlowCompiled *compiled;
  const flow_model *model;
  const flow_level *level;
  FlowBlob blob;
} AccuracyReference;
flow_status accuracy_reference_open(const Run *run, const Program *program, const Trace *trace, AccuracyReference *reference, flow_error *error);
void accuracy_reference_close(AccuracyReference *reference);

/* accuracy_report.c: the table of what was tried, as text or JSON, to standard error. */
const char *accuracy_of(const FlowAccuracy *what);      /* x, log p, or both */
void accuracy_report(const Run *run, const FlowAccuracy *what, const TypedFlow *flow);

#endif
