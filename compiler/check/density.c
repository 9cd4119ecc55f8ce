/* SPDX-License-Identifier: Apache-2.0 */
/* density.c -- what should hold of a flow and of its log-density, in f64, by the flow's own solver and steps:
 *
 *   there and back        x0 of the source solved to x1 and back to where it began: what the steps' error does to a latent point
 *   log p on both ways    log p1 that a sample has on its way, against what its end has on the way back: they belong together
 *   the map against its velocity, log p by the map     where the flow is given by a map, and needs no solver: its x1, and
 *                         log p0 - log |det d x1/d x0|, against what the velocity of the map gives
 *   log p, half the step  what halving the step changes: about 1 - 2^-order of the error of log p
 *   the integral of p     in two dimensions, on request: 1 over a box around samples.  In f32 (the integral of the divergence
 *                         is a sum in f64), and by rk4 with as many evaluations as the flow's own solver has, at least 200: this
 *                         is about the density, not about its solver, whose error the lines above tell.  Cells are as fine as the
 *                         sum: where the density ends in a jump, as a uniform source's does, the bound is wider by what they leave open
 *
 * Where the exact trace of the Jacobian would take too long, one random vector estimates it, the same for a path on all its ways.
 *
 * A solver's error is no defect of the program, and yet what a log-density can be trusted for: the bounds are a hundredth of
 * a point's size and a twentieth of a nat (5 % of the density) for each number of a state; more steps meet them.
 *
 * A path that is lost has no numbers to compare.  A flow that loses one in a hundred is a defect, and each of them counts as a
 * point that fails; fewer are left out, and the line says how many.  Steps that are not the flow's own, because those adapt or
 * it is given by a map, lose paths by their own fault: there it counts whether the flow's own way loses them too. */
#include <string.h>
#include "adaptive.h"
#include "likelihood.h"
#include "verify_parts.h"

static const double path_bound = 1e-2, nats_bound = 5e-2, integral_bound = 1e-4, lost_bound = 1e-2;
enum {
  MOST_PATHS = 200, LEAST_PATHS = 2,
  STANDARD_STEPS = 100,                 /* where a flow's steps adapt */
  INTEGRAL_STEPS = 50,
  SIDE = 240, BOX_SAMPLES = 4000        /* of the grid of the integral, a side; and samples that it is laid around */
};
static const uint64_t path_budget = 8000000000;         /* scalar operations: a second or two */
static const double box_margin = 0.25;
static const char too_long[] = "the solves would take too long";
static const char not_its_own[] = "fixed steps lose the paths, and the flow's own way does not";
static const char not_known[] = "fixed steps lose the paths, and are not the flow's own way";
static const double own_tolerance = 1e-6;               /* of steps that adapt, where the flow says none */

/* Everywhere so far.  Outside: it arrives, where the source has no density, as paths do that begin close to its bounds. */
typedef enum { PATH_GOOD, PATH_OUTSIDE, PATH_LOST } PathFate;

typedef struct Paths {
  Verify *v;
  const TypedFlow *flow;
  const Model *model;
  FlowSource source;
  FlowGrid grid;
  FlowSampling what;            /* forward from the source */
  FlowProbes probes;            /* of a model that estimates the trace: one vector for each path */
  Points points;                /* for their conditions */
  double *end;                  /* filled by the sink: [count][dim] */
  double *log_p;                /* or NULL */
  uint8_t *fate;                /* [count] of PathFate */
  const char *why;              /* a solve could not be done */
  uint64_t seen;                /* of the solve that runs: what progress has been told */
} Paths;

/* ---- solving ---------------------------------------------------------------------------------------------------------------- */

static void choose_steps(Paths *paths, char *said, size_t room) {
  static const FlowSpacing spacing[] = {
      [SPACING_EQUAL] = FLOW_SPACING_EQUAL, [SPACING_COSINE] = FLOW_SPACING_COSINE, [SPACING_POWER] = FLOW_SPACING_POWER};
  const TypedFlow *flow = paths->flow;
  const char *name = flow->solver ? flow->solver : "rk4";
  paths->what.tableau = flow_tableau_find(name);
  paths->what.steps = flow->steps > 0 ? (uint64_t)flow->steps : STANDARD_STEPS;
  paths->grid = (FlowGrid){.spacing = spacing[flow->spacing], .power = flow->spacing_power, .from = flow->time_from};
  paths->what.grid = &paths->grid;
  snprintf(said, room, "%s %llu steps", name, (unsigned long long)paths->what.steps);
}

