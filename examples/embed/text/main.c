/* SPDX-License-Identifier: Apache-2.0 */
/* Compiles a program that is only known at run time, and draws from it.
 *
 *   cc main.c -o text $(pkg-config --cflags --libs flowc flowrt) && ./text */
#include <flow/flow.h>
#include <flow/flowc.h>
#include <stdio.h>
#include <string.h>

static const char standard[] =
    "# a Gaussian that is moved and squeezed on its way\n"
    "field u(t, x: [2]) = [3, 0] - 0.5*x\n"
    "flow squeezed { source normal(2)  velocity u  solver rk4 steps 20 }\n";

static flow_status run(const flow_export *exported, flow_error *error) {
  flowrt_model *model;
  float x[4][2];
  double log_p[4];
  flowrt_request request = {.size = sizeof request, .count = 4, .seed = 1, .x = x, .log_p = log_p};
  flow_status status = flowrt_open_export(exported, NULL, &model, error);
  if (status) return status;
  if (flowrt_dim(model) != 2) status = flow_fail(error, FLOW_BAD_CALL, "a state of this example has 2 numbers");
  if (!status) status = flowrt_sample(model, &request, error);
  for (int i = 0; !status && i < 4; i++) printf("%9.6f %9.6f   log p = %.6f\n", x[i][0], x[i][1], log_p[i]);
  flowrt_close(model);
  return status;
}

int main(int argc, char **argv) {
  const char *text = argc > 1 ? argv[1] : standard;
  flow_error error;
  flowc_program *program;
  flow_status status = flowc_compile(text, strlen(text), NULL, &program, &error);
  fputs(flowc_messages(program), stderr);
  if (!status) status = run(flowc_exported(program), &error);
  if (status) fprintf(stderr, "%s\n", error.text);
  flowc_close(program);
  return flow_status_exit_code(status);
}
