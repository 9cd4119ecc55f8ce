/* SPDX-License-Identifier: Apache-2.0 */
#include "safetensors_header.h"
#include "printable.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

flow_status safetensors_header_length(const char *name, const void *bytes, size_t size, size_t *length,
                                      flow_error *error) {
  uint64_t stated;
  if (size < sizeof stated)
    return flow_fail(error, FLOW_BAD_INPUT, "%s: byte %zu: the file ends inside the header's length of 8 bytes", name,
                     size);
  memcpy(&stated, bytes, sizeof stated);
  uint64_t left = size - sizeof stated;
  if (stated > left)
    return flow_fail(error, FLOW_BAD_INPUT, "%s: byte 0: a header of %" PRIu64 " bytes, but only %" PRIu64 " follow%s",
                     name, stated, left, memcmp(bytes, "PK", 2) == 0 ? "; it looks like a zip or PyTorch file" : "");
  if (stated > FLOW_SAFETENSORS_MOST_HEADER)
    return flow_fail(error, FLOW_BAD_INPUT, "%s: byte 0: a header of %" PRIu64 " bytes; at most %d are read", name,
                     stated, FLOW_SAFETENSORS_MOST_HEADER);
  *length = (size_t)stated;
  return FLOW_OK;
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static flow_status refuse_twice(const JsonScan *scan, size_t at, const char **key, size_t count) {
  if (count > 1) qsort(key, count, sizeof *key, by_text);
  for (size_t i = 1; i < count; i++) {
    if (strcmp(key[i - 1], key[i]) == 0)
      return flow_fail(scan->error, FLOW_BAD_INPUT, "%s: byte %zu: __metadata__ has the key %s twice", scan->name,
                       scan->offset + at, flow_printable_name(key[i]).text);
  }
  return FLOW_OK;
}

/* The keys stay where they are decoded, inside the header, and are only pointed to. */
static flow_status walk_pairs(SafetensorsWalk *walk, const char **key, size_t *count) {
  JsonScan *scan = &walk->scan;
  FlowMetadata pair;
  for (bool more = !json_take(scan, '}'); more;) {
    json_skip_blanks(scan);
    if (*count == FLOW_SAFETENSORS_MOST_METADATA)
      return json_refuse(scan, scan->at, "__metadata__ has more than 65536 keys; at most that many are read");
    flow_status status = json_take_string(scan, FLOW_SAFETENSORS_MOST_STRING, &pair.key);
    if (status != FLOW_OK) return status;
    if (!json_take(scan, ':')) return json_refuse(scan, scan->at, "':' is missing after a key");
    status = json_take_string(scan, FLOW_SAFETENSORS_MOST_STRING, &pair.value);
    if (status != FLOW_OK) return status;
    key[(*count)++] = pair.key;
    if (walk->metadata) walk->metadata(walk->user, pair);
    status = json_take_separator(scan, &more);
    if (status != FLOW_OK) return status;
  }
  return FLOW_OK;
}

static flow_status walk_metadata(SafetensorsWalk *walk) {
  JsonScan *scan = &walk->scan;
  size_t at = scan->at, count = 0;
  if (!json_take(scan, '{')) return json_refuse(scan, scan->at, "__metadata__ must be an object of strings");
  const char **key = flow_alloc_array(walk->allocator, FLOW_SAFETENSORS_MOST_METADATA, sizeof *key);
  if (!key) return flow_fail(scan->error, FLOW_NO_MEMORY, "%s: no memory for its metadata", scan->name);
  flow_status status = walk_pairs(walk, key, &count);
  if (status == FLOW_OK) status = refuse_twice(scan, at, key, count);
  flow_free(walk->allocator, key, FLOW_SAFETENSORS_MOST_METADATA * sizeof *key);
  return status;
}

static flow_status walk_member(SafetensorsWalk *walk, bool *has_metadata) {
  JsonScan *scan = &walk->scan;
  const char *name;
  json_skip_blanks(scan);
  size_t at = scan->at;
  flow_status status = json_take_string(scan, FLOW_SAFETENSORS_MOST_STRING, &name);
  if (status != FLOW_OK) return status;
  if (!json_take(scan, ':')) return json_refuse(scan, scan->at, "':' is missing after a name");
  if (strcmp(name, "__metadata__") == 0) {
    if (*has_metadata) return json_refuse(scan, at, "__metadata__ has been given before");
    *has_metadata = true;
    return walk_metadata(walk);
  }
  if (walk->tensor_count++ == FLOW_SAFETENSORS_MOST_TENSORS)
    return json_refuse(scan, at, "more than 131072 arrays; at most that many are read");
  return walk->tensor(walk, name);
}

flow_status safetensors_walk(SafetensorsWalk *walk) {
  JsonScan *scan = &walk->scan;
  bool has_metadata = false;
  if (!json_take(scan, '{')) return json_refuse(scan, scan->at, "the header must be a JSON object: '{' should be here");
  for (bool more = !json_take(scan, '}'); more;) {
    flow_status status = walk_member(walk, &has_metadata);
    if (status == FLOW_OK) status = json_take_separator(scan, &more);
    if (status != FLOW_OK) return status;
  }
  json_skip_blanks(scan);
  if (scan->at < scan->size) return json_refuse(scan, scan->at, "only blanks may follow the header's '}'");
  return FLOW_OK;
}
