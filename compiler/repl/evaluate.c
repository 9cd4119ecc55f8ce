/* SPDX-License-Identifier: Apache-2.0 */
/* evaluate.c -- an expression at the prompt: checked with the session, lowered, and run in f64 by the interpreter.  That is the
 * oracle of the compiled code, needs no LLVM, and for one point it has the answer before a compiler would have begun. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "apart.h"
#include "bind.h"
#include "evaluate.h"
#include "program.h"
#include "repl.h"
#include "show.h"

/* ---- weights ---------------------------------------------------------------------------------------------------------- */

/* The flow whose weights an expression sees: --flow of :set, else the first that has any. */
static const TypedFlow *flow_with_weights(const Repl *repl, const TypedProgram *program) {
  const char *wanted = repl_setting(repl, "flow");
  for (uint32_t f = 0; f < program->flows; f++)
    if (wanted ? strcmp(program->flow[f].name, wanted) == 0 : program->flow[f].weights != NULL) return &program->flow[f];
  return program->flows && !wanted ? &program->flow[0] : NULL;
}

static flow_status read_weights(const Repl *repl, const TypedFlow *flow, FlowTensors *tensors, flow_error *error) {
  const char *given = repl_setting(repl, "weights");
  char *path = NULL;
  flow_status status = FLOW_OK;
  if (!given && (!flow || !flow->weights))
    return flow_fail(error, FLOW_BAD_CALL, "the network has layers, but no weights are named; say :weights FILE");
  if (!given) status = weights_path(repl->session.path, flow->weights, &path, error);
  if (!status) status = flow_tensors_read(&flow_standard_allocator, given ? given : path, tensors, error);
  free(path);
  return status;
}

/* An expression uses a part of what the file holds: every tensor is excused. */
static flow_status bind(Study *study, IrFunction *f, const TypedFlow *flow, const FlowTensors *tensors, flow_error *error) {
  const char **all = arena_array(&study->arena, tensors->count + (size_t)1, sizeof *all);
  for (uint32_t i = 0; i < tensors->count; i++) all[i] = tensors->tensor[i].name;
  return ir_bind(f, tensors, flow ? flow->prefix : "", all, (uint32_t)tensors->count, &study->diagnostics, error);
}

static const double *const *numbers_of(Study *study, const IrFunction *f, const FlowTensors *tensors) {
  const double **weight = arena_array(&study->arena, f->weights + 1u, sizeof *weight);
  for (uint32_t w = 0; w < f->weights; w++) {
    const FlowTensor *tensor = flow_tensors_find(tensors, f->weight[w].name);
    double *number = arena_array(&study->arena, (size_t)tensor->count + 1, sizeof *number);
    flow_tensor_to_f64(tensor, 0, tensor->count, number);
    weight[w] = number;
  }
  return weight;
}

/* ---- a function that can be run ------------------------------------------------------------------------------------------ */

flow_status runnable_make(const Repl *repl, Study *study, const TypedFunction *function, Runnable *runnable, flow_error *error) {
  const TypedFlow *flow = flow_with_weights(repl, study->program);
  *runnable = (Runnable){0};
  IrFunction *f = ir_lower_function(&study->arena, function, flow ? flow->prefix : "", &study->diagnostics);
  if (!f || study->diagnostics.errors) return FLOW_BAD_PROGRAM;
  flow_status status = FLOW_OK;
  if (f->weights) {
    FlowTensors tensors;
    status = read_weights(repl, flow, &tensors, error);
    if (status) return status;
    status = bind(study, f, flow, &tensors, error);
    if (!status) runnable->weight = numbers_of(study, f, &tensors);
    flow_tensors_free(&tensors);
    if (status) return status;
  }
  runnable->ir = ir_optimise(f, FLOW_F64);
  runnable->shape = runnable->ir->node[runnable->ir->result].shape;
  runnable->results = (size_t)shape_count(&runnable->shape);
  return FLOW_OK;
}

bool runnable_run(const Runnable *runnable, const double *const *input, double *result) {
  return ir_run_f64(runnable->ir, input, runnable->weight, result);
}

/* ---- one expression ------------------------------------------------------------------------------------------------------- */

typedef struct Evaluation {
  Repl *repl;
  Study *study;
  const char *text;
  EvaluateShow show;
} Evaluation;

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

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
  double start = seconds(), now = start;
  unsigned long rounds = 0;
  for (; now - start < 0.2; now = seconds(), rounds++)
    if (!runnable_run(runnable, NULL, result)) return;
  printf("%.3g ms to prepare, %.3g us for each of %lu evaluations (interpreter, f64)\n", prepared * 1e3, (now - start) / (double)rounds * 1e6, rounds);
}

static int run_value(Evaluation *evaluation, const Value *value, double started) {
  Study *study = evaluation->study;
  Runnable runnable;
  flow_error error = {{0}};
  flow_status status = runnable_make(evaluation->repl, study, value->function, &runnable, &error);
  if (status) {
    diag_print(&study->diagnostics, stderr, evaluation->repl->run->terminal.colour_error);
    return error.text[0] || !study->diagnostics.errors ? failed(evaluation->repl->run, status, &error) : flow_status_exit_code(status);
  }
  double *result = arena_array(&study->arena, runnable.results + 1, sizeof *result), prepared = seconds() - started;
  if (!runnable_run(&runnable, NULL, result)) return failed(evaluation->repl->run, FLOW_NO_MEMORY, NULL);
  if (evaluation->show == SHOW_TIME) show_time(&runnable, result, prepared);
  else show_result(value, &runnable, result);
  return 0;
}

static int evaluate(void *user) {
  Evaluation *evaluation = user;
  Repl *repl = evaluation->repl;
  Study *study = evaluation->study;
  double started = seconds();
  if (setjmp(study->no_memory)) return failed(repl->run, FLOW_NO_MEMORY, &(flow_error){"out of memory"});
  char *program = session_text(&repl->session, NULL, NULL);
  study_program(study, repl->session.path, program ? program : "", "");
  free(program);
  Value value = study_expression(study, evaluation->text);
  if (!value.function) {
    diag_print(&study->diagnostics, stderr, repl->run->terminal.colour_error);
    return flow_status_exit_code(FLOW_BAD_PROGRAM);
  }
  if (evaluation->show != SHOW_TYPE) return run_value(evaluation, &value, started);
  show_type(&value);
  return 0;
}

int repl_evaluate(Repl *repl, const char *expression, EvaluateShow show) {
  Evaluation evaluation = {repl, study_new(), expression, show};
  if (!evaluation.study) return failed(repl->run, FLOW_NO_MEMORY, NULL);
  int code = repl_apart(repl, evaluate, &evaluation);
  study_free(evaluation.study);
  return code;
}
