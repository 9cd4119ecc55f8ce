/* SPDX-License-Identifier: Apache-2.0 */
/* probed.c -- samples whose log-densities are estimated by probes: the same samples once more for each K of them, K being what
 * the library has code for, until there are as many as were asked for. */
#include "api.h"
#include "estimate.h"
#include <math.h>

typedef struct Probed {
  ApiSolve *solve;
  FlowSink *sink;               /* of the first pass: takes the samples */
  FlowEstimate *estimate;       /* [count] */
  uint32_t pass;
} Probed;

static flow_status take(void *user, const FlowRows *rows, flow_error *error) {
  Probed *self = user;
  const flowrt_request *r = &self->solve->request;
  size_t at = (size_t)(rows->first - r->first);
  for (uint64_t i = 0; i < rows->count; i++) {
    FlowEstimate *estimate = &self->estimate[at + i];
    for (uint32_t e = 0; e < rows->extras && estimate->count < r->probes; e++) flow_estimate_add(estimate, rows->integral[i * rows->extras + e]);
  }
  if (self->pass) return FLOW_OK;
  flow_status status = self->sink(self->solve, rows, error);
  for (uint64_t i = 0; i < rows->count; i++) r->log_p[at + i] = rows->log_density[i];
  return status;
}

static int tell(void *user, uint64_t done, uint64_t total) {
  const Probed *self = user;
  const flowrt_request *r = &self->solve->request;
  uint64_t passes = r->probes / self->solve->probes.count + (r->probes % self->solve->probes.count != 0);
  return r->progress(r->user, total * self->pass / passes + done / passes, total);
}

static flow_status run(Probed *self, flow_error *error) {
  ApiSolve *s = self->solve;
  const flowrt_request *r = &s->request;
  FlowSummary summary = {0};
  flow_status status = FLOW_OK;
  s->sampling.sink = take;
  s->sampling.user = self;
  s->sampling.progress = r->progress ? tell : NULL;
  for (uint64_t first = 0; !status && first < r->probes; first += s->probes.count, self->pass++) {
    s->probes.first = (uint32_t)first;
    status = flow_sample(&s->sampling, error);
    if (first == 0) summary = s->summary;
  }
  s->summary = summary;
  for (uint64_t i = 0; !status && i < r->count; i++) {
    r->log_p[i] += self->estimate[i].mean;
    if (r->standard_error) r->standard_error[i] = flow_estimate_error(&self->estimate[i]);
    if (r->probes_used) r->probes_used[i] = (uint32_t)self->estimate[i].count;
  }
  return status;
}

flow_status api_sample_by_probes(ApiSolve *s, flow_error *error) {
  Probed self = {.solve = s, .sink = s->sampling.sink};
  const FlowAllocator *allocator = s->sampling.allocator;
  size_t count = (size_t)s->request.count;
  if (s->request.target > 0)
    return flow_fail(error, FLOW_BAD_CALL, "a standard error as `target` is for flowrt_log_prob; samples have a number of probes");
  self.estimate = flow_alloc_array(allocator, count + 1, sizeof *self.estimate);
  if (!self.estimate) return flow_fail(error, FLOW_NO_MEMORY, "out of memory for the estimates of %zu samples", count);
  flow_status status = run(&self, error);
  flow_free(allocator, self.estimate, (count + 1) * sizeof *self.estimate);
  return status;
}
