/* SPDX-License-Identifier: Apache-2.0 */
/* window.h -- the rows of stage times that a plan's next steps read, as many steps at once as memory is allowed for.
 *
 * All samples of a chunk take the steps of a window before the next window's rows are computed.  Where all steps fit in one
 * window it is computed once for all chunks. */
#ifndef FLOW_WINDOW_H
#define FLOW_WINDOW_H
#include "plan.h"
#include "times.h"

typedef struct FlowWindow {
  const FlowPlan *plan;
  FlowTimes times;
  uint64_t steps;               /* of a full window */
  uint64_t row;                 /* the plan's row that times' row 0 holds; UINT64_MAX: none yet */
} FlowWindow;

/* Rows for the most steps that `bytes` (0: 64 MiB) have room for, but at least one.  On failure there is nothing to close. */
flow_status flow_window_open(const FlowPlan *plan, const FlowAllocator *allocator, const flow_model *model,
                             const flow_level *level, const void *weights, size_t bytes, FlowWindow *window,
                             flow_error *error);
void flow_window_close(FlowWindow *window);

/* One past the last step of the window that `step` is in. */
uint64_t flow_window_end(const FlowWindow *window, uint64_t step);
/* Makes window->times hold the rows of the steps of the window that `step` is in. */
flow_status flow_window_compute(FlowWindow *window, uint64_t step, flow_error *error);

#endif
