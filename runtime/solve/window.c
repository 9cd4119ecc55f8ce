/* SPDX-License-Identifier: Apache-2.0 */
/* window.c -- windows begin at multiples of their length, so that every chunk has the same ones. */
#include "window.h"

enum { WINDOW_BYTES = 64 << 20, TIMES_AT_ONCE = 64 };

flow_status flow_window_open(const FlowPlan *plan, const FlowAllocator *allocator, const flow_model *model,
                             const flow_level *level, const void *weights, size_t bytes, FlowWindow *window,
                             flow_error *error) {
  size_t pitch = flow_times_pitch(model);
  uint64_t room = pitch ? (bytes ? bytes : WINDOW_BYTES) / pitch : UINT64_MAX, rows = plan->rows;
  *window = (FlowWindow){.plan = plan, .steps = plan->steps, .row = UINT64_MAX};
  if (rows > room) {
    window->steps = room > plan->period ? (room - 1) / plan->period : 1;
    rows = flow_plan_rows_until(plan, window->steps);
  }
  return flow_times_open(allocator, model, level, weights, (size_t)rows, &window->times, error);
}

void flow_window_close(FlowWindow *window) { flow_times_close(&window->times); }

uint64_t flow_window_end(const FlowWindow *window, uint64_t step) {
  uint64_t first = step - step % window->steps;
  return window->plan->steps - first < window->steps ? window->plan->steps : first + window->steps;
}

flow_status flow_window_compute(FlowWindow *window, uint64_t step, flow_error *error) {
  const FlowPlan *plan = window->plan;
  uint64_t first = (step - step % window->steps) * plan->period, last = flow_plan_rows_until(plan, flow_window_end(window, step));
  if (window->row == first) return FLOW_OK;
  double t[TIMES_AT_ONCE];
  for (uint64_t row = first; row < last; row += TIMES_AT_ONCE) {
    size_t count = last - row < TIMES_AT_ONCE ? (size_t)(last - row) : TIMES_AT_ONCE;
    for (size_t i = 0; i < count; i++) t[i] = flow_plan_time(plan, row + i);
    flow_status status = flow_times_compute(&window->times, (size_t)(row - first), t, count, error);
    if (status) return status;
  }
  window->row = first;
  return FLOW_OK;
}
