/* SPDX-License-Identifier: Apache-2.0 */
/* optimise.c -- the loops over all weights, for both precisions. */
#include "optimise.h"
#include "elementary.h"
#include "flow/model.h"
#include <math.h>

typedef struct Row { const char *name, *text; int moments; double rate; } Row;
static const Row row[FLOW_OPTIMISERS] = {
#define OPTIMISER(name, moments, rate, text) {#name, text, moments, rate},
#include "optimisers.def"
#undef OPTIMISER
};
const char *flow_optimiser_name(FlowOptimiser optimiser) { return row[optimiser].name; }
const char *flow_optimiser_text(FlowOptimiser optimiser) { return row[optimiser].text; }
int flow_optimiser_moments(FlowOptimiser optimiser) { return row[optimiser].moments; }
double flow_optimiser_rate(FlowOptimiser optimiser) { return row[optimiser].rate; }

/* What one step has the same for all weights; `shrink`: of adamw. */
typedef struct Coefficients { double scale, decay, beta1, rest1, beta2, rest2, rate, root, epsilon, shrink; } Coefficients;

static Coefficients coefficients(const FlowStep *step) {
  double number = (double)step->number;
  Coefficients c = {.scale = step->scale, .decay = step->decay, .beta1 = step->beta1, .rest1 = 1 - step->beta1, .beta2 = step->beta2,
                    .rest2 = 1 - step->beta2, .rate = step->rate, .root = 1, .epsilon = step->epsilon, .shrink = 1};
  if (step->optimiser == FLOW_OPTIMISER_sgd) return c;
  c.rate = step->rate / (1 - flow_pow_f64(step->beta1, number));
  c.root = 1 / sqrt(1 - flow_pow_f64(step->beta2, number));
  if (step->optimiser == FLOW_OPTIMISER_adam) return c;
  c.shrink = 1 - step->rate * step->decay;
  c.decay = 0;
  return c;
}

#define LOOPS(T, ROOT)                                                                                                 \
  static void adam_##T(const Coefficients *c, size_t count, T *restrict weight, T *restrict first, T *restrict second,  \
                       const T *restrict gradient) {                                                                   \
    const T scale = (T)c->scale, decay = (T)c->decay, beta1 = (T)c->beta1, rest1 = (T)c->rest1, beta2 = (T)c->beta2,    \
            rest2 = (T)c->rest2, rate = (T)c->rate, root = (T)c->root, epsilon = (T)c->epsilon, shrink = (T)c->shrink;  \
    for (size_t i = 0; i < count; i++) {                                                                               \
      T g = scale * gradient[i] + decay * weight[i];                                                                   \
      first[i] = beta1 * first[i] + rest1 * g;                                                                         \
      second[i] = beta2 * second[i] + rest2 * (g * g);                                                                 \
      weight[i] = shrink * weight[i] - rate * first[i] / (ROOT(second[i]) * root + epsilon);                           \
    }                                                                                                                  \
  }                                                                                                                    \
  static void sgd_##T(const Coefficients *c, size_t count, T *restrict weight, T *restrict first,                      \
                      const T *restrict gradient) {                                                                    \
    const T scale = (T)c->scale, decay = (T)c->decay, momentum = (T)c->beta1, rate = (T)c->rate;                       \
    for (size_t i = 0; i < count; i++) {                                                                               \
      first[i] = momentum * first[i] + (scale * gradient[i] + decay * weight[i]);                                      \
      weight[i] -= rate * first[i];                                                                                    \
    }                                                                                                                  \
  }                                                                                                                    \
  static void follow_##T(double keep, size_t count, T *restrict average, const T *restrict weight) {                   \
    const T rest = (T)(1 - keep);                                                                                      \
    for (size_t i = 0; i < count; i++) average[i] += rest * (weight[i] - average[i]);                                  \
  }                                                                                                                    \
  static void squares_##T(size_t count, const T *number, double sum[16]) {                                             \
    size_t whole = count / 16 * 16;                                                                                    \
    for (size_t i = 0; i < whole; i += 16)                                                                             \
      for (size_t k = 0; k < 16; k++) sum[k] += (double)number[i + k] * (double)number[i + k];                         \
    for (size_t i = whole; i < count; i++) sum[i - whole] += (double)number[i] * (double)number[i];                    \
  }
LOOPS(float, sqrtf)
LOOPS(double, sqrt)

void flow_optimise(const FlowStep *step, uint32_t precision, size_t count, void *weight, void *first, void *second,
                   const void *gradient) {
  Coefficients c = coefficients(step);
  if (step->optimiser == FLOW_OPTIMISER_sgd)
    precision == FLOW_F32 ? sgd_float(&c, count, weight, first, gradient) : sgd_double(&c, count, weight, first, gradient);
  else
    precision == FLOW_F32 ? adam_float(&c, count, weight, first, second, gradient)
                          : adam_double(&c, count, weight, first, second, gradient);
}

void flow_follow(double keep, uint32_t precision, size_t count, void *average, const void *weight) {
  precision == FLOW_F32 ? follow_float(keep, count, average, weight) : follow_double(keep, count, average, weight);
}

double flow_sum_of_squares(uint32_t precision, size_t count, const void *number) {
  double sum[16] = {0};
  precision == FLOW_F32 ? squares_float(count, number, sum) : squares_double(count, number, sum);
  for (int half = 8; half > 0; half /= 2)
    for (int k = 0; k < half; k++) sum[k] += sum[k + half];
  return sum[0];
}
