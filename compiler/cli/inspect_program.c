/* SPDX-License-Identifier: Apache-2.0 */
/* inspect_program.c -- a .flow: what it defines, which tensor fills which layer, what an evaluation costs. */
#include "inspect.h"
#include "program.h"
#include "signature.h"
#include <inttypes.h>
#include <string.h>

static const char *const section_text[] = {
    [FLOW_COST_DERIVE] = "once for the weights", [FLOW_COST_TIMES] = "once for each stage time",
    [FLOW_COST_CONDITIONS] = "once for each sample", [FLOW_COST_SAMPLE] = "in every evaluation"};

/* In order of evaluation: the tensor that a layer reads, its shape, and the label of its network. */
static void print_binding(const IrFunction *ir) {
  printf("\ntensors, in the order in which the layers are evaluated\n");
  for (uint32_t w = 0; w < ir->weights; w++) {
    const IrWeight *weight = &ir->weight[w];
    printf("  %3u  ", w);
    print_foreign(stdout, weight->name ? weight->name : weight->part ? weight->part : "?");
    fputc(' ', stdout);
    print_shape(stdout, &weight->shape);
    fputc('\n', stdout);
  }
}

static void print_cost(const FlowCompileCost *cost, const IrFunction *ir) {
  printf("\ncost of the velocity: %" PRIu64 " operations on tensors", cost->nodes);
  uint64_t numbers = 0;
  for (uint32_t w = 0; w < ir->weights; w++) numbers += (uint64_t)shape_count(&ir->weight[w].shape);
  if (numbers) printf(", %" PRIu64 " weights", numbers);
  printf("\n");
  for (int section = FLOW_COST_DERIVE; section <= FLOW_COST_SAMPLE; section++)
    if (section != FLOW_COST_DERIVE || cost->multiply_adds[section])
      printf("  %12" PRIu64 "  multiply-adds of products %s\n", cost->multiply_adds[section], section_text[section]);
}

static void print_smoothness(const Program *program) {
  static const char *const means[] = {
      [IR_SMOOTH] = "all methods keep their order",
      [IR_C1] = "as with elu, it is not for dop853",
      [IR_C0] = "as with relu, selu, abs and max, it is not for dop853, and log p to a tight tolerance takes many steps",
      [IR_JUMPS] = "no tight tolerance can be kept"};
  IrSmoothness smoothness;
  if (flow_compiled_smoothness(program->compiled, &smoothness, NULL)) return;
  printf("\nas a function of the state the velocity %s: %s\n", ir_smoothness_words(smoothness), means[smoothness]);
}

/* ---- a program without a velocity ------------------------------------------------------------------------------------ */

/* What stands before the `=`, or a check as a whole: the first line of it. */
static void head_of(const Program *program, const Ast *ast, char *head, size_t room) {
  const Source *source = source_of(flow_compiled_diagnostics(program->compiled)->sources, ast->at);
  const char *text = source->text + (ast->at.from - source->base);
  size_t length = (ast->body && ast->kind != AST_CHECK ? ast->body->at.from : ast->at.to) - ast->at.from, line = strcspn(text, "\r\n");
  if (length > line) length = line;
  while (length && strchr(" \t=", text[length - 1])) length--;
  snprintf(head, room, "%.*s", (int)length, text);
}

static void print_definitions(const Program *program, bool json) {
  const AstList *all = &flow_compiled_program(program->compiled)->file->definitions;
  char head[400];
  for (size_t i = 0; i < all->count; i++) {
    head_of(program, all->at[i], head, sizeof head);
    if (json) {
      fputs(i ? ", " : "", stdout);
      print_json_text(stdout, head);
    } else {
      print_foreign(stdout, head);
      fputc('\n', stdout);
    }
  }
  if (!json && all->count == 0) puts("nothing is defined here");
  else if (!json) puts("\nno field or network takes (t, x: [n], ...) with a known n: there is no velocity to look at");
}

/* ---- as JSON --------------------------------------------------------------------------------------------------------- */

static void print_tensors_json(const IrFunction *ir) {
  fputs("\"tensors\": [", stdout);
  for (uint32_t w = 0; ir && w < ir->weights; w++) {
    fputs(w ? ", {\"name\": " : "{\"name\": ", stdout);
    if (ir->weight[w].name)
      print_json_text(stdout, ir->weight[w].name);
    else
      fputs("null", stdout);
    fputs(", \"shape\": [", stdout);
    for (uint32_t r = 0; r < ir->weight[w].shape.rank; r++)
      printf("%s%" PRId64, r ? ", " : "", ir->weight[w].shape.dim[r]);
    fputs("]}", stdout);
  }
  fputs("], ", stdout);
}

static void print_program_json(const Program *program) {
  FlowCompileCost cost = flow_compiled_cost(program->compiled);
  fputs("{\"file\": ", stdout);
  print_json_text(stdout, program->path);
  fputs(", \"definitions\": [", stdout);
  print_definitions(program, true);
  fputs("], ", stdout);
  print_signatures_json(stdout, flow_compiled_program(program->compiled));
  fputs(", ", stdout);
  print_tensors_json(flow_compiled_ir(program->compiled, false));
  IrSmoothness smoothness;
  if (!flow_compiled_smoothness(program->compiled, &smoothness, NULL)) printf("\"smoothness\": \"%s\", ", ir_smoothness_text(smoothness));
  printf("\"nodes\": %" PRIu64 ", \"multiply_adds\": {\"times\": %" PRIu64 ", \"conditions\": %" PRIu64
         ", \"sample\": %" PRIu64 "}}\n",
         cost.nodes, cost.multiply_adds[FLOW_COST_TIMES], cost.multiply_adds[FLOW_COST_CONDITIONS], cost.multiply_adds[FLOW_COST_SAMPLE]);
}

static int show(const Run *run, Program *program) {
  const TypedFlow *flow = flow_compiled_filled_by(program->compiled, NULL);
  bool bind = program_has_weights(program) && (has(run, OPTION_weights) || (flow && flow->weights));
  int code = bind ? program_bind(run, program) : 0;
  if (code) return code;
  flow_error error = {{0}};
  flow_status status = flow_compiled_measure(program->compiled, &error);
  if (status) return failed(run, status, &error);
  if (has(run, OPTION_json)) {
    print_program_json(program);
    return finish_output(run);
  }
  FlowCompileCost cost = flow_compiled_cost(program->compiled);
  const IrFunction *ir = flow_compiled_ir(program->compiled, false);
  if (!ir) {
    print_definitions(program, false);
    return finish_output(run);
  }
  print_signatures(stdout, flow_compiled_program(program->compiled));
  if (ir->weights) print_binding(ir);
  print_cost(&cost, ir);
  print_smoothness(program);
  return finish_output(run);
}

int inspect_program(const Run *run, const char *path) {
  if (has(run, OPTION_skeleton) || has(run, OPTION_plot)) {
    complain(&run->terminal, "--%s is for files of arrays, and %s is a program",
             has(run, OPTION_plot) ? "plot" : "skeleton", path);
    return flow_status_exit_code(FLOW_BAD_CALL);
  }
  Program program;
  int code = program_open(run, path, &program);
  if (!code) code = show(run, &program);
  program_close(&program);
  return code;
}
