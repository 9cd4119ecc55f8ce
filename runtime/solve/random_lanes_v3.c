/* SPDX-License-Identifier: Apache-2.0 */
/* random_lanes_v3.c -- with vectors of 256 bits. */
#define FOR_CPU(name) name##_v3
#include "random_lanes.inc"
