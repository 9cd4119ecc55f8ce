/* SPDX-License-Identifier: Apache-2.0 */
#include "printable.h"
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static bool continues(unsigned char byte) { return (byte & 0xC0) == 0x80; }

/* Unicode, table 3-7: only the second byte has a range of its own. */
size_t flow_utf8_length(const unsigned char *b, size_t length) {
  if (length == 0) return 0;
  unsigned char first = b[0];
  if (first < 0x80) return 1;
  size_t wanted = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || length < wanted) return 0;
  unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (b[1] < low || b[1] > high) return 0;
  for (size_t i = 2; i < wanted; i++) {
    if (!continues(b[i])) return 0;
  }
  return wanted;
}

bool flow_utf8_valid(const void *bytes, size_t length) {
  const unsigned char *at = bytes;
  while (length > 0) {
    size_t step = flow_utf8_length(at, length);
    if (step == 0) return false;
    at += step;
    length -= step;
  }
  return true;
}

/* C0, DEL and C1 (U+0080..U+009F, which some terminals obey too). */
static bool is_control(const unsigned char *at, size_t step) {
  return (step == 1 && (at[0] < 0x20 || at[0] == 0x7F)) || (step == 2 && at[0] == 0xC2 && at[1] < 0xA0);
}

FlowPrintable flow_printable(const void *bytes, size_t length) {
  FlowPrintable result;
  const unsigned char *at = bytes;
  size_t used = 0, most = sizeof result.text - sizeof "...'";
  result.text[used++] = '\'';
  while (length > 0) {
    size_t step = flow_utf8_length(at, length);
    bool plain = step > 0 && !is_control(at, step);
    size_t taken = plain ? step : 1, needed = plain ? step : 4;
    if (used + needed > most) break;
    if (plain) memcpy(result.text + used, at, step);
    else snprintf(result.text + used, 5, "\\x%02X", (unsigned)at[0]);
    used += needed;
    at += taken;
    length -= taken;
  }
  strcpy(result.text + used, length > 0 ? "...'" : "'");
  return result;
}

FlowPrintable flow_printable_name(const char *name) { return flow_printable(name, strlen(name)); }
