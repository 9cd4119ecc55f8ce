/* SPDX-License-Identifier: Apache-2.0 */
/* text_buffer.c -- doubling. */
#include "text_buffer.h"
#include <string.h>

enum { FIRST_ROOM = 256 };

void text_add(TextBuffer *buffer, const char *text, size_t length) {
  if (length + 1 > buffer->room - buffer->length) {
    size_t room = buffer->room ? 2 * buffer->room : FIRST_ROOM;
    while (room < buffer->length + length + 1) room *= 2;
    buffer->text = arena_grow(buffer->arena, buffer->text, buffer->length, room, 1);
    buffer->room = room;
  }
  if (length) memcpy(buffer->text + buffer->length, text, length);
  buffer->length += length;
  buffer->text[buffer->length] = 0;
}

void text_puts(TextBuffer *buffer, const char *text) { text_add(buffer, text, strlen(text)); }

void text_printf(TextBuffer *buffer, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  text_puts(buffer, arena_format_list(buffer->arena, format, arguments));
  va_end(arguments);
}

void text_spaces(TextBuffer *buffer, size_t count) {
  for (size_t i = 0; i < count; i++) text_add(buffer, " ", 1);
}
