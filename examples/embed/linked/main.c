/* SPDX-License-Identifier: Apache-2.0 */
/* The model is part of the program: no file is opened when it runs.
 *
 *   flowc rotation.flow -o rotation.o                 also writes rotation.h
 *   cc main.c rotation.o -o linked $(pkg-config --cflags --libs flowrt) && ./linked */
#include "rotation.h"
#include <flow/flow.h>
#include <stdio.h>

int main(void) {
  flow_error error;
  flowrt_model *model;
  rotation_number x[3][ROTATION_DIM] = {{1, 0}, {0, 2}, {3, 3}}, turned[3][ROTATION_DIM];
  flowrt_request request = {.size = sizeof request, .count = 3, .from = x, .x = turned};
  flow_status status = flowrt_open_export(flow_export_rotation(), NULL, &model, &error);
  if (!status) status = flowrt_sample(model, &request, &error);
  for (int i = 0; !status && i < 3; i++)
    printf("%g %g  once round:  %.4f %.4f\n", (double)x[i][0], (double)x[i][1], (double)turned[i][0], (double)turned[i][1]);
  if (status) fprintf(stderr, "%s\n", error.text);
  flowrt_close(model);
  return flow_status_exit_code(status);
}
