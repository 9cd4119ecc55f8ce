/* SPDX-License-Identifier: Apache-2.0 */
/* flow/export.h -- what a compiled library (`flowc MODEL.flow -o MODEL.so`) hands out: one constant struct.  ABI 1.
 *
 *   extern const flow_export *flow_export_moons(void);     of moons.so, moons.o or moons.a; moons.h declares it
 *   extern const flow_export *flow_export_get(void);       the same in every .so, for those who open it by its path
 *
 * These are all the symbols that a library exports.  It needs no other library, runs nothing when it is loaded, and holds no
 * variable: everything in it is constant.  flow/flow.h opens it; flow/model.h says what its functions do.
 *
 * VARIANTS.  A flow is compiled more than once: its velocity alone, with the rate of log p beside it, with a product of the
 * Jacobian.  Each is a flow_model with its own table of weights.  A variant with a `blob` has its weights in the library, as
 * its code reads them; without, the caller loads a weights file (names and shapes are in the model's tables).
 *
 * Structs grow at their end; `size` says how much of them there is: a runtime reads what it knows of a newer library, and takes
 * what an older one does not have for 0. */
#ifndef FLOW_EXPORT_H
#define FLOW_EXPORT_H
#include "model.h"
#ifdef __cplusplus
extern "C" {
#endif

#define FLOW_EXPORT_ABI 1u
#define FLOW_EXPORT_SYMBOL "flow_export_get"

enum {                          /* what a variant computes; VELOCITY is the first, the others have extras beside it */
  FLOW_COMPUTES_VELOCITY,
  FLOW_COMPUTES_LOG_P,          /* 1 row: -div u, exactly */
  FLOW_COMPUTES_PROBES,         /* `probes` rows: estimates of it (Hutchinson); the last condition is probes */
  FLOW_COMPUTES_JVP,            /* dim rows: J v; the last condition is v */
  FLOW_COMPUTES_JUMP,           /* not a velocity: the state at the other end (model.h, JUMPS), and -log |det J| where it is exact */
  FLOW_COMPUTES_VJP             /* dim rows: w J; the last condition is w */
};
typedef struct flow_variant {
  uint32_t computes, probes;
  const flow_model *model;
  const void *blob;             /* model->blob_bytes, 64-aligned; or NULL */
} flow_variant;

enum {                          /* where the states at the start come from */
  FLOW_START_NORMAL,            /* dim independent standard normal numbers */
  FLOW_START_UNIFORM,           /* in [low, high] */
  FLOW_START_GAUSSIAN,          /* mean + factor z, z normal; factor: [dim][dim], lower triangular */
  FLOW_START_GIVEN,             /* the rows of a file that the program names: flow_export.rows, or the caller hands them in */
  FLOW_START_NONE,              /* the program has no flow, or a source that is not in the library */
  FLOW_START_DENSITY            /* a density of the program: flow_export.density */
};
typedef struct flow_start {
  uint32_t kind, reserved;
  const double *low, *high, *mean, *factor;
} flow_start;

enum { FLOW_STEPS_EQUAL, FLOW_STEPS_COSINE, FLOW_STEPS_POWER };
typedef struct flow_plan {      /* the solve that the flow asks for */
  double from, to;              /* data are at `to` */
  const char *method;           /* NULL: not said */
  uint64_t steps;               /* 0: steps of each sample's own, to the tolerances */
  uint32_t spacing;
  uint32_t smooth;              /* 1: the velocity has no kinks in the state (methods of high order keep their order) */
  double power;                 /* FLOW_STEPS_POWER */
  double rtol, atol;            /* 0: not said */
} flow_plan;

typedef struct flow_rows {      /* points of a file: sample i starts from row i */
  uint64_t rows;
  const void *data;             /* [rows][dim] of the model's precision */
} flow_rows;

enum { FLOW_DRAW_NORMAL, FLOW_DRAW_UNIFORM, FLOW_DRAW_CHOICE };
typedef struct flow_draw {      /* a name of a draw line */
  uint32_t kind, reserved;
  uint64_t size;                /* NORMAL, UNIFORM (in [0, 1)): numbers.  CHOICE: one of 0 .. size - 1, one number */
  const double *weight;         /* CHOICE: [size], probabilities; NULL: all alike */
} flow_draw;

/* Two functions as models in f64 with code for one lane, neither of them a velocity: x are a function's arguments end to end, and
 * its result stands behind u's first rows, as extras.  No conditions, no times.
 *   make   (the time, if has_time; the numbers that were drawn, in the draw line's order) -> the state, [dim]
 *   log_p  (the time, if has_time; a state, [dim]) -> log p0, [1] */
typedef struct flow_density {
  uint32_t size;                /* sizeof(flow_density) of the compiler */
  uint32_t draws, has_time, draw_bytes;         /* draw_bytes: sizeof(flow_draw) of the compiler */
  double time;                  /* of the flow's start */
  const flow_draw *draw;        /* [draws] */
  const flow_model *make, *log_p;
  const void *make_blob, *log_p_blob;           /* as flow_variant.blob */
} flow_density;

#define FLOW_EXPORT_TABLE_BYTES                                                                                     \
  ((uint32_t)(sizeof(flow_variant) + sizeof(flow_level) + sizeof(flow_weight) + sizeof(flow_pack) + sizeof(flow_condition)))

typedef struct flow_export {
  uint32_t abi, size;           /* FLOW_EXPORT_ABI, sizeof(flow_export) of the compiler */
  uint32_t dim, precision, variants;
  uint32_t table_bytes;         /* FLOW_EXPORT_TABLE_BYTES of the compiler: rows of tables cannot grow without a new ABI */
  const char *name;             /* of the flow or the field */
  const char *maker;            /* "flowc 0.1.0 (LLVM 19.1.7)" */
  const char *description;      /* JSON: what `flowc inspect` prints */
  const flow_variant *variant;
  flow_start start;
  flow_plan plan;
  const flow_density *density;  /* FLOW_START_DENSITY */
  const flow_rows *rows;        /* FLOW_START_GIVEN; NULL: the caller hands them in */
} flow_export;
#define FLOW_EXPORT_LEAST_BYTES offsetof(flow_export, density)  /* of the first libraries */

typedef const flow_export *flow_export_function(void);

#ifdef __cplusplus
}
#endif
#endif
