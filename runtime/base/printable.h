/* SPDX-License-Identifier: Apache-2.0 */
/* printable.h -- text from a file, made fit for a message.
 *
 * A name inside a hostile file may hold escape sequences that a terminal obeys, line breaks, or megabytes.  Here it
 * becomes one short line of valid UTF-8 in single quotes: control characters and broken UTF-8 turn into \xHH, and what
 * is too long ends in "..." */
#ifndef FLOW_PRINTABLE_H
#define FLOW_PRINTABLE_H
#include <stdbool.h>
#include <stddef.h>

typedef struct FlowPrintable {
  char text[96];
} FlowPrintable;

FlowPrintable flow_printable(const void *bytes, size_t length);
FlowPrintable flow_printable_name(const char *name);

/* Bytes of the UTF-8 character at `bytes`; 0 if there is none (overlong forms and surrogates included). */
size_t flow_utf8_length(const unsigned char *bytes, size_t length);
bool flow_utf8_valid(const void *bytes, size_t length);

#endif
