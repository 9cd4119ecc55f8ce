/* SPDX-License-Identifier: Apache-2.0 */
/* cpu.h -- which level of a model this processor can run.
 *
 * A level is a set of CPUID bits and of register states that the operating system must save (XCR0); cpu.c has both as
 * tables.  flow_cpu_level_of is the pure half, so that a test can ask about processors that it does not run on. */
#ifndef FLOW_CPU_H
#define FLOW_CPU_H
#include <stdint.h>

typedef struct FlowCpuBits {    /* what CPUID and XGETBV answered; 0 where they could not be asked */
  uint32_t leaf1_ecx, leaf7_ebx, extended1_ecx;
  uint64_t xcr0;
} FlowCpuBits;

FlowCpuBits flow_cpu_bits(void);
uint32_t flow_cpu_level_of(const FlowCpuBits *bits);    /* FLOW_CPU_V4, FLOW_CPU_V3, or 0 if it is below that */
uint32_t flow_cpu_level(void);                          /* of this processor */

#endif
