/* SPDX-License-Identifier: Apache-2.0 */
/* drawn.h -- a source that is a density of the program: its two compiled functions as the runtime's, for one call.
 *
 *   api_drawn_check      does what a library says of its density make sense?
 *   api_drawn_open       memory for so many threads: a place for each of those that draw at a time
 *   api_drawn_source     draws and measures with it; borrows `drawn`
 *   api_drawn_close      also after a failure, and where nothing was opened */
#ifndef FLOW_API_DRAWN_H
#define FLOW_API_DRAWN_H
#include "flow/export.h"
#include "flow/status.h"
#include "source.h"

typedef struct ApiDrawn {
  FlowAllocator allocator;
  const flow_density *of;
  const flow_level *make, *log_p;       /* code for one lane */
  uint64_t numbers;             /* that are drawn */
  size_t at_x, at_u, at_scratch;        /* in a place, which begins with its atomic_flag */
  size_t place_bytes, bytes;
  int places;
  char *memory;                 /* [places] */
} ApiDrawn;

flow_status api_drawn_check(const flow_density *density, uint32_t dim, uint32_t cpu, ApiDrawn *drawn, flow_error *error);
/* checked: what api_drawn_check has filled. */
flow_status api_drawn_open(const ApiDrawn *checked, int threads, const FlowAllocator *allocator, ApiDrawn *drawn, flow_error *error);
FlowSource api_drawn_source(ApiDrawn *drawn, uint64_t dim);
void api_drawn_close(ApiDrawn *drawn);

#endif