/* The worst that has become of it. */
static void note_fate(Paths *paths, uint64_t i, uint8_t status) {
  uint8_t fate = status == FLOW_SAMPLE_OK ? PATH_GOOD : status == FLOW_SAMPLE_OUTSIDE ? PATH_OUTSIDE : PATH_LOST;
  if (fate > paths->fate[i]) paths->fate[i] = fate;
}

static flow_status take_rows(void *user, const FlowRows *rows, flow_error *error) {
  Paths *paths = user;
  uint64_t dim = paths->points.dim;
  (void)error;
  memcpy(paths->end + rows->first * dim, rows->value, (size_t)(rows->count * dim) * sizeof *paths->end);
  for (uint64_t i = 0; i < rows->count; i++) {
    note_fate(paths, rows->first + i, rows->status[i]);
    if (paths->log_p) paths->log_p[rows->first + i] = flow_rows_log_p(rows, i, false, paths->what.probes != NULL).log_p;
  }
  return FLOW_OK;
}

static int keep_going(void *user, uint64_t done, uint64_t total) {
  Paths *paths = user;
  uint64_t news = done > paths->seen ? done - paths->seen : 0;
  (void)total;
  paths->seen += news;
  return !verify_step(paths->v, news);
}

static void announce(Paths *paths, uint64_t points) {
  paths->seen = 0;
  verify_expect(paths->v, points);
}

/* Of a solve that could not be done, `why` says why. */
static bool survive(Paths *paths, flow_status status, const flow_error *error) {
  if (status == FLOW_NO_MEMORY) longjmp(paths->v->no_memory, 1);
  if (status) paths->why = arena_text(&paths->v->arena, error->text, strlen(error->text));
  return status == FLOW_OK;
}

/* From the source to the data, or from rows of states: back to the source, or forward again. */
static bool solve(Paths *paths, const double *from, bool back, double *end, double *log_p) {
  FlowSampling what = paths->what;
  FlowTensor rows = rows_tensor(from, paths->points.count, paths->points.dim);
  FlowSource given = {.kind = FLOW_SOURCE_TENSOR, .dim = paths->points.dim, .tensor = &rows, .name = "points"};
  flow_error error = {{0}};
  if (from) what.source = &given;
  if (back) what.t0 = paths->what.t1, what.t1 = paths->what.t0;
  if (log_p) what.density = &paths->source;
  what.end = paths->points.count;
  what.sink = take_rows;
  what.quiet = !log_p;
  paths->end = end;
  paths->log_p = log_p;
  announce(paths, what.end);
  return survive(paths, flow_sample(&what, &error), &error);
}

/* log p of rows at the data, with `times` as many steps. */
static bool log_density(Paths *paths, const FlowTensor *data, uint64_t times, double *log_p) {
  uint64_t count = data->dim[0];
  uint8_t *status = arena_array(&paths->v->arena, (size_t)count + 1, sizeof *status);
  FlowLikelihood what = {.solve = paths->what, .data = data, .data_name = "points", .log_p = log_p, .status = status};
  flow_error error = {{0}};
  what.solve.end = count;
  what.solve.steps *= times;
  announce(paths, count);
  if (!survive(paths, flow_log_likelihood(&what, &error), &error)) return false;
  for (uint64_t i = 0; i < count && i < paths->points.count; i++) note_fate(paths, i, status[i]);
  return true;
}

/* ---- opening -------------------------------------------------------------------------------------------------------------------- */

static const char *source_why(Paths *paths) {
  flow_error error = {{0}};
  if (paths->flow->source == SOURCE_FILE) return "the source is a file: it has samples, and no density";
  flow_status status = flow_compiled_source(paths->model->compiled, &paths->source, &error);
  if (!status) status = flow_source_has_density(&paths->source, &error);
  if (status == FLOW_NO_MEMORY) longjmp(paths->v->no_memory, 1);
  return status ? arena_text(&paths->v->arena, error.text, strlen(error.text)) : NULL;
}

