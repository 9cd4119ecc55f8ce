/* SPDX-License-Identifier: Apache-2.0 */
/* runnable.h -- a checked function as something that gives numbers: lowered, filled with weights, run by the interpreter. */
#ifndef FLOW_RUNNABLE_H
#define FLOW_RUNNABLE_H
#include "flow/status.h"
#include "ir.h"
#include "study.h"

/* Where weights come from: --flow and --weights, or NULL; `path`: of the program, beside which a flow's weights are.  `most`: a
 * function that computes more numbers than this is refused (BAD_CALL); 0: none is. */
typedef struct WeightsFrom {
  const char *flow, *weights, *path;
  uint64_t most;
} WeightsFrom;

typedef struct Runnable {
  const IrFunction *ir;
  const double *const *weight;
  Shape shape; /* of the result */
  size_t results;
} Runnable;

/* Memory is the study's arena's; its no_memory is set.  After an error `error` has words, or the study's diagnostics do. */
flow_status runnable_make(Study *study, const WeightsFrom *from, const TypedFunction *function, Runnable *runnable, flow_error *error);
/* `input`: one for each parameter.  false: out of memory. */
bool runnable_run(const Runnable *runnable, const double *const *input, double *result);

#endif
