/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_source.c -- bytes -> parse -> format -> parse.  What must hold of any bytes:
 *   no file means at least one error; all places of errors are in the source; what parses, formats to a text that has
 *   the same AST and that formatting leaves alone.
 * With REPLAY a main that feeds it the files of folders, so that the ordinary suite runs what fuzzing has found. */
#include "ast_print.h"
#include "format.h"
#include "parse.h"
#include <dirent.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds) {
  if (!holds) abort();
}

static void check_places(const Diagnostics *diagnostics, const Source *source) {
  for (size_t i = 0; i < diagnostics->count; i++) {
    Span at = diagnostics->list[i].at;
    must(at.from >= source->base && at.from <= at.to && at.to <= source->base + source->length);
  }
}

static void check_format(SourceMap *map, Arena *arena, Diagnostics *diagnostics, const Source *source, const AstFile *file) {
  size_t length, again;
  char *text = flow_format(map, arena, diagnostics, source, &length);
  must(text != NULL);
  const Source *second = source_add(map, "formatted", text, length);
  const AstFile *reparsed = flow_parse(map, arena, diagnostics, second, NULL);
  must(reparsed && diagnostics->errors == 0 && strcmp(ast_print(arena, file), ast_print(arena, reparsed)) == 0);
  char *twice = flow_format(map, arena, diagnostics, second, &again);
  must(twice && again == length && memcmp(text, twice, length) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  jmp_buf no_memory;
  Arena arena;
  arena_init(&arena, &flow_standard_allocator, &no_memory);
  if (setjmp(no_memory) == 0) {
    SourceMap map = {.arena = &arena};
    Diagnostics diagnostics = {.arena = &arena, .sources = &map};
    const Source *source = source_add(&map, "input", (const char *)data, size);
    const AstFile *file = source ? flow_parse(&map, &arena, &diagnostics, source, NULL) : NULL;
    if (source) check_places(&diagnostics, source);
    must(file || diagnostics.errors > 0);
    if (file && diagnostics.errors == 0) check_format(&map, &arena, &diagnostics, source, file);
  }
  arena_free(&arena);
  return 0;
}

#ifdef REPLAY
static void replay(const char *folder, const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "rb");
  if (!file) return;
  static uint8_t bytes[1 << 20];
  size_t size = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  LLVMFuzzerTestOneInput(bytes, size);
}

int main(int count, char **folders) {
  size_t files = 0;
  for (int i = 1; i < count; i++) {
    DIR *folder = opendir(folders[i]);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
      if (entry->d_name[0] == '.') continue;
      replay(folders[i], entry->d_name);
      files++;
    }
    if (folder) closedir(folder);
  }
  printf("100%%: Checks: %zu, Failures: 0, Errors: 0\n", files);
  return files == 0;
}
#endif
