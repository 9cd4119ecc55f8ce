/* SPDX-License-Identifier: Apache-2.0 */
#include "accuracy_points.h"
#include "checked.h"
#include "likelihood.h" /* flow_rows_log_p */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t dim_of(const AccuracyPoints *points) { return points->what->solve.model->dim; }

/* ---- where they start -------------------------------------------------------------------------------------------------- */

static bool allocate(AccuracyPoints *points) {
  const FlowSampling *solve = &points->what->solve;
  size_t numbers, bytes, columns;
  if (!flow_mul_size((size_t)points->count, (size_t)dim_of(points), &numbers)) return false;
  if (!flow_mul_size(numbers, 2 * sizeof(double), &bytes)) return false;              /* start and x */
  if (!flow_mul_size((size_t)points->count, 4 * sizeof(double), &columns)) return false;
  if (!flow_add_size(bytes, columns, &points->bytes)) return false;
  points->memory = flow_alloc_aligned(solve->allocator, points->bytes);
  if (!points->memory) return false;
  points->x = (double *)(void *)points->memory;
  points->log_p = points->x + numbers;
  points->error = points->log_p + points->count;
  points->sorted = points->error + points->count;
  points->sample = (uint64_t *)(void *)(points->sorted + points->count);
  points->start = (char *)(points->sample + points->count);
  return true;
}

/* Point i of n, spread evenly over so many rows: i*rows/n without overflow. */
static uint64_t spread(uint64_t i, uint64_t n, uint64_t rows) { return i * (rows / n) + i * (rows % n) / n; }

static void start_rows(AccuracyPoints *points, const flow_level *level, void *lane, uint64_t all) {
  const FlowAccuracy *what = points->what;
  const FlowSampling *solve = &what->solve;
  FlowTile tile = flow_tile(solve->model, level, lane, dim_of(points), 1);
  uint64_t rows = solve->end - solve->first;
  FlowRandom random = {solve->seed, FLOW_STREAM_CALIBRATION};
  for (uint64_t i = 0; i < points->count; i++) {
    uint64_t number = points->first + i;
    points->sample[i] = solve->first + (what->draws ? number % rows : spread(number, all, rows));
    flow_source_fill(solve->source, random, what->draws ? number : points->sample[i], &tile);
    flow_tile_store(&tile, points->start + i * dim_of(points) * solve->model->precision);
  }
}

flow_status accuracy_points_open(const FlowAccuracy *what, uint64_t first, uint64_t count, uint64_t all, AccuracyPoints *points,
                                 flow_error *error) {
  const FlowSampling *solve = &what->solve;
  const flow_level *level = solve->level;
  *points = (AccuracyPoints){.what = what, .first = first, .count = count};
  flow_status status = level ? FLOW_OK : flow_model_level(solve->model, 0, &level, error);
  if (status) return status;
  size_t lane_bytes = 0;
  void *lane = flow_model_lanes_bytes(solve->model, level, dim_of(points), &lane_bytes) ? flow_alloc_aligned(solve->allocator, lane_bytes) : NULL;
  if (lane && allocate(points)) {
    start_rows(points, level, lane, all);
    points->rows = (FlowTensor){.name = "", .type = solve->model->precision == FLOW_F32 ? FLOW_TYPE_F32 : FLOW_TYPE_F64, .rank = 2,
                                .dim = {count, dim_of(points)}, .count = count * dim_of(points), .data = points->start};
    points->source = (FlowSource){.kind = FLOW_SOURCE_TENSOR, .dim = dim_of(points), .tensor = &points->rows, .name = "the points"};
  } else {
    status = flow_fail(error, FLOW_NO_MEMORY, "out of memory for %" PRIu64 " points of a search", count);
  }
  flow_free_aligned(solve->allocator, lane, lane_bytes);
  return status;
}

void accuracy_points_close(AccuracyPoints *points) {
  if (points->memory) flow_free_aligned(points->what->solve.allocator, points->memory, points->bytes);
  points->memory = NULL;
}

/* ---- solves -------------------------------------------------------------------------------------------------------------- */

static int report(void *user, uint64_t done, uint64_t total) {
  const FlowSampling *solve = &((AccuracyPoints *)user)->what->solve;
  (void)done, (void)total;
  return solve->progress(solve->user, 0, 0);
}

/* One solve of all points, forward or backward as the sampling says, so that rows come by their place. */
static flow_status run(AccuracyPoints *points, const FlowTrial *trial, bool reference, int threads, FlowSink *sink,
                       FlowAdaptiveSummary *summary, flow_error *error) {
  const FlowAccuracy *what = points->what;
  FlowSampling solve = what->solve;
  FlowAdaptive adaptive = {.tolerance = {trial->tolerance, trial->tolerance, trial->tolerance}, .summary = summary};
  if (reference) {
    solve.model = what->reference.model;
    solve.level = what->reference.level;
    solve.weights = what->reference.weights;
  }
  solve.source = &points->source;
  solve.picked = points->sample;
  solve.source_by_place = true;
  solve.first = 0;
  solve.end = points->count;
  solve.quiet = !solve.density;
  solve.tableau = trial->tableau;
  solve.steps = trial->steps;
  solve.adaptive = trial->adaptive ? &adaptive : NULL;
  if (threads) solve.threads = threads;
  solve.summary = &summary->solve;
  solve.sink = sink;
  solve.progress = what->solve.progress ? report : NULL;
  solve.user = points;
  return flow_sample(&solve, error);
}

