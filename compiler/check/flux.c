/* SPDX-License-Identifier: Apache-2.0 */
/* flux.c -- check flux(u, region) == e: the integral of u . n over the region's surface, n its outward normal, against e; and
 * against the integral of div u inside, which Gauss's theorem says is the same.
 *
 * Up to three dimensions the order of the product rules doubles until two agree to 1e-11; what they still differ by is the
 * uncertainty, tenfold where they never agree, as where u has a kink.  Above, random pairs of points: four standard errors. */
#include <math.h>
#include <string.h>
#include "quadrature.h"
#include "verify_parts.h"

static const double flux_bound = 1e-9, rule_agreement = 1e-11, standard_errors = 4, slow_convergence = 10;
enum {
  DRAWS = 8, DRAWS_BY_PAIRS = 2,        /* of the time and the conditions */
  MOST_PAIRS = 10000, LEAST_PAIRS = 200,
  LEAST_ORDER = 4,
  PAIR_BUDGET = 100000000,              /* scalar operations */
  INTERPRETED = 20000000                /* of one rule; beyond, compiled code in the interpreter's place */
};

typedef struct Integral { double value, uncertainty; } Integral;

typedef struct Flux {
  Verify *v;
  Region region;
  Function velocity, with_divergence, right;
  PointNames names;             /* of right, then of the field but for its state */
  double *number;
  const double **right_input, **field_input;
  double *result;               /* of the field with -div u behind it */
  uint64_t pairs;
} Flux;

/* ---- what is drawn ----------------------------------------------------------------------------------------------------------- */

static uint32_t find_name(const PointNames *names, const char *name) {
  for (uint32_t n = 0; n < names->names; n++)
    if (strcmp(names->name[n], name) == 0) return n;
  return names->names;
}

static void gather_names(Verify *v, const TypedCheck *check, PointNames *names) {
  uint32_t most = check->names + check->field->parameters;
  const char **name = arena_array(&v->arena, most, sizeof *name);
  Shape *shape = arena_array(&v->arena, most, sizeof *shape);
  bool *is_time = arena_array(&v->arena, most, sizeof *is_time);
  *names = (PointNames){check->names, name, shape, is_time, NULL};
  for (uint32_t n = 0; n < check->names; n++) {
    name[n] = check->right->parameter_name[n];
    shape[n] = check->right->parameter[n];
    is_time[n] = check->role[n] == ROLE_TIME || strcmp(name[n], check->field->parameter_name[0]) == 0;
  }
  for (uint32_t p = 0; p < check->field->parameters; p++) {
    if (p == 1 || find_name(names, check->field->parameter_name[p]) < names->names) continue;
    name[names->names] = check->field->parameter_name[p];
    shape[names->names] = check->field->parameter[p];
    is_time[names->names++] = p == 0;
  }
}

static void connect(Flux *flux, const TypedCheck *check) {
  Arena *arena = &flux->v->arena;
  const double **all = arena_array(arena, flux->names.names + 1u, sizeof *all);
  flux->number = arena_array(arena, (size_t)point_numbers(&flux->names) + 1, sizeof *flux->number);
  point_inputs(&flux->names, flux->number, all);
  flux->right_input = all;      /* its names come first */
  flux->field_input = arena_array(arena, check->field->parameters, sizeof *flux->field_input);
  for (uint32_t p = 0; p < check->field->parameters; p++)
    if (p != 1) flux->field_input[p] = all[find_name(&flux->names, check->field->parameter_name[p])];
}

/* ---- integrands -------------------------------------------------------------------------------------------------------------- */

static const double *evaluate(Flux *flux, const Function *f, const double *point) {
  flux->field_input[1] = point;
  function_run(flux->v, f, flux->field_input, flux->result);
  return flux->result;
}

static double outward(const double *u, const double *normal, uint32_t dim) {
  double sum = 0;
  for (uint32_t k = 0; k < dim; k++) sum += u[k] * normal[k];
  return sum;
}

static double through(Flux *flux, const double *point, const double *normal) {
  return outward(evaluate(flux, &flux->velocity, point), normal, flux->region.dim);
}

static double divergence(Flux *flux, const double *point) {
  return -evaluate(flux, &flux->with_divergence, point)[flux->region.dim];
}

