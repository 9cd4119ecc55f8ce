/* SPDX-License-Identifier: Apache-2.0 */
/* adjoint.h -- the gradient of a loss at the end of a solve, by all weights: discretise, then optimise.
 *
 * The solve is that of solve.h, or with `adaptive` that of adaptive.h, x(from) to x(to), with the integral of the rate of log p beside
 * it where the model has one (of several, estimates by probes, the mean).  A function of the caller's says the loss of a sample at its
 * end, and its derivatives by the end state and by the integral; what comes out is the derivative of exactly those steps, with the
 * coefficients that the forward solve has (plan.h, adaptive_method.h).  The last `terms` rates are something else, whose integrals
 * along the way are added to the loss, each with a weight.
 *
 * ONE STEP BACKWARD.  Forward, with r the rate of log p and l its integral:
 *     X_i = x + h sum_j<i a_ij k_j,   k_i = u(t_i, X_i),   x' = x + h sum_i b_i k_i,   l' = l + h sum_i b_i r(t_i, X_i)
 * Backward, a bar being the derivative of the loss by what is under it, i = s-1, ..., 0:
 *     kbar_i = h b_i x'bar + sum_j>i h a_ji Xbar_j           (b first, then j descending: one chain of fma)
 *     rbar_i = h b_i lbar
 *     Xbar_i = the derivative by X_i of kbar_i . u + rbar_i r, which is one call of the model's `gradient` and adds the
 *              same derivative by the weights to the sums
 *     xbar   = x'bar + sum_i Xbar_i                          (i descending);      lbar is the same in all steps
 * A stage with neither is skipped.  (Hager, Numer. Math. 87 (2000), 247: this is itself a Runge-Kutta method.)
 *
 * STEPS THAT ADAPT.  Time and length of every accepted step of every sample are recorded, and these steps are what is differentiated,
 * their times and lengths as constants (adjoint_replay.c): the derivative of a solve with this sequence of steps given, which is
 * that of the solution within the tolerance, as with fixed steps.  How the control of the step depends on the weights has no part in it,
 * nor have rejected attempts.  An accepted step shares its first velocity with the one before (k_0 is the k of its end); backward,
 * u(t, x) of that point is differentiated once for each, at the time at which it was evaluated.
 *
 * ORDER.  Inside of a block (block_sums.h) every sum is one chain: steps descending, stages descending, then one call of `gradient` for
 * each tile of samples, ascending, all tiles being as wide as `lanes` says, which is one number for all levels of a model; in a call as
 * flow/model.h says.  So it depends on the batch alone: not on threads, on the processor, or on the checkpoints.  Where steps adapt,
 * number i of the steps is taken backward by all samples of the block that made more than i, at once: in the order of the numbers of
 * their steps, most first, and equals as they stand in the batch.  What a sample adds does not depend on its neighbours.
 *
 * CHECKPOINTS.  States are kept at the beginning of every `interval`-th step; those between are made again from them, one interval
 * at a time and without rates; the stages' states of a step always are.  The bits do not depend on it.  Memory of a thread is that of
 * steps/interval + interval + 3 stages + 4 states of a block; time: stages - 1 velocities a step, and as many again as a step
 * has stages where it is no checkpoint.  With an interval of 1 the slopes of fixed steps are kept too, if all is at most 64 MiB, and
 * no velocity is computed twice.  Where steps adapt, `steps` are the most attempts of a sample, a kept state has its velocity
 * with it, and each of these steps has 16 bytes a sample for its record.
 *
 *   FlowAdjoint *adjoint;
 *   if (!(status = flow_adjoint_open(&settings, &adjoint, &error))) {
 *     status = flow_adjoint_run(adjoint, ahead_blob.data, back_blob.data, &batch, &loss, &error);
 *     ... flow_adjoint_sums(adjoint), laid out as settings.back->gradient says ...
 *     flow_adjoint_close(adjoint);
 *   } */
#ifndef FLOW_ADJOINT_H
#define FLOW_ADJOINT_H
#include <stdbool.h>
#include "adaptive.h"
#include "block_sums.h"
#include "grid.h"
#include "model.h"
#include "stop.h"
#include "tableau.h"

