/* SPDX-License-Identifier: Apache-2.0 */
/* threads.c -- OpenMP keeps a thread's helpers from one parallel region to the next.  A fork copies what it knows of them and not the
 * helpers, and it would wait for them for ever.  So each thread remembers, as OpenMP does, in which process its helpers were made. */
#include "threads.h"
#include <omp.h>
#include <sys/types.h>
#include <unistd.h>

int flow_threads(int asked) {
  static _Thread_local pid_t made_in;           /* 0: not yet */
  int threads = asked > 0 ? asked : omp_get_max_threads();
  if (threads <= 1) return 1;
  pid_t here = getpid();
  if (made_in == 0) made_in = here;
  return made_in == here ? threads : 1;
}
