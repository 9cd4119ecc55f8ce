/* SPDX-License-Identifier: Apache-2.0 */
/* solve.c -- one sampling: chunks of samples one after another, each through all steps, in windows of stage times. */
#include "solve.h"
#include "adaptive.h"
#include "chunk.h"
#include "plan.h"
#include "rounding.h"
#include "window.h"
#include <inttypes.h>

enum { STEPS_BETWEEN_REPORTS = 32 };    /* so that a long solve of few samples can be watched and stopped */

typedef struct Solve {
  const FlowSampling *what;
  const flow_level *level;
  FlowPlan plan;
  FlowWindow window;
  FlowChunk chunk;
  FlowSummary summary;
} Solve;

/* The probes are the model's last condition; the others are given. */
static flow_status check_conditions(const FlowSampling *what, uint64_t end, flow_error *error) {
  flow_model given = *what->model;
  if (what->probes) {
    const flow_condition *last = given.conditions ? &given.condition[given.conditions - 1] : NULL;
    flow_status status = flow_probes_check(what->probes, given.dim, error);
    if (status) return status;
    if (!last || last->size != (uint64_t)what->probes->count * given.dim)
      return flow_fail(error, FLOW_BAD_CALL, "%s was not compiled for %" PRIu32 " probes", given.name, what->probes->count);
    given.conditions--;
  }
  return flow_conditions_check(&given, what->condition, what->first, end, error);
}

/* One past the highest sample that is solved. */
static uint64_t end_of_samples(const FlowSampling *what) {
  uint64_t end = what->picked ? 0 : what->end;
  for (uint64_t i = what->first; what->picked && i < what->end; i++)
    if (what->picked[i] >= end) end = what->picked[i] + 1;
  return end;
}

flow_status flow_sampling_check(const FlowSampling *what, flow_error *error) {
  flow_status status = flow_model_check(what->model, error);
  if (status) return status;
  if (!what->source || !what->tableau || !what->allocator || !what->sink)
    return flow_fail(error, FLOW_BAD_CALL, "a sampling needs a source, a method, an allocator and a sink");
  if (what->model->jump && (what->adaptive || what->steps != 1 || what->tableau->stages != 1))
    return flow_fail(error, FLOW_BAD_CALL, "%s is given by a map: one step of `euler` carries it to the other end", what->model->name);
  if (what->first > what->end)
    return flow_fail(error, FLOW_BAD_CALL, "samples %" PRIu64 " to %" PRIu64 ": the range ends before it begins", what->first, what->end);
  if (what->threads < 0) return flow_fail(error, FLOW_BAD_CALL, "%d threads: 0 means all, otherwise at least 1", what->threads);
  uint64_t end = end_of_samples(what);
  status = flow_source_check(what->source, what->model->dim, what->first, what->source_by_place ? what->end : end, error);
  if (!status && what->density) status = flow_source_has_density(what->density, error);
  return status ? status : check_conditions(what, end, error);
}

static flow_status choose_level(Solve *solve, flow_error *error) {
  const FlowSampling *what = solve->what;
  solve->level = what->level;
  flow_status status = what->level ? FLOW_OK : flow_model_level(what->model, 0, &solve->level, error);
  if (!status && !solve->level->step) return flow_fail(error, FLOW_BAD_CALL, "%s was compiled without its solver step", what->model->name);
  return status;
}

static flow_status report(const Solve *solve, uint64_t done, flow_error *error) {
  const FlowSampling *what = solve->what;
  if (!what->progress || !what->progress(what->user, done, what->end - what->first)) return FLOW_OK;
  return flow_fail(error, FLOW_CANCELLED, "stopped on request after %" PRIu64 " of %" PRIu64 " samples", solve->summary.samples,
                   what->end - what->first);
}

