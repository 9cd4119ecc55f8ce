/* SPDX-License-Identifier: Apache-2.0 */
#include "plot_target.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLOTTED "plotted_here"

/* ---- by name ------------------------------------------------------------------------------------------------------------------ */

static const Ast *definition_of(const Study *study, const char *name, bool flow) {
  const AstList *all = &study->program->file->definitions;
  for (size_t i = 0; i < all->count; i++) {
    const Ast *ast = all->at[i];
    if (ast && ast->kind != AST_CHECK && ast->name && strcmp(ast->name, name) == 0 && (ast->kind == AST_FLOW) == flow) return ast;
  }
  return NULL;
}

static const TypedFunction *field_called(const TypedProgram *program, const char *name) {
  for (uint32_t i = 0; i < program->fields; i++)
    if (strcmp(program->field[i]->name, name) == 0) return program->field[i];
  for (uint32_t i = 0; i < program->flows; i++)
    if (strcmp(program->flow[i].velocity->name, name) == 0) return program->flow[i].velocity;
  return NULL;
}

/* How many numbers the state of a definition has, where it says so: else 2, which is what a plane needs. */
static int64_t declared_size(const Study *study, const Ast *parameter) {
  const Ast *size = parameter->sizes.count == 1 ? parameter->sizes.at[0] : NULL;
  if (!size) return parameter->sizes.count == 0 ? 0 : -1;
  if (size->kind == AST_NUMBER) return (int64_t)size->number;
  const Ast *dim = size->kind == AST_NAME ? definition_of(study, size->name, false) : NULL;
  return dim && dim->kind == AST_DIM && dim->body && dim->body->kind == AST_NUMBER ? (int64_t)dim->body->number : 2;
}

/* ---- the definition that is written ------------------------------------------------------------------------------------------ */

static bool mentions(const char *text, const char *name) {
  size_t length = strlen(name);
  const char *letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789.";
  for (const char *at = text; (at = strstr(at, name)); at += length)
    if ((at == text || !strchr(letters, at[-1])) && (!at[length] || !strchr(letters, at[length])) && at[length] != '(') return true;
  return false;
}

/* A number of x, or of x and y. */
static char *of_expression(const char *expression, Target *target) {
  char *text = NULL;
  bool plane = mentions(expression, "y");
  target->kind = plane ? TARGET_HEAT : TARGET_CURVE;
  int length = plane ? asprintf(&text, "field " PLOTTED "(t, at: [2]) =\n  let x = at[0]\n  let y = at[1]\n  [%s, 0*x*y]", expression)
                     : asprintf(&text, "field " PLOTTED "(t, at: [1]) =\n  let x = at[0]\n  [%s + 0*x]", expression);
  return length < 0 ? NULL : text;
}

static char *of_scalar_function(const Ast *ast, int64_t size, bool time, Target *target) {
  char *text = NULL;
  const char *t = time ? "t, " : "";
  target->kind = size == 2 ? TARGET_HEAT : TARGET_CURVE;
  int length = size == 2   ? asprintf(&text, "field " PLOTTED "(t, x: [2]) = [%s(%sx), 0]", ast->name, t)
               : size == 1 ? asprintf(&text, "field " PLOTTED "(t, x: [1]) = [%s(%sx)]", ast->name, t)
                           : asprintf(&text, "field " PLOTTED "(t, x: [1]) = [%s(%sx[0])]", ast->name, t);
  return length < 0 ? NULL : text;
}

static char *of_map(const Ast *ast, int64_t size, Target *target) {
  char *text = NULL;
  target->kind = size == 2 ? TARGET_QUIVER : TARGET_CURVE;
  return asprintf(&text, "field " PLOTTED "(t, x: [%lld]) = %s(t, x) - x", (long long)size, ast->name) < 0 ? NULL : text;
}

static flow_status refuse(const Ast *ast, int64_t size, flow_error *error) {
  return flow_fail(error, FLOW_BAD_CALL, "`%s` has a state of %lld numbers, and a drawing has room for one or two; a flow of it can be drawn by its samples",
                   ast->name, (long long)size);
}

