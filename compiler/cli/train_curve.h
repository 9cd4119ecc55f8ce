/* SPDX-License-Identifier: Apache-2.0 */
/* train_curve.h -- the course of a loss in the width of a few letters, and the line that shows it.  Pure functions. */
#ifndef FLOWC_TRAIN_CURVE_H
#define FLOWC_TRAIN_CURVE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CURVE_CELLS = 24 };

/* Means of the loss over equal parts of the run. */
typedef struct TrainCurve {
  uint64_t total; /* iterations of the run */
  double sum[CURVE_CELLS];
  uint64_t count[CURVE_CELLS];
  double recent; /* a running mean over some 100 iterations */
  uint64_t seen;
} TrainCurve;

void train_curve_add(TrainCurve *curve, uint64_t iteration, double loss);
/* "▇▅▃▂▂▁" on a logarithmic scale from the least mean to the greatest; signs of ASCII without utf8. */
void train_curve_text(const TrainCurve *curve, bool utf8, char *text, size_t size);
/* " 42%  4200/10000  loss 0.9436  kinetic 1.52  rate 1e-03  4.9k/s  1 s left  ▇▅▃▂▂▁"; done: before and in this run; first: before it;
 * terms: "  kinetic 1.52", or "". */
void train_line(const TrainCurve *curve, uint64_t first, uint64_t done, const char *terms, double rate, double elapsed, bool utf8, char *text,
                size_t size);

#endif
