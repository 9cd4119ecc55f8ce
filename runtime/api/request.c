/* SPDX-License-Identifier: Apache-2.0 */
/* request.c -- what the caller asks for and what the flow says, as one sampling of solve/. */
#include "api.h"
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

static const char standard_method[] = "dopri5";

flow_status api_take(void *to, size_t size, const void *from, const char *type, flow_error *error) {
  uint32_t has;
  if (!from) return flow_fail(error, FLOW_BAD_CALL, "a %s is NULL", type);
  memcpy(&has, from, sizeof has);
  if (has < 2 * sizeof has || has > size)
    return flow_fail(error, FLOW_BAD_CALL, "a %s of %" PRIu32 " bytes; this library (" FLOWRT_VERSION ") knows %zu: set .size = sizeof(%s)%s", type, has,
                     size, type, has > size ? ", or use a newer library" : "");
  memset(to, 0, size);
  memcpy(to, from, has);
  return FLOW_OK;
}

/* ---- arrays -------------------------------------------------------------------------------------------------------------- */

FlowTensor api_rows(const char *name, uint32_t precision, const void *data, uint64_t first, uint64_t count, uint64_t size) {
  uintptr_t at = (uintptr_t)data - (uintptr_t)(first * size * precision);
  return (FlowTensor){.name = name, .type = precision == FLOW_F32 ? FLOW_TYPE_F32 : FLOW_TYPE_F64, .rank = 2, .dim = {first + count, size},
                      .count = (first + count) * size, .data = (const void *)at};
}

flow_status api_conditions(const flowrt_model *model, const flowrt_array *condition, uint64_t first, uint64_t count, FlowTensor *to, flow_error *error) {
  const flow_model *of = model->variant[0].of->model;
  for (uint32_t i = 0; i < of->conditions; i++) {
    const flow_condition *needs = &of->condition[i];
    if (!condition || !condition[i].data)
      return flow_fail(error, FLOW_BAD_CALL, "%s wants a condition `%s` of %" PRIu64 " numbers", of->name, needs->name, needs->size);
    if (condition[i].rows != 1 && condition[i].rows != count)
      return flow_fail(error, FLOW_BAD_CALL, "condition `%s` has %" PRIu64 " rows; there may be 1, or one for each of %" PRIu64 " samples", needs->name,
                       condition[i].rows, count);
    bool one = condition[i].rows == 1 && count != 1;
    to[i] = api_rows(needs->name, of->precision, condition[i].data, one ? 0 : first, one ? 1 : count, needs->size);
    if (one || first == 0) continue;
    if (condition[i].rows == 1) to[i] = api_rows(needs->name, of->precision, condition[i].data, 0, 1, needs->size);
  }
  return FLOW_OK;
}

/* ---- the solver ------------------------------------------------------------------------------------------------------------ */

static flow_status choose_method(ApiSolve *s, const char *name, bool adaptive, flow_error *error) {
  s->sampling.tableau = flow_tableau_find(name);
  if (!s->sampling.tableau) return flow_fail(error, FLOW_BAD_CALL, "there is no solver `%s`; `flowc help solvers` lists what there is", name);
  if (adaptive && !s->sampling.tableau->error[0].order)
    return flow_fail(error, FLOW_BAD_CALL, "`%s` has no estimate of its error: give it a number of steps, or take %s", name, standard_method);
  return FLOW_OK;
}

static void set_tolerance(ApiSolve *s) {
  const flowrt_request *r = &s->request;
  const flow_plan *plan = &s->model->exported->plan;
  FlowTolerance t = {r->rtol != 0 ? r->rtol : plan->rtol, r->atol != 0 ? r->atol : plan->atol, r->ltol};
  if (t.rtol == 0) t.rtol = t.atol > 0 ? t.atol : flow_standard_tolerance(s->model->exported->precision);
  if (t.atol == 0) t.atol = t.rtol;
  if (t.ltol == 0) t.ltol = t.atol;
  s->adaptive.tolerance = t;
  s->adaptive.most_attempts = r->most_attempts;
  s->adaptive.summary = &s->adaptive_summary;
  s->sampling.adaptive = &s->adaptive;
}

/* The same choice as `flowc sample` makes: adaptive where tolerances are given; steps where they are; else as the flow says. */
static flow_status choose_solver(ApiSolve *s, flow_error *error) {
  const flowrt_request *r = &s->request;
  const flow_plan *plan = &s->model->exported->plan;
  const char *name = r->method ? r->method : plan->method;
  const FlowTableau *tableau = flow_tableau_find(name ? name : standard_method);
  bool adaptive = r->rtol != 0 || r->atol != 0 || (r->steps == 0 && plan->steps == 0 && tableau && tableau->error[0].order);
  if (adaptive && r->steps) return flow_fail(error, FLOW_BAD_CALL, "tolerances let steps adapt, and `steps` says how many: one or the other");
  if (adaptive) {
    set_tolerance(s);
    bool named = r->method || (name && tableau && tableau->error[0].order);
    if (!named) name = flow_automatic_method(s->model->exported->precision, plan->smooth != 0, s->adaptive.tolerance)->name;
    return choose_method(s, name, true, error);
  }
  if (!name) return flow_fail(error, FLOW_BAD_CALL, "the flow names no solver; set `method` beside `steps`");
  static const FlowSpacing spacing[] = {
      [FLOW_STEPS_EQUAL] = FLOW_SPACING_EQUAL, [FLOW_STEPS_COSINE] = FLOW_SPACING_COSINE, [FLOW_STEPS_POWER] = FLOW_SPACING_POWER};
  s->grid = (FlowGrid){.spacing = plan->spacing <= FLOW_STEPS_POWER ? spacing[plan->spacing] : FLOW_SPACING_EQUAL, .power = plan->power, .from = plan->from};
  s->sampling.grid = &s->grid;
  s->sampling.steps = r->steps ? r->steps : plan->steps;
  if (!s->sampling.steps) return flow_fail(error, FLOW_BAD_CALL, "a solve by `%s` wants a number of steps of at least 1", name);
  return choose_method(s, name, false, error);
}

