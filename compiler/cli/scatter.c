/* SPDX-License-Identifier: Apache-2.0 */
/* scatter.c -- points in the plane as a picture of their density.
 *
 * A braille character (U+2800 and up) is a grid of 2 x 4 dots, about square each.  Counts fall on dots; a dot is set
 * where sqrt(count / typical count) passes its threshold of a 4 x 4 ordered dither (Bayer 1973), so that crowded places
 * are full, thin ones grainy, and the picture is a function of the points alone.  With few points every one is seen.
 * In ASCII a character is one cell and its ink grows with the count. */
#include "plot.h"
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL = 9, LEAST_ROWS = 6, MOST_ROWS = 24, LEAST_COLUMNS = 16, MOST_COLUMNS = 72 };

typedef struct Grid {
  int columns, rows; /* of characters */
  int across, down;  /* of dots */
  PlotRange x, y;
  size_t outside, strange; /* points that are beyond the axes, not finite */
  uint32_t *dot;           /* [down][across], row 0 at the top */
} Grid;

/* A little room around the points. */
static void widen(PlotRange *range, double share) {
  double margin = (range->high - range->low) * share;
  range->low -= margin;
  range->high += margin;
}

/* Rows such that both axes have one scale (a character is twice as high as wide), within what a screen bears. */
static void choose_size(Grid *grid, PlotStyle style) {
  int columns = style.width - LABEL - 3;
  columns = columns > MOST_COLUMNS ? MOST_COLUMNS : columns < LEAST_COLUMNS ? LEAST_COLUMNS : columns;
  double rows = 0.5 * columns * (grid->y.high - grid->y.low) / (grid->x.high - grid->x.low);
  if (rows > MOST_ROWS) {
    double narrower = columns * MOST_ROWS / rows;
    columns = narrower < 2 * LEAST_COLUMNS ? 2 * LEAST_COLUMNS < columns ? 2 * LEAST_COLUMNS : columns : (int)narrower;
    rows = MOST_ROWS;
  }
  grid->columns = columns;
  grid->rows = rows < LEAST_ROWS ? LEAST_ROWS : (int)lround(rows);
  grid->across = style.ascii ? grid->columns : 2 * grid->columns;
  grid->down = style.ascii ? grid->rows : 4 * grid->rows;
}

static void drop_points(Grid *grid, const double *x, const double *y, size_t count, size_t stride) {
  for (size_t i = 0; i < count; i++) {
    double a = x[i * stride], b = y[i * stride];
    if (!isfinite(a) || !isfinite(b)) {
      grid->strange++;
      continue;
    }
    double right = (a - grid->x.low) / (grid->x.high - grid->x.low),
           up = (b - grid->y.low) / (grid->y.high - grid->y.low);
    if (!(right >= 0 && right < 1 && up >= 0 && up < 1)) {
      grid->outside++;
      continue;
    }
    int column = (int)(right * grid->across), row = grid->down - 1 - (int)(up * grid->down);
    grid->dot[row * grid->across + column]++;
  }
}

