/* SPDX-License-Identifier: Apache-2.0 */
/* show.h -- values and signatures as a person reads them. */
#ifndef FLOW_SHOW_H
#define FLOW_SHOW_H
#include <stdio.h>
#include "typed.h"

/* "[0.5, 1]": as few digits as give the number back, six where there are many; a long axis shows its ends. */
void show_value(FILE *to, const double *number, const Shape *shape);
/* "scalar", "[2, 3]". */
void show_shape(FILE *to, const Shape *shape);
/* "u(t, x: [2]) -> [2]" */
void show_signature(FILE *to, const TypedFunction *function);

#endif
