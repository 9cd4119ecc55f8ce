/* SPDX-License-Identifier: Apache-2.0 */
/* adjoint_lanes.c -- alone in its file for its instructions: see CMakeLists.txt. */
#include "adjoint_lanes.h"

#define LANES(T, FMA)                                                                           \
  static void scale_##T(size_t count, T c, const T *restrict from, T *restrict to) {            \
    for (size_t i = 0; i < count; i++) to[i] = c * from[i];                                     \
  }                                                                                             \
  static void fma_##T(size_t count, T c, const T *restrict from, T *restrict to) {              \
    for (size_t i = 0; i < count; i++) to[i] = FMA(c, from[i], to[i]);                          \
  }                                                                                             \
  static void add_##T(size_t count, const T *restrict from, T *restrict to) {                   \
    for (size_t i = 0; i < count; i++) to[i] += from[i];                                        \
  }
LANES(float, __builtin_fmaf)
LANES(double, __builtin_fma)

void flow_lanes_scale(uint32_t precision, size_t count, double c, const void *from, void *to) {
  if (precision == sizeof(float))
    scale_float(count, (float)c, from, to);
  else
    scale_double(count, c, from, to);
}

void flow_lanes_fma(uint32_t precision, size_t count, double c, const void *from, void *to) {
  if (precision == sizeof(float))
    fma_float(count, (float)c, from, to);
  else
    fma_double(count, c, from, to);
}

void flow_lanes_add(uint32_t precision, size_t count, const void *from, void *to) {
  if (precision == sizeof(float))
    add_float(count, from, to);
  else
    add_double(count, from, to);
}
