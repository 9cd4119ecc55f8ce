/* SPDX-License-Identifier: Apache-2.0 */
/* rows_output.h -- the files that flowc sample fills as samples come.
 *
 *   -o x.npy, x.csv, -    the states, row by row
 *   --logp l.npy, l.csv   their log-densities, likewise
 *   -o x.npz              members samples, status, and with --logp logp (and standard_error, with probes); held in memory
 *                         until the end.  --logp with the same .npz asks for the member alone.
 *
 * A sample that failed: with --on-error nan its row is NaN, with drop there is none; otherwise all writing ends there, and no file
 * appears. */
#ifndef FLOWC_ROWS_OUTPUT_H
#define FLOWC_ROWS_OUTPUT_H
#include "program.h"
#include "solve.h"
#include "writer.h"

typedef struct RowsOutput {
  const Run *run;
  const Program *program;
  const char *path, *logp_path; /* NULL where not wanted */
  bool probes;                  /* log p is estimated */
  bool open;                    /* rows are still taken */
  FlowWriter *states, *log_ps;
  bool in_memory; /* for a .npz */
  uint64_t rows, taken, kept; /* kept: in memory */
  char *state;
  double *log_p, *standard_error;
  uint8_t *status;
} RowsOutput;

/* run, program, path, logp_path and probes are set.  Without a path at all nothing is opened. */
flow_status rows_output_open(RowsOutput *output, uint64_t rows, flow_error *error);
flow_status rows_output_take(RowsOutput *output, const FlowRows *rows, flow_error *error);
flow_status rows_output_close(RowsOutput *output, flow_error *error);
void rows_output_abandon(RowsOutput *output); /* fine after close, too */

#endif
