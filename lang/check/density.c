/* SPDX-License-Identifier: Apache-2.0 */
/* density.c -- log p for a state, and how to draw from it. */
#include <string.h>
#include "density.h"

static bool is_size(Checker *c, const Ast *ast, int64_t *size) {
  bool reported = c->reported;
  c->quiet++;
  bool good = size_of(c, ast, size);
  c->quiet--;
  c->reported = reported;
  return good;
}

/* The weights of a choice, as probabilities. */
static bool read_weights_of_choice(Checker *c, const Ast *ast, TypedDraw *draw) {
  Typed *weights = check_number(c, ast);
  if (!weights) return false;
  if (weights->shape.rank != 1) {
    report(c, E0217, weights->at, "`choice` takes how many there are, or a vector with a weight for each, and this is %s", shape_text(c->arena, &weights->shape));
    return false;
  }
  draw->size = weights->shape.dim[0];
  double *weight = constant_numbers(c, weights, draw->size), sum = 0;
  for (int64_t i = 0; weight && i < draw->size; i++) {
    sum += weight[i];
    if (weight[i] >= 0) continue;
    report(c, E0217, weights->at, "weight %lld of this choice is %g, and none may be below 0", (long long)i, weight[i]);
    return false;
  }
  if (!weight) return false;
  if (!(sum > 0)) {
    report(c, E0217, weights->at, "all weights of this choice are 0");
    return false;
  }
  for (int64_t i = 0; i < draw->size; i++) weight[i] /= sum;
  draw->weight = weight;
  return true;
}

static bool read_draw(Checker *c, const Ast *one, TypedDraw *draw, Shape *key) {
  const Ast *call = one->body, *argument = call->items.at[0];
  const char *word = call->function->name;
  draw->name = one->name;
  draw->kind = strcmp(word, "choice") == 0 ? DRAW_CHOICE : strcmp(word, "normal") == 0 ? DRAW_NORMAL : DRAW_UNIFORM;
  *key = shape_scalar();
  if (draw->kind == DRAW_CHOICE) {
    int64_t size;
    if (is_size(c, argument, &size)) return extent_of(c, argument, &draw->size);
    return read_weights_of_choice(c, argument, draw);
  }
  if (!extent_of(c, argument, &draw->size)) return false;
  *key = shape_vector(draw->size);
  return true;
}

/* The function behind the draw line for a state of this shape: its sizes, t, then what is drawn. */
static Instance *drawing(Checker *c, Definition *density, const Shape *state, TypedDensity *typed) {
  Definition *draw = density->draw;
  const AstList *items = &draw->ast->items, *lines = &density->ast->draw->items;
  const Ast *parameter = density->ast->items.at[density->ast->items.count - 1];
  size_t before = items->count - lines->count, count = items->count;
  Shape *key = arena_array(c->arena, count + 1, sizeof *key);
  Span *at = arena_array(c->arena, count + 1, sizeof *at);
  uint32_t old = new_frame(c);
  Binding *top = c->top;
  for (size_t k = 0; k < parameter->sizes.count; k++)
    if (parameter->sizes.at[k]->kind == AST_NAME) bind_variable(c, parameter->sizes.at[k], state->dim[k]);
  bool good = true;
  for (size_t i = 0; i < count; i++) {
    const Ast *p = items->at[i];
    at[i] = p->at;
    if (i >= before) good = read_draw(c, lines->at[i - before], &draw->drawn[i], &key[i]) && good;
    else if (p->is_dim) good = size_of(c, synthetic(c, AST_NAME, p->name, p->at), &key[i].dim[0]) && good;
  }
  unbind(c, top);
  c->frame = old;
  typed->draws = (uint32_t)lines->count;
  typed->draw = arena_array(c->arena, typed->draws + 1u, sizeof *typed->draw);
  memcpy(typed->draw, draw->drawn + before, typed->draws * sizeof *typed->draw);
  for (size_t i = before; i < count; i++)
    if (draw->drawn[i].kind != DRAW_CHOICE) draw->drawn[i].size = 0;       /* only a choice is an index */
  return good ? instance_of(c, draw, key, at, draw->ast->name_at) : NULL;
}

static bool type_draw(Checker *c, Definition *density, const Shape *state, TypedDensity *typed) {
  if (density->draw->broken || !is_whole(density->draw->ast)) return false;
  Instance *instance = drawing(c, density, state, typed);
  if (!instance) return false;
  typed->result = &instance->function;
  const Typed *result = instance->function.result;
  if (shape_same(&result->shape, state)) return true;
  Diag *diag = report(c, E0304, result->at, "what is drawn is %s, and it should be %s: a draw has the shape of the state",
                      shape_text(c->arena, &result->shape), shape_text(c->arena, state));
  note(c, diag, density->ast->items.at[density->ast->items.count - 1]->at, "the state is declared here");
  return false;
}

bool type_density(Checker *c, Definition *definition, const Shape *state, Span at, TypedDensity *typed) {
  const Ast *ast = definition->ast;
  if (definition->broken || !is_whole(ast)) return false;
  bool time = begins_with_time(ast);
  Shape key[2] = {*state, *state};
  if (time) key[0] = shape_scalar();
  Instance *instance = ast->items.count == 1u + time ? instance_of(c, definition, key, (Span[]){at, at}, at) : NULL;
  if (!instance) return false;
  *typed = (TypedDensity){.name = ast->name, .function = &instance->function, .has_time = time};
  return !definition->draw || type_draw(c, definition, state, typed);
}

void list_densities(Checker *c, TypedProgram *program) {
  program->density = arena_array(c->arena, c->definitions + 1, sizeof *program->density);
  for (Definition *d = c->first; d; d = d->next) {
    if (d->ast->kind != AST_DENSITY || d->symbol->definition != d || d->broken || !shape_known(c, d->ast)) continue;
    const Ast *state = d->ast->items.at[d->ast->items.count - 1];
    Shape shape;
    if (d->ast->items.count > 2 || !declared_shape(c, state, &shape)) continue;
    if (type_density(c, d, &shape, d->ast->name_at, &program->density[program->densities])) program->densities++;
  }
}

void list_maps(Checker *c, TypedProgram *program) {
  program->map = arena_array(c->arena, c->definitions + 1, sizeof *program->map);
  for (Definition *d = c->first; d; d = d->next) {
    if (d->ast->kind != AST_MAP || d->hidden || d->symbol->definition != d || d->broken || !shape_known(c, d->ast)) continue;
    Instance *map = declared_instance(c, d), *inverse = NULL;
    if (d->inverse && !d->inverse->broken && shape_known(c, d->inverse->ast)) inverse = declared_instance(c, d->inverse);
    if (map) program->map[program->maps++] = (TypedMap){d->ast->name, &map->function, inverse ? &inverse->function : NULL};
  }
}