static bool wants_a_solver(const flowrt_request *r) { return r->method || r->steps || r->rtol != 0 || r->atol != 0; }

static bool has_probes(const flowrt_request *r) { return r->probes || r->target != 0; }

static flow_status lacks_log_p(const ApiSolve *s, flow_error *error) {
  if (has_probes(&s->request)) return api_lacks(s->model, "log p by probes: compile it with `--probes K`", error);
  if (api_variant(s->model, FLOW_COMPUTES_PROBES)) return api_lacks(s->model, "exact log p of so large a state: say how many probes, in `probes`", error);
  return api_lacks(s->model, "log-densities", error);
}

static flow_status choose_probes(ApiSolve *s, const ApiVariant *variant, flow_error *error) {
  const flowrt_request *r = &s->request;
  if (r->probe > FLOWRT_GAUSSIAN || !(r->target >= 0))
    return flow_fail(error, FLOW_BAD_CALL, "probes of kind %" PRIu32 " to a standard error of %.17g: the kinds are FLOWRT_RADEMACHER and FLOWRT_GAUSSIAN, the error is at least 0",
                     r->probe, r->target);
  static const FlowProbeKind kind[] = {[FLOWRT_RADEMACHER] = FLOW_PROBE_RADEMACHER, [FLOWRT_GAUSSIAN] = FLOW_PROBE_GAUSSIAN};
  s->probes = (FlowProbes){.kind = kind[r->probe], .seed = r->seed, .count = variant->of->probes};
  s->sampling.probes = &s->probes;
  FlowProbes all = s->probes;
  if (r->probes > all.count) all.count = r->probes;
  return flow_probes_check(&all, s->model->exported->dim, error);
}

/* A flow that is given by a map is one evaluation of it. */
static flow_status choose_variant(ApiSolve *s, bool measured, flow_error *error) {
  bool probes = measured && has_probes(&s->request);
  uint32_t computes = !measured ? FLOW_COMPUTES_VELOCITY : probes ? FLOW_COMPUTES_PROBES : FLOW_COMPUTES_LOG_P;
  const ApiVariant *jump = wants_a_solver(&s->request) ? NULL : api_variant(s->model, FLOW_COMPUTES_JUMP);
  if (jump && probes)
    return flow_fail(error, FLOW_BAD_CALL, "%s is given by a map, and its log p is exact: no probes", s->model->exported->name);
  if (jump && measured && jump->of->model->extras == 0) jump = NULL;
  const ApiVariant *variant = jump ? jump : api_variant(s->model, computes);
  if (!variant) return lacks_log_p(s, error);
  s->sampling.model = variant->of->model;
  s->sampling.level = s->request.count < FLOW_FEW_SAMPLES ? variant->few : variant->level;
  s->sampling.weights = variant->weights;
  s->sampling.quiet = !measured;
  flow_status status = probes ? choose_probes(s, variant, error) : FLOW_OK;
  if (status || !jump) return status ? status : choose_solver(s, error);
  s->sampling.tableau = flow_tableau_find("euler");
  s->sampling.steps = 1;
  return FLOW_OK;
}

flow_status api_resolve(ApiSolve *s, const flowrt_model *model, const flowrt_request *request, bool measured, const FlowAllocator *allocator,
                        flow_error *error) {
  memset(s, 0, offsetof(ApiSolve, condition));
  flow_status status = api_take(&s->request, sizeof s->request, request, "flowrt_request", error);
  if (status) return status;
  const flowrt_request *r = &s->request;
  uint64_t end;
  s->model = model;
  if (__builtin_add_overflow(r->first, r->count, &end)) return flow_fail(error, FLOW_BAD_CALL, "samples beyond the last one that can be numbered");
  if (r->threads < 0 || r->threads > 1024) return flow_fail(error, FLOW_BAD_CALL, "%d threads: 0 means all, otherwise 1 to 1024", r->threads);
  s->sampling = (FlowSampling){.source = &s->source, .seed = r->seed, .first = r->first, .end = end, .t0 = model->exported->plan.from,
                               .t1 = model->exported->plan.to, .condition = s->condition, .threads = r->threads, .allocator = allocator,
                               .progress = r->progress, .user = r->user, .summary = &s->summary};
  status = choose_variant(s, measured, error);
  if (!status) status = api_conditions(model, r->condition, r->first, r->count, s->condition, error);
  return status ? status : api_start(s, measured, error);
}

void api_release(ApiSolve *s) { api_drawn_close(&s->drawn); }

flow_status api_summarise(const ApiSolve *s, flow_error *error) {
  const FlowSummary *summary = &s->summary;
  if (s->request.summary)
    *s->request.summary = (flowrt_summary){
        .samples = summary->samples, .failed = summary->failed,
        .first_failed = summary->failed ? summary->first_failed - s->request.first : UINT64_MAX, .evaluations = summary->evaluations,
        .most_evaluations = s->sampling.adaptive ? s->adaptive_summary.most_evaluations : summary->evaluations,
        .rejected = s->adaptive_summary.rejected};
  return flow_summary_status(summary, error);
}
