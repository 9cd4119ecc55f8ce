/* SPDX-License-Identifier: Apache-2.0 */
/* draws.h -- the numbers that a draw line asks for, sample by sample: what a density of a program is drawn from.
 *
 * The names take the sample's numbers (random.h) in their order, each from an even one on, so that normal numbers are whole pairs:
 *   normal(n)    n normal numbers        uniform(n)   n uniform ones
 *   choice       of n, one uniform number u: the first i whose weights, summed up to it, are above u; without weights floor(n u) */
#ifndef FLOW_SOLVE_DRAWS_H
#define FLOW_SOLVE_DRAWS_H
#include "flow/export.h"
#include "random.h"
#include <stdbool.h>

/* How many numbers the names have together; false where a name makes no sense, or they cannot be numbered. */
bool flow_draws_count(const flow_draw *draw, uint32_t draws, uint64_t *numbers);

/* The sample's numbers, name by name, end to end; number: [numbers + FLOW_DRAWS_SPARE]. */
enum { FLOW_DRAWS_SPARE = 1 };
void flow_draws_fill(const flow_draw *draw, uint32_t draws, FlowRandom random, uint64_t sample, double *number);

#endif
