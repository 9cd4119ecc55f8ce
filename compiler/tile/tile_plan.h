/* SPDX-License-Identifier: Apache-2.0 */
/* tile_plan.h -- what tile.c finds out before anything is scheduled; shared by the files of this folder only. */
#ifndef FLOW_TILE_PLAN_H
#define FLOW_TILE_PLAN_H
#include "tile.h"

typedef struct TilePlan {
  TileProgram *program;
  IrFunction *f;
  uint8_t *section;             /* [nodes] */
  bool *computed;               /* [nodes]: materialised in its section; all others are leaves, looked through or dead */
  bool *quiet;                  /* [nodes]: computed, and needed by the velocity itself */
  bool *exported;               /* [nodes]: read by a later section, or the result */
  TileAccess **operand;         /* [nodes][args], of computed nodes */
  Ref result[2];                /* the computed nodes that write u: the velocity, and the extras behind it */
  uint32_t results;
  uint32_t gradients;
  TileStatement *gradient;      /* [gradients] */
} TilePlan;

/* Is the node one that this section computes? */
bool tile_computes(const TilePlan *plan, Ref ref, TileSectionId section);

/* How many instructions a node is, unrolled. */
int64_t tile_cost(const IrFunction *f, Ref ref);
/* Rows that a MATRIX statement works in: the elements of the node's matrix. */
int64_t tile_matrix_rows(const IrFunction *f, Ref ref);
bool tile_is_leaf(const IrNode *node);
/* The weight operand of a contraction that can be an MM (0 or 1), else -1. */
int tile_mm_weights(const TilePlan *plan, Ref ref);

/* tile.c: a node at the end that copies `ref` and is not looked through, in the section of `mask`. */
Ref tile_append_copy(TilePlan *plan, Ref ref, uint8_t mask);
/* gradient.c: what a training function adds to which weight. */
void tile_find_gradients(TilePlan *plan);       /* before it is known what is computed: marks it */
void tile_schedule_gradients(TilePlan *plan);   /* after the sample section has been scheduled */

void tile_schedule(TilePlan *plan, TileSectionId section);      /* schedule.c */
void tile_place_all(TilePlan *plan);                            /* homes.c: places, exports, scratch, packs */

#endif
