/* SPDX-License-Identifier: Apache-2.0 */
/* editor.h -- a line from a person: edited, completed, remembered.  editor_line.c does it with libedit or readline, through the
 * calls that both have; editor_plain.c where neither is wanted or there. */
#ifndef FLOW_EDITOR_H
#define FLOW_EDITOR_H
#include <stdbool.h>
#include <stddef.h>

typedef struct Editor {
  /* Whole replacements for line[from, to), NULL behind the last; the list and its strings are freed by the caller. */
  char **(*complete)(void *user, const char *line, size_t from, size_t to);
  void *user;
} Editor;

void editor_open(const Editor *editor);
/* Without its line break, freed by the caller; may hold several lines where several were pasted.  NULL: the end, or, with
 * *interrupted set, Ctrl-C. */
char *editor_read(const char *prompt, bool *interrupted);
void editor_remember(const char *line); /* for the arrow keys */
void editor_close(void);

#endif
