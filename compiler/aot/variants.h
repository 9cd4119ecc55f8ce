/* SPDX-License-Identifier: Apache-2.0 */
/* variants.h -- what a library can compute, and of which programs the code of each is. */
#ifndef FLOW_AOT_VARIANTS_H
#define FLOW_AOT_VARIANTS_H
#include "compile.h"
#include "flow/export.h"

enum { AOT_MOST_VARIANTS = 8 };

typedef struct AotWishes {
  uint32_t probes;              /* at a time; 0: FLOW_STANDARD_PROBES where a state is too large for the exact trace, else none */
  bool vjp;                     /* its code reads the weights once more, transposed */
} AotWishes;

/* What the library of a flow (NULL: of a field) computes, FLOW_COMPUTES_..., the velocity first; how many.  One that the compiler
 * cannot make of a program (BAD_PROGRAM) is left out, but for those that were asked for. */
uint32_t aot_choose(const TypedFlow *flow, const AotWishes *wishes, uint32_t computes[AOT_MOST_VARIANTS]);
bool aot_asked_for(uint32_t computes, const AotWishes *wishes);

/* Sets extras, probes and what belongs to them. */
void aot_compile_options(uint32_t computes, const TypedFlow *flow, const AotWishes *wishes, FlowCompileOptions *options);
/* The entries that it is for: FLOW_ENTRY_... */
unsigned aot_entries(uint32_t computes);
/* Is it worth code for one sample at a time?  What a control loop asks for is. */
bool aot_is_for_few(uint32_t computes);
const char *aot_word(uint32_t computes);

#endif
