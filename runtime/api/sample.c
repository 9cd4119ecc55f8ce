/* SPDX-License-Identifier: Apache-2.0 */
/* sample.c -- samples, log-densities and paths into the caller's arrays. */
#include "api.h"
#include "trajectory.h"
#include <string.h>

static size_t row_bytes(const ApiSolve *s) { return (size_t)s->sampling.model->dim * s->sampling.model->precision; }

/* ---- samples ------------------------------------------------------------------------------------------------------------- */

static flow_status take_rows(void *user, const FlowRows *rows, flow_error *error) {
  ApiSolve *s = user;
  const flowrt_request *r = &s->request;
  size_t at = (size_t)(rows->first - r->first), row = row_bytes(s);
  (void)error;
  if (r->x) memcpy((char *)r->x + at * row, rows->value, (size_t)rows->count * row);
  if (r->status) memcpy(r->status + at, rows->status, (size_t)rows->count);
  for (uint64_t i = 0; r->log_p && i < rows->count; i++) r->log_p[at + i] = flow_rows_log_p(rows, i, false, false).log_p;
  return FLOW_OK;
}

static int tell(void *user, uint64_t done, uint64_t total) {
  const ApiSolve *s = user;
  return s->request.progress(s->request.user, done, total);
}

static void receive(ApiSolve *s) {
  s->sampling.sink = take_rows;
  s->sampling.progress = s->request.progress ? tell : NULL;
  s->sampling.user = s;
}

static flow_status draw_samples(ApiSolve *s, flow_error *error) {
  if (s->request.log_p) s->sampling.density = &s->density;
  receive(s);
  flow_status status = s->sampling.probes ? api_sample_by_probes(s, error) : flow_sample(&s->sampling, error);
  for (uint64_t i = 0; !status && s->request.standard_error && !s->sampling.probes && i < s->request.count; i++) s->request.standard_error[i] = 0;
  return status ? status : api_summarise(s, error);
}

flow_status api_sample(const flowrt_model *model, const flowrt_request *request, const FlowAllocator *allocator, flow_error *error) {
  ApiSolve s;
  flowrt_request known;
  flow_status status = api_take(&known, sizeof known, request, "flowrt_request", error);
  if (status) return status;
  status = api_resolve(&s, model, request, known.log_p != NULL, allocator, error);
  if (!status) status = draw_samples(&s, error);
  api_release(&s);
  return status;
}

flow_status flowrt_sample(const flowrt_model *model, const flowrt_request *request, flow_error *error) {
  return api_sample(model, request, &model->allocator, error);
}

/* ---- log-densities --------------------------------------------------------------------------------------------------------- */

enum { MOST_PROBES = 4096 };    /* to a target, unless the request says */

static flow_status solve_log_prob(ApiSolve *s, uint8_t *own_status, double *own_log_p, flow_error *error) {
  const flowrt_request *r = &s->request;
  FlowLikelihoodSummary summary;
  FlowTensor data = s->from;
  FlowLikelihood what = {.solve = s->sampling, .data = &data, .data_name = "from", .log_p = r->log_p ? r->log_p : own_log_p,
                         .status = r->status ? r->status : own_status, .standard_error = r->standard_error, .probes_used = r->probes_used,
                         .latent = r->x, .target = r->target, .most_probes = r->probes ? r->probes : MOST_PROBES,
                         .all_probes = r->target > 0 ? 0 : r->probes, .summary = &summary};
  what.solve.source = &s->density;
  what.solve.quiet = false;
  if (r->progress) {
    what.solve.progress = tell;
    what.solve.user = s;
  }
  memset(&summary, 0, sizeof summary);
  flow_status status = flow_log_likelihood(&what, error);
  s->summary = summary.solve;
  return status;
}

static flow_status log_prob(ApiSolve *s, flow_error *error) {
  const FlowAllocator *allocator = s->sampling.allocator;
  size_t count = (size_t)s->request.count;
  uint8_t *own_status = s->request.status ? NULL : flow_alloc(allocator, count + 1);
  double *own_log_p = s->request.log_p ? NULL : flow_alloc_array(allocator, count + 1, sizeof *own_log_p);
  flow_status status = FLOW_OK;
  if ((!s->request.status && !own_status) || (!s->request.log_p && !own_log_p))
    status = flow_fail(error, FLOW_NO_MEMORY, "out of memory for the log-densities of %zu points", count);
  if (!status) status = solve_log_prob(s, own_status, own_log_p, error);
  flow_free(allocator, own_log_p, (count + 1) * sizeof *own_log_p);
  flow_free(allocator, own_status, count + 1);
  return status ? status : api_summarise(s, error);
}

flow_status api_log_prob(const flowrt_model *model, const flowrt_request *request, const FlowAllocator *allocator, flow_error *error) {
  ApiSolve s;
  flowrt_request known;
  flow_status status = api_take(&known, sizeof known, request, "flowrt_request", error);
  if (status) return status;
  if (!known.from) return flow_fail(error, FLOW_BAD_CALL, "flowrt_log_prob wants data in `from`");
  status = api_resolve(&s, model, request, true, allocator, error);
  if (!status) status = log_prob(&s, error);
  api_release(&s);
  return status;
}

flow_status flowrt_log_prob(const flowrt_model *model, const flowrt_request *request, flow_error *error) {
  return api_log_prob(model, request, &model->allocator, error);
}

/* ---- paths ------------------------------------------------------------------------------------------------------------------ */

typedef struct Path {
  ApiSolve s;
  char *state;
  uint8_t *status;
} Path;

static flow_status take_path(void *user, size_t time, const FlowRows *rows, flow_error *error) {
  Path *path = user;
  size_t at = time * (size_t)path->s.request.count + (size_t)(rows->first - path->s.request.first), row = row_bytes(&path->s);
  (void)error;
  if (path->state) memcpy(path->state + at * row, rows->value, (size_t)rows->count * row);
  if (path->status) memcpy(path->status + at, rows->status, (size_t)rows->count);
  return FLOW_OK;
}

static int tell_of_path(void *user, uint64_t done, uint64_t total) { return tell(&((Path *)user)->s, done, total); }

static flow_status follow(Path *self, const double *time, size_t times, flow_error *error) {
  ApiSolve *s = &self->s;
  if (s->sampling.model->jump)
    return flow_fail(error, FLOW_BAD_CALL, "%s is given by a map, and a path is solved: set `rtol`, or `method` and `steps`", s->model->exported->name);
  s->sampling.progress = s->request.progress ? tell_of_path : NULL;
  s->sampling.user = self;
  s->sampling.sink = NULL;
  flow_status status = flow_trajectory(&s->sampling, time, times, take_path, error);
  return status ? status : api_summarise(s, error);
}

flow_status flowrt_trajectory(const flowrt_model *model, const flowrt_request *request, const double *time, size_t times, void *path, uint8_t *status,
                              flow_error *error) {
  Path self;
  self.state = path;
  self.status = status;
  if (!time || times == 0) return flow_fail(error, FLOW_BAD_CALL, "a trajectory wants at least one time");
  flow_status answer = api_resolve(&self.s, model, request, false, &model->allocator, error);
  if (!answer) answer = follow(&self, time, times, error);
  api_release(&self.s);
  return answer;
}

const char *flowrt_status_text(uint8_t status) { return flow_sample_status_text((FlowSampleStatus)status); }
