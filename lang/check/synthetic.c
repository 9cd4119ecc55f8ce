/* SPDX-License-Identifier: Apache-2.0 */
/* synthetic.c -- see synthetic.h. */
#include "synthetic.h"
#include <string.h>

Ast *synthetic(Checker *c, AstKind kind, const char *name, Span at) {
  Ast *ast = arena_alloc(c->arena, sizeof *ast);
  *ast = (Ast){.kind = kind, .name = name, .at = at, .name_at = at};
  return ast;
}

void append_item(Checker *c, AstList *list, Ast *item) {
  bool full = (list->count & (list->count - 1)) == 0;
  if (full) list->at = arena_grow(c->arena, list->at, list->count, list->count ? 2 * list->count : 1, sizeof(Ast *));
  list->at[list->count++] = item;
}

Ast *synthetic_name(Checker *c, const char *name, Span at) { return synthetic(c, AST_NAME, name, at); }

Ast *synthetic_number(Checker *c, double number, Span at) {
  Ast *ast = synthetic(c, AST_NUMBER, NULL, at);
  ast->number = number;
  return ast;
}

Ast *synthetic_chain(Checker *c, Ast *first, const AstOp *op, Ast *const *rest, size_t count) {
  Ast *ast = synthetic(c, AST_CHAIN, NULL, first->at);
  ast->ops = arena_array(c->arena, count, sizeof *ast->ops);
  ast->op_at = arena_array(c->arena, count, sizeof *ast->op_at);
  append_item(c, &ast->items, first);
  for (size_t i = 0; i < count; i++) {
    append_item(c, &ast->items, rest[i]);
    ast->ops[i] = op[i];
    ast->op_at[i] = first->at;
  }
  return ast;
}

Ast *synthetic_two(Checker *c, Ast *left, AstOp op, Ast *right) { return synthetic_chain(c, left, &op, &right, 1); }

Ast *synthetic_call(Checker *c, const char *name, Span at) {
  Ast *call = synthetic(c, AST_CALL, NULL, at);
  call->function = synthetic_name(c, name, at);
  return call;
}

Ast *synthetic_operator(Checker *c, const char *operator_, const char *definition, Span at) {
  Ast *call = synthetic(c, AST_CALL, NULL, at);
  call->function = synthetic_call(c, operator_, at);
  append_item(c, &call->function->items, synthetic_name(c, definition, at));
  return call;
}

void append_names(Checker *c, AstList *to, const AstList *parameters, size_t from, size_t until, Span at) {
  for (size_t i = from; i < until; i++)
    append_item(c, to, synthetic_name(c, parameters->at[i] ? parameters->at[i]->name : "", at));
}

void declare_shape(Checker *c, Ast *parameter, const Shape *shape, Span at) {
  parameter->has_shape = shape->rank > 0;
  for (uint32_t axis = 0; axis < shape->rank; axis++)
    append_item(c, &parameter->sizes, synthetic_number(c, (double)shape->dim[axis], at));
}

void append_let(Checker *c, Ast *function, const char *name, Ast *value) {
  Ast *let = synthetic(c, AST_LET, name, value->at);
  let->body = value;
  append_item(c, &function->lets, let);
}

const char *alias_of(Checker *c, Definition *definition) {
  const char *name = arena_format(c->arena, "  %s", definition->ast->name);
  symbol_of(c, name)->definition = definition;
  return name;
}

Definition *of_prelude(Checker *c, const char *name) {
  for (Definition *d = c->first; d; d = d->next)
    if (d->prelude && strcmp(d->ast->name, name) == 0) return d;
  return NULL;
}
