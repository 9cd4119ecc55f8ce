/* SPDX-License-Identifier: Apache-2.0 */
/* adjoint_parts.h -- the insides of an adjoint: what a thread's memory holds, and the sweeps over a block.
 *
 * A BLOCK BUFFER is [row][FLOW_BLOCK_SAMPLES] numbers: a tile (tile.h) of all samples of a block, whatever the width of the model's own.
 * The model's tiles are copied from it and to it, and both models may have tiles of other widths.
 *
 * A NODE is what is known where a step begins: a block buffer of states, and where steps adapt one of velocities behind it.
 *
 * PLACES.  Lanes of a block are samples in their order; backward through steps that adapt they are places, samples with more
 * steps first, so that those under way at a step are the first ones. */
#ifndef FLOW_ADJOINT_PARTS_H
#define FLOW_ADJOINT_PARTS_H
#include "adaptive_lanes.h"
#include "adjoint.h"
#include "plan.h"
#include "times.h"

/* A thread's memory, in this order. */
typedef enum AdjointPart {
  PART_STATE,                   /* node: where the solve begins, then where it ends; in a replay, the checkpoint at hand by places */
  PART_KEPT,                    /* [ceil(steps/interval)] nodes: those at checkpoints, by samples */
  PART_BETWEEN,                 /* [interval - 1] nodes: those after the checkpoint at hand */
  PART_STAGE,                   /* [stages]: X_i */
  PART_SLOPE,                   /* [stages]: k_i; where slopes are kept, [stages - 1] for each step */
  PART_BAR,                     /* [stages]: Xbar_i */
  PART_COMBINED,                /* kbar_i */
  PART_COSTATE,                 /* x'bar */
  PART_RATE,                    /* [1 + terms] rows: lbar, and the weights of terms */
  PART_INTEGRAL,                /* double [1 + terms][FLOW_BLOCK_SAMPLES]: the sum over the rates of log p; terms */
  PART_POINT,                   /* double [2][dim]: a sample's end, and its derivatives */
  PART_AHEAD_X,                 /* tile of the velocity: the state and its extras */
  PART_AHEAD_CONDITIONS,        /* [tiles] */
  PART_AHEAD_COND,              /* [tiles] */
  PART_AHEAD_SCRATCH,
  PART_BACK_X,                  /* tile of the adjoint: X_i */
  PART_BACK_RESULT,             /* the loss, Xbar_i, rates */
  PART_BACK_TIME,
  PART_BACK_TIMES,
  PART_BACK_CONDITIONS,         /* [tiles]: those of the velocity, then kbar_i and rbar_i */
  PART_BACK_COND,
  PART_BACK_SCRATCH,
  /* where steps adapt: */
  PART_STEP_TIME,               /* double [steps][FLOW_BLOCK_SAMPLES]: where an accepted step begins, by samples */
  PART_STEP_LENGTH,             /* its length */
  PART_LENGTH,                  /* one row: lengths of the step at hand, by places */
  PART_STEP_RATE,               /* PART_RATE times these */
  PART_CHUNK,                   /* [tiles] tiles of the solve */
  PART_LANES,                   /* its lanes */
  PARTS
} AdjointPart;

struct FlowAdjoint {
  FlowAdjointSettings settings;
  FlowAllocator allocator;
  FlowPlan plan;
  const flow_level *ahead, *back;
  uint64_t steps;               /* most of a sample */
  uint64_t interval, kept;
  bool keeps_slopes;            /* of all steps, from the solve on */
  size_t block_bytes;           /* a block buffer of a state */
  size_t node_bytes;
  size_t at[PARTS], one[PARTS]; /* where a part begins; bytes of one of its tiles, where it has several */
  size_t thread_bytes;
  char *threads;
  FlowTimes times;              /* of the velocity: all rows of the plan */
  FlowBlockSums sums;
  /* where steps adapt: */
  FlowMethod again, slopes;     /* an accepted attempt once more, without rates; and as far as the last stage's argument */
  struct AdjointSolve *solve;   /* [threads]; NULL: steps are fixed */
  FlowAdjointReport report;
};

/* The adaptive solve of a block on a thread, and what it leaves for the replay. */
typedef struct AdjointSolve {
  FlowAdaptive what;
  FlowLanesWatch watch;
  FlowLanesShared shared;
  FlowChunk chunk;
  FlowLanes lanes;
  const struct AdjointWork *work;
  uint32_t steps[FLOW_BLOCK_SAMPLES];           /* of each sample */
  uint32_t sample[FLOW_BLOCK_SAMPLES], place[FLOW_BLOCK_SAMPLES];       /* in each place; and where each sample is */
  FlowSampleReport report[FLOW_BLOCK_SAMPLES];
  uint8_t status[FLOW_BLOCK_SAMPLES];
} AdjointSolve;

/* One block on one thread. */
typedef struct AdjointWork {
  FlowAdjoint *adjoint;
  const FlowAdjointBatch *batch;
  const void *ahead_weights, *back_weights;
  char *memory;
  uint64_t first;
  uint32_t live;                /* samples of the block; in a replay, places under way at the step at hand */
  uint64_t steps;               /* most of a sample */
  uint64_t time_row;            /* of the plan, that PART_BACK_TIMES holds; UINT64_MAX: none */
  AdjointSolve *solve;          /* the thread's, or NULL */
  bool by_places;
} AdjointWork;

