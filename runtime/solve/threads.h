/* SPDX-License-Identifier: Apache-2.0 */
/* threads.h -- how many threads a call has: those that were asked for; 0: as many as OpenMP offers. */
#ifndef FLOW_SOLVE_THREADS_H
#define FLOW_SOLVE_THREADS_H

/* In a process that was forked after a call on several threads: 1. */
int flow_threads(int asked);

#endif
