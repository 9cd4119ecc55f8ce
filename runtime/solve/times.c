/* SPDX-License-Identifier: Apache-2.0 */
/* times.c -- runs a model's times section and turns lanes into rows. */
#include "times.h"
#include "checked.h"

size_t flow_times_pitch(const flow_model *model) {
  size_t bytes = (size_t)model->times_rows * model->precision;
  return (bytes + 63) / 64 * 64;
}

static flow_status no_memory(flow_error *error) { return flow_fail(error, FLOW_NO_MEMORY, "out of memory for the stage times"); }

static size_t work_bytes(const FlowTimes *times) { return times->t_bytes + times->lanes_bytes + times->scratch_bytes; }

flow_status flow_times_open(const FlowAllocator *allocator, const flow_model *model, const flow_level *level,
                            const void *weights, size_t capacity, FlowTimes *times, flow_error *error) {
  *times = (FlowTimes){.model = model, .level = level, .weights = weights, .allocator = *allocator};
  times->pitch = flow_times_pitch(model);
  times->capacity = capacity;
  if (!flow_mul_size(capacity, times->pitch, &times->rows_bytes) || !flow_model_lanes_bytes(model, level, 1, &times->t_bytes) ||
      !flow_model_lanes_bytes(model, level, model->times_rows, &times->lanes_bytes) ||
      !flow_model_scratch_bytes(level, 0, &times->scratch_bytes))
    return no_memory(error);
  if (times->rows_bytes == 0) times->rows_bytes = 64;
  times->rows = flow_alloc_aligned(allocator, times->rows_bytes);
  times->work = times->rows ? flow_alloc_aligned(allocator, work_bytes(times)) : NULL;
  if (times->work) return FLOW_OK;
  flow_times_close(times);
  return no_memory(error);
}

void flow_times_close(FlowTimes *times) {
  flow_free_aligned(&times->allocator, times->rows, times->rows_bytes);
  flow_free_aligned(&times->allocator, times->work, work_bytes(times));
  times->rows = times->work = NULL;
}

/* Of one lane the rows are a row already, which is as long as a lane buffer of them. */
static flow_status compute_tile(FlowTimes *times, size_t at, const double *t, uint32_t live, flow_error *error) {
  const flow_model *model = times->model;
  char *row = times->rows + at * times->pitch;
  bool direct = times->level->lanes == 1;
  FlowTile in = flow_tile(model, times->level, times->work, 1, live);
  FlowTile out = flow_tile(model, times->level, direct ? row : times->work + times->t_bytes, model->times_rows, live);
  for (uint32_t lane = 0; lane < live; lane++) flow_tile_set(&in, 0, lane, t[lane]);
  flow_tile_pad(&in);
  flow_call call = {.size = sizeof call, .lanes = in.lanes, .weights = times->weights, .t = in.data, .u = out.data,
                    .scratch = times->work + times->t_bytes + times->lanes_bytes};
  int code = times->level->times(&call);
  if (code < 0) return flow_model_refused(model, "times", code, error);
  if (!direct) flow_tile_store_pitched(&out, row, times->pitch);
  return FLOW_OK;
}

flow_status flow_times_compute(FlowTimes *times, size_t at, const double *t, size_t count, flow_error *error) {
  if (times->model->times_rows == 0) return FLOW_OK;
  flow_status status = FLOW_OK;
  for (size_t i = 0; !status && i < count; i += times->level->lanes) {
    uint32_t live = count - i < times->level->lanes ? (uint32_t)(count - i) : times->level->lanes;
    status = compute_tile(times, at + i, t + i, live, error);
  }
  return status;
}
