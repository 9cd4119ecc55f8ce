/* SPDX-License-Identifier: Apache-2.0 */
/* size.c -- integer expressions: sizes, and indices that are affine in the counters of loops.
 *
 * All arithmetic is exact: a product that leaves 64 bits and a quotient with a remainder are errors, never a wrong
 * number.  A size is an affine expression without a counter in it. */
#include <math.h>
#include <string.h>
#include "checker.h"

static bool overflowed(Checker *c, Span at) {
  report(c, E0311, at, "this size does not fit in 64 bits");
  return false;
}

static bool add_term(Checker *c, Affine *a, const Binding *loop, int64_t scale, Span at) {
  uint32_t i = 0;
  while (i < a->terms && a->loop[i] != loop) i++;
  if (i == MOST_TERMS) {
    report(c, E0308, at, "an index mentions at most %d counters", MOST_TERMS);
    return false;
  }
  if (i == a->terms) {
    a->loop[a->terms] = loop;
    a->scale[a->terms++] = 0;
  }
  return !__builtin_add_overflow(a->scale[i], scale, &a->scale[i]) || overflowed(c, at);
}

static void drop_zero_terms(Affine *a) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < a->terms; i++)
    if (a->scale[i] != 0) {
      a->loop[kept] = a->loop[i];
      a->scale[kept++] = a->scale[i];
    }
  a->terms = kept;
}

static bool add_scaled(Checker *c, Affine *a, const Affine *b, int64_t sign, Span at) {
  int64_t base;
  if (__builtin_mul_overflow(b->base, sign, &base) || __builtin_add_overflow(a->base, base, &a->base)) return overflowed(c, at);
  for (uint32_t i = 0; i < b->terms; i++) {
    int64_t scale;
    if (__builtin_mul_overflow(b->scale[i], sign, &scale)) return overflowed(c, at);
    if (!add_term(c, a, b->loop[i], scale, at)) return false;
  }
  drop_zero_terms(a);
  return true;
}

static bool multiply(Checker *c, Affine *a, const Affine *b, Span at) {
  if (a->terms && b->terms) {
    report(c, E0308, at, "an index is a sum of counters, each times a size: a product of counters is none");
    return false;
  }
  const Affine factor = a->terms ? *b : *a, other = a->terms ? *a : *b;
  Affine product = {0};
  if (!add_scaled(c, &product, &other, factor.base, at)) return false;
  *a = product;
  return true;
}

static bool divide(Checker *c, Affine *a, const Affine *b, Span at) {
  if (b->terms || b->base == 0) {
    report(c, E0311, at, b->terms ? "a size cannot be divided by a counter" : "a size is divided by 0");
    return false;
  }
  if (b->base == -1) return add_scaled(c, &(Affine){0}, a, 1, at) && multiply(c, a, b, at);
  bool exact = a->base % b->base == 0;
  for (uint32_t i = 0; i < a->terms; i++) exact = exact && a->scale[i] % b->base == 0;
  if (!exact) {
    if (a->terms) report(c, E0308, at, "this index is not a whole number for every value of its counter");
    else report(c, E0311, at, "%lld / %lld is no whole number, and a size is one", (long long)a->base, (long long)b->base);
    return false;
  }
  a->base /= b->base;
  for (uint32_t i = 0; i < a->terms; i++) a->scale[i] /= b->base;
  return true;
}

static bool power(Checker *c, Affine *a, const Affine *b, Span at) {
  if (a->terms || b->terms) {
    report(c, E0308, at, "a power of a counter is no index");
    return false;
  }
  if (b->base < 0) {
    report(c, E0311, at, "a size has no negative powers");
    return false;
  }
  int64_t result = 1, base = a->base;
  if (base == 0 || base == 1) {
    a->base = b->base == 0 ? 1 : base;
    return true;
  }
  if (base == -1) {
    a->base = b->base % 2 ? -1 : 1;
    return true;
  }
  for (int64_t i = 0; i < b->base; i++)             /* at most 63 turns before it overflows */
    if (__builtin_mul_overflow(result, base, &result)) return overflowed(c, at);
  a->base = result;
  return true;
}

static bool affine_chain(Checker *c, const Ast *ast, Affine *a) {
  if (!affine_of(c, ast->items.at[0], a)) return false;
  for (size_t i = 1; i < ast->items.count; i++) {
    Affine b;
    if (!affine_of(c, ast->items.at[i], &b)) return false;
    switch (ast->ops[i - 1]) {
    case AST_ADD: if (!add_scaled(c, a, &b, 1, ast->at)) return false; break;
    case AST_SUBTRACT: if (!add_scaled(c, a, &b, -1, ast->at)) return false; break;
    case AST_MULTIPLY: if (!multiply(c, a, &b, ast->at)) return false; break;
    case AST_DIVIDE: if (!divide(c, a, &b, ast->at)) return false; break;
    default:
      report(c, E0301, ast->at, "`@` joins tensors; a size is a whole number");
      return false;
    }
  }
  return true;
}

