/* SPDX-License-Identifier: Apache-2.0 */
/* picture.h -- which picture suits an array of samples: d = 1 a histogram, d = 64 images of 8 x 8, else the first two
 * components in the plane. */
#ifndef FLOWC_PICTURE_H
#define FLOWC_PICTURE_H
#include "plot.h"
#include "run.h"
#include "tensor.h"

enum { PICTURE_MOST_ROWS = 200000 }; /* more would not be seen */
enum { PICTURE_MOST_LINES = 100 };   /* of more paths the points are drawn: lines would cover each other */

/* --window, else from -3 to 3.  *y_said: a span of its own for y, which has else that of x. */
flow_status picture_window(const Run *run, PlotFrame *frame, bool *y_said, flow_error *error);
/* The frame of a picture that fits where no --window is given, and where it has no axis of y to span (a curve's and a histogram's). */
PlotFrame picture_frame(const Run *run, bool plane);

/* Images have no axes: false after a message where a --window is given for them. */
bool picture_window_fits(const Run *run, bool images);

/* rows x dim numbers; `all`: how many rows there would be, if only the first are here. */
int picture_of_rows(const Run *run, FILE *to, const double *x, size_t rows, size_t dim, uint64_t all);
int picture_of_tensors(const Run *run, const FlowTensors *tensors);

#endif
