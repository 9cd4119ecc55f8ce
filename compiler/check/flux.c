/* SPDX-License-Identifier: Apache-2.0 */
/* flux.c -- what flows through the surface of a region.
 *
 *   check flux(u, region) == e      the integral of u . n over the surface, n its outward normal, against e; and against the
 *                                   integral of div u inside, which Gauss's theorem says is the same
 *   check mass(p, u, region)        the integral of dp/dt = p d log p/dt inside, the rate at which the mass changes, against
 *                                   that of -p u . n over the surface: the continuity equation in its integral form
 *
 * What the integrals are uncertain by widens the bound. */
#include <math.h>
#include <string.h>
#include "integral.h"

static const double flux_bound = 1e-9;
enum { DRAWS = 8, DRAWS_BY_PAIRS = 2 };         /* of the time and the conditions */

typedef struct Flux {
  Verify *v;
  Integrals integrals;
  Function velocity, with_divergence, right;    /* of a flux */
  Function density;             /* of a mass: [log p, d log p/dt] */
  PointNames names;             /* of the claim, then of the field; but for the state */
  double *number;
  const double **right_input;
} Flux;

/* ---- what is drawn ----------------------------------------------------------------------------------------------------------- */

static uint32_t find_name(const PointNames *names, const char *name) {
  for (uint32_t n = 0; n < names->names; n++)
    if (strcmp(names->name[n], name) == 0) return n;
  return names->names;
}

typedef struct Gathered { PointNames *names; const char **name; Shape *shape; bool *is_time; } Gathered;

static void gather(Gathered *to, const TypedFunction *of, uint32_t parameter, bool is_time) {
  uint32_t n = to->names->names;
  if (find_name(to->names, of->parameter_name[parameter]) < n) return;
  to->name[n] = of->parameter_name[parameter];
  to->shape[n] = of->parameter[parameter];
  to->is_time[n] = is_time;
  to->names->names++;
}

/* Of right, the names of a flux that is claimed; of `field`, all but the state. */
static void gather_names(Verify *v, const TypedCheck *check, const TypedFunction *right, const TypedFunction *field, PointNames *names) {
  uint32_t most = field->parameters + (right ? right->parameters : 0);
  Gathered to = {names, arena_array(&v->arena, most, sizeof *to.name), arena_array(&v->arena, most, sizeof *to.shape),
                 arena_array(&v->arena, most, sizeof *to.is_time)};
  *names = (PointNames){0, to.name, to.shape, to.is_time, NULL};
  for (uint32_t n = 0; right && n < right->parameters; n++)
    gather(&to, right, n, check->role[n] == ROLE_TIME || strcmp(right->parameter_name[n], field->parameter_name[0]) == 0);
  for (uint32_t p = 0; p < field->parameters; p++)
    if (p != 1) gather(&to, field, p, p == 0);
}

/* The inputs of the field, whose state is set by the integrals. */
static const double **connect(Flux *flux, const TypedFunction *field) {
  Arena *arena = &flux->v->arena;
  const double **all = arena_array(arena, flux->names.names + 1u, sizeof *all);
  const double **input = arena_array(arena, field->parameters, sizeof *input);
  flux->number = arena_array(arena, (size_t)point_numbers(&flux->names) + 1, sizeof *flux->number);
  point_inputs(&flux->names, flux->number, all);
  flux->right_input = all;      /* its names come first */
  for (uint32_t p = 0; p < field->parameters; p++)
    if (p != 1) input[p] = all[find_name(&flux->names, field->parameter_name[p])];
  return input;
}

static bool all_lowered(Verify *v, const TypedCheck *check, const char *what, const Function *const *part, int parts) {
  for (int i = 0; i < parts; i++) {
    if (part[i]->ir) continue;
    verify_cannot(v, what, part[i])->at = check->at;
    return false;
  }
  return true;
}

static Region region_of(const TypedCheck *check) {
  return (Region){(uint32_t)check->dim, check->is_box, check->low, check->high, check->low, check->radius};
}

static uint64_t draws_of(const Flux *flux) {
  uint64_t draws = flux->names.names == 0 ? 1 : integrals_are_exact(&flux->integrals) ? DRAWS : DRAWS_BY_PAIRS;
  return draws < flux->v->options.points ? draws : flux->v->options.points;
}

/* ---- lines --------------------------------------------------------------------------------------------------------------------------- */

