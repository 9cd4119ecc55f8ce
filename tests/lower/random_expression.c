/* SPDX-License-Identifier: Apache-2.0 */
/* random_expression.c -- expressions of a wanted shape from what is in scope. */
#include "random_expression.h"
#include <string.h>

#define TEXT(...) arena_format(r->arena, __VA_ARGS__)
#define PICK(r, list) (list)[random_below(r, sizeof(list) / sizeof *(list))]

/* ---- numbers ------------------------------------------------------------------------------------------------------- */
uint32_t random_below(Random *r, uint32_t n) { /* splitmix64, Steele et al. 2014 */
  uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return (uint32_t)((z ^ z >> 31) >> 32) % n;
}

bool random_chance(Random *r, uint32_t percent) { return random_below(r, 100) < percent; }

const char *random_number(Random *r) {
  static const char *const moderate[] = {"1",  "2",   "0.5", "3",     "0.1", "1.5",     "0.7071067811865476", "pi", "0.25",
                                         "10", "0.3", "7",   "0.001", "2.5", "1.00001", "(-1)",               "(-0.3)"};
  static const char *const wild[] = {"0", "(-0)", "1e-30", "1e30", "1e-300", "3.4e38", "1e-45", "16777217", "(-1e9)"};
  return !r->options->tame && random_chance(r, 12) ? PICK(r, wild) : PICK(r, moderate);
}

/* ---- names in scope ------------------------------------------------------------------------------------------------ */
void random_name(Random *r, const char *name, uint32_t rank, uint32_t m, uint32_t n) {
  if (r->names < MOST_NAMES) r->name[r->names++] = (Name){name, rank, m, n};
}

/* A name of this rank (and extents, where they are not 0), or NULL. */
static const Name *find(Random *r, uint32_t rank, uint32_t m, uint32_t n) {
  const Name *found = NULL;
  uint32_t seen = 0;
  for (uint32_t i = 0; i < r->names; i++) {
    const Name *name = &r->name[i];
    if (name->rank != rank || (m && name->m != m) || (n && name->n != n)) continue;
    if (random_below(r, ++seen) == 0) found = name;
  }
  return found;
}

static bool spend(Random *r) {
  if (r->budget == 0) return false;
  r->budget--;
  return true;
}

static const char *new_loop(Random *r) { return TEXT("k%u", r->counter++); }

/* ---- in the domain -------------------------------------------------------------------------------------------------- */
static const char *bounded(Random *r, const char *e) { return r->options->tame ? TEXT("tanh(%s)", e) : e; }
static const char *above_zero(Random *r, const char *e) { return r->options->tame ? TEXT("(abs(%s) + 0.1)", e) : e; }

/* A function of one number, element by element. */
static const char *each_of_one(Random *r, const char *e) {
  static const char *const total[] = {"tanh", "sin", "cos", "erf", "atan", "sigmoid", "abs", "floor", "sign", "log1p"};
  static const char *const activation[] = {"relu", "elu", "silu", "softplus", "gelu", "gelu_tanh", "mish", "selu", "leaky_relu"};
  switch (random_below(r, 12)) {
  case 0: case 1: return TEXT("%s(%s)", PICK(r, activation), bounded(r, e));
  case 2: return TEXT("exp(%s)", bounded(r, e));
  case 3: return TEXT("log(%s)", above_zero(r, e));
  case 4: return TEXT("sqrt(%s)", above_zero(r, e));
  case 5: return TEXT("expm1(%s)", bounded(r, e));
  case 6: return TEXT("tan(%s)", bounded(r, e));
  case 7: return TEXT("(-%s)", e);
  case 8: return TEXT("(%s^%u)", bounded(r, e), random_below(r, 6));
  case 9: return TEXT("(%s^(%s))", above_zero(r, e), random_chance(r, 50) ? "-1.5" : random_chance(r, 50) ? "0.5" : "-2");
  case 10: return TEXT("log1p(%s)", above_zero(r, e));
  default: {
    const char *name = PICK(r, total);
    return strcmp(name, "log1p") == 0 ? TEXT("log1p(%s)", above_zero(r, e)) : TEXT("%s(%s)", name, e);
  }
  }
}

static const char *each_of_two(Random *r, const char *a, const char *b) {
  switch (random_below(r, 9)) {
  case 0: return TEXT("min(%s, %s)", a, b);
  case 1: return TEXT("max(%s, %s)", a, b);
  case 2: return TEXT("(%s / %s)", a, above_zero(r, b));
  case 3: return TEXT("mod(%s, %s)", a, above_zero(r, b));
  case 4: return TEXT("(%s ^ %s)", above_zero(r, bounded(r, a)), bounded(r, b));
  case 5: return TEXT("(%s - %s)", a, b);
  case 6: return TEXT("(%s + %s)", a, b);
  default: return TEXT("(%s * %s)", a, b);
  }
}