static bool is_name(const char *text) {
  return *text && !strpbrk(text, " ()[]+-*/^.,;|<>=@\"") && !(*text >= '0' && *text <= '9');
}

/* *text stays NULL where the definition itself is drawn. */
static flow_status write_definition(const Study *study, const char *name, Target *target, char **text, flow_error *error) {
  const Ast *ast = definition_of(study, name, false);
  if (!ast && is_name(name) && strcmp(name, "x") != 0 && strcmp(name, "y") != 0 && strcmp(name, "t") != 0)
    return flow_fail(error, FLOW_BAD_CALL, "nothing here is called `%s`", name);
  if (!ast) {
    *text = of_expression(name, target);
    return *text ? FLOW_OK : FLOW_NO_MEMORY;
  }
  size_t count = ast->items.count;
  bool time = count > 1 && ast->items.at[0] && ast->items.at[0]->sizes.count == 0;
  const Ast *state = count && ast->kind != AST_LET && ast->kind != AST_DIM ? ast->items.at[time ? 1 : 0] : NULL;
  if (!state) return flow_fail(error, FLOW_BAD_CALL, "`%s` is no field, density, map or function: there is nothing to draw", name);
  int64_t size = declared_size(study, state);
  target->is_density = ast->kind == AST_DENSITY;
  bool scalar = ast->kind == AST_DENSITY || ast->kind == AST_FN;
  if (scalar && size >= 0 && size <= 2 && count <= 1u + time) *text = of_scalar_function(ast, size, time, target);
  else if (ast->kind == AST_MAP && (size == 1 || size == 2) && count == 2) *text = of_map(ast, size, target);
  else if (scalar || ast->kind == AST_MAP) return refuse(ast, size, error);
  else return FLOW_OK;
  return *text ? FLOW_OK : FLOW_NO_MEMORY;
}

/* ---- all ---------------------------------------------------------------------------------------------------------------------- */

static flow_status take_field(const TypedFunction *field, Target *target, flow_error *error) {
  const Shape *state = &field->parameter[1];
  target->field = field;
  if (state->rank == 1 && state->dim[0] == 2) {
    if (target->kind != TARGET_HEAT) target->kind = TARGET_QUIVER;
    return FLOW_OK;
  }
  target->kind = TARGET_CURVE;
  if (state->rank == 1 && state->dim[0] == 1) return FLOW_OK;
  int64_t size = 1;
  for (uint32_t k = 0; k < state->rank; k++) size *= state->dim[k];
  return refuse(field->definition, size, error);
}

/* Begins again with the definition that was written (a source map has room for both); what is wrong with an expression is shown
 * in it. */
static flow_status study_written(Study *study, const char *path, const char *text, const char *written, Target *target, flow_error *error) {
  study_program(study, path, text, written);
  if (study->diagnostics.errors || !study->program) return FLOW_BAD_PROGRAM;
  target->field = field_called(study->program, PLOTTED);
  return target->field ? FLOW_OK : flow_fail(error, FLOW_INTERNAL, "what was to be drawn has no shape");
}

flow_status plot_target(Study *study, const char *path, const char *text, const char *name, Target *target, flow_error *error) {
  *target = (Target){.kind = TARGET_QUIVER};
  study_program(study, path, text, "");
  const TypedProgram *program = study->program;
  if (!program || study->diagnostics.errors) return FLOW_BAD_PROGRAM;
  if (!name && program->flows > 0) name = program->flow[0].name;
  if (!name && program->fields == 1) name = program->field[0]->name;
  if (!name) return flow_fail(error, FLOW_BAD_CALL, "%s: what is to be drawn?  Name a field, a density, a function or a flow", path);
  const TypedFunction *field = field_called(program, name);
  if (!field && definition_of(study, name, true)) {
    *target = (Target){.kind = TARGET_FLOW, .name = name};
    return FLOW_OK;
  }
  if (field) return take_field(field, target, error);
  char *written = NULL;
  flow_status status = write_definition(study, name, target, &written, error);
  if (!status && !written) status = flow_fail(error, FLOW_BAD_CALL, "the sizes of `%s` are not known; write them in its declaration, as in `x: [2]`", name);
  if (!status) status = study_written(study, path, text, written, target, error);
  free(written);
  return status;
}
