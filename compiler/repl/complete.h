/* SPDX-License-Identifier: Apache-2.0 */
/* complete.h -- what Tab offers, from the tables and from the session. */
#ifndef FLOW_COMPLETE_H
#define FLOW_COMPLETE_H
#include "repl.h"

/* Whole replacements for line[from, to), sorted, NULL behind the last; the list and its strings are freed by the caller; NULL
 * where there are none.
 *   :sam      commands                    :load exa    files            :sample --so     options
 *   --solver rk    solvers, and the words of a choice  :sample mo    flows and fields of the session
 *   \al       symbols                     "net.0.w     tensors of the weights file
 *   elsewhere keywords, functions, layers, clauses, definitions                                                       */
char **complete(const Repl *repl, const char *line, size_t from, size_t to);

#endif
