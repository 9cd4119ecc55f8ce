/* SPDX-License-Identifier: Apache-2.0 */
/* trajectory_adaptive.c -- someone watches the attempts of an adaptive solve and takes what lies inside of accepted steps.
 *
 *   before   x and k_0 of all lanes are copied, which an accepted attempt replaces
 *   after    for every lane that accepted, and every wanted time in (t, t + h]: at the end of the step its new state, else the
 *            method's dense output, whose further stages (dop853) are evaluated for the tile where any lane needs them
 *
 * The solve does not know of it, so that its steps and its bits are those of flow_sample_adaptive. */
#include "trajectory_adaptive.h"
#include "adaptive_attempt.h"
#include "adaptive_lanes.h"
#include "checked.h"
#include "dense.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BATCH_BYTES = 128 << 20 };

typedef struct Stop {
  size_t time;                  /* its number */
  double t;
} Stop;

typedef struct Path {
  const FlowSampling *what;
  FlowTrajectorySink *sink;
  const flow_level *level;
  const FlowTableau *tableau;
  double direction;
  size_t stops;
  Stop *stop;                   /* [stops], in the direction of the solve */
  size_t row_bytes;
  uint64_t batch, first, count; /* samples at once; those under way */
  char *value;                  /* [stops][batch][row] */
  uint8_t *status;              /* [stops][batch]: UNKNOWN until a state is there */
  uint8_t *worst;               /* [batch] */
  FlowAdaptiveSummary part;     /* of a batch */
  FlowSummary summary;
  uint64_t attempts;
} Path;
enum { UNKNOWN = 255 };

/* ---- where the times are ------------------------------------------------------------------------------------------------- */

static int compare_stops(const void *left, const void *right) {
  const Stop *a = left, *b = right;
  if (a->t != b->t) return a->t < b->t ? -1 : 1;
  return (a->time > b->time) - (a->time < b->time);
}

/* Times that someone else has computed are an end if they are but for a few roundings. */
static double snapped(const FlowSampling *what, double t) {
  double near = 0x1p-50 * (fabs(what->t0) + fabs(what->t1));
  return fabs(t - what->t0) <= near ? what->t0 : fabs(t - what->t1) <= near ? what->t1 : t;
}

static flow_status take_stops(Path *path, const double *time, flow_error *error) {
  const FlowSampling *what = path->what;
  for (size_t i = 0; i < path->stops; i++) {
    double t = isfinite(time[i]) ? snapped(what, time[i]) : time[i];
    if (!((t - what->t0) * path->direction >= 0 && (what->t1 - t) * path->direction >= 0))
      return flow_fail(error, FLOW_BAD_CALL, "time %zu is %.17g; the solve is from %.17g to %.17g", i, time[i], what->t0, what->t1);
    path->stop[i] = (Stop){i, t * path->direction};
  }
  qsort(path->stop, path->stops, sizeof *path->stop, compare_stops);
  for (size_t i = 0; i < path->stops; i++) path->stop[i].t *= path->direction;
  return FLOW_OK;
}

