/* SPDX-License-Identifier: Apache-2.0 */
/* double.h -- models written by hand: what the compiler would make, as plain C loops (a test double).
 *
 * Every field comes in every configuration (precision, lanes, quantum), and each has a reference: a solve of one sample by
 * scalar code that shares nothing with the runtime but the field.
 *
 *   linear    3  u = A x + b, weights "A" [3, 3] and "b" [3]
 *   rotation  2  u = (-x1, x0)
 *   cubic     1  u = -x^3/2, x(t) = x0 / sqrt(1 + x0^2 t)
 *   swing     1  u = x cos t, x(t) = x0 exp(sin t - sin t0); cos t is the times section
 *   driven    2  u = (t^2 + 1) x + t (c0 c1) + c0, conditions "first" (1) and "second" (1); times: t, t^2 + 1; cond: c0 c1
 *
 * An entry refuses (negative) a call that breaks the rules of flow/model.h. */
#ifndef FLOW_TEST_DOUBLE_H
#define FLOW_TEST_DOUBLE_H
#include "flow/model.h"
#include "tableau.h"

/* FIELD(name, dim, times rows, cond rows, condition rows, weights) */
#define DOUBLE_FIELDS(FIELD)                                                                                           \
  FIELD(linear, 3, 0, 0, 0, 2)                                                                                         \
  FIELD(rotation, 2, 0, 0, 0, 0)                                                                                       \
  FIELD(cubic, 1, 0, 0, 0, 0)                                                                                          \
  FIELD(swing, 1, 1, 0, 0, 0)                                                                                          \
  FIELD(driven, 2, 2, 1, 2, 0)

typedef enum {
#define FIELD(name, dim, times, cond, conditions, weights) DOUBLE_##name,
  DOUBLE_FIELDS(FIELD)
#undef FIELD
  DOUBLE_FIELD_COUNT
} DoubleField;

/* CONFIGURATION(tag, type, lanes, quantum) */
#define DOUBLE_CONFIGURATIONS(CONFIGURATION)                                                                           \
  CONFIGURATION(f32_8, float, 8, 8)                                                                                    \
  CONFIGURATION(f32_24, float, 24, 8)                                                                                  \
  CONFIGURATION(f32_48, float, 48, 4)                                                                                  \
  CONFIGURATION(f64_8, double, 8, 4)                                                                                   \
  CONFIGURATION(f64_24, double, 24, 4)                                                                                 \
  CONFIGURATION(f64_48, double, 48, 8)

typedef enum {
#define CONFIGURATION(tag, type, lanes, quantum) DOUBLE_##tag,
  DOUBLE_CONFIGURATIONS(CONFIGURATION)
#undef CONFIGURATION
  DOUBLE_CONFIGURATION_COUNT
} DoubleConfiguration;

enum { DOUBLE_MOST_DIM = 3, DOUBLE_WEIGHTS = 12 };

const flow_model *double_model(DoubleField field, DoubleConfiguration configuration);
extern const double double_weights[DOUBLE_WEIGHTS];             /* A, b */

/* One sample: x[dim] is replaced by the state after `steps` steps; numbers of the precision's type throughout. */
void double_solve_f32(DoubleField field, const FlowTableau *tableau, uint64_t steps, double t0, double t1, const float *c, float *x);
void double_solve_f64(DoubleField field, const FlowTableau *tableau, uint64_t steps, double t0, double t1, const double *c,
                      double *x);
/* u(t, x) of one sample. */
void double_velocity_f32(DoubleField field, double t, const float *c, const float *x, float *u);
void double_velocity_f64(DoubleField field, double t, const double *c, const double *x, double *u);

#endif
