/* SPDX-License-Identifier: Apache-2.0 */
/* points.c -- points on axes that the caller chooses, every one seen: a frame of an animation; paths as lines. */
#include "canvas.h"
#include <math.h>

enum { AXIS_PARTS = 25 }; /* a 25th of an axis stays free at each end */

char *plot_points(const double *x, const double *y, size_t count, size_t stride, PlotFrame frame, PlotStyle style) {
  Canvas canvas;
  PlotText to = {0};
  if (!canvas_open(&canvas, style, frame, (frame.y1 - frame.y0) / (frame.x1 - frame.x0))) return NULL;
  for (size_t i = 0; i < count; i++) {
    double across = (x[i * stride] - frame.x0) / (frame.x1 - frame.x0), up = (y[i * stride] - frame.y0) / (frame.y1 - frame.y0);
    if (across >= 0 && across < 1 && up >= 0 && up < 1) canvas_set(&canvas, (int)(across * canvas.across), (int)((1 - up) * canvas.down));
  }
  canvas_put(&to, &canvas, frame);
  canvas_free(&canvas);
  return plot_text_end(&to);
}

static void place(const Canvas *canvas, PlotFrame frame, const double *point, double *across, double *down) {
  *across = (point[0] - frame.x0) / (frame.x1 - frame.x0) * canvas->across;
  *down = (frame.y1 - point[1]) / (frame.y1 - frame.y0) * canvas->down;
}

char *plot_paths(const double *point, size_t times, size_t paths, bool round, PlotFrame frame, PlotStyle style) {
  PlotRange x, y;
  Canvas canvas;
  PlotText to = {0};
  if (!plot_range(point, times * paths, 2, 0, &x) || !plot_range(point + 1, times * paths, 2, 0, &y)) return NULL;
  double across = (x.high - x.low) / AXIS_PARTS, up = (y.high - y.low) / AXIS_PARTS;
  frame = (PlotFrame){x.low - across, x.high + across, y.low - up, y.high + up, frame.colour};
  if (!canvas_open(&canvas, style, frame, round ? (frame.y1 - frame.y0) / (frame.x1 - frame.x0) : 0)) return NULL;
  for (size_t i = 0; i < times * paths; i++) {
    double from[2], end[2];
    const double *a = point + 2 * i, *b = i + paths < times * paths ? a + 2 * paths : a;
    if (!isfinite(a[0]) || !isfinite(a[1]) || !isfinite(b[0]) || !isfinite(b[1])) continue;
    place(&canvas, frame, a, &from[0], &from[1]);
    place(&canvas, frame, b, &end[0], &end[1]);
    canvas_line(&canvas, from[0], from[1], end[0], end[1]);
  }
  canvas_put(&to, &canvas, frame);
  canvas_free(&canvas);
  return plot_text_end(&to);
}
