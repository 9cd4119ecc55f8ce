/* SPDX-License-Identifier: Apache-2.0 */
#include "signature.h"
#include <inttypes.h>
#include <string.h>

void print_shape(FILE *to, const Shape *shape) {
  if (shape->rank == 0) return;
  fputc('[', to);
  for (uint32_t r = 0; r < shape->rank; r++) fprintf(to, "%s%" PRId64, r ? ", " : "", shape->dim[r]);
  fputc(']', to);
}

static const char *word_of(const TypedFunction *function) {
  if (!function->definition) return "field";
  switch (function->definition->kind) {
  case AST_NETWORK:
    return "network";
  case AST_FN:
    return "fn";
  default:
    return "field";
  }
}

static void print_function(FILE *to, const TypedFunction *function) {
  fprintf(to, "%s %s(", word_of(function), function->name);
  for (uint32_t p = 0; p < function->parameters; p++) {
    fprintf(to, "%s%s%s", p ? ", " : "", function->parameter_name[p], function->parameter[p].rank ? ": " : "");
    print_shape(to, &function->parameter[p]);
  }
  fputs(") -> ", to);
  print_shape(to, &function->result->shape);
}

static void print_source(FILE *to, const TypedFlow *flow) {
  if (flow->source == SOURCE_NORMAL)
    fprintf(to, "normal(%" PRId64 ")", flow->dim);
  else if (flow->source == SOURCE_UNIFORM)
    fprintf(to, "uniform in %" PRId64 " dimensions", flow->dim);
  else if (flow->source == SOURCE_GAUSSIAN)
    fprintf(to, "normal in %" PRId64 " dimensions with a covariance", flow->dim);
  else if (flow->source == SOURCE_DENSITY)
    fprintf(to, "density %s", flow->density->name);
  else
    fprintf(to, "the rows of %s", flow->source_path);
}

/* "velocity of psi", which stands for a map and no line of the file: no name that can be written has a blank. */
static bool is_of_map(const TypedFunction *function) { return strchr(function->name, ' ') != NULL; }

static void print_flow(FILE *to, const TypedFlow *flow) {
  fprintf(to, "flow %s: ", flow->name);
  print_source(to, flow);
  fprintf(to, is_of_map(flow->velocity) ? ", %s" : ", velocity %s", flow->velocity->name);
  if (flow->solver) fprintf(to, ", %s %" PRId64 " steps", flow->solver, flow->steps);
  fprintf(to, ", time %g -> %g", flow->time_from, flow->time_to);
  if (flow->weights) fprintf(to, ", weights %s", flow->weights);
  if (flow->weights && flow->prefix && flow->prefix[0]) fprintf(to, " prefix %s", flow->prefix);
}

/* Is the velocity of a flow already among the program's fields?  One that is made of a network's predictions has the
 * network's name and shapes. */
static bool is_listed(const TypedProgram *program, const TypedFunction *function) {
  for (uint32_t f = 0; f < program->fields; f++)
    if (program->field[f] == function || strcmp(program->field[f]->name, function->name) == 0) return true;
  return is_of_map(function);
}

static bool velocity_is_new(const TypedProgram *program, uint32_t flow) {
  for (uint32_t f = 0; f < flow; f++)
    if (program->flow[f].velocity == program->flow[flow].velocity) return false;
  return !is_listed(program, program->flow[flow].velocity);
}

void print_signatures(FILE *to, const TypedProgram *program) {
  for (uint32_t f = 0; f < program->fields; f++) {
    print_function(to, program->field[f]);
    fputc('\n', to);
  }
  for (uint32_t f = 0; f < program->flows; f++) {
    if (!velocity_is_new(program, f)) continue;
    print_function(to, program->flow[f].velocity);
    fputc('\n', to);
  }
  for (uint32_t f = 0; f < program->flows; f++) {
    print_flow(to, &program->flow[f]);
    fputc('\n', to);
  }
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

static void print_shape_json(FILE *to, const Shape *shape) {
  fputc('[', to);
  for (uint32_t r = 0; r < shape->rank; r++) fprintf(to, "%s%" PRId64, r ? ", " : "", shape->dim[r]);
  fputc(']', to);
}

static void print_function_json(FILE *to, const TypedFunction *function) {
  fprintf(to, "{\"kind\": \"%s\", \"name\": ", word_of(function));
  print_json_text(to, function->name);
  fputs(", \"parameters\": [", to);
  for (uint32_t p = 0; p < function->parameters; p++) {
    fputs(p ? ", {\"name\": " : "{\"name\": ", to);
    print_json_text(to, function->parameter_name[p]);
    fputs(", \"shape\": ", to);
    print_shape_json(to, &function->parameter[p]);
    fputc('}', to);
  }
  fputs("], \"result\": ", to);
  print_shape_json(to, &function->result->shape);
  fputc('}', to);
}

static void print_flow_json(FILE *to, const TypedFlow *flow) {
  static const char *const source[] = {
      [SOURCE_NORMAL] = "normal", [SOURCE_UNIFORM] = "uniform", [SOURCE_FILE] = "file",
      [SOURCE_GAUSSIAN] = "gaussian", [SOURCE_DENSITY] = "density"};
  fputs("{\"name\": ", to);
  print_json_text(to, flow->name);
  fprintf(to, ", \"source\": \"%s\", \"dim\": %" PRId64 ", \"velocity\": ", source[flow->source], flow->dim);
  print_json_text(to, flow->velocity->name);
  fputs(", \"solver\": ", to);
  if (flow->solver)
    print_json_text(to, flow->solver);
  else
    fputs("null", to);
  fprintf(to, ", \"steps\": %" PRId64 ", \"time\": [%.17g, %.17g], \"weights\": ", flow->steps, flow->time_from,
          flow->time_to);
  if (flow->weights)
    print_json_text(to, flow->weights);
  else
    fputs("null", to);
  fputc('}', to);
}

void print_signatures_json(FILE *to, const TypedProgram *program) {
  const char *between = "";
  fputs("\"functions\": [", to);
  for (uint32_t f = 0; f < program->fields; f++, between = ", ") {
    fputs(between, to);
    print_function_json(to, program->field[f]);
  }
  for (uint32_t f = 0; f < program->flows; f++) {
    if (!velocity_is_new(program, f)) continue;
    fputs(between, to);
    print_function_json(to, program->flow[f].velocity);
    between = ", ";
  }
  fputs("], \"flows\": [", to);
  for (uint32_t f = 0; f < program->flows; f++) {
    fputs(f ? ", " : "", to);
    print_flow_json(to, &program->flow[f]);
  }
  fputc(']', to);
}
