/* SPDX-License-Identifier: Apache-2.0 */
/* adaptive_settle.c -- accept or reject, the time, the length of the next step: for processors of the least level. */
#define FOR_CPU(name) name##_v3
#include "adaptive_settle_cpu.inc"
