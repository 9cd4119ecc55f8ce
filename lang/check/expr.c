/* SPDX-License-Identifier: Apache-2.0 */
/* expr.c -- an expression and its shape: names, truth values, `if`, loops; the rest has files of its own. */
#include <string.h>
#include "checker.h"

Typed *new_typed(Checker *c, TypedKind kind, Shape shape, Span at, uint32_t args) {
  Typed *typed = arena_alloc(c->arena, sizeof *typed);
  *typed = (Typed){.kind = kind, .shape = shape, .at = at, .args = args};
  if (args) typed->arg = arena_array(c->arena, args, sizeof *typed->arg);
  return typed;
}

/* ---- names ---- */
static Typed *number(Checker *c, double value, Span at) {
  Typed *typed = new_typed(c, TYPED_NUMBER, shape_scalar(), at, 0);
  typed->number = value;
  return typed;
}

static Typed *local_value(Checker *c, const Binding *b, Span at) {
  Typed *typed;
  switch (b->kind) {
  case BOUND_SIZE:
    return number(c, (double)b->size, at);
  case BOUND_PARAMETER:
    typed = new_typed(c, TYPED_PARAMETER, b->shape, at, 0);
    break;
  case BOUND_LOOP:
    typed = new_typed(c, TYPED_LOOP, shape_scalar(), at, 0);
    break;
  default:
    if (!b->value) return NULL;
    typed = new_typed(c, TYPED_LET, b->value->shape, at, 0);
    typed->truth = b->value->truth;
    break;
  }
  typed->slot = b->slot;
  return typed;
}

static Typed *check_name(Checker *c, const Ast *ast) {
  Symbol *symbol = symbol_of(c, ast->name);
  Binding *local = local_of(c, symbol);
  if (local) return local_value(c, local, ast->at);
  Definition *d = symbol->definition;
  if (!d) {
    if (strcmp(ast->name, "pi") == 0) return number(c, 3.14159265358979323846, ast->at);
    c->reported = true;                             /* by resolve.c */
    return NULL;
  }
  if (d->ast->kind == AST_DIM) {
    int64_t size;
    return !d->broken && dim_of(c, d, &size) ? number(c, (double)size, ast->at) : NULL;
  }
  TypedLet *constant = d->ast->kind == AST_LET && !d->broken ? constant_of(c, d) : NULL;
  if (!constant) {
    c->reported = true;
    return NULL;
  }
  Typed *typed = new_typed(c, TYPED_GLOBAL, constant->value->shape, ast->at, 0);
  typed->truth = constant->value->truth;
  typed->global = constant;
  return typed;
}

/* ---- truth values ---- */
static Typed *check_truth(Checker *c, const Ast *ast) {
  Typed *typed = check_expr(c, ast);
  if (!typed || typed->truth) return typed;
  Diag *diag = report(c, E0209, typed->at, "a truth value is needed here, and this is a number");
  help(c, diag, "compare it with something: `%s > 0`", text_of(c, typed->at));
  return NULL;
}

Typed *check_number(Checker *c, const Ast *ast) {
  Typed *typed = check_expr(c, ast);
  if (!typed || !typed->truth) return typed;
  Diag *diag = report(c, E0209, typed->at, "a number is needed here, and this is a truth value");
  help(c, diag, "`if %s then 1 else 0` makes a number of it", text_of(c, typed->at));
  return NULL;
}

static Typed *check_logic(Checker *c, const Ast *ast) {
  TypedKind kind = ast->kind == AST_AND ? TYPED_AND : ast->kind == AST_OR ? TYPED_OR : TYPED_NOT;
  Typed *typed = new_typed(c, kind, shape_scalar(), ast->at, (uint32_t)ast->items.count);
  typed->truth = true;
  bool good = true;
  for (uint32_t i = 0; i < typed->args; i++) good = (typed->arg[i] = check_truth(c, ast->items.at[i])) != NULL && good;
  return good ? typed : NULL;
}

static Typed *check_if(Checker *c, const Ast *ast) {
  Typed *condition = check_truth(c, ast->items.at[0]);
  Typed *yes = check_number(c, ast->items.at[1]), *no = check_number(c, ast->items.at[2]);
  if (!condition || !yes || !no) return NULL;
  if (!shape_same(&yes->shape, &no->shape)) {
    Diag *diag = report(c, E0318, no->at, "the branches of an `if` have one shape, but these are %s and %s",
                        shape_text(c->arena, &yes->shape), shape_text(c->arena, &no->shape));
    note(c, diag, yes->at, "this is %s", shape_text(c->arena, &yes->shape));
    note_origins(c, diag, yes, no);
    return NULL;
  }
  Typed *typed = new_typed(c, TYPED_IF, yes->shape, ast->at, 3);
  typed->arg[0] = condition;
  typed->arg[1] = yes;
  typed->arg[2] = no;
  return typed;
}

