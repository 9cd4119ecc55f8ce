/* SPDX-License-Identifier: Apache-2.0 */
/* likelihood.h -- the logarithm of a flow's density, by the instantaneous change of variables:
 *
 *   d/dt log p(x(t)) = -div u(t, x(t))         (Chen, Rubanova, Bettencourt, Duvenaud, NeurIPS 2018)
 *
 * so that along one path   log p1(x(t1)) = log p0(x(t0)) + integral of -div u from t0 to t1.
 *
 *   double log_p[1000];
 *   uint8_t status[1000];
 *   FlowLikelihoodSummary summary;
 *   FlowLikelihood what = {.solve = {.model = model, .weights = blob.data, .source = &normal, .end = 1000, .steps = 50, .t1 = 1,
 *                                    .tableau = flow_tableau_find("rk4"), .allocator = &flow_standard_allocator},
 *                          .data = &rows, .log_p = log_p, .status = status, .summary = &summary};
 *   if (!(status = flow_log_likelihood(&what, &error))) status = flow_summary_status(&summary.solve, &error);
 *
 * FROM DATA.  Point i is row i of `data`; its path is solved from t1 back to t0, where the source has log p0.  The integral is
 * a sum in f64, in both precisions; log p0 is evaluated in f64 at the state that the path ends in.
 *
 * EXACT OR ESTIMATED.  A model compiled with the divergence (one extra) gives what the solver's steps make of log p, with no
 * other error than theirs.  A model compiled with k probes gives k estimates for each point (Hutchinson), each with one
 * vector for its whole path (Grathwohl et al., FFJORD, ICLR 2019): log_p is their mean, standard_error is sd/sqrt(k),
 * NaN for k = 1.  With `target` a point's first 16 probes, or more, decide how many follow, and those that follow are its
 * estimate (two_stage.h): without bias, and with a standard error that is true and for all but a few points at most the target;
 * never from fewer than 8 probes nor with more than `most_probes` in all.  A point decides for itself alone, so that its result
 * does not depend on the others.  With `all_probes` a point has so many, in as many rounds as that takes.
 *
 * SAME BITS.  As in solve.h: log p of a point is a function of (model, weights, source, point, conditions of its row, method,
 * steps, times) and, with probes, (seed, row).  Not of other points, threads, tiles, or, where steps are fixed, how many probes a
 * round has: steps that adapt keep the error of all of a round's estimates small.
 *
 * CHECKS on at most check_points points, evenly spread: how far a path that is solved back to the source and forward again
 * ends from where it began, and how much log p changes with twice as many steps, or where steps adapt with a tenth of
 * the tolerance.
 *
 * FAILURES OF A POINT are data, as in solve.h.  BAD_START, NON_FINITE, NO_DENSITY: log_p is NaN.  OUTSIDE: it is -infinity. */
#ifndef FLOW_LIKELIHOOD_H
#define FLOW_LIKELIHOOD_H
#include "solve.h"

enum { FLOW_CHECK_POINTS = 64 };

typedef struct FlowLikelihoodSummary {
  FlowSummary solve;            /* points; evaluations are those of one pass with all probes of a round */
  double sum_log_p;             /* of the points that are OK, added in their order; as are all below */
  double nll, nll_error;        /* mean of -log p, and sd/sqrt(points): the sampling error (NaN for one point) */
  double bits_per_dim;          /* nll/(dim log 2) */
  uint32_t least_probes, most_probes;   /* used for a point, also to decide how many; 0: the trace is exact */
  uint64_t rounds;
  double mean_standard_error, worst_standard_error;     /* of the probes; NaN where there is none */
  uint64_t above_target;        /* points whose standard error is above the target: most_probes were not enough, or their first
                                   probes were closer together than those that followed */
  uint64_t checked;             /* points of the checks below, which are NaN where none was checked */
  double round_trip;            /* max |forward(backward(y)) - y| over all components */
  double halving, halving_worst;        /* root of the mean square, and max, of log p with steps - log p with 2*steps */
} FlowLikelihoodSummary;

typedef struct FlowLikelihood { /* unset = 0; everything is borrowed */
  /* As one would sample, from t0 to t1: its source is the one whose density is p0; first .. end - 1 are rows of the data;
   * probes are those of the first round (the model has so many extras), NULL: exact (it has one).  Not used:
   * sink, summary, density, picked and what belongs to them.  progress counts points that are done, in the first pass also
   * parts of them. */
  FlowSampling solve;
  const FlowTensor *data;       /* [n, ...], at t1; for dim = 1 also [n] */
  const char *data_name;        /* its file, for messages */
  double target;                /* standard error of a point; 0: one round */
  uint32_t most_probes;         /* with target, at least 1 */
  uint32_t all_probes;          /* without: of a point; 0: one round */
  uint64_t check_points;        /* 0: no checks */
  double *log_p;                /* [end - first] */
  uint8_t *status;              /* [end - first] of FlowSampleStatus */
  double *standard_error;       /* [end - first] or NULL; 0 where the trace is exact */
  uint32_t *probes_used;        /* [end - first] or NULL; of both stages */
  void *latent;                 /* [end - first][dim], model precision, or NULL: the states at t0 */
  FlowLikelihoodSummary *summary;       /* may be NULL; filled where the answer is FLOW_OK */
} FlowLikelihood;

/* BAD_CALL, BAD_INPUT (source without density, data, conditions, model), NO_MEMORY, CANCELLED, INTERNAL. */
flow_status flow_log_likelihood(const FlowLikelihood *what, flow_error *error);

/* log p of a row that flow_sample has delivered with `density`: at the start of a solve forward, or at the end of one backward.
 * The mean over the model's probes and its standard error; 0 for one exact extra. */
typedef struct FlowLogP { double log_p, standard_error; } FlowLogP;
FlowLogP flow_rows_log_p(const FlowRows *rows, uint64_t index, bool backward, bool probes);

#endif
