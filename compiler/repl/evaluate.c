/* SPDX-License-Identifier: Apache-2.0 */
/* evaluate.c -- an expression at the prompt: checked with the session, compiled in f64, run, and shown with its type. */
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
  Runnable runnable;
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
static flow_status show_time(const Runnable *runnable, double *result, double prepared, flow_error *error) {
  double start = seconds_now(), now = start;
  unsigned long rounds = 0;
  for (; now - start < 0.2; now = seconds_now(), rounds++) {
    flow_status status = runnable_run(runnable, NULL, result, error);
    if (status) return status;
  }
  printf("%.3g ms to prepare, %.3g us for each of %lu evaluations (%s, f64)\n", prepared * 1e3, (now - start) / (double)rounds * 1e6, rounds,
         runnable->compiled ? "compiled" : "interpreter");
  return FLOW_OK;
}

static flow_status run_value(Evaluation *evaluation, const Value *value, double started, flow_error *error) {
  Study *study = evaluation->study;
  const Repl *repl = evaluation->repl;
  Runnable *runnable = &evaluation->runnable;
  const ProgramText memory = session_program(&repl->session, "");
  RunnableOptions how = {repl_setting(repl, "flow"), repl_setting(repl, "weights"), repl->session.path, .memory = &memory, .typed = value->text};
  if (evaluation->show == SHOW_TIME) how.code = CODE_FOR_OFTEN;
  if (repl->confined) how.most = CONFINED_MOST;
  flow_status status = runnable_make(study, &how, value->function, runnable, error);
  if (status) return status;
  double *result = arena_array(&study->arena, runnable->results + 1, sizeof *result), prepared = seconds_now() - started;
  status = runnable_run(runnable, NULL, result, error);
  if (!status && evaluation->show == SHOW_TIME) return show_time(runnable, result, prepared, error);
  if (!status) show_result(value, runnable, result);
  return status;
}

static int show_failure(const Evaluation *evaluation, flow_status status, const flow_error *error) {
  const Diagnostics *diagnostics = &evaluation->study->diagnostics;
  diag_print(diagnostics, stderr, evaluation->repl->run->terminal.colour_error);
  return error->text[0] || !diagnostics->errors ? failed(evaluation->repl->run, status, error) : flow_status_exit_code(status);
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
  if (evaluation->show == SHOW_TYPE) {
    show_type(&value);
    return 0;
  }
  flow_error error = {{0}};
  flow_status status = run_value(evaluation, &value, started, &error);
  return status ? show_failure(evaluation, status, &error) : 0;
}

int repl_evaluate(Repl *repl, const char *expression, EvaluateShow show) {
  Evaluation evaluation = {.repl = repl, .study = study_new(), .text = expression, .show = show};
  if (!evaluation.study) return failed(repl->run, FLOW_NO_MEMORY, NULL);
  int code = repl_apart(repl, evaluate, &evaluation, APART_GRACE);
  runnable_free(&evaluation.runnable);
  study_free(evaluation.study);
  return code;
}
