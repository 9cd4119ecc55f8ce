/* SPDX-License-Identifier: Apache-2.0 */
/* range.c -- how far a loop counts: the extent that is given, or that of every axis which the counter indexes alone.
 *
 * The body is searched for `a[k]`; each base is typed quietly, with counters whose range is not known yet, for its
 * shape alone.  `k + 1` is checked later and infers nothing. */
#include <string.h>
#include "checker.h"

typedef struct Found { int64_t extent; Span at, origin; bool any, clash, unclear; } Found;
typedef struct Search { Checker *c; const char *name; Found found; Diag *told; } Search;

static void search(Search *s, const Ast *ast);

static void search_all(Search *s, const AstList *list) {
  for (size_t i = 0; i < list->count; i++)
    if (list->at[i]) search(s, list->at[i]);
}

static void take(Search *s, const Typed *base, uint32_t axis, Span at) {
  Checker *c = s->c;
  int64_t extent = base->shape.dim[axis];
  if (!s->found.any) {
    s->found = (Found){.extent = extent, .at = at, .origin = shape_origin(c, base), .any = true};
    return;
  }
  if (s->found.extent == extent || s->found.clash) return;
  s->found.clash = true;
  Diag *diag = report(c, E0307, at, "`%s` ranges over %lld elements here, and over %lld elsewhere", s->name, (long long)extent, (long long)s->found.extent);
  note(c, diag, s->found.at, "here it ranges over %lld", (long long)s->found.extent);
  note_origins(c, diag, base, base);
}

/* Leaves no trace: neither errors nor hidden `let`s nor layers that would then be there twice. */
static Typed *quiet_shape(Checker *c, const Ast *base) {
  bool reported = c->reported;
  uint32_t sites = c->sites, lets = c->instance ? c->instance->function.lets : 0, loops = c->loops;
  c->quiet++;
  Typed *typed = check_expr(c, base);
  c->quiet--;
  c->reported = reported;
  c->sites = sites;
  c->loops = loops;
  if (c->instance) c->instance->function.lets = lets;
  return typed;
}

static void search_index(Search *s, const Ast *ast) {
  Typed *base = NULL;
  bool looked = false;
  for (size_t i = 1; i < ast->items.count; i++) {
    const Ast *selector = ast->items.at[i];
    if (!selector || selector->kind != AST_NAME || strcmp(selector->name, s->name) != 0) continue;
    if (!looked) base = quiet_shape(s->c, ast->items.at[0]);
    looked = true;
    if (!base) s->found.unclear = true;
    else if (i - 1 < base->shape.rank) take(s, base, (uint32_t)(i - 1), ast->at);
  }
  search_all(s, &ast->items);
}

static void search(Search *s, const Ast *ast) {
  Checker *c = s->c;
  if (!spend(c, ast->at)) return;
  if (ast->kind == AST_INDEX) {
    search_index(s, ast);
    return;
  }
  if (ast->extent) search(s, ast->extent);
  search_all(s, &ast->items);
  search_all(s, &ast->extra);
  if (ast->kind != AST_FOR) {
    if (ast->body) search(s, ast->body);
    return;
  }
  if (strcmp(ast->name, s->name) == 0 || !ast->body) return;
  Binding *before = c->top;
  bind_name(c, BOUND_LOOP, ast->name, ast->name_at)->size = UNKNOWN_EXTENT;
  search(s, ast->body);
  unbind(c, before);
}

bool range_of(Checker *c, const Ast *loop, Binding *binding, int64_t *extent) {
  Search s = {.c = c, .name = loop->name};
  binding->size = UNKNOWN_EXTENT;
  search(&s, loop->body);
  if (s.found.clash) return false;
  if (s.found.any) {
    *extent = s.found.extent;
    return true;
  }
  if (s.found.unclear && c->quiet == 0) {           /* an error in what is indexed is the cause: let it speak */
    c->reported = false;
    check_expr(c, loop->body);
    if (c->reported) return false;
  }
  if (s.found.unclear && c->quiet > 0) return false;
  Diag *diag = report(c, E0306, loop->name_at, "how far does `%s` count? Nothing is indexed by `%s` alone", loop->name, loop->name);
  help(c, diag, "give the count: `%s < n:`", loop->name);
  return false;
}
