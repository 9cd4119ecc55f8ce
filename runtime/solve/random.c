/* SPDX-License-Identifier: Apache-2.0 */
/* random.c -- Philox blocks, and uniform and normal numbers made of them.  Random123 is seen by this file alone. */
#include "random.h"
#include "elementary.h"
#include <Random123/philox.h>
#include <math.h>

void flow_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t word[4]) {
  philox4x32_ctr_t at = {{counter[0], counter[1], counter[2], counter[3]}};
  philox4x32_key_t with = {{key[0], key[1]}};
  philox4x32_ctr_t block = philox4x32_R(10, at, with);
  for (int i = 0; i < 4; i++) word[i] = block.v[i];
}

/* Both 64-bit words of a block. */
static void words_of_block(FlowRandom random, uint64_t sample, uint32_t block, uint64_t word[2]) {
  const uint32_t key[2] = {(uint32_t)random.seed, (uint32_t)(random.seed >> 32)};
  const uint32_t counter[4] = {(uint32_t)sample, (uint32_t)(sample >> 32), block, random.stream};
  uint32_t w[4];
  flow_philox(counter, key, w);
  word[0] = (uint64_t)w[1] << 32 | w[0];
  word[1] = (uint64_t)w[3] << 32 | w[2];
}

uint64_t flow_random_word(FlowRandom random, uint64_t sample, uint32_t index) {
  uint64_t word[2];
  words_of_block(random, sample, index / 2, word);
  return word[index % 2];
}

static double uniform_of(uint64_t word) { return (double)(int64_t)(word >> 11) * 0x1p-53; }

double flow_random_uniform(FlowRandom random, uint64_t sample, uint32_t index) {
  return uniform_of(flow_random_word(random, sample, index));
}

/* Box-Muller.  63 bits for the radius: the smallest argument of the logarithm is 2^-64, the largest 1.  The angle inside
 * its quadrant is in (0, pi/2], where sin and cos need no reduction of a large argument. */
void flow_random_normal_of_words(const uint64_t word[2], double normal[2]) {
  static const double half_pi = 1.5707963267948966;
  double tail = ((double)(int64_t)(word[0] >> 1) + 0.5) * 0x1p-63;
  double radius = sqrt(-2 * flow_log_f64(tail));
  double angle = ((double)(int64_t)(word[1] & (UINT64_MAX >> 2)) + 0.5) * 0x1p-62 * half_pi;
  double c = radius * flow_cos_f64(angle), s = radius * flow_sin_f64(angle);
  switch (word[1] >> 62) {
  case 0: normal[0] = c, normal[1] = s; break;
  case 1: normal[0] = -s, normal[1] = c; break;
  case 2: normal[0] = -c, normal[1] = -s; break;
  default: normal[0] = s, normal[1] = -c; break;
  }
}

void flow_random_normal_pair(FlowRandom random, uint64_t sample, uint32_t pair, double normal[2]) {
  uint64_t word[2];
  words_of_block(random, sample, pair, word);
  flow_random_normal_of_words(word, normal);
}

void flow_random_fill_uniform(FlowRandom random, uint64_t first, const FlowTile *tile) {
  for (uint32_t lane = 0; lane < tile->live; lane++) {
    for (uint64_t row = 0; row < tile->rows; row += 2) {
      uint64_t word[2];
      words_of_block(random, first + lane, (uint32_t)(row / 2), word);
      flow_tile_set(tile, row, lane, uniform_of(word[0]));
      if (row + 1 < tile->rows) flow_tile_set(tile, row + 1, lane, uniform_of(word[1]));
    }
  }
  flow_tile_pad(tile);
}

void flow_random_fill_normal(FlowRandom random, uint64_t first, const FlowTile *tile) {
  for (uint32_t lane = 0; lane < tile->live; lane++) {
    for (uint64_t row = 0; row < tile->rows; row += 2) {
      double normal[2];
      flow_random_normal_pair(random, first + lane, (uint32_t)(row / 2), normal);
      flow_tile_set(tile, row, lane, normal[0]);
      if (row + 1 < tile->rows) flow_tile_set(tile, row + 1, lane, normal[1]);
    }
  }
  flow_tile_pad(tile);
}
