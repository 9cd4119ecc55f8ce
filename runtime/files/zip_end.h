/* SPDX-License-Identifier: Apache-2.0 */
/* zip_end.h -- the end of a zip file, looked at before anything trusts it.
 *
 * A zip is read from its end: a record there says how many members there are and where their directory is.  libzip
 * before 1.12 believes that number while it makes room (GHSA-m3wq-j48p-jxwh). */
#ifndef FLOW_ZIP_END_H
#define FLOW_ZIP_END_H
#include "stream.h"

/* The number of members, at most `most`; anything that is not a whole zip in one part is refused. */
flow_status zip_end_members(const FlowStream *stream, uint64_t most, uint64_t *members, flow_error *error);

#endif
