/* SPDX-License-Identifier: Apache-2.0 */
/* adjoint_lanes.h -- linear combinations of buffers, number by number, in the model's precision; nothing crosses lanes. */
#ifndef FLOW_ADJOINT_LANES_H
#define FLOW_ADJOINT_LANES_H
#include <stddef.h>
#include <stdint.h>

void flow_lanes_scale(uint32_t precision, size_t count, double c, const void *from, void *to);          /* to = c from */
void flow_lanes_fma(uint32_t precision, size_t count, double c, const void *from, void *to);            /* to = fma(c, from, to) */
void flow_lanes_add(uint32_t precision, size_t count, const void *from, void *to);                      /* to = to + from */

/* Rows of `lanes` numbers, with one row beside them:  to = by to;  to = fma(by, from, to) */
void flow_lanes_times_row(uint32_t precision, uint64_t rows, size_t lanes, const void *by, void *to);
void flow_lanes_fma_row(uint32_t precision, uint64_t rows, size_t lanes, const void *by, const void *from, void *to);

#endif
