/* SPDX-License-Identifier: Apache-2.0 */
/* trajectory.c -- from one wanted time to the next: steps, and looks between them. */
#include "trajectory.h"
#include "chunk.h"
#include "dense.h"
#include "rounding.h"
#include "trajectory_adaptive.h"
#include "window.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A wanted time: after `step` steps, and from there the share theta of the next one; theta 0: on the node. */
typedef struct Stop {
  size_t time;
  uint64_t step;
  double theta;
} Stop;

/* One step of the method with the weights of its dense output. */
typedef struct Look {
  FlowTableau tableau;
  double a[FLOW_MOST_TERMS], b[FLOW_MOST_STAGES], c[FLOW_MOST_STAGES];
  FlowPlan plan;
  FlowTimes times;
} Look;

typedef struct Trajectory {
  const FlowSampling *what;
  FlowSampling inner;           /* what the chunk is opened for: the look's stages */
  FlowTrajectorySink *sink;
  const flow_level *level;
  const double *time;
  size_t times, stops_bytes;
  Stop *stop;                   /* [times], in the direction of the solve */
  FlowPlan plan;
  FlowWindow window;
  Look look;
  FlowChunk chunk;
  size_t tiles_bytes, samples;  /* of a full chunk */
  char *tiles;                  /* the chunk's, while a look changes them */
  uint8_t *begun, *worst;       /* [samples]: status at the start; the first that was not OK */
  FlowSummary summary;
} Trajectory;

uint32_t flow_trajectory_order(const FlowTableau *tableau) {
  return tableau->order < tableau->dense.order + 1 ? tableau->order : tableau->dense.order + 1;
}

/* ---- where the times are ------------------------------------------------------------------------------------------ */

static bool is_before(const FlowPlan *plan, double a, double b) { return plan->t0 <= plan->t1 ? a < b : a > b; }

/* The last node that is not behind t, by halving. */
static uint64_t step_of(const FlowPlan *plan, double t) {
  uint64_t low = 0, high = plan->steps;
  while (low < high) {
    uint64_t middle = high - (high - low) / 2;
    if (is_before(plan, t, flow_plan_node(plan, middle)))
      high = middle - 1;
    else
      low = middle;
  }
  return low;
}

/* Times that someone else has computed are on a node if they are but for a few roundings. */
static bool is_at(const FlowPlan *plan, double t, double node) {
  return fabs(t - node) <= 0x1p-50 * (fabs(plan->t0) + fabs(plan->t1));
}

static flow_status find_stop(const FlowPlan *plan, size_t index, double wanted, Stop *stop, flow_error *error) {
  double t = is_at(plan, wanted, plan->t0) ? plan->t0 : is_at(plan, wanted, plan->t1) ? plan->t1 : wanted;
  if (t - t != 0 || is_before(plan, t, plan->t0) || is_before(plan, plan->t1, t))
    return flow_fail(error, FLOW_BAD_CALL, "time %zu is %.17g; the solve is from %.17g to %.17g", index, t, plan->t0, plan->t1);
  *stop = (Stop){.time = index, .step = step_of(plan, t)};
  if (is_at(plan, t, flow_plan_node(plan, stop->step))) return FLOW_OK;
  double node = flow_plan_node(plan, stop->step), next = flow_plan_node(plan, stop->step + 1);
  if (is_at(plan, t, next))
    stop->step++;
  else
    stop->theta = (t - node) / (next - node);
  return FLOW_OK;
}

static int compare_stops(const void *left, const void *right) {
  const Stop *a = left, *b = right;
  if (a->step != b->step) return a->step < b->step ? -1 : 1;
  if (a->theta != b->theta) return a->theta < b->theta ? -1 : 1;
  return (a->time > b->time) - (a->time < b->time);
}

static flow_status find_stops(Trajectory *path, flow_error *error) {
  for (size_t i = 0; i < path->times; i++) {
    flow_status status = find_stop(&path->plan, i, path->time[i], &path->stop[i], error);
    if (status) return status;
  }
  qsort(path->stop, path->times, sizeof *path->stop, compare_stops);
  return FLOW_OK;
}

/* ---- looks between nodes ------------------------------------------------------------------------------------------ */

static void make_look(const FlowTableau *method, Look *look) {
  uint32_t stages = flow_tableau_dense_stages(method);
  double *a = look->a;
  for (uint32_t j = 0; j < stages; j++) {
    uint32_t length = flow_tableau_row_length(method, j);
    if (length) memcpy(a, flow_tableau_row(method, j), length * sizeof *a);
    a += length;
    look->c[j] = flow_tableau_c(method, j);
  }
  look->tableau = (FlowTableau){.name = method->name, .order = method->dense.order, .stages = stages, .a = look->a, .b = look->b,
                                .c = look->c};
}

