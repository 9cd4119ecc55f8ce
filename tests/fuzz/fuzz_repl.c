/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_repl.c -- bytes -> lines at the prompt, confined: no processes, files or verbs.  Definitions are checked, expressions that
 * are small are evaluated, commands parsed, and each line completed at its end.  Nothing may crash, hang or leak. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "complete.h"
#include "prompt.h"

enum { MOST_BYTES = 1 << 14 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is said is of no use here. */
static void be_silent(void) {
  static bool silent;
  if (silent) return;
  silent = freopen("/dev/null", "w", stdout) != NULL;
}

static void complete_lines(const Repl *repl, const char *text) {
  while (*text) {
    size_t length = strcspn(text, "\n"), word = length;
    char *line = strndup(text, length);
    if (!line) return;
    while (word > 0 && !strchr(" \"()[]{},;=<>|:", line[word - 1])) word--;
    char **list = complete(repl, line, word, length);
    for (size_t i = 0; list && list[i]; i++) free(list[i]);
    free(list);
    free(line);
    text += length + (text[length] == '\n');
  }
}

static void type(const Run *run, char *text, size_t size) {
  Repl repl;
  LinesIn lines = {.from = fmemopen(text, size, "r")};
  if (lines.from && repl_open(&repl, run) == FLOW_OK) {
    repl.confined = true;
    prompt_run(&repl, &lines);
    complete_lines(&repl, text);
    repl_close(&repl);
  }
  lines_in_close(&lines);
  if (lines.from) fclose(lines.from);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char name[] = "flowc", verb[] = "repl", *argv[] = {name, verb, NULL};
  CommandLine line;
  be_silent();
  if (size == 0 || size > MOST_BYTES || command_line_parse(2, argv, &line, NULL) != FLOW_OK) return 0;
  Run run = {&line, {.width = 80}, NULL};
  char *text = calloc(size + 1, 1);
  if (text) {
    memcpy(text, data, size);
    type(&run, text, size);
  }
  free(text);
  command_line_free(&line);
  return 0;
}
