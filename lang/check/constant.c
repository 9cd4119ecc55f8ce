/* SPDX-License-Identifier: Apache-2.0 */
/* constant.c -- evaluates a typed tree without parameters, one element at a time and nothing kept: constants of clauses
 * are small.  `spend` bounds the time, `depth` the stack. */
#include "constant.h"
#include <math.h>

enum { MOST_LEVELS = 1024 };

typedef struct Turn { uint32_t loop; int64_t at; const struct Turn *outer; } Turn;
typedef struct Scope { const Typed *call; const struct Scope *caller; const Turn *turns; } Scope;   /* of one call */
typedef struct Evaluator { Checker *c; uint32_t depth; bool failed; } Evaluator;

static double element(Evaluator *v, const Scope *in, const Typed *e, int64_t i);

static double fail(Evaluator *v) {
  v->failed = true;
  return 0;
}

static int64_t counter(const Scope *in, uint32_t loop) {
  const Turn *turn = in->turns;
  while (turn && turn->loop != loop) turn = turn->outer;
  return turn ? turn->at : 0;
}

static double inside_loop(Evaluator *v, const Scope *in, const Typed *loop, int64_t at, int64_t i) {
  Turn turn = {loop->slot, at, in->turns};
  Scope inner = {in->call, in->caller, &turn};
  return element(v, &inner, loop->arg[0], i);
}

static double reduced(Evaluator *v, const Scope *in, const Typed *e, int64_t i) {
  double all = inside_loop(v, in, e, 0, i);
  for (int64_t k = 1; k < e->count && !v->failed; k++) {
    double one = inside_loop(v, in, e, k, i);
    all = e->reduce == AST_SUM ? all + one : e->reduce == AST_MAX ? fmax(all, one) : fmin(all, one);
  }
  return all;
}

static double indexed(Evaluator *v, const Scope *in, const Typed *e, int64_t i) {
  const Shape *shape = &e->arg[0]->shape;
  int64_t flat = 0, stride = 1;
  for (uint32_t axis = shape->rank; axis-- > 0;) {
    const TypedIndex *index = &e->index[axis];
    int64_t at = index->base;
    for (uint32_t k = 0; k < index->terms; k++) at += index->scale[k] * counter(in, index->variable[k]);
    if (index->length >= 0) {
      at += i % index->length;
      i /= index->length;
    }
    flat += at * stride;
    stride *= shape->dim[axis];
  }
  return element(v, in, e->arg[0], flat);
}

static double product(Evaluator *v, const Scope *in, const Typed *e, int64_t i) {
  const Typed *a = e->arg[0], *b = e->arg[1];
  int64_t n = b->shape.dim[0], columns = shape_elements(&b->shape) / n;
  double sum = 0;
  for (int64_t k = 0; k < n && !v->failed; k++)
    sum += element(v, in, a, i / columns * n + k) * element(v, in, b, k * columns + i % columns);
  return sum;
}

static double joined(Evaluator *v, const Scope *in, const Typed *e, int64_t i) {
  for (uint32_t k = 0; k < e->args; k++) {
    int64_t length = shape_elements(&e->arg[k]->shape);
    if (i < length) return element(v, in, e->arg[k], i);
    i -= length;
  }
  return fail(v);
}

static double called(Evaluator *v, const Scope *in, const Typed *e, int64_t i) {
  Scope callee = {e, in, NULL};
  return element(v, &callee, e->callee->result, i);
}

/* Functions of one number that C has under the same name. */
static double of_number(Evaluator *v, Builtin builtin, double a, double b) {
  switch (builtin) {
#define SAME(name) case BUILTIN_##name: return name(a);
  SAME(exp) SAME(log) SAME(log1p) SAME(expm1) SAME(sqrt) SAME(sin) SAME(cos) SAME(tan) SAME(atan) SAME(tanh) SAME(erf) SAME(floor)
#undef SAME
  case BUILTIN_abs: return fabs(a);
  case BUILTIN_pow: return pow(a, b);
  case BUILTIN_mod: return a - b * floor(a / b);
  case BUILTIN_sign: return (a > 0) - (a < 0);
  case BUILTIN_min: return fmin(a, b);
  case BUILTIN_max: return fmax(a, b);
  case BUILTIN_sigmoid: return 1 / (1 + exp(-a));
  default: return fail(v);
  }
}

static double of_vector(Evaluator *v, const Scope *in, const Typed *e, int64_t i) {
  const Typed *a = e->arg[0];
  int64_t n = a->shape.dim[0];
  double most = element(v, in, a, 0), least = most, sum = 0, squares = 0, powers = 0;
  for (int64_t k = 0; k < n && !v->failed; k++) {
    double one = element(v, in, a, k);
    most = fmax(most, one);
    least = fmin(least, one);
    sum += one;
    squares += one * (e->builtin == BUILTIN_dot ? element(v, in, e->arg[1], k) : one);
  }
  for (int64_t k = 0; k < n && !v->failed && (e->builtin == BUILTIN_softmax || e->builtin == BUILTIN_logsumexp); k++)
    powers += exp(element(v, in, a, k) - most);
  switch (e->builtin) {
  case BUILTIN_sum: return sum;
  case BUILTIN_mean: return sum / (double)n;
  case BUILTIN_max: return most;
  case BUILTIN_min: return least;
  case BUILTIN_norm2: case BUILTIN_dot: return squares;
  case BUILTIN_norm: return sqrt(squares);
  case BUILTIN_logsumexp: return most + log(powers);
  case BUILTIN_softmax: return exp(element(v, in, a, i) - most) / powers;
  default: return fail(v);
  }
}

