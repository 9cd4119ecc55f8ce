/* SPDX-License-Identifier: Apache-2.0 */
/* flow/flow.h -- libflowrt: compiled flow models in any program, in C99 and C++17.
 *
 *     flowc moons.flow -o moons.so
 *     cc main.c $(pkg-config --cflags --libs flowrt)
 *
 *     #include <flow/flow.h>
 *     flow_error error;
 *     flowrt_model *model;
 *     float x[1000 * 2];
 *     double log_p[1000];
 *     flowrt_request request = {.size = sizeof request, .count = 1000, .seed = 1, .x = x, .log_p = log_p};
 *     flow_status status = flowrt_open("./moons.so", NULL, &model, &error);
 *     if (!status) status = flowrt_sample(model, &request, &error);
 *     if (status) fprintf(stderr, "%s\n", error.text);
 *     flowrt_close(model);                                                NULL is fine
 *
 * WHAT A CALL ANSWERS.  A flow_status (status.h); 0 is well.  The sentence about a failure is in the flow_error that the caller
 * hands in (or NULL).  A sample that fails numerically is data: it has a status of its own, its neighbours are right, and
 * the call answers FLOW_FAILED_SAMPLES where at least one did.  The library never prints, exits, aborts, changes the locale,
 * the environment, signals or the rounding mode, and reads no clock.
 *
 * MODELS are opened from a .so, or from the struct that a linked-in object (or the compiler library, flow/flowc.h) hands out.
 * An open model never changes: any number of threads may use it at once, and any number of models may be open.  To use other
 * weights, open the same file again with them: the code is shared.
 *
 * ARRAYS are in C order, [count][dim], in the model's precision (flowrt_precision: FLOW_F32 float, FLOW_F64 double).  Times,
 * log-densities and tolerances are double always.  Nothing has to be aligned beyond its own type.
 *
 * SAME BITS.  Sample i is a function of (model, weights, seed, i, method, steps or tolerances, conditions): the same as from `flowc
 * sample`, whatever the count, the threads or the processor.  Where steps adapt, log p takes part in their error: a sample with log p has
 * other steps, within the same tolerance, than one without.
 *
 * PROBES.  Log p needs the trace of the velocity's Jacobian.  It is computed exactly for states of up to 64 numbers; a library of
 * a larger state, or one that is compiled with `--probes K`, estimates it by random vectors (Hutchinson), K in one solve and in as
 * many solves as it takes: the same bits as `flowc logp --probes N` with the same seed.  (Where steps adapt they keep to the
 * tolerance for all K estimates of a solve, so there this holds for N = K.)
 *
 * REAL TIME.  flowrt_prepare allocates all that solves of up to `count` samples need.  Where `threads` is 1, flowrt_solve then
 * neither allocates nor opens nor locks anything, and stays on the calling thread; with more, OpenMP's library does what it does.
 *
 * FORK.  A process that was forked after a call on several threads has none of OpenMP's threads; its calls are on one.  (If the program has
 * parallel regions of its own before it forks, it says `threads` = 1 in the child.)
 *
 * STRUCTS begin with their size as the caller knows it: write `.size = sizeof request`, and all that is not set is 0.  They grow
 * at their end, so that a program runs with a newer library; a library that is older than the program refuses them. */
