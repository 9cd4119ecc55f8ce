/* SPDX-License-Identifier: Apache-2.0 */
/* index.c -- a[i, j], v[2:5]: every index is checked against its axis for all values of the counters in it. */
#include "checker.h"

/* The least and the greatest value; false where a counter's range is not known yet. */
static bool bounds_of(const Affine *a, int64_t *least, int64_t *most) {
  *least = *most = a->base;
  for (uint32_t i = 0; i < a->terms; i++) {
    int64_t reach;
    if (a->loop[i]->size == UNKNOWN_EXTENT) return false;
    if (__builtin_mul_overflow(a->scale[i], a->loop[i]->size - 1, &reach)) reach = a->scale[i] < 0 ? INT64_MIN : INT64_MAX;
    int64_t *end = reach < 0 ? least : most;
    if (__builtin_add_overflow(*end, reach, end)) *end = reach < 0 ? INT64_MIN : INT64_MAX;
  }
  return true;
}

static bool within(Checker *c, const Affine *a, int64_t length, const Typed *base, uint32_t axis, const Ast *selector) {
  int64_t least, most, extent = base->shape.dim[axis];
  if (!bounds_of(a, &least, &most)) return true;
  if (least >= 0 && most <= extent - length) return true;
  int64_t wrong = least < 0 ? least : most + length - 1;
  Diag *diag;
  if (a->terms == 0 && length == 1)
    diag = report(c, E0305, selector->at, "there is no element %lld: this axis has %lld, from 0 to %lld", (long long)wrong, (long long)extent, (long long)extent - 1);
  else if (a->terms == 0)
    diag = report(c, E0305, selector->at, "this slice reaches element %lld, and the axis has %lld, from 0 to %lld", (long long)wrong, (long long)extent, (long long)extent - 1);
  else
    diag = report(c, E0305, selector->at, "this index reaches %lld, and the axis has %lld elements, from 0 to %lld", (long long)wrong, (long long)extent, (long long)extent - 1);
  for (uint32_t i = 0; i < a->terms; i++)
    note(c, diag, a->loop[i]->at, "`%s` runs from 0 to %lld", a->loop[i]->symbol->name, (long long)a->loop[i]->size - 1);
  Span from = shape_origin(c, base);
  if (!in_prelude(c, from)) note(c, diag, from, "%s comes from here", shape_text(c->arena, &base->shape));
  if (a->terms == 0 && length == 1 && wrong == extent) help(c, diag, "indices count from 0: the last element is [%lld]", (long long)extent - 1);
  return false;
}

static void set_terms(Checker *c, TypedIndex *index, const Affine *a) {
  index->base = a->base;
  index->terms = a->terms;
  if (!a->terms) return;
  index->variable = arena_array(c->arena, a->terms, sizeof *index->variable);
  index->scale = arena_array(c->arena, a->terms, sizeof *index->scale);
  for (uint32_t i = 0; i < a->terms; i++) {
    index->variable[i] = a->loop[i]->slot;
    index->scale[i] = a->scale[i];
  }
}

static bool same_terms(const Affine *a, const Affine *b) {
  if (a->terms != b->terms) return false;
  for (uint32_t i = 0; i < a->terms; i++) {
    uint32_t k = 0;
    while (k < b->terms && b->loop[k] != a->loop[i]) k++;
    if (k == b->terms || b->scale[k] != a->scale[i]) return false;
  }
  return true;
}

static bool slice(Checker *c, const Ast *selector, const Typed *base, uint32_t axis, TypedIndex *index) {
  const Ast *first = selector->items.at[0], *last = selector->items.at[1];
  Affine from = {0}, to = {.base = base->shape.dim[axis]};
  if (first && !affine_of(c, first, &from)) return false;
  if (last && !affine_of(c, last, &to)) return false;
  int64_t length;
  if (!same_terms(&from, &to) || __builtin_sub_overflow(to.base, from.base, &length)) {
    report(c, E0308, selector->at, "the length of this slice would change with a counter");
    return false;
  }
  if (length < 1) {
    report(c, E0305, selector->at, "this slice has no elements: it ends before element %lld and begins at %lld", (long long)to.base, (long long)from.base);
    return false;
  }
  if (!within(c, &from, length, base, axis, selector)) return false;
  set_terms(c, index, &from);
  index->length = length;
  return true;
}