/* The steps of one window, in slices; tells of the samples in flight as if a part of them were done. */
static flow_status advance_window(Solve *solve, uint64_t step, uint64_t end, flow_error *error) {
  flow_status status = flow_window_compute(&solve->window, step, error);
  while (!status && step < end) {
    uint64_t next = end - step < STEPS_BETWEEN_REPORTS ? end : step + STEPS_BETWEEN_REPORTS;
    status = flow_chunk_advance(&solve->chunk, &solve->plan, &solve->window.times, solve->window.row, step, next, error);
    step = next;
    uint64_t part = (uint64_t)((double)solve->chunk.count * ((double)step / (double)solve->plan.steps));
    if (!status && step < solve->plan.steps) status = report(solve, solve->summary.samples + part, error);
  }
  return status;
}

void flow_summary_count(FlowSummary *summary, const FlowRows *rows) {
  for (uint64_t i = 0; i < rows->count; i++) {
    summary->by_status[rows->status[i]]++;
    if (rows->status[i] == FLOW_SAMPLE_OK) continue;
    if (summary->failed++ > 0) continue;
    summary->first_failed = rows->first + i;
    summary->first_status = (FlowSampleStatus)rows->status[i];
  }
  summary->samples += rows->count;
}

static flow_status solve_chunk(Solve *solve, flow_error *error) {
  const FlowSampling *what = solve->what;
  flow_status status = flow_chunk_begin(&solve->chunk, what->first + solve->summary.samples, error);
  for (uint64_t step = 0; !status && step < solve->plan.steps;) {
    uint64_t end = flow_window_end(&solve->window, step);
    status = advance_window(solve, step, end, error);
    step = end;
  }
  if (status) return status;
  FlowRows rows = flow_chunk_arrive(&solve->chunk);
  status = what->sink(what->user, &rows, error);
  if (status) return status;
  flow_summary_count(&solve->summary, &rows);
  return report(solve, solve->summary.samples, error);
}

static flow_status solve_all(Solve *solve, flow_error *error) {
  const FlowSampling *what = solve->what;
  flow_status status = flow_window_open(&solve->plan, what->allocator, what->model, solve->level, what->weights, what->times_bytes,
                                        &solve->window, error);
  if (status) return status;
  status = flow_chunk_open(what, solve->level, &solve->chunk, error);
  if (!status) {
    while (!status && solve->summary.samples < what->end - what->first) status = solve_chunk(solve, error);
    flow_chunk_close(&solve->chunk);
  }
  flow_window_close(&solve->window);
  return status;
}

static flow_status run(Solve *solve, flow_error *error) {
  const FlowSampling *what = solve->what;
  flow_status status = flow_sampling_check(what, error);
  if (!status) status = choose_level(solve, error);
  if (!status)
    status = flow_plan_make_on(&solve->plan, what->grid, what->tableau, what->model->precision, what->steps, what->t0, what->t1, error);
  if (status || what->first == what->end) return status;
  solve->summary.evaluations = what->steps * what->tableau->stages;
  return solve_all(solve, error);
}

static flow_status sample_adaptive(const FlowSampling *what, flow_error *error) {
  FlowAdaptive adaptive = *what->adaptive;
  adaptive.sampling = *what;
  return flow_sample_adaptive(&adaptive, error);
}

flow_status flow_sample(const FlowSampling *what, flow_error *error) {
  if (what->adaptive) return sample_adaptive(what, error);
  FlowRounding callers = flow_rounding_enter();
  Solve solve = {.what = what, .summary.first_failed = UINT64_MAX};
  flow_status status = run(&solve, error);
  if (what->summary) *what->summary = solve.summary;
  flow_rounding_leave(callers);
  return status;
}

static const char *const status_text[FLOW_SAMPLE_STATUS_COUNT] = {
#define X(name, text) text,
    FLOW_SAMPLE_STATUS_LIST(X)
#undef X
};

const char *flow_sample_status_text(FlowSampleStatus status) {
  return (unsigned)status < FLOW_SAMPLE_STATUS_COUNT ? status_text[status] : "unknown";
}

flow_status flow_summary_status(const FlowSummary *summary, flow_error *error) {
  if (summary->failed == 0) return FLOW_OK;
  return flow_fail(error, FLOW_FAILED_SAMPLES, "%" PRIu64 " of %" PRIu64 " samples failed; the first is sample %" PRIu64 ": %s",
                   summary->failed, summary->samples, summary->first_failed,
                   flow_sample_status_text(summary->first_status));
}
