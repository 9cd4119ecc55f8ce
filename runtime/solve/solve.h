/* SPDX-License-Identifier: Apache-2.0 */
/* solve.h -- fixed-step solves: from a source to the data, rows of samples as they come.
 *
 *   FlowSource normal = {.kind = FLOW_SOURCE_NORMAL, .dim = model->dim};
 *   FlowSummary summary;
 *   FlowSampling what = {.model = model, .level = level, .weights = blob.data, .source = &normal, .seed = 1, .end = 10000,
 *                        .tableau = flow_tableau_find("rk4"), .steps = 20, .t1 = 1, .allocator = &flow_standard_allocator,
 *                        .sink = write_rows, .user = writer, .summary = &summary};
 *   if (!(status = flow_sample(&what, &error))) status = flow_summary_status(&summary, &error);
 *
 * SAME BITS.  Sample i is a function of (model, weights, source, seed, stream, i, method, steps, times, conditions).  It does
 * not depend on the range that it is part of, the threads, the tiles, the chunks or the level of the CPU.
 *
 * HOW.  Samples go through the whole solve in tiles of at most level->lanes; the last tile is narrower, its idle lanes are
 * copies of its last sample.  A chunk of a few tiles for each thread is in flight at once and handed to the sink when it
 * has arrived, so memory does not grow with the number of samples.  What depends on t alone is computed once for all
 * (times.h), or in windows of steps where all rows together would be larger than `times_bytes`.
 *
 * EXTRAS (flow/model.h).  Before every step the extras' rows are 0; what the step leaves in them is added to a sum in f64,
 * one for each sample and extra, so that the integral of a rate such as -div u is a sum in f64 in both precisions.  Stages of
 * weight 0 compute no rates.  A model whose last condition is probes (probes.h) gets them from `probes`.
 *
 * FAILURES OF A SAMPLE are data: its row is delivered with a status byte, its neighbours keep their bits, and the summary
 * counts it.  flow_sample itself then answers FLOW_OK; flow_summary_status makes a FAILED_SAMPLES of it. */
#ifndef FLOW_SOLVE_H
#define FLOW_SOLVE_H
#include "grid.h"
#include "model.h"
#include "probes.h"
#include "source.h"
#include "tableau.h"

/* X(name, what it means): the status of a sample. */
#define FLOW_SAMPLE_STATUS_LIST(X)                                                     \
  X(OK, "arrived")                                                                     \
  X(NON_FINITE, "a component of its state is infinite or not a number")                \
  X(BAD_START, "a component of the point that it starts from is infinite or not a number") \
  X(OUTSIDE, "outside of the source's support: its density is 0")                      \
  X(NO_DENSITY, "its log-density is infinite, too large for a number, or not a number")                         \
  X(TOO_MANY_STEPS, "more attempted steps than are allowed")                           \
  X(STEP_TOO_SMALL, "its step became too small: a singularity, a jump, or a tolerance beyond the precision") \
  X(NON_FINITE_VELOCITY, "its velocity became infinite or not a number")
typedef enum FlowSampleStatus {
#define X(name, text) FLOW_SAMPLE_##name,
  FLOW_SAMPLE_STATUS_LIST(X)
#undef X
  FLOW_SAMPLE_STATUS_COUNT
} FlowSampleStatus;
const char *flow_sample_status_text(FlowSampleStatus status);

/* Rows on their way to the caller; valid during the call of the sink. */
typedef struct FlowRows {
  uint64_t first, count;        /* samples first .. first + count - 1, or these places in `picked` */
  const void *value;            /* [count][dim], C order, model precision */
  const uint8_t *status;        /* [count] of FlowSampleStatus */
  uint32_t extras;              /* of the model; 0 where the sampling is `quiet` */
  const double *integral;       /* [count][extras]: of each rate from t0 to t1, or NULL */
  const double *log_density;    /* [count]: see FlowSampling.density, or NULL */
  const struct FlowSampleReport *report;        /* [count] after adaptive steps (adaptive.h), or NULL */
} FlowRows;

/* Receives rows in ascending order, on the calling thread.  A status that is not FLOW_OK stops the solve and is its answer. */
typedef flow_status FlowSink(void *user, const FlowRows *rows, flow_error *error);
/* Called now and then, on the calling thread; `done` counts samples, parts of a solve included.  Not 0: stop. */
typedef int FlowProgress(void *user, uint64_t done, uint64_t total);

typedef struct FlowSummary {
  uint64_t samples;                                     /* delivered */
  uint64_t failed;                                      /* of these, not FLOW_SAMPLE_OK */
  uint64_t first_failed;                                /* index of the first of them; UINT64_MAX if there is none */
  FlowSampleStatus first_status;                        /* what happened to it */
  uint64_t by_status[FLOW_SAMPLE_STATUS_COUNT];
  uint64_t evaluations;                                 /* of the velocity, for each sample */
} FlowSummary;
/* FLOW_OK, or FLOW_FAILED_SAMPLES with how many, why and the first one. */
flow_status flow_summary_status(const FlowSummary *summary, flow_error *error);

typedef struct FlowSampling {   /* unset = 0; everything is borrowed */
  const flow_model *model;
  const flow_level *level;      /* NULL: the best for this processor */
  const void *weights;          /* data of the blob that flow_model_pack made */
  const FlowSource *source;
  uint64_t seed;
  uint32_t stream;              /* FLOW_STREAM_SOURCE */
  uint64_t first, end;          /* samples first .. end - 1 */
  const FlowTableau *tableau;
  uint64_t steps;
  const FlowGrid *grid;         /* NULL: equal steps */
  double t0, t1;                /* t1 < t0 solves backwards */
  const FlowTensor *condition;  /* [model->conditions], without the probes: see model.h */
  const FlowProbes *probes;     /* the model's last condition, [probes->count * dim] numbers; NULL where it is like the others */
  bool quiet;                   /* the states are all that is wanted: no rates are computed */
  const FlowSource *density;    /* rows have its log-density at their start, or with density_at_end at their end; NULL: not */
  bool density_at_end;
  const uint64_t *picked;       /* NULL, or [end]: not samples first .. end - 1, but picked[first] .. picked[end - 1] */
  bool source_by_place;         /* picked: the source's row i is for picked[i] */
  int threads;                  /* 0: as many as OpenMP offers */
  size_t times_bytes;           /* most memory for rows of stage times; 0: 64 MiB */
  const FlowAllocator *allocator;
  FlowSink *sink;
  FlowProgress *progress;       /* may be NULL */
  void *user;                   /* for sink and progress */
  FlowSummary *summary;         /* may be NULL; filled whatever the answer is */
  const struct FlowAdaptive *adaptive;  /* NULL: `steps` steps; else steps that adapt as its other members say (adaptive.h) */
} FlowSampling;

/* BAD_CALL, BAD_INPUT (source, conditions, model), NO_MEMORY, CANCELLED (progress said so), INTERNAL (the model refused a
 * call), or the sink's.  Rows that the sink has taken before are good. */
flow_status flow_sample(const FlowSampling *what, flow_error *error);

/* For the drivers of solves: is the sampling well formed?  Counts rows that have been delivered. */
flow_status flow_sampling_check(const FlowSampling *what, flow_error *error);
void flow_summary_count(FlowSummary *summary, const FlowRows *rows);

#endif
