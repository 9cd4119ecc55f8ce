/* SPDX-License-Identifier: Apache-2.0 */
/* stream.h -- bytes in order, wherever they come from: memory, a file, a member of a .npz.
 *
 * The .npy reader sees only this, so that one reader serves all three and an array in Fortran order can be transposed
 * while it is read, without a second copy of it. */
#ifndef FLOW_STREAM_H
#define FLOW_STREAM_H
#include "read_file.h"

typedef struct FlowStream FlowStream;
struct FlowStream {
  /* Exactly `size` bytes, or a failure that names the source. */
  flow_status (*read)(FlowStream *stream, void *to, size_t size, flow_error *error);
  const char *name;             /* for messages; borrowed */
  uint64_t size;                /* known beforehand */
  uint64_t position;            /* bytes read so far */
  const void *source;           /* the bytes, the FlowFile or the zip_file_t */
};

FlowStream flow_stream_of_bytes(const char *name, const void *bytes, size_t size);
FlowStream flow_stream_of_file(const FlowFile *file);        /* one with a size */
/* Never asks the source for bytes beyond its size: BAD_INPUT instead. */
flow_status flow_stream_read(FlowStream *stream, void *to, size_t size, flow_error *error);

#endif
