/* SPDX-License-Identifier: Apache-2.0 */
/* tensors_build.h -- what the readers share while they make a FlowTensors. */
#ifndef FLOW_TENSORS_BUILD_H
#define FLOW_TENSORS_BUILD_H
#include "tensor.h"

/* Each format's door: a whole file in memory.  `name` stands in messages. */
typedef flow_status FlowParse(const FlowAllocator *allocator, const char *name, const void *bytes, size_t size,
                              FlowTensors *tensors, flow_error *error);

/* No file of more bytes is read and no .npz may unpack to more: 64 GiB. */
#define FLOW_FILE_MOST_BYTES (UINT64_C(1) << 36)

/* An empty set with room for `count` zeroed tensors and `bytes` bytes of memory (not zeroed; NULL if there are none). */
flow_status flow_tensors_make(const FlowAllocator *allocator, const char *name, uint32_t count, size_t bytes,
                              FlowTensors *tensors, flow_error *error);
/* Natural order of names, so that equal names are neighbours. */
void flow_tensors_sort(FlowTensors *tensors);
/* After the sort: the second of two tensors of one name, or NULL. */
const FlowTensor *flow_tensors_duplicate(const FlowTensors *tensors);

/* Facts of a type: bytes of an element, safetensors' word and numpy's letters (NULL: has none). */
typedef struct FlowTypeFacts {
  const char *name;
  uint32_t bytes;
  const char *word;
  const char *letters;
} FlowTypeFacts;
extern const FlowTypeFacts flow_type_facts[FLOW_TYPE_COUNT];

/* count (the product of dim) and *bytes (count elements); false if either does not fit 63 bits. */
bool flow_tensor_measure(FlowTensor *tensor, uint64_t *bytes);
/* Reverses the bytes of each of `count` elements: big-endian to little-endian. */
void flow_swap_bytes(void *data, uint64_t count, uint32_t element_bytes);

#endif
