/* SPDX-License-Identifier: Apache-2.0 */
/* problems.c -- six velocities with their solutions. */
#include "problems.h"
#include <math.h>
#include <string.h>

static void u_decay(long double t, const long double *x, long double *u) {      /* x' = -x^3/2 */
  (void)t;
  u[0] = -x[0] * x[0] * x[0] / 2;
}
static void x_decay(long double t0, long double t, const long double *s, long double *x) {
  x[0] = s[0] / sqrtl(1 + s[0] * s[0] * (t - t0));
}

static void u_swing(long double t, const long double *x, long double *u) { u[0] = x[0] * cosl(t); }
static void x_swing(long double t0, long double t, const long double *s, long double *x) {
  x[0] = s[0] * expl(sinl(t) - sinl(t0));
}

static void u_logistic(long double t, const long double *x, long double *u) {
  (void)t;
  u[0] = x[0] * (1 - x[0]);
}
static void x_logistic(long double t0, long double t, const long double *s, long double *x) {
  x[0] = 1 / (1 + (1 / s[0] - 1) * expl(t0 - t));
}

static void u_pole(long double t, const long double *x, long double *u) { u[0] = x[0] * x[0] * cosl(t); }
static void x_pole(long double t0, long double t, const long double *s, long double *x) {
  x[0] = 1 / (1 / s[0] - (sinl(t) - sinl(t0)));
}

static void u_forced(long double t, const long double *x, long double *u) {     /* follows sin 2t */
  u[0] = 2 * cosl(2 * t) - (x[0] - sinl(2 * t));
}
static void x_forced(long double t0, long double t, const long double *s, long double *x) {
  x[0] = sinl(2 * t) + (s[0] - sinl(2 * t0)) * expl(t0 - t);
}

static void u_spiral(long double t, const long double *x, long double *u) {
  (void)t;
  u[0] = -x[0] / 2 - 2 * x[1];
  u[1] = 2 * x[0] - x[1] / 2;
}
static void x_spiral(long double t0, long double t, const long double *s, long double *x) {
  long double c = expl((t0 - t) / 2) * cosl(2 * (t - t0)), d = expl((t0 - t) / 2) * sinl(2 * (t - t0));
  x[0] = s[0] * c - s[1] * d;
  x[1] = s[0] * d + s[1] * c;
}

const Problem problem[PROBLEM_COUNT] = {
    {"decay", 1, u_decay, x_decay, {1.2L}, 0, 1},          {"swing", 1, u_swing, x_swing, {0.8L}, 0.1L, 1.2L},
    {"logistic", 1, u_logistic, x_logistic, {0.4L}, 0, 3}, {"pole", 1, u_pole, x_pole, {0.7L}, -0.4L, 0.5L},
    {"forced", 1, u_forced, x_forced, {1}, 0, 1.25L},       {"spiral", 2, u_spiral, x_spiral, {1, 0.3L}, 0, 1},
};

Problem problem_backward(const Problem *forward) {
  Problem back = *forward;
  back.t0 = forward->t1;
  back.t1 = forward->t0;
  forward->solution(forward->t0, forward->t1, forward->start, back.start);
  return back;
}

/* x + h sum weight_j k_j of `count` stages. */
static void combine(const Problem *p, const long double *weight, uint32_t count, long double h, const long double *x,
                    long double (*k)[PROBLEM_MOST_DIM], long double *y) {
  for (int r = 0; r < p->dim; r++) {
    y[r] = x[r];
    for (uint32_t i = 0; i < count; i++) y[r] += h * weight[i] * k[i][r];
  }
}

/* All stages of the step from (t, x). */
static void take_stages(const Problem *p, const Printed *method, long double t, long double h, const long double *x,
                        long double (*k)[PROBLEM_MOST_DIM]) {
  for (uint32_t j = 0; j < method->stages.count; j++) {
    long double y[PROBLEM_MOST_DIM];
    combine(p, method->stages.a[j], j, h, x, k, y);
    p->velocity(t + h * method->stages.c[j], y, k[j]);
  }
}

static long double distance(const Problem *p, long double t, const long double *x) {
  long double exact[PROBLEM_MOST_DIM], sum = 0;
  p->solution(p->t0, t, p->start, exact);
  for (int r = 0; r < p->dim; r++) sum += (x[r] - exact[r]) * (x[r] - exact[r]);
  return sqrtl(sum);
}

static long double path_error(const Problem *p, const Printed *method, int steps, long double *end) {
  long double x[PROBLEM_MOST_DIM], y[PROBLEM_MOST_DIM], k[FLOW_MOST_STAGES][PROBLEM_MOST_DIM], weight[FLOW_MOST_STAGES];
  long double h = (p->t1 - p->t0) / steps, worst = 0;
  memcpy(x, p->start, sizeof x);
  for (int i = 0; i < steps; i++) {
    long double t = p->t0 + (p->t1 - p->t0) * i / steps;
    take_stages(p, method, t, h, x, k);
    for (int place = 1; place <= 8; place++) {
      printed_dense_weights(method, place / 8.0L, weight);
      combine(p, weight, method->stages.count, h, x, k, y);
      worst = fmaxl(worst, distance(p, t + h * place / 8, y));
    }
    memcpy(x, y, sizeof x);     /* place 8 is the new state */
  }
  *end = distance(p, p->t1, x);
  return worst;
}

long double problem_error(const Problem *p, const Printed *method, int steps, long double *end) {
  long double sum = 0, sum_end = 0;
  for (int i = 0; i < PROBLEM_STARTS; i++) {
    Problem scaled = *p;
    for (int r = 0; r < p->dim; r++) scaled.start[r] *= 0.6L + 0.1L * i;
    long double last, error = path_error(&scaled, method, steps, &last);
    sum += error * error;
    sum_end += last * last;
  }
  *end = sqrtl(sum_end / PROBLEM_STARTS);
  return sqrtl(sum / PROBLEM_STARTS);
}