static double number_at(const AccuracyPoints *points, const FlowRows *rows, bool reference, uint64_t at) {
  const flow_model *model = reference ? points->what->reference.model : points->what->solve.model;
  return model->precision == FLOW_F32 ? (double)((const float *)rows->value)[at] : ((const double *)rows->value)[at];
}

static double log_p_of(const AccuracyPoints *points, const FlowRows *rows, uint64_t i) {
  return flow_rows_log_p(rows, i, points->what->solve.density_at_end, points->what->probes).log_p;
}

static flow_status take_reference(void *user, const FlowRows *rows, flow_error *error) {
  AccuracyPoints *points = user;
  (void)error;
  for (uint64_t i = 0; i < rows->count; i++) {
    uint64_t place = rows->first + i, dim = dim_of(points);
    bool known = rows->status[i] == FLOW_SAMPLE_OK;
    points->error[place] = known ? 0 : NAN;
    points->left_out += !known;
    for (uint64_t c = 0; c < dim; c++) points->x[place * dim + c] = number_at(points, rows, true, i * dim + c);
    if (points->what->solve.density) points->log_p[place] = known ? log_p_of(points, rows, i) : 0;
  }
  return FLOW_OK;
}

static double larger(double a, double b) { return b <= a ? a : b; }     /* NaN b is larger */

static void compare(AccuracyPoints *points, const FlowRows *rows, bool reference) {
  uint64_t dim = dim_of(points);
  for (uint64_t i = 0; i < rows->count; i++) {
    uint64_t place = rows->first + i;
    double worst = 0;
    if (isnan(points->error[place])) continue;
    for (uint64_t c = 0; c < dim; c++)
      worst = larger(worst, fabs(number_at(points, rows, reference, i * dim + c) - points->x[place * dim + c]));
    if (points->what->solve.density) worst = larger(worst, fabs(log_p_of(points, rows, i) - points->log_p[place]));
    points->error[place] = rows->status[i] == FLOW_SAMPLE_OK && !isnan(worst) ? worst : INFINITY;
  }
}

static flow_status take_measured(void *user, const FlowRows *rows, flow_error *error) {
  (void)error;
  compare(user, rows, false);
  return FLOW_OK;
}

static flow_status take_doubted(void *user, const FlowRows *rows, flow_error *error) {
  (void)error;
  compare(user, rows, true);
  return FLOW_OK;
}

static flow_status take_nothing(void *user, const FlowRows *rows, flow_error *error) {
  (void)user, (void)rows, (void)error;
  return FLOW_OK;
}

/* ---- what they tell -------------------------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void sum_up(AccuracyPoints *points, FlowTrial *trial, const FlowAdaptiveSummary *summary) {
  double adaptive_cost = points->what->adaptive_cost > 0 ? points->what->adaptive_cost : 1.25;
  size_t known = 0;
  for (uint64_t i = 0; i < points->count; i++)
    if (!isnan(points->error[i])) points->sorted[known++] = points->error[i];
  qsort(points->sorted, known, sizeof *points->sorted, ascending);
  trial->worst = known ? points->sorted[known - 1] : INFINITY;
  trial->most = known ? points->sorted[known - 1 - known / 1000] : INFINITY;
  trial->points = known;
  trial->evaluations = trial->adaptive ? 2 + (double)summary->attempts / (double)points->count * trial->tableau->stages
                                       : (double)trial->steps * trial->tableau->stages;
  trial->cost = trial->evaluations * (trial->adaptive ? adaptive_cost : 1);
}

flow_status accuracy_points_refer(AccuracyPoints *points, const FlowTrial *trial, flow_error *error) {
  FlowAdaptiveSummary summary = {0};
  points->left_out = 0;
  return run(points, trial, true, 0, take_reference, &summary, error);
}

flow_status accuracy_points_doubt(AccuracyPoints *points, FlowTrial *trial, flow_error *error) {
  FlowAdaptiveSummary summary = {0};
  flow_status status = run(points, trial, true, 0, take_doubted, &summary, error);
  if (!status) sum_up(points, trial, &summary);
  return status;
}

flow_status accuracy_points_measure(AccuracyPoints *points, FlowTrial *trial, flow_error *error) {
  FlowAdaptiveSummary summary = {0};
  flow_status status = run(points, trial, false, 0, take_measured, &summary, error);
  if (!status) sum_up(points, trial, &summary);
  return status;
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

flow_status accuracy_points_time(AccuracyPoints *points, const FlowTrial *trial, double *nanoseconds, flow_error *error) {
  double best = INFINITY;
  FlowTrial timed = *trial;
  for (int round = 0; round < 2; round++) {
    FlowAdaptiveSummary summary = {0};
    double before = seconds();
    flow_status status = run(points, &timed, false, 1, take_nothing, &summary, error);
    double took = seconds() - before;
    if (status) return status;
    sum_up(points, &timed, &summary);
    if (took < best) best = took;
  }
  *nanoseconds = best * 1e9 / (timed.evaluations * (double)points->count);
  return FLOW_OK;
}
