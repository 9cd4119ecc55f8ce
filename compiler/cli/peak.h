/* SPDX-License-Identifier: Apache-2.0 */
/* peak.h -- how fast this core can multiply and add, right now: what a product of matrices cannot exceed. */
#ifndef FLOWC_PEAK_H
#define FLOWC_PEAK_H
#include <stdint.h>

/* GFLOP/s of independent fused multiply-adds in registers, of FLOW_F32 or FLOW_F64 numbers in the vectors of the level
 * (FLOW_CPU_V3, FLOW_CPU_V4), on one core; takes about a millisecond.  The level must be one that the processor has. */
double peak_gflops(int precision, uint32_t cpu);

#endif
