/* SPDX-License-Identifier: Apache-2.0 */
#include "program.h"
#include "cpu.h"
#include "tableau.h"
#include <stdlib.h>
#include <string.h>

static const char *const own_loss[] = { /* of a training; others are functions of the program */
#define LOSS(name, text) #name,
#include "losses.def"
#undef LOSS
};

enum { PROGRAM_MOST_BYTES = 16 << 20 }; /* a program is written by hand */
enum { CPU_NATIVE, CPU_V3, CPU_V4 };    /* the words of --cpu */
enum { PRECISION_F32, PRECISION_F64 };  /* of --precision */

/* The prompt's program, as a file's text would be. */
static flow_status copy_text(const char *from, FlowBytes *text, flow_error *error) {
  *text = (FlowBytes){.size = strlen(from)};
  if (text->size) text->data = flow_alloc(&flow_standard_allocator, text->size);
  if (text->size && !text->data) return flow_fail(error, FLOW_NO_MEMORY, "out of memory");
  if (text->size) memcpy(text->data, from, text->size);
  return FLOW_OK;
}

int program_read_text(const Run *run, const char *path, FlowBytes *text) {
  flow_error error = {{0}};
  if (run->program && strcmp(path, run->program->path) == 0) {
    flow_status copied = copy_text(run->program->text, text, &error);
    return copied ? failed(run, copied, &error) : 0;
  }
  const char *file = strcmp(path, "-") == 0 ? "/dev/stdin" : path;
  flow_status status = flow_read_file(&flow_standard_allocator, file, PROGRAM_MOST_BYTES, text, &error);
  return status ? failed(run, status, &error) : 0;
}

/* A flow that is given by a map needs no solver, unless one is asked for. */
bool program_wants_a_solver(const Run *run) {
  static const OptionId of_solvers[] = {OPTION_solver, OPTION_steps, OPTION_grid, OPTION_rtol, OPTION_atol};
  if (run->line->verb != VERB_sample && run->line->verb != VERB_logp && run->line->verb != VERB_bench &&
      run->line->verb != VERB_trajectory) return true;
  for (size_t i = 0; i < sizeof of_solvers / sizeof *of_solvers; i++)
    if (option_is_of(of_solvers[i], run->line->verb) && has(run, of_solvers[i])) return true;
  return false;
}

int program_own_loss(const char *name) {
  int loss = sizeof own_loss / sizeof *own_loss;
  while (loss-- > 0)
    if (strcmp(name, own_loss[loss]) == 0) break;
  return loss;
}

FlowCompileOptions program_options(const Run *run) {
  FlowCompileOptions how = flow_compile_defaults();
  how.precision = run->line->value[OPTION_precision].choice == PRECISION_F64 ? FLOW_F64 : FLOW_F32;
  int cpu = run->line->value[OPTION_cpu].choice;
  how.cpu = cpu == CPU_V3 ? FLOW_CPU_V3 : cpu == CPU_V4 ? FLOW_CPU_V4 : 0;
  how.flow = text_of(run, OPTION_flow);
  how.field = text_of(run, OPTION_field);
  how.solver = flow_tableau_names();
  how.need_flow = run->line->verb == VERB_sample || run->line->verb == VERB_logp || run->line->verb == VERB_train;
  const char *loss = text_of(run, OPTION_loss);
  how.loss = loss && program_own_loss(loss) < 0 ? loss : NULL;
  how.as_velocity = program_wants_a_solver(run);
  if (run->program) how.folders = run->program->folders;
  how.first_flow = run->line->verb == VERB_check && !has(run, OPTION_emit);
  return how;
}

/* What has been reported since there were `before` entries. */
static void show_diagnostics(const Run *run, const Program *program, size_t before) {
  Diagnostics news = *flow_compiled_diagnostics(program->compiled);
  if (news.count == before) return;
  size_t unlisted = news.errors + news.warnings - news.count;
  news.list += before;
  news.count -= before;
  news.errors = 0;
  news.warnings = news.count + unlisted;            /* the printer tells their sum, "and 3 more" */
  char *json = has(run, OPTION_json) ? diag_json(&news) : NULL;
  if (json)
    fprintf(stderr, "%s\n", json);
  else
    diag_print(&news, stderr, run->terminal.colour_error);
}

