/* SPDX-License-Identifier: Apache-2.0 */
/* flow/model.h -- what a compiled model is, to the program that runs it.  ABI 1.
 *
 * A model is one constant struct of numbers, descriptions and function pointers, made by the JIT or exported by a
 * compiled library.  No function in it allocates, locks, prints, reads the environment or keeps state between calls;
 * every pointer in a flow_call is the caller's, so any number of threads may call at once, each with its own scratch.
 *
 * THE TILE.  Lanes are samples.  A lane buffer is [row][stride] numbers of the model's precision, one row for each
 * component, `stride` = level->lanes samples side by side; row 0 is 64-byte aligned.  A call works on the first
 * `lanes` of them, a multiple of level->quantum (the lanes of one vector); lanes beyond the samples that the caller
 * has hold copies of a live sample.  Lanes never interact.
 *
 * EXTRAS.  A model may compute more than the velocity: the rate of the log-density, d log p/dt = -div u, one estimate of it
 * for each probe, or a product with the Jacobian.  These are `extras` further rows behind the `dim` rows of the state, in
 * x, in u and in every stage of a step; what the rows of x hold never enters the arithmetic, so a step adds to them the
 * integral of their rates.  A stage whose rate counts for nothing (weight 0) is computed without them: see `quiet`.
 *
 * JUMPS.  A flow that is given by a map psi needs no solver: `jump` is 1, and eval at (t, x) gives not a velocity but the state at
 * the other end, psi(t', psi^-1(t, x)), t being the time at one end of the flow and t' at the other; the one extra there can be
 * is -log |det J| of it.  Its step has one stage, at the time at which it begins, and puts that in the place of x.
 *
 * GRADIENTS.  A model compiled for training has `gradient` and no eval: for each lane, at its own time, the loss to u [1][stride]
 * (of an adjoint [1 + dim + rates][stride]: behind it the gradient by x, and what beside the velocity has a part in the loss; of a loss
 * with terms, a row for each of them behind it);
 * and the gradients of the losses of the first `live` lanes, by all weights, are added to the caller's sums at
 * call->gradient, gradient_bytes that model->gradient describes.  Each number there is one chain of fma over the lanes,
 * ascending, continued from what it was: so tiles in order are one long chain.  Where a weight has several contributions (a layer
 * that is used more than once, the derivatives behind a divergence) a call adds one after the other, and the chain depends on which
 * samples a call has: all levels of such a model have the same `lanes`.
 *
 * THE SECTIONS.  By what it depends on, the arithmetic of a field falls apart in four:
 *   derive  values of the weights alone: once for a set of weights, by flow_model_pack, into the blob.
 *   times   values of t and the weights alone: once per stage time for all samples.  lanes = stage times.
 *   cond    values of the conditions and the weights alone: once per sample and solve.
 *   sample  the rest, in every evaluation.
 * `times` and `cond` write lane buffers of times_rows and cond_rows rows; `eval` and `step` read them again.  In
 * `eval` and `step` one stage time is one *row* of times_rows numbers (the transpose of what `times` wrote), the same
 * for all lanes; in `eval_lane` every lane has its own time, and the buffer is used as `times` wrote it.
 *
 * Same bits: a sample's result depends on nothing but the sample, the times and the weights. */
#ifndef FLOW_MODEL_H
#define FLOW_MODEL_H
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

#define FLOW_MODEL_ABI 1u
enum { FLOW_F32 = 4, FLOW_F64 = 8 };                    /* precision: bytes of a number */
enum { FLOW_ENTRY_EVAL = 1, FLOW_ENTRY_EVAL_LANE = 2, FLOW_ENTRY_STEP = 4, FLOW_ENTRY_ATTEMPT = 8, FLOW_ENTRY_GRADIENT = 16 };  /* which entries a level is made with */
enum { FLOW_CPU_V3 = 3, FLOW_CPU_V4 = 4 };              /* x86-64-v3 (AVX2, FMA), x86-64-v4 (AVX-512) */

/* A linear combination of stage velocities: sum of coefficient[i] * k[stage[i]], in this order.  The coefficients
 * are h*a_sj or h*b_j, rounded once to the model's precision; terms with coefficient 0 are left out. */
typedef struct flow_combination {
  uint32_t count;
  const uint32_t *stage;
  const void *coefficient;      /* [count] in model precision */
} flow_combination;

