/* SPDX-License-Identifier: Apache-2.0 */
#include "canvas.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL = 9, LEAST_ROWS = 6, MOST_ROWS = 24, USUAL_ROWS = 16, LEAST_COLUMNS = 16, MOST_COLUMNS = 72 };

uint8_t canvas_colour(double share) {
  static const uint8_t ramp[] = {53, 54, 55, 61, 67, 66, 72, 71, 77, 113, 149, 185, 226};
  int last = (int)sizeof ramp - 1, level = (int)(share * (last + 1));
  return ramp[!(share > 0) ? 0 : level > last ? last : level];
}

static void choose_size(Canvas *canvas, PlotStyle style, double shape) {
  int columns = style.width - LABEL - 3;
  columns = columns > MOST_COLUMNS ? MOST_COLUMNS : columns < LEAST_COLUMNS ? LEAST_COLUMNS : columns;
  double rows = shape > 0 ? 0.5 * columns * shape : USUAL_ROWS; /* a character is twice as high as wide */
  if (rows > MOST_ROWS) {
    columns = (int)fmax(LEAST_COLUMNS, columns * MOST_ROWS / rows);
    rows = MOST_ROWS;
  }
  canvas->columns = columns;
  canvas->rows = rows < LEAST_ROWS ? LEAST_ROWS : (int)lround(rows);
}

bool canvas_open(Canvas *canvas, PlotStyle style, PlotFrame frame, double shape) {
  *canvas = (Canvas){.ascii = style.ascii, .colour = frame.colour};
  choose_size(canvas, style, shape);
  canvas->across = style.ascii ? canvas->columns : 2 * canvas->columns;
  canvas->down = style.ascii ? canvas->rows : 4 * canvas->rows;
  canvas->dot = calloc((size_t)canvas->across * (size_t)canvas->down, 1);
  canvas->cell = calloc((size_t)canvas->columns * (size_t)canvas->rows, sizeof *canvas->cell);
  if (canvas->dot && canvas->cell) return true;
  canvas_free(canvas);
  return false;
}

void canvas_free(Canvas *canvas) {
  free(canvas->dot);
  free(canvas->cell);
  canvas->dot = NULL;
  canvas->cell = NULL;
}

void canvas_set(Canvas *canvas, int across, int down) {
  if (across >= 0 && across < canvas->across && down >= 0 && down < canvas->down) canvas->dot[down * canvas->across + across] = 1;
}

/* The share of a way from `from` by `step` that lies between low and high. */
static bool clip(double from, double step, double low, double high, double *begin, double *end) {
  if (step == 0) return from >= low && from <= high;
  double a = (low - from) / step, b = (high - from) / step;
  *begin = fmax(*begin, fmin(a, b));
  *end = fmin(*end, fmax(a, b));
  return *begin <= *end;
}

void canvas_line(Canvas *canvas, double x0, double y0, double x1, double y1) {
  double begin = 0, end = 1, dx = x1 - x0, dy = y1 - y0;
  if (!clip(x0, dx, -1, canvas->across, &begin, &end) || !clip(y0, dy, -1, canvas->down, &begin, &end)) return;
  if (end < 1) x1 = x0 + end * dx, y1 = y0 + end * dy;
  if (begin > 0) x0 += begin * dx, y0 += begin * dy;
  double length = fmax(fabs(x1 - x0), fabs(y1 - y0));
  int steps = length < 4 * (canvas->across + canvas->down) ? (int)ceil(length) : 4 * (canvas->across + canvas->down);
  for (int i = 0; i <= steps; i++) {
    double share = steps ? (double)i / steps : 0;
    canvas_set(canvas, (int)floor(x0 + share * (x1 - x0)), (int)floor(y0 + share * (y1 - y0)));
  }
}

/* ---- text --------------------------------------------------------------------------------------------------------- */

static unsigned sign_at(const Canvas *canvas, int column, int row) {
  static const uint8_t bit[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
  const CanvasCell *cell = &canvas->cell[row * canvas->columns + column];
  if (cell->sign) return cell->sign;
  if (canvas->ascii) return canvas->dot[row * canvas->across + column] ? '*' : ' ';
  unsigned dots = 0;
  for (int r = 0; r < 4; r++)
    for (int c = 0; c < 2; c++)
      if (canvas->dot[(4 * row + r) * canvas->across + 2 * column + c]) dots |= bit[r][c];
  return dots ? 0x2800 + dots : ' ';
}

static bool is_blank(const Canvas *canvas, int column, int row) {
  return sign_at(canvas, column, row) == ' ' && !(canvas->colour && canvas->cell[row * canvas->columns + column].background);
}

static void put_row(PlotText *to, const Canvas *canvas, int row) {
  int last = canvas->columns; /* no blanks at the end of a line */
  while (last > 0 && is_blank(canvas, last - 1, row)) last--;
  CanvasCell now = {0};
  for (int column = 0; column < last; column++) {
    CanvasCell cell = canvas->cell[row * canvas->columns + column];
    if (canvas->colour && (cell.colour != now.colour || cell.background != now.background)) {
      plot_put(to, "\033[0m");
      if (cell.colour) plot_put(to, "\033[38;5;%dm", cell.colour);
      if (cell.background) plot_put(to, "\033[48;5;%dm", cell.background);
      now = cell;
    }
    plot_put_rune(to, sign_at(canvas, column, row));
  }
  if (now.colour || now.background) plot_put(to, "\033[0m");
  plot_put(to, "\n");
}

void canvas_put(PlotText *to, const Canvas *canvas, PlotFrame frame) {
  bool ascii = canvas->ascii;
  for (int row = 0; row < canvas->rows; row++) {
    if (row == 0) plot_put(to, "%*.3g %s", LABEL, frame.y1, ascii ? "|" : "┤");
    else if (row == canvas->rows - 1) plot_put(to, "%*.3g %s", LABEL, frame.y0, ascii ? "|" : "┤");
    else plot_put(to, "%*s %s", LABEL, "", ascii ? "|" : "│");
    put_row(to, canvas, row);
  }
  plot_put(to, "%*s %s", LABEL, "", ascii ? "+" : "└");
  for (int c = 0; c < canvas->columns; c++) plot_put(to, "%s", ascii ? "-" : "─");
  char low[32], high[32];
  snprintf(low, sizeof low, "%.3g", frame.x0);
  snprintf(high, sizeof high, "%.3g", frame.x1);
  plot_put(to, "\n%*s  %s%*s\n", LABEL, "", low, canvas->columns - (int)strlen(low), high);
}
