/* SPDX-License-Identifier: Apache-2.0 */
/* safetensors_write.c -- the header is put together twice, first to learn its length and then to write it. */
#include "atomic_file.h"
#include "checked.h"
#include "printable.h"
#include "safetensors.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the header's text goes: to `file`, or nowhere while only its length is asked for. */
typedef struct Sink {
  FlowAtomicFile *file;
  uint64_t length;
  flow_status status;
  flow_error *error;
} Sink;

static void put(Sink *sink, const void *text, size_t length) {
  sink->length += length;
  if (sink->file && sink->status == FLOW_OK)
    sink->status = flow_atomic_write(sink->file, text, length, sink->error);
}

static void put_text(Sink *sink, const char *text) { put(sink, text, strlen(text)); }

static void put_number(Sink *sink, uint64_t value) {
  char text[32];
  put(sink, text, (size_t)snprintf(text, sizeof text, "%" PRIu64, value));
}

/* RFC 8259, 7: the quote, the backslash and control characters are escaped; all else stands as it is. */
static void put_string(Sink *sink, const char *text) {
  put_text(sink, "\"");
  for (; *text; text++) {
    char escaped[8];
    unsigned char byte = (unsigned char)*text;
    if (byte == '"' || byte == '\\') put(sink, (char[]){'\\', *text}, 2);
    else if (byte < 0x20) put(sink, escaped, (size_t)snprintf(escaped, sizeof escaped, "\\u%04x", (unsigned)byte));
    else put(sink, text, 1);
  }
  put_text(sink, "\"");
}

static uint64_t bytes_of(const FlowTensor *tensor) { return tensor->count * flow_type_facts[tensor->type].bytes; }

static void put_tensor(Sink *sink, const FlowTensor *tensor, uint64_t begin) {
  put_string(sink, tensor->name);
  put_text(sink, ":{\"dtype\":\"");
  put_text(sink, flow_type_facts[tensor->type].word);
  put_text(sink, "\",\"shape\":[");
  for (uint32_t i = 0; i < tensor->rank; i++) {
    if (i > 0) put_text(sink, ",");
    put_number(sink, tensor->dim[i]);
  }
  put_text(sink, "],\"data_offsets\":[");
  put_number(sink, begin);
  put_text(sink, ",");
  put_number(sink, begin + bytes_of(tensor));
  put_text(sink, "]}");
}

typedef struct Contents {
  const FlowTensor *tensors;
  uint32_t count;
  const FlowMetadata *metadata;
  uint32_t metadata_count;
} Contents;