static bool element(Checker *c, const Ast *selector, const Typed *base, uint32_t axis, TypedIndex *index) {
  Affine a;
  if (!affine_of(c, selector, &a) || !within(c, &a, 1, base, axis, selector)) return false;
  set_terms(c, index, &a);
  index->length = -1;
  return true;
}

static Typed *refuse_rank(Checker *c, const Ast *ast, const Typed *base, size_t selectors) {
  Diag *diag;
  if (base->shape.rank == 0)
    diag = report(c, E0309, ast->at, "a scalar has no elements to index");
  else
    diag = report(c, E0309, ast->at, "%zu indices, but %s has %u ax%s", selectors, shape_text(c->arena, &base->shape), base->shape.rank, base->shape.rank == 1 ? "is" : "es");
  note_origins(c, diag, base, base);
  return NULL;
}

/* m[k] for a k that was chosen when the program runs (a draw line): one_hot(k) @ m. */
static Typed *chosen_row(Checker *c, const Ast *selector, const Binding *k, Typed *base) {
  int64_t rows = base->shape.dim[0];
  if (k->size > rows) {
    Diag *diag = report(c, E0305, selector->at, "`%s` is chosen from 0 to %lld, and the axis has %lld elements", k->symbol->name, (long long)k->size - 1, (long long)rows);
    note_origins(c, diag, base, base);
    return NULL;
  }
  Shape shape = {.rank = base->shape.rank - 1};
  for (uint32_t axis = 0; axis < shape.rank; axis++) shape.dim[axis] = base->shape.dim[axis + 1];
  Typed *label = new_typed(c, TYPED_PARAMETER, shape_scalar(), selector->at, 0);
  Typed *hot = new_typed(c, TYPED_BUILTIN, shape_vector(rows), selector->at, 1);
  Typed *row = new_typed(c, TYPED_MATMUL, shape, base->at, 2);
  label->slot = k->slot;
  hot->builtin = BUILTIN_one_hot;
  hot->arg[0] = label;
  row->arg[0] = hot;
  row->arg[1] = base;
  return row;
}

static const Binding *chosen(Checker *c, const Ast *selector) {
  const Binding *b = selector && selector->kind == AST_NAME ? local_of(c, symbol_of(c, selector->name)) : NULL;
  return b && b->kind == BOUND_PARAMETER && b->size > 0 ? b : NULL;
}

Typed *check_index(Checker *c, const Ast *ast) {
  Typed *base = check_number(c, ast->items.at[0]);
  size_t first = 1;
  for (const Binding *k; base && base->shape.rank > 0 && first < ast->items.count && (k = chosen(c, ast->items.at[first])); first++)
    base = chosen_row(c, ast->items.at[first], k, base);
  if (!base) return NULL;
  size_t selectors = ast->items.count - first;
  if (!selectors) return base;
  if (selectors > base->shape.rank) return refuse_rank(c, ast, base, selectors);
  TypedIndex *index = arena_array(c->arena, base->shape.rank, sizeof *index);
  Shape shape = {0};
  bool good = true;
  for (uint32_t axis = 0; axis < base->shape.rank; axis++) {
    const Ast *selector = axis < selectors ? ast->items.at[axis + first] : NULL;
    if (!selector && axis < selectors) good = false;
    else if (!selector) index[axis].length = base->shape.dim[axis];
    else if (selector->kind == AST_RANGE) good = slice(c, selector, base, axis, &index[axis]) && good;
    else good = element(c, selector, base, axis, &index[axis]) && good;
    if (good && index[axis].length >= 0) shape.dim[shape.rank++] = index[axis].length;
  }
  if (!good) return NULL;
  Typed *typed = new_typed(c, TYPED_INDEX, shape, ast->at, 1);
  typed->arg[0] = base;
  typed->index = index;
  return typed;
}
