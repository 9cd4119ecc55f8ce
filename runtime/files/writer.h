/* SPDX-License-Identifier: Apache-2.0 */
/* writer.h -- rows of numbers to a file, as they come.
 *
 * A FlowWriter streams: rows are appended and memory stays that of one buffer.  It writes to a temporary name beside the
 * target and, on close, flushes, fsyncs, renames and fsyncs the folder: under the final name there is the old file or
 * the whole new one, never a part.  The suffix chooses the format (.npy, .csv; "-" is standard output as CSV, or as
 * .npy where `format` says so).  A .npz is a set of arrays written by FlowNpzWriter in npz.h. */
#ifndef FLOW_WRITER_H
#define FLOW_WRITER_H
#include "tensor.h"

typedef struct FlowWriter FlowWriter;
typedef enum { FLOW_FORMAT_BY_SUFFIX, FLOW_FORMAT_NPY, FLOW_FORMAT_CSV } FlowFormat;

/* type is FLOW_TYPE_F32, F64 or U8 ..; shape: dim[0] rows (known beforehand), the product of the rest numbers a row.
 * column_name (NULL: x0, x1, ...) heads a CSV. */
flow_status flow_writer_open(const FlowAllocator *allocator, const char *path, FlowFormat format, FlowType type, uint32_t rank,
                             const uint64_t *dim, const char *const *column_name, FlowWriter **writer, flow_error *error);
/* `rows` consecutive rows in C order. */
flow_status flow_writer_append(FlowWriter *writer, const void *data, uint64_t rows, flow_error *error);
/* Exactly dim[0] rows must have come.  Frees the writer whatever happens; on failure the old file is untouched. */
flow_status flow_writer_close(FlowWriter *writer, flow_error *error);
/* As flow_writer_close where fewer rows than announced have come; they are all that there is.  A .npy to a pipe is BAD_CALL. */
flow_status flow_writer_close_short(FlowWriter *writer, flow_error *error);
void flow_writer_abandon(FlowWriter *writer);   /* frees it and removes the temporary file; NULL is fine */

#endif
