/* SPDX-License-Identifier: Apache-2.0 */
/* instance.c -- a definition for the shapes of one call: its sizes get values, its body types.  Equal shapes are one
 * instance, so that a function which is called a thousand times is looked at once.
 *
 * A callee is typed in a state of the checker of its own, and never quietly: its errors are errors whoever asks. */
#include <string.h>
#include "checker.h"

/* ---- the state of one function ---- */
typedef struct Saved {
  Instance *instance;
  uint32_t loops, loops_open, quiet, frame, sites, site_room;
  Site *site;
  Binding *top;
} Saved;

static Saved enter(Checker *c, Instance *instance) {
  Saved saved = {c->instance, c->loops, c->loops_open, c->quiet, c->frame, c->sites, c->site_room, c->site, c->top};
  new_frame(c);
  c->instance = instance;
  c->loops = c->loops_open = c->quiet = c->sites = c->site_room = 0;
  c->site = NULL;
  return saved;
}

static void leave(Checker *c, const Saved *saved) {
  unbind(c, saved->top);
  c->instance = saved->instance;
  c->loops = saved->loops;
  c->loops_open = saved->loops_open;
  c->quiet = saved->quiet;
  c->frame = saved->frame;
  c->sites = saved->sites;
  c->site_room = saved->site_room;
  c->site = saved->site;
}

/* ---- dim and let ---- */
bool dim_of(Checker *c, Definition *definition, int64_t *size) {
  if (definition->valued == FRESH) {
    definition->valued = UNDER_WAY;
    Saved saved = enter(c, NULL);
    if (size_of(c, definition->ast->body, &definition->size)) definition->valued = DONE;
    leave(c, &saved);
  }
  *size = definition->size;
  if (definition->valued != DONE) c->reported = true;
  return definition->valued == DONE;
}

TypedLet *constant_of(Checker *c, Definition *definition) {
  if (definition->valued != FRESH) return definition->constant;
  definition->valued = UNDER_WAY;
  Saved saved = enter(c, NULL);
  Typed *value = check_expr(c, definition->ast->body);
  uint32_t loops = c->loops;
  leave(c, &saved);
  definition->valued = DONE;
  if (!value) return NULL;
  TypedLet *constant = arena_alloc(c->arena, sizeof *constant);
  *constant = (TypedLet){.name = definition->ast->name, .value = value};
  if (!count_constant(c, constant, loops, definition->ast->name_at)) return NULL;
  return definition->constant = constant;
}

/* ---- parameters ---- */
/* "[n, 2]" as declared. */
static const char *declared(Checker *c, const Ast *parameter) {
  if (!parameter->sizes.count) return "a scalar";
  Span at = {parameter->sizes.at[0]->at.from, parameter->sizes.at[parameter->sizes.count - 1]->at.to};
  return arena_format(c->arena, "[%s]", text_of(c, at));
}

static bool refuse_argument(Checker *c, const Instance *instance, size_t i, Span at, const char *why) {
  const Ast *definition = instance->definition->ast, *parameter = definition->items.at[i];
  const Shape *got = &instance->key[i];
  Diag *diag = report(c, E0303, at, "`%s` takes %s as `%s`%s, and this is %s", definition->name, declared(c, parameter), parameter->name, why,
                      shape_text(c->arena, got));
  if (!in_prelude(c, parameter->at)) note(c, diag, parameter->at, "`%s` is declared here", parameter->name);
  if (!parameter->has_shape && got->rank == 1 && got->dim[0] == 1)
    help(c, diag, "a vector of one element is no scalar: take the element, `%s[0]`", text_of(c, at));
  else if (parameter->has_shape && parameter->sizes.count == 1 && got->rank == 0)
    help(c, diag, "a scalar becomes a vector of one element in brackets: `[%s]`", text_of(c, at));
  return false;
}

