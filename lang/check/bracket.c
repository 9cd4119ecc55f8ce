/* SPDX-License-Identifier: Apache-2.0 */
/* bracket.c -- `[a, b]` joins scalars and vectors end to end; a bracket that holds only brackets is a matrix by rows. */
#include <string.h>
#include "checker.h"

static bool is_row(const Ast *item) { return item && item->kind == AST_BRACKET && !item->parenthesised; }

static Typed *refuse_mixture(Checker *c, const Ast *other, const Ast *row) {
  Diag *diag = report(c, E0310, other->at, "this bracket holds rows and something else: is it a matrix or a vector?");
  note(c, diag, row->at, "this is a row");
  help(c, diag, "as a row it is `[%s]`", text_of(c, other->at));
  return NULL;
}

static Typed *make_stack(Checker *c, const Ast *ast, Typed *stack) {
  Typed *first = stack->arg[0];
  for (uint32_t i = 1; i < stack->args; i++) {
    Typed *row = stack->arg[i];
    if (shape_same(&row->shape, &first->shape)) continue;
    Diag *diag = report(c, E0310, row->at, "the rows of a matrix have one shape, but this is %s and the first is %s",
                        shape_text(c->arena, &row->shape), shape_text(c->arena, &first->shape));
    note(c, diag, first->at, "the first row is here");
    return NULL;
  }
  if (first->shape.rank == FLOW_MOST_RANK) {
    report(c, E0312, ast->at, "this value would have %d axes, and %d is the most", FLOW_MOST_RANK + 1, FLOW_MOST_RANK);
    return NULL;
  }
  Shape shape = {.rank = first->shape.rank + 1};
  shape.dim[0] = stack->args;
  memcpy(shape.dim + 1, first->shape.dim, first->shape.rank * sizeof *shape.dim);
  stack->kind = TYPED_STACK;
  stack->shape = shape;
  return shape_fits(c, &shape, ast->at) ? stack : NULL;
}

static Typed *make_concat(Checker *c, const Ast *ast, Typed *concat) {
  int64_t length = 0;
  for (uint32_t i = 0; i < concat->args; i++) {
    Typed *item = concat->arg[i];
    if (item->shape.rank >= 2) {
      Diag *diag = report(c, E0310, item->at, "`[ ]` joins scalars and vectors, and this is %s", shape_text(c->arena, &item->shape));
      note_origins(c, diag, item, item);
      help(c, diag, "rows are stacked by brackets in a bracket, `[[a, b], [c, d]]`, or by `for i: ...`");
      return NULL;
    }
    length += item->shape.rank ? item->shape.dim[0] : 1;          /* at most 2^24 for each of at most 2^32 items */
  }
  concat->shape = shape_vector(length);
  return shape_fits(c, &concat->shape, ast->at) ? concat : NULL;
}

Typed *check_bracket(Checker *c, const Ast *ast) {
  if (ast->items.count == 0) {
    report(c, E0310, ast->at, "`[]` has no elements, and a size is at least 1");
    return NULL;
  }
  size_t rows = 0;
  const Ast *row = NULL, *other = NULL;
  for (size_t i = 0; i < ast->items.count; i++) {
    const Ast *item = ast->items.at[i];
    if (!item || item->kind == AST_ERROR) return NULL;
    if (is_row(item)) rows++, row = item;
    else if (!other) other = item;
  }
  if (row && other) return refuse_mixture(c, other, row);
  Typed *typed = new_typed(c, TYPED_CONCAT, shape_scalar(), ast->at, (uint32_t)ast->items.count);
  bool good = true;
  for (uint32_t i = 0; i < typed->args; i++) good = (typed->arg[i] = check_number(c, ast->items.at[i])) != NULL && good;
  if (!good) return NULL;
  return rows ? make_stack(c, ast, typed) : make_concat(c, ast, typed);
}
