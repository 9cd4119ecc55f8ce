/* SPDX-License-Identifier: Apache-2.0 */
#include "path_output.h"
#include "npz.h"
#include "writer.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FLOAT_WHOLE = 1 << 24 }; /* up to here f32 has every whole number */

/* ---- gathering ---------------------------------------------------------------------------------------------------- */

flow_status path_output_open(const Program *program, const WantedTimes *times, uint64_t samples, PathOutput *output,
                             flow_error *error) {
  const flow_model *model = program->model;
  *output = (PathOutput){program, times, samples, (size_t)model->dim * model->precision, NULL};
  uint64_t most = SIZE_MAX / output->row_bytes;
  bool fits = samples == 0 || times->count <= most / samples;
  if (fits) output->value = malloc(times->count * (size_t)samples * output->row_bytes + 1);
  if (output->value) return FLOW_OK;
  return flow_fail(error, FLOW_NO_MEMORY, "no memory for %" PRIu64 " samples at %zu times", samples, times->count);
}

void path_output_free(PathOutput *output) {
  free(output->value);
  output->value = NULL;
}

static char *row_of(const PathOutput *output, size_t time, uint64_t sample) {
  return output->value + (time * (size_t)output->samples + (size_t)sample) * output->row_bytes;
}

double path_output_at(const PathOutput *output, size_t time, uint64_t sample, uint64_t component) {
  const void *row = row_of(output, time, sample);
  return output->program->model->precision == FLOW_F32 ? (double)((const float *)row)[component]
                                                       : ((const double *)row)[component];
}

static void set_nan(const PathOutput *output, void *row) {
  for (uint64_t c = 0; c < output->program->model->dim; c++) {
    if (output->program->model->precision == FLOW_F32)
      ((float *)row)[c] = NAN;
    else
      ((double *)row)[c] = NAN;
  }
}

void path_output_take(PathOutput *output, size_t time, const FlowRows *rows) {
  memcpy(row_of(output, time, rows->first), rows->value, (size_t)rows->count * output->row_bytes);
  for (uint64_t i = 0; i < rows->count; i++)
    if (rows->status[i] != FLOW_SAMPLE_OK) set_nan(output, row_of(output, time, rows->first + i));
}

/* ---- arrays ------------------------------------------------------------------------------------------------------- */

static FlowType type_of(const PathOutput *output) {
  return output->program->model->precision == FLOW_F32 ? FLOW_TYPE_F32 : FLOW_TYPE_F64;
}

/* [times, samples, state], with the state's axes where a file has room for them. */
static uint32_t shape_of(const PathOutput *output, uint64_t *dim) {
  const Shape *state = &flow_compiled_function(output->program->compiled)->parameter[1];
  dim[0] = output->times->count;
  dim[1] = output->samples;
  if (2 + state->rank > FLOW_MOST_RANK) {
    dim[2] = output->program->model->dim;
    return 3;
  }
  for (uint32_t r = 0; r < state->rank; r++) dim[2 + r] = (uint64_t)state->dim[r];
  return 2 + state->rank;
}

static flow_status write_npy(const PathOutput *output, const char *path, flow_error *error) {
  uint64_t dim[2 + FLOW_MOST_RANK];
  uint32_t rank = shape_of(output, dim);
  FlowWriter *writer;
  flow_status status = flow_writer_open(&flow_standard_allocator, path, FLOW_FORMAT_NPY, type_of(output), rank, dim, NULL,
                                        &writer, error);
  if (status) return status;
  status = flow_writer_append(writer, output->value, output->times->count, error);
  if (!status) return flow_writer_close(writer, error);
  flow_writer_abandon(writer);
  return status;
}

