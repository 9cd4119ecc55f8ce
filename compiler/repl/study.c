/* SPDX-License-Identifier: Apache-2.0 */
#include "study.h"
#include <stdlib.h>
#include <string.h>
#include "parse.h"
#include "pieces.h"
#include "tableau.h"

Study *study_new(void) {
  Study *study = calloc(1, sizeof *study);
  if (!study) return NULL;
  arena_init(&study->arena, &flow_standard_allocator, &study->no_memory);
  study->sources.arena = &study->arena;
  study->diagnostics = (Diagnostics){.arena = &study->arena, .sources = &study->sources};
  return study;
}

void study_free(Study *study) {
  if (!study) return;
  arena_free(&study->arena);
  free(study);
}

/* ---- a program of two texts ------------------------------------------------------------------------------------------- */

static const AstFile *parse(Study *study, const char *name, const char *text, size_t length) {
  const Source *source = source_add(&study->sources, name, text, length);
  return source ? flow_parse(&study->sources, &study->arena, &study->diagnostics, source, NULL) : NULL;
}

static AstFile *join(Study *study, const AstFile *first, const AstFile *second) {
  AstFile *file = arena_alloc(&study->arena, sizeof *file);
  AstList *all = &file->definitions;
  all->at = arena_array(&study->arena, first->definitions.count + second->definitions.count + 1, sizeof *all->at);
  const AstFile *part[] = {first, second};
  for (int p = 0; p < 2; p++)
    for (size_t i = 0; i < part[p]->definitions.count; i++) all->at[all->count++] = part[p]->definitions.at[i];
  return file;
}

/* The solvers of the runtime, and which of them adapt. */
static CheckOptions known_solvers(Study *study) {
  const char *const *name = flow_tableau_names();
  CheckOptions options = {.solver = name};
  while (name[options.solvers]) options.solvers++;
  const char **adaptive = arena_array(&study->arena, options.solvers + 1u, sizeof *adaptive);
  for (uint32_t i = 0; i < options.solvers; i++) {
    const FlowTableau *tableau = flow_tableau_find(name[i]);
    if (tableau && tableau->error[0].order) adaptive[options.adaptives++] = name[i];
  }
  options.adaptive = adaptive;
  return options;
}

void study_program(Study *study, const char *path, const char *session, const char *input) {
  const AstFile *prelude = parse(study, "<prelude>", flow_prelude_text, flow_prelude_length);
  const AstFile *before = parse(study, path, session, strlen(session));
  study->input = parse(study, "<input>", input, strlen(input));
  if (!prelude || !before || !study->input) return;
  CheckOptions options = known_solvers(study);
  study->program = flow_check(&study->arena, &study->diagnostics, prelude, join(study, before, study->input), &options);
}

/* ---- an expression ------------------------------------------------------------------------------------------------------ */

/* The parser wants a definition, and gets `let it =` before the expression; messages are to show what was typed, so the source
 * then begins behind that. */
static const Ast *parse_expression(Study *study, const char *text) {
  enum { PREFIX = sizeof EXPRESSION_PREFIX - 1 };
  size_t length = strlen(text);
  char *whole = arena_alloc(&study->arena, length + PREFIX + 1);
  memcpy(whole, EXPRESSION_PREFIX, PREFIX);
  memcpy(whole + PREFIX, text, length + 1);
  const AstFile *file = parse(study, "<input>", whole, length + PREFIX);
  Source *source = &study->sources.source[study->sources.count - 1];
  source->text += PREFIX;
  source->base += PREFIX;
  source->length -= PREFIX;
  if (!file || study->diagnostics.errors || file->definitions.count == 0) return NULL;
  if (file->definitions.count > 1) {
    diag_error(&study->diagnostics, E0101, file->definitions.at[1]->at, "one expression ends before this, and another input begins");
    return NULL;
  }
  return file->definitions.at[0]->body;
}

Value study_expression(Study *study, const char *text) {
  const Ast *expression = parse_expression(study, text);
  if (!expression || !study->program || study->diagnostics.errors) return (Value){0};
  AstKind kind = expression->kind;
  bool truth = kind == AST_COMPARE || kind == AST_AND || kind == AST_OR || kind == AST_NOT;
  const Source *typed = &study->sources.source[study->sources.count - 1];
  return (Value){flow_check_value(study->program, expression), truth, {typed->base, typed->base + typed->length}};
}
