/* SPDX-License-Identifier: Apache-2.0 */
/* prompt.c -- flowc repl: lines to whole inputs, in a terminal or from a pipe. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "compile.h"
#include "complete.h"
#include "editor.h"
#include "history.h"
#include "interrupt.h"
#include "prompt.h"

static char **offer(void *user, const char *line, size_t from, size_t to) { return complete(user, line, from, to); }

/* Adds the line to what has been typed; false if memory is out. */
static bool append(char **text, const char *line) {
  char *more = NULL;
  if (asprintf(&more, "%s%s%s", *text ? *text : "", *text ? "\n" : "", line) < 0) return false;
  free(*text);
  *text = more;
  return true;
}

/* Is the text whole, as far as can be known?  A blank line ends it in any case. */
static bool is_whole(LinesIn *lines, const char *text, const char *line) {
  Pieces pieces;
  InputKind kind = pieces_read(text, &pieces);
  pieces_free(&pieces);
  bool blank = line[strspn(line, " \t\r")] == 0;
  if (kind == INPUT_COMMAND || kind == INPUT_NOTHING) return true;
  if (kind == INPUT_INCOMPLETE) return blank && !lines->from;
  const char *next = lines_in_peek(lines);
  return !(next && line_continues(next));
}

/* One whole input, or NULL at the end; *interrupted: it was dropped. */
static char *next_input(LinesIn *lines, bool *interrupted) {
  char *text = NULL, *line;
  while ((line = lines_in_next(lines, text ? "  ... " : "flow> ", interrupted))) {
    bool whole = !append(&text, line) || is_whole(lines, text, line);
    free(line);
    if (whole) return text;
  }
  if (!*interrupted) return text; /* the end came first: what there is says what is missing */
  free(text);
  return NULL;
}

int prompt_run(Repl *repl, LinesIn *lines) {
  int first_code = 0;
  while (!repl->done) {
    bool interrupted = false;
    char *text = next_input(lines, &interrupted);
    if (interrupted) {
      putchar('\n');
      continue;
    }
    if (!text) break;
    int code = repl_input(repl, text);
    free(text);
    fflush(stdout);
    if (code && !first_code) first_code = code;
  }
  return first_code;
}

/* A person sees what went wrong; a script's exit status tells it. */
static int at_terminal(Repl *repl) {
  char *history = history_path();
  Editor editor = {offer, repl};
  LinesIn lines = {.history = history};
  if (!has(repl->run, OPTION_quiet)) printf("%s\n:help or ?NAME for help, Tab completes, Ctrl-D ends\n", flow_compiler_version());
  interrupt_catch();
  editor_open(&editor);
  if (history) history_read(history, editor_remember);
  prompt_run(repl, &lines);
  if (!repl->done) putchar('\n');
  editor_close();
  lines_in_close(&lines);
  free(history);
  return 0;
}

int verb_repl(const Run *run) {
  Repl repl;
  flow_status status = repl_open(&repl, run);
  int code = status ? failed(run, status, NULL) : 0;
  repl.terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
  for (size_t i = 0; i < run->line->operands && !code; i++) code = repl_load(&repl, run->line->operand[i]);
  LinesIn lines = {.from = stdin};
  if (!status && repl.terminal) code = at_terminal(&repl);
  else if (!code) code = prompt_run(&repl, &lines);
  if (!code) code = finish_output(run);
  lines_in_close(&lines);
  repl_close(&repl);
  return code;
}
