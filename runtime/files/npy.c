/* SPDX-License-Identifier: Apache-2.0 */
#include "npy.h"
#include "checked.h"
#include <inttypes.h>
#include <string.h>

enum { MAGIC = 6, CHUNK = 1 << 16 };

static flow_status refuse_magic(const FlowStream *stream, const unsigned char *found, flow_error *error) {
  bool is_zip = memcmp(found, "PK", 2) == 0;
  return flow_fail(error, FLOW_BAD_INPUT, "%s: byte 0: a .npy file starts with \\x93NUMPY, this one does not%s",
                   stream->name, is_zip ? "; it looks like a .npz" : "");
}

static flow_status read_length(FlowStream *stream, size_t *length, flow_error *error) {
  unsigned char start[MAGIC + 2], field[4] = {0};
  flow_status status = flow_stream_read(stream, start, sizeof start, error);
  if (status != FLOW_OK) return status;
  if (memcmp(start, "\x93NUMPY", MAGIC) != 0) return refuse_magic(stream, start, error);
  unsigned major = start[MAGIC], minor = start[MAGIC + 1];
  if (major < 1 || major > 3 || minor != 0)
    return flow_fail(error, FLOW_BAD_INPUT, "%s: byte 6: version %u.%u is unknown; 1.0, 2.0 and 3.0 are read",
                     stream->name, major, minor);
  status = flow_stream_read(stream, field, major == 1 ? 2 : 4, error);
  if (status != FLOW_OK) return status;
  *length = (size_t)field[0] | (size_t)field[1] << 8 | (size_t)field[2] << 16 | (size_t)field[3] << 24;
  if (*length > FLOW_NPY_MOST_HEADER)
    return flow_fail(error, FLOW_BAD_INPUT, "%s: byte 8: a header of %zu bytes; at most %d are read", stream->name,
                     *length, FLOW_NPY_MOST_HEADER);
  return FLOW_OK;
}

/* Does the shape account for exactly the bytes that are left? */
static flow_status check_size(const FlowStream *stream, FlowTensor *tensor, uint64_t *bytes, flow_error *error) {
  uint64_t left = stream->size - stream->position;
  if (!flow_tensor_measure(tensor, bytes))
    return flow_fail(error, FLOW_BAD_INPUT, "%s: byte %" PRIu64 ": the shape has more numbers than 63 bits can count",
                     stream->name, stream->position);
  if (*bytes != left)
    return flow_fail(error, FLOW_BAD_INPUT, "%s: byte %" PRIu64 ": the shape needs %" PRIu64 " bytes of numbers, but %"
                     PRIu64 " follow", stream->name, stream->position, *bytes, left);
  return FLOW_OK;
}

flow_status flow_npy_read_header(FlowStream *stream, FlowNpyHeader *header, FlowTensor *tensor, uint64_t *bytes,
                                 flow_error *error) {
  char text[FLOW_NPY_MOST_HEADER];
  size_t length = 0;
  flow_status status = read_length(stream, &length, error);
  if (status != FLOW_OK) return status;
  size_t offset = (size_t)stream->position;
  status = flow_stream_read(stream, text, length, error);
  if (status == FLOW_OK) status = flow_npy_header_parse(stream->name, text, length, offset, header, error);
  if (status != FLOW_OK) return status;
  *tensor = (FlowTensor){.name = "", .type = header->type, .rank = header->rank, .data = ""};
  memcpy(tensor->dim, header->dim, sizeof tensor->dim);
  return check_size(stream, tensor, bytes, error);
}

/* An odometer over the indices of an array, the first of them fastest as Fortran stores them; `offset` is where, in
 * elements, C order has the element of the present index. */
typedef struct Odometer {
  uint32_t rank;
  const uint64_t *dim;
  uint64_t index[FLOW_TENSOR_MOST_RANK], stride[FLOW_TENSOR_MOST_RANK], offset;
} Odometer;

static Odometer odometer_start(const FlowTensor *tensor) {
  Odometer o = {.rank = tensor->rank, .dim = tensor->dim};
  uint64_t stride = 1;          /* never above tensor->count, which is known to fit */
  for (uint32_t axis = tensor->rank; axis-- > 0;) {
    o.stride[axis] = stride;
    stride *= tensor->dim[axis];
  }
  return o;
}

static void odometer_step(Odometer *o) {
  for (uint32_t axis = 0; axis < o->rank; axis++) {
    o->offset += o->stride[axis];
    if (++o->index[axis] < o->dim[axis]) return;
    o->offset -= o->dim[axis] * o->stride[axis];
    o->index[axis] = 0;
  }
}

static flow_status read_transposed(FlowStream *stream, const FlowTensor *tensor, size_t element, unsigned char *to,
                                   flow_error *error) {
  unsigned char chunk[CHUNK];
  Odometer o = odometer_start(tensor);
  for (uint64_t done = 0; done < tensor->count;) {
    uint64_t left = tensor->count - done;
    size_t now = left < CHUNK / element ? (size_t)left : CHUNK / element;
    flow_status status = flow_stream_read(stream, chunk, now * element, error);
    if (status != FLOW_OK) return status;
    for (size_t i = 0; i < now; i++, odometer_step(&o))
      memcpy(to + o.offset * element, chunk + i * element, element);
    done += now;
  }
  return FLOW_OK;
}

flow_status flow_npy_read_numbers(FlowStream *stream, const FlowNpyHeader *header, const FlowTensor *tensor,
                                  void *to, flow_error *error) {
  uint32_t element = flow_type_facts[tensor->type].bytes;
  flow_status status = header->is_fortran && tensor->rank > 1
                           ? read_transposed(stream, tensor, element, to, error)
                           : flow_stream_read(stream, to, (size_t)tensor->count * element, error);
  if (status == FLOW_OK && header->is_big_endian) flow_swap_bytes(to, tensor->count, element);
  return status;
}

flow_status flow_npy_read(const FlowAllocator *allocator, FlowStream *stream, FlowTensors *tensors, flow_error *error) {
  FlowNpyHeader header;
  FlowTensor tensor;
  uint64_t bytes;
  size_t size;
  flow_status status = flow_npy_read_header(stream, &header, &tensor, &bytes, error);
  if (status != FLOW_OK) return status;
  if (!flow_u64_to_size(bytes, &size))
    return flow_fail(error, FLOW_NO_MEMORY, "%s: no memory for %" PRIu64 " bytes", stream->name, bytes);
  status = flow_tensors_make(allocator, stream->name, 1, size, tensors, error);
  if (status != FLOW_OK) return status;
  if (size > 0) {
    tensor.data = tensors->memory;
    status = flow_npy_read_numbers(stream, &header, &tensor, tensors->memory, error);
  }
  tensors->tensor[0] = tensor;
  if (status != FLOW_OK) flow_tensors_free(tensors);
  return status;
}

flow_status flow_npy_parse(const FlowAllocator *allocator, const char *name, const void *bytes, size_t size,
                           FlowTensors *tensors, flow_error *error) {
  FlowStream stream = flow_stream_of_bytes(name, bytes, size);
  return flow_npy_read(allocator, &stream, tensors, error);
}
