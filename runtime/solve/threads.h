/* SPDX-License-Identifier: Apache-2.0 */
/* threads.h -- how many threads a call has: those that were asked for; 0: as many as OpenMP offers. */
#ifndef FLOW_SOLVE_THREADS_H
#define FLOW_SOLVE_THREADS_H
#include <omp.h>

static inline int flow_threads(int asked) { return asked > 0 ? asked : omp_get_max_threads(); }

#endif
