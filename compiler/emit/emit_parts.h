/* SPDX-License-Identifier: Apache-2.0 */
/* emit_parts.h -- what the files of this folder share while one module is being made. */
#ifndef FLOW_EMIT_PARTS_H
#define FLOW_EMIT_PARTS_H
#include "emit.h"
#include "ll.h"

/* The parameters of a section function, in this order: seven pointers and the number of vectors. */
typedef enum { BASE_WEIGHTS, BASE_TIMES, BASE_COND, BASE_CONDITIONS, BASE_X, BASE_TIME, BASE_OUTPUT, BASE_SCRATCH, BASE_COUNT } EmitBase;

enum { EMIT_MOST_PANELS = 8 }; /* of a layer, in registers at once, in code for one sample */

typedef struct EmitKernel { const char *key; Val function; } EmitKernel;

typedef struct Emit {
  LL ll;
  const TileProgram *program;
  const IrFunction *f;
  Arena *arena;
  flow_level level;
  bool quick;                   /* little code rather than fast code */
  int block_rows;               /* rows of an MM held in registers: 8, or 4 with 16 registers */
  /* the section being emitted */
  TileSectionId section;
  bool times_in_lanes;          /* eval_lane: the times buffer has lanes */
  Val base[BASE_COUNT], vectors;
  Val gradient, live;           /* of a training function: the sums, and the lanes that count */
  Val lane_bytes;               /* offset of the vector at hand within a row */
  /* of code for one sample: the chains of a layer that have been run while the layer before it was finished (emit_rows.c) */
  const TileStatement *begun;
  Val begun_sum[EMIT_MOST_PANELS];
  /* module-wide */
  EmitKernel *kernel;
  uint32_t kernels;
  Val *table;                   /* [nodes]: global array of a constant, made when first used */
} Emit;

/* ---- emit_access.c -------------------------------------------------------------------------------------------------- */
/* Index of the element that `access` reads at point index[axes], as an i64 value. */
Val emit_element(Emit *e, const TileAccess *access, Val *index, uint32_t axes);
bool emit_in_lanes(const Emit *e, Ref base);            /* lane home (or scalar) as seen from the section */
int64_t emit_row_bytes(const Emit *e);
int64_t emit_state_rows(const Emit *e);                 /* of x, u and a stage: the state's and the extras' */
/* Address of element `element` of a stored value (for lane homes: of the vector at hand). */
Val emit_address(Emit *e, Ref base, Val element);
Val emit_load(Emit *e, Ref base, Val element);          /* in lanes, a truth value for truths */
void emit_store(Emit *e, Ref node, Val element, Val value);
bool emit_is_number(const Emit *e, Ref base);           /* a constant without NaN */

/* ---- emit_rows.c: one sample, eight elements of a value at a time ----------------------------------------------------- */
void emit_mm_rows(Emit *e, const TileStatement *mm);
bool emit_can_run_wide(const Emit *e, const TileStatement *loop);
/* The loop over the last axis as far as it goes by eights: how far.  Elements of the last axis are left to the caller from there. */
int64_t emit_wide_points(Emit *e, const TileStatement *loop, Val *index);

/* ---- kernels that statements share, by a text that tells them apart (emit_mm.c) ------------------------------------------ */
Val emit_shared_kernel(const Emit *e, const char *key);  /* NULL: not made yet */
Val emit_share_kernel(Emit *e, const char *key, Val function);   /* and returns it */

/* ---- statements ------------------------------------------------------------------------------------------------------ */
void emit_straight(Emit *e, const TileStatement *statement);    /* emit_lanes.c */
void emit_loop(Emit *e, const TileStatement *statement);
void emit_lookup(Emit *e, const TileStatement *statement);
void emit_gradient(Emit *e, const TileStatement *statement);    /* emit_gradient.c */
void emit_matrix(Emit *e, const TileStatement *statement);      /* emit_matrix.c */
void emit_mm(Emit *e, const TileStatement *statement);          /* emit_mm.c */
/* An elementwise node from its operands; loops inline their elementary functions. */
Val emit_each(Emit *e, Ref node, Val *operand, bool in_loop);

/* ---- entries: emit.c, emit_attempt.c ------------------------------------------------------------------------------------ */
Val emit_call_vectors(Emit *e, Val call);               /* call->lanes in vectors */
void emit_load_bases(Emit *e, Val call, Val *base);     /* [BASE_COUNT], from the call's fields */

/* The sections around which the entry `attempt` stands, times in lanes; NULL where there is none. */
typedef struct EmitAttempt { Val times, sample, sample_quiet; } EmitAttempt;
void emit_attempt(Emit *e, const EmitAttempt *with);
uint64_t emit_attempt_bytes(const Emit *e);             /* scratch of an attempt; program and the rest of level are known */

#endif