/* a + b - c + ...: as wide as sums of programs get. */
static const char *chain(Random *r, const Name *shape) {
  const char *text = random_of(r, shape, 0);
  uint32_t terms = 2 + random_below(r, random_chance(r, 10) ? 40 : 5);
  for (uint32_t i = 0; i < terms; i++) {
    const char *term = random_of(r, shape, 0);
    if (random_chance(r, 50)) term = TEXT("%s*%s", random_chance(r, 50) ? random_number(r) : random_scalar(r, 0), term);
    text = TEXT("%s %s %s", text, random_chance(r, 50) ? "+" : "-", term);
  }
  return TEXT("(%s)", text);
}

static const char *condition(Random *r, int depth) {
  static const char *const compare[] = {"<", "<=", ">", ">=", "==", "!="};
  const char *text = TEXT("%s %s %s", random_scalar(r, depth), PICK(r, compare), random_scalar(r, depth));
  if (random_chance(r, 25)) text = TEXT("%s and not %s > %s", text, random_scalar(r, 0), random_number(r));
  if (random_chance(r, 15)) text = TEXT("%s or %s < %s", text, random_scalar(r, 0), random_number(r));
  return text;
}

static const char *choice(Random *r, const Name *shape, int depth) {
  const char *test = condition(r, depth - 1), *yes = random_of(r, shape, depth - 1);
  return TEXT("(if %s then %s else %s)", test, yes, random_of(r, shape, depth - 1));
}

/* A call of a function that gives this shape, or NULL. */
static const char *call(Random *r, const Name *shape, int depth) {
  uint32_t start = r->knowns ? random_below(r, r->knowns) : 0;
  for (uint32_t i = 0; i < r->knowns; i++) {
    const Known *f = &r->known[(start + i) % r->knowns];
    if (f->result.rank != shape->rank || f->result.n != shape->n || (f->network && r->loops) || r->loops > 1) continue;
    const char *text = "";
    for (uint32_t a = 0; a < f->parameters; a++) {
      bool literal = f->parameter[a].rank == 0 && random_chance(r, 25);
      text = TEXT("%s%s%s", text, a ? ", " : "", literal ? random_number(r) : random_of(r, &f->parameter[a], depth - 1));
    }
    return TEXT("%s(%s)", f->name, text);
  }
  return NULL;
}

/* ---- bodies over a new index ----------------------------------------------------------------------------------------- */
/* An operand with the index k < n in it: v[k], or the index as a number. */
static const char *indexed(Random *r, const char *k, uint32_t n) {
  const Name *vector = find(r, 1, 0, n);
  if (vector && random_chance(r, 80)) return TEXT("%s[%s]", vector->name, k);
  return TEXT("(%s + %s)", k, random_number(r));
}

/* A scalar body: at least one term has the index, and so has every term. */
static const char *body(Random *r, const char *k, uint32_t n, int depth) {
  const char *mine = indexed(r, k, n);
  r->loops++;
  uint32_t names = r->names;
  random_name(r, k, 0, 0, 0);
  const char *text;
  switch (random_below(r, 6)) {
  case 0: text = TEXT("%s*%s", mine, indexed(r, k, n)); break;
  case 1: text = TEXT("(%s - %s)^2", mine, random_scalar(r, depth - 1)); break;
  case 2: text = each_of_one(r, mine); break;
  case 3: text = TEXT("%s*(%s + %s)", mine, random_scalar(r, depth - 1), indexed(r, k, n)); break;
  case 4: text = TEXT("(if %s > %s then %s else %s)", mine, random_number(r), random_scalar(r, depth - 1), mine); break;
  default: text = TEXT("%s*%s", each_of_one(r, mine), random_scalar(r, depth - 1)); break;
  }
  r->names = names;
  r->loops--;
  return text;
}

/* sum_k softmax(l)_k (affine in v_k): what factoring looks for. */
static const char *mean_over_softmax(Random *r, int depth) {
  const Name *vector = find(r, 1, 0, 0);
  if (!vector || r->loops > 1) return NULL;
  const char *k = new_loop(r), *a = random_scalar(r, depth - 1), *b = random_scalar(r, 0);
  return TEXT("(sum %s: softmax(%s)[%s] * (%s + %s*(%s - %s*%s[%s])))", k, vector->name, k, a, b, random_number(r), b, vector->name,
              k);
}

