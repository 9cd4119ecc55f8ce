/* SPDX-License-Identifier: Apache-2.0 */
/* adaptive_lanes.h -- the lanes of one thread: samples under way.
 *
 *   tiles of the chunk --(start: first velocity, first step)--> the waiting tile --> lanes --> back into the tile
 *
 * A thread owns one working tile.  It takes tiles of the chunk by a shared counter, starts all samples of one at once, and
 * refills its lanes from them; a sample that is through goes back to its place in its own tile of the chunk, so that the
 * chunk arrives as after fixed steps (chunk.h). */
#ifndef FLOW_ADAPTIVE_LANES_H
#define FLOW_ADAPTIVE_LANES_H
#include "adaptive.h"
#include "chunk.h"
#include <stdatomic.h>

/* What all threads share while one chunk is solved. */
typedef struct FlowLanesShared {
  const FlowAdaptive *what;
  FlowMethod method;
  FlowChunk *chunk;
  FlowSampleReport *report;     /* [samples of the chunk] */
  uint64_t most_attempts;
  double span, direction, least_step, largest_step;
  uint64_t before;              /* samples of earlier chunks */
  atomic_size_t next_tile;
  atomic_ullong done, slots;    /* samples that are through; lanes of all attempts */
  atomic_int stop;              /* the caller wants no more */
} FlowLanesShared;

/* A sample in a lane. */
typedef struct FlowLane {
  uint64_t at;                  /* counted from the chunk's first */
  double t, h;
  double smallest;
  uint32_t attempts, rejected, accepted;
  uint8_t failures;             /* non-finite attempts one after another */
  uint8_t calm;                 /* accepted steps until h may grow again */
  uint8_t after_rejection, last, through;
  uint8_t stiff, stiff_hits, stiff_misses;
} FlowLane;

typedef struct FlowLanes {
  FlowLanesShared *shared;
  char *memory;                 /* of flow_lanes_bytes; the parts below point into it */
  /* the working tile */
  void *x, *k, *conditions, *cond, *row;
  FlowLane *lane;
  double *traced;               /* [dim] */
  uint32_t width, live, lanes;
  /* the waiting tile */
  void *first_k, *moved, *moved_k, *t, *times;
  double *first_step;
  uint64_t tile;                /* its index; its samples from `next` to `started` - 1 wait */
  uint32_t next, started;
  void *scratch;
  int code;                     /* what the model answered where it refused a call */
} FlowLanes;

bool flow_lanes_bytes(const FlowLanesShared *shared, size_t *bytes);
FlowLanes flow_lanes_open(FlowLanesShared *shared, char *memory);
/* Works until no tile of the chunk is left or `stop` is set.  poll may be NULL: called between attempts. */
void flow_lanes_run(FlowLanes *lanes, void (*poll)(FlowLanesShared *shared, void *user), void *user);

/* adaptive_start.c: is there a sample that waits, in a tile that is started now if need be?  false also if the model refused. */
bool flow_lanes_start_tile(FlowLanes *lanes);
/* What a sample came to; its state stands in its tile already. */
void flow_lanes_finish(FlowLanes *lanes, const FlowLane *lane, FlowSampleStatus status);

/* A tile of the chunk. */
typedef struct FlowLanesTile { FlowTile x; char *conditions, *cond; double *sum; } FlowLanesTile;
FlowLanesTile flow_lanes_tile(const FlowLanesShared *shared, uint64_t index);

#endif
