/* SPDX-License-Identifier: Apache-2.0 */
#include "json_scan.h"
#include "printable.h"
#include <string.h>

flow_status json_refuse(const JsonScan *scan, size_t at, const char *what) {
  return flow_fail(scan->error, FLOW_BAD_INPUT, "%s: byte %zu: %s", scan->name, scan->offset + at, what);
}

void json_skip_blanks(JsonScan *scan) {
  while (scan->at < scan->size && strchr(" \t\n\r", scan->text[scan->at]) && scan->text[scan->at]) scan->at++;
}

bool json_take(JsonScan *scan, char wanted) {
  json_skip_blanks(scan);
  if (scan->at >= scan->size || scan->text[scan->at] != wanted) return false;
  scan->at++;
  return true;
}

/* jansson saw only `given` bytes: where it stumbled over their end although there are more, the value is too long.  The
 * end may lie inside an escape, two of which, a pair of surrogates, are the longest unit. */
static flow_status refuse_value(const JsonScan *scan, size_t given, size_t left, const json_error_t *failure) {
  enum { LONGEST_UNIT = 12 };
  size_t inside = failure->position > 0 ? (size_t)failure->position : 0;
  /* jansson leaves the words empty where it ran out of memory between tokens.  Within a token it
   * calls that an invalid token, which cannot be told from a wrong file: a refusal all the same. */
  if (json_error_code(failure) == json_error_out_of_memory || failure->text[0] == '\0')
    return flow_fail(scan->error, FLOW_NO_MEMORY, "%s: no memory for its header", scan->name);
  if (given < left && inside + LONGEST_UNIT >= given)
    return flow_fail(scan->error, FLOW_BAD_INPUT, "%s: byte %zu: a JSON value of more than %zu bytes here",
                     scan->name, scan->offset + scan->at, given);
  return flow_fail(scan->error, FLOW_BAD_INPUT, "%s: byte %zu: %s", scan->name, scan->offset + scan->at + inside,
                   flow_printable_name(failure->text).text);
}

flow_status json_take_value(JsonScan *scan, size_t most, json_t **value) {
  json_error_t failure;
  json_skip_blanks(scan);
  size_t left = scan->size - scan->at, given = left < most ? left : most;
  *value = json_loadb(scan->text + scan->at, given,
                      JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY, &failure);
  if (!*value) return refuse_value(scan, given, left, &failure);
  scan->at += (size_t)failure.position;       /* on success: how far it read */
  return FLOW_OK;
}

flow_status json_take_string(JsonScan *scan, size_t most, const char **string) {
  json_t *value;
  json_skip_blanks(scan);
  size_t from = scan->at;
  if (from >= scan->size || scan->text[from] != '"') return json_refuse(scan, from, "a string in quotes should be here");
  flow_status status = json_take_value(scan, most, &value);
  if (status != FLOW_OK) return status;
  size_t length = json_string_length(value);
  if (!json_is_string(value) || length + 2 > scan->at - from) {
    json_decref(value);
    return flow_fail(scan->error, FLOW_INTERNAL, "%s: a string that grew", scan->name);
  }
  memcpy(scan->text + from, json_string_value(value), length);
  scan->text[from + length] = '\0';
  *string = scan->text + from;
  json_decref(value);
  return FLOW_OK;
}

flow_status json_take_separator(JsonScan *scan, bool *more) {
  *more = json_take(scan, ',');
  if (*more || json_take(scan, '}')) return FLOW_OK;
  return json_refuse(scan, scan->at, "',' or '}' should be here");
}