static const char *reduction(Random *r, int depth) {
  static const char *const word[] = {"sum", "sum", "max", "min"};
  uint32_t n = random_chance(r, 10) ? 17 + random_below(r, 20) : 1 + random_below(r, 9);
  const Name *vector = find(r, 1, 0, 0);
  if (vector && random_chance(r, 60)) n = vector->n;
  const char *k = new_loop(r), *inner = body(r, k, n, depth);
  return TEXT("(%s %s < %u: %s)", PICK(r, word), k, n, inner);
}

/* ---- scalars ----------------------------------------------------------------------------------------------------------- */
static const char *simple_scalar(Random *r) {
  const Name *vector = find(r, 1, 0, 0), *matrix = find(r, 2, 0, 0), *scalar = find(r, 0, 0, 0);
  switch (random_below(r, 6)) {
  case 0: return random_number(r);
  case 1: if (matrix) return TEXT("%s[%u, %u]", matrix->name, random_below(r, matrix->m), random_below(r, matrix->n)); break;
  case 2: case 3: if (vector) return TEXT("%s[%u]", vector->name, random_below(r, vector->n)); break;
  default: break;
  }
  return scalar ? scalar->name : random_number(r);
}

static const char *of_vector(Random *r, int depth) {
  static const char *const word[] = {"sum", "mean", "max", "min", "norm2", "norm", "logsumexp"};
  const Name *vector = find(r, 1, 0, 0);
  if (!vector) return simple_scalar(r);
  const char *v = random_chance(r, 50) ? vector->name : random_vector(r, vector->n, depth - 1);
  if (random_chance(r, 20)) return TEXT("dot(%s, %s)", v, random_vector(r, vector->n, depth - 1));
  return TEXT("%s(%s)", PICK(r, word), v);
}

const char *random_scalar(Random *r, int depth) {
  const Name shape = {.rank = 0};
  const char *text = NULL;
  if (depth <= 0 || !spend(r)) return simple_scalar(r);
  switch (random_below(r, 11)) {
  case 0: case 1: return each_of_one(r, random_scalar(r, depth - 1));
  case 2: case 3: text = random_scalar(r, depth - 1); return each_of_two(r, text, random_scalar(r, depth - 1));
  case 4: return chain(r, &shape);
  case 5: return choice(r, &shape, depth);
  case 6: if (r->loops < 2) return reduction(r, depth); break;
  case 7: case 8: if (r->loops < 2) return of_vector(r, depth); break;
  case 9: text = mean_over_softmax(r, depth); break;
  default: text = call(r, &shape, depth); break;
  }
  return text ? text : simple_scalar(r);
}

/* ---- vectors ----------------------------------------------------------------------------------------------------------- */
static const char *for_vector(Random *r, uint32_t n, int depth) {
  const char *k = new_loop(r);
  return TEXT("(for %s < %u: %s)", k, n, body(r, k, n, depth));
}

static const char *simple_vector(Random *r, uint32_t n) {
  const Name *same = find(r, 1, 0, n), *longer = find(r, 1, 0, 0), *matrix = find(r, 2, 0, n);
  if (same && random_chance(r, 70)) return same->name;
  if (matrix && random_chance(r, 50)) return TEXT("%s[%u]", matrix->name, random_below(r, matrix->m));
  if (longer && longer->n > n) {
    uint32_t from = random_below(r, longer->n - n + 1);
    return TEXT("%s[%u:%u]", longer->name, from, from + n);
  }
  if (same) return same->name;
  if (n > 12 || r->loops > 1) {
    const char *k = new_loop(r);
    return TEXT("(for %s < %u: %s*%s)", k, n, random_number(r), k);
  }
  const char *text = simple_scalar(r);
  for (uint32_t i = 1; i < n; i++) text = TEXT("%s, %s", text, simple_scalar(r));
  return TEXT("[%s]", text);
}

/* A bracket in a bracket would be a row of a matrix. */
static const char *as_part(Random *r, const char *e) { return *e == '[' ? TEXT("1*%s", e) : e; }

static const char *joined(Random *r, uint32_t n, int depth) {
  if (n < 2) return simple_vector(r, n);
  uint32_t left = 1 + random_below(r, n - 1);
  const char *a = left == 1 && random_chance(r, 60) ? random_scalar(r, depth - 1) : random_vector(r, left, depth - 1);
  return TEXT("[%s, %s]", as_part(r, a), as_part(r, random_vector(r, n - left, depth - 1)));
}

