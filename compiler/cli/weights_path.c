/* SPDX-License-Identifier: Apache-2.0 */
/* weights_path.c -- a program may name a file, but only one below its own folder: reading a program from a stranger
 * must not become reading one's own files. */
#include "io_error.h"
#include "program.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool has_parent_step(const char *path) {
  while (*path) {
    size_t length = strcspn(path, "/");
    if (length == 2 && path[0] == '.' && path[1] == '.') return true;
    path += length;
    path += strspn(path, "/");
  }
  return false;
}

/* The folder of the .flow file as an absolute path without links. */
static char *folder_of(const char *flow_path) {
  const char *slash = strrchr(flow_path, '/');
  if (!slash) return realpath(".", NULL);
  char *folder = strndup(flow_path, slash == flow_path ? 1 : (size_t)(slash - flow_path));
  char *real = folder ? realpath(folder, NULL) : NULL;
  free(folder);
  return real;
}

static bool is_below(const char *path, const char *folder) {
  size_t length = strlen(folder);
  if (strcmp(folder, "/") == 0) return true;
  return strncmp(path, folder, length) == 0 && path[length] == '/';
}

static char *join(const char *folder, const char *name) {
  size_t room = strlen(folder) + strlen(name) + 2;
  char *path = malloc(room);
  if (path) snprintf(path, room, "%s/%s", folder, name);
  return path;
}

static flow_status resolve_below(const char *folder, const char *flow_path, const char *written, char **resolved,
                                 flow_error *error) {
  char *path = join(folder, written);
  if (!path) return flow_fail(error, FLOW_NO_MEMORY, "out of memory");
  char *real = realpath(path, NULL);
  int code = errno;
  flow_status status = FLOW_OK;
  if (!real)
    status = flow_io_error(error, path, "read the weights", code);
  else if (!is_below(real, folder))
    status = flow_fail(
        error, FLOW_BAD_PROGRAM,
        "%s: the weights `%s` are a link out of the program's folder (to %s); if you trust it, say --weights %s",
        flow_path, written, real, real);
  else
    *resolved = real;
  if (status) free(real);
  free(path);
  return status;
}

flow_status weights_path(const char *flow_path, const char *written, char **resolved, flow_error *error) {
  *resolved = NULL;
  if (written[0] == '/' || has_parent_step(written))
    return flow_fail(error, FLOW_BAD_PROGRAM,
                     "%s: the weights `%s` are not below the program's folder; a program names them by a relative path "
                     "without `..`, and --weights FILE takes them from anywhere",
                     flow_path, written);
  char *folder = folder_of(flow_path);
  if (!folder) return flow_io_error(error, flow_path, "find the folder", errno);
  flow_status status = resolve_below(folder, flow_path, written, resolved, error);
  free(folder);
  return status;
}
