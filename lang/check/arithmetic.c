/* SPDX-License-Identifier: Apache-2.0 */
/* arithmetic.c -- operators: element by element on equal shapes or with a scalar, and `@`. */
#include <string.h>
#include "checker.h"

static const char *const op_text[] = {
  [AST_ADD] = "+", [AST_SUBTRACT] = "-", [AST_MULTIPLY] = "*", [AST_DIVIDE] = "/", [AST_MATMUL] = "@",
  [AST_LESS] = "<", [AST_LESS_EQUAL] = "<=", [AST_GREATER] = ">", [AST_GREATER_EQUAL] = ">=",
  [AST_EQUAL] = "==", [AST_NOT_EQUAL] = "!="};

static const TypedKind op_kind[] = {
  [AST_ADD] = TYPED_ADD, [AST_SUBTRACT] = TYPED_SUBTRACT, [AST_MULTIPLY] = TYPED_MULTIPLY, [AST_DIVIDE] = TYPED_DIVIDE,
  [AST_MATMUL] = TYPED_MATMUL, [AST_LESS] = TYPED_LESS, [AST_LESS_EQUAL] = TYPED_LESS_EQUAL, [AST_GREATER] = TYPED_GREATER,
  [AST_GREATER_EQUAL] = TYPED_GREATER_EQUAL, [AST_EQUAL] = TYPED_EQUAL, [AST_NOT_EQUAL] = TYPED_NOT_EQUAL};

static Span operands_at(const Typed *left, const Typed *right) {
  return (Span){left->at.from < right->at.from ? left->at.from : right->at.from,
                left->at.to > right->at.to ? left->at.to : right->at.to};
}

/* ---- clashes ---- */
static bool is_one(const Shape *s) { return s->rank == 1 && s->dim[0] == 1; }

Typed *refuse_shapes(Checker *c, const char *op, Span at, const Typed *left, const Typed *right) {
  Diag *diag = report(c, E0302, at, "`%s` joins equal shapes, or a scalar and any, but these are %s and %s", op,
                      shape_text(c->arena, &left->shape), shape_text(c->arena, &right->shape));
  note(c, diag, left->at, "this is %s", shape_text(c->arena, &left->shape));
  note(c, diag, right->at, "this is %s", shape_text(c->arena, &right->shape));
  note_origins(c, diag, left, right);
  const Typed *one = is_one(&left->shape) ? left : is_one(&right->shape) ? right : NULL;
  if (one) {
    bool operand = one->kind == TYPED_PARAMETER || one->kind == TYPED_LET || one->kind == TYPED_GLOBAL;
    const char *text = operand ? text_of(c, one->at) : "v";
    if (operand) fix(c, diag, one->at, "%s[0]", text);
    help(c, diag, "a vector of one element is no scalar: take the element, `%s[0]`", text);
  }
  return NULL;
}

static Typed *make_each(Checker *c, TypedKind kind, const char *op, Span at, Typed *left, Typed *right) {
  if (left->shape.rank && right->shape.rank && !shape_same(&left->shape, &right->shape))
    return refuse_shapes(c, op, at, left, right);
  Typed *typed = new_typed(c, kind, left->shape.rank ? left->shape : right->shape, operands_at(left, right), 2);
  typed->arg[0] = left;
  typed->arg[1] = right;
  return typed;
}

/* ---- @ ---- */
static Typed *refuse_product(Checker *c, Span at, const Typed *left, const Typed *right) {
  const Shape *a = &left->shape, *b = &right->shape;
  if (!a->rank || !b->rank) {
    Diag *diag = report(c, E0317, at, "`@` sums over an axis of both sides, and one of these is a scalar: %s and %s",
                        shape_text(c->arena, a), shape_text(c->arena, b));
    fix(c, diag, at, "*");
    help(c, diag, "a scalar times anything is `*`");
    return NULL;
  }
  Diag *diag = report(c, E0317, at, "`@` sums over the last axis of the left and the first of the right, but these are %s and %s",
                      shape_text(c->arena, a), shape_text(c->arena, b));
  note_origins(c, diag, left, right);
  if (b->dim[b->rank - 1] == a->dim[0] && (b->rank == 1) != (a->rank == 1)) {
    fix(c, diag, operands_at(left, right), "%s @ %s", text_of(c, right->at), text_of(c, left->at));
    help(c, diag, "the other way round it fits: `%s @ %s`", text_of(c, right->at), text_of(c, left->at));
  } else if (a->rank == 2 && a->dim[0] == b->dim[0]) {
    help(c, diag, "the transpose of the left would fit: `for j: for i: a[i, j]` is the transpose of a");
  } else if (b->rank == 2 && a->dim[a->rank - 1] == b->dim[1]) {
    help(c, diag, "the transpose of the right would fit: `for j: for i: a[i, j]` is the transpose of a");
  }
  return NULL;
}

