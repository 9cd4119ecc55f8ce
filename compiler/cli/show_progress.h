/* SPDX-License-Identifier: Apache-2.0 */
/* show_progress.h -- a line on standard error while a long solve runs.
 *
 * Nothing is shown in the first second.  On a terminal the line is written over itself, at most ten times a second;
 * elsewhere one line comes every ten seconds.
 *
 * Ctrl-C, TERM and HUP stop the solve at the next call, so that no temporary file stays behind; a second one ends the
 * program. */
#ifndef FLOWC_SHOW_PROGRESS_H
#define FLOWC_SHOW_PROGRESS_H
#include "run.h"

typedef struct ShowProgress {
  const Run *run;
  double started, shown; /* seconds of seconds_now */
  bool line_open;
} ShowProgress;

double seconds_now(void); /* a clock that never goes back */
void progress_begin(ShowProgress *show, const Run *run);
int progress_step(ShowProgress *show, uint64_t done, uint64_t total); /* not 0: the user wants to stop */
void progress_end(ShowProgress *show);
/* The same in pieces, for a line of one's own. */
bool progress_stopped(void);              /* the user wants to stop; after progress_begin */
bool progress_due(const ShowProgress *show); /* it is time for a line */
void progress_line(ShowProgress *show, const char *text);

#endif
