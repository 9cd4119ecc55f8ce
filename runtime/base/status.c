/* SPDX-License-Identifier: Apache-2.0 */
/* status.c -- the words and the exit codes of flow/status.h, from its one list. */
#include "flow/status.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
  const char *text;
  int exit_code;
} statuses[FLOW_STATUS_COUNT] = {
#define X(name, text, code) {text, code},
    FLOW_STATUS_LIST(X)
#undef X
};

static flow_status known(flow_status status) {
  return (unsigned)status < FLOW_STATUS_COUNT ? status : FLOW_INTERNAL;
}

const char *flow_status_text(flow_status status) { return statuses[known(status)].text; }

int flow_status_exit_code(flow_status status) { return statuses[known(status)].exit_code; }

/* A text that was cut may end inside a UTF-8 sequence; a terminal would show that as rubbish. */
static void drop_partial_character(char *text, size_t length) {
  size_t lead = length;
  while (lead > 0 && ((unsigned char)text[lead - 1] & 0xC0) == 0x80) lead--;
  if (lead == 0) return;
  unsigned char first = (unsigned char)text[lead - 1];
  size_t wanted = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
  if (length - (lead - 1) < wanted) text[lead - 1] = '\0';
}

flow_status flow_fail(flow_error *error, flow_status status, const char *format, ...) {
  if (!error) return status;
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(error->text, sizeof error->text, format, arguments);
  va_end(arguments);
  if (length < 0) error->text[0] = '\0';
  if (length >= (int)sizeof error->text) drop_partial_character(error->text, strlen(error->text));
  return status;
}