/* The weights and the machine are asked first, so that a wrong --cpu is known before a long compilation. */
static int check_cpu(const Run *run) {
  uint32_t here = flow_cpu_level();
  int asked = run->line->value[OPTION_cpu].choice;
  if (here == 0) {
    complain(&run->terminal, "this processor lacks AVX2 and FMA (x86-64-v3), which compiled models need");
    return flow_status_exit_code(FLOW_BAD_CALL);
  }
  if (asked == CPU_V4 && here < FLOW_CPU_V4) {
    complain(&run->terminal, "--cpu v4: this processor is x86-64-v%u", here);
    return flow_status_exit_code(FLOW_BAD_CALL);
  }
  return 0;
}

int program_open(const Run *run, const char *path, Program *program) {
  *program = (Program){.path = path};
  int code = program_read_text(run, path, &program->text);
  if (code) return code;
  FlowCompileOptions how = program_options(run);
  flow_error error = {{0}};
  const char *shown = strcmp(path, "-") == 0 ? "<input>" : path;
  const char *text = program->text.data ? (const char *)program->text.data : "";
  flow_status status =
      flow_compile(&flow_standard_allocator, shown, text, program->text.size, &how, &program->compiled, &error);
  bool told = false;
  if (program->compiled) {
    show_diagnostics(run, program, 0);
    told = flow_compiled_diagnostics(program->compiled)->errors > 0;
  }
  if (!status) return 0;
  return told && !error.text[0] ? flow_status_exit_code(status) : failed(run, status, &error);
}

int program_open_other(const Run *run, const Program *first, const char *flow, Program *program) {
  *program = (Program){.path = first->path};
  FlowCompileOptions how = program_options(run);
  how.flow = flow;
  flow_error error = {{0}};
  const char *text = first->text.data ? (const char *)first->text.data : "";
  flow_status status =
      flow_compile(&flow_standard_allocator, first->path, text, first->text.size, &how, &program->compiled, &error);
  return status ? failed(run, status, &error) : 0;
}

/* Errors of a second compilation: those of warnings before them have been told. */
static int failed_again(const Run *run, const Program *program, flow_status status, const flow_error *error) {
  const Diagnostics *said = program->compiled ? flow_compiled_diagnostics(program->compiled) : NULL;
  if (!said || said->errors == 0) return failed(run, status, error);
  show_diagnostics(run, program, said->count > said->errors ? said->count - said->errors : 0);
  return flow_status_exit_code(status);
}

int program_again(const Run *run, Program *program, const FlowCompileOptions *how) {
  if (program->blob.data) flow_blob_free(&program->blob);
  flow_compiled_free(program->compiled);
  program->compiled = NULL;
  program->model = NULL;
  flow_error error = {{0}};
  const char *text = program->text.data ? (const char *)program->text.data : "";
  flow_status status =
      flow_compile(&flow_standard_allocator, program->path, text, program->text.size, how, &program->compiled, &error);
  if (status) return failed_again(run, program, status, &error);
  const TypedFunction *velocity = flow_compiled_function(program->compiled);
  program->own_conditions = velocity ? flow_compiled_ir(program->compiled, true)->inputs - velocity->parameters : 0;
  return 0;
}

int program_with_extras(const Run *run, Program *program, FlowExtras extras, uint32_t probes) {
  FlowCompileOptions how = program_options(run);
  how.extras = extras;
  how.probes = probes;
  return program_again(run, program, &how);
}

bool program_has_weights(const Program *program) {
  const IrFunction *ir = flow_compiled_ir(program->compiled, false);
  return ir && ir->weights > 0;
}

