/* SPDX-License-Identifier: Apache-2.0 */
/* rates.c -- one set of entries for all fields: the weights blob holds which one it is. */
#include "rates.h"
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* ---- fields ------------------------------------------------------------------------------------------------------------ */

static void linear_jvp(const double *p, double t, const double *x, const double *v, double *jv) {
  (void)t, (void)x;
  for (int i = 0; i < 3; i++) jv[i] = p[3 * i] * v[0] + p[3 * i + 1] * v[1] + p[3 * i + 2] * v[2];
}
static void linear(const double *p, double t, const double *x, double *u) { linear_jvp(p, t, x, x, u); }
const RatesField rates_linear = {3, linear, linear_jvp, {1, 2.5, 0.25, 0, -0.5, 1, 0.25, -0.75, 1}};
const RatesField rates_diagonal = {3, linear, linear_jvp, {0.5, 0, 0, 0, -1, 0, 0, 0, 0.75}};
const RatesField rates_skew = {3, linear, linear_jvp, {0, 1.7, -0.3, -1.7, 0, 0.9, 0.3, -0.9, 0}};

static void cubic(const double *p, double t, const double *x, double *u) {
  (void)p, (void)t;
  u[0] = -x[0] * x[0] * x[0] / 2;
}
static void cubic_jvp(const double *p, double t, const double *x, const double *v, double *jv) {
  (void)p, (void)t;
  jv[0] = -1.5 * x[0] * x[0] * v[0];
}
const RatesField rates_cubic = {1, cubic, cubic_jvp, {0}};

/* a = (s^2 t - (1-t))/((1-t)^2 + s^2 t^2): the logarithmic growth of the width */
static double growth(double s, double t) { return (s * s * t - (1 - t)) / ((1 - t) * (1 - t) + s * s * t * t); }
static void gaussian(const double *p, double t, const double *x, double *u) { u[0] = p[0] + growth(p[1], t) * (x[0] - t * p[0]); }
static void gaussian_jvp(const double *p, double t, const double *x, const double *v, double *jv) {
  (void)x;
  jv[0] = growth(p[1], t) * v[0];
}
const RatesField rates_gaussian = {1, gaussian, gaussian_jvp, {1.5, 0.2}};

static const double mean[2][2] = {{-2, 0}, {2, 1}};
static const double width = 0.5;

/* The weight of each component at x, and its velocity. */
static void components(double t, const double *x, double w[2], double v[2][2]) {
  double variance = (1 - t) * (1 - t) + width * width * t * t, exponent[2];
  for (int k = 0; k < 2; k++) {
    double d0 = x[0] - t * mean[k][0], d1 = x[1] - t * mean[k][1];
    exponent[k] = -(d0 * d0 + d1 * d1) / (2 * variance);
    v[k][0] = mean[k][0] + growth(width, t) * d0;
    v[k][1] = mean[k][1] + growth(width, t) * d1;
  }
  w[0] = 1 / (1 + exp(exponent[1] - exponent[0]));
  w[1] = 1 - w[0];
}
static void mixture(const double *p, double t, const double *x, double *u) {
  double w[2], v[2][2];
  (void)p;
  components(t, x, w, v);
  for (int c = 0; c < 2; c++) u[c] = w[0] * v[0][c] + w[1] * v[1][c];
}
/* a v + sum of v_k (g_k - mean of g).v w_k, g_k = t mu_k/variance up to what all have in common. */
static void mixture_jvp(const double *p, double t, const double *x, const double *v, double *jv) {
  double w[2], u[2][2], variance = (1 - t) * (1 - t) + width * width * t * t;
  (void)p;
  components(t, x, w, u);
  double along = t * ((mean[0][0] - mean[1][0]) * v[0] + (mean[0][1] - mean[1][1]) * v[1]) / variance;
  for (int c = 0; c < 2; c++) jv[c] = growth(width, t) * v[c] + w[0] * w[1] * along * (u[0][c] - u[1][c]);
}
const RatesField rates_mixture = {2, mixture, mixture_jvp, {0}};

double rates_mixture_log_p(const double x[2]) {
  double e[2];
  for (int k = 0; k < 2; k++)
    e[k] = -((x[0] - mean[k][0]) * (x[0] - mean[k][0]) + (x[1] - mean[k][1]) * (x[1] - mean[k][1])) / (2 * width * width);
  double top = fmax(e[0], e[1]);
  return top + log(exp(e[0] - top) + exp(e[1] - top)) - log(4 * acos(-1) * width * width);
}

/* ---- entries ------------------------------------------------------------------------------------------------------------ */

typedef struct Blob {
  const RatesField *field;
  uint32_t precision, lanes, probes, extras;
} Blob;

static double get(const Blob *blob, const void *buffer, uint32_t row, uint32_t lane) {
  size_t at = (size_t)row * blob->lanes + lane;
  return blob->precision == FLOW_F32 ? (double)((const float *)buffer)[at] : ((const double *)buffer)[at];
}
static void put(const Blob *blob, void *buffer, uint32_t row, uint32_t lane, double value) {
  size_t at = (size_t)row * blob->lanes + lane;
  if (blob->precision == FLOW_F32)
    ((float *)buffer)[at] = (float)value;
  else
    ((double *)buffer)[at] = value;
}

