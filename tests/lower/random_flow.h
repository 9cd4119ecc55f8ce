/* SPDX-License-Identifier: Apache-2.0 */
/* random_flow.h -- texts of programs from a seed, for tests that hold for every program.
 *
 *   char *text = random_flow(&arena, seed, &(RandomFlowOptions){.tame = true});
 *
 * The program has no errors and defines a field `u(t, x: [d], c: [m], w)` (or without the conditions) with everything
 * that the language has for fields: constants tiny, huge and -0, deep chains, wide sums, nested `for` and `sum`, `if`,
 * matrices, softmax and norms, functions, and networks with and without names, called twice, repeated, at a literal t.
 * Nothing in it is random but by the seed (and by the order in which a C compiler evaluates arguments). */
#ifndef FLOW_TEST_RANDOM_FLOW_H
#define FLOW_TEST_RANDOM_FLOW_H
#include <stdbool.h>
#include <stdint.h>
#include "arena.h"

typedef struct RandomFlowOptions {
  uint32_t dim;                 /* of the state; 0: 1 .. 9 */
  uint32_t lets;                /* of the field, about; 0: 1 .. 8 */
  uint32_t width;               /* of the widest layer; 0: 24 */
  bool no_networks;
  bool no_conditions;
  bool tame;                    /* arguments stay in the domain: values are moderate, and no NaN arises */
} RandomFlowOptions;

char *random_flow(Arena *arena, uint64_t seed, const RandomFlowOptions *options);

#endif