/* `cost` of so many solves of one path decides how many there are.  NULL, or why not. */
static const char *open_paths(Paths *paths, FlowExtras extras, int precision, uint64_t solves, char *said, size_t room) {
  Verify *v = paths->v;
  paths->flow = v->flow;
  paths->model = model_get(v, extras, precision);
  if (paths->model->why) return paths->model->why;
  const char *why = source_why(paths);
  if (why) return why;
  const flow_model *model = paths->model->model;
  paths->what = (FlowSampling){.model = model, .level = paths->model->level, .weights = paths->model->blob.data, .source = &paths->source,
                               .seed = v->options.seed, .t0 = paths->flow->time_from, .t1 = paths->flow->time_to,
                               .allocator = v->options.allocator, .progress = keep_going, .user = paths};
  paths->probes = (FlowProbes){.seed = v->options.seed, .count = 1};
  if (extras == FLOW_PROBES) paths->what.probes = &paths->probes;
  choose_steps(paths, said, room);
  uint64_t evaluation = model_cost(paths->model) * paths->what.steps * paths->what.tableau->stages * solves;
  uint64_t count = path_budget / (evaluation ? evaluation : 1);
  if (count < LEAST_PATHS) return too_long;
  if (count > MOST_PATHS) count = MOST_PATHS;
  if (count > v->options.points) count = v->options.points;
  paths->points = draw_points(v, paths->model, count);
  paths->what.condition = points_conditions(v, &paths->points, NULL);
  paths->fate = arena_array(&v->arena, (size_t)count + 1, sizeof *paths->fate);
  return NULL;
}

/* ---- lines ------------------------------------------------------------------------------------------------------------------------ */

/* A path's point: its end, and the conditions under which it was solved. */
static void hold_path(Paths *paths, VerifyLine *line, const char *name, const double *state, uint64_t i, double amount, Sides sides) {
  Verify *v = paths->v;
  const Points *points = &paths->points;
  uint32_t names = points->names.names - 1;
  const char **shown = arena_array(&v->arena, names, sizeof *shown);
  memcpy(shown, points->names.name + 1, names * sizeof *shown);
  shown[0] = name;
  PointNames kept = {names, shown, points->names.shape + 1, points->names.is_time + 1, NULL};
  double *row = new_rows(v, 1, points->row - 1);
  memcpy(row, point_at(points, i) + 1, (size_t)(points->row - 1) * sizeof *row);
  memcpy(row, state + i * points->dim, (size_t)points->dim * sizeof *row);
  verify_hold(v, line, amount, sides, &kept, row);
}

static VerifyLine *begin(Paths *paths, const char *what, double bound, const char *reason, const char *said) {
  VerifyLine *line = verify_line(paths->v, what);
  line->bound = bound;
  line->reason = reason;
  line->remark = arena_text(&paths->v->arena, said, strlen(said));
  return line;
}

static uint64_t count_fate(const Paths *paths, PathFate fate) {
  uint64_t count = 0;
  for (uint64_t i = 0; i < paths->points.count; i++) count += paths->fate[i] == fate;
  return count;
}

static bool loses_many(const Paths *paths) { return (double)count_fate(paths, PATH_LOST) > lost_bound * (double)paths->points.count; }

/* `amount` holds for a path that has arrived; a lost one is infinitely far. */
static void hold_fate(Paths *paths, VerifyLine *line, const char *name, const double *state, uint64_t i, double amount, Sides sides) {
  bool lost = paths->fate[i] == PATH_LOST;
  if (paths->fate[i] == PATH_OUTSIDE || (lost && !loses_many(paths))) return;
  hold_path(paths, line, name, state, i, lost ? INFINITY : amount, sides);
}

static void count_in_remark(Paths *paths, VerifyLine *line, PathFate fate, const char *words) {
  uint64_t count = count_fate(paths, fate);
  if (count == 0) return;
  line->remark = arena_format(&paths->v->arena, "%s, %llu of %llu %s", line->remark, (unsigned long long)count,
                              (unsigned long long)paths->points.count, words);
}

static void finish(VerifyLine *line, Paths *paths) {
  count_in_remark(paths, line, PATH_LOST, "paths lost");
  count_in_remark(paths, line, PATH_OUTSIDE, "paths outside of the source's support");
  verify_judge(line);
  if (line->failed && !loses_many(paths)) line->remark = arena_format(&paths->v->arena, "%s; more steps make it smaller", line->remark);
  if (line->points) return;
  line->verdict = VERIFY_SKIPPED;
  line->reason = "every path arrives outside of the source's support";
}

static double *source_rows(Paths *paths) {
  uint64_t dim = paths->points.dim;
  double *start = new_rows(paths->v, paths->points.count, dim);
  FlowTile tile = {.data = start, .precision = FLOW_F64, .rows = dim, .stride = 1, .lanes = 1, .live = 1};
  for (uint64_t i = 0; i < paths->points.count; i++, tile.data = start + i * dim)
    flow_source_fill(&paths->source, (FlowRandom){paths->what.seed, FLOW_STREAM_SOURCE}, i, &tile);
  return start;
}

