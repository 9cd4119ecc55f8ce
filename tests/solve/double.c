/* SPDX-License-Identifier: Apache-2.0 */
/* double.c -- fields times types times configurations. */
#include "double.h"
#include <math.h>
#include <string.h>

const double double_weights[DOUBLE_WEIGHTS] = {-0.5, 1.25, 0.1, -1.25, -0.3, 0.7, 0.2, -0.7, -0.1, 0.3, -0.2, 0.6};

static const flow_condition conditions[2] = {{"first", 1, 0}, {"second", 1, 1}};
static const flow_weight weights[2] = {{"A", 2, {3, 3}}, {"b", 1, {3}}};
static const flow_pack packs_f32[2] = {{0, FLOW_PACK_ROWS, 0, 0, 3, 1, 3, 3}, {1, FLOW_PACK_ROWS, 36, 0, 0, 1, 1, 3}};
static const flow_pack packs_f64[2] = {{0, FLOW_PACK_ROWS, 0, 0, 3, 1, 3, 3}, {1, FLOW_PACK_ROWS, 72, 0, 0, 1, 1, 3}};

#define T float
#define NAME(x) x##_f32
#define FMA fmaf
#define COS cosf
#include "double_fields.inc"
#undef T
#undef NAME
#undef FMA
#undef COS
#define T double
#define NAME(x) x##_f64
#define FMA fma
#define COS cos
#include "double_fields.inc"
#undef T
#undef NAME
#undef FMA
#undef COS

#define JOIN_(a, b, c) a##_##b##_##c
#define JOIN(a, b, c) JOIN_(a, b, c)
#define F(x) JOIN(x, FIELD_TAG, TAG)
#define FIELD_OF(x) JOIN(x, FIELD_TAG, TYPE_TAG)

#define TAG f32_8
#define LANES 8
#define QUANTUM 8
#define T float
#define TYPE_TAG f32
#define FMA fmaf
#include "double_all_fields.inc"
#undef TAG
#undef LANES
#undef QUANTUM
#define TAG f32_24
#define LANES 24
#define QUANTUM 8
#include "double_all_fields.inc"
#undef TAG
#undef LANES
#undef QUANTUM
#define TAG f32_48
#define LANES 48
#define QUANTUM 4
#include "double_all_fields.inc"
#undef TAG
#undef LANES
#undef QUANTUM
#undef T
#undef TYPE_TAG
#undef FMA
#define T double
#define TYPE_TAG f64
#define FMA fma
#define TAG f64_8
#define LANES 8
#define QUANTUM 4
#include "double_all_fields.inc"
#undef TAG
#undef LANES
#undef QUANTUM
#define TAG f64_24
#define LANES 24
#define QUANTUM 4
#include "double_all_fields.inc"
#undef TAG
#undef LANES
#undef QUANTUM
#define TAG f64_48
#define LANES 48
#define QUANTUM 8
#include "double_all_fields.inc"

const flow_model *double_model(DoubleField field, DoubleConfiguration configuration) {
#define ROW(name) {&model_##name##_f32_8, &model_##name##_f32_24, &model_##name##_f32_48, &model_##name##_f64_8, \
                   &model_##name##_f64_24, &model_##name##_f64_48}
  static const flow_model *const model[DOUBLE_FIELD_COUNT][DOUBLE_CONFIGURATION_COUNT] = {ROW(linear), ROW(rotation), ROW(cubic),
                                                                                          ROW(swing), ROW(driven)};
  return model[field][configuration];
}
