/* SPDX-License-Identifier: Apache-2.0 */
#include "repl.h"
#include <stdlib.h>
#include <string.h>
#include "show.h"
#include "show_progress.h"
#include "study.h"

flow_status repl_open(Repl *repl, const Run *run) {
  *repl = (Repl){.run = run};
  return session_open(&repl->session);
}

void repl_close(Repl *repl) {
  session_free(&repl->session);
  for (size_t i = 0; i < repl->settings; i++) free(repl->setting[i].value);
  free(repl->setting);
  free(repl->last);
  *repl = (Repl){0};
}

int repl_apart(Repl *repl, ApartWork *work, void *user, int grace) {
  ApartEnd end = apart_run(work, user, grace, repl->confined);
  if (end.cancelled)
    fputs("stopped\n", stderr);
  else if (end.signal)
    complain(&repl->run->terminal, "this came to a sudden end (signal %d: %s); the session is as it was", end.signal, strsignal(end.signal));
  return end.code;
}

/* ---- settings ----------------------------------------------------------------------------------------------------------- */

static Setting *find_setting(const Repl *repl, const char *option) {
  for (size_t i = 0; i < repl->settings; i++)
    if (strcmp(options[repl->setting[i].option].name, option) == 0) return &repl->setting[i];
  return NULL;
}

const char *repl_setting(const Repl *repl, const char *option) {
  const Setting *setting = find_setting(repl, option);
  return setting ? setting->value : NULL;
}

flow_status repl_set(Repl *repl, OptionId option, const char *value) {
  Setting *setting = find_setting(repl, options[option].name);
  if (!value) {
    if (!setting) return FLOW_OK;
    free(setting->value);
    *setting = repl->setting[--repl->settings];
    return FLOW_OK;
  }
  char *copy = strdup(value);
  if (copy && !setting) {
    Setting *more = realloc(repl->setting, (repl->settings + 1) * sizeof *more);
    if (more) repl->setting = more;
    if (more) setting = &repl->setting[repl->settings++], *setting = (Setting){0};
  }
  if (!copy || !setting) {
    free(copy);
    return FLOW_NO_MEMORY;
  }
  free(setting->value);
  *setting = (Setting){option, copy};
  return FLOW_OK;
}

/* ---- definitions ---------------------------------------------------------------------------------------------------------- */

typedef struct Defining {
  Repl *repl;
  Study *study;
  const char *text, *name;
  const Pieces *pieces;
} Defining;

static const TypedFunction *typed_of(const TypedProgram *program, const Ast *definition) {
  for (uint32_t i = 0; i < program->fields; i++)
    if (program->field[i]->definition == definition) return program->field[i];
  for (uint32_t i = 0; i < program->densities; i++)
    if (program->density[i].function->definition == definition) return program->density[i].function;
  for (uint32_t i = 0; i < program->maps; i++)
    if (program->map[i].function->definition == definition) return program->map[i].function;
  return NULL;
}

/* What was understood: the shapes of a function where they are known, else the name. */
static void echo(const TypedProgram *program, const Ast *definition, double milliseconds) {
  static const char *const word[AST_KIND_COUNT] = {
      [AST_LET] = "let", [AST_DIM] = "dim", [AST_FN] = "fn", [AST_FIELD] = "field", [AST_NETWORK] = "network", [AST_MAP] = "map",
      [AST_DENSITY] = "density", [AST_FLOW] = "flow", [AST_CHECK] = "check"};
  const char *what = word[definition->kind];
  if (!what) return;
  const TypedFunction *function = typed_of(program, definition);
  if (definition->kind == AST_CHECK) {
    puts("a check; :check holds it at random points");
    return;
  }
  printf("%s ", what);
  if (function) show_signature(stdout, function);
  else fputs(definition->name, stdout);
  if (milliseconds > 0) printf("    %.1f ms", milliseconds);
  putchar('\n');
}

