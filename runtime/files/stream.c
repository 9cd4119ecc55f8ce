/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"
#include <inttypes.h>
#include <string.h>

static flow_status read_bytes(FlowStream *stream, void *to, size_t size, flow_error *error) {
  (void)error;
  memcpy(to, (const unsigned char *)stream->source + stream->position, size);
  return FLOW_OK;
}

static flow_status read_file(FlowStream *stream, void *to, size_t size, flow_error *error) {
  return flow_file_read_at(stream->source, stream->position, to, size, error);
}

FlowStream flow_stream_of_bytes(const char *name, const void *bytes, size_t size) {
  return (FlowStream){.read = read_bytes, .name = name, .size = size, .source = bytes};
}

FlowStream flow_stream_of_file(const FlowFile *file) {
  return (FlowStream){.read = read_file, .name = file->path, .size = file->size, .source = file};
}

flow_status flow_stream_read(FlowStream *stream, void *to, size_t size, flow_error *error) {
  uint64_t left = stream->size - stream->position;
  if (size > left)
    return flow_fail(error, FLOW_BAD_INPUT, "%s: byte %" PRIu64 ": the file ends %" PRIu64 " bytes too early",
                     stream->name, stream->size, size - left);
  if (size == 0) return FLOW_OK;
  flow_status status = stream->read(stream, to, size, error);
  if (status == FLOW_OK) stream->position += size;
  return status;
}
