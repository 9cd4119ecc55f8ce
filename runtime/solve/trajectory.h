/* SPDX-License-Identifier: Apache-2.0 */
/* trajectory.h -- the states of samples at any times of a solve.
 *
 *   FlowSampling what = ...;                       as for flow_sample; its sink is not used, rates and densities are not computed
 *   double time[3] = {0, 0.3, 1};
 *   flow_trajectory(&what, time, 3, take, &error);
 *
 * SAME BITS.  The steps are those of flow_sample whatever the times are.  At a node of the grid (within 2^-50 of the times'
 * size) the state is the step's; at the last node it is flow_sample's.  Between nodes it is the method's dense output
 * (tableau.h), with the order that flow_trajectory_order tells.  So a state depends on its time, not on the other times,
 * their order or their number.
 *
 * HOW.  Dense output at theta is one step of the same method with other weights, and is taken as such: the compiled step runs
 * on copies of the tiles, with a tableau whose stages are those of the dense output and whose b are its weights at theta.
 *
 * ADAPTIVE STEPS (what->adaptive).  Every sample has its own steps, those of flow_sample_adaptive with the same bits, whatever the
 * times are; at t0 the state is the start, at t1 the sample, where a step ends the step's, else the method's dense output in
 * f64, rounded once.  Times that a sample did not live to see have its status, and NaN for its state.  The summary's evaluations are the mean.
 *
 * OTHER SOLVES.  Whatever knows states at times (a map) can feed the same sink. */
#ifndef FLOW_TRAJECTORY_H
#define FLOW_TRAJECTORY_H
#include "solve.h"

/* The rows at one of the times, by its number.  Chunks of samples come in ascending order, and for each chunk the times in the
 * solve's direction.  A status of a row is about this time alone. */
typedef flow_status FlowTrajectorySink(void *user, size_t time, const FlowRows *rows, flow_error *error);

/* BAD_CALL where a time is not finite or outside of the solve's span; else as flow_sample.  what->summary counts a sample as
 * failed where it is at one of the times, and the evaluations of the solve and of the times between nodes. */
flow_status flow_trajectory(const FlowSampling *what, const double *time, size_t times, FlowTrajectorySink *sink,
                            flow_error *error);

/* Errors of a path fall with the step as its power of this: the lesser of the method's order and its dense output's, plus 1. */
uint32_t flow_trajectory_order(const FlowTableau *tableau);

#endif
