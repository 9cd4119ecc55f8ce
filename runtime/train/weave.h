/* SPDX-License-Identifier: Apache-2.0 */
/* weave.h -- a matrix into another layout, eight of its lines side by side: what is read and what is written then both go on from where
 * they were.  One element after the other, with a stride for each, costs four times as much. */
#ifndef FLOW_TRAIN_WEAVE_H
#define FLOW_TRAIN_WEAVE_H
#include <stdint.h>

enum { FLOW_WEAVE = 8 };

/* to[i * pitch + k] = scale * from[k * between + i * step] for i < count, k < lines (at most FLOW_WEAVE). */
#define FLOW_WEAVE_LOOPS(T)                                                                                                     \
  static inline void flow_weave_##T(const T *restrict from, int64_t between, int64_t step, uint64_t count, uint64_t lines,      \
                                    T scale, T *restrict to, uint64_t pitch) {                                                  \
    const T *line[FLOW_WEAVE];                                                                                                  \
    for (int k = 0; k < FLOW_WEAVE; k++) line[k] = from + ((uint64_t)k < lines ? k : 0) * between;                              \
    if (lines == FLOW_WEAVE && between == 1)                                                                                    \
      for (uint64_t i = 0; i < count; i++)                                                                                      \
        for (int k = 0; k < FLOW_WEAVE; k++) to[i * pitch + (uint64_t)k] = scale * from[(int64_t)i * step + k];                 \
    else if (lines == FLOW_WEAVE && step == 1)                                                                                  \
      for (uint64_t i = 0; i < count; i++)                                                                                      \
        for (int k = 0; k < FLOW_WEAVE; k++) to[i * pitch + (uint64_t)k] = scale * line[k][i];                                  \
    else                                                                                                                        \
      for (uint64_t k = 0; k < lines; k++)                                                                                      \
        for (uint64_t i = 0; i < count; i++) to[i * pitch + k] = scale * line[k][(int64_t)i * step];                            \
  }
FLOW_WEAVE_LOOPS(float)
FLOW_WEAVE_LOOPS(double)
#undef FLOW_WEAVE_LOOPS

#endif
