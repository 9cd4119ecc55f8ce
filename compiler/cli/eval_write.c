/* SPDX-License-Identifier: Apache-2.0 */
/* eval_write.c -- velocities and derivatives into a file. */
#include "evaluation.h"
#include "npz.h"
#include "writer.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *path_of(const Evaluation *evaluation) {
  return has(evaluation->run, OPTION_output) ? text_of(evaluation->run, OPTION_output) : "-";
}

static bool ends_in(const char *path, const char *suffix) {
  const char *dot = strrchr(path, '.');
  return dot && strcmp(dot, suffix) == 0;
}

flow_status evaluation_check_output(const Evaluation *evaluation, flow_error *error) {
  const char *path = path_of(evaluation);
  if (evaluation->asked < 2 || strcmp(path, "-") == 0 || ends_in(path, ".npz") || ends_in(path, ".csv")) return FLOW_OK;
  return flow_fail(error, FLOW_BAD_CALL, "%s: %u results go to a .npz, each as a member, or side by side into a .csv", path,
                   evaluation->asked);
}

static FlowType type_of(const Evaluation *evaluation) {
  return evaluation->program->model->precision == FLOW_F32 ? FLOW_TYPE_F32 : FLOW_TYPE_F64;
}

/* [count] and the state's own shape, or [count] alone for one number a point. */
static uint32_t shape_of(const Evaluation *evaluation, bool scalar, uint64_t *dim) {
  const Shape *state = &flow_compiled_function(evaluation->program->compiled)->parameter[1];
  dim[0] = evaluation->count;
  if (scalar) return 1;
  for (uint32_t r = 0; r < state->rank; r++) dim[1 + r] = (uint64_t)state->dim[r];
  return 1 + state->rank;
}

/* u0, u1, ...: texts behind the pointers; what a part's columns are called. */
enum { NAME_ROOM = 28 };
static void put_names(const char **name, char *text, const char *letter, uint64_t width, bool scalar) {
  for (uint64_t c = 0; c < width; c++, text += NAME_ROOM) {
    if (scalar)
      snprintf(text, NAME_ROOM, "%s", letter);
    else
      snprintf(text, NAME_ROOM, "%s%" PRIu64, letter, c);
    name[c] = text;
  }
}

static flow_status write_array(const Evaluation *evaluation, uint32_t rank, const uint64_t *dim, const char *const *name,
                               const void *data, flow_error *error) {
  FlowWriter *writer;
  flow_status status = flow_writer_open(&flow_standard_allocator, path_of(evaluation), FLOW_FORMAT_BY_SUFFIX,
                                        type_of(evaluation), rank, dim, name, &writer, error);
  if (status) return status;
  status = flow_writer_append(writer, data, evaluation->count, error);
  if (!status) return flow_writer_close(writer, error);
  flow_writer_abandon(writer);
  return status;
}

/* ---- the parts: the velocity and what else there is ---------------------------------------------------------------- */

typedef struct Part {
  const char *member, *letter;
  const void *data;
  uint64_t width;
  bool scalar;
} Part;

/* The velocity is a part unless one derivative alone was asked for, and always one of a .npz. */
static uint32_t list_parts(const Evaluation *evaluation, Part *part) {
  uint32_t count = 0;
  if (evaluation->asked != 1 || ends_in(path_of(evaluation), ".npz"))
    part[count++] = (Part){"velocity", "u", evaluation->u, evaluation->dim, false};
  for (int d = 0; d < DERIVATIVE_COUNT; d++) {
    if (!evaluation->result[d]) continue;
    bool scalar = derivatives[d].extras == FLOW_LOG_P;
    part[count++] = (Part){options[derivatives[d].option].name, derivatives[d].letter, evaluation->result[d],
                           result_width(evaluation, d), scalar};
  }
  return count;
}

static flow_status write_one(const Evaluation *evaluation, const Part *part, flow_error *error) {
  uint64_t dim[1 + FLOW_MOST_RANK];
  uint32_t rank = shape_of(evaluation, part->scalar, dim);
  const char **name = calloc((size_t)part->width, sizeof *name + NAME_ROOM); /* without memory: the writer's own */
  if (name) put_names(name, (char *)(name + part->width), part->letter, part->width, part->scalar);
  flow_status status = write_array(evaluation, rank, dim, name, part->data, error);
  free(name);
  return status;
}

static flow_status write_members(const Evaluation *evaluation, const Part *part, uint32_t parts, flow_error *error) {
  FlowNpzWriter *writer;
  flow_status status = flow_npz_open(&flow_standard_allocator, path_of(evaluation), &writer, error);
  if (status) return status;
  for (uint32_t i = 0; !status && i < parts; i++) {
    uint64_t dim[1 + FLOW_MOST_RANK];
    uint32_t rank = shape_of(evaluation, part[i].scalar, dim);
    status = flow_npz_add(writer, part[i].member, type_of(evaluation), rank, dim, part[i].data, error);
  }
  if (!status) return flow_npz_close(writer, error);
  flow_npz_abandon(writer);
  return status;
}

static void copy_columns(const Evaluation *evaluation, const Part *part, uint64_t at, uint64_t width, char *table) {
  size_t number = evaluation->program->model->precision;
  for (uint64_t i = 0; i < evaluation->count; i++)
    memcpy(table + (i * width + at) * number, (const char *)part->data + i * part->width * number, (size_t)part->width * number);
}

static flow_status write_side_by_side(const Evaluation *evaluation, const Part *part, uint32_t parts, flow_error *error) {
  uint64_t width = 0, at = 0;
  for (uint32_t i = 0; i < parts; i++) width += part[i].width;
  const char **name = calloc((size_t)width, sizeof *name + NAME_ROOM);
  char *table = calloc((size_t)(evaluation->count * width), evaluation->program->model->precision);
  flow_status status = name && table ? FLOW_OK : flow_fail(error, FLOW_NO_MEMORY, "out of memory");
  for (uint32_t i = 0; !status && i < parts; at += part[i++].width) {
    put_names(name + at, (char *)(name + width) + at * NAME_ROOM, part[i].letter, part[i].width, part[i].scalar);
    copy_columns(evaluation, &part[i], at, width, table);
  }
  const uint64_t dim[2] = {evaluation->count, width};
  if (!status) status = write_array(evaluation, 2, dim, name, table, error);
  free(name);
  free(table);
  return status;
}

flow_status evaluation_write(const Evaluation *evaluation, flow_error *error) {
  Part part[1 + DERIVATIVE_COUNT];
  uint32_t parts = list_parts(evaluation, part);
  if (ends_in(path_of(evaluation), ".npz")) return write_members(evaluation, part, parts, error);
  return parts == 1 ? write_one(evaluation, part, error) : write_side_by_side(evaluation, part, parts, error);
}