/* ---- loops ---- */
Typed *check_loop(Checker *c, const Ast *ast) {
  int64_t count = 0;
  if (ast->extent && !extent_of(c, ast->extent, &count)) return NULL;
  if (!ast->body) return NULL;
  Binding *before = c->top, *loop = bind_name(c, BOUND_LOOP, ast->name, ast->name_at);
  loop->slot = c->loops++;
  c->loops_open++;
  bool good = ast->extent || range_of(c, ast, loop, &count);
  loop->size = count;
  Typed *body = good ? check_number(c, ast->body) : NULL;
  c->loops_open--;
  unbind(c, before);
  if (!body) return NULL;
  Shape shape = body->shape;
  if (ast->operator_ == AST_ARRAY) {
    if (shape.rank == FLOW_MOST_RANK) {
      report(c, E0312, ast->at, "this value would have %d axes, and %d is the most", FLOW_MOST_RANK + 1, FLOW_MOST_RANK);
      return NULL;
    }
    memmove(shape.dim + 1, shape.dim, shape.rank * sizeof *shape.dim);
    shape.dim[0] = count;
    shape.rank++;
    if (!shape_fits(c, &shape, ast->at)) return NULL;
  }
  Typed *typed = new_typed(c, ast->operator_ == AST_ARRAY ? TYPED_FOR : TYPED_REDUCE, shape, ast->at, 1);
  typed->slot = loop->slot;
  typed->count = count;
  typed->reduce = ast->operator_;
  typed->arg[0] = body;
  return typed;
}

/* ---- all kinds ---- */
/* Words of newton.c; the result has the shape of the first. */
static Typed *check_search(Checker *c, const Ast *ast) {
  Typed *arg[3] = {NULL};
  for (size_t i = 0; i < ast->items.count; i++)
    if (!(arg[i] = check_number(c, ast->items.at[i]))) return NULL;
  TypedKind kind = ast->items.count == 1 ? TYPED_HOLD : TYPED_FOUND;
  Typed *typed = new_typed(c, kind, arg[0]->shape, ast->at, (uint32_t)ast->items.count);
  memcpy(typed->arg, arg, ast->items.count * sizeof *arg);
  return typed;
}

static Typed *check_named_call(Checker *c, const Ast *ast) {
  if (ast->function && is_operator(c, ast->function)) return check_operator(c, ast);
  if (!ast->function || ast->function->kind != AST_NAME || ast->extra.count) {
    c->reported = true;                             /* resolve.c has refused it */
    return NULL;
  }
  if (is_search_word(ast->function->name)) return check_search(c, ast);
  Call call = {.name = ast->function->name, .at = ast->at, .name_at = ast->function->at,
               .arg = (const Ast *const *)ast->items.at, .args = ast->items.count,
               .label = ast->label, .label_at = ast->label_at, .no_bias = ast->no_bias};
  return check_call(c, &call);
}

static Typed *check_kind(Checker *c, const Ast *ast) {
  switch (ast->kind) {
  case AST_NUMBER: return number(c, ast->number, ast->at);
  case AST_NAME: return check_name(c, ast);
  case AST_CHAIN: return check_chain(c, ast);
  case AST_POWER: return check_power(c, ast);
  case AST_COMPARE: return check_compare(c, ast);
  case AST_NOT: case AST_AND: case AST_OR: return check_logic(c, ast);
  case AST_CALL: return check_named_call(c, ast);
  case AST_INDEX: return check_index(c, ast);
  case AST_BRACKET: return check_bracket(c, ast);
  case AST_FOR: return check_loop(c, ast);
  case AST_IF: return check_if(c, ast);
  case AST_PIPE: return check_pipe(c, ast);
  case AST_NEGATE: {
    Typed *arg = check_number(c, ast->items.at[0]);
    if (!arg) return NULL;
    Typed *typed = new_typed(c, TYPED_NEGATE, arg->shape, ast->at, 1);
    typed->arg[0] = arg;
    return typed;
  }
  default:                                          /* refused by the parser or by resolve.c */
    c->reported = true;
    return NULL;
  }
}

Typed *check_expr(Checker *c, const Ast *ast) {
  if (!ast || !spend(c, ast->at)) return NULL;
  if (c->depth == MOST_DEPTH) {
    c->reported = true;
    if (c->too_deep == c->instance) return NULL;
    c->too_deep = c->instance;
    report(c, E0210, ast->at, "calls and brackets nest more than %d deep here", MOST_DEPTH);
    return NULL;
  }
  c->depth++;
  Typed *typed = check_kind(c, ast);
  c->depth--;
  return typed;
}