#ifndef FLOW_FLOW_H
#define FLOW_FLOW_H
#include "export.h"
#include "status.h"
#ifdef __cplusplus
extern "C" {
#endif

/* ---- models ---------------------------------------------------------------------------------------------------------- */

typedef struct flowrt_model flowrt_model;

/* As realloc: old NULL allocates, new_size 0 frees and returns NULL. */
typedef struct flowrt_allocator {
  void *(*resize)(void *user, void *old_memory, size_t old_size, size_t new_size);
  void *user;
} flowrt_allocator;

typedef struct flowrt_options {
  uint32_t size;                /* sizeof(flowrt_options) */
  uint32_t cpu;                 /* 0: the best that the processor has; FLOW_CPU_V3, FLOW_CPU_V4: this one alone */
  const char *weights_path;     /* a .safetensors or .npz, in place of the weights in the library; or NULL */
  const void *weights;          /* the bytes of a .safetensors; or NULL.  Not kept */
  size_t weights_bytes;
  const flowrt_allocator *allocator;    /* NULL: malloc.  Copied; used by all calls on the model, from their threads */
  const char *source_path;      /* where the flow's source is a file: its points (.npy, .npz, .csv, .safetensors), in place of those
                                   in the library; or NULL */
} flowrt_options;

/* From a file.  Before anything of it runs it is checked: a whole ELF library for this kind of processor, which not everyone
 * may write to.  What it does then is as trusted as any library that a program loads.  options NULL: all 0.
 * BAD_FILE (there is none, it is cut off, ...), BAD_INPUT (made for another interface, weights that do not fit), NO_MEMORY. */
flow_status flowrt_open(const char *path, const flowrt_options *options, flowrt_model **model, flow_error *error);
/* From a struct that stays where it is until the model is closed. */
flow_status flowrt_open_export(const flow_export *exported, const flowrt_options *options, flowrt_model **model,
                               flow_error *error);
void flowrt_close(flowrt_model *model);

const char *flowrt_name(const flowrt_model *model);             /* of the flow */
const char *flowrt_description(const flowrt_model *model);      /* JSON */
uint32_t flowrt_dim(const flowrt_model *model);                 /* numbers of a state */
uint32_t flowrt_precision(const flowrt_model *model);           /* bytes of a number */
uint32_t flowrt_cpu(const flowrt_model *model);                 /* whose code is used: FLOW_CPU_... */
uint32_t flowrt_conditions(const flowrt_model *model);          /* extra inputs */
const char *flowrt_condition_name(const flowrt_model *model, uint32_t index);   /* NULL beyond the last */
uint64_t flowrt_condition_size(const flowrt_model *model, uint32_t index);      /* numbers; 0 beyond the last */
int flowrt_computes(const flowrt_model *model, uint32_t what);  /* 1: it has the variant FLOW_COMPUTES_... (export.h) */
const flow_export *flowrt_exported(const flowrt_model *model);

const char *flowrt_version(void);                               /* "0.1.0" */

/* ---- solves ---------------------------------------------------------------------------------------------------------- */

typedef struct flowrt_array {   /* a condition's numbers, in the model's precision */
  const void *data;
  uint64_t rows;                /* 1: the same for all samples; else `count`, a row for each */
} flowrt_array;

/* Now and then, on the calling thread; `done` counts samples.  Not 0: stop, with FLOW_CANCELLED. */
typedef int flowrt_progress(void *user, uint64_t done, uint64_t total);

typedef struct flowrt_summary {
  uint64_t samples, failed;
  uint64_t first_failed;        /* place of the first of these; UINT64_MAX: none */
  uint64_t evaluations;         /* of the velocity, for each sample; adaptive steps: the median */
  uint64_t most_evaluations;    /* of one sample */
  uint64_t rejected;            /* attempted steps of all samples that were too long */
} flowrt_summary;

enum { FLOWRT_RADEMACHER, FLOWRT_GAUSSIAN };    /* components of a probe: +1 or -1, or standard normal */

typedef struct flowrt_request {
  uint32_t size;                /* sizeof(flowrt_request) */
  int32_t threads;              /* 0: all cores */
  uint64_t count;               /* samples, or points */
  uint64_t first;               /* the first one's number: samples first .. first + count - 1 of the seed */
  uint64_t seed;
  const void *from;             /* [count][dim] or NULL.  sample, trajectory: starting points in place of the flow's source;
                                   log_prob: the data, which it needs */
  const flowrt_array *condition;        /* [conditions] */
  /* how: unset, as the flow says; without that, adaptive steps by dopri5 */
  const char *method;           /* "rk4"; `flowc help solvers` lists them */
  uint64_t steps;               /* so many equal steps */
  double rtol, atol, ltol;      /* adaptive steps, each sample its own; ltol: of log p.  0: 1e-6 in f32, 1e-9 in f64 */
  uint64_t most_attempts;       /* of a sample; 0: 10,000 */
  flowrt_progress *progress;    /* or NULL */
  void *user;                   /* for progress */
  /* what: NULL where it is not wanted */
  void *x;                      /* [count][dim]: the samples, of one that failed the place where it stopped; log_prob: the points of the source that the data come from */
  double *log_p;                /* [count]: log-densities, in nats */
  uint8_t *status;              /* [count]: 0, or what happened (flowrt_status_text) */
  flowrt_summary *summary;
  /* log p by random vectors, PROBES below */
  uint32_t probes;              /* how many for each point; 0: the exact trace */
  uint32_t probe;               /* FLOWRT_RADEMACHER, ... */
  double target;                /* log_prob: above 0: each point has as many probes as a standard error of its log p of this takes, no
                                   more than `probes` (0: 4096).  Its first 16 or more only decide how many follow, at least 8, and
                                   those alone are its estimate (Stein, Ann. Math. Stat. 16 (1945), 243): without bias, with a
                                   standard error that is true and, for all but a few points, at most this */
  double *standard_error;       /* [count] or NULL: of each log p; NaN for one probe, 0 where the trace is exact */
  uint32_t *probes_used;        /* [count] or NULL; of both stages */
} flowrt_request;

/* Draws samples; with log_p their log-densities too, computed on the way.  FAILED_SAMPLES, BAD_CALL, BAD_INPUT, NO_MEMORY,
 * CANCELLED. */
flow_status flowrt_sample(const flowrt_model *model, const flowrt_request *request, flow_error *error);
/* log p of the data `from`. */
flow_status flowrt_log_prob(const flowrt_model *model, const flowrt_request *request, flow_error *error);
/* The states at times, in any order: path is [times][count][dim], status may be NULL or [times][count]; the request's x, log_p and
 * status are not used.  Where steps adapt, a sample that fails has NaN at the times that it did not live to see.  The steps are those of flowrt_sample, whatever the times are; between them it is the method's dense output. */
flow_status flowrt_trajectory(const flowrt_model *model, const flowrt_request *request, const double *time, size_t times,
                              void *path, uint8_t *status, flow_error *error);

/* What became of a sample, in words. */
const char *flowrt_status_text(uint8_t status);

/* ---- the velocity itself ------------------------------------------------------------------------------------------------ */

typedef struct flowrt_points {
  uint32_t size;                /* sizeof(flowrt_points) */
  int32_t threads;              /* 0: all cores */
  uint64_t count;
  const double *t;              /* [times] */
  uint64_t times;               /* 1, or count: each point its own */
  const void *x;                /* [count][dim] */
  const flowrt_array *condition;
  const void *direction;        /* [count][dim]: v of jvp, w of vjp */
  void *velocity;               /* [count][dim] or NULL */
  void *divergence;             /* [count] or NULL, in the model's precision: div u */
  void *jvp;                    /* [count][dim] or NULL: (du/dx) v */
  void *vjp;                    /* [count][dim] or NULL: w (du/dx), where the library is compiled with --vjp */
} flowrt_points;

flow_status flowrt_evaluate(const flowrt_model *model, const flowrt_points *points, flow_error *error);

/* ---- real time ----------------------------------------------------------------------------------------------------------- */

typedef struct flowrt_solver flowrt_solver;     /* for one thread at a time */

/* All that flowrt_sample (or, with log_prob = 1, flowrt_log_prob) needs for requests like this one, which is tried out, with all results
 * that a request may want and without; its texts and its method hold for all solves.  The model must stay open. */
flow_status flowrt_prepare(const flowrt_model *model, const flowrt_request *request, int log_prob, flowrt_solver **solver,
                           flow_error *error);
/* The request's method, steps, tolerances, probes and threads are those of flowrt_prepare, its count no larger; all else may
 * change. */
flow_status flowrt_solve(flowrt_solver *solver, const flowrt_request *request, flow_error *error);
void flowrt_solver_close(flowrt_solver *solver);

#ifdef __cplusplus
}
#endif
#endif
