/* SPDX-License-Identifier: Apache-2.0 */
/* adaptive_loops.c -- the first step of waiting samples; accept or reject, the time, the next step: for every processor. */
#define FOR_CPU(name) name##_v3
#include "adaptive_loops.inc"
