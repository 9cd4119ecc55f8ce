/* SPDX-License-Identifier: Apache-2.0 */
#include "named_file.h"
#include "io_error.h"
#include <errno.h>
#include <stdio.h>
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

char *folder_of(const char *file) {
  const char *slash = strrchr(file, '/');
  if (!slash) return realpath(".", NULL);
  char *folder = strndup(file, slash == file ? 1 : (size_t)(slash - file));
  char *real = folder ? realpath(folder, NULL) : NULL;
  free(folder);
  return real;
}

const char *path_behind(const char *path, const char *folder) {
  size_t length = strlen(folder);
  if (strcmp(folder, "/") == 0) return path + 1;
  return strncmp(path, folder, length) == 0 && path[length] == '/' ? path + length + 1 : NULL;
}

static char *join(const char *folder, const char *name) {
  size_t room = strlen(folder) + strlen(name) + 2;
  char *path = malloc(room);
  if (path) snprintf(path, room, "%s/%s", folder, name);
  return path;
}

/* ---- in words -------------------------------------------------------------------------------------------------------------- */

/* option: of the verbs, the first that a verb has takes such a file from anywhere. */
static const struct { const char *what, *prompt; OptionId option[2]; } kinds[] = {
    [NAMED_WEIGHTS] = {"weights", ":weights FILE", {OPTION_weights, OPTION_binding}},
    [NAMED_SOURCE] = {"points of the source", "--from FILE", {OPTION_from, OPTION_source_binding}},
    [NAMED_DATA] = {"data", "--data FILE", {OPTION_data, OPTION_data}},
};

static void describe_option(const Run *run, NamedFile kind, char *to, size_t room) {
  snprintf(to, room, "%s", run ? "" : kinds[kind].prompt);
  for (int i = 0; i < 2 && run && !*to; i++) {
    OptionId option = kinds[kind].option[i];
    bool part = option == OPTION_binding || option == OPTION_source_binding;
    if (option_is_of(option, run->line->verb)) snprintf(to, room, "--%s %sFILE", options[option].name, part ? "embed=" : "");
  }
}

static flow_status missing(const char *place, NamedFile kind, const char *written, const char *path, const char *option, int code, flow_error *error) {
  if (code == ENOMEM) return flow_fail(error, FLOW_NO_MEMORY, "out of memory");
  return flow_fail(error, FLOW_BAD_FILE, "%s: cannot read the %s `%s`, that is %s: %s%s%s%s", place, kinds[kind].what, written, path, strerror(code),
                   *option ? "; " : "", option, *option ? " takes them from elsewhere" : "");
}

static flow_status outside(const char *place, NamedFile kind, const char *written, const char *option, flow_error *error) {
  return flow_fail(error, FLOW_BAD_PROGRAM,
                   "%s: the %s `%s` are not below the program's folder; a program names them by a relative path without `..`%s%s%s", place,
                   kinds[kind].what, written, *option ? ", and " : "", option, *option ? " takes them from anywhere" : "");
}

static flow_status link_out(const char *place, NamedFile kind, const char *written, const char *real, const char *option, flow_error *error) {
  return flow_fail(error, FLOW_BAD_PROGRAM, "%s: the %s `%s` are a link out of the program's folder (to %s)%s%s", place, kinds[kind].what, written,
                   real, *option ? "; if you trust it, name that file by " : "", option);
}

/* ---- the file --------------------------------------------------------------------------------------------------------------- */

flow_status named_file_below(const char *beside, const char *place, NamedFile kind, const char *written, const char *option, char **resolved,
                             flow_error *error) {
  *resolved = NULL;
  if (written[0] == '/' || has_parent_step(written)) return outside(place, kind, written, option, error);
  char *folder = folder_of(beside);
  if (!folder) return flow_io_error(error, beside, "find the folder", errno);
  char *path = join(folder, written), *real = path ? realpath(path, NULL) : NULL;
  int code = path ? errno : ENOMEM;
  flow_status status = FLOW_OK;
  if (!real) status = missing(place, kind, written, path, option, code, error);
  else if (!path_behind(real, folder)) status = link_out(place, kind, written, real, option, error);
  else *resolved = real;
  if (status) free(real);
  free(path);
  free(folder);
  return status;
}

static const char *written_in(const TypedFlow *flow, NamedFile kind, Span *at) {
  *at = kind == NAMED_WEIGHTS ? flow->weights_at : kind == NAMED_SOURCE ? flow->source_at : flow->train->data_at;
  return kind == NAMED_WEIGHTS ? flow->weights : kind == NAMED_SOURCE ? flow->source_path : flow->train->data;
}

flow_status named_file(const Naming *by, NamedFile kind, const TypedFlow *flow, char **resolved, flow_error *error) {
  Span at;
  const char *written = written_in(flow, kind, &at);
  char place[512], option[64];
  Place line = source_place(by->sources, at.from);
  snprintf(place, sizeof place, "%s:%u:%u", line.source ? line.source->name : by->path, line.line, line.column);
  describe_option(by->run, kind, option, sizeof option);
  const FlowFolders *folders = by->memory ? &by->memory->folders : NULL;
  const char *beside = folders && folders->beside ? folders->beside(folders->of, flow->name) : by->path;
  return named_file_below(beside, place, kind, written, option, resolved, error);
}
