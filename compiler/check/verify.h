/* SPDX-License-Identifier: Apache-2.0 */
/* verify.h -- is what a program says true?  Its own `check` lines, and what should hold of every flow, at points that are drawn.
 *
 *   Verify *verify;
 *   VerifyOptions options = {.allocator = &flow_standard_allocator, .name = "m.flow", .text = text, .length = length,
 *                            .compiled = compiled, .points = 1000};
 *   if (!(status = verify_open(&options, &verify, &error))) status = verify_claims(verify, &error);
 *   if (!status) status = verify_field(verify, &error);
 *   for (const VerifyLine *line = verify_lines(verify); line; line = line->next) ...
 *   verify_close(verify);
 *
 * Each check makes one line: what was held against what, at how many points, the worst of them and the bound.  A check that
 * fails is a line, never an error; errors are for a machine that has no memory, and for a user who stops the run.
 *
 * POINTS.  A name that a check leaves open is drawn: a time (free_name.c) uniform over the flow's time (without a flow, in [0, 1)), all else
 * standard normal.  Number i of a point's numbers, in the order of the names, is number i of sample `point` of a Philox stream
 * of its own (random.h), so that a point does not depend on how many there are.
 *
 * WEIGHTS.  Each side of a claim is evaluated with the tensors of the flow whose network it calls (whose_weights.h); without them,
 * or where several flows would do, the claim is skipped. */
#ifndef FLOW_VERIFY_H
#define FLOW_VERIFY_H
#include "compile.h"

typedef enum { VERIFY_PASS, VERIFY_FAIL, VERIFY_SKIPPED } VerifyVerdict;

/* How `worst` is measured. */
typedef enum {
  VERIFY_RELATIVE,      /* |left - right| / (1 + |left| + |right|), or what `reason` says; at most `bound` */
  VERIFY_MARGIN,        /* right - left of an inequality, the least one; held above (or to at least) 0             */
  VERIFY_NOTHING,       /* of a claim that cannot be held as it is written: `reason` says why                     */
  VERIFY_COUNT,         /* how many points differ at all; held to 0                                               */
  VERIFY_FINITE         /* how many points have a value that is not finite                                        */
} VerifyMeasure;

/* A value of the worst point. */
typedef struct VerifyValue { const char *name; Shape shape; const double *number; } VerifyValue;

typedef struct VerifyLine {
  struct VerifyLine *next;
  VerifyVerdict verdict;
  VerifyMeasure measure;
  const char *what;             /* "jvp against central differences"; of a claim its text, or as it is written */
  Span at;                      /* of a claim; from == to: none */
  uint64_t points, failed;      /* that were evaluated; of these, beyond the bound */
  double worst, bound;          /* NaN where nothing was measured */
  const char *reason;           /* why this bound; of a skipped check why it was skipped */
  const char *remark;           /* what else there is to know, or NULL */
  bool has_sides;               /* at the worst point: */
  double left, right;           /* the two numbers that were compared */
  int64_t element;              /* of which element; -1: they are scalars */
  uint32_t values;
  const VerifyValue *value;
} VerifyLine;

/* Called now and then; not 0: stop. */
typedef int VerifyProgress(void *user, uint64_t done, uint64_t total);

/* Of one of the program's flows. */
typedef struct VerifyWeights { const FlowTensors *tensors; const char *name; } VerifyWeights;

typedef struct VerifyOptions {  /* unset = 0; everything is borrowed */
  const FlowAllocator *allocator;
  const char *name, *text;      /* of the program, to compile what it needs with derivatives */
  size_t length;
  FlowCompiled *compiled;       /* of that text, for the flow or field in question; bound where it has layers */
  FlowCompileOptions how;       /* with which it was compiled */
  const FlowTensors *tensors;   /* NULL: there are none, and checks that need layers are skipped */
  const char *tensors_name;
  const VerifyWeights *weights_of; /* of each flow of the program, for its claims; NULL: `tensors` are of all */
  const char *asked;            /* the flow that was asked for, or NULL */
  bool file_given;              /* the tensors are of a file that was asked for, whatever flows say */
  uint64_t points, seed;
  VerifyProgress *progress;     /* may be NULL */
  void *user;
} VerifyOptions;

typedef struct Verify Verify;
flow_status verify_open(const VerifyOptions *options, Verify **verify, flow_error *error);
void verify_close(Verify *verify);      /* NULL is allowed */

/* Each appends lines.  NO_MEMORY, CANCELLED (progress said so), INTERNAL. */
flow_status verify_claims(Verify *verify, flow_error *error);           /* the program's own `check` lines */
flow_status verify_maps(Verify *verify, flow_error *error);             /* do inverses undo their maps? */
flow_status verify_field(Verify *verify, flow_error *error);            /* derivatives and arithmetic of the velocity */
flow_status verify_density(Verify *verify, flow_error *error);          /* paths and log p of the flow */
flow_status verify_integral(Verify *verify, flow_error *error);         /* of its density over the plane */

const VerifyLine *verify_lines(const Verify *verify);
uint64_t verify_count(const Verify *verify, VerifyVerdict verdict);

#endif
