/* SPDX-License-Identifier: Apache-2.0 */
/* random.h -- random numbers that belong to a sample.
 *
 * There is no generator with a state: number i of sample s in a stream is a function of (seed, stream, s, i) and of
 * nothing else, whatever was asked for before, on whichever thread, for however many samples.
 *
 *   bits      Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011) with
 *               key     = {seed low, seed high}
 *               counter = {sample low, sample high, block, stream}
 *             makes a block of four 32-bit words w0..w3.  64-bit word i is w0 + 2^32 w1 of block i/2 for even i,
 *             w2 + 2^32 w3 for odd i.  Different (seed, stream, sample, i) never share a word.
 *   uniform   number i is floor(word i / 2^11) * 2^-53: [0, 1), every multiple of 2^-53.
 *   normal    numbers 2j and 2j+1 are Box and Muller's pair (Ann. Math. Stat. 29 (1958), 610) of the words 2j and 2j+1:
 *               r = sqrt(-2 log((floor(word 2j / 2) + 1/2) * 2^-63))       so 0 <= r <= 9.42: tails to 9.42 sigma
 *               angle = quadrant * pi/2 + (rest + 1/2) * 2^-62 * pi/2      quadrant: 2 high bits of word 2j+1
 *               r cos(angle), r sin(angle)
 *             in f64 with flow's own log, sin and cos; the quadrant is exact (swap and sign).
 *
 * An f32 number is the f64 number rounded once, so that runs in f32 and f64 see the same points.  This layout and these
 * bits are frozen; tests hold golden values. */
#ifndef FLOW_RANDOM_H
#define FLOW_RANDOM_H
#include <stdint.h>
#include "tile.h"

/* Streams that flow itself uses; numbers of different streams are independent. */
enum { FLOW_STREAM_SOURCE = 0, FLOW_STREAM_PROBES = 1, FLOW_STREAM_DRAW = 2, FLOW_STREAM_CALIBRATION = 3 };

typedef struct FlowRandom {
  uint64_t seed;
  uint32_t stream;
} FlowRandom;

/* Philox4x32-10 itself. */
void flow_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t word[4]);

uint64_t flow_random_word(FlowRandom random, uint64_t sample, uint32_t index);
double flow_random_uniform(FlowRandom random, uint64_t sample, uint32_t index);
void flow_random_normal_pair(FlowRandom random, uint64_t sample, uint32_t pair, double normal[2]);

/* The two normal numbers of the words 2j and 2j+1. */
void flow_random_normal_of_words(const uint64_t word[2], double normal[2]);

static inline double flow_random_uniform_of_word(uint64_t word) { return (double)(int64_t)(word >> 11) * 0x1p-53; }

/* Of `count` samples from `first` on, at most FLOW_RANDOM_LANES: their words, or normal numbers, 2 block and 2 block + 1.  A tenth of the
 * time, where the processor has vectors; the same bits.  Behind `count` stands anything. */
enum { FLOW_RANDOM_LANES = 16 };
static inline uint32_t flow_random_count(uint64_t left) { return left < FLOW_RANDOM_LANES ? (uint32_t)left : FLOW_RANDOM_LANES; }
void flow_random_words(FlowRandom random, uint64_t first, uint32_t count, uint32_t block, uint64_t word[2][FLOW_RANDOM_LANES]);
void flow_random_normals(FlowRandom random, uint64_t first, uint32_t count, uint32_t block, double normal[2][FLOW_RANDOM_LANES]);

/* Fill a tile: number `row` of sample first + lane at (row, lane); idle lanes are copies. */
void flow_random_fill_uniform(FlowRandom random, uint64_t first, const FlowTile *tile);
void flow_random_fill_normal(FlowRandom random, uint64_t first, const FlowTile *tile);

#endif
