/* SPDX-License-Identifier: Apache-2.0 */
/* lines_in.h -- where the lines come from: an editor in a terminal, a pipe, a file. */
#ifndef FLOW_LINES_IN_H
#define FLOW_LINES_IN_H
#include <stdbool.h>
#include <stdio.h>

typedef struct LinesIn {
  FILE *from;          /* NULL: the editor */
  const char *history; /* where the editor's lines are kept; NULL: nowhere */
  char *paste, *rest;  /* several lines that came at once, and what is left of them */
  char *ahead;         /* read from `from` to look at */
} LinesIn;

/* The next line, freed by the caller; NULL at the end or after Ctrl-C, which sets *interrupted. */
char *lines_in_next(LinesIn *lines, const char *prompt, bool *interrupted);
/* The line after it where that can be known without waiting for a person; else NULL. */
const char *lines_in_peek(LinesIn *lines);
void lines_in_close(LinesIn *lines);

#endif