static void hold_states(Paths *paths, VerifyLine *line, const char *name, const double *state, const double *one, const double *other) {
  uint64_t dim = paths->points.dim;
  for (uint64_t i = 0; i < paths->points.count; i++) {
    double error;
    Sides sides = compare_states(one + i * dim, other + i * dim, dim, &error);
    hold_fate(paths, line, name, state, i, error, sides);
  }
  finish(line, paths);
}

static void hold_log_p(Paths *paths, VerifyLine *line, const char *name, const double *state, const double *one, const double *other) {
  double dim = (double)paths->points.dim;
  for (uint64_t i = 0; i < paths->points.count; i++)
    hold_fate(paths, line, name, state, i, fabs(one[i] - other[i]) / dim, (Sides){one[i], other[i], -1});
  finish(line, paths);
}

static bool has_own_way(const Paths *paths) { return paths->flow->map || paths->flow->steps == 0; }

static void jump_there(Paths *paths, const Model *jump, const double *start, double *end) {
  uint64_t count = paths->points.count, dim = paths->points.dim;
  double *determined = new_rows(paths->v, count, 1);
  for (uint64_t i = 0; i < count; i++) point_at(&paths->points, i)[0] = paths->flow->time_from;
  model_evaluate(paths->v, jump, &paths->points, start, NULL, end, determined);
  for (uint64_t i = 0; i < count * dim; i++)
    if (!isfinite(end[i])) paths->fate[i / dim] = PATH_LOST;
}

static bool adapt_there(Paths *paths, const double *start, double *end) {
  const TypedFlow *flow = paths->flow;
  double rtol = flow->rtol > 0 ? flow->rtol : flow->atol > 0 ? flow->atol : own_tolerance, atol = flow->atol > 0 ? flow->atol : rtol;
  FlowAdaptive adaptive = {.tolerance = {.rtol = rtol, .atol = atol}};
  FlowSampling fixed = paths->what;
  if (!fixed.tableau->error[0].order) paths->what.tableau = flow_tableau_find("dopri5");
  paths->what.adaptive = &adaptive;
  bool solved = solve(paths, start, false, end, NULL);
  paths->what = fixed;
  return solved;
}

/* Whether the way that the flow's samples take also loses its paths. */
static bool own_way_loses_many(Paths *paths, const double *start) {
  double *end = new_rows(paths->v, paths->points.count, paths->points.dim);
  const Model *jump = paths->flow->map ? model_jump(paths->v) : NULL;
  memset(paths->fate, PATH_GOOD, (size_t)paths->points.count);
  if (jump && !jump->why) jump_there(paths, jump, start, end);
  else if (!adapt_there(paths, start, end)) return true;
  return loses_many(paths);
}

static void check_round_trip(Verify *v) {
  static const char what[] = "there and back";
  Paths paths = {.v = v};
  char said[64];
  const char *why = open_paths(&paths, FLOW_NO_EXTRAS, FLOW_F64, 2, said, sizeof said);
  if (why) {
    verify_skip(v, what, why);
    return;
  }
  uint64_t count = paths.points.count, dim = paths.points.dim;
  double *start = source_rows(&paths), *end = new_rows(v, count, dim), *back = new_rows(v, count, dim);
  if (!solve(&paths, start, false, end, NULL) || !solve(&paths, end, true, back, NULL)) {
    verify_skip(v, what, paths.why);
    return;
  }
  if (loses_many(&paths) && has_own_way(&paths)) {
    if (!own_way_loses_many(&paths, start)) {
      verify_skip(v, what, not_its_own);
      return;
    }
    snprintf(said, sizeof said, "on the flow's own way");
  }
  hold_states(&paths, begin(&paths, what, path_bound, "relative", said), "x0", start, start, back);
}

