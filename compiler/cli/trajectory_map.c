/* SPDX-License-Identifier: Apache-2.0 */
#include "trajectory_map.h"
#include "eval.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct MapPath {
  const FlowSampling *what;
  FlowTrajectorySink *sink;
  FlowCompiled *compiled;
  const flow_model *model;
  FlowBlob blob;
  uint64_t count;
  size_t row_bytes;
  char *start, *state;          /* [count][row] */
  uint8_t *begun, *status, *worst;      /* [count]: at the start; at this time; at any */
} MapPath;

/* ---- the program once more -------------------------------------------------------------------------------------------- */

static flow_status compile(const Run *run, const Program *program, MapPath *path, flow_error *error) {
  FlowCompileOptions how = program_options(run);
  how.as_path = true;
  const FlowTensors *tensors = program->has_tensors ? &program->tensors : NULL;
  const char *text = program->text.data ? (const char *)program->text.data : "";
  flow_status status = flow_compile(&flow_standard_allocator, program->path, text, program->text.size, &how, &path->compiled, error);
  if (!status && tensors) status = flow_compiled_bind(path->compiled, tensors, error);
  if (!status) status = flow_compiled_link(path->compiled, FLOW_ENTRY_EVAL, error);
  if (status) return status;
  path->model = flow_compiled_model(path->compiled);
  return flow_model_pack(&flow_standard_allocator, path->model, tensors, program->weights_path, &path->blob, error);
}

/* ---- states -------------------------------------------------------------------------------------------------------------- */

static flow_status take_starts(void *user, size_t time, const FlowRows *rows, flow_error *error) {
  MapPath *path = user;
  (void)time, (void)error;
  uint64_t at = rows->first - path->what->first;
  memcpy(path->start + at * path->row_bytes, rows->value, (size_t)rows->count * path->row_bytes);
  memcpy(path->begun + at, rows->status, (size_t)rows->count);
  return FLOW_OK;
}

static flow_status draw_starts(MapPath *path, flow_error *error) {
  FlowSampling starts = *path->what;
  starts.user = path;
  starts.summary = NULL;
  starts.progress = NULL;
  flow_status status = flow_trajectory(&starts, &starts.t0, 1, take_starts, error);
  memcpy(path->worst, path->begun, (size_t)path->count);
  return status;
}

static bool row_is_finite(const MapPath *path, uint64_t i) {
  const void *row = path->state + i * path->row_bytes;
  for (uint64_t c = 0; c < path->model->dim; c++)
    if (!isfinite(path->model->precision == FLOW_F32 ? (double)((const float *)row)[c] : ((const double *)row)[c])) return false;
  return true;
}

static void judge(MapPath *path) {
  for (uint64_t i = 0; i < path->count; i++) {
    path->status[i] = path->begun[i] != FLOW_SAMPLE_OK ? path->begun[i] : row_is_finite(path, i) ? FLOW_SAMPLE_OK : FLOW_SAMPLE_NON_FINITE;
    if (path->worst[i] == FLOW_SAMPLE_OK) path->worst[i] = path->status[i];
  }
}

/* Times that someone else has computed are the start if they are but for a few roundings. */
static bool is_start(const FlowSampling *what, double t) { return fabs(t - what->t0) <= 0x1p-50 * (fabs(what->t0) + fabs(what->t1)); }

static flow_status evaluate_at(MapPath *path, double t, flow_error *error) {
  const FlowSampling *what = path->what;
  if (is_start(what, t)) {
    memcpy(path->state, path->start, (size_t)path->count * path->row_bytes);
    return FLOW_OK;
  }
  FlowEvaluation at = {.model = path->model, .weights = path->blob.data, .count = path->count, .t = &t, .x = path->start, .u = path->state,
                       .condition = what->condition, .threads = what->threads, .allocator = what->allocator};
  return flow_evaluate(&at, error);
}

static flow_status check_times(const FlowSampling *what, const double *time, size_t times, flow_error *error) {
  double least = fmin(what->t0, what->t1), most = fmax(what->t0, what->t1);
  for (size_t i = 0; i < times; i++)
    if (!(time[i] >= least && time[i] <= most) && !is_start(what, time[i]))
      return flow_fail(error, FLOW_BAD_CALL, "time %zu is %.17g; the solve is from %.17g to %.17g", i, time[i], what->t0, what->t1);
  return FLOW_OK;
}

static flow_status walk(MapPath *path, const double *time, size_t times, flow_error *error) {
  const FlowSampling *what = path->what;
  flow_status status = draw_starts(path, error);
  for (size_t i = 0; !status && i < times; i++) {
    status = evaluate_at(path, time[i], error);
    judge(path);
    FlowRows rows = {.first = what->first, .count = path->count, .value = path->state, .status = path->status};
    if (!status) status = path->sink(what->user, i, &rows, error);
    uint64_t done = (uint64_t)((double)path->count * (double)(i + 1) / (double)times);
    if (!status && what->progress && what->progress(what->user, done, path->count))
      status = flow_fail(error, FLOW_CANCELLED, "stopped on request after %zu of %zu times", i + 1, times);
  }
  return status;
}

flow_status trajectory_of_map(const Run *run, const Program *program, const FlowSampling *what, const double *time, size_t times,
                              FlowTrajectorySink *sink, flow_error *error) {
  MapPath path = {.what = what, .sink = sink, .count = what->end - what->first, .row_bytes = (size_t)what->model->dim * what->model->precision};
  size_t bytes = (size_t)path.count * path.row_bytes + 1, count = (size_t)path.count + 1;
  flow_status status = check_times(what, time, times, error);
  if (!status) status = compile(run, program, &path, error);
  path.start = malloc(bytes), path.state = malloc(bytes);
  path.begun = calloc(count, 1), path.status = calloc(count, 1), path.worst = calloc(count, 1);
  if (!status && !(path.start && path.state && path.begun && path.status && path.worst))
    status = flow_fail(error, FLOW_NO_MEMORY, "out of memory for %" PRIu64 " samples", path.count);
  if (!status) status = walk(&path, time, times, error);
  if (what->summary) {
    *what->summary = (FlowSummary){.first_failed = UINT64_MAX, .evaluations = times};
    FlowRows all = {.first = what->first, .count = status ? 0 : path.count, .status = path.worst};
    flow_summary_count(what->summary, &all);
  }
  free(path.start), free(path.state), free(path.begun), free(path.status), free(path.worst);
  if (path.blob.data) flow_blob_free(&path.blob);
  flow_compiled_free(path.compiled);
  return status;
}
