/* SPDX-License-Identifier: Apache-2.0 */
#include "lines_in.h"
#include <stdlib.h>
#include <string.h>
#include "editor.h"
#include "history.h"

static char *read_line(FILE *from) {
  char *line = NULL;
  size_t room = 0;
  ssize_t length = getline(&line, &room, from);
  if (length < 0) {
    free(line);
    return NULL;
  }
  if (strlen(line) < (size_t)length) length = (ssize_t)strlen(line); /* what stands behind a NUL is no text */
  if (length && line[length - 1] == '\n') line[--length] = 0;
  if (length && line[length - 1] == '\r') line[--length] = 0;
  return line;
}

/* The first line of what was pasted. */
static char *take_pasted(LinesIn *lines) {
  size_t length = strcspn(lines->rest, "\r\n");
  char *line = strndup(lines->rest, length);
  lines->rest += length;
  lines->rest += strncmp(lines->rest, "\r\n", 2) == 0 ? 2 : *lines->rest ? 1 : 0;
  if (!*lines->rest) {
    free(lines->paste);
    lines->paste = lines->rest = NULL;
  }
  return line;
}

static void remember(const LinesIn *lines, const char *text) {
  if (text[strspn(text, " \t\r\n")] == 0) return;
  editor_remember(text);
  if (lines->history) history_append(lines->history, text);
}

char *lines_in_next(LinesIn *lines, const char *prompt, bool *interrupted) {
  *interrupted = false;
  if (lines->rest) return take_pasted(lines);
  char *line = lines->ahead;
  lines->ahead = NULL;
  if (lines->from) return line ? line : read_line(lines->from);
  line = editor_read(prompt, interrupted);
  if (!line) return NULL;
  remember(lines, line);
  if (!strpbrk(line, "\r\n")) return line;
  lines->paste = lines->rest = line;
  return take_pasted(lines);
}

const char *lines_in_peek(LinesIn *lines) {
  if (lines->rest || !lines->from) return lines->rest;
  if (!lines->ahead) lines->ahead = read_line(lines->from);
  return lines->ahead;
}

void lines_in_close(LinesIn *lines) {
  free(lines->paste);
  free(lines->ahead);
  lines->paste = lines->rest = lines->ahead = NULL;
}