static bool affine_number(Checker *c, const Ast *ast, Affine *a) {
  if (ast->number != floor(ast->number)) {
    report(c, E0301, ast->at, "a size or an index is a whole number, and %s is none", text_of(c, ast->at));
    return false;
  }
  if (fabs(ast->number) > 9007199254740992.0) return overflowed(c, ast->at);    /* 2^53: beyond it a double skips numbers */
  a->base = (int64_t)ast->number;
  return true;
}

static bool refuse_real(Checker *c, const Ast *ast, Span defined, const char *what) {
  Diag *diag = report(c, E0301, ast->at, "`%s` is %s, and a size or an index is known before the program runs", ast->name, what);
  note(c, diag, defined, "`%s` is defined here", ast->name);
  return false;
}

static bool affine_name(Checker *c, const Ast *ast, Affine *a) {
  Symbol *symbol = symbol_of(c, ast->name);
  Binding *local = local_of(c, symbol);
  if (local) {
    switch (local->kind) {
    case BOUND_SIZE: a->base = local->size; return true;
    case BOUND_LOOP: return add_term(c, a, local, 1, ast->at);
    case BOUND_LET: return refuse_real(c, ast, local->at, "a real number");
    default: return refuse_real(c, ast, local->at, "a parameter");
    }
  }
  Definition *d = symbol->definition;
  if (!d) {
    if (strcmp(ast->name, "pi") == 0) report(c, E0301, ast->at, "`pi` is a real number, and a size or an index is a whole number");
    c->reported = true;                             /* the name was refused by resolve.c */
    return false;
  }
  if (d->broken || d->ast->kind == AST_ERROR) return false;
  if (d->ast->kind == AST_DIM) return dim_of(c, d, &a->base);
  if (d->ast->kind != AST_LET) return false;
  Diag *diag = report(c, E0301, ast->at, "`%s` is a real number, and a size or an index is a whole one", ast->name);
  note(c, diag, d->ast->name_at, "`%s` is defined here", ast->name);
  if (d->ast->body && d->ast->body->kind == AST_NUMBER && d->ast->body->number == floor(d->ast->body->number))
    fix(c, diag, (Span){d->ast->at.from, d->ast->at.to}, "dim %s = %s", ast->name, text_of(c, d->ast->body->at));
  help(c, diag, "a size that has a name is a `dim`: `dim %s = ...`", ast->name);
  return false;
}

bool affine_of(Checker *c, const Ast *ast, Affine *a) {
  *a = (Affine){0};
  if (!ast || ast->kind == AST_ERROR || !spend(c, ast->at)) return false;
  switch (ast->kind) {
  case AST_NUMBER: return affine_number(c, ast, a);
  case AST_NAME: return affine_name(c, ast, a);
  case AST_CHAIN: return affine_chain(c, ast, a);
  case AST_NEGATE: {
    Affine b;
    return affine_of(c, ast->items.at[0], &b) && add_scaled(c, a, &b, -1, ast->at);
  }
  case AST_POWER: {
    Affine b;
    return affine_of(c, ast->items.at[0], a) && affine_of(c, ast->items.at[1], &b) && power(c, a, &b, ast->at);
  }
  default:
    report(c, E0301, ast->at, "a size or an index is made of whole numbers, sizes and counters with + - * / ^, and this is not");
    return false;
  }
}

bool size_of(Checker *c, const Ast *ast, int64_t *size) {
  Affine a;
  if (!affine_of(c, ast, &a)) return false;
  if (a.terms) {
    Diag *diag = report(c, E0308, ast->at, "this size would change with the counter `%s`", a.loop[0]->symbol->name);
    note(c, diag, a.loop[0]->at, "`%s` counts here", a.loop[0]->symbol->name);
    return false;
  }
  *size = a.base;
  return true;
}

bool extent_of(Checker *c, const Ast *ast, int64_t *size) {
  if (!size_of(c, ast, size)) return false;
  if (*size >= 1 && *size <= MOST_ELEMENTS) return true;
  if (*size < 1) report(c, E0311, ast->at, "this size is %lld, and a size is at least 1", (long long)*size);
  else report(c, E0312, ast->at, "this size is %lld: more than the 2^24 elements that a value may have", (long long)*size);
  return false;
}
