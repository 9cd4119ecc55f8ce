/* SPDX-License-Identifier: Apache-2.0 */
#include "csv.h"
#include "checked.h"
#include "number.h"
#include "printable.h"
#include <inttypes.h>
#include <string.h>

/* A place in the text.  `line` counts from 1. */
typedef struct Csv {
  const char *name, *at, *end;
  uint64_t line;
  flow_error *error;
} Csv;

typedef struct Span {
  const char *start, *end;
} Span;

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

static Span trim(Span span) {
  while (span.start < span.end && is_blank(*span.start)) span.start++;
  while (span.start < span.end && is_blank(span.end[-1])) span.end--;
  return span;
}

static Span until(const char *start, const char *end, char stop) {
  const char *found = start < end ? memchr(start, stop, (size_t)(end - start)) : NULL;
  return (Span){start, found ? found : end};
}

static Span take_line(Csv *csv) {
  Span line = until(csv->at, csv->end, '\n');
  csv->at = line.end < csv->end ? line.end + 1 : line.end;
  csv->line++;
  return line;
}

static uint64_t fields_in(Span line) {
  uint64_t count = 1;
  for (const char *c = line.start; c < line.end; c++) count += *c == ',';
  return count;
}

/* Takes one field off the front of the line; false after the last. */
static bool take_field(Span *line, Span *field) {
  if (!line->start) return false;
  *field = until(line->start, line->end, ',');
  line->start = field->end < line->end ? field->end + 1 : NULL;
  *field = trim(*field);
  return true;
}

static FlowNumberFault number_in(Span field, double *value) {
  return flow_number_parse(field.start, (size_t)(field.end - field.start), value);
}

static bool is_header(Span line) {
  Span field;
  double value;
  if (trim(line).start == trim(line).end) return false;
  while (take_field(&line, &field)) {
    if (number_in(field, &value) != FLOW_NUMBER_MALFORMED) return false;
  }
  return true;
}

/* The column counts bytes, as editors and compilers do. */
static flow_status refuse_field(const Csv *csv, const char *line_start, Span field, FlowNumberFault fault) {
  size_t column = (size_t)(field.start - line_start) + 1, length = (size_t)(field.end - field.start);
  const char *why = "is not a number";
  if (fault == FLOW_NUMBER_TOO_LARGE) why = "is beyond the largest double";
  else if (memchr(field.start, ';', length)) why = "is not a number; fields are separated by ',' and not by ';'";
  else if (memchr(field.start, '\t', length)) why = "is not a number; fields are separated by ',' and not by tabs";
  else if (length > 0 && *field.start == '"') why = "is not a number; numbers are not quoted here";
  if (length == 0)
    return flow_fail(csv->error, FLOW_BAD_INPUT, "%s:%" PRIu64 ":%zu: a number is missing", csv->name, csv->line,
                     column);
  return flow_fail(csv->error, FLOW_BAD_INPUT, "%s:%" PRIu64 ":%zu: %s %s", csv->name, csv->line, column,
                   flow_printable(field.start, length).text, why);
}

/* `to` may be NULL: then the row is only looked at. */
static flow_status parse_row(const Csv *csv, Span line, uint64_t columns, double *to) {
  const char *line_start = line.start;
  double ignored;
  uint64_t found = fields_in(line);
  Span field;
  if (trim(line).start == trim(line).end)
    return flow_fail(csv->error, FLOW_BAD_INPUT, "%s:%" PRIu64 ":1: an empty line between rows", csv->name, csv->line);
  if (found != columns)
    return flow_fail(csv->error, FLOW_BAD_INPUT, "%s:%" PRIu64 ":1: this row has %" PRIu64 " fields, those before have %"
                     PRIu64, csv->name, csv->line, found, columns);
  while (take_field(&line, &field)) {
    FlowNumberFault fault = number_in(field, to ? to++ : &ignored);
    if (fault != FLOW_NUMBER_OK) return refuse_field(csv, line_start, field, fault);
  }
  return FLOW_OK;
}

static flow_status parse_rows(Csv rows, uint64_t columns, double *to) {
  while (rows.at < rows.end) {
    Span line = take_line(&rows);
    flow_status status = parse_row(&rows, line, columns, to);
    if (status != FLOW_OK) return status;
    if (to) to += columns;
  }
  return FLOW_OK;
}

/* Passes over a byte order mark and the blank end. */
static Csv start(const char *name, const void *bytes, size_t size, flow_error *error) {
  const char *text = size > 0 ? bytes : "";
  Csv csv = {.name = name, .at = text, .end = text + size, .error = error};
  if (size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) csv.at += 3;
  while (csv.end > csv.at && (is_blank(csv.end[-1]) || csv.end[-1] == '\n')) csv.end--;
  return csv;
}

static uint64_t lines_left(const Csv *csv) {
  uint64_t count = csv->at < csv->end;
  for (const char *c = csv->at; c < csv->end; c++) count += *c == '\n';
  return count;
}

static flow_status make_table(const FlowAllocator *allocator, const Csv *rows, uint64_t columns, FlowTensors *tensors) {
  FlowTensor table = {.name = "", .type = FLOW_TYPE_F64, .rank = 2, .dim = {lines_left(rows), columns}, .data = ""};
  uint64_t bytes, left = (uint64_t)(rows->end - rows->at);
  size_t size;
  /* Each number but the last is followed by a comma or a line's end.  Where there is no room for them all, some row is
   * wrong: look for it without spending the memory. */
  if (!flow_tensor_measure(&table, &bytes) || !flow_u64_to_size(bytes, &size) || table.count > left / 2 + 1) {
    flow_status status = parse_rows(*rows, columns, NULL);
    return status != FLOW_OK ? status : flow_fail(rows->error, FLOW_INTERNAL, "%s: rows beyond belief", rows->name);
  }
  flow_status status = flow_tensors_make(allocator, rows->name, 1, size, tensors, rows->error);
  if (status != FLOW_OK) return status;
  if (size > 0) table.data = tensors->memory;
  tensors->tensor[0] = table;
  return FLOW_OK;
}

flow_status flow_csv_parse(const FlowAllocator *allocator, const char *name, const void *bytes, size_t size,
                           FlowTensors *tensors, flow_error *error) {
  Csv csv = start(name, bytes, size, error), rows;
  if (csv.at == csv.end) return flow_fail(error, FLOW_BAD_INPUT, "%s:1:1: there are no numbers in this file", name);
  rows = csv;
  Span first = take_line(&csv);
  if (is_header(first)) rows = csv;
  uint64_t columns = fields_in(first);
  flow_status status = make_table(allocator, &rows, columns, tensors);
  if (status != FLOW_OK) return status;
  status = parse_rows(rows, columns, tensors->memory);
  if (status != FLOW_OK) flow_tensors_free(tensors);
  return status;
}
