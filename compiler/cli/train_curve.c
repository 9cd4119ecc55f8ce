/* SPDX-License-Identifier: Apache-2.0 */
#include "train_curve.h"
#include <math.h>
#include <stdio.h>

void train_curve_add(TrainCurve *curve, uint64_t iteration, double loss) {
  uint64_t part = curve->total / CURVE_CELLS + 1, cell = (iteration - 1) / part;
  if (cell >= CURVE_CELLS) cell = CURVE_CELLS - 1;
  curve->sum[cell] += loss;
  curve->count[cell]++;
  double share = ++curve->seen < 100 ? 1 / (double)curve->seen : 0.01;
  curve->recent += share * (loss - curve->recent);
}

void train_curve_text(const TrainCurve *curve, bool utf8, char *text, size_t size) {
  static const char *const bar[2][8] = {{"_", ".", ":", "-", "=", "+", "*", "#"},
                                        {"\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586", "\u2587", "\u2588"}};
  double height[CURVE_CELLS], low = INFINITY, high = -INFINITY;
  size_t length = 0;
  bool positive = true;         /* else, as -log p may be, it has no logarithm */
  for (int i = 0; i < CURVE_CELLS; i++) positive = positive && !(curve->sum[i] < 0);
  for (int i = 0; i < CURVE_CELLS; i++) {
    double mean = curve->count[i] ? curve->sum[i] / (double)curve->count[i] : NAN;
    height[i] = positive ? log(mean + 1e-300) : mean;
    low = fmin(low, height[i]);
    high = fmax(high, height[i]);
  }
  text[0] = 0;
  for (int i = 0; i < CURVE_CELLS && length + 4 < size; i++) {
    if (isnan(height[i])) continue;
    int level = high > low ? (int)(7.999 * (height[i] - low) / (high - low)) : 0;
    length += (size_t)snprintf(text + length, size - length, "%s", bar[utf8][level]);
  }
}

void train_line(const TrainCurve *curve, uint64_t first, uint64_t done, const char *terms, double rate, double elapsed, bool utf8, char *text,
                size_t size) {
  char shape[CURVE_CELLS * 4 + 1];
  double speed = elapsed > 0 ? (double)(done - first) / elapsed : 0, left = speed > 0 ? (double)(curve->total - done) / speed : 0;
  train_curve_text(curve, utf8, shape, sizeof shape);
  snprintf(text, size, "%3.0f%%  %llu/%llu  loss %.4f%s  rate %.3g  %.4g/s  %.0f s left  %s", 100 * (double)done / (double)curve->total,
           (unsigned long long)done, (unsigned long long)curve->total, curve->recent, terms, rate, speed, left, shape);
}
