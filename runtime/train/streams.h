/* SPDX-License-Identifier: Apache-2.0 */
/* streams.h -- the streams of random numbers that a training uses (random.h): sample j of iteration i is number i*batch + j. */
#ifndef FLOW_TRAIN_STREAMS_H
#define FLOW_TRAIN_STREAMS_H
#include "random.h"

enum {
  FLOW_STREAM_INITIAL = 16,     /* first weights */
  FLOW_STREAM_PICK,             /* word 0: the time; 1: the row of the data; 2: the row of a source that is a file */
  FLOW_STREAM_START,            /* the point of the source */
  FLOW_STREAM_SPLIT,            /* which rows are held out: word 0 of each row's number */
  FLOW_STREAM_VALIDATION_PICK, FLOW_STREAM_VALIDATION_START,
  FLOW_STREAM_TRACE, FLOW_STREAM_VALIDATION_TRACE       /* vectors that the trace is estimated by (probes.h) */
};

#endif