static double built_in(Evaluator *v, const Scope *in, const Typed *e, int64_t i) {
  static const enum { EACH, REDUCE, EXTREME, LAST, DOT, SOLVE, LOGDET, ONE_HOT } rule[] = {
#define BUILTIN(name, least, most, rule, help) rule,
#include "builtins.def"
#undef BUILTIN
  };
  bool each = rule[e->builtin] == EACH || (rule[e->builtin] == EXTREME && e->args == 2);
  if (rule[e->builtin] == ONE_HOT) return element(v, in, e->arg[0], 0) == (double)i;
  if (rule[e->builtin] == SOLVE || rule[e->builtin] == LOGDET) return fail(v);
  if (!each) return of_vector(v, in, e, i);
  return of_number(v, e->builtin, element(v, in, e->arg[0], i), e->args == 2 ? element(v, in, e->arg[1], i) : 0);
}

static double arithmetic(Evaluator *v, const Typed *e, double a, double b) {
  switch (e->kind) {
  case TYPED_NEGATE: return -a;
  case TYPED_NOT: return !a;
  case TYPED_ADD: return a + b;
  case TYPED_SUBTRACT: return a - b;
  case TYPED_MULTIPLY: return a * b;
  case TYPED_DIVIDE: return a / b;
  case TYPED_POWER: return pow(a, b);
  case TYPED_LESS: return a < b;
  case TYPED_LESS_EQUAL: return a <= b;
  case TYPED_GREATER: return a > b;
  case TYPED_GREATER_EQUAL: return a >= b;
  case TYPED_EQUAL: return a == b;
  case TYPED_NOT_EQUAL: return a != b;
  default: return fail(v);
  }
}

static double chained(Evaluator *v, const Scope *in, const Typed *e) {
  bool all = e->kind == TYPED_AND;
  for (uint32_t k = 0; k < e->args; k++)
    if ((element(v, in, e->arg[k], 0) != 0) != all) return !all;
  return all;
}

static double of_kind(Evaluator *v, const Scope *in, const Typed *e, int64_t i) {
  static const Scope outside = {0};
  int64_t below = e->kind == TYPED_FOR || e->kind == TYPED_STACK ? shape_elements(&e->arg[0]->shape) : 1;
  switch (e->kind) {
  case TYPED_NUMBER: return e->number;
  case TYPED_HOLD: return element(v, in, e->arg[0], i);
  case TYPED_GLOBAL: return element(v, &outside, e->global->value, i);
  case TYPED_LOOP: return (double)counter(in, e->slot);
  case TYPED_PARAMETER: return in->call ? element(v, in->caller, in->call->arg[e->slot], i) : fail(v);
  case TYPED_LET: return in->call ? element(v, &(Scope){in->call, in->caller, NULL}, in->call->callee->let[e->slot], i) : fail(v);
  case TYPED_CALL: return e->callee->owns_weights ? fail(v) : called(v, in, e, i);
  case TYPED_FOR: return inside_loop(v, in, e, i / below, i % below);
  case TYPED_REDUCE: return reduced(v, in, e, i);
  case TYPED_INDEX: return indexed(v, in, e, i);
  case TYPED_MATMUL: return product(v, in, e, i);
  case TYPED_CONCAT: return joined(v, in, e, i);
  case TYPED_STACK: return element(v, in, e->arg[i / below], i % below);
  case TYPED_BUILTIN: return built_in(v, in, e, i);
  case TYPED_IF: return element(v, in, element(v, in, e->arg[0], 0) != 0 ? e->arg[1] : e->arg[2], i);
  case TYPED_AND: case TYPED_OR: return chained(v, in, e);
  case TYPED_LAYER: case TYPED_DERIVATIVE: return fail(v);
  default: return arithmetic(v, e, element(v, in, e->arg[0], i), e->args == 2 ? element(v, in, e->arg[1], i) : 0);
  }
}

static double element(Evaluator *v, const Scope *in, const Typed *e, int64_t i) {
  if (v->failed || v->depth == MOST_LEVELS || !spend(v->c, e->at)) return fail(v);
  v->depth++;
  double number = of_kind(v, in, e, e->shape.rank ? i : 0);
  v->depth--;
  return number;
}

bool constant_number(Checker *c, const Typed *e, int64_t i, double *number) {
  static const Scope outside = {0};
  Evaluator v = {.c = c};
  c->reported = false;
  *number = element(&v, &outside, e, i);
  if (!v.failed && isfinite(*number)) return true;
  if (!c->reported) report(c, E0504, e->at, "a number is needed here that is finite and known before the program runs");
  return false;
}

double *constant_numbers(Checker *c, const Typed *e, int64_t count) {
  double *numbers = arena_array(c->arena, (size_t)count, sizeof *numbers);
  for (int64_t i = 0; i < count; i++)
    if (!constant_number(c, e, i, &numbers[i])) return NULL;
  return numbers;
}
