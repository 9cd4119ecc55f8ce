/* SPDX-License-Identifier: Apache-2.0 */
/* safetensors_header.h -- the walk over a header's members, which the reader and the metadata share. */
#ifndef FLOW_SAFETENSORS_HEADER_H
#define FLOW_SAFETENSORS_HEADER_H
#include "json_scan.h"
#include "safetensors.h"

typedef struct SafetensorsWalk {
  JsonScan scan;
  const FlowAllocator *allocator;
  void *user;
  /* One array: the scan stands at its description and must be left behind it. */
  flow_status (*tensor)(struct SafetensorsWalk *walk, const char *name);
  void (*metadata)(void *user, FlowMetadata pair);      /* may be NULL */
  uint32_t tensor_count;
} SafetensorsWalk;

/* Where the header's JSON is: bytes 8 .. 8 + *length. */
flow_status safetensors_header_length(const char *name, const void *bytes, size_t size, size_t *length,
                                      flow_error *error);
/* Duplicates among the metadata are refused here, those among the names by the caller. */
flow_status safetensors_walk(SafetensorsWalk *walk);

#endif
