/* SPDX-License-Identifier: Apache-2.0 */
/* ir.h -- the compiler's one intermediate form: a tensor function of one point.
 *
 * An IrFunction is a flat array of nodes in execution order.  An operand is the number of an earlier node, so every
 * value has one definition (SSA) and a forward sweep meets definitions before uses.  There are no blocks, no calls and
 * no loops: calls are inlined by the lowering, `for k` becomes an axis.  Shapes are static; there is no batch.
 *
 * LAYOUT.  `view` is the one way to index, broadcast, transpose, slice, reshape or take a diagonal: an affine map from
 * the result's indices to the flat (C order) elements of its operand.
 *
 * CONTRACTION.  contract(a, b [, init]) has the result's axes o and `sums` summed axes k with extents extent[]:
 *     out[o] = init[o] + sum over k, in C order, of a[A(o, k)] * b[B(o, k)]
 * A and B are affine maps like a view's, over the axes o followed by k.  Matrix products, dot products, traces and
 * outer products are this one op.  Arithmetic: ONE chain of fma per output, k ascending, starting from init (or +0),
 * whether or not there are output axes.
 *
 * REDUCTION over the last axis, of length n: n < 16 one ascending chain from the first element; else eight partial
 * results p = i mod 8, each an ascending chain from its first element, then ((p0+p4)+(p2+p6)) + ((p1+p5)+(p3+p7)).
 * max and min in the same order.
 *
 * ELIMINATION.  solve and pivots work on rows of A (and B beside it), column k = 0 .. n-1:
 *     for i = k+1 ..: rows k and i change places if |a_ik| > |a_kk|          (so a_kk is the largest: partial pivoting)
 *     r = 1 / a_kk;  for i = k+1 ..: q = a_ik r;  a_ij = fma(-q, a_kj, a_ij) for j > k, and so for B
 * then, from the last row up, x_k = (b_k - a_k,k+1 x_k+1 - ...) / a_kk, the sum one ascending chain of fma.  A singular matrix
 * gives infinities or NaN.  The pivots are the a_kk.
 *
 * FROZEN.  Before `freeze` a program means real arithmetic; after it, the arithmetic is final: every value is a fixed
 * tree of correctly rounded operations and of the functions of elementary.h in the model's precision.  Interpreter and
 * compiled code execute exactly that tree, and later stages may only duplicate, hoist, drop or interleave.
 *
 * MASKS.  mask says what a value depends on; constants have 0.  The parameter t of a field counts as IR_TIMES even
 * where a constant is handed to it, so that u(0.5, x) has the bits of u at t = 0.5.
 *
 * Nodes are never moved or freed by a pass; a pass redirects uses and leaves dead nodes for ir_sweep, or builds a new
 * function.  All memory is the arena's. */
#ifndef FLOW_IR_H
#define FLOW_IR_H
#include <stdio.h>
#include "typed.h" /* Shape, TypedFunction, TypedFlow */
#include "diag.h"

typedef uint32_t Ref;                   /* number of a node */
#define IR_NONE UINT32_MAX

typedef enum {
#define OP(name, operands, class, value) IR_##name,
#include "ops.def"
#undef OP
  IR_OP_COUNT
} IrOp;
typedef enum { IR_LEAF, IR_EACH, IR_COMPARE, IR_LOGIC, IR_LAYOUT, IR_SUM, IR_WHOLE, IR_MATRIX } IrClass;
extern const char *const ir_op_name[IR_OP_COUNT];
extern const int ir_op_operands[IR_OP_COUNT];
extern const IrClass ir_op_class[IR_OP_COUNT];
extern const bool ir_op_frozen[IR_OP_COUNT];    /* may stand in a frozen function */

enum { IR_WEIGHTS = 1, IR_TIMES = 2, IR_CONDITIONS = 4, IR_STATE = 8 };
enum { IR_MOST_AXES = FLOW_MOST_RANK + 2 };      /* output and summed axes of a contraction together */
enum { IR_MOST_ELEMENTS = 1 << 24 };            /* of one value */

/* An affine map from a point of an iteration space to a flat element: offset + sum of stride[k]*index[k]. */
typedef struct IrMap { int64_t offset, stride[IR_MOST_AXES]; } IrMap;

typedef struct IrNode {
  IrOp op;
  bool truth;
  uint8_t mask;
  uint32_t args;
  Ref *arg;
  Shape shape;
  Span at;                              /* of the text that it came from */
  /* by op */
  uint32_t slot;                        /* input, weight */
  double number;                        /* standardize: eps */
  const double *data;                   /* constant: elements in C order */
  IrMap map;                            /* view; contract: of operand a */
  IrMap map_b;                          /* contract: of operand b */
  uint32_t sums;                        /* contract: how many summed axes */
  int64_t extent[IR_MOST_AXES];         /* contract: their extents */
  uint32_t axis;                        /* concat */
} IrNode;

typedef struct IrInput { const char *name; Shape shape; uint8_t mask; } IrInput;

/* A tensor that the function reads.  `name` is set by ir_bind from a weights file, or by the labels of the program.  An
 * unnamed call of a network whose layers have labels stands as "<2>." in scope and name, the third such part of its
 * scope, until ir_bind knows what the file calls it. */
typedef struct IrWeight {
  const char *name;                     /* full name, prefix included; NULL until bound where layers have no labels */
  const char *scope;                    /* labels of the enclosing calls, each with its dot, prefix in front */
  const char *part;                     /* "weight", "bias" or NULL for a param */
  bool labelled;                        /* found by name; else by order within its scope */
  uint32_t layer;                       /* number of the layer within its scope, in order of evaluation */
  Shape shape;
  Span at;
} IrWeight;

