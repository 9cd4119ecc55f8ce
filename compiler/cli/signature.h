/* SPDX-License-Identifier: Apache-2.0 */
/* signature.h -- what a checked program defines, one line each, for `check` and `inspect`.
 *
 *   network v(t, x: [2]) -> [2]
 *   flow moons: normal(2), velocity v, midpoint 100 steps, time 0 -> 1, weights moons.safetensors */
#ifndef FLOWC_SIGNATURE_H
#define FLOWC_SIGNATURE_H
#include "program.h"
#include <stdio.h>

void print_signatures(FILE *to, const TypedProgram *program);
/* The same as two JSON members: "functions": [...], "flows": [...]. */
void print_signatures_json(FILE *to, const TypedProgram *program);
/* "[64, 3]"; nothing for a scalar. */
void print_shape(FILE *to, const Shape *shape);

#endif
