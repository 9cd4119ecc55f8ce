/* SPDX-License-Identifier: Apache-2.0 */
/* field.c -- what should hold of every velocity u, J its Jacobian in x, at random t, x and conditions, directions v and w normal:
 *
 *   J v against differences          (u(x + h v) - u(x - h v))/2h with h and h/2, extrapolated: an error of h^4 and of rounding/h.
 *                                    h is small, as kinks are worse than rounding; at one there is no verdict
 *   <w, J v> = <J'w, v>              relative to the terms of both sums
 *   div u against the trace of J     from d products with unit vectors; above 64 numbers in a state, the mean of e . J e over
 *                                    64 vectors of signs, within five standard errors
 *   f32 against f64                  the same points, relative to 1 + the largest component
 *   compiled against interpreted     the bits of every number
 *
 * Points at which the velocity is not finite have nothing to hold, and are counted.  Where that is all of them, the states are
 * drawn from the flow's source in their place; where these are no better, that is a line of its own, which fails. */
#include <string.h>
#include "solve.h"
#include "verify_parts.h"

static const double difference_bound = 1e-6, adjoint_bound = 1e-11, trace_bound = 1e-11, f32_bound = 1e-4;
static const double difference_step = 1.0 / 32768, probe_errors = 5;
enum {
  BUDGET = 400000000,                   /* scalar operations of compiled code for one check: well below a second */
  INTERPRETED_BUDGET = 50000000,        /* of the interpreter */
  LEAST_POINTS = 4, INTERPRETED_POINTS = 32,
  MOST_NUMBERS = 1 << 20,               /* in all states together */
  TRACE_PROBES = 64
};

typedef struct Field {
  Verify *v;
  const TypedFunction *velocity;
  uint64_t cost;                /* of the velocity */
  Points points;                /* as many as the cheapest check has */
  double *u, *v_rows, *w_rows;  /* [count][dim] */
  bool *finite;                 /* [count] */
} Field;

/* ---- how many points --------------------------------------------------------------------------------------------------------- */

/* The first points, as many as the budget allows. */
static Points some(const Field *field, uint64_t budget, uint64_t cost) {
  Points points = field->points;
  uint64_t most = budget / (cost ? cost : 1);
  if (most < LEAST_POINTS) most = LEAST_POINTS;
  if (points.count > most) points.count = most;
  return points;
}

/* ---- lines --------------------------------------------------------------------------------------------------------------------- */

static VerifyLine *begin(Field *field, const char *what, double bound, const char *reason) {
  VerifyLine *line = verify_line(field->v, what);
  line->bound = bound;
  line->reason = reason;
  return line;
}

/* Counts what had no verdict. */
static void finish(Field *field, VerifyLine *line, uint64_t strange, uint64_t kinks) {
  Arena *arena = &field->v->arena;
  const char *of_kinks = kinks ? arena_format(arena, "%llu at a kink", (unsigned long long)kinks) : NULL;
  const char *of_strange = strange ? arena_format(arena, "%llu not finite", (unsigned long long)strange) : NULL;
  line->remark = of_kinks && of_strange ? arena_format(arena, "%s, %s", of_kinks, of_strange) : of_kinks ? of_kinks : of_strange;
  verify_judge(line);
  if (line->points) return;
  line->verdict = VERIFY_SKIPPED;
  line->reason = kinks ? "there is a kink near every point" : "the velocity is finite at no point";
}

static const Model *need(Field *field, const char *what, FlowExtras extras, int precision) {
  const Model *m = model_get(field->v, extras, precision);
  if (m->why) verify_skip(field->v, what, m->why);
  return m->why ? NULL : m;
}

static double greatest(const double *row, uint64_t dim) {
  double most = 0;
  for (uint64_t k = 0; k < dim; k++) most = fabs(row[k]) > most || isnan(row[k]) ? fabs(row[k]) : most;
  return most;
}

/* The two rows as they are, at the element where they differ most. */
static Sides compare_rows(const double *left, const double *right, uint64_t dim, double *difference) {
  Sides sides = {left[0], right[0], dim > 1 ? 0 : -1};
  *difference = fabs(left[0] - right[0]);
  for (uint64_t k = 1; k < dim; k++) {
    double here = fabs(left[k] - right[k]);
    if (!(here > *difference) && !isnan(here)) continue;
    *difference = here;
    sides = (Sides){left[k], right[k], (int64_t)k};
    if (isnan(here)) break;
  }
  return sides;
}

