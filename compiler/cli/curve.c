/* SPDX-License-Identifier: Apache-2.0 */
/* curve.c -- a function of one number as a line. */
#include "canvas.h"
#include <math.h>
#include <stdlib.h>

char *plot_curve(const double *x, const double *y, size_t count, PlotFrame frame, PlotStyle style) {
  Canvas canvas;
  PlotText to = {0};
  PlotRange across, up;
  if (!plot_range(x, count, 1, 0, &across) || !plot_range(y, count, 1, 0, &up) || !canvas_open(&canvas, style, frame, 0)) return NULL;
  double margin = 0.04 * (up.high - up.low);
  if (!(frame.x1 > frame.x0)) frame.x0 = across.low, frame.x1 = across.high;
  if (!(frame.y1 > frame.y0)) frame.y0 = up.low - margin, frame.y1 = up.high + margin;
  bool pen = false;
  double px = 0, py = 0;
  for (size_t i = 0; i < count; i++) {
    double a = (x[i] - frame.x0) / (frame.x1 - frame.x0) * (canvas.across - 1);
    double d = (frame.y1 - y[i]) / (frame.y1 - frame.y0) * (canvas.down - 1);
    bool finite = isfinite(a) && isfinite(d);
    if (finite) canvas_line(&canvas, pen ? px : a, pen ? py : d, a, d);
    pen = finite, px = a, py = d; /* a gap where there is no number */
  }
  canvas_put(&to, &canvas, frame);
  if (up.strange) plot_put(&to, "%*s  %zu of %zu values are not finite\n", 9, "", up.strange, count);
  canvas_free(&canvas);
  return plot_text_end(&to);
}
