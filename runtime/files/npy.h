/* SPDX-License-Identifier: Apache-2.0 */
/* npy.h -- one array of numpy's, versions 1 to 3.
 *
 * The header's shape must account for every byte that follows it, no more and no fewer, and is checked against them
 * before anything is allocated.  Fortran order is transposed and big-endian swapped while reading, so that what comes
 * out is always C order, little-endian, in one copy. */
#ifndef FLOW_NPY_H
#define FLOW_NPY_H
#include "npy_header.h"
#include "stream.h"
#include "tensors_build.h"

FlowParse flow_npy_parse;
flow_status flow_npy_read(const FlowAllocator *allocator, FlowStream *stream, FlowTensors *tensors, flow_error *error);

/* The two halves, for members of a .npz: what is there, and then the numbers (`bytes` of them) to where they shall be. */
flow_status flow_npy_read_header(FlowStream *stream, FlowNpyHeader *header, FlowTensor *tensor, uint64_t *bytes,
                                 flow_error *error);
flow_status flow_npy_read_numbers(FlowStream *stream, const FlowNpyHeader *header, const FlowTensor *tensor,
                                  void *to, flow_error *error);

#endif