static flow_status write_npz(const PathOutput *output, const char *path, flow_error *error) {
  uint64_t dim[2 + FLOW_MOST_RANK], times = output->times->count;
  uint32_t rank = shape_of(output, dim);
  FlowNpzWriter *writer;
  flow_status status = flow_npz_open(&flow_standard_allocator, path, &writer, error);
  if (status) return status;
  status = flow_npz_add(writer, "t", FLOW_TYPE_F64, 1, &times, output->times->time, error);
  if (!status) status = flow_npz_add(writer, "x", type_of(output), rank, dim, output->value, error);
  if (!status) return flow_npz_close(writer, error);
  flow_npz_abandon(writer);
  return status;
}

/* ---- text --------------------------------------------------------------------------------------------------------- */

/* "t", "sample", "x0", ...: one allocation, the texts behind the pointers. */
static const char **column_names(uint64_t dim) {
  enum { NAME_ROOM = 24 };
  size_t count = (size_t)dim + 2;
  const char **name = malloc(count * (sizeof *name + NAME_ROOM));
  for (size_t c = 0; name && c < count; c++) {
    char *text = (char *)(name + count) + c * NAME_ROOM;
    if (c < 2)
      strcpy(text, c ? "sample" : "t");
    else
      snprintf(text, NAME_ROOM, "x%zu", c - 2);
    name[c] = text;
  }
  return name;
}

static void put(void *line, FlowType type, uint64_t column, double value) {
  if (type == FLOW_TYPE_F32)
    ((float *)line)[column] = (float)value;
  else
    ((double *)line)[column] = value;
}

static flow_status append_lines(const PathOutput *output, FlowWriter *writer, FlowType type, double *line, flow_error *error) {
  flow_status status = FLOW_OK;
  for (size_t t = 0; t < output->times->count; t++)
    for (uint64_t i = 0; i < output->samples && !status; i++) {
      put(line, type, 0, output->times->time[t]);
      put(line, type, 1, (double)i);
      for (uint64_t c = 0; c < output->program->model->dim; c++) put(line, type, 2 + c, path_output_at(output, t, i, c));
      status = flow_writer_append(writer, line, 1, error);
    }
  return status;
}

/* In the model's precision, so that f32 numbers are short; the samples' numbers must fit. */
static flow_status write_csv(const PathOutput *output, const char *path, flow_error *error) {
  FlowType type = output->samples > FLOAT_WHOLE ? FLOW_TYPE_F64 : type_of(output);
  uint64_t columns = (uint64_t)output->program->model->dim + 2, dim[2] = {output->times->count * output->samples, columns};
  const char **name = column_names(columns - 2);
  double *line = malloc((size_t)columns * sizeof *line);
  FlowWriter *writer = NULL;
  flow_status status = name && line ? FLOW_OK : flow_fail(error, FLOW_NO_MEMORY, "out of memory");
  if (!status) status = flow_writer_open(&flow_standard_allocator, path, FLOW_FORMAT_CSV, type, 2, dim, name, &writer, error);
  if (!status) status = append_lines(output, writer, type, line, error);
  free(name);
  free(line);
  if (!status) return flow_writer_close(writer, error);
  flow_writer_abandon(writer);
  return status;
}

typedef flow_status WriteFile(const PathOutput *output, const char *path, flow_error *error);

static WriteFile *writer_of(const char *path) {
  const char *suffix = strrchr(path, '.');
  if (strcmp(path, "-") == 0 || (suffix && strcmp(suffix, ".csv") == 0)) return write_csv;
  if (suffix && strcmp(suffix, ".npy") == 0) return write_npy;
  return suffix && strcmp(suffix, ".npz") == 0 ? write_npz : NULL;
}

flow_status path_output_check(const char *path, flow_error *error) {
  return writer_of(path) ? FLOW_OK : flow_fail(error, FLOW_BAD_CALL, "%s: the name of a file ends in .npy, .npz or .csv", path);
}

flow_status path_output_write(const PathOutput *output, const char *path, flow_error *error) {
  flow_status status = path_output_check(path, error);
  return status ? status : writer_of(path)(output, path, error);
}
