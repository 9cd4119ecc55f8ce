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

/* Numbers 2 block and 2 block + 1 of some samples. */
static void draw(const FlowProbes *probes, uint64_t first, uint32_t count, uint32_t block, double number[2][FLOW_RANDOM_LANES]) {
  FlowRandom random = {probes->seed, probes->stream ? probes->stream : FLOW_STREAM_PROBES};
  if (probes->kind != FLOW_PROBE_RADEMACHER) {
    flow_random_normals(random, first, count, block, number);
    return;
  }
  uint64_t word[2][FLOW_RANDOM_LANES];
  flow_random_words(random, first, count, block, word);
  for (int half = 0; half < 2; half++)
    for (uint32_t i = 0; i < count; i++) number[half][i] = word[half][i] >> 63 ? -1 : 1;
}

void flow_probes_fill(const FlowProbes *probes, uint64_t first, uint64_t dim, uint64_t row, const FlowTile *tile) {
  uint64_t numbers = probes->count * dim, from = probes->first * dim;
  double number[2][FLOW_RANDOM_LANES];
  for (uint32_t lane = 0, count; lane < tile->live; lane += count) {
    count = flow_random_count(tile->live - lane);
    for (uint64_t i = 0; i < numbers; i++) {
      if (i == 0 || (from + i) % 2 == 0) draw(probes, first + lane, count, (uint32_t)((from + i) / 2), number);
      for (uint32_t k = 0; k < count; k++) flow_tile_set(tile, row + i, lane + k, number[(from + i) % 2][k]);
    }
  }
}
