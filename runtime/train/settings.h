/* SPDX-License-Identifier: Apache-2.0 */
/* settings.h -- all that a training is told.  Everything is borrowed and outlives it. */
#ifndef FLOW_TRAIN_SETTINGS_H
#define FLOW_TRAIN_SETTINGS_H
#include "likelihood_loss.h"
#include "model.h"
#include "optimise.h"
#include "path.h"
#include "schedule.h"
#include "solve.h" /* FlowSource; its header has a namesake in lang/syntax */

/* Which point of the source goes with which of the data: as they are drawn, or, of the pairs of one batch, those with the least sum
 * of |x1 - x0|^2 (couple.h). */
typedef enum { FLOW_COUPLING_INDEPENDENT, FLOW_COUPLING_TRANSPORT } FlowCoupling;

/* What is made small: |u - dx/dt|^2 along a path between the source and the data, or -log p of the data through the solver. */
typedef enum { FLOW_LOSS_MATCHING, FLOW_LOSS_LIKELIHOOD } FlowTrainLoss;

/* The solve of FLOW_LOSS_LIKELIHOOD, from the data back to the source. */
typedef struct FlowTrainSolve {
  const flow_model *ahead;      /* the velocity and the rates of log p, with the solve's entries; `model` is its adjoint (adjoint.h) */
  const FlowTableau *tableau;
  const FlowGrid *grid;         /* NULL: equal steps */
  uint64_t steps, interval;     /* interval: of the checkpoints, 0: as adjoint.h chooses */
  const FlowAdaptive *adaptive; /* NULL; else steps adapt, and neither grid nor steps count */
  uint32_t probes;              /* 0: the trace is exact; else its estimate by so many vectors, new ones for each sample of each iteration, */
  FlowProbeKind probe;          /* the last condition of `ahead`, and the one before the last of `model` */
} FlowTrainSolve;

typedef struct FlowTrainSettings {
  const flow_model *model;      /* has gradients; its last condition is the target (flow/model.h) */
  FlowTrainLoss loss;
  FlowTrainSolve solve;
  const flow_level *level;      /* NULL: the best for this processor */
  const FlowSource *source;
  const FlowTensor *data;       /* [rows, ...]: a row is a state */
  const char *data_name;        /* for messages */
  const FlowTensor *condition;  /* [flow_train_conditions]: one value for all, or a row for each row of the data */
  double t0, t1;                /* the field's own time at the source and at the data ... */
  double s0, s1;                /* ... and where they are on the path: 0 and 1, or short of its ends */
  FlowPath path;
  FlowCoupling coupling;
  FlowOptimiser optimiser;
  double rate, beta1, beta2, epsilon, decay;
  FlowSchedule schedule;
  uint64_t warm_up;
  double clip;                  /* the gradient's norm is at most this; 0: whatever it is */
  double average;               /* weights are averaged with this decay; 0: not */
  double validation;            /* share of the rows that are held out; 0: none */
  uint64_t batch, iterations, seed;
  int threads;                  /* 0: as many as OpenMP offers; the bits are the same */
  const FlowAllocator *allocator;
} FlowTrainSettings;

/* How many of the model's conditions are the user's: all but the target, and the probes before it. */
static inline uint32_t flow_train_conditions(const FlowTrainSettings *s) {
  return s->model->conditions - 1 - (s->loss == FLOW_LOSS_LIKELIHOOD && s->solve.probes > 0);
}

/* condot, independent, adam 1e-3, batch 256, 10000 iterations; betas 0.9 and 0.999, epsilon 1e-8, as PyTorch has them. */
FlowTrainSettings flow_train_defaults(void);

/* BAD_CALL: a number that makes no sense, in words.  BAD_INPUT: data of another width, a NaN in them (its row and column), too few
 * rows, a source of another size.  Reads all data once. */
flow_status flow_train_settings_check(const FlowTrainSettings *settings, flow_error *error);

/* What the weights at the end depend on, as one line of text: equal lines, equal bits.  With a constant rate the number of iterations
 * is not in it.  Freed with flow_free of length + 1 bytes; NULL: out of memory. */
char *flow_train_settings_text(const FlowTrainSettings *settings);

#endif
