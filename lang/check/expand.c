/* SPDX-License-Identifier: Apache-2.0 */
/* expand.c -- functions that stand behind definitions of other kinds, so that all the rest of the checker knows only
 * functions:
 *
 *   map psi(t, x: [d]) = ..        "inverse psi" (t, y: [d]): the line `inverse`, or newton.c where it is needed
 *   velocity of psi                a field (t, y: [d]) = ddt(psi)(t, inverse(psi)(t, y)), under the field's name or, in a
 *                                  flow, as "velocity of psi"
 *   density p(t, x: [d]) .. draw   "draw p" (dim d, t, k, z: [n]), the value that is drawn
 *   check                          its two sides (claim.c)
 *
 * Names with a blank cannot be written, and so never meet a name of the file. */
#include <string.h>
#include "claim.h"

static Ast *copy_of(Checker *c, const Ast *ast) {
  Ast *copy = arena_alloc(c->arena, sizeof *copy);
  *copy = *ast;
  return copy;
}

/* ---- maps ------------------------------------------------------------------------------------------------------------ */
const char *inverse_name(Checker *c, const char *map) { return arena_format(c->arena, "inverse %s", map); }
const char *velocity_name(Checker *c, const char *map) { return arena_format(c->arena, "velocity of %s", map); }

/* A parameter of the inverse without a shape takes that of the map's parameter in its place. */
static void add_inverse(Checker *c, Definition *map) {
  const AstList *items = &map->ast->items;
  Ast *inverse = copy_of(c, map->ast->inverse);
  inverse->kind = AST_MAP;
  inverse->items = (AstList){0};
  for (size_t i = 0; i < map->ast->inverse->items.count; i++) {
    const Ast *p = map->ast->inverse->items.at[i], *like = i < items->count ? items->at[i] : NULL;
    Ast *copy = p ? copy_of(c, p) : NULL;
    if (copy && copy->kind == AST_PARAMETER && like && !copy->has_shape && !copy->is_dim) {
      copy->has_shape = like->has_shape;
      copy->sizes = like->sizes;
      copy->is_dim = like->is_dim;
    }
    append_item(c, &inverse->items, copy);
  }
  map->inverse = define_hidden(c, inverse_name(c, map->ast->name), inverse);
  map->inverse->map = map;
  if (inverse->items.count == items->count) return;
  Diag *diag = report(c, E0205, inverse->name_at, "the inverse takes what the map takes, %zu arguments, and not %zu", items->count, inverse->items.count);
  note(c, diag, map->ast->name_at, "the map `%s` is defined here", map->ast->name);
  inverse->items = *items;                          /* as was meant: what calls it is right, and its names are not looked for */
  inverse->lets = (AstList){0};
  inverse->body = synthetic_number(c, 0, inverse->at);
  map->inverse->broken = true;
}

static Definition *map_called(Checker *c, const Ast *velocity) {
  Definition *map = symbol_of(c, velocity->name)->definition;
  if (!map) {
    report_unknown(c, velocity->name, velocity->name_at.to ? velocity->name_at : velocity->at);
    return NULL;
  }
  const Ast *ast = map->ast;
  if (ast->kind != AST_MAP) {
    Diag *diag = report(c, E0213, velocity->at, "`velocity of` takes the name of a map, and `%s` is %s", ast->name, definition_kind(ast));
    note(c, diag, ast->name_at, "`%s` is defined here", ast->name);
    if (ast->kind == AST_FIELD || ast->kind == AST_NETWORK) help(c, diag, "it is a velocity already: `velocity %s`", ast->name);
    return NULL;
  }
  if (!is_whole(ast) || !begins_with_time(ast)) return NULL;
  if (inverse_of_map(c, map, velocity->at)) return map;
  Diag *diag = report(c, E0218, velocity->at, "`%s` has no line `inverse(t, y) = ...`, and Newton's method is for a state of one axis", ast->name);
  note(c, diag, ast->name_at, "`%s` is defined here", ast->name);
  return NULL;
}

/* (t, y, ..) = ddt(psi)(t, inverse(psi)(t, y, ..), ..) */
static Ast *velocity_of_map(Checker *c, const char *name, Span name_at, Definition *map, Span at) {
  Ast *field = synthetic(c, AST_FIELD, name, at);
  const AstList *items = &map->inverse->ast->items;
  field->name_at = name_at;
  field->has_parameters = true;
  field->items = *items;
  const char *alias = alias_of(c, map);
  Ast *u = synthetic_operator(c, " ddt", alias, at), *x = synthetic_operator(c, " inverse", alias, at);
  append_names(c, &x->items, items, 0, items->count, at);
  append_names(c, &u->items, items, 0, items->count, at);
  if (u->items.count > 1) u->items.at[1] = x;
  field->body = u;
  return field;
}

static void expand_field(Checker *c, Definition *field) {
  const Ast *velocity = field->ast->body;
  Definition *map = velocity && velocity->kind == AST_VELOCITY_OF ? map_called(c, velocity) : NULL;
  field->broken = field->broken || !map;
  if (!map) return;
  field->ast = velocity_of_map(c, field->ast->name, field->ast->name_at, map, velocity->at);
  field->map = map;
}

