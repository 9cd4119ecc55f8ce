/* SPDX-License-Identifier: Apache-2.0 */
/* cpu.c -- x86-64-v3 and -v4 as CPUID bits (x86-64 psABI, table 3.1; Intel SDM volume 2, CPUID and XGETBV). */
#include "cpu.h"
#include "flow/model.h"

#define BIT(n) (UINT32_C(1) << (n))

/* leaf 1, ecx */
enum { FMA = 12, MOVBE = 22, OSXSAVE = 27, AVX = 28, F16C = 29 };
/* leaf 7, ebx */
enum { BMI1 = 3, AVX2 = 5, BMI2 = 8, AVX512F = 16, AVX512DQ = 17, AVX512CD = 28, AVX512BW = 30, AVX512VL = 31 };
/* leaf 0x80000001, ecx */
enum { LZCNT = 5 };
/* XCR0: the operating system saves xmm, ymm; opmask, zmm0-15 high, zmm16-31 */
enum { SAVES_YMM = 0x06, SAVES_ZMM = 0xe6 };

static const struct Level {
  uint32_t level;
  FlowCpuBits needs;
} levels[] = {                                  /* best first; each holds the bits of those below it */
    {FLOW_CPU_V4,
     {BIT(FMA) | BIT(MOVBE) | BIT(OSXSAVE) | BIT(AVX) | BIT(F16C),
      BIT(BMI1) | BIT(AVX2) | BIT(BMI2) | BIT(AVX512F) | BIT(AVX512DQ) | BIT(AVX512CD) | BIT(AVX512BW) | BIT(AVX512VL),
      BIT(LZCNT), SAVES_ZMM}},
    {FLOW_CPU_V3,
     {BIT(FMA) | BIT(MOVBE) | BIT(OSXSAVE) | BIT(AVX) | BIT(F16C), BIT(BMI1) | BIT(AVX2) | BIT(BMI2), BIT(LZCNT), SAVES_YMM}},
};

uint32_t flow_cpu_level_of(const FlowCpuBits *bits) {
  for (unsigned i = 0; i < sizeof levels / sizeof levels[0]; i++) {
    const FlowCpuBits *needs = &levels[i].needs;
    if ((bits->leaf1_ecx & needs->leaf1_ecx) == needs->leaf1_ecx && (bits->leaf7_ebx & needs->leaf7_ebx) == needs->leaf7_ebx &&
        (bits->extended1_ecx & needs->extended1_ecx) == needs->extended1_ecx && (bits->xcr0 & needs->xcr0) == needs->xcr0)
      return levels[i].level;
  }
  return 0;
}

#if defined(__x86_64__)
#include <cpuid.h>

FlowCpuBits flow_cpu_bits(void) {
  FlowCpuBits bits = {0, 0, 0, 0};
  uint32_t eax, ebx, ecx, edx;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx)) bits.leaf1_ecx = ecx;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) bits.leaf7_ebx = ebx;
  if (__get_cpuid(0x80000001u, &eax, &ebx, &ecx, &edx)) bits.extended1_ecx = ecx;
  if (bits.leaf1_ecx & BIT(OSXSAVE)) {          /* XGETBV is an illegal instruction without it */
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    bits.xcr0 = (uint64_t)high << 32 | low;
  }
  return bits;
}

#else

FlowCpuBits flow_cpu_bits(void) { return (FlowCpuBits){0, 0, 0, 0}; }

#endif

uint32_t flow_cpu_level(void) {
  FlowCpuBits bits = flow_cpu_bits();
  return flow_cpu_level_of(&bits);
}