/* The first stop that is beyond t. */
static size_t beyond(const Path *path, double t) {
  size_t low = 0, high = path->stops;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if ((path->stop[middle].t - t) * path->direction > 0)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

/* ---- the watch ------------------------------------------------------------------------------------------------------------ */

/* A thread's memory: what the attempt replaces, and what further stages need. */
typedef struct Watched {
  char *x, *k, *argument, *t, *times, *further;
  size_t further_pitch;
} Watched;
enum { WATCHED_X, WATCHED_K, WATCHED_ARGUMENT, WATCHED_T, WATCHED_TIMES, WATCHED_FURTHER, WATCHED_PARTS };

static bool lay_out(const Path *path, size_t at[WATCHED_PARTS + 1]) {
  const flow_model *model = path->what->model;
  uint64_t all = (uint64_t)model->dim + model->extras;
  const uint64_t rows[WATCHED_PARTS] = {model->dim, model->dim, all, 1, model->times_rows, all};
  at[0] = 0;
  for (int i = 0; i < WATCHED_PARTS; i++) {
    size_t bytes;
    if (!flow_model_lanes_bytes(model, path->level, rows[i], &bytes)) return false;
    if (i == WATCHED_FURTHER && !flow_mul_size(bytes, path->tableau->dense.stages, &bytes)) return false;
    if (!flow_add_size(at[i], bytes, &at[i + 1])) return false;
  }
  return true;
}

static Path *path_of(const FlowLanes *lanes) { return lanes->shared->what->watch->user; }

static Watched watched_of(const FlowLanes *lanes) {
  const Path *path = path_of(lanes);
  size_t at[WATCHED_PARTS + 1];
  char *memory = lanes->watched;
  lay_out(path, at);
  size_t stages = path->tableau->dense.stages;
  return (Watched){memory + at[WATCHED_X], memory + at[WATCHED_K], memory + at[WATCHED_ARGUMENT], memory + at[WATCHED_T],
                   memory + at[WATCHED_TIMES], memory + at[WATCHED_FURTHER],
                   stages ? (at[WATCHED_PARTS] - at[WATCHED_FURTHER]) / stages : 0};
}

static double number(const Path *path, const void *rows, uint64_t row, uint32_t lane) {
  size_t at = (size_t)row * path->level->lanes + lane;
  return path->what->model->precision == FLOW_F32 ? (double)((const float *)rows)[at] : ((const double *)rows)[at];
}

static void put(const Path *path, void *rows, uint64_t row, uint32_t lane, double value) {
  size_t at = (size_t)row * path->level->lanes + lane;
  if (path->what->model->precision == FLOW_F32)
    ((float *)rows)[at] = (float)value;
  else
    ((double *)rows)[at] = value;
}

/* The place of a lane's sample at a stop. */
static size_t place_of(const Path *path, const FlowLanes *lanes, uint32_t lane, size_t stop) {
  return stop * (size_t)path->batch + (size_t)(lanes->shared->chunk->first + lanes->at[lane] - path->first);
}

static void put_number(const Path *path, char *row, uint64_t component, double value) {
  if (path->what->model->precision == FLOW_F32)
    ((float *)(void *)row)[component] = (float)value;
  else
    ((double *)(void *)row)[component] = value;
}

/* Rows of a lane to its sample's row at a stop. */
static void keep(const Path *path, const FlowLanes *lanes, uint32_t lane, size_t stop, const void *rows) {
  size_t place = place_of(path, lanes, lane, stop);
  char *row = path->value + place * path->row_bytes;
  for (uint64_t c = 0; c < path->what->model->dim; c++) put_number(path, row, c, number(path, rows, c, lane));
  path->status[place] = FLOW_SAMPLE_OK;
}

static void before(FlowLanes *lanes) {
  const Path *path = path_of(lanes);
  const flow_model *model = path->what->model;
  Watched watched = watched_of(lanes);
  size_t bytes = (size_t)model->dim * path->level->lanes * model->precision;
  memcpy(watched.x, lanes->x, bytes);
  memcpy(watched.k, lanes->k, bytes);
  for (uint32_t lane = 0; lane < lanes->live; lane++)
    for (size_t s = 0; lanes->attempts[lane] == 0 && s < path->stops && path->stop[s].t == path->what->t0; s++)
      keep(path, lanes, lane, s, lanes->x);
}

static bool is_accepted(const Path *path, const FlowLanes *lanes, uint32_t lane) {
  return number(path, lanes->row, FLOW_LANE_ERROR, lane) <= 1;
}

static double end_of(const Path *path, const FlowLanes *lanes, uint32_t lane) {
  return lanes->last[lane] != 0 ? path->what->t1 : lanes->time[lane] + lanes->step[lane];
}

static const char *stage_of(const Path *path, const FlowLanes *lanes, const Watched *watched, uint32_t stage) {
  size_t pitch = flow_attempt_pitch(path->level);
  if (stage == 0) return watched->k;
  if (stage <= path->tableau->stages) return (const char *)lanes->k + stage * pitch;
  return watched->further + (stage - path->tableau->stages - 1) * watched->further_pitch;
}

/* x + h sum of weights times k, in f64, rounded once. */
static double combine(const Path *path, const FlowLanes *lanes, const Watched *watched, const double *weight, uint32_t stages, uint64_t row,
                      uint32_t lane) {
  double sum = 0;
  for (uint32_t j = 0; j < stages; j++)
    if (weight[j] != 0) sum += weight[j] * number(path, stage_of(path, lanes, watched, j), row, lane);
  return number(path, watched->x, row, lane) + lanes->step[lane] * sum;
}

static int evaluate(const Path *path, FlowLanes *lanes, const Watched *watched, void *k) {
  const FlowChunk *chunk = lanes->shared->chunk;
  const flow_model *model = path->what->model;
  flow_call call = {.size = sizeof call, .lanes = lanes->lanes, .weights = path->what->weights, .t = watched->t,
                    .conditions = model->condition_rows ? lanes->conditions : NULL, .cond = model->cond_rows ? lanes->cond : NULL,
                    .scratch = lanes->scratch};
  call.u = watched->times;
  int code = model->times_rows ? chunk->level->times(&call) : 0;
  if (code < 0) return code;
  call.times = watched->times;
  call.x = watched->argument;
  call.u = k;
  return chunk->level->eval_lane(&call);
}

static int evaluate_further(const Path *path, FlowLanes *lanes, const Watched *watched) {
  const FlowTableau *tableau = path->tableau;
  int code = 0;
  for (uint32_t s = tableau->stages + 1; code >= 0 && s < flow_tableau_dense_stages(tableau); s++) {
    const double *a = flow_tableau_row(tableau, s);
    uint32_t length = flow_tableau_row_length(tableau, s);
    for (uint32_t lane = 0; lane < lanes->lanes; lane++) {
      uint32_t from = lane < lanes->live ? lane : lanes->live - 1;     /* idle lanes do as the last live one */
      put(path, watched->t, 0, lane, lanes->time[from] + flow_tableau_c(tableau, s) * lanes->step[from]);
      for (uint64_t row = 0; row < path->what->model->dim; row++)
        put(path, watched->argument, row, lane, combine(path, lanes, watched, a, length, row, from));
    }
    code = evaluate(path, lanes, watched, watched->further + (s - tableau->stages - 1) * watched->further_pitch);
  }
  return code;
}

static void look_inside(const Path *path, const FlowLanes *lanes, const Watched *watched, uint32_t lane, size_t stop) {
  double weight[FLOW_MOST_STAGES], t = lanes->time[lane];
  size_t place = place_of(path, lanes, lane, stop);
  char *row = path->value + place * path->row_bytes;
  flow_dense_weights(path->tableau, (path->stop[stop].t - t) / (end_of(path, lanes, lane) - t), weight);
  bool finite = true;
  for (uint64_t c = 0; c < path->what->model->dim; c++) {
    double x = combine(path, lanes, watched, weight, flow_tableau_dense_stages(path->tableau), c, lane);
    finite = finite && isfinite(path->what->model->precision == FLOW_F32 ? (double)(float)x : x);
    put_number(path, row, c, x);
  }
  path->status[place] = finite ? FLOW_SAMPLE_OK : FLOW_SAMPLE_NON_FINITE;
}

/* Is there a stop inside of the lane's step, not at its end? */
static bool wants_inside(const Path *path, const FlowLanes *lanes, uint32_t lane) {
  if (!is_accepted(path, lanes, lane)) return false;
  size_t s = beyond(path, lanes->time[lane]);
  return s < path->stops && (end_of(path, lanes, lane) - path->stop[s].t) * path->direction > 0;
}

static int after(FlowLanes *lanes) {
  const Path *path = path_of(lanes);
  Watched watched = watched_of(lanes);
  bool inside = false;
  for (uint32_t lane = 0; !inside && lane < lanes->live; lane++) inside = wants_inside(path, lanes, lane);
  int code = inside && path->tableau->dense.stages ? evaluate_further(path, lanes, &watched) : 0;
  for (uint32_t lane = 0; code >= 0 && lane < lanes->live; lane++) {
    if (!is_accepted(path, lanes, lane)) continue;
    double end = end_of(path, lanes, lane);
    for (size_t s = beyond(path, lanes->time[lane]); s < path->stops && (path->stop[s].t - end) * path->direction <= 0; s++) {
      if (path->stop[s].t == end)
        keep(path, lanes, lane, s, lanes->x);
      else
        look_inside(path, lanes, &watched, lane, s);
    }
  }
  return code;
}

/* ---- a batch --------------------------------------------------------------------------------------------------------------- */

/* Not a number: 0 could be taken for a state. */
static void put_nothing(const Path *path, char *row) {
  for (uint64_t c = 0; c < path->what->model->dim; c++) put_number(path, row, c, NAN);
}

/* What has arrived, or has not: times that a sample did not live to see have its status. */
static flow_status take_rows(void *user, const FlowRows *rows, flow_error *error) {
  Path *path = user;
  (void)error;
  for (uint64_t i = 0; i < rows->count; i++) {
    uint64_t at = rows->first + i - path->first;
    path->worst[at] = FLOW_SAMPLE_OK;
    for (size_t s = 0; s < path->stops; s++) {
      size_t place = s * (size_t)path->batch + (size_t)at;
      bool start = path->status[place] == UNKNOWN && path->stop[s].t == path->what->t0 && rows->status[i] != FLOW_SAMPLE_BAD_START;
      if (start || path->what->t0 == path->what->t1) {                 /* it never took a step */
        memcpy(path->value + place * path->row_bytes, (const char *)rows->value + i * path->row_bytes, path->row_bytes);
        path->status[place] = FLOW_SAMPLE_OK;
      }
      if (path->status[place] == UNKNOWN) {
        path->status[place] = rows->status[i];
        put_nothing(path, path->value + place * path->row_bytes);
      }
      if (path->worst[at] == FLOW_SAMPLE_OK) path->worst[at] = path->status[place];
    }
  }
  return FLOW_OK;
}

static int report(void *user, uint64_t done, uint64_t total) {
  const Path *path = user;
  const FlowSampling *what = path->what;
  (void)total;
  return what->progress(what->user, path->first - what->first + done, what->end - what->first);
}

static flow_status hand_over(Path *path, flow_error *error) {
  flow_status status = FLOW_OK;
  for (size_t s = 0; !status && s < path->stops; s++) {
    size_t place = s * (size_t)path->batch;
    FlowRows rows = {.first = path->first, .count = path->count, .value = path->value + place * path->row_bytes, .status = path->status + place};
    status = path->sink(path->what->user, path->stop[s].time, &rows, error);
  }
  FlowRows all = {.first = path->first, .count = path->count, .status = path->worst};
  if (!status) flow_summary_count(&path->summary, &all);
  return status;
}

static flow_status solve_batch(Path *path, flow_error *error) {
  size_t at[WATCHED_PARTS + 1];
  if (!lay_out(path, at)) return flow_fail(error, FLOW_NO_MEMORY, "out of memory for the steps of a trajectory");
  FlowLanesWatch watch = {.bytes = at[WATCHED_PARTS], .before = before, .after = after, .user = path};
  FlowAdaptive adaptive = *path->what->adaptive;
  adaptive.sampling = *path->what;
  adaptive.sampling.level = path->level;
  adaptive.sampling.quiet = true;
  adaptive.sampling.density = NULL;
  adaptive.sampling.first = path->first;
  adaptive.sampling.end = path->first + path->count;
  adaptive.sampling.sink = take_rows;
  adaptive.sampling.progress = path->what->progress ? report : NULL;
  adaptive.sampling.user = path;
  adaptive.sampling.summary = NULL;
  adaptive.summary = &path->part;
  adaptive.watch = &watch;
  if (path->status) memset(path->status, UNKNOWN, path->stops * (size_t)path->batch);
  flow_status status = flow_sample_adaptive(&adaptive, error);
  path->attempts += path->part.attempts;
  return status || path->count == 0 ? status : hand_over(path, error);
}

/* ---- all of it ---------------------------------------------------------------------------------------------------------------- */

static flow_status open_path(Path *path, const double *time, flow_error *error) {
  const FlowSampling *what = path->what;
  flow_status status = flow_model_check(what->model, error);
  path->level = what->level;
  if (!status && !path->level) status = flow_model_level(what->model, 0, &path->level, error);
  if (status) return status;
  if (!path->sink || !what->allocator || !what->tableau || (path->stops && !time))
    return flow_fail(error, FLOW_BAD_CALL, "a trajectory needs a method, an allocator, a sink and times");
  path->tableau = what->tableau;
  path->row_bytes = (size_t)what->model->dim * what->model->precision;
  uint64_t samples = what->end > what->first ? what->end - what->first : 0;
  uint64_t fit = MOST_BATCH_BYTES / (path->row_bytes + 1) / (path->stops ? path->stops : 1);
  path->batch = fit < path->level->lanes ? path->level->lanes : fit;
  if (path->batch > samples) path->batch = samples ? samples : 1;
  path->stop = flow_alloc_array(what->allocator, path->stops + 1, sizeof *path->stop);
  size_t places = 0, bytes = 0;
  if (flow_mul_size(path->stops + 1, (size_t)path->batch, &places) && flow_mul_size(places, path->row_bytes, &bytes)) {
    path->value = flow_alloc(what->allocator, bytes);
    path->status = flow_alloc(what->allocator, places);
    path->worst = flow_alloc(what->allocator, (size_t)path->batch);
  }
  if (!path->stop || !path->value || !path->status || !path->worst)
    return flow_fail(error, FLOW_NO_MEMORY, "out of memory for %" PRIu64 " samples at %zu times", path->batch, path->stops);
  return take_stops(path, time, error);
}

static void close_path(Path *path) {
  const FlowAllocator *allocator = path->what->allocator;
  size_t places = (path->stops + 1) * (size_t)path->batch;
  flow_free(allocator, path->worst, (size_t)path->batch);
  flow_free(allocator, path->status, places);
  flow_free(allocator, path->value, places * path->row_bytes);
  flow_free(allocator, path->stop, (path->stops + 1) * sizeof *path->stop);
}

flow_status flow_trajectory_adaptive(const FlowSampling *what, const double *time, size_t times, FlowTrajectorySink *sink,
                                     flow_error *error) {
  Path path = {.what = what, .sink = sink, .stops = times, .direction = what->t1 < what->t0 ? -1 : 1, .first = what->first,
               .summary.first_failed = UINT64_MAX};
  flow_status status = open_path(&path, time, error);
  do {
    uint64_t rest = what->end > path.first ? what->end - path.first : 0;
    path.count = rest < path.batch ? rest : path.batch;
    if (!status) status = solve_batch(&path, error);
    path.first += path.count;
  } while (!status && path.first < what->end);
  if (path.summary.samples && path.tableau)
    path.summary.evaluations = 2 + path.attempts * path.tableau->stages / path.summary.samples;
  close_path(&path);
  if (what->summary) *what->summary = path.summary;
  return status;
}
