/* SPDX-License-Identifier: Apache-2.0 */
/* call.c -- f(a, b), whoever f is; a function of scalars goes through tensors element by element. */
#include "checker.h"

size_t call_arguments(const Call *call) { return call->args + (call->piped ? 1 : 0); }

Typed *call_argument(Checker *c, const Call *call, size_t i) {
  if (call->piped && i == 0) return call->piped;
  size_t k = call->piped ? i - 1 : i;
  if (call->once && call->once[k]) return call->once[k];
  uint32_t sites = c->sites;
  Typed *typed = check_number(c, call->arg[k]);
  if (!typed || !call->once) return typed;
  if (c->sites > sites) {
    Diag *diag = report(c, E0406, typed->at, "this argument of `repeat` has layers: would there be one of each, or one for every turn?");
    help(c, diag, "give it a name with `let` before; then there is one");
    return NULL;
  }
  return call->once[k] = typed;
}

const Ast *call_written(const Call *call, size_t i) {
  if (call->piped) return i == 0 ? NULL : call->arg[i - 1];
  return call->arg[i];
}

bool call_size(Checker *c, const Call *call, size_t i, int64_t *size) {
  const Ast *written = call_written(call, i);
  if (written) return size_of(c, written, size);
  report(c, E0301, call->name_at, "the first argument of `%s` is a size, and a pipe brings a value that is known only when the program runs", call->name);
  return false;
}

/* ---- definitions ---- */
bool check_arguments(Checker *c, const Call *call, const Ast *definition, Arguments *a) {
  bool good = true;
  a->count = definition->items.count;
  a->arg = arena_array(c->arena, a->count + 1, sizeof *a->arg);
  a->key = arena_array(c->arena, a->count + 1, sizeof *a->key);
  a->at = arena_array(c->arena, a->count + 1, sizeof *a->at);
  for (size_t i = 0; i < a->count; i++) {
    const Ast *written = call_written(call, i);
    a->at[i] = written ? written->at : call->piped->at;
    if (definition->items.at[i]->is_dim) {
      good = call_size(c, call, i, &a->key[i].dim[0]) && good;
    } else {
      a->arg[i] = call_argument(c, call, i);
      if (a->arg[i]) a->key[i] = a->arg[i]->shape;
      good = a->arg[i] != NULL && good;
    }
  }
  return good;
}

static Typed *make_call(Checker *c, const Call *call, Instance *instance, const Arguments *a) {
  Typed *typed = new_typed(c, TYPED_CALL, instance->function.result->shape, call->at, instance->function.parameters);
  uint32_t n = 0;
  for (size_t i = 0; i < a->count; i++)
    if (a->arg[i]) typed->arg[n++] = a->arg[i];
  typed->callee = &instance->function;
  typed->label = call->label;
  return typed;
}

/* ---- element by element ---- */
static bool maps(const Ast *definition, const Arguments *a) {
  bool any = false;
  if (definition->kind != AST_FN) return false;
  for (size_t i = 0; i < a->count; i++) {
    if (definition->items.at[i]->has_shape) return false;
    any = any || a->key[i].rank > 0;
  }
  return any;
}

static const Typed *widest(const Arguments *a) {
  const Typed *wide = NULL;
  for (size_t i = 0; i < a->count; i++)
    if (a->arg[i] && (!wide || a->arg[i]->shape.rank > wide->shape.rank)) wide = a->arg[i];
  return wide;
}

static bool join_shapes(Checker *c, const Call *call, const Arguments *a, const Typed *wide) {
  for (size_t i = 0; i < a->count; i++) {
    const Typed *arg = a->arg[i];
    if (!arg || arg->shape.rank == 0 || shape_same(&arg->shape, &wide->shape)) continue;
    refuse_shapes(c, call->name, call->name_at, wide, arg);
    return false;
  }
  return true;
}

static Typed *element_of(Checker *c, Typed *arg, uint32_t first_loop) {
  if (arg->shape.rank == 0) return arg;
  Typed *element = new_typed(c, TYPED_INDEX, shape_scalar(), arg->at, 1);
  element->arg[0] = arg;
  element->index = arena_array(c->arena, arg->shape.rank, sizeof *element->index);
  for (uint32_t axis = 0; axis < arg->shape.rank; axis++) {
    TypedIndex *index = &element->index[axis];
    *index = (TypedIndex){.terms = 1, .length = -1};
    index->variable = arena_array(c->arena, 1, sizeof *index->variable);
    index->scale = arena_array(c->arena, 1, sizeof *index->scale);
    index->variable[0] = first_loop + axis;
    index->scale[0] = 1;
  }
  return element;
}

