/* SPDX-License-Identifier: Apache-2.0 */
/* path_output.h -- the states of samples at times, gathered and written.
 *
 *   -o p.npy      [times, samples, state]
 *   -o p.npz      members t [times] in f64 and x, the same array
 *   -o p.csv, -   a row for each time and sample: t, sample, x0, x1, ...
 *
 * Rows come chunk by chunk, files go time by time, so all of it is in memory until the end. */
#ifndef FLOWC_PATH_OUTPUT_H
#define FLOWC_PATH_OUTPUT_H
#include "program.h"
#include "solve.h"
#include "wanted_times.h"

typedef struct PathOutput {
  const Program *program;
  const WantedTimes *times;
  uint64_t samples;
  size_t row_bytes;
  char *value; /* [times][samples][row] */
} PathOutput;

flow_status path_output_open(const Program *program, const WantedTimes *times, uint64_t samples, PathOutput *output,
                             flow_error *error);
/* Is there a format for a file of this name? */
flow_status path_output_check(const char *path, flow_error *error);
/* A state that is not finite becomes a row of NaN. */
void path_output_take(PathOutput *output, size_t time, const FlowRows *rows);
flow_status path_output_write(const PathOutput *output, const char *path, flow_error *error);
double path_output_at(const PathOutput *output, size_t time, uint64_t sample, uint64_t component);
void path_output_free(PathOutput *output);

#endif
