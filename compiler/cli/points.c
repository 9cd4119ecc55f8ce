/* SPDX-License-Identifier: Apache-2.0 */
/* points.c -- points on axes that the caller chooses, every one seen: a frame of an animation. */
#include "canvas.h"
#include <math.h>

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
