/* SPDX-License-Identifier: Apache-2.0 */
/* lower_derivative.c -- div(f)(t, x) and its like: the body of f is inlined as in a call, and then differentiated in place.
 *
 * In a loop, f is differentiated at many points at once: `for k: div(u)(t, x - m[k])`.  The variable then has an axis for
 * every loop that any argument depends on, so that no two points share an element of it: a product from the left (vjp)
 * would else add their derivatives. */
#include "derive.h"
#include "lower.h"

static Shape shape_of_vector(const Typed *e) {
  return e->derivative == DERIVATIVE_JVP ? e->callee->parameter[e->slot] : e->callee->result->shape;
}

Stretch *lower_begin_derivative(Lowering *l, const Typed *e, Value *arg) {
  Stretch *s = arena_alloc(l->f->arena, sizeof *s);
  uint32_t parameters = e->callee->parameters;
  for (uint32_t i = 0; i < e->args; i++) lower_add_loops(l, &s->over, &arg[i]);
  if (e->args > parameters) {
    Shape own = shape_of_vector(e);
    s->vector = lower_spread(l, &arg[parameters], &s->over, &own, e->at);
  }
  Value *x = &arg[e->slot];
  Ref spread = lower_spread(l, x, &s->over, &e->callee->parameter[e->slot], e->at);
  if (l->failed) return s;
  s->from = l->f->nodes;
  *x = s->over;
  x->ref = s->variable = ir_variable(l->f, spread, e->at);
  return s;
}

/* Ones of the shape of a node: the direction along which one number grows, the weight of one result. */
static Ref ones(Lowering *l, Ref like, Span at) {
  Shape shape = l->f->node[like].shape;
  return ir_number(l->f, &shape, 1, at);
}

Value lower_end_derivative(Lowering *l, const Typed *e, const Stretch *s, const Value *value) {
  IrFunction *f = l->f;
  Value result = s->over;
  uint32_t own = e->callee->parameter[e->slot].rank;
  Ref y = lower_spread(l, value, &s->over, &e->callee->result->shape, e->at);
  if (l->failed) return *value;
  switch (e->derivative) {
  case DERIVATIVE_JVP: result.ref = ir_jvp(f, s->from, y, s->variable, s->vector, e->at); break;
  case DERIVATIVE_VJP: result.ref = ir_vjp(f, s->from, y, s->variable, s->vector, e->at); break;
  case DERIVATIVE_GRAD: result.ref = ir_vjp(f, s->from, y, s->variable, ones(l, y, e->at), e->at); break;
  case DERIVATIVE_DIV:
    if (own > 0) {
      result.ref = ir_divergence(f, s->from, y, s->variable, own, e->at);
      break;
    } /* fall through */
  case DERIVATIVE_DDT: result.ref = ir_jvp(f, s->from, y, s->variable, ones(l, s->variable, e->at), e->at); break;
  }
  if (result.ref == IR_NONE) {
    lower_too_large(l, e->at, "a value that is differentiated has 6 axes, those of the loops around it counted, and a direction is one more");
    return *value;
  }
  return result;
}
