/* SPDX-License-Identifier: Apache-2.0 */
/* api.h -- what the files of libflowrt share: an open model, and a request as the drivers of solve/ read it. */
#ifndef FLOW_API_H
#define FLOW_API_H
#include "adaptive.h"
#include "drawn.h"
#include "flow/flow.h"
#include "likelihood.h"
#include "model.h"
#include "solve.h"
#include "threads.h"
#include <stdbool.h>
#include <stddef.h>

enum { API_MOST_VARIANTS = 16, API_MOST_CONDITIONS = 64 };

typedef struct ApiVariant {
  const flow_variant *of;
  const flow_level *level, *few;        /* few: for fewer than FLOW_FEW_SAMPLES samples */
  const void *weights;
  FlowBlob own;                 /* data NULL: the weights are the library's */
} ApiVariant;

struct flowrt_model {
  FlowAllocator allocator;
  const flow_export *exported;
  void *library;                /* of dlopen, or NULL */
  FlowSource source;            /* kind TENSOR without a tensor: there is none */
  ApiDrawn drawn;               /* kind DRAWN: checked; else of NULL */
  FlowTensors points;           /* of a file that the caller named */
  FlowTensor rows;              /* source.tensor: of these, or of the library */
  uint32_t variants;
  ApiVariant variant[API_MOST_VARIANTS];
};

/* NULL where the model has no such variant. */
const ApiVariant *api_variant(const flowrt_model *model, uint32_t computes);
flow_status api_lacks(const flowrt_model *model, const char *what, flow_error *error);

/* Does the library's struct have this field?  Older ones are shorter. */
#define API_HAS(exported, field) ((exported)->size >= offsetof(flow_export, field) + sizeof((exported)->field))

/* start.c: the source of the flow. */
flow_status api_start_open(flowrt_model *model, const flowrt_options *options, flow_error *error);

/* file.c: is this a whole library that may be loaded?  Loads it. */
flow_status api_load(const char *path, void **library, const flow_export **exported, flow_error *error);
void api_unload(void *library);

/* A request, resolved.  Points into itself: do not copy; api_release, also after a failure. */
typedef struct ApiSolve {
  const flowrt_model *model;
  flowrt_request request;       /* as large as this library knows it */
  FlowSampling sampling;
  FlowAdaptive adaptive;
  FlowAdaptiveSummary adaptive_summary;
  FlowSummary summary;
  FlowGrid grid;
  FlowSource source, density;
  ApiDrawn drawn;
  FlowProbes probes;
  FlowTensor from;
  FlowTensor condition[API_MOST_CONDITIONS];    /* at the end: only those that there are, are set */
} ApiSolve;

/* Copies what there is of the caller's struct; BAD_CALL where its size makes no sense. */
flow_status api_take(void *to, size_t size, const void *from, const char *type, flow_error *error);
/* measured: with log-densities. */
flow_status api_resolve(ApiSolve *solve, const flowrt_model *model, const flowrt_request *request, bool measured,
                        const FlowAllocator *allocator, flow_error *error);
void api_release(ApiSolve *solve);
flow_status api_start(ApiSolve *solve, bool measured, flow_error *error);
/* Rows for samples first, first + 1, ...: the drivers index by sample, and never below the first. */
FlowTensor api_rows(const char *name, uint32_t precision, const void *data, uint64_t first, uint64_t count, uint64_t size);
flow_status api_conditions(const flowrt_model *model, const flowrt_array *condition, uint64_t first, uint64_t count,
                           FlowTensor *to, flow_error *error);
flow_status api_sample(const flowrt_model *model, const flowrt_request *request, const FlowAllocator *allocator,
                       flow_error *error);
/* probed.c: with log-densities by probes; s->sampling has the sink of the samples. */
flow_status api_sample_by_probes(ApiSolve *solve, flow_error *error);
flow_status api_log_prob(const flowrt_model *model, const flowrt_request *request, const FlowAllocator *allocator,
                         flow_error *error);
flow_status api_summarise(const ApiSolve *solve, flow_error *error);

#endif
