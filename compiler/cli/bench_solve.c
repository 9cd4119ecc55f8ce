/* SPDX-License-Identifier: Apache-2.0 */
/* bench_solve.c -- the clock.  Rows are received and dropped, so that no file is measured. */
#include "bench.h"
#include "show_progress.h"
#include <stdlib.h>

static flow_status drop_rows(void *user, const FlowRows *rows, flow_error *error) {
  (void)user, (void)rows, (void)error;
  return FLOW_OK;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static flow_status measure(Sampling *sampling, uint64_t rounds, double *seconds, flow_error *error) {
  for (uint64_t round = 0; round <= rounds; round++) {
    double before = seconds_now();
    flow_status status = flow_sample(&sampling->what, error);
    if (status) return status;
    if (round > 0) seconds[round - 1] = seconds_now() - before;
  }
  qsort(seconds, (size_t)rounds, sizeof *seconds, ascending);
  return FLOW_OK;
}

flow_status bench_solve(const Program *program, Sampling *sampling, uint64_t rounds, BenchResult *result,
                        flow_error *error) {
  double *seconds = calloc((size_t)rounds, sizeof *seconds);
  if (!seconds) return flow_fail(error, FLOW_NO_MEMORY, "out of memory");
  FlowSummary summary = {0};
  sampling->what.sink = drop_rows;
  sampling->what.summary = &summary;
  flow_status status = measure(sampling, rounds, seconds, error);
  FlowCompileCost cost = flow_compiled_cost(program->compiled);
  *result = (BenchResult){
      .median = 0.5 * (seconds[(rounds - 1) / 2] + seconds[rounds / 2]),
      .fastest = seconds[0],
      .slowest = seconds[rounds - 1],
      .rounds = rounds,
      .samples = summary.samples,
      .evaluations = summary.evaluations,
      .compile_ms = cost.front_ms + cost.lower_ms + cost.schedule_ms + cost.emit_ms + cost.codegen_ms + cost.load_ms,
      .multiply_adds = cost.multiply_adds[2],
  };
  free(seconds);
  return status;
}
