/* SPDX-License-Identifier: Apache-2.0 */
/* heatmap.c -- a function of the plane in bands, whose borders are its contours.  With colours a band is one and the borders are
 * dotted lines; without, a band is a density of dots (ordered dither, Bayer 1973), in ASCII a sign. */
#include "canvas.h"
#include <math.h>
#include <stdlib.h>

enum { BANDS = 10 };

PlotGrid plot_heat_grid(PlotFrame frame, PlotStyle style) {
  Canvas canvas;
  if (!canvas_open(&canvas, style, frame, (frame.y1 - frame.y0) / (frame.x1 - frame.x0))) return (PlotGrid){0};
  canvas_free(&canvas);
  return (PlotGrid){(size_t)canvas.across, (size_t)canvas.down};
}

typedef struct Bands {
  double low, high;
} Bands;

/* 0 .. BANDS - 1; -1: no number. */
static int band_of(const Bands *bands, double value) {
  if (isnan(value)) return -1;
  double share = (value - bands->low) / (bands->high - bands->low);
  return !(share > 0) ? 0 : share >= 1 ? BANDS - 1 : (int)(share * BANDS);
}

/* Does a contour run between this dot and the one to its right or below? */
static bool on_contour(const Bands *bands, const double *value, const Canvas *canvas, int a, int d) {
  int here = band_of(bands, value[d * canvas->across + a]);
  int right = a + 1 < canvas->across ? band_of(bands, value[d * canvas->across + a + 1]) : here;
  int below = d + 1 < canvas->down ? band_of(bands, value[(d + 1) * canvas->across + a]) : here;
  return here != right || here != below;
}

static void draw_dots(Canvas *canvas, const Bands *bands, const double *value) {
  static const uint8_t bayer[4][4] = {{0, 8, 2, 10}, {12, 4, 14, 6}, {3, 11, 1, 9}, {15, 7, 13, 5}};
  for (int d = 0; d < canvas->down; d++)
    for (int a = 0; a < canvas->across; a++) {
      int band = band_of(bands, value[d * canvas->across + a]);
      bool set = canvas->colour ? on_contour(bands, value, canvas, a, d) : band > 0 && band * 16 / (BANDS - 1) > bayer[d % 4][a % 4];
      if (set) canvas_set(canvas, a, d);
    }
}

static void draw_cells(Canvas *canvas, const Bands *bands, const double *value) {
  static const char ramp[] = " .:-=+*#%@";
  int wide = canvas->across / canvas->columns, high = canvas->down / canvas->rows;
  for (int row = 0; row < canvas->rows; row++)
    for (int column = 0; column < canvas->columns; column++) {
      int band = band_of(bands, value[(row * high + high / 2) * canvas->across + column * wide + wide / 2]);
      CanvasCell *cell = &canvas->cell[row * canvas->columns + column];
      if (canvas->colour && band >= 0) cell->background = canvas_colour((band + 0.5) / BANDS);
      if (canvas->colour) cell->colour = band > BANDS / 2 ? 16 : 255;
      if (canvas->ascii && !canvas->colour) cell->sign = band < 0 ? '?' : (unsigned char)ramp[band];
      if (canvas->ascii && canvas->colour) cell->sign = band < 0 ? '?' : on_contour(bands, value, canvas, column, row) ? '.' : ' ';
      if (band < 0) cell->sign = '?';
    }
}

char *plot_heat(const double *value, PlotFrame frame, double depth, PlotStyle style) {
  Canvas canvas;
  PlotText to = {0};
  PlotRange range;
  if (!canvas_open(&canvas, style, frame, (frame.y1 - frame.y0) / (frame.x1 - frame.x0))) return NULL;
  size_t count = (size_t)canvas.across * (size_t)canvas.down;
  if (!plot_range(value, count, 1, 0, &range)) return canvas_free(&canvas), NULL;
  Bands bands = {depth > 0 ? fmax(range.low, range.high - depth) : range.low, range.high};
  draw_dots(&canvas, &bands, value);
  draw_cells(&canvas, &bands, value);
  canvas_put(&to, &canvas, frame);
  plot_put(&to, "%*s  greatest %.4g; contours every %.3g down to %.4g\n", 9, "", bands.high, (bands.high - bands.low) / BANDS, bands.low);
  if (range.strange) plot_put(&to, "%*s  %zu of %zu values are not finite\n", 9, "", range.strange, count);
  canvas_free(&canvas);
  return plot_text_end(&to);
}
