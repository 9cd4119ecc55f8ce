/* SPDX-License-Identifier: Apache-2.0 */
/* layer.c -- linear, layer_norm, embedding and param; and the names of everything with weights in one function:
 * all have one, or none has, and one name is one thing. */
#include <stdlib.h>
#include <string.h>
#include "checker.h"

/* ---- names ---- */
bool label_fits(Checker *c, const Call *call, bool weights) {
  if (!call->label) return true;
  if (!weights) {
    report(c, E0402, call->label_at, "`%s` has no weights that this name could stand for", call->name);
    return false;
  }
  if (*call->label) return true;
  report(c, E0402, call->label_at, "the name of a layer has at least one letter");
  return false;
}

void add_site(Checker *c, const Call *call, const void *what) {
  if (c->sites == c->site_room) {
    uint32_t room = c->site_room ? 2 * c->site_room : 8;
    c->site = arena_grow(c->arena, c->site, c->site_room, room, sizeof *c->site);
    c->site_room = room;
  }
  c->site[c->sites++] = (Site){.label = call->label, .at = call->at, .what = what};
}

static int by_label(const void *left, const void *right) {
  const Site *a = left, *b = right;
  int order = strcmp(a->label, b->label);
  if (order != 0) return order;
  return (a->at.from > b->at.from) - (a->at.from < b->at.from);
}

/* Two calls of one network under one name are one instance; anything else under one name is two things in one place. */
static bool check_names(Checker *c, const Instance *instance) {
  Site *site = arena_array(c->arena, c->sites, sizeof *site);
  memcpy(site, c->site, c->sites * sizeof *site);
  qsort(site, c->sites, sizeof *site, by_label);
  bool good = true;
  for (uint32_t i = 1; i < c->sites; i++) {
    if (strcmp(site[i].label, site[i - 1].label) != 0 || site[i].what == site[i - 1].what) continue;
    Diag *diag = report(c, E0404, site[i].at, "two layers of `%s` are called \"%s\"", instance->function.name, site[i].label);
    note(c, diag, site[i - 1].at, "the first one is here");
    help(c, diag, "one tensor for both is a `let` of what the layer gives, or a network called twice under one name");
    good = false;
  }
  return good;
}

bool check_sites(Checker *c, Instance *instance) {
  const Site *named = NULL, *plain = NULL;
  for (uint32_t i = 0; i < c->sites; i++) {
    const Site **kind = c->site[i].label ? &named : &plain;
    if (!*kind) *kind = &c->site[i];
  }
  instance->function.owns_weights = c->sites > 0;
  instance->function.labelled = named && !plain;
  if (!named) return true;
  if (!plain) return check_names(c, instance);
  Diag *diag = report(c, E0403, plain->at, "this has no name, and other layers of `%s` have: name all of them, or none", instance->function.name);
  note(c, diag, named->at, "this one is called \"%s\"", named->label);
  help(c, diag, "named layers find their tensors by name, the others by their order");
  return false;
}

/* ---- layers ---- */
static Typed *make_layer(Checker *c, const Call *call, LayerKind kind, Shape shape, Typed *arg) {
  if (!shape_fits(c, &shape, call->at)) return NULL;
  Typed *typed = new_typed(c, TYPED_LAYER, shape, call->at, arg ? 1 : 0);
  if (arg) typed->arg[0] = arg;
  typed->layer = kind;
  typed->label = call->label;
  typed->no_bias = call->no_bias;
  add_site(c, call, typed);
  return typed;
}

static bool refuse_form(Checker *c, const Call *call, const char *form) {
  Diag *diag = report(c, E0205, call->name_at, "`%s` is written `%s`", call->name, form);
  if (strcmp(call->name, "linear") == 0) help(c, diag, "a number that is no single operand needs parentheses: `linear (2*n + 1)`");
  return false;
}

static Typed *vector_argument(Checker *c, const Call *call) {
  Typed *arg = call_argument(c, call, 0);
  if (!arg || arg->shape.rank == 1) return arg;
  Diag *diag = report(c, E0315, arg->at, "`%s` takes a vector, and this is %s", call->name, shape_text(c->arena, &arg->shape));
  note_origins(c, diag, arg, arg);
  if (arg->shape.rank == 0) help(c, diag, "a scalar becomes a vector of one element in brackets: `[%s]`", text_of(c, arg->at));
  else help(c, diag, "to send every row through the layer: `for i: (h[i] |> %s ...)`", call->name);
  return NULL;
}

