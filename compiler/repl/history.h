/* SPDX-License-Identifier: Apache-2.0 */
/* history.h -- what was typed, from one session to the next: $XDG_STATE_HOME/flowc/history (else ~/.local/state), one line each,
 * readable by its owner alone.  Where it cannot be read or written there is none; that is no reason to complain. */
#ifndef FLOW_HISTORY_H
#define FLOW_HISTORY_H
#include <stddef.h>

enum { HISTORY_MOST = 1000 };

/* The path, made with its folders; freed by the caller.  NULL: there is no home. */
char *history_path(void);
/* Hands the last HISTORY_MOST lines over, oldest first; a file that has grown far beyond is cut to these. */
void history_read(const char *path, void (*take)(const char *line));
void history_append(const char *path, const char *line);

#endif
