/* SPDX-License-Identifier: Apache-2.0 */
/* trajectory_map.h -- paths of a flow that is given by a map: x(t) = psi(t, psi^-1(t0, x0)), one evaluation for each time. */
#ifndef FLOWC_TRAJECTORY_MAP_H
#define FLOWC_TRAJECTORY_MAP_H
#include "program.h"
#include "trajectory.h"

/* As flow_trajectory; `program` is the jump, `what` its sampling.  The start is the source's point itself, the end has the bits
 * of the jump. */
flow_status trajectory_of_map(const Run *run, const Program *program, const FlowSampling *what, const double *time, size_t times,
                              FlowTrajectorySink *sink, flow_error *error);

#endif