static void put_header(Sink *sink, const Contents *contents) {
  uint64_t begin = 0;
  put_text(sink, "{");
  if (contents->metadata_count > 0) put_text(sink, "\"__metadata__\":{");
  for (uint32_t i = 0; i < contents->metadata_count; i++) {
    if (i > 0) put_text(sink, ",");
    put_string(sink, contents->metadata[i].key);
    put_text(sink, ":");
    put_string(sink, contents->metadata[i].value);
  }
  if (contents->metadata_count > 0) put_text(sink, contents->count > 0 ? "}," : "}");
  for (uint32_t i = 0; i < contents->count; i++) {
    if (i > 0) put_text(sink, ",");
    put_tensor(sink, &contents->tensors[i], begin);
    begin += bytes_of(&contents->tensors[i]);
  }
  put_text(sink, "}");
  while (sink->length % 8 != 0) put_text(sink, " ");      /* the data begin aligned to 8 bytes */
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static flow_status check_strings(const char **text, size_t count, flow_error *error) {
  for (size_t i = 0; i < count; i++) {
    if (!flow_utf8_valid(text[i], strlen(text[i])) || strlen(text[i]) > FLOW_SAFETENSORS_MOST_STRING / 8)
      return flow_fail(error, FLOW_BAD_CALL, "the name %s must be UTF-8 of at most %d bytes",
                       flow_printable_name(text[i]).text, FLOW_SAFETENSORS_MOST_STRING / 8);
  }
  if (count > 1) qsort(text, count, sizeof *text, by_text);
  for (size_t i = 1; i < count; i++) {
    if (strcmp(text[i - 1], text[i]) == 0)
      return flow_fail(error, FLOW_BAD_CALL, "the name %s is given twice", flow_printable_name(text[i]).text);
  }
  return FLOW_OK;
}

/* Names and keys, each sort once; values need only be text. */
static flow_status check_names(const FlowAllocator *allocator, const Contents *contents, flow_error *error) {
  size_t room = (size_t)contents->count + contents->metadata_count + 1;
  const char **text = flow_alloc_array(allocator, room, sizeof *text);
  if (!text) return flow_fail(error, FLOW_NO_MEMORY, "no memory for %zu names", room);
  for (uint32_t i = 0; i < contents->count; i++) text[i] = contents->tensors[i].name;
  text[contents->count] = "__metadata__";
  flow_status status = check_strings(text, (size_t)contents->count + 1, error);
  for (uint32_t i = 0; i < contents->metadata_count; i++) text[i] = contents->metadata[i].key;
  if (status == FLOW_OK) status = check_strings(text, contents->metadata_count, error);
  flow_free(allocator, text, room * sizeof *text);
  for (uint32_t i = 0; i < contents->metadata_count && status == FLOW_OK; i++)
    status = check_strings(&(const char *){contents->metadata[i].value}, 1, error);
  return status;
}

static flow_status check_tensors(const Contents *contents, flow_error *error) {
  uint64_t end = 0;
  for (uint32_t i = 0; i < contents->count; i++) {
    FlowTensor tensor = contents->tensors[i];
    uint64_t bytes;
    if ((unsigned)tensor.type >= FLOW_TYPE_COUNT || tensor.rank > FLOW_TENSOR_MOST_RANK ||
        !flow_tensor_measure(&tensor, &bytes) || tensor.count != contents->tensors[i].count ||
        !flow_add_u64(end, bytes, &end) || end > INT64_MAX)
      return flow_fail(error, FLOW_BAD_CALL, "the array %s has a shape or a type that cannot be written",
                       flow_printable_name(tensor.name).text);
  }
  if (contents->count > FLOW_SAFETENSORS_MOST_TENSORS || contents->metadata_count > FLOW_SAFETENSORS_MOST_METADATA)
    return flow_fail(error, FLOW_BAD_CALL, "at most %d arrays and %d metadata are written",
                     FLOW_SAFETENSORS_MOST_TENSORS, FLOW_SAFETENSORS_MOST_METADATA);
  return FLOW_OK;
}

static flow_status write_contents(const Contents *contents, uint64_t length, FlowAtomicFile *file, flow_error *error) {
  Sink sink = {.file = file, .error = error};
  put(&sink, &length, sizeof length);           /* little-endian, as this machine is (element.c) */
  sink.length = 0;
  put_header(&sink, contents);
  for (uint32_t i = 0; i < contents->count; i++)
    put(&sink, contents->tensors[i].data, (size_t)bytes_of(&contents->tensors[i]));
  return sink.status;
}

flow_status flow_safetensors_write(const FlowAllocator *allocator, const char *path, const FlowTensor *tensors,
                                   uint32_t count, const FlowMetadata *metadata, uint32_t metadata_count,
                                   flow_error *error) {
  Contents contents = {tensors, count, metadata, metadata_count};
  Sink measure = {.file = NULL};
  FlowAtomicFile *file;
  flow_status status = check_tensors(&contents, error);
  if (status == FLOW_OK) status = check_names(allocator, &contents, error);
  if (status != FLOW_OK) return status;
  put_header(&measure, &contents);
  if (measure.length > FLOW_SAFETENSORS_MOST_HEADER)
    return flow_fail(error, FLOW_BAD_CALL, "%s: names and metadata make a header of %" PRIu64 " bytes; at most %d are "
                     "written", path, measure.length, FLOW_SAFETENSORS_MOST_HEADER);
  status = flow_atomic_open(allocator, path, &file, error);
  if (status != FLOW_OK) return status;
  status = write_contents(&contents, measure.length, file, error);
  if (status == FLOW_OK) return flow_atomic_commit(file, error);
  flow_atomic_abandon(file);
  return status;
}
