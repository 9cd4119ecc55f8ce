/* SPDX-License-Identifier: Apache-2.0 */
/* flow/ode.h -- the solvers of flow for a velocity that is a function of yours.
 *
 *   static void pendulum(void *user, uint32_t lanes, uint32_t stride, const void *t, const void *x, void *u) {
 *     const double *angle = x, *speed = angle + stride;
 *     double *d_angle = u, *d_speed = d_angle + stride;
 *     for (uint32_t i = 0; i < lanes; i++) {
 *       d_angle[i] = speed[i];
 *       d_speed[i] = -sin(angle[i]);
 *     }
 *   }
 *   ...
 *   flow_ode ode = {.dim = 2, .precision = FLOW_F64, .velocity = pendulum, .count = n, .start = x0, .result = x1, .t1 = 10,
 *                   .method = "dopri5", .rtol = 1e-8, .atol = 1e-8, .status = status};
 *   if (flow_ode_solve(&ode, &error) == FLOW_FAILED_SAMPLES) ...
 *
 * THE FUNCTION gets a tile of samples side by side: component c of lane i stands at x[c*stride + i], and its time at t[i].
 * All numbers have the precision of the solve; rows are 64-byte aligned where the stride allows.  Lanes are different samples
 * from call to call.  It is called from several threads at once, and must not look from one lane to another if results are
 * not to depend on what else is solved.
 *
 * STEPS.  steps > 0: so many equal steps.  steps = 0: steps of their own for every sample, to the tolerances; the method then
 * must estimate its error (bosh3, dopri5, tsit5, dop853).  t1 < t0 solves backwards in time. */
#ifndef FLOW_ODE_H
#define FLOW_ODE_H
#include "model.h"
#include "status.h"
#ifdef __cplusplus
extern "C" {
#endif

typedef void flow_velocity(void *user, uint32_t lanes, uint32_t stride, const void *t, const void *x, void *u);

typedef struct flow_ode_report {        /* how the solve of one sample went */
  double t;                     /* where its result is: t1 if it arrived */
  double smallest_step;         /* of those accepted, the last one apart; 0: there were none */
  uint32_t attempts, rejected;
  uint32_t evaluations;
  uint32_t stiff;               /* 1: stability, not the tolerance, set its steps */
} flow_ode_report;

typedef struct flow_ode {       /* unset = 0; everything is borrowed */
  uint32_t dim, precision;      /* numbers of a state; FLOW_F32 or FLOW_F64 */
  flow_velocity *velocity;
  void *user;                   /* for the velocity */
  uint64_t count;               /* samples */
  const void *start;            /* [count][dim] at t0 */
  void *result;                 /* [count][dim] at t1; may be `start`.  Of a sample that failed: its last good point;
                                   with fixed steps, what they came to */
  double t0, t1;
  const char *method;           /* NULL: dopri5 */
  uint64_t steps;               /* 0: adaptive */
  double rtol, atol;            /* 0: 1e-6 in f32, 1e-9 in f64 */
  uint64_t most_attempts;       /* of a sample; 0: 10,000 */
  int threads;                  /* 0: as many as OpenMP offers */
  uint8_t *status;              /* [count] or NULL; 0: it arrived */
  flow_ode_report *report;      /* [count] or NULL; adaptive steps alone */
} flow_ode;

/* FAILED_SAMPLES where a sample did not arrive (the others did); BAD_CALL, NO_MEMORY. */
flow_status flow_ode_solve(const flow_ode *ode, flow_error *error);
const char *flow_ode_status_text(uint8_t status);

#ifdef __cplusplus
}
#endif
#endif
