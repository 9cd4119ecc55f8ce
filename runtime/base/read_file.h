/* SPDX-License-Identifier: Apache-2.0 */
/* read_file.h -- files into memory that is ours.
 *
 * Nothing is mapped: a mapping of a file that another process cuts ends in SIGBUS.  A file with a length is read by
 * pread into exactly that much memory; a pipe or a device, which has none, in chunks up to the same limit. */
#ifndef FLOW_READ_FILE_H
#define FLOW_READ_FILE_H
#include "alloc.h"
#include "flow/status.h"
#include <stdbool.h>
#include <stdint.h>

typedef struct FlowBytes {
  unsigned char *data;          /* NULL when size is 0 */
  size_t size;
} FlowBytes;

/* An open file.  has_size: a regular file, whose bytes flow_file_read_at can fetch in any order. */
typedef struct FlowFile {
  const char *path;             /* borrowed from the caller */
  int descriptor;
  bool has_size;
  uint64_t size;
} FlowFile;

/* Folders are refused. */
flow_status flow_file_open(const char *path, FlowFile *file, flow_error *error);
void flow_file_close(FlowFile *file);
/* Exactly `size` bytes; fewer (the file was cut meanwhile) is BAD_FILE. */
flow_status flow_file_read_at(const FlowFile *file, uint64_t offset, void *to, size_t size, flow_error *error);
/* All of it; more than `most` bytes is BAD_INPUT.  The caller frees with flow_bytes_free. */
flow_status flow_file_read_all(const FlowAllocator *allocator, const FlowFile *file, uint64_t most, FlowBytes *bytes,
                               flow_error *error);
/* open, read_all and close in one. */
flow_status flow_read_file(const FlowAllocator *allocator, const char *path, uint64_t most, FlowBytes *bytes,
                           flow_error *error);
void flow_bytes_free(const FlowAllocator *allocator, FlowBytes *bytes);

#endif
