/* SPDX-License-Identifier: Apache-2.0 */
/* density.h -- densities for a state of known shape; the lists of densities and maps of a program. */
#ifndef FLOW_DENSITY_H
#define FLOW_DENSITY_H
#include "claim.h"
#include "constant.h"

bool type_density(Checker *c, Definition *definition, const Shape *state, Span at, TypedDensity *typed);
void list_densities(Checker *c, TypedProgram *program);
void list_maps(Checker *c, TypedProgram *program);

#endif
