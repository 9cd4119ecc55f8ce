/* SPDX-License-Identifier: Apache-2.0 */
/* words.c -- the verbs that only talk: help, completion, explain. */
#include "diag.h"
#include "help.h"
#include "run.h"
#include "solvers.h"
#include <stdlib.h>
#include <string.h>

int verb_help(const Run *run) {
  if (run->line->operands == 0) {
    help_list(stdout);
    return finish_output(run);
  }
  const char *name = run->line->operand[0], *known[VERB_COUNT];
  VerbId verb = verb_find(name);
  bool solvers = strcmp(name, "solvers") == 0;
  if (solvers || verb != VERB_COUNT) {
    if (solvers)
      help_solvers(stdout);
    else
      help_verb(stdout, verb);
    return finish_output(run);
  }
  for (int v = 0; v < VERB_COUNT; v++) known[v] = verbs[v].name;
  const char *near = diag_nearest(name, known, VERB_COUNT);
  complain(&run->terminal, "there is no verb `%s`%s%s%s", name,
           near ? "; did you mean `" : "; `flowc help` lists what there is", near ? near : "", near ? "`?" : "");
  return flow_status_exit_code(FLOW_BAD_CALL);
}

int verb_completion(const Run *run) {
  const char *shell = run->line->operand[0];
  if (strcmp(shell, "bash") == 0)
    completion_bash(stdout);
  else if (strcmp(shell, "zsh") == 0)
    completion_zsh(stdout);
  else {
    complain(&run->terminal, "there are completions for bash and zsh, not for `%s`", shell);
    return flow_status_exit_code(FLOW_BAD_CALL);
  }
  return finish_output(run);
}

/* E0302, e0302 and 302 are the same code; warnings have a W. */
static bool find_code(const char *written, DiagCode *code) {
  char name[16], *end;
  bool warning = *written == 'W' || *written == 'w';
  const char *digits = written + (warning || *written == 'E' || *written == 'e');
  long number = strtol(digits, &end, 10);
  if (end == digits || *end || number < 0 || number > 9999) return false;
  snprintf(name, sizeof name, "%c%04ld", warning ? 'W' : 'E', number);
  return diag_find_code(name, code);
}

int verb_explain(const Run *run) {
  DiagCode code;
  const char *written = run->line->operand[0];
  if (!find_code(written, &code)) {
    complain(&run->terminal, "there is no code `%s`; codes look like %s and stand in brackets in each message", written,
             diag_code_name((DiagCode)0));
    return flow_status_exit_code(FLOW_BAD_CALL);
  }
  printf("%s: %s\n\n%s\n", diag_code_name(code), diag_title(code), diag_explanation(code));
  return finish_output(run);
}