static Typed *make_product(Checker *c, Span at, Typed *left, Typed *right) {
  const Shape *a = &left->shape, *b = &right->shape;
  if (!a->rank || !b->rank || a->dim[a->rank - 1] != b->dim[0]) return refuse_product(c, at, left, right);
  Span whole = operands_at(left, right);
  if (a->rank + b->rank - 2 > FLOW_MOST_RANK) {
    report(c, E0312, whole, "this product would have %u axes, and %d is the most", a->rank + b->rank - 2, FLOW_MOST_RANK);
    return NULL;
  }
  Shape shape = {.rank = a->rank + b->rank - 2};
  memcpy(shape.dim, a->dim, (a->rank - 1) * sizeof *shape.dim);
  memcpy(shape.dim + a->rank - 1, b->dim + 1, (b->rank - 1) * sizeof *shape.dim);
  if (!shape_fits(c, &shape, whole)) return NULL;
  Typed *typed = new_typed(c, TYPED_MATMUL, shape, whole, 2);
  typed->arg[0] = left;
  typed->arg[1] = right;
  return typed;
}

/* ---- chains, powers, comparisons ---- */
Typed *check_chain(Checker *c, const Ast *ast) {
  Typed *sum = check_number(c, ast->items.at[0]);
  bool good = sum != NULL;
  for (size_t i = 1; i < ast->items.count; i++) {
    Typed *right = check_number(c, ast->items.at[i]);
    if (!right) good = false;
    if (!good) {
      sum = NULL;                                   /* what follows is still looked into, for errors of its own */
      continue;
    }
    AstOp op = ast->ops[i - 1];
    Span at = ast->op_at[i - 1];
    sum = op == AST_MATMUL ? make_product(c, at, sum, right) : make_each(c, op_kind[op], op_text[op], at, sum, right);
    good = sum != NULL;
  }
  return good ? sum : NULL;
}

Typed *check_power(Checker *c, const Ast *ast) {
  Typed *base = check_number(c, ast->items.at[0]), *exponent = check_number(c, ast->items.at[1]);
  if (!base || !exponent) return NULL;
  if (base->shape.rank >= 2 || exponent->shape.rank >= 2) {
    const Typed *wide = base->shape.rank >= 2 ? base : exponent;
    Diag *diag = report(c, E0316, wide->at, "`^` of a matrix could mean two things, and this is %s", shape_text(c->arena, &wide->shape));
    help(c, diag, "element by element it is `a * a` or `for i: for j: a[i, j]^2`; the product of matrices is `a @ a`");
    return NULL;
  }
  Typed *typed = make_each(c, TYPED_POWER, "^", ast->name_at.to > ast->name_at.from ? ast->name_at : ast->at, base, exponent);
  if (typed) typed->at = ast->at;
  return typed;
}

Typed *check_compare(Checker *c, const Ast *ast) {
  Typed *left = check_number(c, ast->items.at[0]), *right = check_number(c, ast->items.at[1]);
  if (!left || !right) return NULL;
  AstOp op = ast->ops[0];
  if (left->shape.rank || right->shape.rank) {
    const Typed *wide = left->shape.rank ? left : right;
    Diag *diag = report(c, E0320, wide->at, "`%s` compares scalars, and this is %s", op_text[op], shape_text(c->arena, &wide->shape));
    note_origins(c, diag, wide, wide);
    help(c, diag, "compare one element, `v[0] %s 0`, or a reduction, `max(v) %s 0`; a choice for each element is a `fn` of one number", op_text[op], op_text[op]);
    return NULL;
  }
  Typed *typed = new_typed(c, op_kind[op], shape_scalar(), ast->at, 2);
  typed->truth = true;
  typed->arg[0] = left;
  typed->arg[1] = right;
  return typed;
}
