/* SPDX-License-Identifier: Apache-2.0 */
/* latency.c -- what a control loop sees: one sample at a time through the public calls, on one thread.
 *
 *   bench_latency MODEL.so ...          one JSON line a library: microseconds; the fastest, the median and the 99.9th percentile of
 *                                       single calls, with the reading of the clock, which "clock" tells alone; and of calls one
 *                                       after the other, without a clock between them, the fastest mean of a hundred;
 *                                       "weights_read": to read the weights alone, which no evaluation can do without */
#include "flow/flow.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CALLS = 20000, ROW = 100, MOST_DIM = 4096 };

static double microseconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

typedef struct Bench {
  flowrt_model *model;
  flowrt_solver *solver;
  flowrt_request request;
  flowrt_points points;
  double x[MOST_DIM], u[MOST_DIM], t;
} Bench;

static flow_status velocity(Bench *b, flow_error *error) { return flowrt_evaluate(b->model, &b->points, error); }
static flow_status sample(Bench *b, flow_error *error) {
  b->request.seed++;
  return flowrt_solve(b->solver, &b->request, error);
}

typedef flow_status Call(Bench *b, flow_error *error);

static flow_status nothing(Bench *b, flow_error *error) {
  (void)b, (void)error;
  return FLOW_OK;
}

/* The fastest of rows of calls, for each of its calls. */
static double in_a_row(Bench *b, Call *call, flow_error *error) {
  double least = 1e30;
  for (int i = 0; i < CALLS / ROW; i++) {
    double start = microseconds();
    for (int k = 0; k < ROW; k++) call(b, error);
    double each = (microseconds() - start) / ROW;
    if (each < least) least = each;
  }
  return least;
}

/* As many bytes as the velocity's weights, read again and again. */
static double read_weights(const flow_variant *variant) {
  enum { TIMES = 200, SIDE = 16 };
  typedef uint64_t Words[SIDE];
  const Words *words = variant->blob;
  size_t count = (size_t)variant->model->blob_bytes / sizeof *words;
  double least = 1e30;
  for (int i = 0; words && i < TIMES; i++) {
    Words sum = {0};
    double start = microseconds();
    for (size_t k = 0; k < count; k++)
      for (int j = 0; j < SIDE; j++) sum[j] += words[k][j];
    for (int j = 1; j < SIDE; j++) sum[0] += sum[j];
    double each = microseconds() - start;
    if (each < least) least = each;
    if (sum[0] == 1) puts("");          /* else the compiler reads nothing */
  }
  return words ? least : 0;
}

static flow_status measure(const char *what, Bench *b, Call *call, flow_error *error) {
  static double each[CALLS];
  flow_status status = FLOW_OK;
  for (int i = 0; !status && i < CALLS; i++) {
    double start = microseconds();
    status = call(b, error);
    each[i] = microseconds() - start;
  }
  qsort(each, CALLS, sizeof *each, ascending);
  if (!status)
    printf(", \"%s\": {\"least\": %.3f, \"median\": %.3f, \"p999\": %.3f, \"in_a_row\": %.3f}", what, each[0], each[CALLS / 2],
           each[CALLS - CALLS / 1000], in_a_row(b, call, error));
  return status;
}

static flow_status bench(const char *path, flow_error *error) {
  static Bench b;
  memset(&b, 0, sizeof b);
  double start = microseconds();
  flow_status status = flowrt_open(path, NULL, &b.model, error);
  if (!status && flowrt_dim(b.model) > MOST_DIM) status = flow_fail(error, FLOW_BAD_CALL, "%s: a state is too large", path);
  b.request = (flowrt_request){.size = sizeof b.request, .count = 1, .threads = 1, .method = "midpoint", .steps = 10, .x = b.x};
  b.points = (flowrt_points){.size = sizeof b.points, .count = 1, .threads = 1, .t = &b.t, .times = 1, .x = b.x, .velocity = b.u};
  if (!status) status = flowrt_sample(b.model, &b.request, error);
  if (!status) printf("{\"model\": \"%s\", \"cpu\": \"v%u\", \"open_and_first_sample\": %.1f", flowrt_name(b.model), flowrt_cpu(b.model), microseconds() - start);
  if (!status) status = flowrt_prepare(b.model, &b.request, 0, &b.solver, error);
  if (!status) status = measure("clock", &b, nothing, error);
  if (!status) printf(", \"weights_read\": %.3f", read_weights(flowrt_exported(b.model)->variant));
  if (!status) status = measure("velocity", &b, velocity, error);
  if (!status) status = measure("sample_of_10_midpoint_steps", &b, sample, error);
  if (!status) puts("}");
  flowrt_solver_close(b.solver);
  flowrt_close(b.model);
  return status;
}

int main(int argc, char **argv) {
  flow_error error = {{0}};
  for (int i = 1; i < argc; i++)
    if (bench(argv[i], &error)) return fprintf(stderr, "%s\n", error.text), 1;
  return 0;
}
