/* SPDX-License-Identifier: Apache-2.0 */
/* api.h -- what the files of libflowrt share: an open model, and a request as the drivers of solve/ read it. */
#ifndef FLOW_API_H
#define FLOW_API_H
#include "adaptive.h"
#include "flow/flow.h"
#include "likelihood.h"
#include "model.h"
#include "solve.h"
#include <stdbool.h>

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
  bool has_source;
  uint32_t variants;
  ApiVariant variant[API_MOST_VARIANTS];
};

/* NULL where the model has no such variant. */
const ApiVariant *api_variant(const flowrt_model *model, uint32_t computes);
flow_status api_lacks(const flowrt_model *model, const char *what, flow_error *error);

/* file.c: is this a whole library that may be loaded?  Loads it. */
flow_status api_load(const char *path, void **library, const flow_export **exported, flow_error *error);
void api_unload(void *library);

/* A request, resolved.  Points into itself: do not copy. */
typedef struct ApiSolve {
  const flowrt_model *model;
  flowrt_request request;       /* as large as this library knows it */
  FlowSampling sampling;
  FlowAdaptive adaptive;
  FlowAdaptiveSummary adaptive_summary;
  FlowSummary summary;
  FlowGrid grid;
  FlowSource source;
  FlowTensor from;
  FlowTensor condition[API_MOST_CONDITIONS];    /* at the end: only those that there are, are set */
} ApiSolve;

/* Copies what there is of the caller's struct; BAD_CALL where its size makes no sense. */
flow_status api_take(void *to, size_t size, const void *from, const char *type, flow_error *error);
/* computes: the variant that the solve is by, where the model is not a jump. */
flow_status api_resolve(ApiSolve *solve, const flowrt_model *model, const flowrt_request *request, uint32_t computes,
                        const FlowAllocator *allocator, flow_error *error);
flow_status api_conditions(const flowrt_model *model, const flowrt_array *condition, uint64_t first, uint64_t count,
                           FlowTensor *to, flow_error *error);
flow_status api_sample(const flowrt_model *model, const flowrt_request *request, const FlowAllocator *allocator,
                       flow_error *error);
flow_status api_log_prob(const flowrt_model *model, const flowrt_request *request, const FlowAllocator *allocator,
                         flow_error *error);
flow_status api_summarise(const ApiSolve *solve, flow_error *error);

#endif
