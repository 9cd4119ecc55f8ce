/* SPDX-License-Identifier: Apache-2.0 */
/* load.c -- files into the session, and the session into a file. */
#include <stdlib.h>
#include <string.h>
#include "atomic_file.h"
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

int repl_save(Repl *repl, const char *path) {
  flow_error error = {{0}};
  FlowAtomicFile *file;
  char *text = session_text(&repl->session, NULL, NULL);
  if (!text) return failed(repl->run, FLOW_NO_MEMORY, NULL);
  flow_status status = flow_atomic_open(&flow_standard_allocator, path, &file, &error);
  if (!status && !(status = flow_atomic_write(file, text, strlen(text), &error)))
    status = flow_atomic_commit(file, &error);
  free(text);
  if (status) return failed(repl->run, status, &error);
  if (!has(repl->run, OPTION_quiet)) printf("%zu definitions are in %s\n", repl->session.count, path);
  return 0;
}
