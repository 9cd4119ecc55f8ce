/* SPDX-License-Identifier: Apache-2.0 */
/* small.h -- a small network with everything that a model may compute apart: from the time alone, from conditions alone. */
#ifndef TEST_TRAIN_SMALL_H
#define TEST_TRAIN_SMALL_H
#include "compile.h"
#include "model.h"

/* d = 2, a condition c of 3 numbers; smooth, so that differences tell the truth. */
typedef struct Small {
  FlowCompiled *ahead, *back;   /* the velocity and its adjoint */
  FlowTensors weights;          /* random numbers that do not change from run to run */
  FlowBlob ahead_blob, back_blob;
} Small;

/* log_p: with the rate of log p; of fixed steps, in f64. */
Small small_open(bool log_p);
/* As said; extras and probes of compile.h, those of the adjoint belonging to those of the velocity. */
typedef struct SmallKind { FlowExtras extras; uint32_t probes; unsigned entries; int precision; } SmallKind;
Small small_open_as(SmallKind kind);
void small_close(Small *small);

/* The blobs for weights moved by h along a direction, in all tensors or (only >= 0) in one; and, where `sums` are those of a gradient,
 * its product with the direction. */
double small_move(Small *small, double h, int only, const void *sums);

/* The next of a row of numbers in [-1, 1). */
double small_number(uint64_t *state);

#endif
