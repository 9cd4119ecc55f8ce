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
 * Structs grow at their end; `size` says how much of them there is. */
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
  FLOW_COMPUTES_PROBES,         /* `probes` rows: estimates of it; the last condition is probes */
  FLOW_COMPUTES_JVP,            /* dim rows: J v; the last condition is v */
  FLOW_COMPUTES_JUMP            /* not a velocity: the state at the other end (model.h, JUMPS), and -log |det J| where it is exact */
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
  FLOW_START_GIVEN,             /* rows that the caller hands in: the program names a file */
  FLOW_START_NONE               /* the program has no flow, or a source that is not in the library */
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
} flow_export;

typedef const flow_export *flow_export_function(void);

#ifdef __cplusplus
}
#endif
#endif
