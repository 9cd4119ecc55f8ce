/* SPDX-License-Identifier: Apache-2.0 */
/* wanted_times.h -- the times at which states are wanted, and those at which steps end, as the command line gives them. */
#ifndef FLOWC_WANTED_TIMES_H
#define FLOWC_WANTED_TIMES_H
#include "given.h"

typedef struct WantedTimes {
  double *time; /* [count] */
  size_t count;
} WantedTimes;

/* `text` is A:B:N (N times evenly from A to B, both included), numbers with commas or a file with one array; `what` names it in
 * messages.  BAD_CALL or BAD_INPUT where there is no time in it or one that is not finite. */
flow_status wanted_times_read(const char *what, const char *text, WantedTimes *times, flow_error *error);
flow_status wanted_times_evenly(double from, double to, size_t count, WantedTimes *times, flow_error *error);
void wanted_times_free(WantedTimes *times);

#endif
