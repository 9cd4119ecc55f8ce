/* SPDX-License-Identifier: Apache-2.0 */
/* random_lanes_v4.c -- with vectors of 512 bits. */
#define FOR_CPU(name) name##_v4
#include "random_lanes.inc"
