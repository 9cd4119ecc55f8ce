/* SPDX-License-Identifier: Apache-2.0 */
/* bench.h -- how long whole solves take. */
#ifndef FLOWC_BENCH_H
#define FLOWC_BENCH_H
#include "sampling.h"

typedef struct BenchResult {
  double median, fastest, slowest;       /* seconds of one solve of all samples */
  uint64_t rounds, samples, evaluations; /* evaluations of each sample in a solve */
  double compile_ms;
  double peak; /* GFLOP/s of multiply-adds on one core, median of one measurement before each round */
  uint64_t multiply_adds; /* of contractions in one evaluation of one sample */
  double all_evaluations; /* of all samples */
  double accepted, useful; /* adaptive steps: evaluations of accepted steps; part of the lanes that were at work.  Else 0 */
} BenchResult;

/* One round to warm up, then `rounds` that are measured. */
flow_status bench_solve(const Program *program, Sampling *sampling, uint64_t rounds, BenchResult *result,
                        flow_error *error);

#endif