/* A flow that is given by a map. */
static void check_jump(Verify *v) {
  static const char of_states[] = "the map against its velocity", of_log_p[] = "log p by the map";
  Paths paths = {.v = v};
  char said[64];
  const Model *jump = model_jump(v);
  const char *why = open_paths(&paths, FLOW_LOG_P, FLOW_F64, 1, said, sizeof said);
  if (why || jump->why) {
    verify_skip(v, of_states, why ? why : jump->why);
    return;
  }
  uint64_t count = paths.points.count, dim = paths.points.dim;
  double *start = source_rows(&paths), *end = new_rows(v, count, dim), *on_way = new_rows(v, count, 1);
  double *mapped = new_rows(v, count, dim), *determined = new_rows(v, count, 1);
  if (!solve(&paths, NULL, false, end, on_way)) {
    verify_skip(v, of_states, paths.why);
    return;
  }
  if (loses_many(&paths)) {
    verify_skip(v, of_states, not_known);
    verify_skip(v, of_log_p, not_known);
    return;
  }
  for (uint64_t i = 0; i < count; i++) point_at(&paths.points, i)[0] = paths.flow->time_from;
  model_evaluate(v, jump, &paths.points, start, NULL, mapped, determined);
  hold_states(&paths, begin(&paths, of_states, path_bound, "relative", said), "x0", start, mapped, end);
  for (uint64_t i = 0; i < count; i++) {
    double *used_up = new_rows(v, 1, dim);
    memcpy(used_up, start + i * dim, (size_t)dim * sizeof *used_up);
    determined[i] += flow_source_log_density(&paths.source, FLOW_F64, used_up);
  }
  hold_log_p(&paths, begin(&paths, of_log_p, nats_bound, "nats for each number of a state", said), "x0", start, determined, on_way);
}

static void check_log_p(Verify *v) {
  static const char both[] = "log p on both ways", half[] = "log p, half the step";
  Paths paths = {.v = v};
  char said[64];
  const char *why = open_paths(&paths, FLOW_LOG_P, FLOW_F64, 5, said, sizeof said);
  if (why == too_long && !(why = open_paths(&paths, FLOW_PROBES, FLOW_F64, 5, said, sizeof said)))
    strcat(said, ", one probe");
  if (why) {
    verify_skip(v, both, why);
    verify_skip(v, half, why);
    return;
  }
  uint64_t count = paths.points.count, dim = paths.points.dim;
  double *end = new_rows(v, count, dim), *on_way = new_rows(v, count, 1), *back = new_rows(v, count, 1), *fine = new_rows(v, count, 1);
  FlowTensor data = rows_tensor(end, count, dim);
  if (!solve(&paths, NULL, false, end, on_way) || !log_density(&paths, &data, 1, back) || !log_density(&paths, &data, 2, fine)) {
    verify_skip(v, both, paths.why);
    return;
  }
  if (loses_many(&paths) && has_own_way(&paths)) {
    verify_skip(v, both, not_known);
    verify_skip(v, half, not_known);
    return;
  }
  hold_log_p(&paths, begin(&paths, both, nats_bound, "nats for each number of a state", said), "x1", end, on_way, back);
  hold_log_p(&paths, begin(&paths, half, nats_bound, "nats for each number of a state", said), "x1", end, back, fine);
}

/* ---- the integral ------------------------------------------------------------------------------------------------------------------- */

typedef struct Box { double low[2], step[2]; } Box;

/* Around samples, a quarter wider on each side. */
static Box box_around(const float *x, uint64_t count) {
  Box box;
  for (int k = 0; k < 2; k++) {
    double low = INFINITY, high = -INFINITY;
    for (uint64_t i = 0; i < count; i++) {
      low = fmin(low, (double)x[2 * i + k]);
      high = fmax(high, (double)x[2 * i + k]);
    }
    double margin = box_margin * (high - low);
    box.low[k] = low - margin;
    box.step[k] = (high - low + 2 * margin) / SIDE;
  }
  return box;
}

static double *cell_centers(Verify *v, const Box *box) {
  double *x = new_rows(v, SIDE * SIDE, 2);
  for (uint64_t i = 0; i < SIDE * SIDE; i++) {
    x[2 * i] = box->low[0] + ((double)(i / SIDE) + 0.5) * box->step[0];
    x[2 * i + 1] = box->low[1] + ((double)(i % SIDE) + 0.5) * box->step[1];
  }
  return x;
}

/* Half of a cell for each of its sides beyond which there is nothing: where the density jumps to 0 between two centers, the jump
 * is up to half a cell from the side. */
static double mass_at_edge(const double *log_p, uint64_t i, uint64_t side, uint64_t stride) {
  if (isnan(log_p[i]) || log_p[i] == -INFINITY) return 0;
  bool below = side > 0 && log_p[i - stride] == -INFINITY, above = side + 1 < SIDE && log_p[i + stride] == -INFINITY;
  return 0.5 * (below + above) * exp(log_p[i]);
}

typedef struct Grid { double integral, at_edges; uint64_t lost; } Grid;

