/* SPDX-License-Identifier: Apache-2.0 */
/* cells.c -- widths by utf8proc; everything that is not printable is one cell and a `?`. */
#include "cells.h"
#include <string.h>
#include <utf8proc.h>

static int is_control(int32_t point) { return point < 0x20 || (point >= 0x7f && point < 0xa0); }

int is_direction_override(int32_t point) {
  return (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

static int is_obeyed(int32_t point) {
  return is_control(point) || is_direction_override(point) || point == 0x2028 || point == 0x2029;
}

Cell cell_at(const char *text, uint32_t at, uint32_t length) {
  utf8proc_int32_t point;
  utf8proc_ssize_t bytes =
      utf8proc_iterate((const utf8proc_uint8_t *)text + at, (utf8proc_ssize_t)(length - at), &point);
  if (bytes <= 0) return (Cell){.bytes = 1, .width = 1, .point = -1};
  int width = is_obeyed(point) ? 1 : utf8proc_charwidth(point);
  return (Cell){.bytes = (uint32_t)bytes, .width = width < 0 ? 0 : (uint32_t)width, .point = point};
}

CellText cell_text(const char *text, uint32_t at, Cell cell) {
  CellText shown = {{0}};
  if (cell.point == '\t')
    shown.text[0] = ' ';
  else if (cell.point < 0 || is_obeyed(cell.point))
    shown.text[0] = '?';
  else
    memcpy(shown.text, text + at, cell.bytes);
  return shown;
}

uint32_t line_break(const char *text, uint32_t at, uint32_t length) {
  if (text[at] == '\n') return 1;
  if (text[at] != '\r') return 0;
  return at + 1 < length && text[at + 1] == '\n' ? 2 : 1;
}

uint32_t byte_order_mark(const char *text, uint32_t length) {
  return length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}
