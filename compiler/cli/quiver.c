/* SPDX-License-Identifier: Apache-2.0 */
/* quiver.c -- a field in the plane: a stroke in each place, as long as the field is strong there, with a knob at its head.  In
 * ASCII one sign tells the direction. */
#include "canvas.h"
#include <math.h>
#include <stdlib.h>

enum { CELL_COLUMNS = 4, CELL_ROWS = 2 };
static const double quarter = 0.78539816339744831; /* pi/4: signs for eight directions */

PlotGrid plot_quiver_grid(PlotFrame frame, PlotStyle style) {
  Canvas canvas;
  double shape = (frame.y1 - frame.y0) / (frame.x1 - frame.x0);
  if (!canvas_open(&canvas, style, frame, shape)) return (PlotGrid){0};
  canvas_free(&canvas);
  return (PlotGrid){(size_t)(canvas.columns / CELL_COLUMNS), (size_t)(canvas.rows / CELL_ROWS)};
}

static double strength(const double *u) { return hypot(u[0], u[1]); }

static unsigned direction_sign(const double *u) {
  static const char sign[] = "</v\\>/^\\"; /* from pi round to it; the four between lean */
  int eighth = (int)lround((atan2(u[1], u[0]) + 4 * quarter) / quarter) % 8;
  return (unsigned char)sign[eighth];
}

typedef struct Place {
  int column, row; /* of the character in the middle */
  double x, y;     /* in dots */
} Place;

static void draw_arrow(Canvas *canvas, Place place, const double *u, double share) {
  CanvasCell *cell = &canvas->cell[place.row * canvas->columns + place.column];
  uint8_t colour = canvas_colour(share);
  if (canvas->ascii) {
    cell->sign = share < 0.02 ? '.' : direction_sign(u);
    cell->colour = colour;
    return;
  }
  double length = strength(u), reach = share * (CELL_ROWS * 4 - 1) / 2;
  double dx = length > 0 ? u[0] / length * reach : 0, dy = length > 0 ? -u[1] / length * reach : 0;
  canvas_line(canvas, place.x - dx, place.y - dy, place.x + dx, place.y + dy);
  for (int k = 0; k < 4 && share > 0.1; k++) canvas_set(canvas, (int)floor(place.x + dx) + k % 2, (int)floor(place.y + dy) + k / 2);
  for (int r = 0; r < CELL_ROWS; r++)
    for (int c = 0; c < CELL_COLUMNS; c++) {
      int row = place.row - CELL_ROWS / 2 + r, column = place.column - CELL_COLUMNS / 2 + c;
      if (row >= 0 && row < canvas->rows && column >= 0 && column < canvas->columns) canvas->cell[row * canvas->columns + column].colour = colour;
    }
}

static double strongest(const double *u, size_t count, size_t *strange) {
  double most = 0;
  for (size_t i = 0; i < count; i++) {
    double here = strength(u + 2 * i);
    if (isfinite(here)) most = fmax(most, here);
    else ++*strange;
  }
  return most;
}

char *plot_quiver(const double *u, PlotGrid grid, PlotFrame frame, PlotStyle style) {
  Canvas canvas;
  PlotText to = {0};
  size_t strange = 0, count = grid.across * grid.down;
  double most = strongest(u, count, &strange), per_column = style.ascii ? 1 : 2, per_row = style.ascii ? 1 : 4;
  if (!canvas_open(&canvas, style, frame, (frame.y1 - frame.y0) / (frame.x1 - frame.x0))) return NULL;
  for (size_t i = 0; i < count; i++) {
    size_t across = i % grid.across, down = i / grid.across;
    double column = ((double)across + 0.5) * canvas.columns / (double)grid.across, row = ((double)down + 0.5) * canvas.rows / (double)grid.down;
    Place place = {(int)column, (int)row, column * per_column, row * per_row};
    double here = strength(u + 2 * i);
    if (isfinite(here)) draw_arrow(&canvas, place, u + 2 * i, most > 0 ? here / most : 0);
    else canvas.cell[place.row * canvas.columns + place.column].sign = '?';
  }
  canvas_put(&to, &canvas, frame);
  plot_put(&to, "%*s  longest arrow: %.3g\n", 9, "", most);
  if (strange) plot_put(&to, "%*s  %zu of %zu are not finite\n", 9, "", strange, count);
  canvas_free(&canvas);
  return plot_text_end(&to);
}