/* ATTEMPT.  One attempted step of every lane, each from its own t with its own h, by a method with an estimate of its error.
 *     s = 1 .. stages - 1:  k_s = u(t + c_s h, x + h sum_i a_si k_i);  the last argument is the new x', its velocity the
 *                           first one of the next step
 *     error   e = h sum_i e_i k_i, measured in atol + rtol max(|x|, |x'|) for rows of the state, in ltol for extras:
 *             err^2 = mean over the state's rows of (e/scale)^2 + mean over the extras of (e/ltol)^2
 *             Of two estimates, E (order 5) and F (order 3): err^2 = E^2 E^2/(E^2 + 0.01 F^2)
 *     accept  err^2 <= 1 and x' finite: the lane's x and k_0 become x' and k of the last stage; else they stay.  Rows of
 *             extras in x are 0 before; after an accepted step they hold its increments, else 0.
 *     factor  for the next h: e^g, l = log(err^2)/2,  g = log safety - alpha l + beta m where accepted, without m if not,
 *             bounded by the lane's ceiling (0 after a rejection) and the method's floor; m: l of the last accepted step
 * `method_number` and `lane rows` are in the model's precision. */
enum flow_method_number {
  FLOW_METHOD_RTOL, FLOW_METHOD_ATOL,
  FLOW_METHOD_PER_LTOL,         /* 1/ltol */
  FLOW_METHOD_SAFETY,           /* log safety */
  FLOW_METHOD_MINUS_ALPHA, FLOW_METHOD_BETA,
  FLOW_METHOD_FLOOR,            /* log of the smallest factor */
  FLOW_METHOD_LEAST_MEMORY,     /* m is at least this */
  FLOW_METHOD_END,              /* no stage time lies beyond it */
  FLOW_METHOD_DIRECTION,        /* 1 forwards, -1 backwards in time */
  FLOW_METHOD_NUMBERS
};
typedef struct flow_method {
  uint32_t stages;              /* the end of the step included; at least 2 */
  uint32_t estimates;           /* 1 or 2 */
  uint32_t extras;              /* rows behind the state's that take part: 0, or all of the model's */
  uint32_t reserved;
  uint64_t quiet;               /* bit s: the extras' rates of stage s are not needed */
  uint64_t same_time;           /* bit s: stage s has the time of stage s - 1 */
  const void *node;             /* [stages]: c in model precision */
  const flow_combination *combination;   /* [stages]: rows of a (the first is empty, the last is b), without h */
  const flow_combination *error;         /* [estimates] */
  const void *number;           /* [FLOW_METHOD_NUMBERS] */
} flow_method;
enum flow_lane_row {            /* one number for each lane */
  FLOW_LANE_TIME, FLOW_LANE_STEP,       /* t and h at the start */
  FLOW_LANE_CEILING,            /* log of the largest factor */
  FLOW_LANE_MEMORY,             /* m: read and replaced */
  FLOW_LANE_ERROR,              /* written: err^2, not a number where x' is not finite */
  FLOW_LANE_FACTOR,             /* written: what to multiply h with */
  FLOW_LANE_SLOPE, FLOW_LANE_SPREAD,    /* written: |k_last - k_before|^2 and the same of their arguments */
  FLOW_LANE_ROWS
};

typedef struct flow_call {      /* argument block, on the caller's stack; unset = 0 */
  uint32_t size;                /* sizeof(flow_call) of the caller */
  uint32_t lanes;               /* a multiple of level->quantum, at most level->lanes */
  const void *weights;          /* blob made by flow_model_pack; read only; shared by all threads */
  const void *t;                /* times, eval_lane's times section: [lanes] in model precision */
  const void *conditions;       /* cond: [condition_rows][stride]; also read by eval, step: NULL if there are none */
  const void *cond;             /* eval, step: [cond_rows][stride] written by cond */
  const void *times;            /* eval: one row [times_rows]; eval_lane: [times_rows][stride] */
  void *x;                      /* [dim + extras][stride]; step reads and replaces it; eval reads dim rows */
  void *u;                      /* eval: [dim + extras][stride].  times, cond, derive: the buffer to write */
  uint32_t stages;              /* step */
  const void *const *stage_times;          /* step: [stages] pointers to rows [times_rows] */
  const flow_combination *combination;     /* step: [stages + 1]; the last one makes the new x */
  void *scratch;                /* 64-aligned, level->scratch_bytes + stages * level->stage_bytes; undefined before and after, but
                                   for this: after a step k_s is at scratch_bytes + s * stage_bytes, [dim + extras][stride] */
  uint64_t quiet;               /* step: bit s set: the extras' rates of stage s are not needed and not computed */
  const flow_method *method;    /* attempt; with x, cond, conditions, weights, and scratch of level->attempt_bytes */
  void *k;                      /* attempt: [stages] buffers as u, level->stage_bytes each; k_0 is read and replaced */
  void *lane;                   /* attempt: [FLOW_LANE_ROWS][stride] */
  void *gradient;               /* gradient: sums, 64-aligned, model->gradient_bytes */
  uint32_t live;                /* gradient: lanes that count, 1 .. lanes */
  uint32_t reserved;
} flow_call;

