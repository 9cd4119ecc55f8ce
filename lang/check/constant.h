/* SPDX-License-Identifier: Apache-2.0 */
/* constant.h -- numbers that a flow or a draw line needs before anything runs. */
#ifndef FLOW_CONSTANT_H
#define FLOW_CONSTANT_H
#include "checker.h"

/* Element `i` (C order) of a value without parameters; a scalar counts for every element.  false, and reported: it is
 * not finite, or too much to be worked out here. */
bool constant_number(Checker *c, const Typed *e, int64_t i, double *number);

/* All elements, in the arena; NULL, and reported. */
double *constant_numbers(Checker *c, const Typed *e, int64_t count);

#endif
