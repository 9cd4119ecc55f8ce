/* SPDX-License-Identifier: Apache-2.0 */
/* adaptive_lanes.h -- the lanes of one thread: samples under way.
 *
 *   tiles of the chunk --(start: first velocity, first step)--> the waiting tile --> lanes --> back into the tile
 *
 * A thread owns one working tile.  It takes tiles of the chunk by a shared counter, starts all samples of one at once, and
 * refills its lanes from them; a sample that is through goes back to its place in its own tile of the chunk, so that the
 * chunk arrives as after fixed steps (chunk.h).
 *
 * What a lane knows of its sample stands in columns (arrays over lanes), so that what follows every attempt is a loop that
 * the compiler makes vectors of (adaptive_loops.inc); only lanes that it flags are looked at one by one. */
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
  double span, direction, least_step, largest_step;     /* largest_step: infinite if there is no bound */
  uint64_t before;              /* samples of earlier chunks */
  atomic_size_t next_tile;
  atomic_ullong done, slots;    /* samples that are through; lanes of all attempts */
  atomic_int stop;              /* the caller wants no more */
} FlowLanesShared;

/* Everything but chunk, report and counters, from what->sampling's model, method, times and `quiet`, and the rest of `what`.
 * BAD_CALL as flow_sample_adaptive.  The method points into itself: *shared stays where it is. */
flow_status flow_lanes_share(const FlowAdaptive *what, FlowLanesShared *shared, flow_error *error);

/* X(type, name, at the start): the columns.  Counters are f64 as well: vectors of one width need no conversions. */
#define FLOW_LANE_COLUMNS(X)                                                                                           \
  X(uint64_t, at, 0)            /* which sample, counted from the chunk's first */                                    \
  X(char *, home, NULL)         /* its lane of x in its tile */                                                        \
  X(double *, home_sum, NULL)   /* and of the integrals */                                                             \
  X(double, time, 0)                                                                                                   \
  X(double, step, 0)            /* signed, a number of the model's precision */                                        \
  X(double, smallest, INFINITY) /* of the accepted steps, the last one apart */                                        \
  X(double, attempts, 0)                                                                                              \
  X(double, rejected, 0)                                                                                              \
  X(double, last, 0)           /* this step ends at t1 */                                                             \
  X(double, failures, 0)       /* attempts without a finite error, one after another */                               \
  X(double, calm, 0)           /* accepted steps until h may grow again */                                            \
  X(double, until_check, FLOW_STIFF_EVERY)     /* accepted steps until stiffness is looked for */                     \
  X(double, stiff_hits, 0)                                                                                            \
  X(double, stiff_misses, 0)                                                                                          \
  X(double, stiff, 0)                                                                                                 \
  X(int32_t, flags, 0)         /* of FLOW_LANE_...: what the last attempt came to */

/* Of accepted steps: Hairer, Wanner, Solving ODEs II, IV.2. */
enum { FLOW_STIFF_EVERY = 50, FLOW_STIFF_HITS = 15, FLOW_STIFF_MISSES = 6 };
enum {
  FLOW_LANE_ARRIVED = 1, FLOW_LANE_STEP_TOO_SMALL = 2, FLOW_LANE_NOT_FINITE = 4, FLOW_LANE_TOO_MANY = 8, FLOW_LANE_CHECK_STIFF = 16,
  FLOW_LANE_THROUGH = FLOW_LANE_ARRIVED | FLOW_LANE_STEP_TOO_SMALL | FLOW_LANE_TOO_MANY
};

/* A tile of the chunk. */
typedef struct FlowLanesTile { FlowTile x; char *conditions, *cond; double *sum; } FlowLanesTile;
FlowLanesTile flow_lanes_tile(const FlowLanesShared *shared, uint64_t index);

/* Someone who looks at every attempt of every thread (trajectory_adaptive.c), without a part in it: `before` sees x and k_0 as
 * they were, `after` the new x and all k, with time, step and `last` still those of the attempt.  Both called on whatever
 * thread it is; lanes->watched is `bytes` of memory of that thread.  `after` answers 0, or what the model answered. */