/* false where the user stops it. */
static bool integrate(Paths *paths, const Box *box, Grid *grid) {
  Verify *v = paths->v;
  FlowTensor data = rows_tensor(cell_centers(v, box), SIDE * SIDE, 2);
  double *log_p = new_rows(v, SIDE * SIDE, 1), cell = box->step[0] * box->step[1];
  if (!log_density(paths, &data, 1, log_p)) return false;
  for (uint64_t i = 0; i < SIDE * SIDE; i++) {
    if (!isnan(log_p[i])) grid->integral += cell * exp(log_p[i]);
    grid->at_edges += cell * (mass_at_edge(log_p, i, i / SIDE, SIDE) + mass_at_edge(log_p, i, i % SIDE, 1));
    grid->lost += isnan(log_p[i]);
  }
  return true;
}

static flow_status take_floats(void *user, const FlowRows *rows, flow_error *error) {
  Paths *paths = user;
  (void)error;
  memcpy((float *)(void *)paths->end + rows->first * 2, rows->value, (size_t)rows->count * 2 * sizeof(float));
  return FLOW_OK;
}

static const char *open_integral(Paths *paths, char *said, size_t room) {
  Verify *v = paths->v;
  if (!v->flow || v->flow->dim != 2) return "only a flow in two dimensions is integrated over a grid";
  const char *why = open_paths(paths, FLOW_LOG_P, FLOW_F32, 1, said, room);
  if (why) return why;
  if (paths->points.names.names > 2) return "the flow has conditions, and a density for each of their values";
  FlowSampling *what = &paths->what;
  uint64_t steps = what->steps * what->tableau->stages / 4;
  what->tableau = flow_tableau_find("rk4");
  what->steps = steps > INTEGRAL_STEPS ? steps : INTEGRAL_STEPS;
  paths->points.count = 0;      /* log_density keeps no book of points */
  return NULL;
}

static void check_integral(Verify *v) {
  static const char what[] = "the integral of p";
  Paths paths = {.v = v};
  char said[64];
  flow_error error = {{0}};
  const char *why = open_integral(&paths, said, sizeof said);
  if (why) {
    verify_skip(v, what, why);
    return;
  }
  paths.end = new_rows(v, BOX_SAMPLES, 1);
  FlowSampling sampling = paths.what;
  sampling.end = BOX_SAMPLES;
  sampling.sink = take_floats;
  sampling.quiet = true;
  announce(&paths, BOX_SAMPLES);
  if (!survive(&paths, flow_sample(&sampling, &error), &error)) {
    verify_skip(v, what, paths.why);
    return;
  }
  Box box = box_around((const float *)(const void *)paths.end, BOX_SAMPLES);
  Grid grid = {0};
  if (!integrate(&paths, &box, &grid)) return;
  VerifyLine *line = begin(&paths, what, integral_bound + grid.at_edges, grid.at_edges > 0 ? "of 1, with half a cell along the edge of p" : "of 1", "");
  line->remark = arena_format(&v->arena, "rk4 %llu steps, %d x %d cells of [%.4g, %.4g] x [%.4g, %.4g]", (unsigned long long)paths.what.steps,
                              SIDE, SIDE, box.low[0], box.low[0] + SIDE * box.step[0], box.low[1], box.low[1] + SIDE * box.step[1]);
  if (grid.lost) line->remark = arena_format(&v->arena, "%s, %llu of them lost", line->remark, (unsigned long long)grid.lost);
  verify_hold(v, line, fabs(grid.integral - 1), (Sides){grid.integral, 1, -1}, NULL, NULL);
  line->points = SIDE * SIDE;
  verify_judge(line);
}

flow_status verify_integral(Verify *v, flow_error *error) {
  VERIFY_ON_NO_MEMORY(v);
  check_integral(v);
  return v->cancelled ? flow_fail(error, FLOW_CANCELLED, "stopped") : FLOW_OK;
}

flow_status verify_density(Verify *v, flow_error *error) {
  VERIFY_ON_NO_MEMORY(v);
  if (!v->flow || v->options.how.field || model_get(v, FLOW_NO_EXTRAS, FLOW_F64)->why) return FLOW_OK;    /* verify_field has said it */
  check_round_trip(v);
  if (verify_step(v, 0)) check_log_p(v);
  if (verify_step(v, 0) && v->flow->map) check_jump(v);
  return v->cancelled ? flow_fail(error, FLOW_CANCELLED, "stopped") : FLOW_OK;
}
