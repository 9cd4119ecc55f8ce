/* SPDX-License-Identifier: Apache-2.0 */
/* plot_text.c -- the text of a picture, and the range of its axes. */
#include "plot.h"
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static bool make_room(PlotText *to, size_t more) {
  if (to->failed) return false;
  if (to->room - to->length > more) return true;
  size_t room = (to->room + more + 256) * 2;
  char *text = realloc(to->text, room);
  if (!text) {
    to->failed = true;
    return false;
  }
  to->text = text;
  to->room = room;
  return true;
}

void plot_put(PlotText *to, const char *format, ...) {
  va_list words, again;
  va_start(words, format);
  va_copy(again, words);
  int length = vsnprintf(NULL, 0, format, words);
  if (length >= 0 && make_room(to, (size_t)length)) {
    vsnprintf(to->text + to->length, (size_t)length + 1, format, again);
    to->length += (size_t)length;
  }
  va_end(again);
  va_end(words);
}

void plot_put_rune(PlotText *to, unsigned code_point) {
  if (code_point < 0x80)
    plot_put(to, "%c", (int)code_point);
  else if (code_point < 0x800)
    plot_put(to, "%c%c", 0xC0 | code_point >> 6, 0x80 | (code_point & 63));
  else
    plot_put(to, "%c%c%c", 0xE0 | code_point >> 12, 0x80 | (code_point >> 6 & 63), 0x80 | (code_point & 63));
}

char *plot_text_end(PlotText *to) {
  if (to->failed) {
    free(to->text);
    return NULL;
  }
  return to->text;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

bool plot_range(const double *x, size_t count, size_t stride, double trim, PlotRange *range) {
  double *finite = malloc((count ? count : 1) * sizeof *finite);
  if (!finite) return false;
  size_t n = 0;
  for (size_t i = 0; i < count; i++)
    if (isfinite(x[i * stride])) finite[n++] = x[i * stride];
  *range = (PlotRange){0, 1, count - n};
  if (n > 0) {
    qsort(finite, n, sizeof *finite, ascending);
    size_t cut = n < 100 ? 0 : (size_t)ceil(trim * (double)n);
    range->low = finite[cut];
    range->high = finite[n - 1 - cut];
  }
  range->low = fmax(range->low, -DBL_MAX / 4); /* the span is finite, too */
  range->high = fmin(range->high, DBL_MAX / 4);
  if (!(range->high - range->low > 0)) { /* one value: a span around it that no rounding closes */
    double half = fmax(0.5, fabs(range->low) * 1e-3);
    range->low -= half;
    range->high += half;
  }
  free(finite);
  return true;
}