/* Block buffer, or node, `index` of a part. */
static inline void *adjoint_block(const AdjointWork *w, AdjointPart part, uint64_t index) {
  return w->memory + w->adjoint->at[part] + (size_t)index * w->adjoint->block_bytes;
}
static inline void *adjoint_node(const AdjointWork *w, AdjointPart part, uint64_t index) {
  return w->memory + w->adjoint->at[part] + (size_t)index * w->adjoint->node_bytes;
}
static inline void *adjoint_velocities(const AdjointWork *w, void *node) { return (char *)node + w->adjoint->block_bytes; }
static inline FlowTile adjoint_ahead_tile(const AdjointWork *w, AdjointPart part, uint64_t rows, uint32_t lane) {
  const FlowAdjoint *a = w->adjoint;
  uint32_t rest = w->live - lane, width = a->ahead->lanes;
  size_t index = part == PART_AHEAD_X ? 0 : lane / width;
  return flow_tile(a->settings.ahead, a->ahead, w->memory + a->at[part] + index * a->one[part], rows, rest < width ? rest : width);
}
static inline FlowTile adjoint_block_tile(const AdjointWork *w, void *block, uint64_t rows) {
  return (FlowTile){block, rows, w->adjoint->settings.ahead->precision, FLOW_BLOCK_SAMPLES, FLOW_BLOCK_SAMPLES, w->live};
}
static inline double adjoint_coefficient(const FlowAdjoint *a, const flow_combination *terms, uint32_t term) {
  const void *c = terms->coefficient;
  return a->settings.ahead->precision == FLOW_F32 ? (double)((const float *)c)[term] : ((const double *)c)[term];
}
/* Which integral an extra belongs to: 0, that of log p, or 1, 2, .. those of terms. */
static inline uint32_t adjoint_integral_of(const FlowAdjoint *a, uint32_t extra) {
  uint32_t rates = a->settings.ahead->extras - a->settings.terms;
  return extra < rates ? 0 : 1 + extra - rates;
}
/* Rows of rbar. */
static inline uint32_t adjoint_integrals(const FlowAdjoint *a) { return a->settings.ahead->extras ? 1 + a->settings.terms : 0; }
/* Samples lane, lane + 1, ... of a block buffer to a model's tile (whose idle lanes are filled), and back. */
void adjoint_take(const FlowTile *tile, const FlowTile *block, uint32_t lane);
void adjoint_put(const FlowTile *tile, const FlowTile *block, uint32_t lane);
/* The conditions of `ahead`, probes with them, for lanes lane, lane + 1, ... of the block, by the model's own list. */
void adjoint_fill_conditions(const AdjointWork *w, const flow_model *model, uint32_t lane, const FlowTile *tile);

static inline void *adjoint_slope(const AdjointWork *w, uint64_t step, uint32_t stage) {
  const FlowAdjoint *a = w->adjoint;
  return adjoint_block(w, PART_SLOPE, a->keeps_slopes ? step * (a->settings.tableau->stages - 1) + stage : stage);
}
/* Do the integrals come from the rates that the way back shows? */
static inline bool adjoint_sums_back(const AdjointWork *w) {
  return w->batch->adds_integral && !w->batch->loss_alone && !w->adjoint->settings.adaptive && w->adjoint->settings.ahead->extras;
}

/* The node at the beginning of a step: a checkpoint, or remade. */
static inline void *adjoint_state(const AdjointWork *w, uint64_t step) {
  uint64_t interval = w->adjoint->interval, past = step % interval;
  if (past) return adjoint_node(w, PART_BETWEEN, past - 1);
  return w->by_places ? adjoint_node(w, PART_STATE, 0) : adjoint_node(w, PART_KEPT, step / interval);
}

/* FORWARD (adjoint_ahead.c).  All return the model's answer, negative where it refused. */
int adjoint_ahead(const AdjointWork *w);                        /* PART_STATE to its end; fills PART_KEPT and PART_INTEGRAL */
int adjoint_remake(const AdjointWork *w, uint64_t step);        /* the states after the checkpoint at `step`, up to the next one */
int adjoint_stages(const AdjointWork *w, uint64_t step);        /* fills PART_STAGE; needs the step's state */

/* STEPS THAT ADAPT.  The same: the solve (adjoint_adaptive.c), its steps again (adjoint_replay.c). */
flow_status adjoint_adaptive_open(FlowAdjoint *adjoint, flow_error *error);     /* settings and levels are there; not yet the memory */
void adjoint_adaptive_close(FlowAdjoint *adjoint);
int adjoint_adaptive_ahead(AdjointWork *w);                     /* w->steps with it; a failure is in the samples' status */
int adjoint_replay_open(AdjointWork *w);                        /* from samples to places */
uint32_t adjoint_under_way(const AdjointWork *w, uint64_t step);        /* places whose samples make this step */
int adjoint_replay_remake(const AdjointWork *w, uint64_t step); /* the node at the checkpoint, and those after it */
int adjoint_replay_stages(const AdjointWork *w, uint64_t step); /* fills PART_LENGTH too */
void adjoint_replay_times(const AdjointWork *w, uint64_t step, uint32_t stage, uint32_t lane, const FlowTile *t);

/* BACKWARD (adjoint_back.c): from PART_COSTATE and PART_RATE through all steps. */
int adjoint_back(AdjointWork *w, void *sums);
int adjoint_back_open(AdjointWork *w);                          /* conditions of all tiles */

#endif
