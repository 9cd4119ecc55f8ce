/* SPDX-License-Identifier: Apache-2.0 */
/* train_log.h -- the history of a training as rows of a .csv or .jsonl file: iteration, loss (mean since the row before, without terms),
 * validation (empty or null where it was not computed), rate, norm of the gradient, seconds; then those terms that the loss has, kinetic
 * and jacobian, means like it and not times their weights.
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
  double kinetic, jacobian;
} TrainRow;

typedef struct TrainLog {
  const char *path;
  FILE *file; /* NULL: no log */
  bool json, failed, kinetic, jacobian; /* which columns there are */
} TrainLog;

/* path NULL: no log.  log->kinetic, log->jacobian are set before. */
flow_status train_log_open(const char *path, uint64_t kept, TrainLog *log, flow_error *error);
void train_log_add(TrainLog *log, const TrainRow *row);
flow_status train_log_close(TrainLog *log, flow_error *error);

#endif
