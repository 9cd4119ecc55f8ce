/* SPDX-License-Identifier: Apache-2.0 */
/* link.c -- a shared library by the system's linker, in a folder of its own that is gone afterwards. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "library.h"

extern char **environ;

enum { MOST_MESSAGE = 600, MOST_PATH = 4096 };
static const uint64_t most_library = UINT64_C(4) << 30;

typedef struct Folder { char path[MOST_PATH], object[MOST_PATH + 16], library[MOST_PATH + 16], said[MOST_PATH + 16]; } Folder;

static flow_status open_folder(Folder *folder, flow_error *error) {
  const char *base = getenv("TMPDIR");
  snprintf(folder->path, sizeof folder->path, "%s/flowc.XXXXXX", base && *base ? base : "/tmp");
  if (!mkdtemp(folder->path)) return flow_fail(error, FLOW_BAD_FILE, "%s: no folder for the linker: %s", folder->path, strerror(errno));
  snprintf(folder->object, sizeof folder->object, "%s/model.o", folder->path);
  snprintf(folder->library, sizeof folder->library, "%s/model.so", folder->path);
  snprintf(folder->said, sizeof folder->said, "%s/said", folder->path);
  return FLOW_OK;
}

static void close_folder(const Folder *folder) {
  unlink(folder->object);
  unlink(folder->library);
  unlink(folder->said);
  rmdir(folder->path);
}

static flow_status write_object(const Folder *folder, const EmitObject *object, flow_error *error) {
  int file = open(folder->object, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const char *at = object->bytes;
  size_t left = object->size;
  while (file >= 0 && left) {
    ssize_t done = write(file, at, left);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) break;
    at += done;
    left -= (size_t)done;
  }
  bool bad = file < 0 || left || close(file);
  return bad ? flow_fail(error, FLOW_BAD_FILE, "%s: %s", folder->object, strerror(errno)) : FLOW_OK;
}

/* Runs the linker; what it says goes to a file.  -1: there is no such program.  compact: code and constants share pages. */
static int run_once(const char *ld, const Folder *folder, const char *name, bool compact) {
  const char *const argument[] = {ld, "-shared", "-s", "-z", "relro", "-z", "now", "-z", "noexecstack", "-z", "defs", "-z", "max-page-size=4096",
                                  "-z", compact ? "noseparate-code" : "now", "--hash-style=gnu", "--build-id=none", "-soname", name, "-o", folder->library, folder->object, NULL};
  posix_spawn_file_actions_t files;
  pid_t child;
  int state;
  if (posix_spawn_file_actions_init(&files)) return -1;
  posix_spawn_file_actions_addopen(&files, 1, folder->said, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&files, 1, 2);
  int wrong = posix_spawnp(&child, ld, &files, NULL, (char *const *)(uintptr_t)argument, environ);
  posix_spawn_file_actions_destroy(&files);
  if (wrong) return -1;
  while (waitpid(child, &state, 0) < 0)
    if (errno != EINTR) return 127;
  return WIFEXITED(state) ? WEXITSTATUS(state) : 128;
}

/* Not every linker knows that option, and none needs it. */
static int run(const char *ld, const Folder *folder, const char *name) {
  int code = run_once(ld, folder, name, true);
  return code > 0 ? run_once(ld, folder, name, false) : code;
}

static flow_status complain(const char *ld, const Folder *folder, flow_error *error) {
  FlowBytes said = {NULL, 0};
  flow_read_file(&flow_standard_allocator, folder->said, 1 << 20, &said, NULL);
  int shown = said.size < MOST_MESSAGE ? (int)said.size : MOST_MESSAGE;
  while (shown > 0 && said.data[shown - 1] == '\n') shown--;
  flow_fail(error, FLOW_BAD_FILE, "the linker `%s` failed: %.*s", ld, shown, said.data ? (const char *)said.data : "");
  flow_bytes_free(&flow_standard_allocator, &said);
  return FLOW_BAD_FILE;
}

static flow_status link_in(const char *ld, const Folder *folder, const char *name, flow_error *error) {
  static const char *const known[] = {"ld", "ld.lld", "ld.lld-19", "ld.bfd", "ld.gold"};
  const char *from_environment = getenv("LD");
  if (!ld && from_environment && *from_environment) ld = from_environment;
  if (ld) {
    int code = run(ld, folder, name);
    if (code < 0) return flow_fail(error, FLOW_BAD_FILE, "there is no linker `%s`; `-o model.o` and `-o model.a` need none", ld);
    return code ? complain(ld, folder, error) : FLOW_OK;
  }
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    int code = run(known[i], folder, name);
    if (code >= 0 && code != 127) return code ? complain(known[i], folder, error) : FLOW_OK;
  }
  return flow_fail(error, FLOW_BAD_FILE, "there is no linker (tried ld, ld.lld, ld.lld-19, ld.bfd, ld.gold): install binutils, say --ld PROGRAM, "
                   "or write an object file with `-o model.o`");
}

flow_status aot_link(const char *ld, const char *name, const EmitObject *object, FlowBytes *bytes, flow_error *error) {
  Folder *folder = flow_alloc(&flow_standard_allocator, sizeof *folder);
  *bytes = (FlowBytes){NULL, 0};
  if (!folder) return flow_fail(error, FLOW_NO_MEMORY, "out of memory while linking");
  flow_status status = open_folder(folder, error);
  if (!status) {
    status = write_object(folder, object, error);
    if (!status) status = link_in(ld, folder, name, error);
    if (!status) status = flow_read_file(&flow_standard_allocator, folder->library, most_library, bytes, error);
    close_folder(folder);
  }
  flow_free(&flow_standard_allocator, folder, sizeof *folder);
  return status;
}