static void bind_parameters(Checker *c, Instance *instance) {
  TypedFunction *f = &instance->function;
  const Ast *definition = instance->definition->ast;
  for (size_t i = 0; i < definition->items.count; i++) {
    const Ast *p = definition->items.at[i];
    Binding *b = bind_name(c, p->is_dim ? BOUND_SIZE : BOUND_PARAMETER, p->name, p->name_at);
    if (p->is_dim) {
      b->size = instance->key[i].dim[0];
      continue;
    }
    if (instance->definition->drawn) b->size = instance->definition->drawn[i].size;
    b->shape = instance->key[i];
    b->slot = f->parameters;
    f->parameter_name[f->parameters] = p->name;
    f->parameter[f->parameters] = b->shape;
    instance->parameter_at[f->parameters++] = p->at;
  }
}

/* A bare name that is not known yet is a size variable: its first use binds it. */
void bind_variable(Checker *c, const Ast *size, int64_t value) {
  Symbol *symbol = symbol_of(c, size->name);
  if (local_of(c, symbol)) return;
  if (is_size_name(c, symbol, size->at)) return;
  bind_name(c, BOUND_SIZE, size->name, size->at)->size = value;
}

static bool match_sizes(Checker *c, const Instance *instance, size_t i, Span at) {
  const Ast *p = instance->definition->ast->items.at[i];
  for (size_t k = 0; k < p->sizes.count; k++) {
    int64_t size;
    if (!extent_of(c, p->sizes.at[k], &size)) return false;
    if (size == instance->key[i].dim[k]) continue;
    const char *text = text_of(c, p->sizes.at[k]->at);
    bool plain = p->sizes.at[k]->kind == AST_NUMBER;
    return refuse_argument(c, instance, i, at, plain ? "" : arena_format(c->arena, " with %s = %lld", text, (long long)size));
  }
  return true;
}

static bool match_parameters(Checker *c, Instance *instance, const Span *argument_at) {
  const AstList *items = &instance->definition->ast->items;
  bool good = true;
  for (size_t i = 0; i < items->count; i++) {
    const Ast *p = items->at[i];
    if (p->is_dim) continue;
    if (p->sizes.count != instance->key[i].rank) {
      good = refuse_argument(c, instance, i, argument_at[i], "");
      continue;
    }
    for (size_t k = 0; k < p->sizes.count; k++)
      if (p->sizes.at[k] && p->sizes.at[k]->kind == AST_NAME) bind_variable(c, p->sizes.at[k], instance->key[i].dim[k]);
  }
  for (size_t i = 0; i < items->count && good; i++)
    if (!items->at[i]->is_dim) good = match_sizes(c, instance, i, argument_at[i]);
  return good;
}

/* ---- the body ---- */
static bool check_lets(Checker *c, Instance *instance) {
  TypedFunction *f = &instance->function;
  const AstList *lets = &instance->definition->ast->lets;
  bool good = true;
  for (size_t i = 0; i < lets->count; i++) {
    const Ast *let = lets->at[i];
    if (!let || let->kind != AST_LET) {
      good = false;
      continue;
    }
    Typed *value = check_expr(c, let->body);
    f->let[f->lets] = value;
    Binding *b = bind_name(c, BOUND_LET, let->name, let->name_at);
    b->value = value;
    b->slot = f->lets++;
    good = value != NULL && good;
  }
  return good;
}

static bool refuse_result(Checker *c, const Typed *result, const Ast *definition, const Shape *want, Span declared_at, const char *why) {
  Diag *diag = report(c, E0304, result->at, "the result of `%s` is %s, and it should be %s%s", definition->name,
                      shape_text(c->arena, &result->shape), shape_text(c->arena, want), why);
  note(c, diag, declared_at, "%s is declared here", shape_text(c->arena, want));
  note_origins(c, diag, result, result);
  return false;
}

