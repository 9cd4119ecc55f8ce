/* SPDX-License-Identifier: Apache-2.0 */
/* io_error.h -- one wording for what the system refuses: "PATH: cannot DO: REASON". */
#ifndef FLOW_IO_ERROR_H
#define FLOW_IO_ERROR_H
#include "flow/status.h"

/* `code` is the errno of the failed call.  Always FLOW_BAD_FILE, but FLOW_NO_MEMORY for ENOMEM. */
flow_status flow_io_error(flow_error *error, const char *path, const char *doing, int code);

#endif
