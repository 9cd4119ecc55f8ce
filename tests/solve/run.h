/* SPDX-License-Identifier: Apache-2.0 */
/* run.h -- solves of the hand-written models, collected in memory; an allocator that counts and fails on request. */
#ifndef FLOW_TEST_RUN_H
#define FLOW_TEST_RUN_H
#include "alloc.h"
#include "double.h"
#include "solve.h"

typedef struct Collected {      /* what a sink took */
  char *value;
  uint8_t *status;
  uint64_t first, count, calls;
  size_t row;                   /* bytes of a row */
  uint64_t stop_after;          /* cancel when progress has got so far; 0: never */
  uint64_t reports, last_done;
  flow_status answer;           /* of the sink */
} Collected;

/* A sampling of `count` samples of a field with standard settings: rk4, 10 steps, t from 0 to 1, normal source, one thread;
 * change what the test is about, then `collect`. */
typedef struct Run {
  DoubleField field;
  FlowSampling what;
  FlowSource source;
  FlowBlob blob;
  FlowTensor condition[2];
  float condition_value[2];
  FlowSummary summary;
  Collected out;
} Run;
void run_open(Run *run, DoubleField field, DoubleConfiguration configuration, uint64_t count);
flow_status run_collect(Run *run, flow_error *error);   /* run->out is replaced */
void run_close(Run *run);

typedef struct Failing {        /* user of `failing_allocator` */
  uint64_t calls, fail_at;      /* allocations so far; which one fails, 0: none */
  size_t in_use, peak;          /* bytes */
} Failing;
FlowAllocator failing_allocator(Failing *failing);

#endif
