/* SPDX-License-Identifier: Apache-2.0 */
/* tile.h -- the tile IR: what is computed when, for a tile of samples, and where every value lives meanwhile.
 *
 * Input is frozen tensor IR (ir.h).  The arithmetic is final there; this stage owns the layout.  It splits the function
 * into sections by what values depend on (flow/model.h): derive, times, cond and sample; quiet is the sample section once
 * more without what only the extras need.  Each section is a list of statements:
 *
 *   MM        weights times lanes: blocks of output rows held in registers, k running over the inputs, started from
 *             `init`, and an epilogue: elementwise operations on the block that is still hot.  Of a result [copies, rows] (the
 *             tangents of a layer) each copy is such a product, through the same weights and the same code.
 *   LOOP      elementwise operations and reductions over one index space, as counted loops.
 *   STRAIGHT  small operations of any shape, unrolled: one instruction per element, nothing stored that is not needed
 *             later.  This is what analytic fields are made of.
 *   LOOKUP    rows of a table chosen by a label in each lane.
 *   MATRIX    elimination on a copy of a matrix in `work` rows (of scratch; of the output in the derive section).
 *   GRADIENT  what a tile adds to the gradient of a weight, at the end of a training function: over lines of numbers, features
 *             side by side, sums of left[line] * right[feature] over the lanes that count; or, without a left side, of right.
 *             The right side is transposed into `work` rows first, so that lanes are a loop and no sum goes across a vector.
 *
 * Rules of scheduling.  Nodes are taken in the IR's order.  A contraction with a weight matrix is an MM; elementwise
 * nodes of its shape that depend on it and for which all else is there become its epilogue.  Of the rest, everything
 * that is ready forms a group; a group of at most TILE_STRAIGHT_MOST elements is one STRAIGHT, otherwise its small nodes
 * are STRAIGHTs and its large ones LOOPs, one for each index space.  So the amount of code does not grow with widths.
 *
 * None of these choices can change a bit of a result: operands, operations and their order are the frozen IR's. */
#ifndef FLOW_TILE_H
#define FLOW_TILE_H
#include "flow/model.h"
#include "ir.h"

enum { TILE_STRAIGHT_MOST = 320, TILE_SMALL_NODE = 32, TILE_PANEL = 8 };
/* The times and cond sections run once a solve: there less code matters more than speed. */
enum { TILE_PRODUCT_STRAIGHT_MOST = 64 };
enum { TILE_RARE_STRAIGHT_MOST = 48, TILE_RARE_SMALL_NODE = 8, TILE_RARE_MM = 4096 };
enum { TILE_LATER = 8192 };             /* elements of a value that is not computed before its turn */
enum { TILE_MOST_EXTERNAL = 40 };       /* things outside its block that an MM may read or write */

typedef enum { TILE_DERIVE, TILE_TIMES, TILE_COND, TILE_SAMPLE, TILE_QUIET, TILE_SECTIONS } TileSectionId;
extern const char *const tile_section_name[TILE_SECTIONS];

/* Where a value lives while a section runs.  A *lane* home has one row of lanes per element; a *scalar* home has one
 * number per element, the same for all lanes. */
typedef enum {
  HOME_NOWHERE,    /* in registers within one statement */
  HOME_CONSTANT,   /* scalar: in the code */
  HOME_WEIGHTS,    /* scalar: in the blob, from byte `at` on; weights, and what is derived from them */
  HOME_TIME,       /* lane: the row of stage times (times section only) */
  HOME_STATE,      /* lane: x */
  HOME_CONDITIONS, /* lane: the conditions, from row `at` on */
  HOME_TIMES,      /* scalar in eval and step, lane in eval_lane: written by the times section, from number `at` on */
  HOME_COND,       /* lane: written by the cond section, from row `at` on */
  HOME_OUTPUT,     /* lane: the buffer that the section writes, from row `at` on */
  HOME_SCRATCH,    /* lane: scratch, from row `at` on */
} TileHome;
typedef struct TilePlace { TileHome home; int64_t at; } TilePlace;

/* Reading elements of `base`, which is never a view that could be looked through, at map(iteration index). */
typedef struct TileAccess { Ref base; IrMap map; } TileAccess;

typedef struct TileOp {         /* one node computed by a statement */
  Ref node;
  TileAccess *operand;          /* [args]; maps over the node's axes, then its summed axes */
  bool stored;                  /* written to its place, not only kept in registers */
} TileOp;

typedef enum { TILE_MM, TILE_LOOP, TILE_STRAIGHT, TILE_LOOKUP, TILE_MATRIX, TILE_GRADIENT } TileKind;
typedef struct TileStatement {
  TileKind kind;
  Shape space;                  /* LOOP: index space; MM: [rows] or [copies, rows] */
  uint32_t ops;
  TileOp *op;                   /* MM: op[0] is the contraction, the others its epilogue; LOOKUP: op[0] */
  int64_t copies, rows, columns;        /* MM */
  int64_t work, work_rows;      /* MATRIX, GRADIENT: its working rows */
  int64_t lines, features;      /* GRADIENT: of the weight, or of its transpose where that fills vectors better */
  TileAccess left, right;       /* GRADIENT: over (line, feature); left.base IR_NONE: there is none */
  uint64_t sums, pitch;         /* GRADIENT: byte of the sums, numbers from line to line */
  uint64_t panels;              /* MM: byte offset of the packed weights */
  uint32_t lanes_operand;       /* MM: which operand of the contraction holds the lanes */
} TileStatement;

typedef struct TileSection {
  uint32_t statements;
  TileStatement *statement;
  int64_t scratch_rows;
  int64_t output_rows;          /* rows of the buffer it writes */
  uint64_t multiply_adds;
} TileSection;

typedef struct TileProgram {
  Arena *arena;
  IrFunction *ir;               /* frozen; with a few copying views appended */
  TileSection section[TILE_SECTIONS];
  TilePlace (*place)[TILE_SECTIONS];    /* [nodes]: the place of a node as seen from a section */
  flow_pack *pack;
  uint32_t packs;
  uint64_t blob_bytes;
  int64_t *condition_row;       /* [inputs]: first row of a condition */
  int64_t condition_rows, dim, extras;
  flow_gradient *gradient;      /* [weights] of a training function, else NULL */
  uint64_t gradient_bytes;
  int precision;
  bool has_mm, jump;
} TileProgram;

/* Never fails but for memory (the arena's jump). */
TileProgram *tile_build(Arena *arena, IrFunction *frozen, int precision);
void tile_print(const TileProgram *program, FILE *to);

/* Lanes of a tile for a vector of `quantum` lanes.  Of a training: 3 of the widest vectors, whatever the vector, since the order of
 * its sums depends on it.  Else 3 vectors where there are MMs (the register block), else as many as
 * keep the live rows in L1, 16 at most. */
uint32_t tile_lanes(const TileProgram *program, uint32_t quantum);

/* ---- access.c ------------------------------------------------------------------------------------------------------ */
/* Looks through views: what `ref`, read at `map` over the index space `space` (then `extra` further axes with extents),
 * reads in the end.  Stops at a view whose map does not compose. */
TileAccess tile_access(const IrFunction *f, Ref ref, const IrMap *map, const int64_t *extent, uint32_t axes);
/* The map that reads element i of an operand at point i of `shape`. */
IrMap tile_identity(const Shape *shape);
bool tile_is_identity(const IrFunction *f, const TileAccess *access, const Shape *space);

#endif
