/* SPDX-License-Identifier: Apache-2.0 */
/* load.c -- files into the session, and the session into a file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "atomic_file.h"
#include "named_file.h"
#include "program.h"
#include "repl.h"

static int load_text(Repl *repl, const char *path, const char *text) {
  Pieces pieces;
  InputKind kind = pieces_read(text, &pieces);
  int code = 0;
  if (kind == INPUT_EXPRESSION || kind == INPUT_COMMAND) {
    complain(&repl->run->terminal, "%s does not begin with a definition; a .flow file holds nothing else", path);
    code = flow_status_exit_code(FLOW_BAD_INPUT);
  } else if (kind != INPUT_NOTHING) {
    code = repl_define(repl, text, &pieces, path);
  }
  pieces_free(&pieces);
  return code;
}

int repl_load(Repl *repl, const char *path) {
  FlowBytes bytes = {0};
  int code = program_read_text(repl->run, path, &bytes);
  if (code) return code;
  char *text = strndup(bytes.data ? (const char *)bytes.data : "", bytes.size); /* a NUL ends it, as it ends no program */
  flow_bytes_free(&flow_standard_allocator, &bytes);
  if (!text) return failed(repl->run, FLOW_NO_MEMORY, NULL);
  code = load_text(repl, path, text);
  free(text);
  if (code) return code;
  flow_status status = session_note_file(&repl->session, path);
  return status ? failed(repl->run, status, NULL) : 0;
}

/* ---- into a file: what flows name is to be found from there ---------------------------------------------------------------- */

typedef struct Saving {
  const Repl *repl;
  const char *file;
  char *folder; /* where it is saved */
  FILE *to;
} Saving;

static void warn_of_path(const Saving *saving, const Entry *entry, const NamedPath *path, const char *real) {
  const char *option = strcmp(path->clause, "source") == 0 ? "from" : path->clause;
  warn(&saving->repl->run->terminal, "flow `%s`: the file of its `%s` is %s, and %s can name only what is below its own folder; copy it there, or say --%s %s", entry->name,
       path->clause, real, saving->file, option, real);
}

/* A path as it reads from the new folder, or as it was. */
static void save_path(const Saving *saving, const Entry *entry, const char *from_folder, const NamedPath *path) {
  const char *text = entry->text + path->from;
  int length = (int)(path->to - path->from);
  char *real = NULL;
  bool known = from_folder && saving->folder && text[1] != '/' && asprintf(&real, "%s/%.*s", from_folder, length - 2, text + 1) >= 0;
  const char *below = known ? path_behind(real, saving->folder) : NULL;
  if (below) fprintf(saving->to, "\"%s\"", below);
  else fwrite(text, 1, (size_t)length, saving->to);
  if (known && !below) warn_of_path(saving, entry, path, real);
  free(real);
}

static bool save_entry(const Saving *saving, const Entry *entry) {
  NamedPath *path;
  size_t paths, done = 0;
  bool good = pieces_paths(entry->text, &path, &paths);
  char *from_folder = paths ? folder_of(entry->beside) : NULL;
  bool moved = from_folder && saving->folder && strcmp(from_folder, saving->folder) != 0;
  for (size_t i = 0; good && moved && i < paths; i++) {
    fwrite(entry->text + done, 1, path[i].from - done, saving->to);
    save_path(saving, entry, from_folder, &path[i]);
    done = path[i].to;
  }
  fprintf(saving->to, "%s\n", entry->text + done);
  free(from_folder);
  free(path);
  return good;
}

/* session_text as it is to stand in `file`; NULL: out of memory. */
static char *text_for(const Repl *repl, const char *file) {
  char *text = NULL;
  size_t length;
  Saving saving = {repl, file, folder_of(file), open_memstream(&text, &length)};
  bool good = saving.to != NULL;
  for (size_t i = 0; good && i < repl->session.count; i++) good = save_entry(&saving, &repl->session.entry[i]);
  if (saving.to && fclose(saving.to) != 0) good = false;
  free(saving.folder);
  if (!good) free(text);
  return good ? text : NULL;
}

int repl_save(Repl *repl, const char *path) {
  flow_error error = {{0}};
  FlowAtomicFile *file;
  char *text = text_for(repl, path);
  if (!text) return failed(repl->run, FLOW_NO_MEMORY, NULL);
  flow_status status = flow_atomic_open(&flow_standard_allocator, path, &file, &error);
  if (!status && !(status = flow_atomic_write(file, text, strlen(text), &error)))
    status = flow_atomic_commit(file, &error);
  free(text);
  if (status) return failed(repl->run, status, &error);
  if (!has(repl->run, OPTION_quiet)) printf("%zu definitions are in %s\n", repl->session.count, path);
  return 0;
}
