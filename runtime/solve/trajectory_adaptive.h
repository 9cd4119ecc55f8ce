/* SPDX-License-Identifier: Apache-2.0 */
/* trajectory_adaptive.h -- flow_trajectory where steps adapt: every sample has its own, and dense output between them. */
#ifndef FLOW_TRAJECTORY_ADAPTIVE_H
#define FLOW_TRAJECTORY_ADAPTIVE_H
#include "trajectory.h"

/* As flow_trajectory; what->adaptive is set. */
flow_status flow_trajectory_adaptive(const FlowSampling *what, const double *time, size_t times, FlowTrajectorySink *sink,
                                     flow_error *error);

#endif
