/* SPDX-License-Identifier: Apache-2.0 */
/* compile_map.c -- a flow that is given by a map, as one function: from the state at one end to that at the other.
 *
 *   jump(t, x, conditions ..) = map(t', inverse(t, x, conditions ..), conditions ..),    t' the flow's other end, seen from t
 *   path(t, x, conditions ..) = map(t, inverse(t0, x, conditions ..), conditions ..),    t0 the flow's start
 *
 * written as the checker would have typed it, and lowered like any function. */
#include "compiled.h"

static Typed *node(FlowCompiled *c, TypedKind kind, const Shape *shape, uint32_t args) {
  Typed *e = arena_alloc(&c->arena, sizeof *e);
  *e = (Typed){.kind = kind, .args = args, .at = c->flow->at};
  if (shape) e->shape = *shape;
  e->arg = arena_array(&c->arena, args + 1, sizeof *e->arg);
  return e;
}

static Typed *number(FlowCompiled *c, double value) {
  Typed *e = node(c, TYPED_NUMBER, NULL, 0);
  e->number = value;
  return e;
}

static Typed *parameter(FlowCompiled *c, const TypedFunction *of, uint32_t slot) {
  Typed *e = node(c, TYPED_PARAMETER, &of->parameter[slot], 0);
  e->slot = slot;
  return e;
}

/* if t == to then from else to */
static Typed *other_end(FlowCompiled *c, const TypedFunction *of) {
  Typed *same = node(c, TYPED_EQUAL, NULL, 2), *choice = node(c, TYPED_IF, NULL, 3);
  same->truth = true;
  same->arg[0] = parameter(c, of, 0);
  same->arg[1] = number(c, c->flow->time_to);
  choice->arg[0] = same;
  choice->arg[1] = number(c, c->flow->time_from);
  choice->arg[2] = number(c, c->flow->time_to);
  return choice;
}

static Typed *call(FlowCompiled *c, const TypedFunction *callee, const TypedFunction *in, Typed *t, Typed *x) {
  Typed *e = node(c, TYPED_CALL, &callee->result->shape, callee->parameters);
  e->callee = (TypedFunction *)callee;
  e->arg[0] = t;
  e->arg[1] = x;
  for (uint32_t i = 2; i < callee->parameters; i++) e->arg[i] = parameter(c, in, i);
  return e;
}

static TypedFunction *function_like(FlowCompiled *c, const TypedFunction *map) {
  TypedFunction *function = arena_alloc(&c->arena, sizeof *function);
  *function = *map;             /* name, parameters, definition */
  function->lets = 0;
  function->loops = 0;
  return function;
}

TypedFunction *compile_jump(FlowCompiled *c) {
  const TypedFunction *map = c->flow->map, *inverse = c->flow->inverse;
  TypedFunction *jump = function_like(c, map);
  Typed *x0 = call(c, inverse, jump, parameter(c, jump, 0), parameter(c, jump, 1));
  jump->result = call(c, map, jump, other_end(c, jump), x0);
  return jump;
}

TypedFunction *compile_path(FlowCompiled *c) {
  const TypedFunction *map = c->flow->map, *inverse = c->flow->inverse;
  TypedFunction *path = function_like(c, map);
  Typed *x0 = call(c, inverse, path, number(c, c->flow->time_from), parameter(c, path, 1));
  path->result = call(c, map, path, parameter(c, path, 0), x0);
  return path;
}
