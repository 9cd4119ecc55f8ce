/* SPDX-License-Identifier: Apache-2.0 */
/* faulty.h -- an allocator that keeps count, and that can fail.
 *
 *   Faulty f;   faulty_start(&f);   f.fail_at = 3;   f.persistent = true;   ... &f.allocator ...   ck_assert(f.live == 0);
 *
 * It aborts the test where a block is resized or freed with another size than it has. */
#ifndef TEST_FAULTY_H
#define TEST_FAULTY_H
#include "alloc.h"
#include <stdbool.h>

typedef struct Faulty {
  FlowAllocator allocator;      /* its user is this struct, which must stay where it is */
  size_t live, peak;            /* bytes */
  size_t calls;                 /* that asked for memory */
  size_t fail_at;               /* the call, from 1, that gets NULL; 0: none */
  bool persistent;              /* and every one after it */
} Faulty;

void faulty_start(Faulty *faulty);

/* Runs `operation` with the 1st, 2nd, 3rd ... request failing, once and from then on, until it succeeds; each failure
 * must be FLOW_NO_MEMORY, leave nothing allocated, and be followed by a success.  Returns how many were injected. */
size_t faulty_every_failure(int (*operation)(const FlowAllocator *allocator, void *user), void *user);

#endif
