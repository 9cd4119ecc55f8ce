/* SPDX-License-Identifier: Apache-2.0 */
#include "train_log.h"
#include "terminal.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool ends_in(const char *text, const char *ending) {
  size_t n = strlen(text), m = strlen(ending);
  return n > m && strcmp(text + n - m, ending) == 0;
}

/* The number of a row: `123,...` or `{"iteration": 123, ...`; false for a header and for what is no row. */
static bool row_number(const char *line, uint64_t *number) {
  static const char head[] = "{\"iteration\": ";
  if (strncmp(line, head, sizeof head - 1) == 0) line += sizeof head - 1;
  char *end;
  *number = strtoull(line, &end, 10);
  return end != line;
}

/* Cuts the file behind its last row that is whole and not beyond `kept`. */
static bool keep_rows(FILE *file, uint64_t kept) {
  char *line = NULL;
  size_t room = 0;
  long end = 0;
  uint64_t number;
  for (ssize_t length; (length = getline(&line, &room, file)) > 0; end += length)
    if (line[length - 1] != '\n' || (row_number(line, &number) && number > kept)) break;
  free(line);
  return fseek(file, end, SEEK_SET) == 0 && ftruncate(fileno(file), end) == 0;
}

flow_status train_log_open(const char *path, uint64_t kept, TrainLog *log, flow_error *error) {
  *log = (TrainLog){.path = path, .kinetic = log->kinetic, .jacobian = log->jacobian};
  if (!path) return FLOW_OK;
  log->json = ends_in(path, ".jsonl");
  if (!log->json && !ends_in(path, ".csv")) return flow_fail(error, FLOW_BAD_CALL, "--log %s: a log is a .csv or a .jsonl file", path);
  if (kept > 0) log->file = fopen(path, "r+");
  if (log->file && !keep_rows(log->file, kept)) return flow_fail(error, FLOW_BAD_FILE, "%s: %s", path, strerror(errno));
  if (log->file && ftell(log->file) > 0) return FLOW_OK;
  if (!log->file) log->file = fopen(path, "w");
  if (!log->file) return flow_fail(error, FLOW_BAD_FILE, "%s: %s", path, strerror(errno));
  if (!log->json)
    fprintf(log->file, "iteration,loss,validation,rate,norm,seconds%s%s\n", log->kinetic ? ",kinetic" : "", log->jacobian ? ",jacobian" : "");
  return FLOW_OK;
}

static void add_json(const TrainLog *log, const TrainRow *row) {
  FILE *to = log->file;
  const struct { bool there; const char *name; double value; } field[] = {
      {true, "loss", row->loss},       {true, "validation", row->validation},        {true, "rate", row->rate},
      {true, "norm", row->norm},       {true, "seconds", row->seconds},              {log->kinetic, "kinetic", row->kinetic},
      {log->jacobian, "jacobian", row->jacobian}};
  fprintf(to, "{\"iteration\": %" PRIu64, row->iteration);
  for (size_t i = 0; i < sizeof field / sizeof *field; i++) {
    if (!field[i].there) continue;
    fprintf(to, ", \"%s\": ", field[i].name);
    print_json_number(to, field[i].value);
  }
  fputs("}\n", to);
}

void train_log_add(TrainLog *log, const TrainRow *row) {
  if (!log->file) return;
  if (log->json) {
    add_json(log, row);
  } else {
    fprintf(log->file, "%" PRIu64 ",%.9g,", row->iteration, row->loss);
    if (!isnan(row->validation)) fprintf(log->file, "%.9g", row->validation);
    fprintf(log->file, ",%.9g,%.9g,%.3f", row->rate, row->norm, row->seconds);
    if (log->kinetic) fprintf(log->file, ",%.9g", row->kinetic);
    if (log->jacobian) fprintf(log->file, ",%.9g", row->jacobian);
    fputc('\n', log->file);
  }
  if (fflush(log->file)) log->failed = true;
}

flow_status train_log_close(TrainLog *log, flow_error *error) {
  if (!log->file) return FLOW_OK;
  bool bad = log->failed || ferror(log->file);
  bad = fclose(log->file) != 0 || bad;
  log->file = NULL;
  return bad ? flow_fail(error, FLOW_BAD_FILE, "%s: the log is not whole: %s", log->path, strerror(errno)) : FLOW_OK;
}