/* ---- product rules ------------------------------------------------------------------------------------------------------------ */

/* u or u and -div u at all nodes by compiled code, where the interpreter would take too long; NULL: that it shall do. */
static double *at_nodes(Flux *flux, const Function *f, const Rule *rule) {
  Verify *v = flux->v;
  if (rule->count < INTERPRETED / function_cost(f)) return NULL;
  uint64_t row = 0, filled = 0;
  for (uint32_t p = 0; p < f->ir->inputs; p++) row += (uint64_t)shape_count(&f->ir->input[p].shape);
  double *inputs = new_rows(v, rule->count, row), *results = new_rows(v, rule->count, f->results);
  for (uint64_t i = 0; i < rule->count; i++) {
    for (uint32_t p = 0; p < f->ir->inputs; p++) {
      const Shape *shape = &f->ir->input[p].shape;
      const double *from = p == 1 ? rule->point + i * flux->region.dim : flux->field_input[p];
      for (int64_t k = 0; k < shape_count(shape); k++) inputs[filled++] = from[k];
    }
  }
  return function_run_rows(v, f, inputs, rule->count, results) ? results : NULL;
}

static double apply(Flux *flux, const Rule *rule, double *size) {
  uint32_t dim = flux->region.dim;
  const Function *f = rule->normal ? &flux->velocity : &flux->with_divergence;
  const double *known = at_nodes(flux, f, rule);
  double sum = 0;
  *size = 0;
  for (uint64_t i = 0; i < rule->count; i++) {
    const double *point = rule->point + i * dim, *normal = rule->normal ? rule->normal + i * dim : NULL;
    const double *there = known ? known + i * f->results : evaluate(flux, f, point);
    double value = rule->weight[i] * (normal ? outward(there, normal, dim) : -there[dim]);
    sum += value;
    *size += fabs(value);
  }
  return sum;
}

static Integral by_rules(Flux *flux, bool surface) {
  Arena *arena = &flux->v->arena;
  uint32_t axes = flux->region.dim - surface, most = axes > 2 ? 32 : axes == 2 ? 64 : 256;
  Integral result = {NAN, INFINITY};
  for (uint32_t n = LEAST_ORDER; n <= most && verify_step(flux->v, 0); n *= 2) {
    double size;
    Rule rule = surface ? rule_surface(arena, &flux->region, n) : rule_inside(arena, &flux->region, n);
    double value = apply(flux, &rule, &size);
    if (n > LEAST_ORDER) result.uncertainty = fabs(value - result.value);
    result.value = value;
    if (result.uncertainty <= rule_agreement * (1 + size)) return result;
  }
  result.uncertainty *= slow_convergence;
  return result;
}

/* ---- random pairs --------------------------------------------------------------------------------------------------------------- */

static double pair_value(Flux *flux, bool surface, uint32_t stratum, uint64_t index, double *room) {
  FlowRandom random = {flux->v->options.seed, STREAM_REGIONS};
  uint32_t dim = flux->region.dim;
  if (surface) pair_surface(&flux->region, random, index, stratum, room, room + 2 * dim);
  else pair_inside(&flux->region, random, index, room);
  if (surface) return through(flux, room, room + 2 * dim) + through(flux, room + dim, room + 3 * dim);
  return divergence(flux, room) + divergence(flux, room + dim);
}

static Integral by_pairs(Flux *flux, bool surface) {
  uint32_t strata = surface ? strata_surface(&flux->region) : 1;
  uint64_t each = flux->pairs / strata > 2 ? flux->pairs / strata : 2;
  double *room = arena_array(&flux->v->arena, 4 * (size_t)flux->region.dim, sizeof *room), variance = 0;
  Integral result = {0, 0};
  for (uint32_t s = 0; s < strata && verify_step(flux->v, 0); s++) {
    double mean = 0, squares = 0;       /* Welford's sums */
    for (uint64_t i = 0; i < each; i++) {
      double value = pair_value(flux, surface, s, s * each + i, room), before = value - mean;
      mean += before / (double)(i + 1);
      squares += before * (value - mean);
    }
    double measure = surface ? measure_surface(&flux->region, s) : measure_inside(&flux->region);
    result.value += measure * mean;
    variance += measure * measure * squares / (double)(each - 1) / (double)each;
  }
  result.uncertainty = standard_errors * sqrt(variance);
  return result;
}

