/* SPDX-License-Identifier: Apache-2.0 */
/* evaluate.c -- the velocity at points, its divergence and its products with directions. */
#include "api.h"
#include "few.h"
#include <string.h>

typedef struct Points {
  const flowrt_model *model;
  flowrt_points what;
  FlowTensor condition[API_MOST_CONDITIONS];
} Points;

static flow_status run(const Points *p, const ApiVariant *variant, void *u, void *extra, flow_error *error) {
  const FlowEvaluation evaluation = {.model = variant->of->model, .level = p->what.count < FLOW_FEW_SAMPLES ? variant->few : variant->level,
                                     .weights = variant->weights, .count = p->what.count,
                                     .t = p->what.t, .t_per_sample = p->what.times != 1, .x = p->what.x, .u = u, .extra = extra,
                                     .condition = p->condition, .threads = p->what.threads, .allocator = &p->model->allocator};
  flow_status status;
  return api_evaluate_few(&evaluation, &status, error) ? status : flow_evaluate(&evaluation, error);
}

/* The rate of log p is -div u. */
static void negate(const Points *p) {
  for (uint64_t i = 0; i < p->what.count; i++)
    if (p->model->exported->precision == FLOW_F32)
      ((float *)p->what.divergence)[i] *= -1;
    else
      ((double *)p->what.divergence)[i] *= -1;
}

static flow_status check(Points *p, flow_error *error) {
  if (!p->what.t || !p->what.x) return flow_fail(error, FLOW_BAD_CALL, "an evaluation wants times and points");
  if (p->what.times != 1 && p->what.times != p->what.count)
    return flow_fail(error, FLOW_BAD_CALL, "%llu times; there may be 1, or one for each of %llu points", (unsigned long long)p->what.times,
                     (unsigned long long)p->what.count);
  if (p->what.threads < 0 || p->what.threads > 1024) return flow_fail(error, FLOW_BAD_CALL, "%d threads: 0 means all, otherwise 1 to 1024", p->what.threads);
  return api_conditions(p->model, p->what.condition, 0, p->what.count, p->condition, error);
}

/* Room for a velocity that nobody asked for. */
static flow_status with_velocity(const Points *p, const ApiVariant *variant, void *extra, flow_error *error) {
  size_t bytes = (size_t)p->what.count * p->model->exported->dim * p->model->exported->precision;
  void *own = flow_alloc(&p->model->allocator, bytes ? bytes : 1);
  if (!own) return flow_fail(error, FLOW_NO_MEMORY, "out of memory for %zu bytes of velocities", bytes);
  flow_status status = run(p, variant, own, extra, error);
  flow_free(&p->model->allocator, own, bytes ? bytes : 1);
  return status;
}

/* The Jacobian times the directions, or they times it. */
static flow_status evaluate_product(Points *p, uint32_t computes, void *product, flow_error *error) {
  const ApiVariant *variant = api_variant(p->model, computes);
  if (!variant)
    return api_lacks(p->model, computes == FLOW_COMPUTES_VJP ? "vectors times the Jacobian: compile it with `--vjp`" : "products with the Jacobian", error);
  if (!p->what.direction) return flow_fail(error, FLOW_BAD_CALL, "a product with the Jacobian wants directions");
  uint32_t last = variant->of->model->conditions - 1;
  p->condition[last] = (FlowTensor){.name = "direction", .type = p->model->exported->precision == FLOW_F32 ? FLOW_TYPE_F32 : FLOW_TYPE_F64, .rank = 2,
                                    .dim = {p->what.count, p->model->exported->dim}, .count = p->what.count * p->model->exported->dim,
                                    .data = p->what.direction};
  return with_velocity(p, variant, product, error);
}

static flow_status evaluate_divergence(const Points *p, flow_error *error) {
  const ApiVariant *variant = api_variant(p->model, FLOW_COMPUTES_LOG_P);
  if (!variant) return api_lacks(p->model, "exact divergence", error);
  flow_status status = with_velocity(p, variant, p->what.divergence, error);
  if (!status) negate(p);
  return status;
}

flow_status flowrt_evaluate(const flowrt_model *model, const flowrt_points *points, flow_error *error) {
  Points p;                     /* its conditions are many and seldom set */
  p.model = model;
  flow_status status = api_take(&p.what, sizeof p.what, points, "flowrt_points", error);
  if (!status) status = check(&p, error);
  if (!status && p.what.velocity) status = run(&p, &model->variant[0], p.what.velocity, NULL, error);
  if (!status && p.what.divergence) status = evaluate_divergence(&p, error);
  if (!status && p.what.jvp) status = evaluate_product(&p, FLOW_COMPUTES_JVP, p.what.jvp, error);
  if (!status && p.what.vjp) status = evaluate_product(&p, FLOW_COMPUTES_VJP, p.what.vjp, error);
  return status;
}
