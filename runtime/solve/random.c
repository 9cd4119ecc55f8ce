/* SPDX-License-Identifier: Apache-2.0 */
/* random.c -- Philox blocks, and uniform and normal numbers made of them: one by one, or, where the processor can, for several samples at
 * once (random_lanes.h). */
#include "random_formulas.inc"
#include "random_lanes.h"

void flow_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t word[4]) {
  philox4x32_ctr_t at = {{counter[0], counter[1], counter[2], counter[3]}};
  philox4x32_key_t with = {{key[0], key[1]}};
  philox4x32_ctr_t block = philox4x32_R(10, at, with);
  for (int i = 0; i < 4; i++) word[i] = block.v[i];
}

/* ---- one by one ---------------------------------------------------------------------------------------------------------- */

uint64_t flow_random_word(FlowRandom random, uint64_t sample, uint32_t index) {
  uint64_t even, odd;
  random_words_of_block(random, sample, index / 2, &even, &odd);
  return index % 2 ? odd : even;
}

double flow_random_uniform(FlowRandom random, uint64_t sample, uint32_t index) {
  return flow_random_uniform_of_word(flow_random_word(random, sample, index));
}

void flow_random_normal_of_words(const uint64_t word[2], double normal[2]) {
  random_normals_of_words(word[0], word[1], &normal[0], &normal[1]);
}

void flow_random_normal_pair(FlowRandom random, uint64_t sample, uint32_t pair, double normal[2]) {
  uint64_t even, odd;
  random_words_of_block(random, sample, pair, &even, &odd);
  random_normals_of_words(even, odd, &normal[0], &normal[1]);
}

/* ---- several samples ------------------------------------------------------------------------------------------------------ */

#if defined(__x86_64__)
static bool has_v4(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl");
}
static bool has_v3(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
#else
static bool has_v4(void) { return false; }
static bool has_v3(void) { return false; }
#endif

/* One sample is done before the lanes are. */
void flow_random_words(FlowRandom random, uint64_t first, uint32_t count, uint32_t block, uint64_t word[2][FLOW_RANDOM_LANES]) {
  if (count > 1 && has_v4())
    flow_random_words_v4(random, first, block, word[0], word[1]);
  else if (count > 1 && has_v3())
    flow_random_words_v3(random, first, block, word[0], word[1]);
  else
    for (uint32_t i = 0; i < count; i++) random_words_of_block(random, first + i, block, &word[0][i], &word[1][i]);
}

void flow_random_normals(FlowRandom random, uint64_t first, uint32_t count, uint32_t block, double normal[2][FLOW_RANDOM_LANES]) {
  double pair[2];
  if (count > 1 && has_v4())
    flow_random_normals_v4(random, first, block, normal[0], normal[1]);
  else if (count > 1 && has_v3())
    flow_random_normals_v3(random, first, block, normal[0], normal[1]);
  else
    for (uint32_t i = 0; i < count; i++) {
      flow_random_normal_pair(random, first + i, block, pair);
      normal[0][i] = pair[0], normal[1][i] = pair[1];
    }
}

/* ---- a tile ---------------------------------------------------------------------------------------------------------------- */

void flow_random_fill_uniform(FlowRandom random, uint64_t first, const FlowTile *tile) {
  uint64_t word[2][FLOW_RANDOM_LANES];
  for (uint32_t lane = 0, count; lane < tile->live; lane += count) {
    count = flow_random_count(tile->live - lane);
    for (uint64_t row = 0; row < tile->rows; row++) {
      if (row % 2 == 0) flow_random_words(random, first + lane, count, (uint32_t)(row / 2), word);
      for (uint32_t i = 0; i < count; i++) flow_tile_set(tile, row, lane + i, flow_random_uniform_of_word(word[row % 2][i]));
    }
  }
  flow_tile_pad(tile);
}

void flow_random_fill_normal(FlowRandom random, uint64_t first, const FlowTile *tile) {
  double normal[2][FLOW_RANDOM_LANES];
  for (uint32_t lane = 0, count; lane < tile->live; lane += count) {
    count = flow_random_count(tile->live - lane);
    for (uint64_t row = 0; row < tile->rows; row++) {
      if (row % 2 == 0) flow_random_normals(random, first + lane, count, (uint32_t)(row / 2), normal);
      for (uint32_t i = 0; i < count; i++) flow_tile_set(tile, row, lane + i, normal[row % 2][i]);
    }
  }
  flow_tile_pad(tile);
}
