/* SPDX-License-Identifier: Apache-2.0 */
#include "read_file.h"
#include "checked.h"
#include "io_error.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 1 << 20, MOST_PER_CALL = 1 << 30 };      /* one read(2) moves at most 2 GiB in any case */

flow_status flow_file_open(const char *path, FlowFile *file, flow_error *error) {
  struct stat about;
  int descriptor;
  do descriptor = open(path, O_RDONLY | O_CLOEXEC);
  while (descriptor < 0 && errno == EINTR);
  if (descriptor < 0) return flow_io_error(error, path, "open", errno);
  *file = (FlowFile){.path = path, .descriptor = descriptor};
  if (fstat(descriptor, &about) != 0) {
    int code = errno;
    flow_file_close(file);
    return flow_io_error(error, path, "ask for the size", code);
  }
  if (S_ISDIR(about.st_mode)) {
    flow_file_close(file);
    return flow_fail(error, FLOW_BAD_FILE, "%s: is a folder; a file is needed", path);
  }
  /* Files of /proc call themselves regular and 0 bytes long: read as a pipe they show what they hold. */
  file->has_size = S_ISREG(about.st_mode) && about.st_size > 0;
  file->size = file->has_size ? (uint64_t)about.st_size : 0;
  return FLOW_OK;
}

void flow_file_close(FlowFile *file) {
  if (file->descriptor >= 0) close(file->descriptor);
  file->descriptor = -1;
}

flow_status flow_file_read_at(const FlowFile *file, uint64_t offset, void *to, size_t size, flow_error *error) {
  unsigned char *next = to;
  while (size > 0) {
    if (offset > INT64_MAX) return flow_io_error(error, file->path, "read", EOVERFLOW);
    ssize_t got = pread(file->descriptor, next, size < MOST_PER_CALL ? size : MOST_PER_CALL, (off_t)offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return flow_io_error(error, file->path, "read", errno);
    if (got == 0)
      return flow_fail(error, FLOW_BAD_FILE, "%s: byte %" PRIu64 ": the file ends here, %zu bytes short of its size; "
                       "it was cut while being read", file->path, offset, size);
    next += got;
    offset += (uint64_t)got;
    size -= (size_t)got;
  }
  return FLOW_OK;
}

static flow_status too_long(const FlowFile *file, uint64_t most, flow_error *error) {
  return flow_fail(error, FLOW_BAD_INPUT, "%s: is longer than the %" PRIu64 " bytes that are read at most", file->path,
                   most);
}

static flow_status no_memory(const FlowFile *file, uint64_t size, flow_error *error) {
  return flow_fail(error, FLOW_NO_MEMORY, "%s: no memory for its %" PRIu64 " bytes", file->path, size);
}

static flow_status read_sized(const FlowAllocator *allocator, const FlowFile *file, uint64_t most, FlowBytes *bytes,
                              flow_error *error) {
  size_t size;
  if (file->size > most || !flow_u64_to_size(file->size, &size)) return too_long(file, most, error);
  bytes->data = allocator->resize(allocator->user, NULL, 0, size);       /* every byte is overwritten: not zeroed */
  if (!bytes->data) return no_memory(file, size, error);
  bytes->size = size;
  return flow_file_read_at(file, 0, bytes->data, size, error);
}

static flow_status set_size(const FlowAllocator *allocator, const FlowFile *file, FlowBytes *bytes, size_t size,
                            flow_error *error) {
  if (size == bytes->size) return FLOW_OK;
  unsigned char *data = allocator->resize(allocator->user, bytes->data, bytes->size, size);
  if (!data && size > 0) return no_memory(file, size, error);
  *bytes = (FlowBytes){data, size};
  return FLOW_OK;
}

/* *got is below `size` at the end only. */
static flow_status read_chunk(const FlowFile *file, unsigned char *to, size_t size, size_t *got, flow_error *error) {
  *got = 0;
  while (*got < size) {
    ssize_t now = read(file->descriptor, to + *got, size - *got);
    if (now < 0 && errno == EINTR) continue;
    if (now < 0) return flow_io_error(error, file->path, "read", errno);
    if (now == 0) break;
    *got += (size_t)now;
  }
  return FLOW_OK;
}

static flow_status read_unsized(const FlowAllocator *allocator, const FlowFile *file, uint64_t most, FlowBytes *bytes,
                                flow_error *error) {
  size_t filled = 0;
  for (;;) {
    size_t got, wanted;
    if (!flow_add_size(filled, CHUNK, &wanted)) return too_long(file, most, error);
    flow_status status = set_size(allocator, file, bytes, wanted, error);
    if (status == FLOW_OK) status = read_chunk(file, bytes->data + filled, CHUNK, &got, error);
    if (status != FLOW_OK) return status;
    filled += got;
    if (filled > most) return too_long(file, most, error);
    if (got < CHUNK) return set_size(allocator, file, bytes, filled, error);
  }
}

flow_status flow_file_read_all(const FlowAllocator *allocator, const FlowFile *file, uint64_t most, FlowBytes *bytes,
                               flow_error *error) {
  *bytes = (FlowBytes){NULL, 0};
  flow_status status = file->has_size ? read_sized(allocator, file, most, bytes, error)
                                      : read_unsized(allocator, file, most, bytes, error);
  if (status != FLOW_OK) flow_bytes_free(allocator, bytes);
  return status;
}

flow_status flow_read_file(const FlowAllocator *allocator, const char *path, uint64_t most, FlowBytes *bytes,
                           flow_error *error) {
  FlowFile file;
  *bytes = (FlowBytes){NULL, 0};
  flow_status status = flow_file_open(path, &file, error);
  if (status != FLOW_OK) return status;
  status = flow_file_read_all(allocator, &file, most, bytes, error);
  flow_file_close(&file);
  return status;
}

void flow_bytes_free(const FlowAllocator *allocator, FlowBytes *bytes) {
  flow_free(allocator, bytes->data, bytes->size);
  *bytes = (FlowBytes){NULL, 0};
}
