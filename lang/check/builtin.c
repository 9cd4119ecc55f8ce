/* SPDX-License-Identifier: Apache-2.0 */
/* builtin.c -- the shapes of the functions that the language has without a definition (builtins.def). */
#include "checker.h"

typedef enum { EACH, REDUCE, EXTREME, LAST, DOT, SOLVE, LOGDET, ONE_HOT } Rule;
enum { MOST_ROWS = 64 };           /* of a matrix that is eliminated: unrolled, as products never are */
static const struct { uint32_t least, most; Rule rule; } row[] = {
#define BUILTIN(name, least, most, rule, help) {least, most, rule},
#include "builtins.def"
#undef BUILTIN
};

static Typed *make_builtin(Checker *c, const Call *call, Builtin builtin, Shape shape, Typed *const *arg, uint32_t args) {
  Typed *typed = new_typed(c, TYPED_BUILTIN, shape, call->at, args);
  typed->builtin = builtin;
  for (uint32_t i = 0; i < args; i++) typed->arg[i] = arg[i];
  return typed;
}

static bool is_vector(Checker *c, const Call *call, const Typed *arg) {
  if (arg->shape.rank == 1) return true;
  Diag *diag = report(c, E0314, arg->at, "`%s` takes a vector, and this is %s", call->name, shape_text(c->arena, &arg->shape));
  note_origins(c, diag, arg, arg);
  if (arg->shape.rank > 1) help(c, diag, "of each row it is `for i: %s(a[i])`", call->name);
  return false;
}

static Typed *check_one_hot(Checker *c, const Call *call) {
  Typed *label = call_argument(c, call, 0);
  int64_t size;
  const Ast *written = call_written(call, 1);
  if (!extent_of(c, written, &size) || !label) return NULL;
  if (label->shape.rank > 0) {
    report(c, E0314, label->at, "`one_hot` takes the number of a class, a scalar, and this is %s", shape_text(c->arena, &label->shape));
    return NULL;
  }
  return make_builtin(c, call, BUILTIN_one_hot, shape_vector(size), &label, 1);
}

static Typed *check_each(Checker *c, const Call *call, Builtin builtin, Typed *const *arg, uint32_t args) {
  if (args == 2 && arg[0]->shape.rank && arg[1]->shape.rank && !shape_same(&arg[0]->shape, &arg[1]->shape))
    return refuse_shapes(c, call->name, call->name_at, arg[0], arg[1]);
  Shape shape = arg[0]->shape.rank || args == 1 ? arg[0]->shape : arg[1]->shape;
  return make_builtin(c, call, builtin, shape, arg, args);
}

static Typed *check_dot(Checker *c, const Call *call, Typed *const *arg) {
  if (!is_vector(c, call, arg[0]) || !is_vector(c, call, arg[1])) return NULL;
  if (!shape_same(&arg[0]->shape, &arg[1]->shape)) return refuse_shapes(c, call->name, call->name_at, arg[0], arg[1]);
  return make_builtin(c, call, BUILTIN_dot, shape_scalar(), arg, 2);
}

static bool is_square(Checker *c, const Call *call, const Typed *a) {
  Diag *diag;
  if (a->shape.rank != 2 || a->shape.dim[0] != a->shape.dim[1])
    diag = report(c, E0323, a->at, "`%s` takes a square matrix, and this is %s", call->name, shape_text(c->arena, &a->shape));
  else if (a->shape.dim[0] > MOST_ROWS && call->name[0] == ' ')        /* newton.c */
    diag = report(c, E0218, a->at, "Newton's method finds an inverse of at most %d numbers, and this state has %lld: write the line `inverse(t, y) = ...`", MOST_ROWS,
                  (long long)a->shape.dim[0]);
  else if (a->shape.dim[0] > MOST_ROWS)
    diag = report(c, E0323, a->at, "`%s` takes a matrix of at most %d rows, and this is %s", call->name, MOST_ROWS, shape_text(c->arena, &a->shape));
  else
    return true;
  note_origins(c, diag, a, a);
  return false;
}

static Typed *check_solve(Checker *c, const Call *call, Typed *const *arg) {
  const Typed *a = arg[0], *b = arg[1];
  if (!is_square(c, call, a)) return NULL;
  if ((b->shape.rank == 1 || b->shape.rank == 2) && b->shape.dim[0] == a->shape.dim[0])
    return make_builtin(c, call, BUILTIN_solve, b->shape, arg, 2);
  int64_t n = a->shape.dim[0];
  Diag *diag = report(c, E0323, b->at, "`solve` of a matrix %s takes a vector [%lld] or a matrix of %lld rows, and this is %s",
                      shape_text(c->arena, &a->shape), (long long)n, (long long)n, shape_text(c->arena, &b->shape));
  note_origins(c, diag, a, b);
  return NULL;
}

Typed *call_builtin(Checker *c, const Call *call, Builtin builtin) {
  uint32_t args = (uint32_t)call_arguments(call);
  if (args < row[builtin].least || args > row[builtin].most) {
    c->reported = true;                             /* by resolve.c */
    return NULL;
  }
  if (call->no_bias) {
    report(c, E0405, call->at, "`no bias` belongs to `linear`, and `%s` has no weights", call->name);
    return NULL;
  }
  if (row[builtin].rule == ONE_HOT) return check_one_hot(c, call);
  Typed *arg[2] = {NULL, NULL};
  bool good = true;
  for (uint32_t i = 0; i < args; i++) good = (arg[i] = call_argument(c, call, i)) != NULL && good;
  if (!good) return NULL;
  switch (row[builtin].rule) {
  case DOT: return check_dot(c, call, arg);
  case SOLVE: return check_solve(c, call, arg);
  case LOGDET: return is_square(c, call, arg[0]) ? make_builtin(c, call, builtin, shape_scalar(), arg, 1) : NULL;
  case LAST: return is_vector(c, call, arg[0]) ? make_builtin(c, call, builtin, arg[0]->shape, arg, 1) : NULL;
  case EXTREME: if (args == 2) return check_each(c, call, builtin, arg, args); /* fall through */
  case REDUCE: return is_vector(c, call, arg[0]) ? make_builtin(c, call, builtin, shape_scalar(), arg, 1) : NULL;
  default: return check_each(c, call, builtin, arg, args);
  }
}
