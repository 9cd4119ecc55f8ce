/* SPDX-License-Identifier: Apache-2.0 */
/* adaptive.c -- chunks of samples one after another; in each the threads take tiles until none is left. */
#include "adaptive.h"
#include "adaptive_lanes.h"
#include "checked.h"
#include "rounding.h"
#include <inttypes.h>
#include <math.h>
#include <omp.h>

enum { MOST_ATTEMPTS = 10000, COUNTED_ATTEMPTS = 1 << 20 };

typedef struct Adaptive {
  const FlowAdaptive *what;
  const flow_level *level;
  FlowChunk chunk;
  FlowLanesShared shared;
  size_t samples;               /* room of a chunk */
  size_t thread_bytes, all_bytes;
  char *memory;                 /* of all threads */
  uint64_t *by_attempts;        /* [counted + 1]: how many samples made so many attempts; the last one: or more */
  size_t counted;
  FlowAdaptiveSummary summary;
} Adaptive;

/* ---- before ---------------------------------------------------------------------------------------------------------------- */

static flow_status choose_level(Adaptive *self, flow_error *error) {
  const FlowSampling *what = &self->what->sampling;
  self->level = what->level;
  flow_status status = what->level ? FLOW_OK : flow_model_level(what->model, 0, &self->level, error);
  if (!status && !self->level->eval_lane)
    return flow_fail(error, FLOW_BAD_CALL, "%s was compiled without its velocity for a time in each lane", what->model->name);
  return status;
}

static FlowTolerance tolerance_of(const FlowAdaptive *what) {
  FlowTolerance tolerance = what->tolerance;
  double standard = flow_standard_tolerance(what->sampling.model->precision);
  if (tolerance.rtol == 0 && tolerance.atol == 0) tolerance.rtol = standard;
  if (tolerance.atol == 0) tolerance.atol = tolerance.rtol;
  if (tolerance.ltol == 0) tolerance.ltol = tolerance.atol;
  return tolerance;
}

static double larger(double a, double b) { return a > b ? a : b; }

flow_status flow_lanes_share(const FlowAdaptive *what, FlowLanesShared *shared, flow_error *error) {
  const FlowSampling *sampling = &what->sampling;
  uint32_t precision = sampling->model->precision;
  shared->what = what;
  shared->span = fabs(sampling->t1 - sampling->t0);
  shared->direction = sampling->t1 < sampling->t0 ? -1 : 1;
  shared->most_attempts = what->most_attempts ? what->most_attempts : MOST_ATTEMPTS;
  if (shared->most_attempts > INT32_MAX) shared->most_attempts = INT32_MAX;
  double largest = larger(shared->span, larger(fabs(sampling->t0), fabs(sampling->t1)));
  shared->least_step = what->least_step > 0 ? what->least_step : 4 * (precision == FLOW_F32 ? 0x1p-23 : 0x1p-52) * largest;
  shared->largest_step = what->largest_step > 0 ? what->largest_step : INFINITY;
  uint32_t extras = sampling->quiet ? 0 : sampling->model->extras;
  return flow_method_make(&shared->method, sampling->tableau, precision, extras, tolerance_of(what), sampling->t0, sampling->t1, error);
}

static flow_status prepare(Adaptive *self, flow_error *error) {
  flow_status status = flow_sampling_check(&self->what->sampling, error);
  if (!status) status = choose_level(self, error);
  if (!status) status = flow_lanes_share(self->what, &self->shared, error);
  uint64_t most = self->shared.most_attempts;
  self->counted = most < COUNTED_ATTEMPTS ? (size_t)most : COUNTED_ATTEMPTS;
  return status;
}

static bool allocate(Adaptive *self) {
  const FlowAllocator *allocator = self->what->sampling.allocator;
  self->samples = self->chunk.most_tiles * self->chunk.width;
  return flow_lanes_bytes(&self->shared, &self->thread_bytes) &&
         flow_mul_size(self->thread_bytes, (size_t)self->chunk.threads, &self->all_bytes) &&
         (self->memory = flow_alloc_aligned(allocator, self->all_bytes)) &&
         (self->shared.report = flow_alloc_array(allocator, self->samples, sizeof(FlowSampleReport))) &&
         (self->by_attempts = flow_alloc_array(allocator, self->counted + 1, sizeof(uint64_t)));
}

static void release(Adaptive *self) {
  const FlowAllocator *allocator = self->what->sampling.allocator;
  flow_free_aligned(allocator, self->memory, self->all_bytes);
  flow_free(allocator, self->shared.report, self->samples * sizeof(FlowSampleReport));
  flow_free(allocator, self->by_attempts, (self->counted + 1) * sizeof(uint64_t));
}

/* ---- one chunk --------------------------------------------------------------------------------------------------------------- */

/* On the calling thread, between its own attempts. */
static void poll(FlowLanesShared *shared, void *user) {
  const FlowSampling *what = &shared->what->sampling;
  (void)user;
  uint64_t done = shared->before + atomic_load_explicit(&shared->done, memory_order_relaxed);
  if (what->progress && what->progress(what->user, done, what->end - what->first)) atomic_store(&shared->stop, 1);
}

static int run_thread(Adaptive *self, int thread) {
  FlowLanes lanes = flow_lanes_open(&self->shared, self->memory + (size_t)thread * self->thread_bytes);
  flow_lanes_run(&lanes, thread == 0 ? poll : NULL, NULL);
  return lanes.code;
}

