/* SPDX-License-Identifier: Apache-2.0 */
/* rounding.h -- the floating-point mode in which all of flow's arithmetic happens.
 *
 * Round to nearest, subnormals kept.  A host program may run in another mode (a library built with -Ofast sets
 * flush-to-zero for whoever loads it), so every public call and every worker thread does
 *
 *   FlowRounding callers = flow_rounding_enter();
 *   ...
 *   flow_rounding_leave(callers);
 *
 * and the caller has its own mode, exception flags included, back. */
#ifndef FLOW_ROUNDING_H
#define FLOW_ROUNDING_H
#include <stdint.h>

typedef struct FlowRounding { uint64_t control; } FlowRounding;

FlowRounding flow_rounding_enter(void);
void flow_rounding_leave(FlowRounding callers);

#endif
