/* SPDX-License-Identifier: Apache-2.0 */
/* runnable.h -- a checked function as something that gives numbers: lowered, filled with weights, compiled in f64.
 *
 *   Runnable runnable = {0};
 *   if (!(status = runnable_make(study, &how, function, &runnable, &error))) status = runnable_run(&runnable, input, result, &error);
 *   runnable_free(&runnable);
 *
 * The interpreter runs what has no code: where folding the literals leaves a constant, and where the code would be so long that a
 * person waits for it (MOST_CODE in runnable.c).  The bits are the same. */
#ifndef FLOW_RUNNABLE_H
#define FLOW_RUNNABLE_H
#include "compile.h"
#include "model.h"
#include "study.h"

typedef enum { CODE_FOR_ONCE, CODE_FOR_OFTEN, NO_CODE } RunnableCode; /* made soon, or fast; or none at all */

typedef struct RunnableOptions { /* unset = 0 */
  const char *flow, *weights;    /* --flow and --weights, or NULL: see whose_weights.h */
  const char *path;              /* of the program, beside which a flow's weights are */
  const struct ProgramText *memory; /* the session, if it is its program */
  const struct Run *run;         /* of a verb, for its messages; NULL at the prompt */
  uint64_t most;                 /* a function that computes more numbers than this is refused (BAD_CALL); 0: none is */
  RunnableCode code;
  Span typed;                    /* where calls stand whose literals the code is not to know (Value.text) */
} RunnableOptions;

typedef struct Runnable {
  const IrFunction *ir;          /* frozen */
  const double *const *literal;  /* the values of inputs that a call writes down; NULL: there are none */
  Shape shape;                   /* of the result; 0 and 1 are a truth value's */
  size_t results;
  const double *const *weight;   /* for the interpreter */
  FlowCompiled *compiled;        /* NULL: the interpreter runs it */
  const flow_level *level;       /* of one lane */
  FlowBlob blob;
  flow_call call;                /* x: the inputs end to end; u: as many numbers that do not matter, then the result */
  void *memory;                  /* of the call */
  size_t bytes;
} Runnable;

/* Memory is the study's arena's, whose no_memory is set, but for what runnable_free frees, in any case.  After an error `error`
 * has words, or the study's diagnostics do. */
flow_status runnable_make(Study *study, const RunnableOptions *how, const TypedFunction *function, Runnable *runnable, flow_error *error);
void runnable_free(Runnable *runnable);
/* `input`: the elements of each parameter, in C order. */
flow_status runnable_run(const Runnable *runnable, const double *const *input, double *result, flow_error *error);

#endif
