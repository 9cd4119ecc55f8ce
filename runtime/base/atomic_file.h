/* SPDX-License-Identifier: Apache-2.0 */
/* atomic_file.h -- a file that appears whole or not at all.
 *
 * Bytes go to a temporary file beside the target (.NAME.PID.N.tmp); commit writes out the buffer, fsyncs, closes,
 * renames over the target and fsyncs the folder, in this order (Pillai et al., OSDI 2014), so that under the target's
 * name there is the old file or the whole new one at every moment.  Reading a file while its successor is written is
 * safe.  The new file has the old one's permissions.
 *
 * "-" is standard output; it, a pipe and a device (/dev/null) are written to directly, having nothing to rename.  A
 * symbolic link is followed: what it points to is replaced. */
#ifndef FLOW_ATOMIC_FILE_H
#define FLOW_ATOMIC_FILE_H
#include "alloc.h"
#include "flow/status.h"
#include <stdint.h>

typedef struct FlowAtomicFile FlowAtomicFile;

flow_status flow_atomic_open(const FlowAllocator *allocator, const char *path, FlowAtomicFile **file, flow_error *error);
/* Buffered.  After a failure every later call fails too. */
flow_status flow_atomic_write(FlowAtomicFile *file, const void *data, size_t size, flow_error *error);
/* Writes over bytes near the beginning that were written before: BAD_CALL where the target is no file, so that they are gone. */
flow_status flow_atomic_rewrite(FlowAtomicFile *file, uint64_t offset, const void *data, size_t size, flow_error *error);
/* Frees the file whatever happens; on failure the target is as it was and the temporary file is gone. */
flow_status flow_atomic_commit(FlowAtomicFile *file, flow_error *error);
void flow_atomic_abandon(FlowAtomicFile *file);         /* the target is as it was; NULL is fine */

#endif
