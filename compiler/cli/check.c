/* SPDX-License-Identifier: Apache-2.0 */
/* check.c -- flowc check: every error at once; what the program defines; do the weights of each flow fit. */
#include "program.h"
#include "signature.h"
#include <stdlib.h>

/* Over the flows that are checked: whose layers were filled, and whose file is not there. */
typedef struct Weights {
  uint32_t bound, missing, tensors;
  char *path; /* of the last that was bound */
} Weights;

/* A program may name a file below its folder alone.  One that is not there yet is no error of the program: one checks
 * before one trains. */
static int find_file(const Run *run, const char *program, const TypedFlow *flow, bool *there) {
  *there = has(run, OPTION_weights);
  if (*there || !flow || !flow->weights) return 0;
  char *path = NULL;
  flow_error error = {{0}};
  flow_status status = weights_path(program, flow->weights, &path, &error);
  free(path);
  *there = status == FLOW_OK;
  if (status && status != FLOW_BAD_FILE) return failed(run, status, &error);
  if (status) warn(&run->terminal, "flow `%s`: %s", flow->name, error.text);
  return 0;
}

/* The weights of the flow for which `program` was compiled. */
static int check_weights(const Run *run, Program *program, Weights *weights) {
  bool there;
  int code = find_file(run, program->path, flow_compiled_flow(program->compiled), &there);
  if (code || !program_has_weights(program)) return code;
  if (!there) {
    weights->missing++;
    return 0;
  }
  code = program_bind(run, program);
  if (code) return code;
  weights->bound++;
  weights->tensors = flow_compiled_ir(program->compiled, false)->weights;
  free(weights->path);
  weights->path = program->weights_path;
  program->weights_path = NULL;
  return 0;
}

/* The program stands for its first flow, or for the one that was asked for. */
static int check_flows(const Run *run, Program *program, Weights *weights) {
  const TypedProgram *typed = flow_compiled_program(program->compiled);
  int code = check_weights(run, program, weights);
  for (uint32_t f = 1; f < typed->flows && !has(run, OPTION_flow) && !code; f++) {
    Program other;
    code = program_open_other(run, program, typed->flow[f].name, &other);
    if (!code) code = check_weights(run, &other, weights);
    program_close(&other);
  }
  return code;
}

static void print_verdict(const Weights *weights, size_t warnings) {
  printf("ok");
  if (warnings) printf(", %zu warning%s", warnings, warnings == 1 ? "" : "s");
  if (weights->bound == 1) printf("; %u tensors of %s fill the layers", weights->tensors, weights->path);
  if (weights->bound > 1) printf("; the layers of %u flows are filled", weights->bound);
  if (weights->missing) printf("; the weights file is not there, so the layers are not filled");
  printf("\n");
}

/* Silence would look like a claim that held. */
static void warn_of_claims(const Run *run, const TypedProgram *typed) {
  if (typed->checks)
    warn(&run->terminal, "%u claim%s of `check`s: names and shapes are right, but this version of flowc does not evaluate them",
         typed->checks, typed->checks == 1 ? "" : "s");
}

static int check_program(const Run *run, Program *program, Weights *weights) {
  if (has(run, OPTION_emit)) return program_emit(run, program, FLOW_ENTRY_EVAL | FLOW_ENTRY_STEP);
  int code = check_flows(run, program, weights);
  if (code) return code;
  const TypedProgram *typed = flow_compiled_program(program->compiled);
  warn_of_claims(run, typed);
  size_t warnings = flow_compiled_diagnostics(program->compiled)->warnings;
  if (has(run, OPTION_json)) {
    fputs("{", stdout);
    print_signatures_json(stdout, typed);
    printf(", \"warnings\": %zu, \"weights_bound\": %s}\n", warnings, weights->bound && !weights->missing ? "true" : "false");
    return finish_output(run);
  }
  if (!has(run, OPTION_quiet)) print_signatures(stdout, typed);
  print_verdict(weights, warnings);
  return finish_output(run);
}

int verb_check(const Run *run) {
  Program program;
  Weights weights = {0};
  int code = program_open(run, run->line->operand[0], &program);
  if (!code) code = check_program(run, &program, &weights);
  program_close(&program);
  free(weights.path);
  return code;
}
