/* SPDX-License-Identifier: Apache-2.0 */
#include "io_error.h"
#include <errno.h>
#include <string.h>

/* strerror keeps its text per thread (glibc since 2.32, musl always), so that no buffer is needed here. */
flow_status flow_io_error(flow_error *error, const char *path, const char *doing, int code) {
  return flow_fail(error, code == ENOMEM ? FLOW_NO_MEMORY : FLOW_BAD_FILE, "%s: cannot %s: %s", path, doing,
                   strerror(code));
}
