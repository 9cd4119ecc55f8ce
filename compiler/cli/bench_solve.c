/* SPDX-License-Identifier: Apache-2.0 */
/* bench_solve.c -- the clock.  Rows are received and dropped, so that no file is measured. */
#include "bench.h"
#include "peak.h"
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

static double median(double *value, uint64_t count) {
  qsort(value, (size_t)count, sizeof *value, ascending);
  return 0.5 * (value[(count - 1) / 2] + value[count / 2]);
}

/* The peak right before each round, since a shared machine's speed drifts. */
static flow_status measure(const Program *program, Sampling *sampling, uint64_t rounds, double *seconds, double *peak,
                           flow_error *error) {
  for (uint64_t round = 0; round <= rounds; round++) {
    double gflops = peak_gflops((int)program->model->precision, program->level->cpu);
    double before = seconds_now();
    flow_status status = adaptive_steps_solve(&sampling->adaptive, &sampling->what, error);
    if (status) return status;
    if (round == 0) continue;
    seconds[round - 1] = seconds_now() - before;
    peak[round - 1] = gflops;
  }
  return FLOW_OK;
}

/* The states that the source gives, drawn once: what is timed is the solve, not the random numbers. */
static void *draw_starts(const Program *program, const FlowSampling *what, FlowTensor *tensor) {
  uint64_t dim = program->model->dim, count = what->end - what->first, precision = program->model->precision;
  uint32_t lanes = program->level->lanes;
  char *rows = malloc((size_t)(count * dim * precision) + 1), *lane_rows = NULL;
  if (posix_memalign((void **)&lane_rows, 64, (size_t)(dim * lanes * precision) + 64)) lane_rows = NULL;
  for (uint64_t i = 0; rows && lane_rows && i < count; i += lanes) {
    uint32_t live = count - i < lanes ? (uint32_t)(count - i) : lanes;
    FlowTile tile = flow_tile(program->model, program->level, lane_rows, dim, live);
    flow_source_fill(what->source, (FlowRandom){what->seed, what->stream}, what->first + i, &tile);
    flow_tile_store(&tile, rows + i * dim * precision);
  }
  FlowType type = precision == FLOW_F32 ? FLOW_TYPE_F32 : FLOW_TYPE_F64;
  *tensor = (FlowTensor){.name = "start", .type = type, .rank = 2, .dim = {count, dim}, .count = count * dim, .data = rows};
  bool drawn = rows && lane_rows;
  free(lane_rows);
  if (drawn) return rows;
  free(rows);
  return NULL;
}

/* Two evaluations of a sample find its first step; the end of a step is the start of the next. */
static void count_adaptive(const AdaptiveSteps *steps, BenchResult *result) {
  const FlowAdaptiveSummary *summary = &steps->summary;
  double of_attempt = steps->what.sampling.tableau->stages;
  result->all_evaluations = 2.0 * (double)summary->solve.samples + of_attempt * (double)summary->attempts;
  result->accepted = of_attempt * (double)(summary->attempts - summary->rejected);
  result->useful = summary->slots ? (double)summary->attempts / (double)summary->slots : 0;
}

flow_status bench_solve(const Program *program, Sampling *sampling, uint64_t rounds, BenchResult *result,
                        flow_error *error) {
  double *seconds = calloc((size_t)rounds, 2 * sizeof *seconds), *peak = seconds + rounds;
  FlowTensor start;
  void *rows = draw_starts(program, &sampling->what, &start);
  FlowSource from_rows = {.kind = FLOW_SOURCE_TENSOR, .dim = program->model->dim, .tensor = &start, .name = "start"};
  if (!seconds || !rows) {
    free(seconds), free(rows);
    return flow_fail(error, FLOW_NO_MEMORY, "out of memory");
  }
  sampling->what.end -= sampling->what.first;
  sampling->what.first = 0;
  sampling->what.source = &from_rows;
  FlowSummary summary = {0};
  sampling->what.sink = drop_rows;
  sampling->what.summary = &summary;
  flow_status status = measure(program, sampling, rounds, seconds, peak, error);
  FlowCompileCost cost = flow_compiled_cost(program->compiled);
  *result = (BenchResult){
      .median = median(seconds, rounds),
      .peak = median(peak, rounds),
      .fastest = seconds[0],
      .slowest = seconds[rounds - 1],
      .rounds = rounds,
      .samples = summary.samples,
      .evaluations = summary.evaluations,
      .compile_ms = cost.front_ms + cost.lower_ms + cost.schedule_ms + cost.emit_ms + cost.codegen_ms + cost.load_ms,
      .multiply_adds = cost.multiply_adds[FLOW_COST_SAMPLE],
  };
  result->all_evaluations = (double)summary.samples * (double)summary.evaluations;
  if (sampling->adaptive.wanted) count_adaptive(&sampling->adaptive, result);
  free(seconds), free(rows);
  return status;
}
