/* SPDX-License-Identifier: Apache-2.0 */
/* typed.h -- a checked program: every name bound, every shape a row of numbers, every function an instance for the
 * shapes of its arguments.  What the checker makes and the lowering reads; no error is left in it.
 *
 * An instance (TypedFunction) is a definition together with the shapes of its parameters and the values of its `dim`
 * parameters; equal combinations are one instance.  Sizes have become numbers, `repeat` a run of calls, pipes calls, a
 * function of scalars applied to tensors a `for` over their elements: the tree has only what is below. */
#ifndef FLOW_TYPED_H
#define FLOW_TYPED_H
#include "ast.h"

enum { FLOW_MOST_RANK = 6 };
typedef struct Shape { uint32_t rank; int64_t dim[FLOW_MOST_RANK]; } Shape;   /* rank 0: a scalar */

/* One row per builtin function of the language: BUILTIN(name, least arguments, most arguments, shape rule, help). */
typedef enum {
#define BUILTIN(name, least, most, rule, help) BUILTIN_##name,
#include "builtins.def"
#undef BUILTIN
  BUILTIN_COUNT
} Builtin;

typedef struct Typed Typed;
typedef struct TypedFunction TypedFunction;
typedef struct TypedLet TypedLet;

/* An index into a tensor: base + sum of scale[i] * (loop variable variable[i]). */
typedef struct TypedIndex {
  int64_t base;
  uint32_t terms;
  uint32_t *variable;           /* ids of enclosing loops */
  int64_t *scale;
  int64_t length;               /* -1: a single element, the axis goes; else a slice of that many elements */
} TypedIndex;

typedef enum {
  TYPED_NUMBER,    /* number                                                                          */
  TYPED_PARAMETER, /* slot: index into function->parameter                                            */
  TYPED_LET,       /* slot: index into function->let                                                  */
  TYPED_GLOBAL,    /* global                                                                          */
  TYPED_LOOP,      /* slot: id of an enclosing loop; its counter as a real number                     */
  TYPED_NEGATE,    /* arg [1]                                                                         */
  TYPED_ADD, TYPED_SUBTRACT, TYPED_MULTIPLY, TYPED_DIVIDE, TYPED_POWER,
                   /* arg [2]: equal shapes, or one a scalar                                          */
  TYPED_LESS, TYPED_LESS_EQUAL, TYPED_GREATER, TYPED_GREATER_EQUAL, TYPED_EQUAL, TYPED_NOT_EQUAL,
                   /* arg [2], scalars; the result is a truth value                                   */
  TYPED_AND, TYPED_OR,          /* arg [n], truth values                                              */
  TYPED_NOT,       /* arg [1], truth value                                                            */
  TYPED_BUILTIN,   /* builtin, arg [n]                                                                */
  TYPED_MATMUL,    /* arg [2]: last axis of the first with the first of the second                    */
  TYPED_INDEX,     /* arg [1], index [rank of arg]                                                    */
  TYPED_CONCAT,    /* arg [n]: scalars and vectors, end to end                                        */
  TYPED_STACK,     /* arg [n] of equal shapes: a new first axis                                       */
  TYPED_FOR,       /* slot: loop id, count, arg [1]: a new first axis of that length                  */
  TYPED_REDUCE,    /* slot: loop id, count, arg [1], reduce                                           */
  TYPED_IF,        /* arg [3]: truth value, then, else                                                */
  TYPED_CALL,      /* callee, arg [n], label or NULL                                                  */
  TYPED_LAYER,     /* layer, arg, label or NULL                                                       */
  TYPED_HOLD,      /* arg [1]: its value, a constant for every derivative (newton.c)                  */
  TYPED_FOUND,     /* arg [3]: an inverse of the second after NEWTON_STEPS, else no number; the third: by how much it misses    */
  TYPED_DERIVATIVE,/* derivative, callee, arg [callee's parameters, then 1 direction if JVP or VJP], slot: the parameter
                      in which it is differentiated                                                   */
} TypedKind;
enum { NEWTON_STEPS = 12 };

/* Of f = callee, J its Jacobian in the parameter `slot`:
 *   DIV   trace of J: a scalar; f's result has the parameter's shape
 *   JVP   J v: the result's shape; v has the parameter's
 *   VJP   w J: the parameter's shape; w has the result's
 *   GRAD  J of a scalar f: the parameter's shape
 *   DDT   the derivative in a scalar parameter: the result's shape                                   */
