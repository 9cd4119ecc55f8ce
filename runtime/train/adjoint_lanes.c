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
  }                                                                                             \
  static void times_row_##T(size_t lanes, const T *restrict by, T *restrict to) {               \
    for (size_t i = 0; i < lanes; i++) to[i] *= by[i];                                          \
  }                                                                                             \
  static void fma_row_##T(size_t lanes, const T *restrict by, const T *restrict from, T *restrict to) { \
    for (size_t i = 0; i < lanes; i++) to[i] = FMA(by[i], from[i], to[i]);                      \
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

void flow_lanes_times_row(uint32_t precision, uint64_t rows, size_t lanes, const void *by, void *to) {
  for (uint64_t row = 0; row < rows; row++) {
    char *at = (char *)to + row * lanes * precision;
    if (precision == sizeof(float))
      times_row_float(lanes, by, (float *)(void *)at);
    else
      times_row_double(lanes, by, (double *)(void *)at);
  }
}

void flow_lanes_fma_row(uint32_t precision, uint64_t rows, size_t lanes, const void *by, const void *from, void *to) {
  for (uint64_t row = 0; row < rows; row++) {
    size_t at = row * lanes * precision;
    const char *numbers = (const char *)from + at;
    char *sums = (char *)to + at;
    if (precision == sizeof(float))
      fma_row_float(lanes, by, (const float *)(const void *)numbers, (float *)(void *)sums);
    else
      fma_row_double(lanes, by, (const double *)(const void *)numbers, (double *)(void *)sums);
  }
}
