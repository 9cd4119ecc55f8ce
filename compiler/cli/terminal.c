/* SPDX-License-Identifier: Apache-2.0 */
#include "terminal.h"
#include <langinfo.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };

/* https://no-color.org: set and not empty.  CLICOLOR_FORCE: set and not 0. */
static bool colour_wanted(int choice, int descriptor) {
  if (choice != COLOUR_AUTO) return choice == COLOUR_ALWAYS;
  const char *no = getenv("NO_COLOR"), *force = getenv("CLICOLOR_FORCE"), *term = getenv("TERM");
  if (no && *no) return false;
  if (force && *force && strcmp(force, "0") != 0) return true;
  return isatty(descriptor) && !(term && strcmp(term, "dumb") == 0);
}

static int width_of_output(void) {
  struct winsize size;
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const char *columns = getenv("COLUMNS");
  int width = columns ? atoi(columns) : 0;
  return width > 0 && width < 10000 ? width : 80;
}

Terminal terminal_look(const CommandLine *line) {
  int choice = line->value[OPTION_color].choice;
  return (Terminal){
      .colour_out = colour_wanted(choice, STDOUT_FILENO),
      .colour_error = colour_wanted(choice, STDERR_FILENO),
      .error_is_terminal = isatty(STDERR_FILENO),
      .utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
      .width = width_of_output(),
  };
}

static void say(const Terminal *terminal, const char *word, const char *colour, const char *format, va_list words) {
  char text[2048];
  vsnprintf(text, sizeof text, format, words);
  fprintf(stderr, "flowc: %s%s:%s ", terminal->colour_error ? colour : "", word,
          terminal->colour_error ? "\033[0m" : "");
  print_foreign(stderr, text);
  fputc('\n', stderr);
}

void complain(const Terminal *terminal, const char *format, ...) {
  va_list words;
  va_start(words, format);
  say(terminal, "error", "\033[1;31m", format, words);
  va_end(words);
}

void warn(const Terminal *terminal, const char *format, ...) {
  va_list words;
  va_start(words, format);
  say(terminal, "warning", "\033[1;35m", format, words);
  va_end(words);
}

/* C0, DEL and, in UTF-8, C1 (C2 80 .. C2 9F) act on a terminal; a line break stays one. */
void print_foreign(FILE *to, const char *text) {
  for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
    if (at[0] == 0xC2 && at[1] >= 0x80 && at[1] < 0xA0) {
      fprintf(to, "\\x%02x", at[1]);
      at++;
    } else if ((*at < 0x20 && *at != '\n') || *at == 0x7F) {
      fprintf(to, "\\x%02x", *at);
    } else {
      fputc(*at, to);
    }
  }
}

void print_json_text(FILE *to, const char *text) {
  fputc('"', to);
  for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
    if (*at == '"' || *at == '\\')
      fprintf(to, "\\%c", *at);
    else if (*at < 0x20 || *at == 0x7F)
      fprintf(to, "\\u%04x", *at);
    else
      fputc(*at, to);
  }
  fputc('"', to);
}

void print_json_number(FILE *to, double value) {
  if (isfinite(value))
    fprintf(to, "%.17g", value);
  else
    fputs("null", to);
}