/* ---- J v against differences ------------------------------------------------------------------------------------------------------ */

/* Central differences, and those of the two one-sided ones, which shrink with h unless there is a kink between them. */
typedef struct Differences { double *central, *sides; } Differences;

static Differences differences(Field *field, const Model *plain, const Points *points, const double *u, double h) {
  uint64_t count = points->count, dim = points->dim;
  double *x = new_rows(field->v, count, dim), *above = new_rows(field->v, count, dim), *below = new_rows(field->v, count, dim);
  for (int side = 0; side < 2; side++) {
    for (uint64_t i = 0; i < count * dim; i++)
      x[i] = point_at(points, i / dim)[1 + i % dim] + (side ? -h : h) * field->v_rows[i];
    model_evaluate(field->v, plain, points, x, NULL, side ? below : above, NULL);
  }
  for (uint64_t i = 0; i < count * dim; i++) {
    double sides = (above[i] - 2 * u[i] + below[i]) / h;
    above[i] = (above[i] - below[i]) / (2 * h);
    below[i] = sides;
  }
  return (Differences){above, below};
}

/* Do differences with h and h/2 tell of a kink, where they miss the derivative by `error`?  One at a distance from the point is
 * weighed differently by the two; one at the point makes a step between the sides that does not halve with h. */
static bool at_kink(const Differences *wide, const Differences *near, uint64_t first, uint64_t dim, double error, double size) {
  double apart, step = greatest(wide->sides + first, dim), half = greatest(near->sides + first, dim);
  compare_rows(wide->central + first, near->central + first, dim, &apart);
  return (apart > size && error <= 4 * apart) || (half > 0.6 * step && error <= 2 * half);
}

static void check_differences(Field *field) {
  static const char what[] = "J v against differences";
  const Model *plain = need(field, what, FLOW_NO_EXTRAS, FLOW_F64), *jvp = plain ? need(field, what, FLOW_JVP, FLOW_F64) : NULL;
  if (!jvp) return;
  Verify *v = field->v;
  Points points = some(field, BUDGET, model_cost(jvp) + 4 * field->cost);
  uint64_t dim = points.dim, strange = 0, kinks = 0;
  double *product = new_rows(v, points.count, dim), *u = new_rows(v, points.count, dim), *best = new_rows(v, 1, dim);
  model_evaluate(v, jvp, &points, NULL, field->v_rows, u, product);
  Differences wide = differences(field, plain, &points, u, difference_step), near = differences(field, plain, &points, u, difference_step / 2);
  VerifyLine *line = begin(field, what, difference_bound, "relative, what differences in f64 can tell");
  for (uint64_t i = 0; i < points.count; i++) {
    uint64_t first = i * dim;
    double error;
    for (uint64_t k = 0; k < dim; k++) best[k] = (4 * near.central[first + k] - wide.central[first + k]) / 3;
    Sides sides = compare_rows(product + first, best, dim, &error);
    double scale = 1 + greatest(best, dim) + greatest(u + first, dim), size = difference_bound * scale;
    bool known = isfinite(greatest(best, dim)) && field->finite[i];
    if (!known) strange++;
    else if (error > size && at_kink(&wide, &near, first, dim, error, size)) kinks++;
    else verify_hold(v, line, error / scale, sides, &points.names, point_at(&points, i));
  }
  finish(field, line, strange, kinks);
}

/* ---- <w, J v> = <J'w, v> -------------------------------------------------------------------------------------------------------------- */

static double dot(const double *a, const double *b, uint64_t dim, double *size) {
  double sum = 0;
  for (uint64_t k = 0; k < dim; k++) {
    sum += a[k] * b[k];
    *size += fabs(a[k] * b[k]);
  }
  return sum;
}

