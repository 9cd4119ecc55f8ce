/* SPDX-License-Identifier: Apache-2.0 */
/* evaluate.c -- an expression at the prompt: checked with the session, lowered, and run in f64 by the interpreter.  That is the
 * oracle of the compiled code, needs no LLVM, and for one point it has the answer before a compiler would have begun. */
#include <stdlib.h>
#include <string.h>
#include "apart.h"
#include "repl.h"
#include "runnable.h"
#include "show.h"
#include "show_progress.h"

enum { CONFINED_MOST = 1 << 16 };

/* ---- one expression ------------------------------------------------------------------------------------------------------- */

typedef struct Evaluation {
  Repl *repl;
  Study *study;
  const char *text;
  EvaluateShow show;
} Evaluation;

static void show_type(const Value *value) {
  if (value->truth) puts("truth value");
  else show_shape(stdout, &value->function->result->shape), putchar('\n');
}

static void show_result(const Value *value, const Runnable *runnable, const double *result) {
  if (value->truth) fputs(*result != 0 ? "true" : "false", stdout);
  else show_value(stdout, result, &runnable->shape);
  fputs(" : ", stdout);
  show_type(value);
}

/* As often as fits into a fifth of a second. */
static void show_time(const Runnable *runnable, double *result, double prepared) {
  double start = seconds_now(), now = start;
  unsigned long rounds = 0;
  for (; now - start < 0.2; now = seconds_now(), rounds++)
    if (!runnable_run(runnable, NULL, result)) return;
  printf("%.3g ms to prepare, %.3g us for each of %lu evaluations (interpreter, f64)\n", prepared * 1e3, (now - start) / (double)rounds * 1e6, rounds);
}

static int run_value(Evaluation *evaluation, const Value *value, double started) {
  Study *study = evaluation->study;
  const Repl *repl = evaluation->repl;
  WeightsFrom from = {repl_setting(repl, "flow"), repl_setting(repl, "weights"), repl->session.path, repl->confined ? CONFINED_MOST : 0};
  Runnable runnable;
  flow_error error = {{0}};
  flow_status status = runnable_make(study, &from, value->function, &runnable, &error);
  if (status) {
    diag_print(&study->diagnostics, stderr, repl->run->terminal.colour_error);
    return error.text[0] || !study->diagnostics.errors ? failed(repl->run, status, &error) : flow_status_exit_code(status);
  }
  double *result = arena_array(&study->arena, runnable.results + 1, sizeof *result), prepared = seconds_now() - started;
  if (!runnable_run(&runnable, NULL, result)) return failed(repl->run, FLOW_NO_MEMORY, NULL);
  if (evaluation->show == SHOW_TIME) show_time(&runnable, result, prepared);
  else show_result(value, &runnable, result);
  return 0;
}

/* `x = 3` and `u(t, x) = -x`: what was meant begins with another word. */
static bool looks_like_definition(const char *text) {
  text += strspn(text, " \t");
  size_t name = strcspn(text, " \t(=+-*/<>!,[]\n");
  text += name;
  if (*text == '(') text += strcspn(text, ")\n") + 1;
  if (name == 0 || text[-1] == 0 || text[-1] == '\n') return false;
  text += strspn(text, " \t");
  return text[0] == '=' && text[1] != '=';
}

static void show_errors(const Evaluation *evaluation) {
  diag_print(&evaluation->study->diagnostics, stderr, evaluation->repl->run->terminal.colour_error);
  if (looks_like_definition(evaluation->text))
    fputs("      = help: a definition begins with what it is: `let a = 3`, `fn f(a) = 2*a`, `field u(t, x: [2]) = -x`\n", stderr);
}

static int evaluate(void *user) {
  Evaluation *evaluation = user;
  Repl *repl = evaluation->repl;
  Study *study = evaluation->study;
  double started = seconds_now();
  if (setjmp(study->no_memory)) return failed(repl->run, FLOW_NO_MEMORY, &(flow_error){"out of memory"});
  char *program = session_text(&repl->session, NULL, NULL);
  study_program(study, repl->session.path, program ? program : "", "");
  free(program);
  Value value = study_expression(study, evaluation->text);
  if (!value.function) {
    show_errors(evaluation);
    return flow_status_exit_code(FLOW_BAD_PROGRAM);
  }
  if (evaluation->show != SHOW_TYPE) return run_value(evaluation, &value, started);
  show_type(&value);
  return 0;
}

int repl_evaluate(Repl *repl, const char *expression, EvaluateShow show) {
  Evaluation evaluation = {repl, study_new(), expression, show};
  if (!evaluation.study) return failed(repl->run, FLOW_NO_MEMORY, NULL);
  int code = repl_apart(repl, evaluate, &evaluation, APART_GRACE);
  study_free(evaluation.study);
  return code;
}