static void expand_flow(Checker *c, const Ast *flow) {
  for (size_t i = 0; i < flow->items.count; i++) {
    const Ast *clause = flow->items.at[i];
    if (!clause || clause->kind != AST_CLAUSE || clause->items.count != 1 || strcmp(clause->name, "velocity") != 0) continue;
    const Ast *velocity = clause->items.at[0];
    if (!velocity || velocity->kind != AST_VELOCITY_OF) continue;
    const char *name = velocity_name(c, velocity->name);
    Definition *map = symbol_of(c, name)->definition ? NULL : map_called(c, velocity);
    if (map) define_hidden(c, name, velocity_of_map(c, name, velocity->at, map, velocity->at))->map = map;
  }
}

/* ---- densities --------------------------------------------------------------------------------------------------------- */
/* The sizes that the state's shape binds are known where something is drawn: they are handed over. */
static void add_sizes(Checker *c, const Ast *density, Ast *draw) {
  const Ast *state = density->items.count ? density->items.at[density->items.count - 1] : NULL;
  for (size_t k = 0; state && k < state->sizes.count && k < FLOW_MOST_RANK; k++) {
    const Ast *size = state->sizes.at[k];
    if (!size || size->kind != AST_NAME) continue;
    const Definition *d = symbol_of(c, size->name)->definition;
    bool known = d && d->ast->kind == AST_DIM;
    for (size_t i = 0; i < draw->items.count; i++) known = known || strcmp(draw->items.at[i]->name, size->name) == 0;
    if (known) continue;
    Ast *parameter = synthetic(c, AST_PARAMETER, size->name, size->at);
    parameter->is_dim = true;
    append_item(c, &draw->items, parameter);
  }
}

static bool add_drawn(Checker *c, const Ast *one, Ast *draw) {
  const Ast *call = one && one->kind == AST_LET ? one->body : NULL;
  if (!call || call->kind == AST_ERROR) return false;
  const char *word = call->kind == AST_CALL && call->function && call->function->kind == AST_NAME ? call->function->name : "";
  bool choice = strcmp(word, "choice") == 0, vector = strcmp(word, "normal") == 0 || strcmp(word, "uniform") == 0;
  if ((!choice && !vector) || call->items.count != 1 || call->extra.count) {
    Diag *diag = report(c, E0217, call->at, "`%s` is drawn from `choice(n)`, `choice(weights)`, `normal(n)` or `uniform(n)`, and this is none", one->name);
    static const char *const words[] = {"choice", "normal", "uniform"};
    const char *near = *word ? diag_nearest(word, words, 3) : NULL;
    if (near && strcmp(near, word) != 0) help(c, diag, "did you mean `%s`?", near);
  }
  Ast *parameter = synthetic(c, AST_PARAMETER, one->name, one->name_at);
  append_item(c, &draw->items, parameter);
  if ((!choice && !vector) || call->items.count != 1 || call->extra.count) return false;
  if (vector) {
    parameter->has_shape = true;
    append_item(c, &parameter->sizes, call->items.at[0]);
  }
  return true;
}

static void add_draw(Checker *c, Definition *density) {
  const Ast *line = density->ast->draw;
  Ast *draw = synthetic(c, AST_FN, "draw", line->name_at);
  draw->at = line->at;
  draw->has_parameters = true;
  draw->body = line->body;
  add_sizes(c, density->ast, draw);
  if (begins_with_time(density->ast)) {
    const Ast *t = density->ast->items.at[0];
    append_item(c, &draw->items, synthetic(c, AST_PARAMETER, t->name, t->name_at));
  }
  bool good = true;
  for (size_t i = 0; i < line->items.count; i++) good = add_drawn(c, line->items.at[i], draw) && good;
  density->draw = define_hidden(c, arena_format(c->arena, "draw %s", density->ast->name), draw);
  density->draw->drawn = arena_array(c->arena, draw->items.count + 1, sizeof *density->draw->drawn);
  density->draw->broken = !good;
}

/* ---- all --------------------------------------------------------------------------------------------------------------- */
static bool is_live(const Definition *d) { return d->symbol->definition == d && !d->prelude && !d->hidden; }

void expand_definitions(Checker *c) {
  for (Definition *d = c->first; d; d = d->next) {
    if (!is_live(d)) continue;
    if (d->ast->kind == AST_MAP && d->ast->inverse) add_inverse(c, d);
    if (d->ast->kind == AST_DENSITY && d->ast->draw) add_draw(c, d);
  }
  for (Definition *d = c->first; d; d = d->next) {
    if (!is_live(d)) continue;
    if (d->ast->kind == AST_FIELD && !d->ast->has_parameters) expand_field(c, d);
    if (d->ast->kind == AST_FLOW) expand_flow(c, d->ast);
  }
  for (size_t i = 0; i < c->file->definitions.count; i++) {
    const Ast *ast = c->file->definitions.at[i];
    if (ast && ast->kind == AST_CHECK) expand_check(c, ast);
  }
}
