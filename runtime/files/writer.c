/* SPDX-License-Identifier: Apache-2.0 */
#include "writer.h"
#include "atomic_file.h"
#include "checked.h"
#include "npy_header.h"
#include "number.h"
#include "tensors_build.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct FlowWriter {
  FlowAllocator allocator;
  FlowAtomicFile *file;
  FlowFormat format;
  FlowType type;
  uint64_t rows, rows_left, columns;
  uint64_t row_bytes;
  uint32_t rank;
  uint64_t dim[FLOW_TENSOR_MOST_RANK];
  size_t head_bytes;            /* of a .npy */
};

static bool has_suffix(const char *name, const char *suffix) {
  size_t length = strlen(name), wanted = strlen(suffix);
  return length >= wanted && strcasecmp(name + length - wanted, suffix) == 0;
}

static flow_status choose_format(const char *path, FlowFormat *format, flow_error *error) {
  if (*format != FLOW_FORMAT_BY_SUFFIX) return FLOW_OK;
  *format = FLOW_FORMAT_CSV;
  if (strcmp(path, "-") == 0 || has_suffix(path, ".csv")) return FLOW_OK;
  *format = FLOW_FORMAT_NPY;
  if (has_suffix(path, ".npy")) return FLOW_OK;
  return flow_fail(error, FLOW_BAD_CALL, "%s: the suffix says how numbers are written, and must be .npy or .csv here%s",
                   path, has_suffix(path, ".npz") ? " (a .npz holds several arrays)" : "");
}

static flow_status set_shape(FlowWriter *writer, const char *path, uint32_t rank, const uint64_t *dim,
                             flow_error *error) {
  FlowTensor row = {.type = writer->type, .rank = rank > 0 ? rank - 1 : 0};
  uint64_t bytes;
  if (rank > FLOW_TENSOR_MOST_RANK || (unsigned)writer->type >= FLOW_TYPE_COUNT)
    return flow_fail(error, FLOW_BAD_CALL, "%s: at most 8 dimensions of a known type are written", path);
  if (writer->format == FLOW_FORMAT_NPY && !flow_type_facts[writer->type].letters)
    return flow_fail(error, FLOW_BAD_CALL, "%s: numpy has no type %s", path, flow_type_facts[writer->type].name);
  if (row.rank > 0) memcpy(row.dim, dim + 1, row.rank * sizeof *dim);
  writer->rows = writer->rows_left = rank > 0 ? dim[0] : 1;
  if (!flow_tensor_measure(&row, &writer->row_bytes) || !flow_mul_u64(writer->row_bytes, writer->rows, &bytes) ||
      bytes > INT64_MAX)
    return flow_fail(error, FLOW_BAD_CALL, "%s: more numbers than 63 bits can count", path);
  writer->columns = row.count;
  if (writer->format == FLOW_FORMAT_CSV && writer->columns == 0)
    return flow_fail(error, FLOW_BAD_CALL, "%s: a .csv needs at least one column", path);
  return FLOW_OK;
}

static flow_status write_names(FlowWriter *writer, const char *const *column_name, flow_error *error) {
  flow_status status = FLOW_OK;
  for (uint64_t i = 0; i < writer->columns && status == FLOW_OK; i++) {
    char numbered[32];
    snprintf(numbered, sizeof numbered, "x%" PRIu64, i);
    const char *name = column_name ? column_name[i] : numbered;
    status = flow_atomic_write(writer->file, name, strlen(name), error);
    if (status == FLOW_OK) status = flow_atomic_write(writer->file, i + 1 < writer->columns ? "," : "\n", 1, error);
  }
  return status;
}

static flow_status write_head(FlowWriter *writer, uint32_t rank, const uint64_t *dim, const char *const *column_name,
                              flow_error *error) {
  char header[FLOW_NPY_MOST_WRITTEN];
  if (writer->format == FLOW_FORMAT_CSV) return write_names(writer, column_name, error);
  writer->rank = rank;
  memcpy(writer->dim, dim, rank * sizeof *dim);
  writer->head_bytes = flow_npy_header_write(writer->type, rank, dim, header);
  return flow_atomic_write(writer->file, header, writer->head_bytes, error);
}

/* The head with another number of rows, padded to the length of the first one. */
static flow_status rewrite_head(FlowWriter *writer, uint64_t rows, flow_error *error) {
  enum { LENGTH_AT = 8, MAGIC = 10 };
  char header[FLOW_NPY_MOST_WRITTEN];
  writer->dim[0] = rows;
  size_t size = flow_npy_header_write(writer->type, writer->rank, writer->dim, header), length = writer->head_bytes - MAGIC;
  memset(header + size - 1, ' ', writer->head_bytes - size);
  header[writer->head_bytes - 1] = '\n';
  header[LENGTH_AT] = (char)(length & 0xFF);
  header[LENGTH_AT + 1] = (char)(length >> 8);
  return flow_atomic_rewrite(writer->file, 0, header, writer->head_bytes, error);
}

