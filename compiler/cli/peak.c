/* SPDX-License-Identifier: Apache-2.0 */
/* peak.c -- twelve independent chains of fused multiply-adds: more than latency times throughput of any x86-64 core.
 *
 * The numbers are zeros, which take as long as any others; the loop is written in assembly so that no compiler can
 * shorten it. */
#include "peak.h"
#include <time.h>
#include "flow/model.h"

enum { CHAINS = 12, UNROLLED = 2, TURNS = 20000 };

#define CHAIN(op, v, i) op " %%" v "14, %%" v "15, %%" v #i "\n"
#define ALL_CHAINS(op, v)                                                                                           \
  CHAIN(op, v, 0) CHAIN(op, v, 1) CHAIN(op, v, 2) CHAIN(op, v, 3) CHAIN(op, v, 4) CHAIN(op, v, 5)                   \
  CHAIN(op, v, 6) CHAIN(op, v, 7) CHAIN(op, v, 8) CHAIN(op, v, 9) CHAIN(op, v, 10) CHAIN(op, v, 11)
#define LOOP(op, v)                                                                                                 \
  __asm__ volatile("vzeroall\n1:\n" ALL_CHAINS(op, v) ALL_CHAINS(op, v) "dec %0\njnz 1b\n"                          \
                   : "+r"(turns)                                                                                    \
                   :                                                                                                \
                   : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",        \
                     "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "cc")

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double peak_gflops(int precision, uint32_t cpu) {
  long turns = TURNS;
  double before = now();
  if (cpu == FLOW_CPU_V4 && precision == FLOW_F32) LOOP("vfmadd231ps", "zmm");
  else if (cpu == FLOW_CPU_V4) LOOP("vfmadd231pd", "zmm");
  else if (precision == FLOW_F32) LOOP("vfmadd231ps", "ymm");
  else LOOP("vfmadd231pd", "ymm");
  double lanes = (cpu == FLOW_CPU_V4 ? 64.0 : 32.0) / precision;
  return 2 * CHAINS * UNROLLED * (double)TURNS * lanes / (now() - before) * 1e-9;
}
