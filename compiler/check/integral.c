/* SPDX-License-Identifier: Apache-2.0 */
/* integral.c -- integrals over a region and its surface, by product rules or by random pairs of points. */
#include <math.h>
#include "estimate.h"
#include "integral.h"

static const double rule_agreement = 1e-11, standard_errors = 4, slow_convergence = 10;
enum {
  MOST_PAIRS = 10000, LEAST_PAIRS = 200,
  LEAST_ORDER = 4,
  PAIR_BUDGET = 100000000,              /* scalar operations */
  INTERPRETED = 20000000                /* of one rule; beyond, compiled code in the interpreter's place */
};

/* ---- integrands -------------------------------------------------------------------------------------------------------------- */

static double outward(const double *u, const double *normal, uint32_t dim) {
  double sum = 0;
  for (uint32_t k = 0; k < dim; k++) sum += u[k] * normal[k];
  return sum;
}

static double value_of(const Integrals *all, const Integrand *what, const double *f, const double *log_weight, const double *normal) {
  double value = what->surface ? outward(f, normal, all->region.dim) : what->sign * f[what->place];
  return log_weight ? value * exp(log_weight[0]) : value;
}

static const double *evaluate(Integrals *all, const Function *f, const double *point, double *result) {
  all->input[1] = point;
  function_run(all->v, f, all->input, result);
  return result;
}

/* normal: NULL inside. */
static double value_at(Integrals *all, const Integrand *what, const double *point, const double *normal) {
  const double *f = evaluate(all, what->f, point, all->room[0]), *weight = NULL;
  if (what->log_weight) weight = what->log_weight == what->f ? f : evaluate(all, what->log_weight, point, all->room[1]);
  return value_of(all, what, f, weight, normal);
}

/* ---- product rules ------------------------------------------------------------------------------------------------------------ */

/* f at all nodes by compiled code, where the interpreter would take too long; NULL: that it shall do. */
static const double *at_nodes(Integrals *all, const Function *f, const Rule *rule) {
  Verify *v = all->v;
  if (!f || rule->count < INTERPRETED / function_cost(f)) return NULL;
  uint64_t row = 0, filled = 0;
  for (uint32_t p = 0; p < f->ir->inputs; p++) row += (uint64_t)shape_count(&f->ir->input[p].shape);
  double *inputs = new_rows(v, rule->count, row), *results = new_rows(v, rule->count, f->results);
  for (uint64_t i = 0; i < rule->count; i++) {
    for (uint32_t p = 0; p < f->ir->inputs; p++) {
      const Shape *shape = &f->ir->input[p].shape;
      const double *from = p == 1 ? rule->point + i * all->region.dim : all->input[p];
      for (int64_t k = 0; k < shape_count(shape); k++) inputs[filled++] = from[k];
    }
  }
  return function_run_rows(v, f, inputs, rule->count, results) ? results : NULL;
}

static double apply(Integrals *all, const Integrand *what, const Rule *rule, double *size) {
  uint32_t dim = all->region.dim;
  const double *f = at_nodes(all, what->f, rule);
  const double *weight = f && what->log_weight == what->f ? f : f ? at_nodes(all, what->log_weight, rule) : NULL;
  bool known = f && (weight || !what->log_weight);
  double sum = 0;
  *size = 0;
  for (uint64_t i = 0; i < rule->count; i++) {
    const double *point = rule->point + i * dim, *normal = rule->normal ? rule->normal + i * dim : NULL;
    double there = !known ? value_at(all, what, point, normal)
                          : value_of(all, what, f + i * what->f->results, weight ? weight + i * what->log_weight->results : NULL, normal);
    sum += rule->weight[i] * there;
    *size += fabs(rule->weight[i] * there);
  }
  return sum;
}

static Integral by_rules(Integrals *all, const Integrand *what) {
  Arena *arena = &all->v->arena;
  uint32_t axes = all->region.dim - what->surface, most = axes > 2 ? 32 : axes == 2 ? 64 : 256;
  Integral result = {NAN, INFINITY};
  for (uint32_t n = LEAST_ORDER; n <= most && verify_step(all->v, 0); n *= 2) {
    double size;
    Rule rule = what->surface ? rule_surface(arena, &all->region, n) : rule_inside(arena, &all->region, n);
    double value = apply(all, what, &rule, &size);
    if (n > LEAST_ORDER) result.uncertainty = fabs(value - result.value);
    result.value = value;
    if (result.uncertainty <= rule_agreement * (1 + size)) return result;
  }
  result.uncertainty *= slow_convergence;
  return result;
}

/* ---- random pairs --------------------------------------------------------------------------------------------------------------- */

static double pair_value(Integrals *all, const Integrand *what, uint32_t stratum, uint64_t index, double *room) {
  FlowRandom random = {all->v->options.seed, STREAM_REGIONS};
  uint32_t dim = all->region.dim;
  double *normal = room + 2 * dim;
  if (what->surface) pair_surface(&all->region, random, index, stratum, room, normal);
  else pair_inside(&all->region, random, index, room);
  return value_at(all, what, room, normal) + value_at(all, what, room + dim, normal + dim);
}

static Integral by_pairs(Integrals *all, const Integrand *what) {
  uint32_t strata = what->surface ? strata_surface(&all->region) : 1;
  uint64_t each = all->pairs / strata > 2 ? all->pairs / strata : 2;
  double *room = arena_array(&all->v->arena, 4 * (size_t)all->region.dim, sizeof *room), variance = 0;
  Integral result = {0, 0};
  for (uint32_t s = 0; s < strata && verify_step(all->v, 0); s++) {
    FlowEstimate pairs = {0};
    for (uint64_t i = 0; i < each; i++) flow_estimate_add(&pairs, pair_value(all, what, s, s * each + i, room));
    double measure = what->surface ? measure_surface(&all->region, s) : measure_inside(&all->region);
    result.value += measure * pairs.mean;
    variance += pow(measure * flow_estimate_error(&pairs), 2);
  }
  result.uncertainty = standard_errors * sqrt(variance);
  return result;
}

/* ---- the way in ------------------------------------------------------------------------------------------------------------------- */

bool integrals_are_exact(const Integrals *all) { return all->region.dim <= MOST_PRODUCT_DIM; }

void integrals_prepare(Integrals *all, Verify *v, const Region *region, const double **input, const Function *costliest) {
  *all = (Integrals){.v = v, .region = *region, .input = input};
  for (int i = 0; i < 2; i++) all->room[i] = arena_array(&v->arena, (size_t)region->dim + 2, sizeof(double));
  all->pairs = PAIR_BUDGET / function_cost(costliest);
  if (all->pairs > MOST_PAIRS) all->pairs = MOST_PAIRS;
  if (all->pairs < LEAST_PAIRS) all->pairs = LEAST_PAIRS;
}

Integral integrate(Integrals *all, const Integrand *what) {
  return integrals_are_exact(all) ? by_rules(all, what) : by_pairs(all, what);
}
