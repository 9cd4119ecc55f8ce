/* SPDX-License-Identifier: Apache-2.0 */
/* adaptive_places.c -- samples come into lanes and leave them, several at once: column by column, so that a column's address is
 * found once and not for every sample. */
#include "adaptive_lanes.h"
#include <math.h>

#define T float
#define NAME(name) name##_f32
#define number_f32 f32
#include "adaptive_places.inc"
#undef T
#undef NAME
#define T double
#define NAME(name) name##_f64
#define number_f64 f64
#include "adaptive_places.inc"

static bool is_f32(const FlowLanes *self) { return self->shared->chunk->what->model->precision == FLOW_F32; }

void flow_lanes_begin(FlowLanes *self, const uint32_t *lane, const uint32_t *source, uint32_t count) {
  const FlowLanesShared *shared = self->shared;
  size_t stride = shared->chunk->level->lanes, precision = shared->chunk->what->model->precision;
  is_f32(self) ? begin_rows_f32(self, lane, source, count) : begin_rows_f64(self, lane, source, count);
#define X(type, name, start)                                                                                           \
  {                                                                                                                    \
    type *column = self->name;                                                                                         \
    for (uint32_t k = 0; k < count; k++) column[lane[k]] = (start);                                                    \
  }
  FLOW_LANE_COLUMNS(X)
#undef X
  double *time = self->time, *step = self->step, *last = self->last, *until = self->until_check, t0 = shared->what->sampling.t0;
  for (uint32_t k = 0; k < count; k++) {
    uint32_t i = lane[k], from = source[k];
    self->at[i] = self->tile * self->width + from;
    self->home[i] = (char *)self->waiting.x.data + from * precision;
    self->home_sum[i] = self->waiting.sum + from;
    time[i] = t0;
    step[i] = self->first_h[from];
    last[i] = self->first_last[from];
  }
  for (uint32_t k = 0; shared->method.stiff == 0 && k < count; k++) until[lane[k]] = INFINITY;
  for (uint32_t e = 0; e < shared->chunk->extras; e++)
    for (uint32_t k = 0; k < count; k++) self->sum[e * stride + lane[k]] = 0;
}

void flow_lanes_send_home(FlowLanes *self, const uint32_t *lane, uint32_t count) {
  size_t stride = self->shared->chunk->level->lanes;
  is_f32(self) ? send_home_f32(self, lane, count) : send_home_f64(self, lane, count);
  for (uint32_t e = 0; e < self->shared->chunk->extras; e++)
    for (uint32_t k = 0; k < count; k++) self->home_sum[lane[k]][e * stride] = self->sum[e * stride + lane[k]];
}