static Typed *wrap_loops(Checker *c, Typed *body, const Shape *shape, uint32_t first_loop, Span at) {
  for (uint32_t axis = shape->rank; axis-- > 0;) {
    Shape here = {.rank = shape->rank - axis};
    for (uint32_t i = axis; i < shape->rank; i++) here.dim[i - axis] = shape->dim[i];
    Typed *loop = new_typed(c, TYPED_FOR, here, at, 1);
    loop->slot = first_loop + axis;
    loop->count = shape->dim[axis];
    loop->arg[0] = body;
    body = loop;
  }
  return body;
}

static Typed *map_call(Checker *c, const Call *call, Definition *definition, Arguments *a) {
  const Typed *wide = widest(a);
  if (!join_shapes(c, call, a, wide)) return NULL;
  for (size_t i = 0; i < a->count; i++)
    if (a->arg[i]) a->key[i] = shape_scalar();
  Instance *instance = instance_of(c, definition, a->key, a->at, call->at);
  if (!instance) return NULL;
  if (!owns_its_weights(c, call, instance)) return NULL;
  const Shape *result = &instance->function.result->shape, shape = wide->shape;
  if (result->rank > 0) {
    Diag *diag = report(c, E0319, wide->at, "`%s` takes scalars and gives %s, so it does not go through %s element by element",
                        call->name, shape_text(c->arena, result), shape_text(c->arena, &shape));
    help(c, diag, "say what becomes of the elements: `for i: %s(v[i])` has a row for each", call->name);
    return NULL;
  }
  uint32_t first_loop = c->loops;
  c->loops += shape.rank;
  for (size_t i = 0; i < a->count; i++)
    if (a->arg[i]) a->arg[i] = element_of(c, a->arg[i], first_loop);
  return wrap_loops(c, make_call(c, call, instance, a), &shape, first_loop, call->at);
}

bool owns_its_weights(Checker *c, const Call *call, Instance *instance) {
  if (!label_fits(c, call, instance->function.owns_weights)) return false;
  if (!instance->function.owns_weights) return true;
  const Definition *caller = c->instance ? c->instance->definition : NULL;
  if (!may_call_networks(caller)) {
    refuse_network(c, caller ? caller->ast : NULL, call->name, call->name_at);
    return false;
  }
  add_site(c, call, instance);
  return true;
}

Typed *call_definition(Checker *c, const Call *call, Definition *definition) {
  const Ast *ast = definition->ast;
  if (definition->broken || !is_function(ast) || !is_whole(ast) || ast->items.count != call_arguments(call)) {
    c->reported = true;
    return NULL;
  }
  Arguments a;
  if (!check_arguments(c, call, ast, &a)) return NULL;
  if (maps(ast, &a)) return label_fits(c, call, false) ? map_call(c, call, definition, &a) : NULL;
  Instance *instance = instance_of(c, definition, a.key, a.at, call->at);
  return instance && owns_its_weights(c, call, instance) ? make_call(c, call, instance, &a) : NULL;
}

/* ---- all calls ---- */
Typed *check_call(Checker *c, const Call *call) {
  Symbol *symbol = symbol_of(c, call->name);
  Builtin builtin;
  Typed *typed = NULL;
  if (local_of(c, symbol)) {
    c->reported = true;                             /* by resolve.c, as the last case */
  } else if (symbol->definition) {
    if (call->no_bias) report(c, E0405, call->at, "`no bias` belongs to `linear`, and `%s` is %s", call->name, definition_kind(symbol->definition->ast));
    else typed = call_definition(c, call, symbol->definition);
  } else if (builtin_of(call->name, &builtin)) {
    if (label_fits(c, call, false)) typed = call_builtin(c, call, builtin);
  } else if (is_layer_word(call->name)) {
    typed = call_layer(c, call);
  } else {
    c->reported = true;
  }
  return typed;
}