static void check_adjoint(Field *field) {
  static const char what[] = "<w, J v> = <J'w, v>";
  const Model *jvp = need(field, what, FLOW_JVP, FLOW_F64), *vjp = jvp ? need(field, what, FLOW_VJP, FLOW_F64) : NULL;
  if (!vjp) return;
  Verify *v = field->v;
  Points points = some(field, BUDGET, model_cost(jvp) + model_cost(vjp));
  uint64_t dim = points.dim, strange = 0;
  double *forward = new_rows(v, points.count, dim), *backward = new_rows(v, points.count, dim), *u = new_rows(v, points.count, dim);
  model_evaluate(v, jvp, &points, NULL, field->v_rows, u, forward);
  model_evaluate(v, vjp, &points, NULL, field->w_rows, u, backward);
  VerifyLine *line = begin(field, what, adjoint_bound, "relative to the sums' terms, rounding in f64");
  for (uint64_t i = 0; i < points.count; i++) {
    double size = 1, left = dot(field->w_rows + i * dim, forward + i * dim, dim, &size);
    double right = dot(backward + i * dim, field->v_rows + i * dim, dim, &size);
    if (!field->finite[i]) strange++;
    else verify_hold(v, line, fabs(left - right) / size, (Sides){left, right, -1}, &points.names, point_at(&points, i));
  }
  finish(field, line, strange, 0);
}

/* ---- the divergence --------------------------------------------------------------------------------------------------------------------- */

/* Adds e . J e of every point: e a unit vector, or signs.  room: [3][count][dim]. */
static void add_products(Field *field, const Model *jvp, const Points *points, uint64_t round, bool unit, double *room, double *sum,
                         double *squares) {
  Verify *v = field->v;
  uint64_t dim = points->dim;
  double *e = room, *product = e + points->count * dim, *u = product + points->count * dim;
  FlowRandom random = {v->options.seed, STREAM_DIRECTIONS};
  for (uint64_t i = 0; i < points->count * dim; i++) {
    double sign = flow_random_uniform(random, 2 * MOST_NUMBERS + round, (uint32_t)i) < 0.5 ? -1 : 1;
    e[i] = unit ? i % dim == round : sign;
  }
  model_evaluate(v, jvp, points, NULL, e, u, product);
  for (uint64_t i = 0; i < points->count; i++) {
    double size = 0, value = dot(e + i * dim, product + i * dim, dim, &size);
    sum[i] += value;
    squares[i] += unit ? fabs(value) : value * value;
  }
}

static void check_divergence(Field *field) {
  static const char what[] = "div u against the trace of J";
  const Model *jvp = need(field, what, FLOW_JVP, FLOW_F64), *log_p = jvp ? need(field, what, FLOW_LOG_P, FLOW_F64) : NULL;
  if (!log_p) return;
  Verify *v = field->v;
  bool unit = field->points.dim <= FLOW_MOST_EXACT;
  uint64_t rounds = unit ? field->points.dim : TRACE_PROBES, strange = 0;
  Points points = some(field, BUDGET, rounds * model_cost(jvp) + model_cost(log_p));
  double *trace = new_rows(v, points.count, 1), *size = new_rows(v, points.count, 1), *rate = new_rows(v, points.count, 1);
  double *room = new_rows(v, 3 * points.count, points.dim);
  model_evaluate(v, log_p, &points, NULL, NULL, room, rate);
  verify_expect(v, rounds);
  for (uint64_t r = 0; r < rounds && verify_step(v, 1); r++) add_products(field, jvp, &points, r, unit, room, trace, size);
  VerifyLine *line = begin(field, what, trace_bound, unit ? "relative to the diagonal, rounding in f64" : "beyond five standard errors of 64 probes, relative");
  for (uint64_t i = 0; i < points.count; i++) {
    double left = -rate[i], right = unit ? trace[i] : trace[i] / (double)rounds, scale = 1 + size[i], slack = 0;
    if (!unit) {
      double variance = (size[i] - (double)rounds * right * right) / (double)(rounds - 1) / (double)rounds;
      slack = probe_errors * sqrt(variance > 0 ? variance : 0);
      scale = 1 + fabs(left) + fabs(right);
    }
    double beyond = fabs(left - right) - slack;
    if (!field->finite[i]) strange++;
    else verify_hold(v, line, (beyond > 0 || isnan(beyond) ? beyond : 0) / scale, (Sides){left, right, -1}, &points.names, point_at(&points, i));
  }
  finish(field, line, strange, 0);
}