static int check_definitions(void *user) {
  Defining *defining = user;
  Repl *repl = defining->repl;
  Study *study = defining->study;
  double started = seconds_now();
  if (setjmp(study->no_memory)) return failed(repl->run, FLOW_NO_MEMORY, &(flow_error){"out of memory"});
  char *rest = session_text(&repl->session, defining->pieces, defining->text);
  study_program(study, repl->session.path, rest ? rest : "", defining->text);
  free(rest);
  study->sources.source[study->sources.count - 1].name = defining->name;
  diag_print(&study->diagnostics, stderr, repl->run->terminal.colour_error);
  if (study->diagnostics.errors || !study->program) return flow_status_exit_code(FLOW_BAD_PROGRAM);
  if (has(repl->run, OPTION_quiet)) return 0;
  double milliseconds = repl->terminal ? (seconds_now() - started) * 1e3 : 0; /* a person may wonder; a script may be compared */
  for (size_t i = 0; i < study->input->definitions.count; i++)
    if (study->input->definitions.at[i]) echo(study->program, study->input->definitions.at[i], milliseconds);
  return 0;
}

int repl_check(Repl *repl, const char *text, const Pieces *pieces, const char *name) {
  Defining defining = {repl, study_new(), text, name, pieces};
  if (!defining.study) return failed(repl->run, FLOW_NO_MEMORY, NULL);
  int code = repl_apart(repl, check_definitions, &defining, APART_GRACE);
  study_free(defining.study);
  return code;
}

int repl_define(Repl *repl, const char *text, const Pieces *pieces, const char *name) {
  int code = repl_check(repl, text, pieces, name);
  if (code) return code;
  bool typed = strcmp(name, "<input>") == 0;
  flow_status status = session_take(&repl->session, pieces, text, typed ? NULL : name);
  return status ? failed(repl->run, status, NULL) : 0;
}

/* ---- one input -------------------------------------------------------------------------------------------------------------- */

/* A transcript may be pasted: the prompts at the beginnings of its lines go. */
static char *without_prompts(const char *text) {
  static const char *const prompt[] = {"flow> ", "  ... "};
  char *clean = malloc(strlen(text) + 1), *to = clean;
  for (bool line_start = true; clean && *text; text++) {
    for (int p = 0; line_start && p < 2; p++)
      if (strncmp(text, prompt[p], 6) == 0 && (p == 0 || to > clean)) text += 6, line_start = false;
    line_start = *text == '\n';
    if (!*text) break;
    *to++ = *text;
  }
  if (clean) *to = 0;
  return clean;
}

static int define(Repl *repl, const char *text, Pieces *pieces) {
  int code = repl_define(repl, text, pieces, "<input>");
  free(repl->last);
  repl->last = strdup(text);
  return code;
}

/* `draw` and `inverse` stand on a line of their own below their definition, and a prompt sees that line later. */
static char *joined(const Repl *repl, const char *text) {
  char *whole = NULL;
  if (!repl->last || !line_continues(text)) return NULL;
  return asprintf(&whole, "%s\n%s", repl->last, text) < 0 ? NULL : whole;
}

static int read_and_do(Repl *repl, const char *text) {
  Pieces pieces;
  int code = 0;
  char *whole = joined(repl, text);
  InputKind kind = pieces_read(whole ? whole : text, &pieces);
  if (whole && (kind != INPUT_DEFINITIONS || pieces.broken)) { /* it does not go on after all */
    pieces_free(&pieces);
    free(whole);
    whole = NULL;
    kind = pieces_read(text, &pieces);
  }
  const char *input = whole ? whole : text;
  switch (kind) {
  case INPUT_NOTHING: break;
  case INPUT_COMMAND: code = repl_command(repl, input); break;
  case INPUT_INCOMPLETE: /* no more is to come: the message says what is missing */
  case INPUT_DEFINITIONS:
    code = pieces.count || pieces.broken ? define(repl, input, &pieces) : repl_evaluate(repl, input, SHOW_VALUE);
    break;
  case INPUT_EXPRESSION: code = repl_evaluate(repl, input, SHOW_VALUE); break;
  }
  if (kind == INPUT_EXPRESSION || kind == INPUT_COMMAND) {
    free(repl->last);
    repl->last = NULL;
  }
  pieces_free(&pieces);
  free(whole);
  return code;
}

int repl_input(Repl *repl, const char *text) {
  char *clean = without_prompts(text);
  if (!clean) return failed(repl->run, FLOW_NO_MEMORY, NULL);
  int code = read_and_do(repl, clean);
  free(clean);
  return code;
}