static int ascending(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

/* The count that nine in ten of the dots that have any do not pass: what "full" means; 0 if memory is out. */
static double typical_count(const Grid *grid) {
  size_t dots = (size_t)grid->across * (size_t)grid->down, n = 0;
  uint32_t *some = malloc(dots * sizeof *some);
  if (!some) return 0;
  for (size_t i = 0; i < dots; i++)
    if (grid->dot[i]) some[n++] = grid->dot[i];
  qsort(some, n, sizeof *some, ascending);
  double typical = n ? some[n - 1 - n / 10] : 1;
  free(some);
  return typical < 4 ? 1 : typical; /* too few to grade: every point is seen */
}

static unsigned braille(const Grid *grid, int column, int row, double typical) {
  static const uint8_t bit[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
  static const uint8_t bayer[4][4] = {{0, 8, 2, 10}, {12, 4, 14, 6}, {3, 11, 1, 9}, {15, 7, 13, 5}};
  unsigned dots = 0;
  for (int r = 0; r < 4; r++)
    for (int c = 0; c < 2; c++) {
      int across = 2 * column + c, down = 4 * row + r;
      double share = sqrt(grid->dot[down * grid->across + across] / typical);
      if (share > bayer[down % 4][across % 4] / 16.0) dots |= bit[r][c];
    }
  return 0x2800 + dots;
}

static char ink(uint32_t count, double typical) {
  static const char ramp[] = " .:-=+*#%@";
  if (count == 0) return ' ';
  int level = 1 + (int)(8 * sqrt(count / typical));
  return ramp[level > 9 ? 9 : level];
}

static void put_axis(PlotText *to, const Grid *grid, bool ascii) {
  plot_put(to, "%*s %s", LABEL, "", ascii ? "+" : "└");
  for (int c = 0; c < grid->columns; c++) plot_put(to, "%s", ascii ? "-" : "─");
  char low[32], high[32];
  snprintf(low, sizeof low, "%.3g", grid->x.low);
  snprintf(high, sizeof high, "%.3g", grid->x.high);
  plot_put(to, "\n%*s  %s%*s\n", LABEL, "", low, grid->columns - (int)strlen(low), high);
}

static void put_rows(PlotText *to, const Grid *grid, double typical, bool ascii) {
  for (int row = 0; row < grid->rows; row++) {
    if (row == 0)
      plot_put(to, "%*.3g %s", LABEL, grid->y.high, ascii ? "|" : "┤");
    else if (row == grid->rows - 1)
      plot_put(to, "%*.3g %s", LABEL, grid->y.low, ascii ? "|" : "┤");
    else
      plot_put(to, "%*s %s", LABEL, "", ascii ? "|" : "│");
    int last = grid->columns; /* no blanks at the end of a line */
    while (last > 0 &&
           (ascii ? grid->dot[row * grid->across + last - 1] == 0 : braille(grid, last - 1, row, typical) == 0x2800))
      last--;
    for (int column = 0; column < last; column++) {
      if (ascii)
        plot_put(to, "%c", ink(grid->dot[row * grid->across + column], typical));
      else
        plot_put_rune(to, braille(grid, column, row, typical));
    }
    plot_put(to, "\n");
  }
}

char *plot_scatter(const double *x, const double *y, size_t count, size_t stride, PlotStyle style) {
  return plot_scatter_in((PlotFrame){0}, x, y, count, stride, style);
}

/* What is said, else what fits, with a little room. */
static void choose_span(PlotRange *range, double low, double high) {
  if (high > low) range->low = low, range->high = high;
  else widen(range, 0.04);
}

char *plot_scatter_in(PlotFrame frame, const double *x, const double *y, size_t count, size_t stride, PlotStyle style) {
  Grid grid = {0};
  if (!plot_range(x, count, stride, 0.002, &grid.x) || !plot_range(y, count, stride, 0.002, &grid.y)) return NULL;
  choose_span(&grid.x, frame.x0, frame.x1);
  choose_span(&grid.y, frame.y0, frame.y1);
  choose_size(&grid, style);
  grid.dot = calloc((size_t)grid.across * (size_t)grid.down, sizeof *grid.dot);
  if (!grid.dot) return NULL;
  drop_points(&grid, x, y, count, stride);
  double typical = typical_count(&grid);
  PlotText to = {0};
  if (typical > 0) {
    put_rows(&to, &grid, typical, style.ascii);
    put_axis(&to, &grid, style.ascii);
    if (grid.outside) plot_put(&to, "%*s  %zu of %zu points lie outside\n", LABEL, "", grid.outside, count);
    if (grid.strange) plot_put(&to, "%*s  %zu of %zu points are not finite\n", LABEL, "", grid.strange, count);
  } else {
    to.failed = true;
  }
  free(grid.dot);
  return plot_text_end(&to);
}
