/* SPDX-License-Identifier: Apache-2.0 */
/* plot_log.c -- the history of a training: a CSV whose header names a column `loss`; cells of other columns may be empty. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "plot_verb.h"

typedef struct Log {
  double *x, *y;
  size_t count, room;
} Log;

/* Which cell of the header is `loss`; -1: none. */
static int loss_column(const char *header) {
  int column = 0;
  for (const char *at = header; *at; column++) {
    size_t length = strcspn(at, ",\r\n");
    if (length == 4 && strncmp(at, "loss", 4) == 0) return column;
    at += length;
    if (*at != ',') return -1;
    at++;
  }
  return -1;
}

static double cell_of(const char *row, int column) {
  while (column > 0 && *row) column -= *row++ == ',';
  char *end;
  double value = strtod(row, &end);
  return end == row ? NAN : value;
}

static bool add(Log *log, double x, double y) {
  if (log->count == log->room) {
    size_t room = log->room ? 2 * log->room : 256;
    double *xs = realloc(log->x, room * sizeof *xs);
    if (xs) log->x = xs;
    double *ys = realloc(log->y, room * sizeof *ys);
    if (ys) log->y = ys;
    if (!xs || !ys) return false;
    log->room = room;
  }
  log->x[log->count] = x;
  log->y[log->count++] = y;
  return true;
}

bool plot_log_read(const char *path, double **x, double **y, size_t *count) {
  FILE *from = fopen(path, "r");
  char *line = NULL;
  size_t room = 0;
  Log log = {0};
  int column = from && getline(&line, &room, from) > 0 ? loss_column(line) : -1;
  bool good = column > 0;
  while (good && getline(&line, &room, from) > 0)
    if (strpbrk(line, "0123456789")) good = add(&log, cell_of(line, 0), cell_of(line, column));
  free(line);
  if (from) fclose(from);
  if (!good || log.count == 0) {
    free(log.x), free(log.y);
    return false;
  }
  *x = log.x, *y = log.y, *count = log.count;
  return true;
}
