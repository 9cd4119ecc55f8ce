/* SPDX-License-Identifier: Apache-2.0 */
/* solvers.h -- flowc help solvers: the table of methods (tableau.def), for a person. */
#ifndef FLOWC_SOLVERS_H
#define FLOWC_SOLVERS_H
#include <stdio.h>

void help_solvers(FILE *to);

#endif
