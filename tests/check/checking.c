/* SPDX-License-Identifier: Apache-2.0 */
/* checking.c -- see checking.h. */
#include "checking.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include "parse.h"

Checking run;

void check_bytes(const char *name, const char *text, size_t length) {
  arena_free(&run.arena);
  memset(&run, 0, sizeof run);
  arena_init(&run.arena, &flow_standard_allocator, &run.no_memory);
  if (setjmp(run.no_memory)) ck_abort_msg("out of memory");
  run.map.arena = run.diagnostics.arena = &run.arena;
  run.diagnostics.sources = &run.map;
  const Source *prelude_text = source_add(&run.map, "<prelude>", flow_prelude_text, flow_prelude_length);
  const Source *source = source_add(&run.map, name, text, length);
  AstFile *prelude = flow_parse(&run.map, &run.arena, &run.diagnostics, prelude_text, NULL);
  AstFile *file = flow_parse(&run.map, &run.arena, &run.diagnostics, source, NULL);
  if (file) run.program = flow_check(&run.arena, &run.diagnostics, prelude, file, NULL);
}

void check_text(const char *text) { check_bytes("t.flow", text, strlen(text)); }

const char *said(void) {
  static char text[1 << 16];
  memset(text, 0, sizeof text);
  FILE *to = fmemopen(text, sizeof text - 1, "w");
  diag_print(&run.diagnostics, to, false);
  fclose(to);
  return text;
}

void expect_clean(const char *text) {
  check_text(text);
  ck_assert_msg(run.diagnostics.count == 0, "%s", said());
}

/* The printed report is in the order of the text, the list in that of the passes. */
void expect_errors(const char *text, const char *codes) {
  char found[1024] = "";
  check_text(text);
  for (const char *at = said(); (at = strstr(at, " error[")); at++) {
    if (*found) strcat(found, " ");
    strncat(found, at + strlen(" error["), 5);
  }
  ck_assert_msg(strcmp(found, codes) == 0, "expected %s, found %s\n%s", codes, found, said());
}

void expect_said(const char *text, const char *message) {
  check_text(text);
  ck_assert_str_eq(said(), message);
}

char *read_text(const char *path, size_t *length) {
  enum { MOST = 1 << 20 };
  FILE *file = fopen(path, "rb");
  ck_assert_msg(file != NULL, "%s cannot be read", path);
  char *text = calloc(1, MOST);
  ck_assert_ptr_nonnull(text);
  *length = fread(text, 1, MOST - 1, file);
  fclose(file);
  return text;
}

static int is_program(const struct dirent *entry) { return strstr(entry->d_name, ".flow") != NULL; }

int for_each_program(const char *folder, FileVisit *visit) {
  struct dirent **entry;
  int files = scandir(folder, &entry, is_program, alphasort);
  ck_assert_msg(files > 0, "no programs in %s", folder);
  for (int i = 0; i < files; i++) {
    char path[1024];
    size_t length;
    snprintf(path, sizeof path, "%s/%s", folder, entry[i]->d_name);
    char *text = read_text(path, &length);
    visit(entry[i]->d_name, text, length);
    free(text);
    free(entry[i]);
  }
  free(entry);
  return files;
}