flow_status flow_writer_open(const FlowAllocator *allocator, const char *path, FlowFormat format, FlowType type,
                             uint32_t rank, const uint64_t *dim, const char *const *column_name, FlowWriter **result,
                             flow_error *error) {
  *result = NULL;
  flow_status status = choose_format(path, &format, error);
  if (status != FLOW_OK) return status;
  FlowWriter *writer = flow_alloc(allocator, sizeof *writer);
  if (!writer) return flow_fail(error, FLOW_NO_MEMORY, "%s: no memory to write it", path);
  writer->allocator = *allocator;
  writer->format = format;
  writer->type = type;
  status = set_shape(writer, path, rank, dim, error);
  if (status == FLOW_OK) status = flow_atomic_open(allocator, path, &writer->file, error);
  if (status == FLOW_OK) status = write_head(writer, rank, dim, column_name, error);
  if (status != FLOW_OK) {
    flow_writer_abandon(writer);
    return status;
  }
  *result = writer;
  return FLOW_OK;
}

/* Whole numbers exactly, which a double would not hold above 2^53. */
static size_t print_number(const FlowTensor *all, uint64_t index, char to[FLOW_NUMBER_MOST_PRINTED]) {
  const unsigned char *at = (const unsigned char *)all->data + index * 8;
  if (all->type == FLOW_TYPE_I64) {
    int64_t value;
    memcpy(&value, at, sizeof value);
    return (size_t)snprintf(to, FLOW_NUMBER_MOST_PRINTED, "%" PRId64, value);
  }
  if (all->type == FLOW_TYPE_U64) {
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return (size_t)snprintf(to, FLOW_NUMBER_MOST_PRINTED, "%" PRIu64, value);
  }
  bool is_short = all->type == FLOW_TYPE_F32 || all->type == FLOW_TYPE_F16 || all->type == FLOW_TYPE_BF16;
  return flow_number_print(flow_tensor_at(all, index), is_short ? 9 : 17, to);
}

static flow_status append_text(FlowWriter *writer, const void *data, uint64_t rows, flow_error *error) {
  FlowTensor all = {.type = writer->type, .count = rows * writer->columns, .data = data};
  for (uint64_t i = 0; i < all.count; i++) {
    char text[FLOW_NUMBER_MOST_PRINTED + 1];
    size_t length = print_number(&all, i, text);
    text[length] = (i + 1) % writer->columns == 0 ? '\n' : ',';
    flow_status status = flow_atomic_write(writer->file, text, length + 1, error);
    if (status != FLOW_OK) return status;
  }
  return FLOW_OK;
}

flow_status flow_writer_append(FlowWriter *writer, const void *data, uint64_t rows, flow_error *error) {
  if (rows > writer->rows_left)
    return flow_fail(error, FLOW_BAD_CALL, "%" PRIu64 " rows more than the %" PRIu64 " that were announced",
                     rows - writer->rows_left, writer->rows);
  writer->rows_left -= rows;
  if (writer->format == FLOW_FORMAT_CSV) return append_text(writer, data, rows, error);
  return flow_atomic_write(writer->file, data, (size_t)(rows * writer->row_bytes), error);
}

flow_status flow_writer_close(FlowWriter *writer, flow_error *error) {
  FlowAtomicFile *file = writer->file;
  uint64_t rows = writer->rows, left = writer->rows_left;
  if (left > 0) {
    flow_writer_abandon(writer);
    return flow_fail(error, FLOW_BAD_CALL, "%" PRIu64 " of the %" PRIu64 " rows that were announced are missing", left,
                     rows);
  }
  writer->file = NULL;
  flow_writer_abandon(writer);
  return flow_atomic_commit(file, error);
}

flow_status flow_writer_close_short(FlowWriter *writer, flow_error *error) {
  flow_status status = FLOW_OK;
  if (writer->rows_left > 0 && writer->format == FLOW_FORMAT_NPY) status = rewrite_head(writer, writer->rows - writer->rows_left, error);
  if (status != FLOW_OK) {
    flow_writer_abandon(writer);
    return status;
  }
  writer->rows_left = 0;
  return flow_writer_close(writer, error);
}

void flow_writer_abandon(FlowWriter *writer) {
  if (!writer) return;
  FlowAllocator allocator = writer->allocator;
  flow_atomic_abandon(writer->file);
  flow_free(&allocator, writer, sizeof *writer);
}