/* ---- arithmetic --------------------------------------------------------------------------------------------------------------------------- */

static void check_f32(Field *field) {
  static const char what[] = "u in f32 against f64";
  const Model *narrow = need(field, what, FLOW_NO_EXTRAS, FLOW_F32);
  if (!narrow) return;
  Points points = some(field, BUDGET, field->cost);
  uint64_t dim = points.dim, strange = 0;
  double *u = new_rows(field->v, points.count, dim);
  model_evaluate(field->v, narrow, &points, NULL, NULL, u, NULL);
  VerifyLine *line = begin(field, what, f32_bound, "relative, three of seven digits lost");
  for (uint64_t i = 0; i < points.count; i++) {
    double error;
    Sides sides = compare_rows(u + i * dim, field->u + i * dim, dim, &error);
    if (!field->finite[i]) strange++;
    else verify_hold(field->v, line, error / (1 + greatest(field->u + i * dim, dim)), sides, &points.names, point_at(&points, i));
  }
  finish(field, line, strange, 0);
}

/* A model's frozen function, run by the interpreter in the model's precision. */
typedef struct Interpreted { const IrFunction *ir; const double *const *weight; const float *const *narrow; int precision; } Interpreted;

static Interpreted interpreted(Field *field, const Model *m) {
  const IrFunction *ir = flow_compiled_ir(m->compiled, true);
  const double *const *weight = weights_of(field->v, ir, field->v->options.tensors);
  return (Interpreted){ir, weight, m->precision == FLOW_F32 ? weights_in_f32(field->v, ir, weight) : NULL, m->precision};
}

/* The velocity at a point, and what is behind it. */
static void interpret(Field *field, const Interpreted *by, const double *number, double *result) {
  Verify *v = field->v;
  const PointNames *names = &field->points.names;
  const double **input = arena_array(&v->arena, names->names, sizeof *input);
  point_inputs(names, number, input);
  bool done = by->precision == FLOW_F64 ? ir_run_f64(by->ir, input, by->weight, result) : run_in_f32(v, by->ir, by->narrow, names, number, result);
  if (!done) longjmp(v->no_memory, 1);
}

static void compare_bits(Field *field, const Model *m, VerifyLine *line) {
  Verify *v = field->v;
  Points points = some(field, INTERPRETED_BUDGET, model_cost(m));
  if (points.count > INTERPRETED_POINTS) points.count = INTERPRETED_POINTS;
  uint64_t dim = points.dim, extras = m->model->extras;
  double *u = new_rows(v, points.count, dim), *extra = new_rows(v, points.count, extras + 1), *own = new_rows(v, 1, dim + extras);
  Interpreted by = interpreted(field, m);
  model_evaluate(v, m, &points, NULL, NULL, u, extras ? extra : NULL);
  for (uint64_t i = 0; i < points.count && verify_step(v, 0); i++) {
    interpret(field, &by, point_at(&points, i), own);
    bool same = true;
    for (uint64_t k = 0; k < dim + extras && same; k++) {
      double compiled = k < dim ? u[i * dim + k] : extra[i * extras + k - dim];
      same = memcmp(&compiled, &own[k], sizeof compiled) == 0 || (isnan(compiled) && isnan(own[k]));
      if (same || line->has_sides) continue;
      line->has_sides = true;
      line->left = compiled, line->right = own[k];
      line->element = (int64_t)k;
      keep_point(v, &points.names, point_at(&points, i), line);
    }
    line->points++;
    line->failed += !same;
  }
}

static void check_bits(Field *field) {
  static const char what[] = "compiled against interpreted";
  static const struct { FlowExtras extras; int precision; } of[] = {
      {FLOW_NO_EXTRAS, FLOW_F64}, {FLOW_NO_EXTRAS, FLOW_F32}, {FLOW_LOG_P, FLOW_F64}};
  VerifyLine *line = NULL;
  for (size_t k = 0; k < sizeof of / sizeof *of; k++) {
    const Model *m = model_get(field->v, of[k].extras, of[k].precision);
    if (m->why || model_cost(m) > INTERPRETED_BUDGET) continue;
    if (!line) line = verify_line(field->v, what);
    compare_bits(field, m, line);
  }
  if (!line) {
    verify_skip(field->v, what, "the interpreter would take too long");
    return;
  }
  line->measure = VERIFY_COUNT;
  line->bound = 0;
  line->reason = "bit for bit";
  verify_judge(line);
}

