/* SPDX-License-Identifier: Apache-2.0 */
/* text_buffer.h -- a text that grows in an arena; what it has grown out of stays there until the arena goes. */
#ifndef FLOW_TEXT_BUFFER_H
#define FLOW_TEXT_BUFFER_H
#include "arena.h"

typedef struct TextBuffer {
  Arena *arena;
  char *text; /* NUL after the last byte; NULL while empty */
  size_t length, room;
} TextBuffer;

void text_add(TextBuffer *buffer, const char *text, size_t length);
void text_puts(TextBuffer *buffer, const char *text);
void text_printf(TextBuffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_spaces(TextBuffer *buffer, size_t count);

#endif
