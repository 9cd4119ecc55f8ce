/* SPDX-License-Identifier: Apache-2.0 */
/* terminal.h -- where the output goes, and how the program speaks to a person there. */
#ifndef FLOWC_TERMINAL_H
#define FLOWC_TERMINAL_H
#include "command_line.h"
#include <stdbool.h>
#include <stdio.h>

typedef struct Terminal {
  bool colour_out, colour_error; /* may standard output, standard error have colours */
  bool error_is_terminal;        /* a progress line makes sense */
  bool utf8;                     /* the locale's characters */
  int width;                     /* columns; 80 where nobody says */
} Terminal;

/* Colours: --color, then NO_COLOR, then CLICOLOR_FORCE, then whether it is a terminal.  Width: the terminal, then
 * COLUMNS. */
Terminal terminal_look(const CommandLine *line);

/* "flowc: error: ..." on standard error. */
void complain(const Terminal *terminal, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for a warning. */
void warn(const Terminal *terminal, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Text that came out of a file: control characters are shown as \x1b, never sent to the terminal. */
void print_foreign(FILE *to, const char *text);
/* A JSON string with its quotes. */
void print_json_text(FILE *to, const char *text);
/* A JSON number; null where it is not finite. */
void print_json_number(FILE *to, double value);

#endif
