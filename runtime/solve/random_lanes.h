/* SPDX-License-Identifier: Apache-2.0 */
/* random_lanes.h -- numbers of several samples at once, for processors that have the vectors; random.c alone calls these. */
#ifndef FLOW_RANDOM_LANES_H
#define FLOW_RANDOM_LANES_H
#include "random.h"

#define RANDOM_LANES(cpu)                                                                                                       \
  void flow_random_words_##cpu(FlowRandom random, uint64_t first, uint32_t block, uint64_t even[restrict FLOW_RANDOM_LANES],    \
                               uint64_t odd[restrict FLOW_RANDOM_LANES]);                                                       \
  void flow_random_normals_##cpu(FlowRandom random, uint64_t first, uint32_t block, double even[restrict FLOW_RANDOM_LANES],    \
                                 double odd[restrict FLOW_RANDOM_LANES]);
RANDOM_LANES(v3)
RANDOM_LANES(v4)
#undef RANDOM_LANES

#endif
