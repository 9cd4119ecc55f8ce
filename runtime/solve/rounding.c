/* SPDX-License-Identifier: Apache-2.0 */
/* rounding.c -- MXCSR on x86-64, FPCR on AArch64.  Not inline: the mode changes at a call, which no arithmetic on values
 * in memory moves across. */
#include "rounding.h"

#if defined(__x86_64__)
#include <xmmintrin.h>

enum { MXCSR_DEFAULT = 0x1f80 };        /* all exceptions masked, nearest, no flush to zero, denormals as they are */

FlowRounding flow_rounding_enter(void) {
  FlowRounding callers = {_mm_getcsr()};
  _mm_setcsr(MXCSR_DEFAULT);
  return callers;
}

void flow_rounding_leave(FlowRounding callers) { _mm_setcsr((unsigned)callers.control); }

#elif defined(__aarch64__)

FlowRounding flow_rounding_enter(void) {
  FlowRounding callers;
  __asm__ volatile("mrs %0, fpcr" : "=r"(callers.control));
  __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)0));
  return callers;
}

void flow_rounding_leave(FlowRounding callers) { __asm__ volatile("msr fpcr, %0" : : "r"(callers.control)); }

#else
#error "flow does not know how this processor's rounding mode is set"
#endif
