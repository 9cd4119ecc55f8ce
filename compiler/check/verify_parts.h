/* SPDX-License-Identifier: Apache-2.0 */
/* verify_parts.h -- what the files of this folder share. */
#ifndef FLOW_VERIFY_PARTS_H
#define FLOW_VERIFY_PARTS_H
#include <math.h>
#include "model.h"
#include "random.h"
#include "verify.h"

/* ---- models.c: the velocity and its derivatives as compiled code ---------------------------------------------------------------- */
typedef struct Model {
  FlowExtras extras;
  int precision;
  bool jump;                    /* not the velocity: the map by which the flow is given (flow/model.h) */
  FlowCompiled *compiled;
  const flow_model *model;
  const flow_level *level;
  FlowBlob blob;
  const char *why;              /* not NULL: there is no such model */
} Model;
enum { MOST_MODELS = 2 * (FLOW_VJP + 1) + 1 };

struct Verify {
  Arena arena;
  jmp_buf no_memory;
  VerifyOptions options;
  const TypedProgram *program;
  const TypedFlow *flow;        /* NULL: there is none */
  Diagnostics diagnostics;      /* for what is lowered here; nobody sees them */
  struct TensorNumbers *numbers;        /* functions.c's: what was read of each file */
  Model model[MOST_MODELS];     /* made when first asked for */
  uint32_t models;
  struct RowCode *codes;        /* rows.c's, to be freed */
  VerifyLine *first, *last;
  uint64_t done, total;         /* of progress */
  bool cancelled;
};

/* Every entry that allocates from the arena begins so: where memory runs out the arena comes back here. */
#define VERIFY_ON_NO_MEMORY(v) \
  if (setjmp((v)->no_memory)) return flow_fail(error, FLOW_NO_MEMORY, "out of memory while checking")

typedef struct PointNames PointNames;

typedef struct Function {
  IrFunction *ir;               /* NULL: it cannot be evaluated, and `why` says why */
  IrFunction *lowered;          /* before the passes */
  const double *const *weight;
  const FlowTensors *tensors;   /* of which they are; NULL: there are none */
  const char *tensors_name;
  uint64_t results;             /* numbers in the result */
  const char *why;
  bool several;                 /* why: flows with different weights (whose_weights.h) */
} Function;

/* ---- verify.c: lines ------------------------------------------------------------------------------------------------------ */
VerifyLine *verify_line(Verify *v, const char *what);
VerifyLine *verify_skip(Verify *v, const char *what, const char *reason);
/* A claim, a function of which cannot be evaluated: skipped, or refused where the program leaves open which weights it means. */
VerifyLine *verify_cannot(Verify *v, const char *what, const Function *function);
/* A point of a VERIFY_RELATIVE line, whose bound is set: `amount` is held to it. */
typedef struct Sides { double left, right; int64_t element; } Sides;
void verify_hold(Verify *v, VerifyLine *line, double amount, Sides sides, const PointNames *names, const double *number);
void verify_judge(VerifyLine *line);    /* by how many failed */
/* `done` more of what verify_expect announced; false: the user wants to stop. */
void verify_expect(Verify *v, uint64_t work);
bool verify_step(Verify *v, uint64_t done);

/* ---- points.c: what is drawn ------------------------------------------------------------------------------------------------ */
/* The names of a point, in the order in which they are drawn. */
struct PointNames {
  uint32_t names;
  const char *const *name;
  const Shape *shape;
  const bool *is_time;
  int64_t *label;               /* NULL, or of each name: K, where it is a scalar that picks a row of a table of K; else 0 */
};
enum { STREAM_CLAIMS = 16, STREAM_FIELD = 17, STREAM_DIRECTIONS = 18, STREAM_REGIONS = 19 };    /* of random.h, beside flow's own */
uint64_t point_numbers(const PointNames *names);
/* Fills [point_numbers]: the names' values end to end. */
void draw_point(const Verify *v, const PointNames *names, uint32_t stream, uint64_t point, double *number);
/* Copies a point into a line. */
void keep_point(Verify *v, const PointNames *names, const double *number, VerifyLine *line);

/* ---- functions.c: functions of the program by the interpreter ------------------------------------------------------------------ */
/* `extras`: of a field's velocity (IR_LOG_P: -div behind it). */
Function function_lower(Verify *v, const TypedFunction *function, FlowExtras extras);
/* inputs: one pointer for each parameter.  Out of memory jumps. */
void function_run(Verify *v, const Function *f, const double *const *input, double *result);
/* The same at many points, by compiled code: inputs [count][numbers of all inputs], results [count][f->results].  false: there is no
 * such code. */
bool function_run_rows(Verify *v, const Function *f, const double *inputs, uint64_t count, double *results);
/* The tensors of a bound function, in f64; NULL where it has none. */
const double *const *weights_of(Verify *v, const IrFunction *f, const FlowTensors *tensors);
const float *const *weights_in_f32(Verify *v, const IrFunction *f, const double *const *weight);
/* The interpreter in f32, its numbers as f64; false: out of memory. */
bool run_in_f32(Verify *v, const IrFunction *f, const float *const *weight, const PointNames *names, const double *number, double *result);
/* Notes in `label` which inputs pick rows of tables. */
void find_labels(const IrFunction *f, int64_t *label);
/* Scalar operations of one evaluation, about; at least 1. */
uint64_t function_cost(const Function *f);
/* Pointers to a point's names. */
void point_inputs(const PointNames *names, const double *number, const double **input);

/* Points for a velocity: rows of t, state, conditions, rounded to f32 so that both precisions see the same. */
typedef struct Points {
  PointNames names;
  uint64_t count, dim, row;     /* numbers of a state, of all */
  double *number;               /* [count][row] */
} Points;
static inline double *point_at(const Points *points, uint64_t i) { return points->number + i * points->row; }
Points draw_points(Verify *v, const Model *m, uint64_t count);
double *new_rows(Verify *v, uint64_t count, uint64_t width);    /* zeroed */
FlowTensor rows_tensor(const double *rows, uint64_t count, uint64_t width);
/* The points' conditions as the model wants them, `direction` (or NULL) being the last. */
FlowTensor *points_conditions(Verify *v, const Points *points, const double *direction);

const Model *model_get(Verify *v, FlowExtras extras, int precision);
/* Of a flow that is given by a map: the state at the other end, and -log |det| behind it. */
const Model *model_jump(Verify *v);
uint64_t model_cost(const Model *m);    /* as function_cost */
void models_free(Verify *v);
void codes_free(Verify *v);
/* u [count][dim] and extra [count][model->extras] or NULL, as f64; at `state` [count][dim] where that is not NULL. */
void model_evaluate(Verify *v, const Model *m, const Points *points, const double *state, const double *direction, double *u,
                    double *extra);

/* ---- maps.c --------------------------------------------------------------------------------------------------------------------- */
/* The element in which two rows differ most, and by how much relative to 1 + the greatest number of the first. */
Sides compare_states(const double *one, const double *other, uint64_t dim, double *error);

/* ---- flux.c ------------------------------------------------------------------------------------------------------------------- */
void verify_flux(Verify *v, const TypedCheck *check, const char *what);
void verify_mass(Verify *v, const TypedCheck *check, const char *what);

#endif
