/* SPDX-License-Identifier: Apache-2.0 */
/* keys_in.h -- keys from a terminal that marks what is pasted (bracketed paste): ESC [200~ text ESC [201~.
 *
 * readline knows of these marks; libedit does not, and would take each pasted line break for Enter and each tab for a completion.
 * So its keys are read here, and a paste comes as one text. */
#ifndef FLOW_KEYS_IN_H
#define FLOW_KEYS_IN_H
#include <stddef.h>

/* What a terminal is sent while a line is typed, and behind it. */
#define KEYS_MARK_PASTES "\033[?2004h"
#define KEYS_MARK_NO_PASTES "\033[?2004l"

enum { KEYS_END = -1, KEYS_AHEAD = 8 };

typedef struct KeysIn { /* unset = 0 */
  int file;
  unsigned char ahead[KEYS_AHEAD]; /* bytes that were read to see whether a mark begins */
  size_t kept;
} KeysIn;

/* The next key as a code point; KEYS_END at the end of the file or after a signal that interrupt.h has noted.  Where a paste
 * begins instead, *pasted is its text, freed by the caller: line breaks are \n, none of them at its end, and other control
 * characters but tabs are left out. */
int keys_next(KeysIn *keys, char **pasted);

#endif
