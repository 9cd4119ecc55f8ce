/* SPDX-License-Identifier: Apache-2.0 */
/* check.c -- flowc check: every error at once; what the program defines; do the weights fit. */
#include "program.h"
#include "signature.h"
#include <stdlib.h>

/* Weights that are not there yet are no error of the program: one checks before one trains. */
static bool weights_at_hand(const Run *run, const Program *program) {
  if (!program_has_weights(program)) return false;
  if (has(run, OPTION_weights)) return true;
  const TypedFlow *flow = flow_compiled_flow(program->compiled);
  if (!flow || !flow->weights) return false;
  char *path = NULL;
  flow_error error;
  flow_status status = weights_path(program->path, flow->weights, &path, &error);
  free(path);
  return status != FLOW_BAD_FILE; /* a path against the rules is to be told by program_bind */
}

static int check_program(const Run *run, Program *program) {
  if (has(run, OPTION_emit)) return program_emit(run, program, FLOW_ENTRY_EVAL | FLOW_ENTRY_STEP);
  bool bound = weights_at_hand(run, program);
  int code = bound ? program_bind(run, program) : 0;
  if (code) return code;
  const TypedProgram *typed = flow_compiled_program(program->compiled);
  size_t warnings = flow_compiled_diagnostics(program->compiled)->warnings;
  if (has(run, OPTION_json)) {
    fputs("{", stdout);
    print_signatures_json(stdout, typed);
    printf(", \"warnings\": %zu, \"weights_bound\": %s}\n", warnings, bound ? "true" : "false");
    return finish_output(run);
  }
  if (!has(run, OPTION_quiet)) print_signatures(stdout, typed);
  printf("ok");
  if (warnings) printf(", %zu warning%s", warnings, warnings == 1 ? "" : "s");
  if (bound)
    printf("; %u tensors of %s fill the layers", flow_compiled_ir(program->compiled, false)->weights,
           program->weights_path);
  else if (program_has_weights(program))
    printf("; the weights file is not there, so the layers are not filled");
  printf("\n");
  return finish_output(run);
}

int verb_check(const Run *run) {
  Program program;
  int code = program_open(run, run->line->operand[0], &program);
  if (!code) code = check_program(run, &program);
  program_close(&program);
  return code;
}
