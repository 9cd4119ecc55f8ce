/* SPDX-License-Identifier: Apache-2.0 */
/* adjoint_lanes.h -- linear combinations of buffers, number by number, in the model's precision; nothing crosses lanes. */
#ifndef FLOW_ADJOINT_LANES_H
#define FLOW_ADJOINT_LANES_H
#include <stddef.h>
#include <stdint.h>

void flow_lanes_scale(uint32_t precision, size_t count, double c, const void *from, void *to);          /* to = c from */
void flow_lanes_fma(uint32_t precision, size_t count, double c, const void *from, void *to);            /* to = fma(c, from, to) */
void flow_lanes_add(uint32_t precision, size_t count, const void *from, void *to);                      /* to = to + from */

#endif
