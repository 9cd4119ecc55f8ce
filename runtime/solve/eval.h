/* SPDX-License-Identifier: Apache-2.0 */
/* eval.h -- the velocity itself, for rows of states: u(t, x); and what the model computes beside it. */
#ifndef FLOW_EVAL_H
#define FLOW_EVAL_H
#include "model.h"

typedef struct FlowEvaluation { /* unset = 0; everything is borrowed */
  const flow_model *model;
  const flow_level *level;      /* NULL: the best for this processor */
  const void *weights;
  uint64_t count;
  const double *t;              /* one time, rounded once to model precision; with t_per_sample: [count] */
  bool t_per_sample;
  const void *x;                /* [count][dim], C order, model precision */
  void *u;                      /* the same shape */
  void *extra;                  /* [count][model->extras], model precision, or NULL: the rates, or a product with the Jacobian */
  const FlowTensor *condition;  /* [model->conditions]; row i is for sample i */
  int threads;                  /* 0: as many as OpenMP offers */
  const FlowAllocator *allocator;
} FlowEvaluation;

/* BAD_CALL, BAD_INPUT (model, conditions), NO_MEMORY, INTERNAL.  A sample has the same bits whether its time comes alone or
 * in an array, whatever the other samples are. */
flow_status flow_evaluate(const FlowEvaluation *what, flow_error *error);

#endif
