/* SPDX-License-Identifier: Apache-2.0 */
/* fmt.c -- flowc fmt: the formatter over files.  A program with syntax errors is reported and left alone. */
#include "arena.h"
#include "atomic_file.h"
#include "diag.h"
#include "format.h"
#include "program.h"
#include "run.h"
#include <string.h>

static flow_status write_back(const char *path, const char *text, size_t length, flow_error *error) {
  FlowAtomicFile *file;
  flow_status status = flow_atomic_open(&flow_standard_allocator, path, &file, error);
  if (status) return status;
  status = flow_atomic_write(file, text, length, error);
  if (!status) return flow_atomic_commit(file, error);
  flow_atomic_abandon(file);
  return status;
}

/* What the options want done with the usual form of a file. */
static int deliver(const Run *run, const char *path, const FlowBytes *old, const char *text, size_t length) {
  bool same = old->size == length && (length == 0 || memcmp(old->data, text, length) == 0);
  flow_error error = {{0}};
  flow_status status = FLOW_OK;
  if (has(run, OPTION_unchanged)) {
    if (same) return 0;
    complain(&run->terminal, "%s is not in the usual form; `flowc fmt -w` changes it", path);
    return flow_status_exit_code(FLOW_BAD_INPUT);
  }
  if (!has(run, OPTION_write) || strcmp(path, "-") == 0) {
    fwrite(text, 1, length, stdout);
    return finish_output(run);
  }
  if (!same) status = write_back(path, text, length, &error);
  return status ? failed(run, status, &error) : 0;
}

static int format_text(const Run *run, const char *path, const FlowBytes *old) {
  Arena arena;
  jmp_buf no_memory;
  arena_init(&arena, &flow_standard_allocator, &no_memory);
  if (setjmp(no_memory)) {
    arena_free(&arena);
    return failed(run, FLOW_NO_MEMORY, NULL);
  }
  SourceMap *map = arena_alloc(&arena, sizeof *map);
  map->arena = &arena;
  Diagnostics *diagnostics = arena_alloc(&arena, sizeof *diagnostics);
  diagnostics->arena = &arena;
  diagnostics->sources = map;
  const char *shown = strcmp(path, "-") == 0 ? "<input>" : path;
  const Source *source = source_add(map, shown, old->data ? (const char *)old->data : "", old->size);
  size_t length = 0;
  const char *text = source ? flow_format(map, &arena, diagnostics, source, &length) : NULL;
  int code = flow_status_exit_code(FLOW_BAD_PROGRAM);
  if (text && diagnostics->errors == 0)
    code = deliver(run, path, old, text, length);
  else
    diag_print(diagnostics, stderr, run->terminal.colour_error);
  arena_free(&arena);
  return code;
}

/* Every file is tried; the exit status is that of the first that went wrong. */
int verb_fmt(const Run *run) {
  int code = 0;
  for (size_t i = 0; i < run->line->operands; i++) {
    FlowBytes text = {0};
    const char *path = run->line->operand[i];
    int here = program_read_text(run, path, &text);
    if (!here) here = format_text(run, path, &text);
    flow_bytes_free(&flow_standard_allocator, &text);
    if (!code) code = here;
  }
  return code;
}
