/* SPDX-License-Identifier: Apache-2.0 */
/* times.h -- what a field computes from t alone: one row of numbers for each stage time, for all samples.
 *
 * A model writes these values with stage times as lanes; a solve reads one stage time as a row.  FlowTimes runs the
 * model over its times, a tile at once, and transposes. */
#ifndef FLOW_TIMES_H
#define FLOW_TIMES_H
#include "model.h"

typedef struct FlowTimes {
  const flow_model *model;
  const flow_level *level;
  const void *weights;
  FlowAllocator allocator;
  size_t pitch, capacity;       /* bytes from row to row, a multiple of 64 or 0; rows that there is room for */
  size_t rows_bytes;
  char *rows;
  char *work;                   /* one tile: t, the model's lanes, its scratch */
  size_t t_bytes, lanes_bytes, scratch_bytes;
} FlowTimes;

size_t flow_times_pitch(const flow_model *model);       /* 0 where a model computes nothing from t: all rows are one */

/* Room for `capacity` rows.  On failure there is nothing to close. */
flow_status flow_times_open(const FlowAllocator *allocator, const flow_model *model, const flow_level *level,
                            const void *weights, size_t capacity, FlowTimes *times, flow_error *error);
void flow_times_close(FlowTimes *times);

/* Computes rows at, at + 1, ... for the times t[0], t[1], ..., each rounded once to the model's precision. */
flow_status flow_times_compute(FlowTimes *times, size_t at, const double *t, size_t count, flow_error *error);

static inline const void *flow_times_row(const FlowTimes *times, uint64_t index) {
  return times->rows + (size_t)index * times->pitch;
}

#endif