static bool check_result(Checker *c, const Instance *instance) {
  const Ast *definition = instance->definition->ast;
  const Typed *result = instance->function.result;
  Shape want = {0};
  if (definition->has_result) {
    for (size_t k = 0; k < definition->sizes.count; k++) {
      if (k == FLOW_MOST_RANK) {
        report(c, E0312, definition->sizes.at[k]->at, "this value would have more axes than the %d that a value may have", FLOW_MOST_RANK);
        return false;
      }
      if (!extent_of(c, definition->sizes.at[k], &want.dim[want.rank++])) return false;
    }
    Span at = {definition->sizes.at[0]->at.from, definition->sizes.at[want.rank - 1]->at.to};
    if (!shape_same(&want, &result->shape)) return refuse_result(c, result, definition, &want, at, "");
  }
  if (definition->kind == AST_DENSITY && result->shape.rank > 0) {
    Diag *diag = report(c, E0304, result->at, "the result of `%s` is %s, and a density gives log p, a scalar", definition->name, shape_text(c->arena, &result->shape));
    note_origins(c, diag, result, result);
    return false;
  }
  bool keeps = definition->kind == AST_FIELD || definition->kind == AST_MAP;
  if (keeps && !shape_same(&instance->function.parameter[1], &result->shape))
    return refuse_result(c, result, definition, &instance->function.parameter[1], instance->parameter_at[1],
                         arena_format(c->arena, ": %s gives the shape of its state", definition_kind(definition)));
  return true;
}

static bool type_body(Checker *c, Instance *instance) {
  bool good = check_lets(c, instance);
  instance->function.result = check_number(c, instance->definition->ast->body);
  good = instance->function.result != NULL && good;
  good = good && check_result(c, instance);
  instance->function.loops = c->loops;
  return check_sites(c, instance) && good && count_cost(c, instance);
}

/* ---- instances ---- */
static bool same_key(const Shape *a, const Shape *b, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (!shape_same(&a[i], &b[i]) || (a[i].rank == 0 && a[i].dim[0] != b[i].dim[0])) return false;
  return true;
}

static Instance *new_instance(Checker *c, Definition *definition, const Shape *key) {
  size_t count = definition->ast->items.count;
  Instance *instance = arena_alloc(c->arena, sizeof *instance);
  instance->definition = definition;
  instance->key = arena_array(c->arena, count + 1, sizeof *instance->key);
  if (count) memcpy(instance->key, key, count * sizeof *key);
  instance->parameter_at = arena_array(c->arena, count + 1, sizeof *instance->parameter_at);
  instance->function = (TypedFunction){.definition = definition->ast, .name = definition->ast->name};
  instance->function.parameter_name = arena_array(c->arena, count + 1, sizeof(const char *));
  instance->function.parameter = arena_array(c->arena, count + 1, sizeof(Shape));
  instance->function.let = arena_array(c->arena, definition->ast->lets.count + 1, sizeof(Typed *));
  return instance;
}

bool is_whole(const Ast *function) {
  if (!function->body) return false;
  for (size_t i = 0; i < function->items.count; i++) {
    const Ast *p = function->items.at[i];
    if (!p || p->kind != AST_PARAMETER) return false;
    for (size_t k = 0; k < p->sizes.count; k++)
      if (!p->sizes.at[k]) return false;
  }
  for (size_t k = 0; k < function->sizes.count; k++)
    if (!function->sizes.at[k]) return false;
  return true;
}

Instance *instance_of(Checker *c, Definition *definition, const Shape *key, const Span *argument_at, Span at) {
  if (definition->broken || !is_function(definition->ast) || !is_whole(definition->ast)) {
    c->reported = true;
    return NULL;
  }
  for (Instance *i = definition->instances; i; i = i->next) {
    if (!spend(c, at)) return NULL;
    if (!same_key(i->key, key, definition->ast->items.count)) continue;
    if (i->broken || !i->done) c->reported = true;
    return i->broken || !i->done ? NULL : i;
  }
  Instance *instance = new_instance(c, definition, key);
  uint32_t quiet = c->quiet;
  Saved saved = enter(c, instance);
  c->quiet = quiet;                                 /* the arguments are the caller's matter */
  bind_parameters(c, instance);
  bool fits = match_parameters(c, instance, argument_at);
  if (fits) {
    instance->next = definition->instances;
    definition->instances = instance;
    Trail trail = {instance, at, c->trail};
    c->trail = &trail;
    c->quiet = 0;
    instance->broken = !type_body(c, instance);
    instance->done = true;
    c->trail = trail.below;
  }
  leave(c, &saved);
  if (fits && !instance->broken) return instance;
  c->reported = true;
  return NULL;
}