static Typed *check_linear(Checker *c, const Call *call) {
  int64_t size;
  if (call_arguments(call) != 2) return refuse_form(c, call, "x |> linear 64"), NULL;
  Typed *arg = vector_argument(c, call);
  if (!extent_of(c, call_written(call, 1), &size) || !arg) return NULL;
  Shape weight = {2, {size, arg->shape.dim[0]}};
  if (!shape_fits(c, &weight, call->at)) return NULL;
  return make_layer(c, call, LAYER_LINEAR, shape_vector(size), arg);
}

static Typed *check_layer_norm(Checker *c, const Call *call) {
  size_t count = call_arguments(call);
  if (count < 1 || count > 2) return refuse_form(c, call, "x |> layer_norm` or `x |> layer_norm 1e-6"), NULL;
  Typed *arg = vector_argument(c, call);
  const Ast *eps = count == 2 ? call_written(call, 1) : NULL;
  if (count == 2 && (!eps || eps->kind != AST_NUMBER || !(eps->number > 0))) {
    report(c, E0405, eps ? eps->at : call->at, "what `layer_norm` adds to the variance is a positive number, as in `layer_norm 1e-6`");
    return NULL;
  }
  Typed *typed = arg ? make_layer(c, call, LAYER_LAYER_NORM, arg->shape, arg) : NULL;
  if (typed) typed->number = eps ? eps->number : 1e-5;
  return typed;
}

static Typed *check_embedding(Checker *c, const Call *call) {
  int64_t count, size;
  if (call_arguments(call) != 3) return refuse_form(c, call, "k |> embedding 10 64"), NULL;
  Typed *arg = call_argument(c, call, 0);
  bool sizes = extent_of(c, call_written(call, 1), &count);
  if (!extent_of(c, call_written(call, 2), &size) || !sizes || !arg) return NULL;
  if (arg->shape.rank > 0) {
    report(c, E0315, arg->at, "`embedding` takes the number of a class, a scalar, and this is %s", shape_text(c->arena, &arg->shape));
    return NULL;
  }
  Shape table = {2, {count, size}};
  if (!shape_fits(c, &table, call->at)) return NULL;
  Typed *typed = make_layer(c, call, LAYER_EMBEDDING, shape_vector(size), arg);
  if (typed) typed->count = count;
  return typed;
}

static Typed *check_param(Checker *c, const Call *call) {
  if (call->piped) return refuse_form(c, call, "param(16) \"W\""), NULL;
  if (!call->label) {
    Diag *diag = report(c, E0405, call->at, "a `param` is a tensor that is found by its name");
    help(c, diag, "give it: `%s \"W\"`", text_of(c, call->at));
    return NULL;
  }
  if (call->args > FLOW_MOST_RANK) {
    report(c, E0312, call->at, "this tensor would have %zu axes, and %d is the most", call->args, FLOW_MOST_RANK);
    return NULL;
  }
  Shape shape = {.rank = (uint32_t)call->args};
  for (uint32_t i = 0; i < shape.rank; i++)
    if (!extent_of(c, call->arg[i], &shape.dim[i])) return NULL;
  return make_layer(c, call, LAYER_PARAM, shape, NULL);
}

Typed *call_layer(Checker *c, const Call *call) {
  if (!c->instance || c->instance->definition->ast->kind != AST_NETWORK) {
    c->reported = true;                             /* by resolve.c */
    return NULL;
  }
  if (!label_fits(c, call, true)) return NULL;
  bool linear = strcmp(call->name, "linear") == 0;
  if (call->no_bias && !linear) {
    report(c, E0405, call->at, "`no bias` belongs to `linear`, and this is `%s`", call->name);
    return NULL;
  }
  if (linear) return check_linear(c, call);
  if (strcmp(call->name, "layer_norm") == 0) return check_layer_norm(c, call);
  return strcmp(call->name, "embedding") == 0 ? check_embedding(c, call) : check_param(c, call);
}
