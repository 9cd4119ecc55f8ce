/* SPDX-License-Identifier: Apache-2.0 */
/* series.c -- one rule for each elementwise operation. */
#include "series.h"
#include <math.h>
#include <stddef.h>

Series series_number(double value) { return (Series){{value}}; }

static Series scaled(const Series *a, double by) {
  Series y;
  for (int k = 0; k < SERIES_TERMS; k++) y.c[k] = by * a->c[k];
  return y;
}

static Series sum(const Series *a, const Series *b, double sign) {
  Series y;
  for (int k = 0; k < SERIES_TERMS; k++) y.c[k] = a->c[k] + sign * b->c[k];
  return y;
}

static Series plus(const Series *a, double number) {
  Series y = *a;
  y.c[0] += number;
  return y;
}

static Series product(const Series *a, const Series *b) {
  Series y = {{0}};
  for (int k = 0; k < SERIES_TERMS; k++)
    for (int j = 0; j <= k; j++) y.c[k] += a->c[j] * b->c[k - j];
  return y;
}

static Series quotient(const Series *a, const Series *b) {
  Series y;
  for (int k = 0; k < SERIES_TERMS; k++) {
    y.c[k] = a->c[k];
    for (int j = 1; j <= k; j++) y.c[k] -= b->c[j] * y.c[k - j];
    y.c[k] /= b->c[0];
  }
  return y;
}

static Series inverse(const Series *a) {
  Series one = series_number(1);
  return quotient(&one, a);
}

/* y with y' = g a'. */
static Series integral(double first, const Series *g, const Series *a) {
  Series y = series_number(first);
  for (int k = 1; k < SERIES_TERMS; k++) {
    for (int j = 1; j <= k; j++) y.c[k] += j * a->c[j] * g->c[k - j];
    y.c[k] /= k;
  }
  return y;
}

/* y' = y a': each term needs only those before it. */
static Series exponential(const Series *a) {
  Series y = series_number(exp(a->c[0]));
  for (int k = 1; k < SERIES_TERMS; k++) y.c[k] = integral(0, &y, a).c[k];
  return y;
}

static Series logarithm(const Series *a) {
  Series slope = inverse(a);
  return integral(log(a->c[0]), &slope, a);
}

static Series sigmoid(const Series *a) {
  Series minus = scaled(a, -1), e = exponential(&minus), below = plus(&e, 1);
  return inverse(&below);
}

static Series tangent_hyperbolic(const Series *a) {
  Series twice = scaled(a, 2), s = sigmoid(&twice), y = scaled(&s, 2);
  return plus(&y, -1);
}

static Series error_function(const Series *a) {
  Series square = product(a, a), minus = scaled(&square, -1), bell = exponential(&minus);
  Series slope = scaled(&bell, 2 / sqrt(acos(-1)));
  return integral(erf(a->c[0]), &slope, a);
}

static void sine_and_cosine(const Series *a, Series *sine, Series *cosine) {
  *sine = series_number(sin(a->c[0]));
  *cosine = series_number(cos(a->c[0]));
  for (int k = 1; k < SERIES_TERMS; k++) {
    double s = integral(0, cosine, a).c[k], c = -integral(0, sine, a).c[k];
    sine->c[k] = s;
    cosine->c[k] = c;
  }
}

static Series trigonometric(IrOp op, const Series *a) {
  Series sine, cosine;
  sine_and_cosine(a, &sine, &cosine);
  return op == IR_sin ? sine : op == IR_cos ? cosine : quotient(&sine, &cosine);
}

static Series arc_tangent(const Series *a) {
  Series square = product(a, a), below = plus(&square, 1), slope = inverse(&below);
  return integral(atan(a->c[0]), &slope, a);
}

static Series power(const Series *a, const Series *b) {
  enum { MOST_FACTORS = 16 };
  double n = b->c[0];
  bool factors = n >= 0 && n <= MOST_FACTORS && n == floor(n);
  for (int k = 1; k < SERIES_TERMS; k++) factors = factors && b->c[k] == 0;
  if (!factors) {
    Series l = logarithm(a), exponent = product(b, &l);
    return exponential(&exponent);
  }
  Series y = series_number(1);
  for (int i = 0; i < (int)n; i++) y = product(&y, a);
  return y;
}

static Series root(const Series *a) {
  Series half = series_number(0.5), y = power(a, &half);
  y.c[0] = sqrt(a->c[0]);
  return y;
}

int series_sign(const Series *a, int side) {
  for (int k = 0; k < SERIES_TERMS; k++) {
    double term = k % 2 ? side * a->c[k] : a->c[k];
    if (term != 0) return term > 0 ? 1 : -1;            /* a NaN: as good as any */
  }
  return 0;
}

static Series remainder_of(const Series *a, const Series *b) {
  Series q = quotient(a, b), whole = scaled(b, floor(q.c[0]));
  return sum(a, &whole, -1);
}

static Series fused(const Series *arg) {
  Series p = product(&arg[0], &arg[1]);
  return sum(&p, &arg[2], 1);
}

static Series of_expm1(const Series *a) {
  Series y = exponential(a);
  y.c[0] = expm1(a->c[0]);
  return y;
}

static Series of_log1p(const Series *a) {
  Series whole = plus(a, 1), y = logarithm(&whole);
  y.c[0] = log1p(a->c[0]);
  return y;
}

static Series of_exp2(const Series *a) {
  Series natural = scaled(a, log(2));
  return exponential(&natural);
}

Series series_each(IrOp op, const Series *arg, int side) {
  const Series *a = &arg[0], *b = &arg[1];
  Series difference = ir_op_operands[op] == 2 ? sum(a, b, -1) : series_number(0);
  int order = series_sign(&difference, side);
  switch (op) {
  case IR_pin: case IR_variable: case IR_hold: case IR_found: return *a;
  case IR_neg: return scaled(a, -1);
  case IR_add: return sum(a, b, 1);
  case IR_sub: return difference;
  case IR_mul: return product(a, b);
  case IR_div: return quotient(a, b);
  case IR_fma: return fused(arg);
  case IR_sqrt: return root(a);
  case IR_floor: return series_number(floor(a->c[0]));
  case IR_mod: return remainder_of(a, b);
  case IR_abs: return scaled(a, series_sign(a, side) < 0 ? -1 : 1);
  case IR_sign: return series_number(series_sign(a, side));
  case IR_max: return order > 0 ? *a : *b;
  case IR_min: return order < 0 ? *a : *b;
  case IR_exp: return exponential(a);
  case IR_exp2n: return of_exp2(a);
  case IR_expm1: return of_expm1(a);
  case IR_log: return logarithm(a);
  case IR_log1p: return of_log1p(a);
  case IR_sigmoid: return sigmoid(a);
  case IR_tanh: return tangent_hyperbolic(a);
  case IR_erf: return error_function(a);
  case IR_sin: case IR_cos: case IR_tan: return trigonometric(op, a);
  case IR_atan: return arc_tangent(a);
  case IR_pow: return power(a, b);
  case IR_select: return a->c[0] != 0 ? *b : arg[2];
  case IR_less: return series_number(order < 0);
  case IR_less_equal: return series_number(order <= 0);
  case IR_equal: return series_number(order == 0);
  case IR_not_equal: return series_number(order != 0);
  case IR_and: return series_number(a->c[0] != 0 && b->c[0] != 0);
  case IR_or: return series_number(a->c[0] != 0 || b->c[0] != 0);
  case IR_not: return series_number(a->c[0] == 0);
  default: return series_number(NAN);
  }
}
