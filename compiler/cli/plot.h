/* SPDX-License-Identifier: Apache-2.0 */
/* plot.h -- pictures of numbers as text: a scatter of points in the plane, a histogram, small images; a field, a function of the
 * plane or of one number.
 *
 * Pure functions of their arguments: numbers in, text out (NUL-terminated, lines end in \n; freed with free; NULL if
 * memory is out).  Where the picture leaves something out (points beyond the range, values that are not finite) a line
 * below it says how many. */
#ifndef FLOWC_PLOT_H
#define FLOWC_PLOT_H
#include <stdbool.h>
#include <stddef.h>

typedef struct PlotStyle {
  int width;  /* columns of the terminal; the picture is at most that wide */
  bool ascii; /* plain characters, not braille and blocks */
} PlotStyle;

/* What the axes span, x to the right and y upwards (a pair of equal numbers: what fits), and whether colours may be used. */
typedef struct PlotFrame {
  double x0, x1, y0, y1;
  bool colour;
} PlotFrame;

/* Points (x[i*stride], y[i*stride]).  The axes span all but the outermost 2 in 1000 points on either side, and have
 * one scale where the spans allow.  The density shows as the share of dots that are set. */
char *plot_scatter(const double *x, const double *y, size_t count, size_t stride, PlotStyle style);
char *plot_scatter_in(PlotFrame frame, const double *x, const double *y, size_t count, size_t stride, PlotStyle style);
/* Values x[i*stride] in bins of equal width. */
char *plot_histogram(const double *x, size_t count, size_t stride, PlotStyle style);
char *plot_histogram_in(PlotFrame frame, const double *x, size_t count, size_t stride, PlotStyle style);
/* The first images, side*side numbers each, dark to bright over the range of all that are shown. */
char *plot_images(const double *pixel, size_t count, size_t side, PlotStyle style);

typedef struct PlotGrid {
  size_t across, down;
} PlotGrid; /* 0 by 0: memory is out */

/* A field at the middles of as many equal cells as plot_quiver_grid says, u[down][across][2], the uppermost row first. */
PlotGrid plot_quiver_grid(PlotFrame frame, PlotStyle style);
char *plot_quiver(const double *u, PlotGrid grid, PlotFrame frame, PlotStyle style);
/* value[down][across] at the middles of the cells of plot_heat_grid; with `depth` above 0 only what lies that far below the
 * greatest value is told apart (log-densities go down without end). */
PlotGrid plot_heat_grid(PlotFrame frame, PlotStyle style);
char *plot_heat(const double *value, PlotFrame frame, double depth, PlotStyle style);
/* Points as they are, those in the frame. */
char *plot_points(const double *x, const double *y, size_t count, size_t stride, PlotFrame frame, PlotStyle style);
/* A line through point[times][paths][2] for each path, a gap where a point is not finite.  With `round` both axes have one
 * scale, as far as a screen allows.  The frame gives no more than whether there are colours. */
char *plot_paths(const double *point, size_t times, size_t paths, bool round, PlotFrame frame, PlotStyle style);
/* y over ascending x, a gap where y is not finite. */
char *plot_curve(const double *x, const double *y, size_t count, PlotFrame frame, PlotStyle style);

/* ---- for all of them: text that grows, and ranges ---- */
typedef struct PlotText {
  char *text;
  size_t length, room;
  bool failed;
} PlotText;
void plot_put(PlotText *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
void plot_put_rune(PlotText *to, unsigned code_point);
char *plot_text_end(PlotText *to); /* the text, or NULL if memory ran out on the way */

typedef struct PlotRange {
  double low, high;
  size_t strange;
} PlotRange; /* strange: NaNs and infinities */
/* The range without the outermost `trim` (a share) of the finite values on either side; false if memory is out. */
bool plot_range(const double *x, size_t count, size_t stride, double trim, PlotRange *range);

#endif
