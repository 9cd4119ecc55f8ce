/* SPDX-License-Identifier: Apache-2.0 */
/* chunk.h -- the tiles that are in flight at once.
 *
 *   begin     states from the source, conditions, the model's cond section
 *   advance   some steps, every tile in place
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
  size_t x_bytes, conditions_bytes, cond_bytes, tile_bytes;     /* a tile is x, conditions, cond */
  size_t scratch_bytes;         /* of a thread */
  char *tiles, *scratch, *rows;
  uint8_t *status;
  int *code;                    /* [most_tiles]: what the model answered for a tile */
  uint64_t first, count;        /* samples in flight */
} FlowChunk;

/* what->level may be NULL; `level` is the one to use.  On failure there is nothing to close. */
flow_status flow_chunk_open(const FlowSampling *what, const flow_level *level, FlowChunk *chunk, flow_error *error);
void flow_chunk_close(FlowChunk *chunk);

/* Takes samples from `first` on, as many as there is room for; chunk->count says how many. */
flow_status flow_chunk_begin(FlowChunk *chunk, uint64_t first, flow_error *error);
/* Steps `step` .. `end` - 1; row 0 of `times` is the plan's row `first_row`. */
flow_status flow_chunk_advance(FlowChunk *chunk, const FlowPlan *plan, const FlowTimes *times, uint64_t first_row,
                               uint64_t step, uint64_t end, flow_error *error);
FlowRows flow_chunk_arrive(FlowChunk *chunk);

#endif