static const char *product(Random *r, uint32_t n, int depth) {
  const Name *matrix = find(r, 2, n, 0), *other = find(r, 2, 0, n);
  if (matrix) return TEXT("(%s @ %s)", matrix->name, random_vector(r, matrix->n, depth - 1));
  if (other) return TEXT("(%s @ %s)", random_vector(r, other->m, depth - 1), other->name);
  return NULL;
}

static const char *column(Random *r, uint32_t n) {
  const Name *matrix = find(r, 2, n, 0);
  if (!matrix) return NULL;
  const char *k = new_loop(r);
  if (matrix->m == matrix->n && random_chance(r, 40)) return TEXT("(for %s: %s[%s][%s])", k, matrix->name, k, k);
  return TEXT("(for %s: %s[%s][%u])", k, matrix->name, k, random_below(r, matrix->n));
}

static const char *reversed(Random *r, uint32_t n) {
  const Name *vector = find(r, 1, 0, n);
  if (!vector) return NULL;
  const char *k = new_loop(r);
  return TEXT("(for %s < %u: %s[%u - %s])", k, n, vector->name, n - 1, k);
}

const char *random_vector(Random *r, uint32_t n, int depth) {
  const Name shape = {.rank = 1, .n = n};
  const char *text = NULL;
  if (depth <= 0 || !spend(r)) return simple_vector(r, n);
  switch (random_below(r, 16)) {
  case 0: case 1: return each_of_one(r, random_vector(r, n, depth - 1));
  case 2: text = random_vector(r, n, depth - 1); return each_of_two(r, text, random_vector(r, n, depth - 1));
  case 3: text = random_scalar(r, depth - 1); return each_of_two(r, text, random_vector(r, n, depth - 1));
  case 4: text = random_vector(r, n, depth - 1); return each_of_two(r, text, random_scalar(r, depth - 1));
  case 5: return chain(r, &shape);
  case 6: return choice(r, &shape, depth);
  case 7: if (r->loops < 2) return for_vector(r, n, depth); break;
  case 8: return joined(r, n, depth);
  case 9: return TEXT("softmax(%s)", random_vector(r, n, depth - 1));
  case 10: return TEXT("standardize(%s)", random_vector(r, n, depth - 1));
  case 11: text = product(r, n, depth); break;
  case 12: text = column(r, n); break;
  case 13: text = reversed(r, n); break;
  case 14: if (n % 2 == 0) return TEXT("%s(%s, %u)", random_chance(r, 50) ? "fourier" : "sinusoid", random_scalar(r, depth - 1), n / 2); break;
  default: text = call(r, &shape, depth); break;
  }
  if (!text && random_chance(r, 10)) return TEXT("one_hot(%u, %u)", random_below(r, n), n);
  return text ? text : simple_vector(r, n);
}

/* ---- matrices ---------------------------------------------------------------------------------------------------------- */
const char *random_matrix(Random *r, uint32_t m, uint32_t n, int depth) {
  const Name *same = find(r, 2, m, n), *left = find(r, 2, m, 0), *turned = find(r, 2, n, m);
  uint32_t which = random_below(r, 6);
  if (same && (which == 0 || depth <= 0 || !spend(r))) return same->name;
  if (which == 1 && same) return TEXT("(%s %s %s)", random_scalar(r, depth - 1), random_chance(r, 50) ? "*" : "-", same->name);
  if (which == 2 && same) return TEXT("(%s + %s)", same->name, random_matrix(r, m, n, depth - 1));
  if (which == 3 && left) {
    const Name *right = find(r, 2, left->n, n);
    if (right) return TEXT("(%s @ %s)", left->name, right->name);
  }
  const char *k = new_loop(r), *j = new_loop(r);
  if (which == 4 && turned) return TEXT("(for %s < %u: for %s < %u: %s[%s, %s])", k, m, j, n, turned->name, j, k);
  const Name *row = find(r, 1, 0, n);
  if (row && random_chance(r, 50)) return TEXT("(for %s < %u: %s*%s)", k, m, indexed(r, k, m), row->name);
  return TEXT("(for %s < %u: for %s < %u: %s*%s)", k, m, j, n, indexed(r, k, m), indexed(r, j, n));
}

const char *random_of(Random *r, const Name *shape, int depth) {
  if (shape->rank == 0) return random_scalar(r, depth);
  return shape->rank == 1 ? random_vector(r, shape->n, depth) : random_matrix(r, shape->m, shape->n, depth);
}