/* Returns a refusal of the model, or what is not negative.  One thread alone is the caller's, whose mode is set. */
static int run_threads(Adaptive *self) {
  FlowLanesShared *shared = &self->shared;
  int refused = 0;
  atomic_store(&shared->next_tile, 0);
  atomic_store(&shared->done, 0);
  if (self->chunk.threads == 1) return run_thread(self, 0);
#pragma omp parallel num_threads(self->chunk.threads)
  {
    FlowRounding callers = flow_rounding_enter();
    int code = run_thread(self, omp_get_thread_num());
    if (code < 0) {
#pragma omp atomic write
      refused = code;
    }
    flow_rounding_leave(callers);
  }
  return refused;
}

static void note_report(FlowAdaptiveSummary *summary, uint64_t sample, const FlowSampleReport *report) {
  summary->attempts += report->attempts;
  summary->rejected += report->rejected;
  if (report->evaluations > summary->most_evaluations) {
    summary->most_evaluations = report->evaluations;
    summary->hardest_sample = sample;
  }
  if (report->smallest_step > 0 && (summary->smallest_step == 0 || report->smallest_step < summary->smallest_step)) {
    summary->smallest_step = report->smallest_step;
    summary->smallest_sample = sample;
  }
  if (report->stiff && summary->stiff++ == 0) summary->first_stiff = sample;
}

static void note_rows(Adaptive *self, const FlowRows *rows) {
  bool none_failed = self->summary.solve.failed == 0;
  flow_summary_count(&self->summary.solve, rows);
  for (uint64_t i = 0; i < rows->count; i++) {
    const FlowSampleReport *report = &rows->report[i];
    note_report(&self->summary, rows->first + i, report);
    self->by_attempts[report->attempts < self->counted ? report->attempts : self->counted]++;
    if (none_failed && rows->first + i == self->summary.solve.first_failed) self->summary.failed_at = report->t;
  }
}

static flow_status cancelled(const Adaptive *self, flow_error *error) {
  const FlowSampling *what = &self->what->sampling;
  return flow_fail(error, FLOW_CANCELLED, "stopped on request after %" PRIu64 " of %" PRIu64 " samples",
                   self->summary.solve.samples, what->end - what->first);
}

static flow_status solve_chunk(Adaptive *self, flow_error *error) {
  const FlowSampling *what = &self->what->sampling;
  FlowLanesShared *shared = &self->shared;
  shared->before = self->summary.solve.samples;
  flow_status status = flow_chunk_begin(&self->chunk, what->first + shared->before, error);
  if (status) return status;
  int code = run_threads(self);
  if (code < 0) return flow_model_refused(what->model, self->level->attempt ? "attempt" : "eval_lane", code, error);
  if (atomic_load(&shared->stop)) return cancelled(self, error);
  FlowRows rows = flow_chunk_arrive(&self->chunk);
  rows.report = shared->report;
  status = what->sink(what->user, &rows, error);
  if (status) return status;
  note_rows(self, &rows);
  poll(shared, NULL);
  return FLOW_OK;
}

/* ---- all of them ------------------------------------------------------------------------------------------------------------- */

static uint64_t evaluations_of(const Adaptive *self, size_t attempts) {
  return 2 + (uint64_t)attempts * self->shared.method.evaluations;
}

/* The least, and the one in the middle of the sorted list. */
static void find_quantiles(Adaptive *self) {
  FlowAdaptiveSummary *summary = &self->summary;
  uint64_t seen = 0, middle = summary->solve.samples / 2;
  for (size_t i = 0; i <= self->counted; i++) {
    if (seen == 0 && self->by_attempts[i]) summary->least_evaluations = evaluations_of(self, i);
    if (seen <= middle && seen + self->by_attempts[i] > middle) summary->median_evaluations = evaluations_of(self, i);
    seen += self->by_attempts[i];
  }
  summary->solve.evaluations = summary->median_evaluations;
}

static flow_status solve_all(Adaptive *self, flow_error *error) {
  const FlowSampling *what = &self->what->sampling;
  flow_status status = flow_chunk_open(what, self->level, &self->chunk, error);
  if (status) return status;
  self->shared.chunk = &self->chunk;
  if (!allocate(self))
    status = flow_fail(error, FLOW_NO_MEMORY, "out of memory for the lanes of a solve on %d threads", self->chunk.threads);
  while (!status && self->summary.solve.samples < what->end - what->first) {
    status = solve_chunk(self, error);
    if (!status && atomic_load(&self->shared.stop) && self->summary.solve.samples < what->end - what->first)
      status = cancelled(self, error);
  }
  if (self->by_attempts) find_quantiles(self);
  self->summary.slots = atomic_load(&self->shared.slots);
  release(self);
  flow_chunk_close(&self->chunk);
  return status;
}

flow_status flow_sample_adaptive(const FlowAdaptive *what, flow_error *error) {
  FlowRounding callers = flow_rounding_enter();
  Adaptive self = {.what = what, .summary.solve.first_failed = UINT64_MAX};
  flow_status status = prepare(&self, error);
  if (!status && what->sampling.first < what->sampling.end) status = solve_all(&self, error);
  if (what->sampling.summary) *what->sampling.summary = self.summary.solve;
  if (what->summary) *what->summary = self.summary;
  flow_rounding_leave(callers);
  return status;
}
