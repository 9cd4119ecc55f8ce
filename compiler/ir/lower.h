/* SPDX-License-Identifier: Apache-2.0 */
/* lower.h -- what the parts of the lowering share; nobody else includes it.
 *
 * VALUES.  `for k: e` is not a loop in the IR but an axis.  While the body of a `for` is lowered, its loop is open, and
 * a value that depends on open loops has their axes in front of its own, in the order in which the loops were opened:
 *
 *     node's shape = extents of the loops that the value depends on ++ the value's own shape
 *
 * A value that does not depend on a loop has no axis for it, so that work which a loop repeats is never in the loop.
 * Where two values meet, each is viewed with stride 0 along the loops that only the other knows.
 *
 * NO RECURSION.  The tree is walked by tasks in a list, a call being a task with a frame of its own, so that a chain of
 * a hundred thousand operators needs no more stack than one. */
#ifndef FLOW_IR_LOWER_H
#define FLOW_IR_LOWER_H
#include "build.h"

/* Rows of errors.def. */
#define LOWER_TOO_LARGE E0901
#define LOWER_SHARED_TENSOR E0902

/* Ids of open loops, ascending: their places in Lowering.open. */
typedef struct Value { Ref ref; uint32_t loops; uint32_t loop[FLOW_MOST_RANK]; } Value;

/* Where layers look for their tensors: "net.blocks.0.", and how many layers have been met there. */
typedef struct Scope { const char *path; uint32_t layers; } Scope;

typedef struct Frame {
  const TypedFunction *function;        /* NULL: a top-level `let` */
  Value *argument, *let;
  uint32_t *open_as;                    /* by loop id: its place among the open loops */
  uint32_t loop_ids;
  Scope *scope;
} Frame;

/* The stretch of nodes that a derivative differentiates (derive.h): from the node `from` on, as functions of `variable`,
 * which has the axes of all loops that any argument depends on. */
typedef struct Stretch { Value over; Ref from, variable, vector; } Stretch;

typedef struct Task {
  const Typed *node;
  Frame *frame;
  uint32_t done;                        /* operands that have been lowered */
  Frame *callee;                        /* TYPED_CALL, DERIVATIVE, once its arguments are known; TYPED_GLOBAL */
  Stretch *stretch;                     /* TYPED_DERIVATIVE */
  uint32_t lets_done;
  struct Task *below;
} Task;

typedef struct NameTable NameTable;     /* lower_weights.c */

typedef struct Lowering {
  IrFunction *f;
  Diagnostics *diagnostics;
  bool failed;
  Task *top, *spare;
  Value *value;                         /* the stack of results */
  uint32_t values, value_room;
  int64_t *open;                        /* extents of the open loops */
  uint32_t opened, open_room;
  NameTable *globals;                   /* by the TypedLet's address */
  NameTable *slots, *instances;
  Ref *weight_node;                     /* by slot */
  uint32_t weight_room;
} Lowering;

/* Reports that the program is too large, once. */
void lower_too_large(Lowering *l, Span at, const char *what);

/* ---- lower_value.c ------------------------------------------------------------------------------------------------ */
uint32_t lower_own_rank(const Lowering *l, const Value *v);
/* Loops ++ own; fails where that is more axes than a node may have. */
bool lower_shape(Lowering *l, const Value *loops, const Shape *own, Span at, Shape *shape);
void lower_add_loops(Lowering *l, Value *to, const Value *from);
/* `v` as a value over the loops of `over` (a superset of its own) with own shape `own`; v's own shape is that or a scalar. */
Ref lower_spread(Lowering *l, const Value *v, const Value *over, const Shape *own, Span at);
Value lower_each(Lowering *l, IrOp op, uint32_t args, const Value *arg, const Shape *own, Span at);
Value lower_number(Lowering *l, double number, Span at);
Value lower_index(Lowering *l, const Frame *frame, const Typed *e, const Value *arg);
Value lower_concat(Lowering *l, const Typed *e, const Value *arg);
Value lower_stack(Lowering *l, const Typed *e, const Value *arg);
Value lower_for(Lowering *l, uint32_t loop, const Typed *e, const Value *body);
Value lower_reduce(Lowering *l, uint32_t loop, const Typed *e, const Value *body);
Value lower_counter(Lowering *l, uint32_t loop, Span at);
/* Sum over the last axis of a's own shape with the first of b's. */
Value lower_matmul(Lowering *l, const Value *a, const Value *b, const Value *init, const Shape *own, Span at);
/* Sum of the products of all own elements. */
Value lower_dot(Lowering *l, const Value *a, const Value *b, Span at);

/* ---- lower_builtin.c ---------------------------------------------------------------------------------------------- */
Value lower_builtin(Lowering *l, const Typed *e, const Value *arg);
Value lower_standardize(Lowering *l, const Value *v, double eps, Span at);

/* ---- lower_derivative.c ------------------------------------------------------------------------------------------- */
/* Before the callee's body: `arg` as TYPED_DERIVATIVE has them.  Leaves the variable in arg[slot]. */
Stretch *lower_begin_derivative(Lowering *l, const Typed *e, Value *arg);
/* After it: the derivative of its value. */
Value lower_end_derivative(Lowering *l, const Typed *e, const Stretch *stretch, const Value *value);

/* ---- lower_weights.c ---------------------------------------------------------------------------------------------- */
NameTable *name_table(Arena *arena);
/* The number kept under a key (copied), set to `fresh` where the key is new. */
uint32_t *name_entry(NameTable *table, const char *key, uint32_t fresh, bool *is_new);
/* The scope of a call's layers, and the note of it that makes a second call the same instance. */
Scope *lower_enter_scope(Lowering *l, const Frame *caller, const Typed *call);
Value lower_layer(Lowering *l, Frame *frame, const Typed *e, const Value *arg);

#endif
