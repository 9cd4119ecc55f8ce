/* SPDX-License-Identifier: Apache-2.0 */
/* json_scan.h -- the outer structure of a JSON object, with jansson for what is inside.
 *
 * Braces, colons and commas of the outer object are taken one by one; a string or an inner value is handed to jansson
 * with only as many bytes as it may have, so that no tree is larger than that allows. */
#ifndef FLOW_JSON_SCAN_H
#define FLOW_JSON_SCAN_H
#include "flow/status.h"
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct JsonScan {
  const char *name;             /* of the file, for messages */
  char *text;                   /* strings are decoded in place: they never get longer */
  size_t at, size, offset;      /* offset: where text lies in the file */
  flow_error *error;
} JsonScan;

flow_status json_refuse(const JsonScan *scan, size_t at, const char *what);
void json_skip_blanks(JsonScan *scan);
bool json_take(JsonScan *scan, char wanted);
/* A string of at most `most` bytes in the file, decoded in place and ended by a NUL. */
flow_status json_take_string(JsonScan *scan, size_t most, const char **string);
/* A value of at most `most` bytes; the caller json_decrefs it. */
flow_status json_take_value(JsonScan *scan, size_t most, json_t **value);
/* What stands between two members: a comma (*more) or the end `}`. */
flow_status json_take_separator(JsonScan *scan, bool *more);

#endif