/* ---- all -------------------------------------------------------------------------------------------------------------------------------------- */

static void draw_directions(Field *field) {
  Verify *v = field->v;
  FlowRandom random = {v->options.seed, STREAM_DIRECTIONS};
  uint64_t count = field->points.count, dim = field->points.dim;
  field->v_rows = new_rows(v, count, dim);
  field->w_rows = new_rows(v, count, dim);
  for (uint64_t i = 0; i < count * dim; i++) {
    double pair[2];
    flow_random_normal_pair(random, i / dim, (uint32_t)(i % dim), pair);
    field->v_rows[i] = pair[0];
    field->w_rows[i] = pair[1];
  }
}

/* Whether there is any point at which the velocity is finite. */
static bool evaluate(Field *field, const Model *plain) {
  uint64_t count = field->points.count, dim = field->points.dim, finite = 0;
  model_evaluate(field->v, plain, &field->points, NULL, NULL, field->u, NULL);
  for (uint64_t i = 0; i < count; i++) finite += field->finite[i] = isfinite(greatest(field->u + i * dim, dim));
  return finite > 0;
}

/* States of the flow's source in place of those of a normal distribution; false: there are none. */
static bool draw_states(Field *field, const Model *plain) {
  Verify *v = field->v;
  FlowSource source;
  if (!v->flow || v->flow->source == SOURCE_FILE || flow_compiled_source(plain->compiled, &source, NULL)) return false;
  for (uint64_t i = 0; i < field->points.count; i++) {
    double *state = point_at(&field->points, i) + 1;
    FlowTile tile = {.data = state, .precision = FLOW_F64, .rows = field->points.dim, .stride = 1, .lanes = 1, .live = 1};
    flow_source_fill(&source, (FlowRandom){v->options.seed, FLOW_STREAM_SOURCE}, i, &tile);
    for (uint64_t k = 0; k < field->points.dim; k++) state[k] = (double)(float)state[k];
  }
  return true;
}

static void fail_everywhere(Field *field) {
  VerifyLine *line = verify_line(field->v, "u is finite somewhere");
  line->measure = VERIFY_FINITE;
  line->points = line->failed = field->points.count;
  line->reason = "so that nothing else can be told of it";
  keep_point(field->v, &field->points.names, point_at(&field->points, 0), line);
  verify_judge(line);
}

static bool prepare(Field *field) {
  Verify *v = field->v;
  const Model *plain = need(field, "the velocity", FLOW_NO_EXTRAS, FLOW_F64);
  if (!plain) return false;
  field->velocity = flow_compiled_function(plain->compiled);
  field->cost = model_cost(plain);
  uint64_t dim = (uint64_t)shape_count(&field->velocity->parameter[1]), most = MOST_NUMBERS / dim;
  field->points = draw_points(v, plain, v->options.points < most ? v->options.points : most ? most : 1);
  uint64_t count = field->points.count;
  field->u = new_rows(v, count, dim);
  field->finite = arena_array(&v->arena, (size_t)count + 1, sizeof *field->finite);
  if (!evaluate(field, plain) && !(draw_states(field, plain) && evaluate(field, plain))) fail_everywhere(field);
  draw_directions(field);
  return true;
}

static void check_field(Verify *v) {
  static void (*const check[])(Field *) = {check_differences, check_adjoint, check_divergence, check_f32, check_bits};
  Field field = {.v = v};
  if (!prepare(&field)) return;
  enum { CHECKS = sizeof check / sizeof *check };
  verify_expect(v, CHECKS);
  for (int i = 0; i < CHECKS && verify_step(v, 1); i++) check[i](&field);
}

flow_status verify_field(Verify *v, flow_error *error) {
  VERIFY_ON_NO_MEMORY(v);
  if (flow_compiled_function(v->options.compiled)) check_field(v);
  return v->cancelled ? flow_fail(error, FLOW_CANCELLED, "stopped") : FLOW_OK;
}
