/* SPDX-License-Identifier: Apache-2.0 */
/* random_ir.h -- well-formed functions from a seed, for tests that hold for every function.
 *
 *   IrFunction *f = random_ir(&arena, seed, &(RandomIrOptions){.nodes = 60, .most_size = 130, .tame = true});
 *   double *state = random_ir_numbers(&arena, seed, f->input[1].shape);
 *
 * The function is unfrozen, verified by its caller, and has the inputs t, state [d] and one condition, up to four
 * weights, and values of rank 0 to 3.  Every operation of ops.def is as likely as any other.  Add
 *   SOURCES ../ir/random_ir.c
 * to a test that uses it. */
#ifndef FLOW_TEST_RANDOM_IR_H
#define FLOW_TEST_RANDOM_IR_H
#include "ir.h"

typedef struct RandomIrOptions {
  uint32_t nodes;               /* about how many random operations; 0: 40 */
  int64_t most_size;            /* the longest axis, 1 .. 130; 0: 20 */
  int64_t most_elements;        /* of one value; 0: 600 */
  bool tame;                    /* arguments stay in the domain, sums are scaled: values are moderate and no NaN arises */
  bool no_truth_steps;          /* no floor, sign, mod, comparison of computed values: nothing jumps */
  bool no_matrices;             /* no elimination, whose errors the running bound does not follow */
} RandomIrOptions;

IrFunction *random_ir(Arena *arena, uint64_t seed, const RandomIrOptions *options);

/* Numbers in [-1, 1] that are exact in f32, as many as the shape has. */
double *random_ir_numbers(Arena *arena, uint64_t seed, Shape shape);

#endif
