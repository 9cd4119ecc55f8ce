/* SPDX-License-Identifier: Apache-2.0 */
/* progress.h -- the words of a progress line, as a pure function.  Where and how often they are shown is not said here.
 *
 *   " 42%  4200/10000  13.1k/s  4 s left"  */
#ifndef FLOW_PROGRESS_H
#define FLOW_PROGRESS_H
#include <stddef.h>
#include <stdint.h>

/* Writes the line for `done` of `total` after `elapsed` seconds, cut at `size`; returns `text`.  Without a rate yet (nothing
 * done, or no time passed) the line ends after the counts. */
char *flow_progress_line(char *text, size_t size, uint64_t done, uint64_t total, double elapsed);

#endif
