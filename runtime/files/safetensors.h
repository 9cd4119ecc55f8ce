/* SPDX-License-Identifier: Apache-2.0 */
/* safetensors.h -- many named arrays in one file, as model weights are passed on.
 *
 *   8 bytes N   N bytes of JSON {"name": {"dtype": "F32", "shape": [3, 4], "data_offsets": [0, 48]}, ...}   the data
 *
 * The reader is strict where files have been made to fool readers: names come once; ranges leave no hole, do not
 * overlap, start at 0 and end with the file; a range is as long as its shape says.  It accepts what real writers do:
 * blanks around the JSON, any order, arrays without elements, any UTF-8 in names, data that are not aligned.
 *
 * The JSON is read by jansson one key and one description at a time, never as one tree: a tree of a hostile header
 * takes some twenty times the header's size.  Caps, all with a message of their own: */
#ifndef FLOW_SAFETENSORS_H
#define FLOW_SAFETENSORS_H
#include "tensors_build.h"

enum {
  FLOW_SAFETENSORS_MOST_HEADER = 16 << 20,      /* bytes of JSON */
  FLOW_SAFETENSORS_MOST_TENSORS = 1 << 17,
  FLOW_SAFETENSORS_MOST_METADATA = 1 << 16,     /* pairs in __metadata__ */
  FLOW_SAFETENSORS_MOST_STRING = 2 << 20,       /* bytes of one name or one value of the metadata */
  FLOW_SAFETENSORS_MOST_DESCRIPTION = 4096      /* bytes of one array's {...} */
};

FlowParse flow_safetensors_parse;
/* The same, taking over `memory`, a block of `size` bytes of that allocator: it becomes the tensors' memory, or is freed
 * on failure.  Nothing of the file's size is allocated. */
flow_status flow_safetensors_adopt(const FlowAllocator *allocator, const char *name, void *memory, size_t size,
                                   FlowTensors *tensors, flow_error *error);

/* A pair of strings, as __metadata__ holds them. */
typedef struct FlowMetadata {
  const char *key, *value;
} FlowMetadata;
/* Calls `visit` for each pair of __metadata__, in the file's order; the strings live for that call only. */
flow_status flow_safetensors_metadata(const FlowAllocator *allocator, const char *name, const void *bytes, size_t size,
                                      void (*visit)(void *user, FlowMetadata pair), void *user, flow_error *error);

/* Writes the tensors, in their order, through an atomic file (`path` "-" is standard output).  Names must be UTF-8 and
 * unique; what is written can be read back. */
flow_status flow_safetensors_write(const FlowAllocator *allocator, const char *path, const FlowTensor *tensors,
                                   uint32_t count, const FlowMetadata *metadata, uint32_t metadata_count,
                                   flow_error *error);

#endif
