/* SPDX-License-Identifier: Apache-2.0 */
/* adaptive_loops_v4.c -- the same loops with vectors of 512 bits; called where the model's code has them too. */
#define FOR_CPU(name) name##_v4
#include "adaptive_loops.inc"