typedef struct FlowAdjointSettings {    /* unset = 0; everything is borrowed and outlives it */
  const flow_model *ahead;      /* the velocity, with its `step`, or where steps adapt `eval_lane`; extras: rates of log p, if any */
  const flow_model *back;       /* its adjoint, with `gradient`: the conditions of `ahead`, then kbar and, with extras, rbar and those of terms */
  uint32_t terms;               /* of the extras of `ahead` the last ones; at least one is before them */
  uint32_t cpu;                 /* 0: the best level that this processor has */
  const FlowTableau *tableau;
  const FlowGrid *grid;         /* NULL: equal steps */
  uint64_t steps;
  const FlowAdaptive *adaptive; /* NULL; or neither grid nor steps count, and steps adapt as its members other than `sampling` say */
  double from, to;
  uint64_t interval;            /* 0: 1, or where that took more than 64 MiB a thread, the root of the steps */
  uint64_t most;                /* samples of a batch */
  int threads;                  /* at least 1; the bits are the same */
  const FlowStop *stop;         /* NULL, or asked at each step: the run then ends with CANCELLED */
  const FlowAllocator *allocator;
} FlowAdjointSettings;

typedef struct FlowAdjoint FlowAdjoint;

/* Takes all memory that there will be.  BAD_CALL: models that do not belong together or lack an entry, numbers that make no sense. */
flow_status flow_adjoint_open(const FlowAdjointSettings *settings, FlowAdjoint **adjoint, flow_error *error);
void flow_adjoint_close(FlowAdjoint *adjoint);                  /* NULL is fine */
size_t flow_adjoint_bytes(const FlowAdjoint *adjoint);          /* all that it holds */

/* The loss of a sample whose state ends at x[dim] (which may be used up) with this integral of the rate of log p (0 without one);
 * its derivatives by both go to by_x[dim] and *by_integral.  Called from several threads at once. */
typedef double FlowEndLoss(void *user, uint64_t sample, double *x, double integral, double *by_x, double *by_integral);

typedef struct FlowAdjointBatch {
  uint64_t count;               /* 1 .. most */
  const double *x;              /* [count][dim]: where the solves begin; each number is rounded once */
  const FlowTensor *condition;  /* [ahead->conditions] */
  const uint64_t *row;          /* [count]: rows of the conditions; NULL: sample i has row i */
  const FlowProbes *probes;     /* the last condition of `ahead`, drawn: sample i has those of sample first + i.  NULL: given like others */
  uint64_t first;
  FlowEndLoss *loss;
  void *user;
  const double *weight;         /* [terms]: the loss grows by weight times the integral of the term, dt being negative on a way back */
  bool loss_alone;              /* no gradient: the sums are 0 */
  bool adds_integral;           /* `loss` is linear in the integral with slope 1: with fixed steps it is asked at 0, and the integral */
                                /* is that of the rates of the way back, which spares those of the solve */
} FlowAdjointBatch;

/* *loss: the sum over the samples, in f64.  Sums, not means, of the gradient: flow_adjoint_sums.  Allocates nothing.  INTERNAL: the
 * model refused a call.  Numbers that are not finite are not looked for; they come out.  FAILED_SAMPLES: steps that adapt do not
 * arrive; flow_adjoint_report says whose. */
flow_status flow_adjoint_run(FlowAdjoint *adjoint, const void *ahead_weights, const void *back_weights, const FlowAdjointBatch *batch,
                             double *loss, flow_error *error);
const void *flow_adjoint_sums(const FlowAdjoint *adjoint);
const double *flow_adjoint_terms(const FlowAdjoint *adjoint);   /* [terms]: the integrals, summed over the samples */

/* Of the last run, where steps adapt; else 0. */
typedef struct FlowAdjointReport {
  uint64_t least, most, steps, rejected;        /* accepted steps: of a sample, of all; attempts that were not */
  uint64_t failed, sample;                      /* samples that did not arrive, the first one of them, */
  FlowSampleStatus status;                      /* why it did not, */
  double t;                                     /* and where it stopped */
} FlowAdjointReport;
const FlowAdjointReport *flow_adjoint_report(const FlowAdjoint *adjoint);

#endif
