/* SPDX-License-Identifier: Apache-2.0 */
/* A control loop: one sample a tick, of a solver that was prepared before, and a histogram of how long each took.
 *
 *   cc main.c -o realtime $(pkg-config --cflags --libs flowrt) && ./realtime moons.so 10000 */
#define _POSIX_C_SOURCE 199309L
#include <flow/flow.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BUCKETS = 32 };  /* bucket k: from 2^(k/2) to 2^((k+1)/2) tenths of a microsecond */

static double microseconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static int bucket_of(double us) {
  int k = 0;
  for (double edge = 0.1 * 1.41421356; us > edge && k < BUCKETS - 1; edge *= 1.41421356) k++;
  return k;
}

static flow_status loop(flowrt_solver *solver, flowrt_request *request, long ticks, long *histogram, flow_error *error) {
  flow_status status = FLOW_OK;
  for (long tick = 0; !status && tick < ticks; tick++) {
    double start = microseconds();
    request->first = (uint64_t)tick;
    status = flowrt_solve(solver, request, error);      /* ... and here the controller would use x */
    histogram[bucket_of(microseconds() - start)]++;
  }
  return status;
}

int main(int argc, char **argv) {
  flow_error error;
  flowrt_model *model = NULL;
  flowrt_solver *solver = NULL;
  double x[1024];
  long histogram[BUCKETS] = {0}, ticks = argc > 2 ? strtol(argv[2], NULL, 10) : 1000;
  if (argc < 2) return fprintf(stderr, "usage: %s MODEL.so [TICKS]\n", argv[0]), 2;
  flowrt_request request = {.size = sizeof request, .count = 1, .threads = 1, .method = "midpoint", .steps = 10, .x = x};
  flow_status status = flowrt_open(argv[1], NULL, &model, &error);
  if (!status && flowrt_dim(model) > sizeof x / sizeof *x) status = flow_fail(&error, FLOW_BAD_CALL, "too many numbers in a state");
  if (!status) status = flowrt_prepare(model, &request, 0, &solver, &error);
  if (!status) status = loop(solver, &request, ticks, histogram, &error);
  double edge = 0.1;
  for (int k = 0; !status && k < BUCKETS; k++, edge *= 1.41421356)
    if (histogram[k]) printf("%9.1f us %8ld\n", edge, histogram[k]);
  if (status) fprintf(stderr, "%s\n", error.text);
  flowrt_solver_close(solver);
  flowrt_close(model);
  return flow_status_exit_code(status);
}
