/* SPDX-License-Identifier: Apache-2.0 */
/* picture.h -- which picture suits an array of samples: d = 1 a histogram, d = 64 images of 8 x 8, else the first two
 * components in the plane. */
#ifndef FLOWC_PICTURE_H
#define FLOWC_PICTURE_H
#include "run.h"
#include "tensor.h"

enum { PICTURE_MOST_ROWS = 200000 }; /* more would not be seen */
enum { PICTURE_MOST_LINES = 100 };   /* of more paths the points are drawn: lines would cover each other */

/* rows x dim numbers; `all`: how many rows there would be, if only the first are here. */
int picture_of_rows(const Run *run, FILE *to, const double *x, size_t rows, size_t dim, uint64_t all);
int picture_of_tensors(const Run *run, const FlowTensors *tensors);

#endif