struct FlowLanes;
typedef struct FlowLanesWatch {
  size_t bytes;
  void (*before)(struct FlowLanes *lanes);
  int (*after)(struct FlowLanes *lanes);
  void *user;
} FlowLanesWatch;

typedef struct FlowLanes {
  FlowLanesShared *shared;
  char *memory;                 /* of flow_lanes_bytes; the parts below point into it */
  /* the working tile */
  void *x, *k, *conditions, *cond, *row;
  double *sum;                  /* [extras][stride]: integrals so far */
#define X(type, name, start) type *name;
  FLOW_LANE_COLUMNS(X)
#undef X
  double *step_before;          /* of the attempt that was made last */
  uint32_t *through, through_count;     /* the lanes whose samples are through, ascending; [lanes], as is */
  uint32_t *source;             /* where in the waiting tile those come from that fill them */
  double *traced;               /* [dim] */
  void *watched;
  uint32_t width, live, lanes;
  /* the waiting tile */
  void *first_k, *moved, *moved_k, *t, *times;
  double *first_step;           /* its length; 0: the sample cannot start */
  double *first_h, *first_last; /* signed and rounded; whether it ends at t1 */
  double *norms;                /* [3][stride] */
  FlowLanesTile waiting;
  uint64_t tile;                /* its index; its samples from `next` to `started` - 1 wait */
  uint32_t next, started;
  void *scratch;
  uint64_t finished;            /* samples that are through and not yet counted in shared->done */
  int code;                     /* what the model answered where it refused a call */
} FlowLanes;

/* One attempt of the lanes 0 .. lanes->lanes - 1, by `method`: x, k and the lane rows. */
int flow_lanes_attempt(const FlowLanes *lanes, const FlowMethod *method);

bool flow_lanes_bytes(const FlowLanesShared *shared, size_t *bytes);
FlowLanes flow_lanes_open(FlowLanesShared *shared, char *memory);
/* Works until no tile of the chunk is left or `stop` is set.  poll may be NULL: called between attempts. */
void flow_lanes_run(FlowLanes *lanes, void (*poll)(FlowLanesShared *shared, void *user), void *user);

/* adaptive_start.c: is there a sample that waits, in a tile that is started now if need be?  false also if the model refused. */
bool flow_lanes_start_tile(FlowLanes *lanes);
/* What the loops over the lanes of a waiting tile read and write. */
typedef struct FlowLanesStart {
  FlowTolerance tolerance;
  uint32_t lanes, dim, extras;
  size_t stride;
  double t0, direction, span, least_step, per_order;
  const void *x;
  void *k, *moved, *moved_k, *t;
  double *length, *size, *slope, *more; /* [lanes] each */
} FlowLanesStart;

/* adaptive_loops.inc, for each level of instructions: trial steps of the waiting tile, and from how the velocity changed over
 * them its first steps; what the attempt came to and how long the next step is, for all lanes. */
#define FLOW_LANES_LOOPS(level)                                                                                        \
  void flow_lanes_make_trials_##level(const FlowLanes *lanes, const FlowLanesStart *start);                            \
  void flow_lanes_choose_lengths_##level(FlowLanes *lanes, const FlowLanesStart *start);                               \
  void flow_lanes_settle_##level(FlowLanes *lanes);
FLOW_LANES_LOOPS(v3)
FLOW_LANES_LOOPS(v4)
static inline bool flow_lanes_wide(const FlowLanes *lanes) { return lanes->shared->chunk->level->cpu == FLOW_CPU_V4; }

/* adaptive_places.c: samples of the waiting tile into lanes; the states and integrals of lanes back to their own tiles. */
void flow_lanes_begin(FlowLanes *lanes, const uint32_t *lane, const uint32_t *source, uint32_t count);
void flow_lanes_send_home(FlowLanes *lanes, const uint32_t *lane, uint32_t count);

/* What a sample came to; its state stands in its tile already. */
void flow_lanes_finish(FlowLanes *lanes, uint64_t at, FlowSampleStatus status, const FlowSampleReport *report);

#endif
