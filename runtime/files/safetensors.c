/* SPDX-License-Identifier: Apache-2.0 */
/* safetensors.c -- descriptions to tensors, and the rules that hold between them. */
#include "safetensors.h"
#include "checked.h"
#include "printable.h"
#include "safetensors_header.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct Reader {
  FlowTensors *tensors;
  uint32_t room;                /* tensors->tensor has this many, count of them in use */
  const unsigned char *data;    /* behind the header */
  uint64_t data_size;
} Reader;

static flow_status refuse(const SafetensorsWalk *walk, size_t at, const char *name, const char *what) {
  return flow_fail(walk->scan.error, FLOW_BAD_INPUT, "%s: byte %zu: the array %s: %s", walk->scan.name,
                   walk->scan.offset + at, flow_printable_name(name).text, what);
}

#define WORD(name, bytes, word, letters) " " word
#define KNOWN_WORDS FLOW_TYPE_LIST(WORD)

static flow_status read_type(const SafetensorsWalk *walk, size_t at, const json_t *word, FlowTensor *tensor) {
  if (!json_is_string(word)) return refuse(walk, at, tensor->name, "'dtype' must be there and be a string");
  for (int type = 0; type < FLOW_TYPE_COUNT; type++) {
    if (strcmp(flow_type_facts[type].word, json_string_value(word)) == 0) {
      tensor->type = (FlowType)type;
      return FLOW_OK;
    }
  }
  return flow_fail(walk->scan.error, FLOW_BAD_INPUT, "%s: byte %zu: the array %s: the type %s is unknown; known are%s",
                   walk->scan.name, walk->scan.offset + at, flow_printable_name(tensor->name).text,
                   flow_printable_name(json_string_value(word)).text, KNOWN_WORDS);
}

static bool read_size(const json_t *number, uint64_t *value) {
  if (!json_is_integer(number) || json_integer_value(number) < 0) return false;
  *value = (uint64_t)json_integer_value(number);
  return true;
}

static flow_status read_shape(const SafetensorsWalk *walk, size_t at, const json_t *shape, FlowTensor *tensor) {
  if (!json_is_array(shape)) return refuse(walk, at, tensor->name, "'shape' must be there and be a list");
  if (json_array_size(shape) > FLOW_TENSOR_MOST_RANK)
    return refuse(walk, at, tensor->name, "more than 8 dimensions; at most 8 are read");
  tensor->rank = (uint32_t)json_array_size(shape);
  for (uint32_t i = 0; i < tensor->rank; i++) {
    if (!read_size(json_array_get(shape, i), &tensor->dim[i]))
      return refuse(walk, at, tensor->name, "a dimension must be a whole number from 0 on");
  }
  return FLOW_OK;
}

static flow_status read_range(const SafetensorsWalk *walk, size_t at, const json_t *range, FlowTensor *tensor) {
  const Reader *reader = walk->user;
  uint64_t begin, end, bytes;
  if (!json_is_array(range) || json_array_size(range) != 2 || !read_size(json_array_get(range, 0), &begin) ||
      !read_size(json_array_get(range, 1), &end))
    return refuse(walk, at, tensor->name, "'data_offsets' must be there and be two whole numbers from 0 on");
  if (begin > end) return refuse(walk, at, tensor->name, "'data_offsets' end before they begin");
  if (end > reader->data_size)
    return flow_fail(walk->scan.error, FLOW_BAD_INPUT, "%s: byte %zu: the array %s: its data end at byte %" PRIu64
                     " of the data, which has %" PRIu64, walk->scan.name, walk->scan.offset + at,
                     flow_printable_name(tensor->name).text, end, reader->data_size);
  if (!flow_tensor_measure(tensor, &bytes))
    return refuse(walk, at, tensor->name, "the shape has more numbers than 63 bits can count");
  if (bytes != end - begin)
    return flow_fail(walk->scan.error, FLOW_BAD_INPUT, "%s: byte %zu: the array %s: shape and type need %" PRIu64
                     " bytes, 'data_offsets' give it %" PRIu64, walk->scan.name, walk->scan.offset + at,
                     flow_printable_name(tensor->name).text, bytes, end - begin);
  tensor->data = reader->data + begin;
  return FLOW_OK;
}