static Integral integrate(Flux *flux, bool surface) {
  return flux->region.dim <= MOST_PRODUCT_DIM ? by_rules(flux, surface) : by_pairs(flux, surface);
}

/* ---- the lines ---------------------------------------------------------------------------------------------------------------------- */

/* `uncertainty` of both widens the bound. */
static void hold(Flux *flux, VerifyLine *line, double left, double right, double uncertainty) {
  double scale = 1 + fabs(left) + fabs(right), amount = fabs(left - right) / scale;
  double bound = flux_bound + uncertainty / scale;
  if (!isfinite(amount)) amount = left == right ? 0 : INFINITY;
  line->points++;
  line->failed += !(amount <= bound);
  if (line->has_sides && !(amount / bound > line->worst / line->bound)) return;
  line->has_sides = true;
  line->worst = amount;
  line->bound = bound;
  line->left = left;
  line->right = right;
  keep_point(flux->v, &flux->names, flux->number, line);
}

static VerifyLine *flux_line(Flux *flux, const char *what, Span at) {
  VerifyLine *line = verify_line(flux->v, what);
  bool rules = flux->region.dim <= MOST_PRODUCT_DIM;
  line->at = at;
  line->reason = rules ? "relative, and what the rules differ by" : "relative, and four standard errors";
  line->remark = rules ? "by product rules" : arena_format(&flux->v->arena, "by %llu random pairs of points", (unsigned long long)flux->pairs);
  return line;
}

static bool prepare(Flux *flux, const TypedCheck *check, const char *what) {
  Verify *v = flux->v;
  flux->region = (Region){(uint32_t)check->dim, check->is_box, check->low, check->high, check->low, check->radius};
  flux->velocity = function_lower(v, check->field, FLOW_NO_EXTRAS);
  flux->with_divergence = function_lower(v, check->field, FLOW_LOG_P);
  flux->right = function_lower(v, check->right, FLOW_NO_EXTRAS);
  const Function *part[] = {&flux->velocity, &flux->with_divergence, &flux->right};
  for (int i = 0; i < 3; i++) {
    if (part[i]->ir) continue;
    verify_skip(v, what, part[i]->why)->at = check->at;
    return false;
  }
  gather_names(v, check, &flux->names);
  connect(flux, check);
  flux->result = arena_array(&v->arena, (size_t)check->dim + 1, sizeof *flux->result);
  flux->pairs = PAIR_BUDGET / function_cost(&flux->with_divergence);
  if (flux->pairs > MOST_PAIRS) flux->pairs = MOST_PAIRS;
  if (flux->pairs < LEAST_PAIRS) flux->pairs = LEAST_PAIRS;
  return true;
}

void verify_flux(Verify *v, const TypedCheck *check, const char *what) {
  Flux flux = {.v = v};
  if (!prepare(&flux, check, what)) return;
  VerifyLine *claimed = flux_line(&flux, what, check->at);
  VerifyLine *gauss = flux_line(&flux, arena_format(&v->arena, "Gauss's theorem for %s", check->field->name), (Span){0, 0});
  uint64_t draws = flux.names.names == 0 ? 1 : check->dim > MOST_PRODUCT_DIM ? DRAWS_BY_PAIRS : DRAWS;
  if (draws > v->options.points) draws = v->options.points;
  verify_expect(v, draws);
  for (uint64_t i = 0; i < draws && verify_step(v, 0); i++) {
    double right;
    draw_point(v, &flux.names, STREAM_CLAIMS, i, flux.number);
    function_run(v, &flux.right, flux.right_input, &right);
    Integral out = integrate(&flux, true), inside = integrate(&flux, false);
    hold(&flux, claimed, out.value, right, out.uncertainty);
    hold(&flux, gauss, out.value, inside.value, out.uncertainty + inside.uncertainty);
    verify_step(v, 1);
  }
  claimed->verdict = claimed->failed ? VERIFY_FAIL : VERIFY_PASS;
  gauss->verdict = gauss->failed ? VERIFY_FAIL : VERIFY_PASS;
}
