/* SPDX-License-Identifier: Apache-2.0 */
/* ode.h -- a velocity that is a C function as a model, so that every driver of this folder solves it.
 *
 * The model's one `times` row is the time itself; what stands for its weights is the FlowOdeModel.  No tile is wider than
 * FLOW_ODE_LANES, and none has idle lanes. */
#ifndef FLOW_SOLVE_ODE_H
#define FLOW_SOLVE_ODE_H
#include "flow/ode.h"

enum { FLOW_ODE_LANES = 64 };

typedef struct FlowOdeModel {   /* points into itself: do not copy */
  flow_velocity *velocity;
  void *user;
  flow_model model;
  flow_level level;
} FlowOdeModel;

/* The weights of the model are the FlowOdeModel itself. */
void flow_ode_model(FlowOdeModel *made, uint32_t dim, uint32_t precision, flow_velocity *velocity, void *user);

/* ode_step.c: the entry `step`; the one time of a call in every lane of its scratch. */
int flow_ode_step(const flow_call *call);
void *flow_ode_spread_time(const flow_call *call, const void *time);

#endif
