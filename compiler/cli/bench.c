/* SPDX-License-Identifier: Apache-2.0 */
/* bench.c -- flowc bench: what bench_solve measured, in the units that people compare. */
#include "bench.h"
#include <inttypes.h>

enum { LEAST_ROUNDS = 7, MOST_ROUNDS = 10000 };

/* What of one solve is common to both reports. */
typedef struct Figures { double evaluations, gflops, threads; const char *precision; } Figures;

static Figures figures_of(const Program *program, const Sampling *sampling, const BenchResult *result) {
  return (Figures){.evaluations = result->all_evaluations,
                   .gflops = 2e-9 * (double)result->multiply_adds * result->all_evaluations / result->median,
                   .threads = sampling->what.threads > 0 ? sampling->what.threads : 1,
                   .precision = program->model->precision == FLOW_F32 ? "f32" : "f64"};
}

static void print_json(const Program *program, const Sampling *sampling, const BenchResult *result) {
  Figures figures = figures_of(program, sampling, result);
  fputs("{\"model\": ", stdout);
  print_json_text(stdout, program->model->name);
  printf(", \"precision\": \"%s\", \"cpu\": \"v%u\"", figures.precision, program->level->cpu);
  if (program->model->jump)
    fputs(", \"map\": true", stdout);
  else
    printf(", \"solver\": \"%s\", \"steps\": %" PRIu64, sampling->what.tableau->name, sampling->what.steps);
  printf(", \"threads\": %d, \"samples\": %" PRIu64 ", \"rounds\": %" PRIu64
         ", \"seconds\": {\"median\": %.9f, \"fastest\": %.9f, \"slowest\": %.9f}",
         sampling->what.threads, result->samples, result->rounds, result->median, result->fastest, result->slowest);
  if (sampling->adaptive.wanted)
    printf(", \"evaluations_per_sample\": %.6g, \"useful_lanes\": %.4f, \"ns_per_accepted_evaluation\": %.6g",
           figures.evaluations / (double)result->samples, result->useful, 1e9 * result->median / result->accepted);
  printf(", \"evaluations_per_second\": %.6g, \"ns_per_evaluation\": %.6g, \"gflops\": %.6g, \"peak_gflops\": %.6g, \"compile_ms\": %.3f}\n",
         figures.evaluations / result->median, 1e9 * result->median / figures.evaluations, figures.gflops, result->peak, result->compile_ms);
}

static void print_method(const Program *program, const Sampling *sampling) {
  const FlowTolerance *tolerance = &sampling->adaptive.what.tolerance;
  if (program->model->jump)
    printf("by the map itself\n");
  else if (sampling->adaptive.wanted)
    printf("%s rtol %.3g, atol %.3g\n", sampling->what.tableau->name, tolerance->rtol, tolerance->atol);
  else
    printf("%s %" PRIu64 " steps\n", sampling->what.tableau->name, sampling->what.steps);
}

static void print_text(const Program *program, const Sampling *sampling, const BenchResult *result) {
  Figures figures = figures_of(program, sampling, result);
  printf("%s, %s, x86-64-v%u: %" PRIu64 " samples, ", program->model->name, figures.precision, program->level->cpu, result->samples);
  print_method(program, sampling);
  printf("  solve          %.6g ms (median of %" PRIu64 "; %.6g .. %.6g)\n", 1e3 * result->median, result->rounds,
         1e3 * result->fastest, 1e3 * result->slowest);
  printf("  samples/s      %.4g\n", (double)result->samples / result->median);
  printf("  evaluations/s  %.4g  (%.4g ns each)\n", figures.evaluations / result->median, 1e9 * result->median / figures.evaluations);
  if (sampling->adaptive.wanted)
    printf("  adaptive       %.4g evaluations a sample, %.4g ns for each of an accepted step, %.1f %% of the lanes useful\n",
           figures.evaluations / (double)result->samples, 1e9 * result->median / result->accepted, 100 * result->useful);
  printf("  products       %.4g GFLOP/s, %.1f %% of what a core can multiply and add (%.4g)\n", figures.gflops,
         100 * figures.gflops / (result->peak * figures.threads), result->peak);
  printf("  compiled in    %.1f ms\n", result->compile_ms);
}

static int bench_program(const Run *run, Program *program) {
  flow_error error = {{0}};
  uint64_t rounds = count_of(run, OPTION_rounds, LEAST_ROUNDS);
  if (rounds < LEAST_ROUNDS || rounds > MOST_ROUNDS) {
    complain(&run->terminal, "--rounds wants %d to %d", LEAST_ROUNDS, MOST_ROUNDS);
    return flow_status_exit_code(FLOW_BAD_CALL);
  }
  int code = program_bind(run, program);
  if (!code) code = program_link(run, program, adaptive_steps_entries(run, program));
  if (code) return code;
  Sampling sampling = {0};
  BenchResult result;
  flow_status status = sampling_prepare(run, program, 1000, &sampling, &error);
  if (status) return failed(run, status, &error);
  status = bench_solve(program, &sampling, rounds, &result, &error);
  if (!status) (has(run, OPTION_json) ? print_json : print_text)(program, &sampling, &result);
  sampling_free(&sampling);
  return status ? failed(run, status, &error) : finish_output(run);
}

int verb_bench(const Run *run) {
  Program program;
  int code = program_open(run, run->line->operand[0], &program);
  if (!code) code = bench_program(run, &program);
  program_close(&program);
  return code;
}
