/* SPDX-License-Identifier: Apache-2.0 */
/* probes.c -- signs and normal numbers into lanes. */
#include "probes.h"
#include <inttypes.h>

flow_status flow_probes_check(const FlowProbes *probes, uint64_t dim, flow_error *error) {
  if (probes->count == 0) return flow_fail(error, FLOW_BAD_CALL, "0 probes: at least 1 is needed");
  if (((uint64_t)probes->first + probes->count) > UINT32_MAX / dim)
    return flow_fail(error, FLOW_BAD_CALL, "probe %" PRIu64 " of a state of %" PRIu64 " numbers: a sample has 2^32 random numbers",
                     (uint64_t)probes->first + probes->count - 1, dim);
  return FLOW_OK;
}

static double component(const FlowProbes *probes, uint64_t sample, uint32_t index) {
  FlowRandom random = {probes->seed, probes->stream ? probes->stream : FLOW_STREAM_PROBES};
  if (probes->kind == FLOW_PROBE_RADEMACHER) return flow_random_word(random, sample, index) >> 63 ? -1 : 1;
  double pair[2];
  flow_random_normal_pair(random, sample, index / 2, pair);
  return pair[index % 2];
}

void flow_probes_fill(const FlowProbes *probes, uint64_t first, uint64_t dim, uint64_t row, const FlowTile *tile) {
  uint64_t numbers = probes->count * dim, from = probes->first * dim;
  for (uint64_t i = 0; i < numbers; i++)
    for (uint32_t lane = 0; lane < tile->live; lane++)
      flow_tile_set(tile, row + i, lane, component(probes, first + lane, (uint32_t)(from + i)));
}