/* The look's stage times of the step that the stop is in. */
static flow_status aim_look(Trajectory *path, const Stop *stop, flow_error *error) {
  Look *look = &path->look;
  double from = flow_plan_node(&path->plan, stop->step), to = flow_plan_node(&path->plan, stop->step + 1);
  double t[FLOW_MOST_STAGES + 1];
  flow_dense_weights(path->what->tableau, stop->theta, look->b);
  flow_status status = flow_plan_make(&look->plan, &look->tableau, path->plan.precision, 1, from, to, error);
  if (status) return status;
  for (uint64_t row = 0; row < look->plan.rows; row++) t[row] = flow_plan_time(&look->plan, row);
  return flow_times_compute(&look->times, 0, t, (size_t)look->plan.rows, error);
}

static flow_status hand_over(Trajectory *path, const Stop *stop, flow_error *error) {
  FlowRows rows = flow_chunk_arrive(&path->chunk);
  flow_status status = path->sink(path->what->user, stop->time, &rows, error);
  for (uint64_t i = 0; i < rows.count; i++)
    if (path->worst[i] == FLOW_SAMPLE_OK) path->worst[i] = rows.status[i];
  memcpy(path->chunk.status, path->begun, (size_t)rows.count);  /* what fails here need not fail at another time */
  return status;
}

static flow_status look_between(Trajectory *path, const Stop *stop, flow_error *error) {
  FlowChunk *chunk = &path->chunk;
  flow_status status = aim_look(path, stop, error);
  if (status) return status;
  memcpy(path->tiles, chunk->tiles, path->tiles_bytes);
  status = flow_chunk_advance(chunk, &path->look.plan, &path->look.times, 0, 0, 1, error);
  if (!status) status = hand_over(path, stop, error);
  memcpy(chunk->tiles, path->tiles, path->tiles_bytes);
  return status;
}

/* ---- the solve ---------------------------------------------------------------------------------------------------- */

static flow_status report(const Trajectory *path, uint64_t done, flow_error *error) {
  const FlowSampling *what = path->what;
  if (!what->progress || !what->progress(what->user, done, what->end - what->first)) return FLOW_OK;
  return flow_fail(error, FLOW_CANCELLED, "stopped on request after %" PRIu64 " of %" PRIu64 " samples", path->summary.samples,
                   what->end - what->first);
}

static flow_status advance(Trajectory *path, uint64_t step, uint64_t end, flow_error *error) {
  FlowWindow *window = &path->window;
  flow_status status = FLOW_OK;
  while (!status && step < end) {
    uint64_t next = flow_window_end(window, step) < end ? flow_window_end(window, step) : end;
    status = flow_window_compute(window, step, error);
    if (!status) status = flow_chunk_advance(&path->chunk, &path->plan, &window->times, window->row, step, next, error);
    uint64_t part = (uint64_t)((double)path->chunk.count * ((double)next / (double)path->plan.steps));
    if (!status && next < path->plan.steps) status = report(path, path->summary.samples + part, error);
    step = next;
  }
  return status;
}

static flow_status solve_chunk(Trajectory *path, flow_error *error) {
  FlowChunk *chunk = &path->chunk;
  flow_status status = flow_chunk_begin(chunk, path->what->first + path->summary.samples, error);
  if (status) return status;
  memcpy(path->begun, chunk->status, (size_t)chunk->count);
  memset(path->worst, FLOW_SAMPLE_OK, (size_t)chunk->count);
  uint64_t step = 0;
  for (size_t i = 0; i < path->times && !status; i++) {
    const Stop *stop = &path->stop[i];
    status = advance(path, step, stop->step, error);
    step = stop->step;
    if (!status) status = stop->theta == 0 ? hand_over(path, stop, error) : look_between(path, stop, error);
  }
  if (status) return status;
  FlowRows all = {.first = chunk->first, .count = chunk->count, .status = path->worst};
  flow_summary_count(&path->summary, &all);
  return report(path, path->summary.samples, error);
}

/* ---- memory ------------------------------------------------------------------------------------------------------- */

static void close_all(Trajectory *path) {
  const FlowAllocator *allocator = path->what->allocator;
  flow_free(allocator, path->worst, path->samples);
  flow_free(allocator, path->begun, path->samples);
  flow_free_aligned(allocator, path->tiles, path->tiles_bytes);
  if (path->chunk.tiles) flow_chunk_close(&path->chunk);
  if (path->look.times.rows) flow_times_close(&path->look.times);
  if (path->window.times.rows) flow_window_close(&path->window);
  flow_free(allocator, path->stop, path->stops_bytes);
}

