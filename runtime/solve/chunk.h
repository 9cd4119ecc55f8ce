/* SPDX-License-Identifier: Apache-2.0 */
/* chunk.h -- the tiles that are in flight at once.
 *
 *   begin     states from the source, conditions, probes, the model's cond section; sums of the extras are 0
 *   advance   some steps, every tile in place; what the extras gain goes to their sums
 *   arrive    tiles to rows, a status for each sample
 *
 * Each is one parallel loop over tiles.  A tile belongs to one thread at a time and nothing is shared but what is constant,
 * so that nothing depends on which thread that is.  All memory is allocated by open, on the calling thread. */
#ifndef FLOW_CHUNK_H
#define FLOW_CHUNK_H
#include "plan.h"
#include "solve.h"
#include "times.h"

typedef struct FlowChunk {
  const FlowSampling *what;
  const flow_level *level;
  FlowAllocator allocator;
  int threads;
  uint32_t width;               /* samples of a full tile */
  size_t most_tiles;
  flow_model given;             /* the model with the conditions that are given alone: without the probes */
  uint32_t extras;              /* those that are computed: 0 where the sampling is quiet */
  size_t x_bytes, conditions_bytes, cond_bytes, sum_bytes, tile_bytes;  /* a tile is x, conditions, cond, sums [extras][stride] */
  size_t scratch_bytes;         /* of a thread */
  char *tiles, *scratch, *rows;
  double *integral, *density;   /* [samples][extras], [samples]; NULL where they are not wanted */
  double *points;               /* [threads][dim]: a state in f64, for its density */
  uint8_t *status;
  int *code;                    /* [most_tiles]: what the model answered for a tile */
  uint64_t first, count;        /* samples in flight */
} FlowChunk;

/* The sizes of a tile and its parts, from what, level and extras; false: they do not fit. */
bool flow_chunk_sizes(FlowChunk *chunk);
/* what->level may be NULL; `level` is the one to use.  On failure there is nothing to close. */
flow_status flow_chunk_open(const FlowSampling *what, const flow_level *level, FlowChunk *chunk, flow_error *error);
void flow_chunk_close(FlowChunk *chunk);
static inline size_t flow_chunk_row_bytes(const FlowChunk *chunk) {
  return (size_t)chunk->what->model->dim * chunk->what->model->precision;
}

/* Takes samples from `first` on, as many as there is room for; chunk->count says how many. */
flow_status flow_chunk_begin(FlowChunk *chunk, uint64_t first, flow_error *error);
/* Steps `step` .. `end` - 1; row 0 of `times` is the plan's row `first_row`. */
flow_status flow_chunk_advance(FlowChunk *chunk, const FlowPlan *plan, const FlowTimes *times, uint64_t first_row,
                               uint64_t step, uint64_t end, flow_error *error);
FlowRows flow_chunk_arrive(FlowChunk *chunk);

#endif