typedef enum { DERIVATIVE_DIV, DERIVATIVE_JVP, DERIVATIVE_VJP, DERIVATIVE_GRAD, DERIVATIVE_DDT } DerivativeKind;

/* The built-in layers and the tensors that they own, relative to the layer's own name.
 *   LINEAR      arg [1]: [n] -> [m]; weight [m, n], bias [m] unless no_bias
 *   LAYER_NORM  arg [1]: [n] -> [n]; weight [n], bias [n]; number = eps
 *   EMBEDDING   arg [1]: scalar label -> [m]; weight [count, m]
 *   PARAM       arg [0]; the tensor named by the label itself, of the node's shape                     */
typedef enum { LAYER_LINEAR, LAYER_LAYER_NORM, LAYER_EMBEDDING, LAYER_PARAM } LayerKind;

struct Typed {
  TypedKind kind;
  Shape shape;
  bool truth;                   /* a truth value, not a number */
  Span at;                      /* in the user's text: what a message about this value points at */
  uint32_t args;
  Typed **arg;
  double number;
  uint32_t slot;
  int64_t count;
  Builtin builtin;
  AstFor reduce;                /* AST_SUM, AST_MAX, AST_MIN */
  TypedIndex *index;
  TypedLet *global;
  TypedFunction *callee;
  LayerKind layer;
  DerivativeKind derivative;
  const char *label;
  bool no_bias;
};

struct TypedLet { const char *name; Typed *value; };    /* a top-level `let`: no parameters, a constant */

struct TypedFunction {
  const Ast *definition;        /* AST_FN, AST_FIELD, AST_NETWORK, AST_MAP, AST_DENSITY; AST_CHECK: a side of a check */
  const char *name;
  uint32_t parameters;          /* tensors only: `dim` parameters are gone */
  const char **parameter_name;
  Shape *parameter;
  uint32_t lets;
  Typed **let;                  /* in order; each sees those before it */
  Typed *result;
  uint32_t loops;               /* loop ids are 0 .. loops-1 in this function */
  bool owns_weights;            /* it, or something that it calls, has layers */
  bool labelled;                /* its own layers and weight-owning calls all have labels (none has: false) */
};

/* ---- densities, maps, checks --------------------------------------------------------------------------------- */
/* One name of a draw line.  CHOICE: a number 0 .. size-1, each as likely as the others, or as weight[i] says (sum 1);
 * NORMAL: a vector of independent standard normal numbers; UNIFORM: of numbers in [0, 1). */
typedef enum { DRAW_CHOICE, DRAW_NORMAL, DRAW_UNIFORM } DrawKind;
typedef struct TypedDraw { const char *name; DrawKind kind; int64_t size; const double *weight; } TypedDraw;

typedef struct TypedDensity {
  const char *name;
  TypedFunction *function;      /* log p of (x), or of (t, x) */
  bool has_time;                /* the first parameter of both functions is t */
  uint32_t draws;
  TypedDraw *draw;
  TypedFunction *result;        /* of (t if has_time, what was drawn in order) to the shape of x; NULL: no draw line */
} TypedDensity;

typedef struct TypedMap {
  const char *name;
  TypedFunction *function;      /* (t, x, conditions ...) to the shape of x */
  TypedFunction *inverse;       /* (t, y, conditions ...); NULL where no line gives it and nothing needs it */
} TypedMap;

/* A claim.  left and right are functions of the free names, both of all of them in the same order; where their shapes
 * differ one is a scalar that meets every element of the other.
 *   CONTINUITY  left is the residual  d log p/dt + div u + u . grad log p  of (t, x), right is 0: held to like EQUAL
 *   FLUX        the flux of `field` out of the region is right, at times that are drawn; where right has a parameter of
 *               role TIME it is that time
 *   MASS        left is [log p, d log p/dt] and right is u, both of (t, x, conditions of u): the integral of dp/dt over
 *               the region is that of -p u . n over its surface
 * NOT_EQUAL to GREATER_EQUAL hold at every point, without tolerance. */
typedef enum { CHECK_EQUAL, CHECK_NOT_EQUAL, CHECK_LESS, CHECK_LESS_EQUAL, CHECK_GREATER, CHECK_GREATER_EQUAL,
               CHECK_CONTINUITY, CHECK_FLUX, CHECK_MASS } CheckKind;
