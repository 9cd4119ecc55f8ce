/* SPDX-License-Identifier: Apache-2.0 */
#include "atomic_file.h"
#include "io_error.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER = 1 << 16, MOST_PER_CALL = 1 << 30, MOST_TRIES = 10000, NAME_KEPT = 200 };

struct FlowAtomicFile {
  FlowAllocator allocator;
  int descriptor;
  bool is_renamed;              /* a temporary file stands for the target; else the target itself is open */
  int failure;                  /* errno of the first failure; 0 while all is well */
  uint64_t written;             /* bytes that the system has taken */
  size_t filled;
  char target[PATH_MAX], temporary[PATH_MAX];
  unsigned char buffer[BUFFER];
};

/* How long the part of `path` is that names the folder, its last slash included. */
static size_t folder_length(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? (size_t)(slash - path) + 1 : 0;
}

/* O_EXCL follows no link and takes over no file: a name that is taken is passed over.  The old name is shortened (at a
 * byte, which the system does not mind) so that the new one is never too long. */
static int create_beside(FlowAtomicFile *file) {
  int folder = (int)folder_length(file->target);
  for (int i = 0; i < MOST_TRIES; i++) {
    int length = snprintf(file->temporary, sizeof file->temporary, "%.*s.%.*s.%ld.%d.tmp", folder, file->target,
                          NAME_KEPT, file->target + folder, (long)getpid(), i);
    if (length < 0 || length >= (int)sizeof file->temporary) {
      errno = ENAMETOOLONG;
      return -1;
    }
    int descriptor = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0 || (errno != EEXIST && errno != EINTR)) return descriptor;
  }
  return -1;
}

static flow_status open_temporary(FlowAtomicFile *file, const struct stat *old, flow_error *error) {
  file->descriptor = create_beside(file);
  if (file->descriptor < 0) return flow_io_error(error, file->target, "create a file beside it", errno);
  file->is_renamed = true;
  /* Where the mode cannot be set (some network file systems) the new file has the usual one: no reason to fail. */
  if (old && fchmod(file->descriptor, old->st_mode & 0777) != 0) errno = 0;
  return FLOW_OK;
}

static flow_status open_directly(FlowAtomicFile *file, flow_error *error) {
  do file->descriptor = open(file->target, O_WRONLY | O_CLOEXEC);
  while (file->descriptor < 0 && errno == EINTR);
  return file->descriptor < 0 ? flow_io_error(error, file->target, "open", errno) : FLOW_OK;
}

static flow_status open_target(FlowAtomicFile *file, const char *path, flow_error *error) {
  struct stat old;
  size_t length = strlen(path);
  if (strcmp(path, "-") == 0) {
    strcpy(file->target, "standard output");
    file->descriptor = dup(STDOUT_FILENO);
    return file->descriptor < 0 ? flow_io_error(error, file->target, "open", errno) : FLOW_OK;
  }
  if (length == 0) return flow_fail(error, FLOW_BAD_CALL, "the name of the file to write is empty");
  if (length >= sizeof file->target) return flow_io_error(error, path, "create", ENAMETOOLONG);
  memcpy(file->target, path, length + 1);
  if (stat(path, &old) != 0)
    return errno == ENOENT ? open_temporary(file, NULL, error) : flow_io_error(error, path, "create", errno);
  if (S_ISDIR(old.st_mode)) return flow_fail(error, FLOW_BAD_FILE, "%s: is a folder; a file is needed", path);
  if (!S_ISREG(old.st_mode)) return open_directly(file, error);
  /* The target of a link, not the link, is what gets replaced. */
  if (!realpath(path, file->target)) return flow_io_error(error, path, "create", errno);
  return open_temporary(file, &old, error);
}

flow_status flow_atomic_open(const FlowAllocator *allocator, const char *path, FlowAtomicFile **result,
                             flow_error *error) {
  *result = NULL;
  FlowAtomicFile *file = flow_alloc(allocator, sizeof *file);
  if (!file) return flow_fail(error, FLOW_NO_MEMORY, "%s: no memory to write it", path);
  file->allocator = *allocator;
  file->descriptor = -1;
  flow_status status = open_target(file, path, error);
  if (status != FLOW_OK) {
    flow_atomic_abandon(file);
    return status;
  }
  *result = file;
  return FLOW_OK;
}

