/* SPDX-License-Identifier: Apache-2.0 */
/* batch.h -- the samples of one iteration: a point of the source, one of the data, and where they stand on the path.
 *
 * Sample j of iteration i is number i*batch + j of the streams (streams.h), so it is the same on any threads and after any
 * interruption.  Its row of the data is floor(word * rows / 2^64), drawn with replacement. */
#ifndef FLOW_BATCH_H
#define FLOW_BATCH_H
#include "settings.h"

typedef struct FlowBatch {
  uint64_t count, dim;
  double *x0, *x1;              /* [count][dim]; x0 as the model's precision holds it */
  double *s;                    /* [count] */
  uint64_t *row;                /* [count]: of the data, for conditions; NULL: sample i has row i */
  uint64_t first;               /* number of its first sample in the streams */
  bool once;                    /* of the rows held out, not of an iteration */
} FlowBatch;

/* The mean loss of a batch: with its terms times their weights; and the terms that there are, in the order of FlowTrainTerms, 0 behind them. */
typedef struct FlowLossParts { double all, term[2]; } FlowLossParts;

/* Which rows of the data are drawn. */
typedef struct FlowRowsOf {
  const uint64_t *order;        /* NULL: row i is row i */
  uint64_t first, count;        /* order[first .. first + count) */
} FlowRowsOf;

typedef struct FlowDrawing {
  const FlowTrainSettings *settings;
  const flow_level *level;
  int threads;
  char *lanes;                  /* a lane buffer of a state for each thread */
  size_t thread_bytes;
} FlowDrawing;

flow_status flow_drawing_open(const FlowTrainSettings *settings, const flow_level *level, int threads, FlowDrawing *drawing, flow_error *error);
void flow_drawing_close(FlowDrawing *drawing);

flow_status flow_batch_open(const FlowAllocator *allocator, uint64_t count, uint64_t dim, FlowBatch *batch, flow_error *error);
void flow_batch_close(const FlowAllocator *allocator, FlowBatch *batch);

/* Fills the batch with samples first, first + 1, ... of the streams `pick` and `start`.  `once`: sample j has row first + j. */
void flow_batch_draw(const FlowDrawing *drawing, FlowRowsOf rows, uint32_t pick, uint32_t start, uint64_t first, bool once, FlowBatch *batch);

/* A random order of all rows: Fisher and Yates' shuffle by the words of stream FLOW_STREAM_SPLIT.  order: [rows] */
void flow_rows_shuffle(uint64_t seed, uint64_t rows, uint64_t *order);

#endif