flow_status program_file(const Run *run, const Program *program, NamedFile kind, const TypedFlow *flow, char **resolved, flow_error *error) {
  bool memory = run->program && strcmp(program->path, run->program->path) == 0;
  const Naming by = {run, memory ? run->program : NULL, program->path, flow_compiled_diagnostics(program->compiled)->sources};
  return named_file(&by, kind, flow, resolved, error);
}

/* Where the verb has said, else from --weights, else where the flow says. */
static flow_status find_weights(const Run *run, Program *program, flow_error *error) {
  if (program->weights_path) return FLOW_OK;
  const char *given = text_of(run, OPTION_weights);
  if (given) {
    program->weights_path = strdup(given);
    return program->weights_path ? FLOW_OK : flow_fail(error, FLOW_NO_MEMORY, "out of memory");
  }
  const char *why;
  const TypedFlow *flow = flow_compiled_filled_by(program->compiled, &why);
  if (why) return flow_fail(error, FLOW_BAD_CALL, "%s: %s", program->path, why);
  if (!flow || !flow->weights)
    return flow_fail(error, FLOW_BAD_CALL, "%s: the network has layers, but no weights are named; say --weights FILE%s",
                     program->path, flow ? ", or `weights \"FILE\"` in the flow" : "");
  return program_file(run, program, NAMED_WEIGHTS, flow, &program->weights_path, error);
}

static flow_status read_weights(const Run *run, Program *program, flow_error *error) {
  flow_status status = find_weights(run, program, error);
  if (!status) status = flow_tensors_read(&flow_standard_allocator, program->weights_path, &program->tensors, error);
  program->has_tensors = status == FLOW_OK;
  return status;
}

int program_bind(const Run *run, Program *program) {
  if (!program_has_weights(program)) {
    if (has(run, OPTION_weights)) warn(&run->terminal, "%s has no layers: --weights is not used", program->path);
    return 0;
  }
  flow_error error = {{0}};
  flow_status status = program->has_tensors ? FLOW_OK : read_weights(run, program, &error);
  if (status) return failed(run, status, &error);
  size_t before = flow_compiled_diagnostics(program->compiled)->count;
  status = flow_compiled_bind(program->compiled, &program->tensors, &error);
  show_diagnostics(run, program, before);
  if (!status) return 0;
  return error.text[0] ? failed(run, status, &error) : flow_status_exit_code(status);
}

int program_link(const Run *run, Program *program, unsigned entries) {
  flow_error error = {{0}};
  int code = check_cpu(run);
  if (code) return code;
  flow_status status = flow_compiled_link(program->compiled, entries, &error);
  if (status) return failed(run, status, &error);
  program->model = flow_compiled_model(program->compiled);
  status = flow_model_check(program->model, &error);
  if (!status) status = flow_model_level(program->model, 0, &program->level, &error);
  if (!status)
    status = flow_model_pack(&flow_standard_allocator, program->model, program->has_tensors ? &program->tensors : NULL,
                             program->weights_path, &program->blob, &error);
  return status ? failed(run, status, &error) : 0;
}

int program_emit(const Run *run, Program *program, unsigned entries) {
  char stage[16];
  flow_error error = {{0}};
  int length, choice = run->line->value[OPTION_emit].choice;
  const char *word = choice_word(options[OPTION_emit].argument, choice, &length);
  snprintf(stage, sizeof stage, "%.*s", length, word);
  bool needs_weights = strcmp(stage, "ast") != 0 && strcmp(stage, "ir") != 0 && strcmp(stage, "frozen") != 0;
  int code = needs_weights ? program_bind(run, program) : 0;
  if (code) return code;
  flow_status status = flow_compiled_emit(program->compiled, stage, entries, stdout, &error);
  return status ? failed(run, status, &error) : finish_output(run);
}

void program_close(Program *program) {
  if (program->blob.data) flow_blob_free(&program->blob);
  flow_compiled_free(program->compiled);
  if (program->has_tensors) flow_tensors_free(&program->tensors);
  free(program->weights_path);
  flow_bytes_free(&flow_standard_allocator, &program->text);
  *program = (Program){0};
}