static flow_status open_chunk(Trajectory *path, flow_error *error) {
  const FlowAllocator *allocator = path->what->allocator;
  flow_status status = flow_chunk_open(&path->inner, path->level, &path->chunk, error);
  if (status) return status;
  path->tiles_bytes = path->chunk.most_tiles * path->chunk.tile_bytes;
  path->samples = path->chunk.most_tiles * path->chunk.width;
  path->tiles = flow_alloc_aligned(allocator, path->tiles_bytes);
  path->begun = flow_alloc(allocator, path->samples);
  path->worst = flow_alloc(allocator, path->samples);
  if (path->tiles && path->begun && path->worst) return FLOW_OK;
  return flow_fail(error, FLOW_NO_MEMORY, "out of memory for the tiles of a trajectory");
}

static flow_status open_all(Trajectory *path, flow_error *error) {
  const FlowSampling *what = path->what;
  flow_status status = flow_window_open(&path->plan, what->allocator, what->model, path->level, what->weights, what->times_bytes,
                                        &path->window, error);
  if (!status)
    status = flow_times_open(what->allocator, what->model, path->level, what->weights, FLOW_MOST_STAGES + 1, &path->look.times,
                             error);
  return status ? status : open_chunk(path, error);
}

/* ---- all of it ---------------------------------------------------------------------------------------------------- */

static flow_status no_rows(void *user, const FlowRows *rows, flow_error *error) {
  (void)user, (void)rows, (void)error;
  return FLOW_OK;
}

static flow_status check(Trajectory *path, flow_error *error) {
  path->inner.sink = no_rows;
  flow_status status = flow_sampling_check(&path->inner, error);
  if (status) return status;
  path->level = path->what->level;
  if (!path->level) status = flow_model_level(path->what->model, 0, &path->level, error);
  if (status) return status;
  if (!path->level->step)
    return flow_fail(error, FLOW_BAD_CALL, "%s was compiled without its solver step", path->what->model->name);
  if (!path->sink || (path->times && !path->time))
    return flow_fail(error, FLOW_BAD_CALL, "a trajectory needs a sink and times");
  return FLOW_OK;
}

static flow_status prepare(Trajectory *path, flow_error *error) {
  const FlowSampling *what = path->what;
  path->inner = *what;
  path->inner.quiet = true;
  path->inner.density = NULL;
  flow_status status = check(path, error);
  if (!status)
    status = flow_plan_make_on(&path->plan, what->grid, what->tableau, what->model->precision, what->steps, what->t0, what->t1,
                               error);
  if (status || path->times == 0) return status;
  path->stop = flow_alloc_array(what->allocator, path->times, sizeof *path->stop);
  if (!path->stop) return flow_fail(error, FLOW_NO_MEMORY, "out of memory for %zu times", path->times);
  path->stops_bytes = path->times * sizeof *path->stop;
  make_look(what->tableau, &path->look);
  path->inner.tableau = &path->look.tableau;
  return find_stops(path, error);
}

/* Steps up to the last wanted time, and the looks. */
static uint64_t evaluations(const Trajectory *path) {
  uint64_t looks = 0;
  for (size_t i = 0; i < path->times; i++) looks += path->stop[i].theta != 0;
  uint64_t steps = path->times ? path->stop[path->times - 1].step : 0;
  return steps * path->what->tableau->stages + looks * path->look.tableau.stages;
}

static flow_status run(Trajectory *path, flow_error *error) {
  const FlowSampling *what = path->what;
  flow_status status = prepare(path, error);
  if (status || what->first == what->end) return status;
  path->summary.evaluations = evaluations(path);
  status = open_all(path, error);
  while (!status && path->summary.samples < what->end - what->first) status = solve_chunk(path, error);
  return status;
}

flow_status flow_trajectory(const FlowSampling *what, const double *time, size_t times, FlowTrajectorySink *sink,
                            flow_error *error) {
  if (what->adaptive) return flow_trajectory_adaptive(what, time, times, sink, error);
  FlowRounding callers = flow_rounding_enter();
  Trajectory path = {.what = what, .sink = sink, .time = time, .times = times, .summary.first_failed = UINT64_MAX};
  flow_status status = run(&path, error);
  close_all(&path);
  if (what->summary) *what->summary = path.summary;
  flow_rounding_leave(callers);
  return status;
}
