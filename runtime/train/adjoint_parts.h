/* SPDX-License-Identifier: Apache-2.0 */
/* adjoint_parts.h -- the insides of an adjoint: what a thread's memory holds, and the sweeps over a block.
 *
 * A BLOCK BUFFER is [row][FLOW_BLOCK_SAMPLES] numbers: a tile (tile.h) of all samples of a block, whatever the width of the model's own.
 * The model's tiles are copied from it and to it, and both models may have tiles of other widths. */
#ifndef FLOW_ADJOINT_PARTS_H
#define FLOW_ADJOINT_PARTS_H
#include "adjoint.h"
#include "plan.h"
#include "times.h"

/* A thread's memory, in this order. */
typedef enum AdjointPart {
  PART_STATE,                   /* block buffer: where the solve begins, then where it ends */
  PART_KEPT,                    /* [ceil(steps/interval)] block buffers: the states at checkpoints */
  PART_BETWEEN,                 /* [interval - 1]: the states after the checkpoint at hand */
  PART_STAGE,                   /* [stages]: X_i */
  PART_SLOPE,                   /* [stages]: k_i */
  PART_BAR,                     /* [stages]: Xbar_i */
  PART_COMBINED,                /* kbar_i */
  PART_COSTATE,                 /* x'bar */
  PART_RATE,                    /* one row: lbar */
  PART_INTEGRAL,                /* double [FLOW_BLOCK_SAMPLES] */
  PART_POINT,                   /* double [2][dim]: a sample's end, and its derivatives */
  PART_AHEAD_X,                 /* tile of the velocity: the state and its extras */
  PART_AHEAD_CONDITIONS,        /* [tiles] */
  PART_AHEAD_COND,              /* [tiles] */
  PART_AHEAD_SCRATCH,
  PART_BACK_X,                  /* tile of the adjoint: X_i */
  PART_BACK_RESULT,             /* the loss, and Xbar_i */
  PART_BACK_TIME,
  PART_BACK_TIMES,
  PART_BACK_CONDITIONS,         /* [tiles]: those of the velocity, then kbar_i and rbar_i */
  PART_BACK_COND,
  PART_BACK_SCRATCH,
  PARTS
} AdjointPart;

struct FlowAdjoint {
  FlowAdjointSettings settings;
  FlowAllocator allocator;
  FlowPlan plan;
  const flow_level *ahead, *back;
  flow_model given;             /* `back` with the conditions of `ahead` alone */
  uint64_t interval, kept;
  size_t block_bytes;           /* a block buffer of a state */
  size_t at[PARTS], one[PARTS]; /* where a part begins; bytes of one of its tiles, where it has several */
  size_t thread_bytes;
  char *threads;
  FlowTimes times;              /* of the velocity: all rows of the plan */
  FlowBlockSums sums;
};

/* One block on one thread. */
typedef struct AdjointWork {
  FlowAdjoint *adjoint;
  const FlowAdjointBatch *batch;
  const void *ahead_weights, *back_weights;
  char *memory;
  uint64_t first;
  uint32_t live;
  uint64_t time_row;            /* of the plan, that PART_BACK_TIMES holds; UINT64_MAX: none */
} AdjointWork;

/* Block buffer `index` of a part. */
static inline void *adjoint_block(const AdjointWork *w, AdjointPart part, uint64_t index) {
  return w->memory + w->adjoint->at[part] + (size_t)index * w->adjoint->block_bytes;
}
static inline FlowTile adjoint_block_tile(const AdjointWork *w, void *block, uint64_t rows) {
  return (FlowTile){block, rows, w->adjoint->settings.ahead->precision, FLOW_BLOCK_SAMPLES, FLOW_BLOCK_SAMPLES, w->live};
}
/* Samples lane, lane + 1, ... of a block buffer to a model's tile (whose idle lanes are filled), and back. */
void adjoint_take(const FlowTile *tile, const FlowTile *block, uint32_t lane);
void adjoint_put(const FlowTile *tile, const FlowTile *block, uint32_t lane);
/* The conditions of the batch for samples lane, lane + 1, ... of the block, by the model's own list. */
void adjoint_fill_conditions(const AdjointWork *w, const flow_model *model, uint32_t lane, const FlowTile *tile);

/* The state at the beginning of a step: a checkpoint, or remade by adjoint_remake. */
static inline void *adjoint_state(const AdjointWork *w, uint64_t step) {
  uint64_t interval = w->adjoint->interval, past = step % interval;
  return past ? adjoint_block(w, PART_BETWEEN, past - 1) : adjoint_block(w, PART_KEPT, step / interval);
}

/* FORWARD (adjoint_ahead.c).  All return the model's answer, negative where it refused. */
int adjoint_ahead(const AdjointWork *w);                        /* PART_STATE to its end; fills PART_KEPT and PART_INTEGRAL */
int adjoint_remake(const AdjointWork *w, uint64_t step);        /* the states after the checkpoint at `step`, up to the next one */
int adjoint_stages(const AdjointWork *w, uint64_t step);        /* fills PART_STAGE; needs the step's state */

/* BACKWARD (adjoint_back.c): from PART_COSTATE and PART_RATE through all steps. */
int adjoint_back(AdjointWork *w, void *sums);
int adjoint_back_open(AdjointWork *w);                          /* conditions of all tiles */

#endif
