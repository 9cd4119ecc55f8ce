/* SPDX-License-Identifier: Apache-2.0 */
/* check.c -- flowc check: every error at once; what the program defines; do the weights of each flow fit; and is what it says
 * true, and what should hold of every flow (verify.h)? */
#include "check_report.h"
#include "named_file.h"
#include "show_progress.h"
#include "signature.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Over the flows that are checked: whose layers were filled, and whose file is not there. */
typedef struct Weights {
  uint32_t bound, missing, tensors;
  const char *path; /* of the last that was bound */
} Weights;

/* A program may name a file below its folder alone.  One that is not there yet is no error of the program: one checks
 * before one trains. */
static int find_file(const Run *run, const Program *program, const TypedFlow *flow, bool *there) {
  *there = has(run, OPTION_weights);
  if (*there || !flow || !flow->weights) return 0;
  char *path = NULL;
  flow_error error = {{0}};
  flow_status status = program_file(run, program, NAMED_WEIGHTS, flow, &path, &error);
  free(path);
  *there = status == FLOW_OK;
  if (status && status != FLOW_BAD_FILE) return failed(run, status, &error);
  if (status) warn(&run->terminal, "flow `%s`: %s", flow->name, error.text);
  return 0;
}

static int failed_with(const Run *run, const Program *program, const char *why) {
  flow_error error = {{0}};
  return failed(run, flow_fail(&error, FLOW_BAD_CALL, "%s: %s", program->path, why), &error);
}

/* The weights of the flow for which `program` was compiled. */
static int check_weights(const Run *run, Program *program, Weights *weights) {
  bool there;
  const char *why;
  const TypedFlow *flow = flow_compiled_filled_by(program->compiled, &why);
  if (why && has(run, OPTION_only_types)) return 0;
  if (why && !has(run, OPTION_weights)) return failed_with(run, program, why);
  int code = find_file(run, program, flow, &there);
  if (code || !program_has_weights(program)) return code;
  if (!there) {
    weights->missing++;
    return 0;
  }
  code = program_bind(run, program);
  if (code) return code;
  weights->bound++;
  weights->tensors = flow_compiled_ir(program->compiled, false)->weights;
  weights->path = program->weights_path;
  return 0;
}

/* ---- the flows of the file --------------------------------------------------------------------------------------- */

/* One compilation for each flow, or the one that was asked for; a file without flows is one too. */
typedef struct Flows {
  Program *program;
  Verify **verify;   /* what was computed of each; NULL: nothing */
  Verify *claims;    /* the program's own checks */
  VerifyWeights *weights_of; /* of each flow of the program, for them */
  uint32_t count;
  Weights weights;
  Tally tally;
} Flows;

static int open_flows(const Run *run, Flows *flows) {
  uint32_t all = flow_compiled_program(flows->program->compiled)->flows;
  uint32_t count = has(run, OPTION_flow) || has(run, OPTION_field) || all == 0 ? 1 : all;
  Program *program = calloc(count, sizeof *program);
  flows->verify = calloc(count, sizeof *flows->verify);
  if (program) program[0] = flows->program[0];
  if (!program || !flows->verify) {
    free(program);
    return failed(run, FLOW_NO_MEMORY, &(flow_error){"out of memory"});
  }
  free(flows->program);
  flows->program = program;
  int code = check_weights(run, &program[0], &flows->weights);
  for (uint32_t f = 1; f < count && !code; f++) {
    code = program_open_other(run, &program[0], flow_compiled_program(program[0].compiled)->flow[f].name, &program[f]);
    flows->count = f + 1;
    if (!code) code = check_weights(run, &program[f], &flows->weights);
  }
  return code;
}

static void close_flows(Flows *flows) {
  verify_close(flows->claims);
  for (uint32_t f = 0; f < flows->count; f++) {
    if (flows->verify) verify_close(flows->verify[f]);
    program_close(&flows->program[f]);
  }
  free(flows->program);
  free(flows->verify);
  free(flows->weights_of);
}

/* One file that was asked for fills the layers of all flows; else each has what its own compilation was filled with. */
static bool gather_weights(const Run *run, Flows *flows) {
  const TypedProgram *typed = flow_compiled_program(flows->program[0].compiled);
  flows->weights_of = calloc(typed->flows + 1u, sizeof *flows->weights_of);
  for (uint32_t i = 0; flows->weights_of && i < flows->count; i++) {
    const Program *program = &flows->program[i];
    const TypedFlow *filled_by = flow_compiled_filled_by(program->compiled, NULL);
    if (!program->has_tensors) continue;
    for (uint32_t f = 0; f < typed->flows; f++)
      if (has(run, OPTION_weights) || (filled_by && strcmp(typed->flow[f].name, filled_by->name) == 0))
        flows->weights_of[f] = (VerifyWeights){&program->tensors, program->weights_path};
  }
  return flows->weights_of != NULL;
}

/* ---- what is computed --------------------------------------------------------------------------------------------- */

static int show_step(void *user, uint64_t done, uint64_t total) { return progress_step(user, done, total); }

static flow_status open_verify(const Run *run, const Flows *flows, Program *program, ShowProgress *show, Verify **verify,
                               flow_error *error) {
  const Program *first = flows->program;
  VerifyOptions what = {.allocator = &flow_standard_allocator,
                           .name = first->path,
                           .text = first->text.data ? (const char *)first->text.data : "",
                           .length = first->text.size,
                           .compiled = program->compiled,
                           .how = program_options(run),
                           .tensors = program->has_tensors ? &program->tensors : NULL,
                           .tensors_name = program->weights_path,
                           .weights_of = flows->weights_of,
                           .asked = text_of(run, OPTION_flow),
                           .file_given = has(run, OPTION_weights),
                           .points = count_of(run, OPTION_points, 1000),
                           .seed = count_of(run, OPTION_check_seed, 0),
                           .progress = show_step,
                           .user = show};
  const TypedFlow *flow = flow_compiled_flow(program->compiled);
  if (flow) what.how.flow = flow->name;
  return verify_open(&what, verify, error);
}