typedef enum { ROLE_TIME, ROLE_OTHER } CheckRole;       /* TIME: uniform over the flow's time; OTHER: standard normal */
typedef struct TypedCheck {
  const char *text;             /* NULL: it has none */
  Span at;
  CheckKind kind;
  uint32_t names;               /* free names: the parameters of left and right, whose names and shapes are there */
  CheckRole *role;
  TypedFunction *left, *right;  /* left: NULL for FLUX */
  TypedFunction *field;         /* FLUX */
  bool is_box;                  /* FLUX, MASS: a box from low to high, else a ball around low of this radius */
  int64_t dim;
  double *low, *high, radius;
} TypedCheck;

/* ---- flows -------------------------------------------------------------------------------------------------- */
typedef enum { SPACING_EQUAL, SPACING_COSINE, SPACING_POWER } StepSpacing;      /* of a solver's steps */
typedef enum { SOURCE_NORMAL, SOURCE_UNIFORM, SOURCE_FILE, SOURCE_GAUSSIAN, SOURCE_DENSITY } SourceKind;
/* `train { .. }`: what it says.  Words are those of train_clauses.def; NULL, and below 0, where nothing is said.  loss: a word, or the
 * name of a `fn`. */
typedef struct TypedTrain {
  Span at, loss_at;
  const char *loss, *path, *coupling, *trace, *probe, *optimiser, *schedule, *initial, *jacobian_norm;
  const char *data;             /* path as written */
  Span data_at;
  double rate, initial_scale, momentum, decay, clip, average, validation, kinetic, jacobian;
  int64_t probes, batch, iterations, warm_up, seed;
} TypedTrain;

/* A loss that the program itself says.  function: a scalar of the velocity's parameters and then of the parts of the sample that the
 * loss asks for; its first `let` is the velocity.  parts: bit i for row i of the LOSS_PARTs of loss_inputs.def. */
typedef struct TypedLoss { const char *name; Span at; TypedFunction *function; uint32_t parts; } TypedLoss;

typedef struct TypedFlow {
  const char *name;
  Span at;
  SourceKind source;
  int64_t dim;
  double *uniform_low, *uniform_high;   /* SOURCE_UNIFORM: [dim] each */
  const char *source_path;              /* SOURCE_FILE */
  Span source_at;
  double *mean, *covariance;            /* SOURCE_GAUSSIAN: [dim], [dim, dim] */
  double *factor;                       /* lower triangular L with L L' = covariance, [dim, dim] */
  const TypedDensity *density;          /* SOURCE_DENSITY: has a draw line */
  TypedFunction *velocity;      /* parameters: t, state, conditions ...; state flattened has dim numbers */
  const char *weights;          /* path as written, or NULL */
  const TypedFunction *map, *inverse;   /* NULL, or the map whose velocity this is: x1 = map(b, inverse(a, x0)), no ODE */
  Span weights_at;
  const char *prefix;           /* "" where there is none */
  const char **skip;            /* tensors excused from use */
  Span *skip_at;
  uint32_t skips;
  const char *solver;           /* name of a row of the table of tableaus; NULL: not said */
  Span solver_at;
  int64_t steps;
  StepSpacing spacing;
  double spacing_power;         /* SPACING_POWER: above 0 */
  double time_from, time_to;
  double rtol, atol;            /* 0: not said.  Where `steps` is 0 too, steps adapt to the standard tolerance */
  const TypedTrain *train;      /* NULL: not said */
  const TypedLoss *loss;        /* NULL: one of the training's own */
  const char *path;             /* the word of the clause `path`, `linear` for one of two functions; NULL: not said */
  bool predicts;                /* the network says noise, data or score, and the velocity was made of it */
  double path_from, path_to;    /* where the path is at time_from and time_to: 0 and 1, but for a time that stops short of an end */
} TypedFlow;

typedef struct TypedProgram {
  uint32_t flows;
  TypedFlow *flow;
  uint32_t fields;              /* fields and networks with a field's signature whose shapes are all known without a flow */
  TypedFunction **field;
  uint32_t densities, maps;     /* those whose shapes are known without a flow */
  TypedDensity *density;
  TypedMap *map;
  uint32_t checks;
  TypedCheck *check;
  const AstFile *file;
} TypedProgram;

#endif