static void hold(Flux *flux, VerifyLine *line, Integral left, Integral right) {
  double scale = 1 + fabs(left.value) + fabs(right.value), amount = fabs(left.value - right.value) / scale;
  double bound = flux_bound + (left.uncertainty + right.uncertainty) / scale;
  if (!isfinite(amount)) amount = left.value == right.value ? 0 : INFINITY;
  line->points++;
  line->failed += !(amount <= bound);
  if (line->has_sides && !(amount / bound > line->worst / line->bound)) return;
  line->has_sides = true;
  line->worst = amount;
  line->bound = bound;
  line->left = left.value;
  line->right = right.value;
  keep_point(flux->v, &flux->names, flux->number, line);
}

static VerifyLine *flux_line(Flux *flux, const char *what, Span at) {
  VerifyLine *line = verify_line(flux->v, what);
  bool rules = integrals_are_exact(&flux->integrals);
  line->at = at;
  line->reason = rules ? "relative, and what the rules differ by" : "relative, and four standard errors";
  line->remark = rules ? "by product rules"
                       : arena_format(&flux->v->arena, "by %llu random pairs of points", (unsigned long long)flux->integrals.pairs);
  return line;
}

/* ---- a flux ---------------------------------------------------------------------------------------------------------------------------- */

static bool prepare_flux(Flux *flux, const TypedCheck *check, const char *what) {
  Verify *v = flux->v;
  flux->velocity = function_lower(v, check->field, FLOW_NO_EXTRAS);
  flux->with_divergence = function_lower(v, check->field, FLOW_LOG_P);
  flux->right = function_lower(v, check->right, FLOW_NO_EXTRAS);
  const Function *part[] = {&flux->velocity, &flux->with_divergence, &flux->right};
  if (!all_lowered(v, check, what, part, 3)) return false;
  Region region = region_of(check);
  gather_names(v, check, check->right, check->field, &flux->names);
  integrals_prepare(&flux->integrals, v, &region, connect(flux, check->field), &flux->with_divergence);
  return true;
}

void verify_flux(Verify *v, const TypedCheck *check, const char *what) {
  Flux flux = {.v = v};
  if (!prepare_flux(&flux, check, what)) return;
  const Integrand surface = {.surface = true, .f = &flux.velocity};
  const Integrand divergence = {.f = &flux.with_divergence, .place = (uint32_t)check->dim, .sign = -1};
  VerifyLine *claimed = flux_line(&flux, what, check->at);
  VerifyLine *gauss = flux_line(&flux, arena_format(&v->arena, "Gauss's theorem for %s", check->field->name), (Span){0, 0});
  uint64_t draws = draws_of(&flux);
  verify_expect(v, draws);
  for (uint64_t i = 0; i < draws && verify_step(v, 0); i++) {
    Integral right = {0, 0};
    draw_point(v, &flux.names, STREAM_CLAIMS, i, flux.number);
    function_run(v, &flux.right, flux.right_input, &right.value);
    Integral out = integrate(&flux.integrals, &surface);
    hold(&flux, claimed, out, right);
    hold(&flux, gauss, out, integrate(&flux.integrals, &divergence));
    verify_step(v, 1);
  }
  verify_judge(claimed);
  verify_judge(gauss);
}

/* ---- a mass ------------------------------------------------------------------------------------------------------------------------------ */

static bool prepare_mass(Flux *flux, const TypedCheck *check, const char *what) {
  Verify *v = flux->v;
  flux->density = function_lower(v, check->left, FLOW_NO_EXTRAS);
  flux->velocity = function_lower(v, check->right, FLOW_NO_EXTRAS);
  const Function *part[] = {&flux->density, &flux->velocity};
  if (!all_lowered(v, check, what, part, 2)) return false;
  Region region = region_of(check);
  bool field_is_costlier = function_cost(&flux->velocity) > function_cost(&flux->density);
  gather_names(v, check, NULL, check->right, &flux->names);
  integrals_prepare(&flux->integrals, v, &region, connect(flux, check->right), part[field_is_costlier]);
  return true;
}

void verify_mass(Verify *v, const TypedCheck *check, const char *what) {
  Flux flux = {.v = v};
  if (!prepare_mass(&flux, check, what)) return;
  const Integrand change = {.f = &flux.density, .log_weight = &flux.density, .place = 1, .sign = 1};
  const Integrand surface = {.surface = true, .f = &flux.velocity, .log_weight = &flux.density};
  VerifyLine *line = flux_line(&flux, what, check->at);
  uint64_t draws = draws_of(&flux);
  verify_expect(v, draws);
  for (uint64_t i = 0; i < draws && verify_step(v, 0); i++) {
    draw_point(v, &flux.names, STREAM_CLAIMS, i, flux.number);
    Integral rate = integrate(&flux.integrals, &change), out = integrate(&flux.integrals, &surface);
    hold(&flux, line, rate, (Integral){-out.value, out.uncertainty});
    verify_step(v, 1);
  }
  verify_judge(line);
}
