/* SPDX-License-Identifier: Apache-2.0 */
/* check.c -- the passes over a file, in order, and the question for one more instance later. */
#include <string.h>
#include "density.h"
#include "synthetic.h"

typedef struct Program { TypedProgram program; Checker checker; } Program;

static const char *const usual_solver[] = {"euler", "midpoint", "heun", "rk4"};

static bool is_live(const Definition *d) { return d->symbol->definition == d && !d->broken; }

/* Constants and sizes first, each after those that it needs, so that no chain of them is a deep recursion. */
static void check_values(Checker *c) {
  int64_t size;
  for (size_t i = 0; i < c->definitions; i++) {
    Definition *d = c->order[i];
    if (!is_live(d) || !d->ast->body) continue;
    if (d->ast->kind == AST_DIM) dim_of(c, d, &size);
    if (d->ast->kind == AST_LET) constant_of(c, d);
  }
}

/* Is this a size of numbers and `dim`s alone, whoever calls? */
static bool is_closed(Checker *c, const Ast *function, const Ast *size) {
  if (size->kind == AST_NAME) {
    bool known = is_size_name(c, symbol_of(c, size->name), size->at);
    for (size_t i = 0; known && i < function->items.count; i++)
      known = !function->items.at[i]->is_dim || strcmp(function->items.at[i]->name, size->name) != 0;
    return known;
  }
  bool arithmetic = size->kind == AST_CHAIN || size->kind == AST_NEGATE || size->kind == AST_POWER;
  for (size_t i = 0; arithmetic && i < size->items.count; i++) arithmetic = size->items.at[i] && is_closed(c, function, size->items.at[i]);
  return arithmetic || size->kind == AST_NUMBER;
}

static bool check_sizes(Checker *c, const Ast *function, const AstList *sizes) {
  bool good = true;
  int64_t size;
  for (size_t k = 0; k < sizes->count; k++)
    if (is_closed(c, function, sizes->at[k])) good = extent_of(c, sizes->at[k], &size) && good;
  return good;
}

static bool check_declaration(Checker *c, const Ast *function, bool quietly) {
  uint32_t old = new_frame(c);
  c->quiet += quietly;
  bool good = check_sizes(c, function, &function->sizes);
  for (size_t i = 0; i < function->items.count; i++) good = check_sizes(c, function, &function->items.at[i]->sizes) && good;
  c->quiet -= quietly;
  c->frame = old;
  return good;
}

/* A size that can be no size is told where it is written, once: what stands behind a map or a density repeats it. */
static void check_declarations(Checker *c) {
  for (size_t i = 0; i < c->definitions; i++) {
    Definition *d = c->order[i];
    if (!is_live(d) || d->prelude || d->ast->kind == AST_CHECK || !is_function(d->ast) || !is_whole(d->ast)) continue;
    d->broken = !check_declaration(c, d->ast, d->hidden || d->map);
  }
}

/* What is not known until somebody calls it is looked at then; the sides of a check and the value of a draw line when their
 * names have shapes. */
static void check_functions(Checker *c) {
  for (size_t i = 0; i < c->definitions; i++) {
    Definition *d = c->order[i];
    if (!is_live(d) || d->prelude || d->drawn || d->ast->kind == AST_CHECK) continue;
    if (is_function(d->ast) && shape_known(c, d->ast)) declared_instance(c, d);
  }
}

static bool is_field(const Instance *instance) {
  const TypedFunction *f = &instance->function;
  return is_field_signature(f->definition) && shape_same(&f->parameter[1], &f->result->shape);
}

static void list_fields(Checker *c, TypedProgram *program) {
  program->field = arena_array(c->arena, c->definitions + 1, sizeof *program->field);
  for (Definition *d = c->first; d; d = d->next) {
    if (!is_live(d) || d->prelude || d->hidden || !is_function(d->ast) || !is_field_signature(d->ast) || !shape_known(c, d->ast)) continue;
    Instance *instance = declared_instance(c, d);
    if (instance && is_field(instance)) program->field[program->fields++] = &instance->function;
  }
}

static void list_flows(Checker *c, TypedProgram *program) {
  program->flow = arena_array(c->arena, c->definitions + 1, sizeof *program->flow);
  for (Definition *d = c->first; d; d = d->next)
    if (is_live(d) && d->ast->kind == AST_FLOW && check_flow(c, d, &program->flow[program->flows])) program->flows++;
}

TypedProgram *flow_check(Arena *arena, Diagnostics *diagnostics, const AstFile *prelude, const AstFile *file,
                         const CheckOptions *options) {
  Program *p = arena_alloc(arena, sizeof *p);
  Checker *c = &p->checker;
  p->program.file = file;
  *c = (Checker){.arena = arena, .diagnostics = diagnostics, .file = file, .lost_definition = diagnostics->errors > 0};
  c->options = options && options->solver ? *options : (CheckOptions){.solver = usual_solver, .solvers = sizeof usual_solver / sizeof *usual_solver};
  gather_names(c, prelude, true);
  gather_names(c, file, false);
  expand_definitions(c);
  permit_losses(c);
  resolve_names(c);
  refuse_cycles(c);
  check_values(c);
  check_declarations(c);
  check_functions(c);
  list_fields(c, &p->program);
  list_densities(c, &p->program);
  list_maps(c, &p->program);
  list_flows(c, &p->program);
  list_checks(c, &p->program);
  return &p->program;
}

TypedFunction *flow_check_instance(const TypedProgram *program, const char *name, const Shape *state,
                                   const Shape *condition, uint32_t conditions) {
  Checker *c = &((Program *)program)->checker;      /* begun by flow_check as one object, which is not const */
  Symbol *symbol = symbol_of(c, name);
  Definition *d = symbol->definition;
  if (!d || d->prelude || !is_function(d->ast)) return NULL;
  return field_instance(c, d, state, d->ast->name_at, condition, conditions, d->ast->name_at);
}

static bool is_truth(const Ast *value) {
  return value->kind == AST_COMPARE || value->kind == AST_AND || value->kind == AST_OR || value->kind == AST_NOT;
}

TypedFunction *flow_check_value(const TypedProgram *program, const Ast *value) {
  Checker *c = &((Program *)program)->checker;
  Ast *f = synthetic(c, AST_CHECK, "value", value->at), *body = (Ast *)value;
  if (is_truth(value)) {
    body = synthetic(c, AST_IF, NULL, value->at);
    append_item(c, &body->items, (Ast *)value);
    for (int number = 1; number >= 0; number--) append_item(c, &body->items, synthetic_number(c, number, value->at));
  }
  f->has_parameters = true;
  f->body = body;
  Definition *d = define_hidden(c, arena_format(c->arena, "value %u", value->at.from), f);
  resolve_definition(c, d);
  Instance *instance = d->broken || c->diagnostics->errors ? NULL : instance_of(c, d, NULL, NULL, value->at);
  return instance && !c->diagnostics->errors ? &instance->function : NULL;
}
