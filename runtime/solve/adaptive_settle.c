/* SPDX-License-Identifier: Apache-2.0 */
/* adaptive_settle.c -- accept or reject, the time, the length of the next step: for both precisions. */
#include "adaptive_lanes.h"
#include <math.h>
#include <string.h>

enum { FAILURES_IN_A_ROW = 3, CALM_STEPS = 2 };

static inline double towards_zero_f64(double h) { return h; }
/* Where the nearest float is beyond h, h is less than half a place below it, and so the float below is the nearest one to
 * h less half a place. */
static inline double towards_zero_f32(double h) {
  double near = (double)(float)h, below = (double)(float)(h - h * 0x1p-24);
  return near > h ? below : near;
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
