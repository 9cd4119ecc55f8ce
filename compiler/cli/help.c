/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"
#include <string.h>

enum { HELP_COLUMN = 30, HELP_WIDTH = 110 };

/* Words from column `column` on, broken before column HELP_WIDTH. */
static void print_wrapped(FILE *to, const char *text, int column) {
  int at = column;
  while (*text) {
    int word = (int)strcspn(text, " ");
    if (at > column && at + 1 + word > HELP_WIDTH) {
      fprintf(to, "\n%*s", column, "");
      at = column;
    } else if (at > column) {
      fputc(' ', to);
      at++;
    }
    fprintf(to, "%.*s", word, text);
    at += word;
    text += word;
    text += strspn(text, " ");
  }
  fputc('\n', to);
}

static void print_lines(FILE *to, const char *lines) {
  while (*lines) {
    int length = (int)strcspn(lines, "\n");
    fprintf(to, "  %.*s\n", length, lines);
    lines += length + (lines[length] == '\n');
  }
}

static void print_option(FILE *to, const Option *option) {
  char left[80], help[512];
  snprintf(left, sizeof left, "  %c%c%c --%s%s%s", option->letter ? '-' : ' ', option->letter ? option->letter : ' ',
           option->letter ? ',' : ' ', option->name, *option->argument ? " " : "", option->argument);
  int used = fprintf(to, "%s", left);
  if (used + 2 > HELP_COLUMN)
    fprintf(to, "\n%*s", HELP_COLUMN, "");
  else
    fprintf(to, "%*s", HELP_COLUMN - used, "");
  if (*option->standard)
    snprintf(help, sizeof help, "%s [%s]", option->help, option->standard);
  else
    snprintf(help, sizeof help, "%s", option->help);
  print_wrapped(to, help, HELP_COLUMN);
}

void help_verb(FILE *to, VerbId verb) {
  const Verb *v = &verbs[verb];
  fprintf(to, "flowc %s %s [options]: %s\n\n", v->name, v->operands, v->title);
  print_lines(to, v->text);
  fprintf(to, "\nExamples\n");
  print_lines(to, v->examples);
  fprintf(to, "\nOptions [and what holds without them]\n");
  for (int o = 0; o < OPTION_COUNT; o++)
    if (option_is_of((OptionId)o, verb)) print_option(to, &options[o]);
}

void help_list(FILE *to) {
  fputs("flowc compiles flow models (.flow) to machine code and runs them.\n\n", to);
  for (int v = 0; v < VERB_COUNT; v++) {
    int used = fprintf(to, "  flowc %s %s", verbs[v].name, verbs[v].operands);
    fprintf(to, "%*s%s\n", used < HELP_COLUMN ? HELP_COLUMN - used : 1, "", verbs[v].title);
  }
  fputs("  flowc --version\n\n"
        "Begin with\n"
        "  flowc sample examples/moons.flow -n 10000 --plot\n"
        "  flowc help sample\n\n"
        "Exit status: 0 done, 1 the input is wrong, 2 the command line is wrong, 3 some samples, or a check, failed,\n"
        "4 a file could not be read or written, or the command was interrupted (Ctrl-C, SIGTERM) and stopped in order,\n"
        "70 a defect of flowc itself.\n",
        to);
}
