/* SPDX-License-Identifier: Apache-2.0 */
/* train_log.h -- the history of a training as rows of a .csv or .jsonl file: iteration, loss (mean since the row before), validation
 * (empty or null where it was not computed), rate, norm of the gradient, seconds.
 *
 * A training that goes on from iteration n keeps the rows up to n of a file that is there, and adds to them. */
#ifndef FLOWC_TRAIN_LOG_H
#define FLOWC_TRAIN_LOG_H
#include "flow/status.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct TrainRow {
  uint64_t iteration;
  double loss, validation, rate, norm, seconds; /* NaN: not computed */
} TrainRow;

typedef struct TrainLog {
  const char *path;
  FILE *file; /* NULL: no log */
  bool json, failed;
} TrainLog;

/* path NULL: no log. */
flow_status train_log_open(const char *path, uint64_t kept, TrainLog *log, flow_error *error);
void train_log_add(TrainLog *log, const TrainRow *row);
flow_status train_log_close(TrainLog *log, flow_error *error);

#endif