/* 0, or negative where the argument block itself is wrong.  What happens inside a lane never changes it. */
typedef int flow_entry(const flow_call *call);

typedef struct flow_level {     /* the code for one kind of CPU; all levels give the same bits */
  uint32_t cpu;                 /* FLOW_CPU_V3, FLOW_CPU_V4 */
  uint32_t lanes;               /* stride of every lane buffer; most lanes of a call */
  uint32_t quantum;             /* lanes of one vector */
  uint32_t reserved;
  uint64_t scratch_bytes, stage_bytes;
  flow_entry *eval, *eval_lane, *step, *times, *cond;   /* NULL if not compiled (cond, times: also if there is nothing to do) */
  flow_entry *derive;           /* NULL if there is nothing to do; else lanes = quantum, u: [derived_rows][stride], all lanes equal */
  flow_entry *attempt;          /* NULL if not compiled */
  uint64_t attempt_bytes;
  flow_entry *gradient;         /* NULL if not compiled; t, times, cond, conditions, x as for eval_lane; u: [1][stride] and more */
} flow_level;

typedef struct flow_weight {    /* a tensor that the model reads, as the file stores it */
  const char *name;             /* full name, prefix included */
  uint32_t rank;
  uint64_t dim[4];
} flow_weight;

/* How one piece of the weights blob is filled from a tensor.  The piece is a matrix of `rows` x `columns` numbers taken
 * from the tensor, in C order, at offset + r*row_stride + c*column_stride.
 *   FLOW_PACK_ROWS    the matrix in C order.
 *   FLOW_PACK_PANELS  panels of 8 rows: [ceil(rows/8)][columns][8], the last panel's storage padded with zeros.
 * Pieces from FLOW_PACK_DERIVED are taken from what `derive` computes, its rows one after the other being the tensor; they
 * are filled after all others, which derive may read. */
enum { FLOW_PACK_ROWS = 0, FLOW_PACK_PANELS = 1 };
#define FLOW_PACK_DERIVED UINT32_MAX
typedef struct flow_pack {
  uint32_t weight, layout;      /* index into model->weight, or FLOW_PACK_DERIVED */
  uint64_t at;                  /* byte offset in the blob */
  int64_t offset, row_stride, column_stride;
  uint64_t rows, columns;
} flow_pack;

/* Where the sums for a weight are: of element (r, c) of the weight, seen as [rows][columns] in C order, number
 * r*row_step + c*column_step from byte `at` on.  A weight that the loss does not depend on has rows = 0. */
typedef struct flow_gradient {
  uint64_t at, rows, columns;
  int64_t row_step, column_step;
} flow_gradient;

typedef struct flow_condition { /* an extra input of the velocity */
  const char *name;
  uint64_t size;                /* numbers: 1 for a scalar */
  uint64_t row;                 /* its first row in the conditions buffer */
} flow_condition;

typedef struct flow_model {
  uint32_t abi, size, precision, dim;
  uint32_t conditions, weights, packs, levels;
  uint64_t condition_rows, times_rows, cond_rows, blob_bytes;
  uint32_t extras;              /* rows behind the state's */
  uint32_t jump;                /* 1: given by a map */
  uint64_t derived_rows;
  const char *name;
  const flow_condition *condition;
  const flow_weight *weight;
  const flow_pack *pack;
  const flow_level *level;      /* best first; behind those for tiles some of one lane, for a few samples */
  uint64_t gradient_bytes;
  const flow_gradient *gradient;        /* [weights], or NULL */
} flow_model;

#ifdef __cplusplus
}
#endif
#endif
