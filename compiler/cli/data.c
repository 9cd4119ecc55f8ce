/* SPDX-License-Identifier: Apache-2.0 */
/* data.c -- flowc data: points to learn from. */
#include "data_sets.h"
#include "diag.h" /* diag_nearest */
#include "run.h"
#include "writer.h"
#include <inttypes.h>
#include <math.h>

static flow_status unknown(const char *word, flow_error *error) {
  const char *known[DATA_SETS];
  char list[256] = "";
  size_t at = 0;
  for (int i = 0; i < DATA_SETS; i++) {
    known[i] = data_set_word((DataSet)i);
    at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", i ? ", " : "", known[i]);
  }
  const char *near = diag_nearest(word, known, DATA_SETS);
  if (near) return flow_fail(error, FLOW_BAD_CALL, "there are no data `%.64s`; did you mean `%s`?", word, near);
  return flow_fail(error, FLOW_BAD_CALL, "there are no data `%.64s`; there are: %s", word, list);
}

static flow_status write_points(DataSet set, double spread, uint64_t seed, uint64_t count, const char *path, flow_error *error) {
  enum { CHUNK = 1024 };
  FlowWriter *writer;
  flow_status status = flow_writer_open(&flow_standard_allocator, path, FLOW_FORMAT_BY_SUFFIX, FLOW_TYPE_F64, 2,
                                        (const uint64_t[]){count, 2}, NULL, &writer, error);
  if (status) return status;
  for (uint64_t first = 0; !status && first < count; first += CHUNK) {
    double point[CHUNK][2];
    uint64_t rows = count - first < CHUNK ? count - first : CHUNK;
    for (uint64_t i = 0; i < rows; i++) data_set_point(set, spread, seed, first + i, point[i]);
    status = flow_writer_append(writer, point, rows, error);
  }
  if (!status) return flow_writer_close(writer, error);
  flow_writer_abandon(writer);
  return status;
}

static flow_status choose_spread(const Run *run, DataSet set, double *spread, flow_error *error) {
  *spread = data_set_spread(set);
  flow_status status = number_given(run, OPTION_noise, spread, error);
  if (status || (*spread >= 0 && *spread < INFINITY)) return status;
  return flow_fail(error, FLOW_BAD_CALL, "--noise is a standard deviation, from 0, not `%s`", text_of(run, OPTION_noise));
}

int verb_data(const Run *run) {
  flow_error error = {{0}};
  const char *word = run->line->operand[0], *path = has(run, OPTION_points_file) ? text_of(run, OPTION_points_file) : "-";
  DataSet set = data_set_find(word);
  double spread;
  flow_status status = set == DATA_SETS ? unknown(word, &error) : choose_spread(run, set, &spread, &error);
  if (!status) status = write_points(set, spread, count_of(run, OPTION_data_seed, 0), count_of(run, OPTION_count, 1000), path, &error);
  return status ? failed(run, status, &error) : 0;
}
