/* SPDX-License-Identifier: Apache-2.0 */
/* evaluate.h -- a checked function as something that gives numbers: lowered, filled with weights, run by the interpreter. */
#ifndef FLOW_EVALUATE_H
#define FLOW_EVALUATE_H
#include "flow/status.h"
#include "ir.h"
#include "repl.h"
#include "study.h"

typedef struct Runnable {
  const IrFunction *ir;
  const double *const *weight;
  Shape shape; /* of the result */
  size_t results;
} Runnable;

/* Memory is the study's arena's; its no_memory is set.  After an error `error` has words, or the study's diagnostics do. */
flow_status runnable_make(const Repl *repl, Study *study, const TypedFunction *function, Runnable *runnable, flow_error *error);
/* `input`: one for each parameter.  false: out of memory. */
bool runnable_run(const Runnable *runnable, const double *const *input, double *result);

#endif
