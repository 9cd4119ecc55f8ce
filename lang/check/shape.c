/* SPDX-License-Identifier: Apache-2.0 */
/* shape.c -- shapes as values: equality, bounds, how they look, and where in the text one comes from. */
#include <stdio.h>
#include <string.h>
#include "checker.h"

Shape shape_scalar(void) { return (Shape){0}; }
Shape shape_vector(int64_t n) { return (Shape){1, {n}}; }

bool shape_same(const Shape *a, const Shape *b) {
  if (a->rank != b->rank) return false;
  for (uint32_t i = 0; i < a->rank; i++)
    if (a->dim[i] != b->dim[i]) return false;
  return true;
}

int64_t shape_elements(const Shape *shape) {
  int64_t n = 1;
  for (uint32_t i = 0; i < shape->rank; i++)
    if (__builtin_mul_overflow(n, shape->dim[i], &n)) return INT64_MAX;
  return n;
}

bool shape_fits(Checker *c, const Shape *shape, Span at) {
  if (shape_elements(shape) <= MOST_ELEMENTS) return true;
  report(c, E0312, at, "this value would be %s: more than the 2^24 = %lld elements that a value may have",
         shape_text(c->arena, shape), (long long)MOST_ELEMENTS);
  return false;
}

const char *shape_text(Arena *arena, const Shape *shape) {
  if (shape->rank == 0) return "a scalar";
  char text[FLOW_MOST_RANK * 24 + 4] = "[";
  size_t used = 1;
  for (uint32_t i = 0; i < shape->rank; i++)
    used += (size_t)snprintf(text + used, sizeof text - used, "%s%lld", i ? ", " : "", (long long)shape->dim[i]);
  text[used++] = ']';
  return arena_text(arena, text, used);
}

/* The declaration, literal or layer that fixed the shape: elementwise operations hand it on. */
Span shape_origin(const Checker *c, const Typed *typed) {
  for (;;) {
    const Typed *from = NULL;
    switch (typed->kind) {
    case TYPED_PARAMETER:
      return c->instance && c->instance->parameter_at ? c->instance->parameter_at[typed->slot] : typed->at;
    case TYPED_LET:
      from = c->instance ? c->instance->function.let[typed->slot] : NULL;
      break;
    case TYPED_GLOBAL:
      from = typed->global->value;
      break;
    case TYPED_NEGATE: case TYPED_ADD: case TYPED_SUBTRACT: case TYPED_MULTIPLY: case TYPED_DIVIDE: case TYPED_POWER:
    case TYPED_BUILTIN:
      for (uint32_t i = 0; i < typed->args && !from; i++)
        if (shape_same(&typed->arg[i]->shape, &typed->shape)) from = typed->arg[i];
      break;
    default:
      break;
    }
    if (!from) return typed->at;
    typed = from;
  }
}

static void note_origin(Checker *c, Diag *diag, const Typed *typed) {
  if (typed->shape.rank == 0) return;
  Span from = shape_origin(c, typed);
  if (from.from == typed->at.from && from.to == typed->at.to) return;
  if (in_prelude(c, from)) return;
  note(c, diag, from, "%s comes from here", shape_text(c->arena, &typed->shape));
}

void note_origins(Checker *c, Diag *diag, const Typed *left, const Typed *right) {
  note_origin(c, diag, left);
  if (left != right) note_origin(c, diag, right);
}