static flow_status read_description(const SafetensorsWalk *walk, size_t at, const json_t *description,
                                    FlowTensor *tensor) {
  const char *key;
  json_t *value;
  if (!json_is_object(description)) return refuse(walk, at, tensor->name, "its description must be an object");
  json_object_foreach((json_t *)description, key, value) {
    if (strcmp(key, "dtype") != 0 && strcmp(key, "shape") != 0 && strcmp(key, "data_offsets") != 0)
      return refuse(walk, at, tensor->name, "a key that is none of 'dtype', 'shape', 'data_offsets'");
  }
  flow_status status = read_type(walk, at, json_object_get(description, "dtype"), tensor);
  if (status == FLOW_OK) status = read_shape(walk, at, json_object_get(description, "shape"), tensor);
  if (status == FLOW_OK) status = read_range(walk, at, json_object_get(description, "data_offsets"), tensor);
  return status;
}

/* The array of tensors is as long as `count` says only at the end; while it grows it is `room` long. */
static flow_status set_room(SafetensorsWalk *walk, uint32_t room) {
  Reader *reader = walk->user;
  FlowTensors *tensors = reader->tensors;
  if (room == reader->room) return FLOW_OK;
  FlowTensor *tensor = flow_resize_array(walk->allocator, tensors->tensor, reader->room, room, sizeof *tensor);
  if (!tensor && room > 0) return flow_fail(walk->scan.error, FLOW_NO_MEMORY, "%s: no memory for %u arrays",
                                            walk->scan.name, room);
  tensors->tensor = tensor;
  reader->room = room;
  return FLOW_OK;
}

static flow_status add_tensor(SafetensorsWalk *walk, const char *name) {
  Reader *reader = walk->user;
  FlowTensor tensor = {.name = name};
  json_t *description;
  flow_status status = FLOW_OK;
  if (reader->tensors->count == reader->room) status = set_room(walk, reader->room ? 2 * reader->room : 16);
  if (status != FLOW_OK) return status;
  json_skip_blanks(&walk->scan);
  size_t at = walk->scan.at;
  status = json_take_value(&walk->scan, FLOW_SAFETENSORS_MOST_DESCRIPTION, &description);
  if (status != FLOW_OK) return status;
  status = read_description(walk, at, description, &tensor);
  json_decref(description);
  if (status == FLOW_OK) reader->tensors->tensor[reader->tensors->count++] = tensor;
  return status;
}

static uint64_t bytes_of(const FlowTensor *tensor) { return tensor->count * flow_type_facts[tensor->type].bytes; }

/* Where both begin at the same byte the empty one comes first: it does not advance. */
static int by_range(const void *a, const void *b) {
  const FlowTensor *x = a, *y = b;
  if (x->data != y->data) return (const char *)x->data < (const char *)y->data ? -1 : 1;
  return bytes_of(x) != bytes_of(y) ? (bytes_of(x) < bytes_of(y) ? -1 : 1) : 0;
}

static flow_status check_ranges(const Reader *reader, const char *name, flow_error *error) {
  FlowTensors *tensors = reader->tensors;
  uint64_t cursor = 0;
  if (tensors->count > 1) qsort(tensors->tensor, tensors->count, sizeof *tensors->tensor, by_range);
  for (uint32_t i = 0; i < tensors->count; i++) {
    const FlowTensor *tensor = &tensors->tensor[i];
    uint64_t begin = (uint64_t)((const unsigned char *)tensor->data - reader->data);
    if (begin != cursor)
      return flow_fail(error, FLOW_BAD_INPUT, "%s: byte %" PRIu64 " of the data: the array %s begins at %" PRIu64
                       "; %s", name, cursor, flow_printable_name(tensor->name).text, begin,
                       begin < cursor ? "it overlaps the one before" : "it leaves a hole");
    cursor += bytes_of(tensor);
  }
  if (cursor != reader->data_size)
    return flow_fail(error, FLOW_BAD_INPUT, "%s: byte %" PRIu64 " of the data: %" PRIu64 " bytes follow the last array",
                     name, cursor, reader->data_size - cursor);
  return FLOW_OK;
}

