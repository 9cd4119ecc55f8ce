/* SPDX-License-Identifier: Apache-2.0 */
/* newton.c -- the inverse of a map that has no line `inverse`, by Newton's method, written as a program:
 *
 *   newton(t, x, y)   = x - solve(J, psi(t, x) - y),   J[i] = vjp(psi)(t, x; e_i), the rows of the Jacobian
 *   inverse(t, y)     = found(x12, y, miss) with x1 = newton(t, y, y), x2 = newton(t, x1, y), .. and x9 held
 *
 * It begins at y, since maps of flows are near the identity, and converges quadratically.  What is found becomes NaN where
 * psi(t, x12) is not y (newton_miss in the prelude, held too), so that it is a failed sample and no wrong number.
 *
 * Derivatives go through the last three steps alone: from a point that is right to order 0, one step of Newton's method has
 * the first derivative of the inverse, two have all up to the third, three all up to the seventh. */
#include <string.h>
#include "synthetic.h"

enum { HELD_STEPS = 9 };

bool is_search_word(const char *name) { return strcmp(name, " hold") == 0 || strcmp(name, " found") == 0; }

typedef struct Newton { Checker *c; const Ast *map; const char *psi; Span at; } Newton;

/* f(t, x, rest..) of the map's own arguments, with x in the place of the state. */
static void append_arguments(const Newton *n, AstList *to, const char *x, const char *y) {
  const AstList *items = &n->map->items;
  append_names(n->c, to, items, 0, 1, n->at);
  append_item(n->c, to, synthetic_name(n->c, x, n->at));
  if (y) append_item(n->c, to, synthetic_name(n->c, y, n->at));
  append_names(n->c, to, items, 2, items->count, n->at);
}

static Ast *loop(const Newton *n, const char *counter, Ast *body) {
  Ast *ast = synthetic(n->c, AST_FOR, counter, n->at);
  ast->operator_ = AST_ARRAY;
  ast->extent = n->map->items.at[1]->sizes.at[0];
  ast->body = body;
  return ast;
}

/* for i: vjp(psi)(t, x; for j: if i == j then 1 else 0) */
static Ast *rows(const Newton *n, const char *x) {
  Checker *c = n->c;
  Ast *same = synthetic(c, AST_COMPARE, NULL, n->at), *unit = synthetic(c, AST_IF, NULL, n->at);
  same->ops = arena_array(c->arena, 1, sizeof *same->ops);
  same->op_at = arena_array(c->arena, 1, sizeof *same->op_at);
  same->ops[0] = AST_EQUAL;
  same->op_at[0] = n->at;
  append_item(c, &same->items, synthetic_name(c, " i", n->at));
  append_item(c, &same->items, synthetic_name(c, " j", n->at));
  append_item(c, &unit->items, same);
  append_item(c, &unit->items, synthetic_number(c, 1, n->at));
  append_item(c, &unit->items, synthetic_number(c, 0, n->at));
  Ast *row = synthetic_operator(c, " vjp", n->psi, n->at);
  append_arguments(n, &row->items, x, NULL);
  append_item(c, &row->extra, loop(n, " j", unit));
  return loop(n, " i", row);
}

static Ast *map_at(const Newton *n, const char *x) {
  Ast *call = synthetic_call(n->c, n->psi, n->at);
  append_arguments(n, &call->items, x, NULL);
  return call;
}

/* One step, a field of (t, x, y, rest..). */
static Definition *define_step(const Newton *n) {
  Checker *c = n->c;
  const AstList *items = &n->map->items;
  const char *x = items->at[1]->name;
  Ast *step = synthetic(c, AST_FIELD, "newton", n->at), *y = synthetic(c, AST_PARAMETER, " y", n->at);
  step->has_parameters = true;
  y->has_shape = true;
  y->sizes = items->at[1]->sizes;
  for (size_t i = 0; i < items->count; i++) {
    append_item(c, &step->items, items->at[i]);
    if (i == 1) append_item(c, &step->items, y);
  }
  Ast *residual = synthetic_two(c, map_at(n, x), AST_SUBTRACT, synthetic_name(c, " y", n->at));
  Ast *solve = synthetic_call(c, " solve", n->at);
  append_item(c, &solve->items, rows(n, x));
  append_item(c, &solve->items, residual);
  step->body = synthetic_two(c, synthetic_name(c, x, n->at), AST_SUBTRACT, solve);
  return define_hidden(c, arena_format(c->arena, "newton %s", n->map->name), step);
}

static Ast *hold(const Newton *n, Ast *value) {
  Ast *held = synthetic_call(n->c, " hold", n->at);
  append_item(n->c, &held->items, value);
  return held;
}

static Ast *steps(const Newton *n, const char *step) {
  Checker *c = n->c;
  const char *y = n->map->items.at[1]->name, *x = y;
  Ast *inverse = synthetic(c, AST_MAP, "inverse", n->at);
  inverse->has_parameters = true;
  inverse->items = n->map->items;
  for (int i = 1; i <= NEWTON_STEPS; i++) {
    Ast *call = synthetic_call(c, step, n->at);
    append_arguments(n, &call->items, x, y);
    append_let(c, inverse, x = arena_format(c->arena, " x%d", i), i == HELD_STEPS ? hold(n, call) : call);
  }
  Ast *miss = synthetic_call(c, alias_of(c, of_prelude(c, "newton_miss")), n->at);
  append_item(c, &miss->items, synthetic_name(c, y, n->at));
  append_item(c, &miss->items, map_at(n, x));
  inverse->body = synthetic_call(c, " found", n->at);
  append_item(c, &inverse->body->items, synthetic_name(c, x, n->at));
  append_item(c, &inverse->body->items, hold(n, synthetic_name(c, y, n->at)));
  append_item(c, &inverse->body->items, hold(n, miss));
  return inverse;
}

Definition *inverse_of_map(Checker *c, Definition *map, Span at) {
  const Ast *ast = map->ast;
  if (map->inverse || !is_whole(ast) || !begins_with_time(ast) || ast->items.at[1]->sizes.count != 1) return map->inverse;
  Newton n = {c, ast, alias_of(c, map), at};
  Definition *step = define_step(&n);
  const char *name = arena_format(c->arena, " newton %s", ast->name);
  symbol_of(c, name)->definition = step;
  map->inverse = define_hidden(c, inverse_name(c, ast->name), steps(&n, name));
  map->inverse->map = map;
  return map->inverse;
}