static int verify_flows(const Run *run, Flows *flows) {
  ShowProgress show;
  flow_error error = {{0}};
  if (!gather_weights(run, flows)) return failed(run, FLOW_NO_MEMORY, &(flow_error){"out of memory"});
  progress_begin(&show, run);
  flow_status status = open_verify(run, flows, flows->program, &show, &flows->claims, &error);
  if (!status) status = verify_claims(flows->claims, &error);
  if (!status) status = verify_maps(flows->claims, &error);
  for (uint32_t f = 0; f < flows->count && !status; f++) {
    status = open_verify(run, flows, &flows->program[f], &show, &flows->verify[f], &error);
    if (!status) status = verify_field(flows->verify[f], &error);
    if (!status) status = verify_density(flows->verify[f], &error);
    if (!status && has(run, OPTION_integral)) status = verify_integral(flows->verify[f], &error);
  }
  progress_end(&show);
  if (status) return failed(run, status, &error);
  tally_add(&flows->tally, flows->claims);
  for (uint32_t f = 0; f < flows->count; f++) tally_add(&flows->tally, flows->verify[f]);
  return 0;
}

/* ---- what is said --------------------------------------------------------------------------------------------------- */

static void print_verdict(const Flows *flows, size_t warnings) {
  const Weights *weights = &flows->weights;
  const Tally *tally = &flows->tally;
  if (tally->failed) printf("%" PRIu64 " of %" PRIu64 " checks failed", tally->failed, tally->failed + tally->passed);
  else printf("ok");
  if (warnings) printf(", %zu warning%s", warnings, warnings == 1 ? "" : "s");
  if (!tally->failed && tally->passed) printf("; %" PRIu64 " check%s passed", tally->passed, tally->passed == 1 ? "" : "s");
  if (tally->skipped) printf("; %" PRIu64 " skipped", tally->skipped);
  char *here = weights->bound == 1 ? realpath(".", NULL) : NULL;
  const char *from_here = here ? path_behind(weights->path, here) : NULL;
  if (weights->bound == 1) printf("; %u tensors of %s fill the layers", weights->tensors, from_here ? from_here : weights->path);
  free(here);
  if (weights->bound > 1) printf("; the layers of %u flows are filled", weights->bound);
  if (weights->missing) printf("; the weights file is not there, so the layers are not filled");
  printf("\n");
}

/* The flow or field of which the lines are. */
static const char *name_of(const Program *program) {
  const TypedFlow *flow = flow_compiled_flow(program->compiled);
  const TypedFunction *function = flow_compiled_function(program->compiled);
  return flow ? flow->name : function ? function->name : "";
}

static int print_json(const Run *run, const Flows *flows, size_t warnings) {
  const Weights *weights = &flows->weights;
  const char *between = "";
  fputs("{", stdout);
  print_signatures_json(stdout, flow_compiled_program(flows->program->compiled));
  printf(", \"warnings\": %zu, \"weights_bound\": %s, \"checks\": [", warnings,
         weights->bound && !weights->missing ? "true" : "false");
  if (flows->claims) print_checks_json(stdout, NULL, flows->claims, &between);
  for (uint32_t f = 0; f < flows->count; f++)
    if (flows->verify[f]) print_checks_json(stdout, name_of(&flows->program[f]), flows->verify[f], &between);
  puts("]}");
  return finish_output(run);
}

static int print_text(const Run *run, const Flows *flows, size_t warnings) {
  char title[200];
  if (!has(run, OPTION_quiet)) print_signatures(stdout, flow_compiled_program(flows->program->compiled));
  if (flows->claims && (!has(run, OPTION_quiet) || flows->tally.failed))
    print_checks(run, flows->program, "what the program says:", flows->claims);
  for (uint32_t f = 0; f < flows->count; f++) {
    const Program *program = &flows->program[f];
    if (!flows->verify[f] || (has(run, OPTION_quiet) && !flows->tally.failed)) continue;
    snprintf(title, sizeof title, "what should hold of %s `%.100s`:", flow_compiled_flow(program->compiled) ? "flow" : "field",
             name_of(program));
    print_checks(run, program, title, flows->verify[f]);
  }
  print_verdict(flows, warnings);
  return finish_output(run);
}

static int check_flows(const Run *run, Flows *flows) {
  if (has(run, OPTION_points) && count_of(run, OPTION_points, 0) == 0)
    return failed(run, FLOW_BAD_CALL, &(flow_error){"--points wants at least 1"});
  if (has(run, OPTION_emit)) return program_emit(run, flows->program, FLOW_ENTRY_EVAL | FLOW_ENTRY_STEP);
  int code = open_flows(run, flows);
  if (!code && !has(run, OPTION_only_types)) code = verify_flows(run, flows);
  if (code) return code;
  size_t warnings = flow_compiled_diagnostics(flows->program->compiled)->warnings;
  code = has(run, OPTION_json) ? print_json(run, flows, warnings) : print_text(run, flows, warnings);
  return code || !flows->tally.failed ? code : flow_status_exit_code(FLOW_FAILED_SAMPLES);
}

int verb_check(const Run *run) {
  Flows flows = {.program = calloc(1, sizeof(Program)), .count = 1};
  if (!flows.program) return failed(run, FLOW_NO_MEMORY, &(flow_error){"out of memory"});
  int code = program_open(run, run->line->operand[0], flows.program);
  if (!code) code = check_flows(run, &flows);
  close_flows(&flows);
  return code;
}
