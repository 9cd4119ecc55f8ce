/* SPDX-License-Identifier: Apache-2.0 */
/* verify_parts.h -- what the files of this folder share. */
#ifndef FLOW_VERIFY_PARTS_H
#define FLOW_VERIFY_PARTS_H
#include "random.h"
#include "verify.h"

struct Verify {
  Arena arena;
  jmp_buf no_memory;
  VerifyOptions options;
  const TypedProgram *program;
  const TypedFlow *flow;        /* NULL: there is none */
  Diagnostics diagnostics;      /* for what is lowered here; nobody sees them */
  const double **tensor;        /* [options.tensors->count]: the numbers of each that was asked for, else NULL */
  VerifyLine *first, *last;
  uint64_t done, total;         /* of progress */
  bool cancelled;
};

/* Every entry that allocates from the arena begins so: where memory runs out the arena comes back here. */
#define VERIFY_ON_NO_MEMORY(v) \
  if (setjmp((v)->no_memory)) return flow_fail(error, FLOW_NO_MEMORY, "out of memory while checking")

/* ---- verify.c: lines ------------------------------------------------------------------------------------------------------ */
VerifyLine *verify_line(Verify *v, const char *what);
VerifyLine *verify_skip(Verify *v, const char *what, const char *reason);
/* `done` more of what verify_expect announced; false: the user wants to stop. */
void verify_expect(Verify *v, uint64_t work);
bool verify_step(Verify *v, uint64_t done);

/* ---- points.c: what is drawn ------------------------------------------------------------------------------------------------ */
/* The names of a point, in the order in which they are drawn. */
typedef struct PointNames {
  uint32_t names;
  const char *const *name;
  const Shape *shape;
  const bool *is_time;
} PointNames;
enum { STREAM_CLAIMS = 16, STREAM_FIELD = 17, STREAM_DIRECTIONS = 18, STREAM_REGIONS = 19 };    /* of random.h, beside flow's own */
uint64_t point_numbers(const PointNames *names);
/* Fills [point_numbers]: the names' values end to end. */
void draw_point(const Verify *v, const PointNames *names, uint32_t stream, uint64_t point, double *number);
/* Copies a point into a line. */
void keep_point(Verify *v, const PointNames *names, const double *number, VerifyLine *line);

/* ---- functions.c: functions of the program by the interpreter ------------------------------------------------------------------ */
typedef struct Function {
  IrFunction *ir;               /* NULL: it cannot be evaluated, and `why` says why */
  const double *const *weight;
  uint64_t results;             /* numbers in the result */
  const char *why;
} Function;
/* `extras`: of a field's velocity (IR_LOG_P: -div behind it). */
Function function_lower(Verify *v, const TypedFunction *function, FlowExtras extras);
/* inputs: one pointer for each parameter.  Out of memory jumps. */
void function_run(Verify *v, const Function *f, const double *const *input, double *result);
/* Scalar operations of one evaluation, about; at least 1. */
uint64_t function_cost(const Function *f);
/* Pointers to a point's names. */
void point_inputs(const PointNames *names, const double *number, const double **input);

/* ---- flux.c ------------------------------------------------------------------------------------------------------------------- */
void verify_flux(Verify *v, const TypedCheck *check, const char *what);

#endif
