/* SPDX-License-Identifier: Apache-2.0 */
/* images.c -- samples that are small square images, side by side; a pixel is two characters wide to be square. */
#include "plot.h"
#include <math.h>
#include <stdint.h>

enum { MOST_DOWN = 3, GAP = 2 };

static int level_of(double value, const PlotRange *range, int levels) {
  if (!isfinite(value)) return -1;
  int level = (int)((value - range->low) / (range->high - range->low) * levels);
  return level < 0 ? 0 : level >= levels ? levels - 1 : level;
}

static void put_pixel(PlotText *to, double value, const PlotRange *range, bool ascii) {
  static const char *const shade[] = {"  ", "░░", "▒▒", "▓▓", "██"};
  static const char *const plain[] = {"  ", "..", "++", "##", "@@"};
  int level = level_of(value, range, 5);
  plot_put(to, "%s", level < 0 ? "??" : ascii ? plain[level] : shade[level]);
}

char *plot_images(const double *pixel, size_t count, size_t side, PlotStyle style) {
  size_t across = (size_t)(style.width > 0 ? style.width : 80) / (2 * side + GAP), shown;
  if (across == 0) across = 1;
  shown = count < across * MOST_DOWN ? count : across * MOST_DOWN;
  PlotRange range;
  PlotText to = {0};
  if (!plot_range(pixel, shown * side * side, 1, 0.01, &range)) return NULL;
  for (size_t first = 0; first < shown; first += across) {
    size_t here = shown - first < across ? shown - first : across;
    for (size_t row = 0; row < side; row++) {
      for (size_t i = first; i < first + here; i++) {
        for (size_t column = 0; column < side; column++)
          put_pixel(&to, pixel[i * side * side + row * side + column], &range, style.ascii);
        if (i + 1 < first + here) plot_put(&to, "%*s", GAP, "");
      }
      plot_put(&to, "\n");
    }
    plot_put(&to, "\n");
  }
  plot_put(&to, "the first %zu of %zu samples as %zu x %zu images; dark %.3g, bright %.3g\n", shown, count, side, side,
           range.low, range.high);
  return plot_text_end(&to);
}
