/* SPDX-License-Identifier: Apache-2.0 */
/* apart.h -- work in a process of its own, so that nothing it does can touch the session.
 *
 * The child is a copy of the prompt's process: it has the session's text, writes to the same terminal, and takes its memory, its
 * machine code and its threads with it when it ends.  Ctrl-C reaches it first, as the terminal sends it to both; a solve stops by
 * itself, and whatever has not stopped `grace` milliseconds later (a long compilation) is ended. */
#ifndef FLOW_APART_H
#define FLOW_APART_H
#include <stdbool.h>

typedef int ApartWork(void *user); /* its exit status */

typedef struct ApartEnd {
  int code;       /* exit status; 130 after Ctrl-C; 70 where the child was lost */
  int signal;     /* what ended the child, or 0 */
  bool cancelled; /* by Ctrl-C */
} ApartEnd;

/* `here`: no process, for sanitizers and fuzzing. */
enum { APART_GRACE = 120, APART_LONG_GRACE = 20000 }; /* the longer one for what saves its work when it is stopped */
ApartEnd apart_run(ApartWork *work, void *user, int grace, bool here);

#endif