typedef struct IrFunction {
  Arena *arena;
  const char *name;
  IrNode *node;
  uint32_t nodes, room;
  Ref result;                           /* of the state's shape; or a vector: the state flattened, then extras (derive.h) */
  uint32_t inputs, weights;
  IrInput *input;                       /* 0 = t, 1 = state, 2.. = conditions */
  IrWeight *weight;
  bool frozen;
  uint32_t contributions, *contribution;        /* of a training function: the weight of each (gradients.c) */
  bool state_gradient;                  /* of a training function: behind the loss stand the gradient by the state, and rates */
  bool jump;                            /* no velocity: the value is the state at the other end (flow/model.h) */
  const char *trace;                    /* how its divergence is computed, where it has one (derive.h); else NULL */
  bool general;                         /* no velocity: the result has any shape, inputs any meaning */
} IrFunction;

/* ---- building --------------------------------------------------------------------------------------------------- */
IrFunction *ir_new(Arena *arena, const char *name);
uint32_t ir_add_input(IrFunction *f, const IrInput *input);       /* its slot */
uint32_t ir_add_weight(IrFunction *f, const IrWeight *weight);    /* its slot */
/* Copies the node and its operand list (arg may point into the caller's stack); the mask becomes the union of the one
 * handed in and those of the operands, the input's for an input, IR_WEIGHTS for a weight.  `data` is kept, not
 * copied. */
Ref ir_append(IrFunction *f, const IrNode *node);
int64_t shape_count(const Shape *shape);
bool shape_equal(const Shape *a, const Shape *b);

/* ---- looking ---------------------------------------------------------------------------------------------------- */
/* NULL if well formed, else one sentence that says what is wrong with which node.  After every pass in debug builds. */
const char *ir_verify(const IrFunction *f);
void ir_print(const IrFunction *f, FILE *to);
/* One number for all on which the bits of its results depend; names and places in the text do not count (ir_fingerprint.c). */
uint64_t ir_fingerprint(const IrFunction *f);
uint64_t ir_hash_node(const IrNode *node);              /* equal where operation, attributes, shape and operands are */
/* Reads what ir_print writes and verifies it; NULL and a sentence in *wrong if it cannot (also where all constants
 * together have more than 2^22 elements).  The text may be hostile.  For tests and --emit=ir round trips. */
IrFunction *ir_parse(Arena *arena, const char *text, const char **wrong);

/* ---- from the program ------------------------------------------------------------------------------------------- */
/* Inlines everything below `root` into one function with inputs t, state and conditions.  NULL only after an error in
 * diagnostics (the program is too large: LANGUAGE section 2's bounds). */
IrFunction *ir_lower(Arena *arena, const TypedFunction *root, const char *prefix, Diagnostics *diagnostics);
/* A loss with its velocity (typed.h, TypedLoss): inputs as those of the velocity, then the parts of the sample; its result is the
 * velocity, flat, and the loss behind it. */
IrFunction *ir_lower_loss(Arena *arena, const TypedFunction *loss, const char *prefix, Diagnostics *diagnostics);
/* The same of any function: a density, a map, what a draw line makes, a side of a check.  Its inputs are root's parameters,
 * its result has root's shape, and it is `general`. */
IrFunction *ir_lower_function(Arena *arena, const TypedFunction *root, const char *prefix, Diagnostics *diagnostics);
/* Each number or tensor of numbers that a call written within `text` is given becomes an input of f, behind those that it has
 * (literal_inputs.c).  Their values, by slot, in C order; what f had before has none. */
const double *const *ir_literals_to_inputs(IrFunction *f, Span text);

/* ---- passes: each says in its file what it needs, keeps and leaves ------------------------------------------------
 * `precision`: bytes of a number of the model, 4 or 8.  Arithmetic among literals is done in f64 before freeze and in
 * the model's precision after it, where constants are rounded before anything else happens to them. */
void ir_fold(IrFunction *f, int precision);     /* literal arithmetic; exact identities */
void ir_same(IrFunction *f);            /* common subexpressions, equal operand order only */
IrFunction *ir_sweep(IrFunction *f);    /* drops what the result does not need; masks of a frozen f become exact */
void ir_factor(IrFunction *f);          /* takes what does not vary with k out of means over a softmax */
void ir_freeze(IrFunction *f);          /* makes the arithmetic final */
/* The whole pipeline (ir_optimise.c): the result is frozen and swept.  Debug builds verify after every pass. */
IrFunction *ir_optimise(IrFunction *f, int precision);
/* The same with a verifier after every pass in every build, and a stop after the pass called `last` (NULL: none).
 * NULL and *result, or a sentence that names the pass and the node: a defect of flowc, or no pass of that name. */
const char *ir_check_passes(IrFunction *f, int precision, const char *last, IrFunction **result);
/* The name and the purpose of pass i for --emit=ir:NAME; NULL past the last. */
const char *ir_pass_name(uint32_t i);
const char *ir_pass_purpose(uint32_t i);

/* ---- the interpreter: slow, obvious, the oracle ----------------------------------------------------------------- */
/* Evaluates f at one point.  input[i]: the elements of input i; weight[i]: of weight i, C order.  All in the type's
 * precision; result has the state's elements.  `f` may be frozen or not (f64 only then).  false: out of memory. */
bool ir_run_f64(const IrFunction *f, const double *const *input, const double *const *weight, double *result);
bool ir_run_f32(const IrFunction *f, const float *const *input, const float *const *weight, float *result);
/* The f64 value and a running bound of the error that f's own arithmetic (precision bytes 4 or 8) may have made in
 * each element of the result; INFINITY where a comparison, a rounding or a domain is too near to call (ir_bound.c). */
bool ir_run_bound(const IrFunction *f, int precision, const double *const *input, const double *const *weight,
                  double *result, double *bound);

#endif
