/* SPDX-License-Identifier: Apache-2.0 */
/* adaptive_settle.c -- accept or reject, the time, the length of the next step: for both precisions. */
#include "adaptive_lanes.h"
#include <math.h>
#include <string.h>

enum { FAILURES_IN_A_ROW = 3, CALM_STEPS = 2 };

static inline double towards_zero_f64(double h) { return h; }
/* h is not negative: the float below is the one whose bits are one less. */
static inline double towards_zero_f32(double h) {
  float near = (float)h;
  uint32_t bits;
  memcpy(&bits, &near, sizeof bits);
  bits -= near > h;
  memcpy(&near, &bits, sizeof near);
  return (double)near;
}

#define T float
#define NAME(name) name##_f32
#include "adaptive_settle.inc"
#undef T
#undef NAME
#define T double
#define NAME(name) name##_f64
#include "adaptive_settle.inc"

static bool is_f32(const FlowLanes *self) { return self->shared->chunk->what->model->precision == FLOW_F32; }

void flow_lanes_settle(FlowLanes *self) {
  if (is_f32(self))
    settle_f32(self), add_extras_f32(self);
  else
    settle_f64(self), add_extras_f64(self);
}

void flow_lanes_first_step(FlowLanes *self, uint32_t lane, double length) {
  if (is_f32(self))
    set_step_f32(self, lane, length, 1);
  else
    set_step_f64(self, lane, length, 1);
}
