/* SPDX-License-Identifier: Apache-2.0 */
/* npz.h -- several .npy arrays in one zip, as numpy.savez and savez_compressed write them.
 *
 * libzip unpacks, after the end of the file has been looked at here: a directory that claims more members than a .npz
 * has is refused before libzip sets aside room for it.  A member's stated size must be the size of the array that its
 * .npy header describes, and must be possible for its packed size (deflate packs at most 1032 to 1); together the packed
 * members fit in the file, so none is used twice.  Nothing is ever written to disk, so names such as ../x are only names.
 * Checksums are verified.
 *
 * Memory: the arrays, as the headers state them, and libzip's directory. */
#ifndef FLOW_NPZ_H
#define FLOW_NPZ_H
#include "read_file.h"
#include "tensors_build.h"

enum { FLOW_NPZ_MOST_MEMBERS = 65535, FLOW_NPZ_MOST_RATIO = 1032, FLOW_NPZ_MOST_TEXT = 4 << 20 };

FlowParse flow_npz_parse;
/* A file with a size, without a copy of it in memory. */
flow_status flow_npz_read(const FlowAllocator *allocator, const FlowFile *file, FlowTensors *tensors,
                          flow_error *error);

/* Writes arrays, not packed, one after the other through an atomic file ("-" is standard output).  Every member has the
 * zip's 64-bit records, so that no size is too large. */
typedef struct FlowNpzWriter FlowNpzWriter;
flow_status flow_npz_open(const FlowAllocator *allocator, const char *path, FlowNpzWriter **writer, flow_error *error);
/* `name` without the suffix .npy: UTF-8 without control characters, and not used before. */
flow_status flow_npz_add(FlowNpzWriter *writer, const char *name, FlowType type, uint32_t rank, const uint64_t *dim,
                         const void *data, flow_error *error);
/* Frees the writer whatever happens; on failure the old file is untouched. */
flow_status flow_npz_close(FlowNpzWriter *writer, flow_error *error);
void flow_npz_abandon(FlowNpzWriter *writer);   /* NULL is fine */

#endif