static flow_status fail(FlowAtomicFile *file, const char *doing, int code, flow_error *error) {
  file->failure = code;
  return flow_fail(error, FLOW_BAD_FILE, "%s: cannot %s after %" PRIu64 " bytes: %s", file->target, doing,
                   file->written, strerror(code));
}

static flow_status write_all(FlowAtomicFile *file, const unsigned char *data, size_t size, flow_error *error) {
  while (size > 0) {
    ssize_t now = write(file->descriptor, data, size < MOST_PER_CALL ? size : MOST_PER_CALL);
    if (now < 0 && errno == EINTR) continue;
    if (now < 0) return fail(file, "write", errno, error);
    data += now;
    size -= (size_t)now;
    file->written += (uint64_t)now;
  }
  return FLOW_OK;
}

static flow_status flush(FlowAtomicFile *file, flow_error *error) {
  size_t filled = file->filled;
  file->filled = 0;
  return write_all(file, file->buffer, filled, error);
}

flow_status flow_atomic_write(FlowAtomicFile *file, const void *data, size_t size, flow_error *error) {
  if (file->failure != 0) return fail(file, "write", file->failure, error);
  if (size == 0) return FLOW_OK;
  if (size > BUFFER - file->filled) {
    flow_status status = flush(file, error);
    if (status != FLOW_OK) return status;
  }
  if (size >= BUFFER) return write_all(file, data, size, error);
  memcpy(file->buffer + file->filled, data, size);
  file->filled += size;
  return FLOW_OK;
}

flow_status flow_atomic_rewrite(FlowAtomicFile *file, uint64_t offset, const void *data, size_t size, flow_error *error) {
  if (file->failure != 0) return fail(file, "write", file->failure, error);
  if (!file->is_renamed)
    return flow_fail(error, FLOW_BAD_CALL, "%s: what its first bytes say is known only at the end, and there they cannot be changed; it must be a file",
                     file->target);
  flow_status status = flush(file, error);
  const unsigned char *from = data;
  while (status == FLOW_OK && size > 0) {
    ssize_t now = pwrite(file->descriptor, from, size, (off_t)offset);
    if (now < 0 && errno == EINTR) continue;
    if (now < 0) return fail(file, "write", errno, error);
    from += now;
    size -= (size_t)now;
    offset += (uint64_t)now;
  }
  return status;
}

static int sync_to_disk(int descriptor) {
  int result;
  do result = fsync(descriptor);
  while (result != 0 && errno == EINTR);
  return result;
}

/* The rename itself is kept by the folder; one that cannot be opened or synced (a file system without that) is as good
 * as the system lets it be. */
static flow_status sync_folder(FlowAtomicFile *file, flow_error *error) {
  size_t length = folder_length(file->target);
  char *folder = file->temporary;         /* no longer needed */
  if (length > 0) memcpy(folder, file->target, length);
  else folder[length++] = '.';
  folder[length] = '\0';
  int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return FLOW_OK;
  int code = sync_to_disk(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP ? 0 : errno;
  close(descriptor);
  return code == 0 ? FLOW_OK : flow_io_error(error, file->target, "sync its folder", code);
}

static flow_status finish(FlowAtomicFile *file, flow_error *error) {
  if (file->failure != 0) return fail(file, "write", file->failure, error);
  flow_status status = flush(file, error);
  if (status != FLOW_OK) return status;
  if (file->is_renamed && sync_to_disk(file->descriptor) != 0) return fail(file, "sync", errno, error);
  int closed = close(file->descriptor);
  file->descriptor = -1;
  if (closed != 0 && errno != EINTR) return fail(file, "close", errno, error);
  if (!file->is_renamed) return FLOW_OK;
  if (rename(file->temporary, file->target) != 0) return fail(file, "rename a file to this name", errno, error);
  file->is_renamed = false;
  return sync_folder(file, error);
}

flow_status flow_atomic_commit(FlowAtomicFile *file, flow_error *error) {
  flow_status status = finish(file, error);
  flow_atomic_abandon(file);
  return status;
}

void flow_atomic_abandon(FlowAtomicFile *file) {
  if (!file) return;
  FlowAllocator allocator = file->allocator;
  if (file->descriptor >= 0) close(file->descriptor);
  if (file->is_renamed) unlink(file->temporary);
  flow_free(&allocator, file, sizeof *file);
}