/* -e . J e */
static double rate_along(const Blob *blob, double t, const double *x, const double *e) {
  double je[RATES_MOST_DIM], sum = 0;
  blob->field->jvp(blob->field->p, t, x, e, je);
  for (uint32_t c = 0; c < blob->field->dim; c++) sum += e[c] * je[c];
  return -sum;
}
static double rate(const Blob *blob, const flow_call *call, uint32_t extra, uint32_t lane, double t, const double *x) {
  double e[RATES_MOST_DIM] = {0}, sum = 0;
  uint32_t dim = blob->field->dim;
  if (blob->probes) {
    for (uint32_t c = 0; c < dim; c++) e[c] = get(blob, call->conditions, extra * dim + c, lane);
    return rate_along(blob, t, x, e);
  }
  for (uint32_t c = 0; c < dim; c++) {
    e[c] = 1;
    sum += rate_along(blob, t, x, e);
    e[c] = 0;
  }
  return sum;
}

static _Atomic uint64_t computed;
uint64_t rates_computed(void) { return computed; }

static void evaluate(const Blob *blob, const flow_call *call, double t, const double *x, uint32_t lane, void *to, int quiet) {
  double u[RATES_MOST_DIM];
  uint32_t dim = blob->field->dim;
  blob->field->velocity(blob->field->p, t, x, u);
  for (uint32_t c = 0; c < dim; c++) put(blob, to, c, lane, u[c]);
  for (uint32_t e = 0; e < blob->extras; e++) put(blob, to, dim + e, lane, quiet ? NAN : rate(blob, call, e, lane, t, x));
  if (!quiet) computed += blob->extras;
}

static int times(const flow_call *call) {
  const Blob *blob = call->weights;
  for (uint32_t lane = 0; lane < call->lanes; lane++) put(blob, call->u, 0, lane, get(blob, call->t, 0, lane));
  return 0;
}

static int eval(const flow_call *call) {
  const Blob *blob = call->weights;
  double x[RATES_MOST_DIM];
  if (blob->probes && !call->conditions) return -1;
  for (uint32_t lane = 0; lane < call->lanes; lane++) {
    for (uint32_t c = 0; c < blob->field->dim; c++) x[c] = get(blob, call->x, c, lane);
    evaluate(blob, call, get(blob, call->times, 0, 0), x, lane, call->u, 0);
  }
  return 0;
}

static int step_lane(const Blob *blob, const flow_call *call, uint32_t lane) {
  uint32_t dim = blob->field->dim, rows = dim + blob->extras;
  size_t stage = (size_t)rows * blob->lanes * blob->precision;
  for (uint32_t j = 0; j <= call->stages; j++) {
    const flow_combination *sum = &call->combination[j];
    int last = j == call->stages;
    double y[RATES_MOST_DIM];
    for (uint32_t r = 0; r < (last ? rows : dim); r++) {
      double value = get(blob, call->x, r, lane);
      for (uint32_t i = 0; i < sum->count; i++) {
        double h = blob->precision == FLOW_F32 ? (double)((const float *)sum->coefficient)[i] : ((const double *)sum->coefficient)[i];
        value += h * get(blob, (const char *)call->scratch + sum->stage[i] * stage, r, lane);
      }
      if (last)
        put(blob, call->x, r, lane, value);
      else
        y[r] = blob->precision == FLOW_F32 ? (double)(float)value : value;
    }
    if (last) break;
    evaluate(blob, call, get(blob, call->stage_times[j], 0, 0), y, lane, (char *)call->scratch + j * stage, (int)(call->quiet >> j & 1));
  }
  return 0;
}

static int step(const flow_call *call) {
  const Blob *blob = call->weights;
  if (blob->probes && !call->conditions) return -1;
  for (uint32_t lane = 0; lane < call->lanes; lane++) {
    for (uint32_t e = 0; e < blob->extras; e++)         /* the rows of the extras begin as 0 unless nobody wants them */
      if (get(blob, call->x, blob->field->dim + e, lane) != 0 && call->quiet == 0) return -2;
    step_lane(blob, call, lane);
  }
  return 0;
}

void rates_open(Rates *rates, const RatesField *field, uint32_t precision, uint32_t lanes, uint32_t quantum, uint32_t probes) {
  uint32_t extras = probes ? probes : 1;
  Blob *blob = rates->weights = aligned_alloc(64, 64);
  if (!blob) abort();
  *blob = (Blob){field, precision, lanes, probes, extras};
  rates->condition = (flow_condition){"probes", (uint64_t)probes * field->dim, 0};
  rates->level = (flow_level){.cpu = FLOW_CPU_V3, .lanes = lanes, .quantum = quantum, .eval = eval, .step = step, .times = times,
                              .stage_bytes = (uint64_t)(field->dim + extras) * lanes * precision};
  rates->model = (flow_model){.abi = FLOW_MODEL_ABI, .size = sizeof(flow_model), .precision = precision, .dim = field->dim,
                              .conditions = probes > 0, .levels = 1, .condition_rows = rates->condition.size, .times_rows = 1,
                              .extras = extras, .name = "rates", .condition = &rates->condition, .level = &rates->level};
}

void rates_close(Rates *rates) { free(rates->weights); }
