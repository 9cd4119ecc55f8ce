/* SPDX-License-Identifier: Apache-2.0 */
/* accuracy_points.h -- points with known ends: where solves start, what the reference makes of them, how far another is off. */
#ifndef FLOW_ACCURACY_POINTS_H
#define FLOW_ACCURACY_POINTS_H
#include "accuracy.h"

typedef struct AccuracyPoints {
  const FlowAccuracy *what;
  uint64_t first, count;        /* of all points of the search */
  char *memory;                 /* the arrays below */
  size_t bytes;
  char *start;                  /* [count][dim], the model's precision */
  uint64_t *sample;             /* [count] */
  double *x, *log_p;            /* [count][dim], [count]: of the reference */
  double *error;                /* [count]: of the last solve that was measured; NaN: the point is left out */
  double *sorted;               /* [count]: room */
  uint64_t left_out;
  FlowTensor rows;
  FlowSource source;
} AccuracyPoints;

/* Points first .. first + count - 1 of `all`.  On failure there is nothing to close. */
flow_status accuracy_points_open(const FlowAccuracy *what, uint64_t first, uint64_t count, uint64_t all, AccuracyPoints *points,
                                 flow_error *error);
void accuracy_points_close(AccuracyPoints *points);

/* Solves all points by `trial`, and makes that the reference. */
flow_status accuracy_points_refer(AccuracyPoints *points, const FlowTrial *trial, flow_error *error);
/* The same by the reference's model, measured against the reference. */
flow_status accuracy_points_doubt(AccuracyPoints *points, FlowTrial *trial, flow_error *error);
/* Solves all points by `trial`, and fills in its errors and evaluations. */
flow_status accuracy_points_measure(AccuracyPoints *points, FlowTrial *trial, flow_error *error);
/* Nanoseconds of an evaluation of one sample on one thread, the better of two. */
flow_status accuracy_points_time(AccuracyPoints *points, const FlowTrial *trial, double *nanoseconds, flow_error *error);

#endif
