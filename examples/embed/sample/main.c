/* SPDX-License-Identifier: Apache-2.0 */
/* Loads a compiled model, draws samples, and prints each with its log-density.
 *
 *   flowc moons.flow -o moons.so
 *   cc main.c -o sample $(pkg-config --cflags --libs flowrt) && ./sample moons.so 5 */
#include <flow/flow.h>
#include <stdio.h>
#include <stdlib.h>

static double number(const flowrt_model *model, const void *x, size_t index) {
  return flowrt_precision(model) == FLOW_F32 ? ((const float *)x)[index] : ((const double *)x)[index];
}

static flow_status run(const flowrt_model *model, size_t count, flow_error *error) {
  size_t dim = flowrt_dim(model);
  void *x = calloc(count * dim, flowrt_precision(model));
  double *log_p = calloc(count, sizeof *log_p);
  flowrt_request request = {.size = sizeof request, .count = count, .seed = 1, .x = x, .log_p = log_p};
  flow_status status = x && log_p ? flowrt_sample(model, &request, error) : flow_fail(error, FLOW_NO_MEMORY, "out of memory");
  for (size_t i = 0; !status && i < count; i++) {
    for (size_t c = 0; c < dim; c++) printf("%.9g ", number(model, x, i * dim + c));
    printf("  log p = %.9g\n", log_p[i]);
  }
  free(log_p);
  free(x);
  return status;
}

int main(int argc, char **argv) {
  flow_error error;
  flowrt_model *model;
  long count = argc > 2 ? strtol(argv[2], NULL, 10) : 5;
  if (argc < 2 || count < 1) {
    fprintf(stderr, "usage: %s MODEL.so [COUNT]\n", argv[0]);
    return 2;
  }
  flow_status status = flowrt_open(argv[1], NULL, &model, &error);
  if (!status) status = run(model, (size_t)count, &error);
  if (status) fprintf(stderr, "%s\n", error.text);
  flowrt_close(model);
  return flow_status_exit_code(status);
}
