/* SPDX-License-Identifier: Apache-2.0 */
/* source.h -- where the first states of a solve come from.
 *
 *   normal(d)        d independent standard normal numbers a sample
 *   uniform(lo, hi)  component c is lo[c] + (hi[c] - lo[c]) u, u in [0, 1), computed in f64 and rounded once; never
 *                    outside [lo, hi]
 *   tensor           row i of an array [n, ...] of any type is the state of sample i; for d = 1 also [n]
 *
 * A source says nothing about how many samples there are; sample i is the same whoever asks for it. */
#ifndef FLOW_SOLVE_SOURCE_H
#define FLOW_SOLVE_SOURCE_H
#include "random.h"
#include "tensor.h"

typedef enum FlowSourceKind { FLOW_SOURCE_NORMAL, FLOW_SOURCE_UNIFORM, FLOW_SOURCE_TENSOR } FlowSourceKind;

typedef struct FlowSource {
  FlowSourceKind kind;
  uint64_t dim;                 /* numbers of a state */
  const double *low, *high;     /* uniform: [dim]; borrowed */
  const FlowTensor *tensor;     /* tensor: borrowed */
  const char *name;             /* tensor: its file, for messages */
} FlowSource;

/* Has every sample in [first, end) a state of `dim` numbers?  If not, the words say what was found. */
flow_status flow_source_check(const FlowSource *source, uint64_t dim, uint64_t first, uint64_t end, flow_error *error);

/* The states of samples first, first + 1, ... into the tile's lanes; the source has been checked. */
void flow_source_fill(const FlowSource *source, FlowRandom random, uint64_t first, const FlowTile *tile);

#endif
