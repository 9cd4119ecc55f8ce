/* SPDX-License-Identifier: Apache-2.0 */
#include "editor.h"
#include <stdio.h>
#include <stdlib.h>
#include "interrupt.h"

void editor_open(const Editor *editor) { (void)editor; }
void editor_remember(const char *line) { (void)line; }
void editor_close(void) {}

char *editor_read(const char *prompt, bool *interrupted) {
  char *line = NULL;
  size_t room = 0;
  fputs(prompt, stdout);
  fflush(stdout);
  ssize_t length = getline(&line, &room, stdin);
  *interrupted = interrupt_take();
  if (length > 0 && line[length - 1] == '\n') line[--length] = 0;
  if (length >= 0 && !*interrupted) return line;
  clearerr(stdin);
  free(line);
  return NULL;
}