static flow_status read_tensors(const FlowAllocator *allocator, const char *name, FlowTensors *tensors,
                                flow_error *error) {
  size_t length;
  flow_status status = safetensors_header_length(name, tensors->memory, tensors->memory_bytes, &length, error);
  if (status != FLOW_OK) return status;
  unsigned char *json = (unsigned char *)tensors->memory + 8;
  Reader reader = {.tensors = tensors, .data = json + length, .data_size = tensors->memory_bytes - 8 - length};
  SafetensorsWalk walk = {.scan = {name, (char *)json, 0, length, 8, error}, .allocator = allocator, .user = &reader,
                          .tensor = add_tensor};
  status = safetensors_walk(&walk);
  if (status == FLOW_OK) status = check_ranges(&reader, name, error);
  if (status == FLOW_OK) status = set_room(&walk, tensors->count);
  if (status != FLOW_OK) {
    tensors->count = reader.room;         /* for flow_tensors_free */
    return status;
  }
  flow_tensors_sort(tensors);
  const FlowTensor *twice = flow_tensors_duplicate(tensors);
  if (!twice) return FLOW_OK;
  return flow_fail(error, FLOW_BAD_INPUT, "%s: byte 8: the name %s is given to two arrays", name,
                   flow_printable_name(twice->name).text);
}

flow_status flow_safetensors_adopt(const FlowAllocator *allocator, const char *name, void *memory, size_t size,
                                   FlowTensors *tensors, flow_error *error) {
  *tensors = (FlowTensors){.allocator = *allocator, .memory = memory, .memory_bytes = size};
  flow_status status = read_tensors(allocator, name, tensors, error);
  if (status != FLOW_OK) flow_tensors_free(tensors);
  return status;
}

static flow_status copy_of(const FlowAllocator *allocator, const char *name, const void *bytes, size_t size,
                           void **copy, flow_error *error) {
  *copy = size > 0 ? allocator->resize(allocator->user, NULL, 0, size) : NULL;
  if (!*copy && size > 0) return flow_fail(error, FLOW_NO_MEMORY, "%s: no memory for %zu bytes", name, size);
  if (size > 0) memcpy(*copy, bytes, size);
  return FLOW_OK;
}

flow_status flow_safetensors_parse(const FlowAllocator *allocator, const char *name, const void *bytes, size_t size,
                                   FlowTensors *tensors, flow_error *error) {
  void *copy;
  flow_status status = copy_of(allocator, name, bytes, size, &copy, error);
  return status == FLOW_OK ? flow_safetensors_adopt(allocator, name, copy, size, tensors, error) : status;
}

static flow_status pass_over(SafetensorsWalk *walk, const char *name) {
  json_t *description;
  (void)name;
  flow_status status = json_take_value(&walk->scan, FLOW_SAFETENSORS_MOST_DESCRIPTION, &description);
  if (status == FLOW_OK) json_decref(description);
  return status;
}

flow_status flow_safetensors_metadata(const FlowAllocator *allocator, const char *name, const void *bytes, size_t size,
                                      void (*visit)(void *user, FlowMetadata pair), void *user, flow_error *error) {
  size_t length;
  void *copy;
  flow_status status = safetensors_header_length(name, bytes, size, &length, error);
  if (status == FLOW_OK) status = copy_of(allocator, name, (const char *)bytes + 8, length, &copy, error);
  if (status != FLOW_OK) return status;
  SafetensorsWalk walk = {.scan = {name, copy, 0, length, 8, error}, .allocator = allocator, .user = user,
                          .tensor = pass_over, .metadata = visit};
  status = safetensors_walk(&walk);
  flow_free(allocator, copy, length);
  return status;
}
