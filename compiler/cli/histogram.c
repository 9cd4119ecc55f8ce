/* SPDX-License-Identifier: Apache-2.0 */
/* histogram.c -- the distribution of one number, bins side by side, counts upwards in eighths of a character. */
#include "plot.h"
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL = 9, ROWS = 10, LEAST_BINS = 16, MOST_BINS = 64 };

/* Eighths of a character that the bar of `count` fills in the row `row` rows above the axis. */
static int eighths(size_t count, size_t most, int row) {
  int height = most ? (int)ceil((double)count / (double)most * 8 * ROWS) : 0, here = height - 8 * row;
  return here < 0 ? 0 : here > 8 ? 8 : here;
}

static void put_bars(PlotText *to, const size_t *bin, int bins, size_t most, bool ascii) {
  for (int row = ROWS - 1; row >= 0; row--) {
    if (row == ROWS - 1)
      plot_put(to, "%*zu %s", LABEL, most, ascii ? "|" : "┤");
    else if (row == 0)
      plot_put(to, "%*d %s", LABEL, 0, ascii ? "|" : "┤");
    else
      plot_put(to, "%*s %s", LABEL, "", ascii ? "|" : "│");
    int last = bins;
    while (last > 0 && eighths(bin[last - 1], most, row) == 0) last--;
    for (int b = 0; b < last; b++) {
      int part = eighths(bin[b], most, row);
      if (part == 0)
        plot_put(to, " ");
      else if (ascii)
        plot_put(to, "%c", part > 4 ? '#' : '.');
      else
        plot_put_rune(to, 0x2580u + (unsigned)part);
    }
    plot_put(to, "\n");
  }
}

static void put_axis(PlotText *to, const PlotRange *range, int bins, bool ascii) {
  char low[32], high[32];
  plot_put(to, "%*s %s", LABEL, "", ascii ? "+" : "└");
  for (int b = 0; b < bins; b++) plot_put(to, "%s", ascii ? "-" : "─");
  snprintf(low, sizeof low, "%.3g", range->low);
  snprintf(high, sizeof high, "%.3g", range->high);
  plot_put(to, "\n%*s  %s%*s\n", LABEL, "", low, bins - (int)strlen(low), high);
}

char *plot_histogram(const double *x, size_t count, size_t stride, PlotStyle style) {
  return plot_histogram_in((PlotFrame){0}, x, count, stride, style);
}

char *plot_histogram_in(PlotFrame frame, const double *x, size_t count, size_t stride, PlotStyle style) {
  PlotRange range;
  size_t bin[MOST_BINS] = {0}, most = 0, outside = 0;
  if (!plot_range(x, count, stride, 0.002, &range)) return NULL;
  if (frame.x1 > frame.x0) range.low = frame.x0, range.high = frame.x1;
  int bins = style.width - LABEL - 3;
  bins = bins > MOST_BINS ? MOST_BINS : bins < LEAST_BINS ? LEAST_BINS : bins;
  for (size_t i = 0; i < count; i++) {
    double value = x[i * stride];
    if (!isfinite(value)) continue;
    if (value < range.low || value > range.high) {
      outside++;
      continue;
    }
    int b = (int)((value - range.low) / (range.high - range.low) * bins);
    b = b < bins ? b : bins - 1; /* the greatest value belongs to the last bin */
    if (++bin[b] > most) most = bin[b];
  }
  PlotText to = {0};
  put_bars(&to, bin, bins, most, style.ascii);
  put_axis(&to, &range, bins, style.ascii);
  if (outside) plot_put(&to, "%*s  %zu of %zu values lie outside\n", LABEL, "", outside, count);
  if (range.strange) plot_put(&to, "%*s  %zu of %zu values are not finite\n", LABEL, "", range.strange, count);
  return plot_text_end(&to);
}
