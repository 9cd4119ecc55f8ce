/* SPDX-License-Identifier: Apache-2.0 */
#include "npy_header.h"
#include "checked.h"
#include "printable.h"
#include "tensors_build.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { KEY_DESCR = 1, KEY_ORDER = 2, KEY_SHAPE = 4, KEY_ALL = 7 };

typedef struct Scan {
  const char *name, *text;
  size_t at, size, offset;
  flow_error *error;
} Scan;

/* The place of what is next, or of `from` bytes into the dictionary. */
static flow_status refuse_at(const Scan *s, size_t from, const char *found) {
  return flow_fail(s->error, FLOW_BAD_INPUT, "%s: byte %zu: %s", s->name, s->offset + from, found);
}

static void skip_spaces(Scan *s) {
  while (s->at < s->size && (s->text[s->at] == ' ' || s->text[s->at] == '\n' || s->text[s->at] == '\t')) s->at++;
}

static bool take(Scan *s, char wanted) {
  skip_spaces(s);
  if (s->at >= s->size || s->text[s->at] != wanted) return false;
  s->at++;
  return true;
}

static bool take_word(Scan *s, const char *word) {
  size_t length = strlen(word);
  skip_spaces(s);
  if (s->size - s->at < length || memcmp(s->text + s->at, word, length) != 0) return false;
  s->at += length;
  return true;
}

/* 'text' or "text" without escapes, none of which the known keys and types need. */
static bool take_string(Scan *s, const char **start, size_t *length) {
  skip_spaces(s);
  if (s->at >= s->size || (s->text[s->at] != '\'' && s->text[s->at] != '"')) return false;
  const char *end = memchr(s->text + s->at + 1, s->text[s->at], s->size - s->at - 1);
  if (!end) return false;
  *start = s->text + s->at + 1;
  *length = (size_t)(end - *start);
  s->at = (size_t)(end - s->text) + 1;
  return true;
}

static const char *why_not(char letter) {
  switch (letter) {
  case 'O': return "objects (pickled Python code) are never read; save plain numbers";
  case 'U': case 'S': case 'a': return "strings are not numbers";
  case 'c': return "complex numbers are not read; save the real and the imaginary part";
  case 'V': return "raw bytes have no type (numpy has no bfloat16); save float32 or use .safetensors";
  case 'M': case 'm': return "dates and times are not read; save them as numbers";
  case 'f': return "floating point has 2, 4 or 8 bytes here";
  default: return "not a number type that is known here";
  }
}

static flow_status parse_descr(Scan *s, FlowNpyHeader *header) {
  const char *text;
  size_t length, from = s->at;
  skip_spaces(s);
  from = s->at;
  if (s->at < s->size && s->text[s->at] == '[')
    return refuse_at(s, from, "'descr' is a list: records are not read; save one array per field");
  if (!take_string(s, &text, &length)) return refuse_at(s, from, "'descr' must be a string such as '<f4'");
  for (int type = 0; length == 3 && type < FLOW_TYPE_COUNT; type++) {
    const FlowTypeFacts *facts = &flow_type_facts[type];
    if (!facts->letters || memcmp(text + 1, facts->letters, 2) != 0) continue;
    bool has_order = text[0] == '<' || text[0] == '>' || text[0] == '=';
    if (!has_order && !(text[0] == '|' && facts->bytes == 1)) break;
    header->type = (FlowType)type;
    header->is_big_endian = text[0] == '>';
    return FLOW_OK;
  }
  size_t letter = length > 0 && strchr("<>=|", text[0]) ? 1 : 0;
  return flow_fail(s->error, FLOW_BAD_INPUT, "%s: byte %zu: the type %s: %s", s->name, s->offset + from,
                   flow_printable(text, length).text, why_not(letter < length ? text[letter] : '?'));
}

static flow_status parse_order(Scan *s, FlowNpyHeader *header) {
  skip_spaces(s);
  size_t from = s->at;
  header->is_fortran = take_word(s, "True");
  if (header->is_fortran || take_word(s, "False")) return FLOW_OK;
  return refuse_at(s, from, "'fortran_order' must be True or False");
}

static bool is_digit(const Scan *s) { return s->at < s->size && s->text[s->at] >= '0' && s->text[s->at] <= '9'; }

static flow_status parse_dimension(Scan *s, FlowNpyHeader *header) {
  skip_spaces(s);
  size_t from = s->at;
  uint64_t value = 0;
  if (s->at < s->size && s->text[s->at] == '-') return refuse_at(s, from, "a dimension is negative");
  if (!is_digit(s)) return refuse_at(s, from, "a dimension must be a whole number");
  for (; is_digit(s); s->at++) {
    uint64_t digit = (uint64_t)(s->text[s->at] - '0');
    if (!flow_mul_u64(value, 10, &value) || !flow_add_u64(value, digit, &value) || value > INT64_MAX)
      return refuse_at(s, from, "a dimension does not fit 63 bits");
  }
  if (s->at < s->size && s->text[s->at] == 'L') s->at++;      /* a long of Python 2 */
  if (header->rank == FLOW_TENSOR_MOST_RANK) return refuse_at(s, from, "more than 8 dimensions; at most 8 are read");
  header->dim[header->rank++] = value;
  return FLOW_OK;
}

/* (), (3,), (3, 4), (3, 4,): one number needs its comma, without which Python has no tuple. */
static flow_status parse_shape(Scan *s, FlowNpyHeader *header) {
  skip_spaces(s);
  size_t from = s->at;
  bool after_comma = true;
  header->rank = 0;
  if (!take(s, '(')) return refuse_at(s, from, "'shape' must be a tuple such as (3, 4)");
  while (!take(s, ')')) {
    if (!after_comma) return refuse_at(s, s->at, "',' or ')' is missing in 'shape'");
    flow_status status = parse_dimension(s, header);
    if (status != FLOW_OK) return status;
    after_comma = take(s, ',');
  }
  if (header->rank == 1 && !after_comma) return refuse_at(s, from, "'shape' is not a tuple: (N) should be (N,)");
  return FLOW_OK;
}

static flow_status parse_entry(Scan *s, FlowNpyHeader *header, unsigned *seen) {
  static const struct {
    const char *name;
    unsigned bit;
    flow_status (*parse)(Scan *s, FlowNpyHeader *header);
  } keys[] = {{"descr", KEY_DESCR, parse_descr}, {"fortran_order", KEY_ORDER, parse_order},
              {"shape", KEY_SHAPE, parse_shape}};
  const char *text;
  size_t length;
  skip_spaces(s);
  size_t from = s->at;
  if (!take_string(s, &text, &length)) return refuse_at(s, from, "a key in quotes or '}' should be here");
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    if (strlen(keys[i].name) != length || memcmp(keys[i].name, text, length) != 0) continue;
    if (*seen & keys[i].bit) return refuse_at(s, from, "this key has been given before");
    *seen |= keys[i].bit;
    if (!take(s, ':')) return refuse_at(s, s->at, "':' is missing after a key");
    return keys[i].parse(s, header);
  }
  return flow_fail(s->error, FLOW_BAD_INPUT, "%s: byte %zu: the key %s is unknown; the keys are 'descr', "
                   "'fortran_order' and 'shape'", s->name, s->offset + from, flow_printable(text, length).text);
}

flow_status flow_npy_header_parse(const char *name, const char *text, size_t size, size_t offset, FlowNpyHeader *header,
                                  flow_error *error) {
  Scan s = {.name = name, .text = text, .size = size, .offset = offset, .error = error};
  unsigned seen = 0;
  bool after_comma = true;
  memset(header, 0, sizeof *header);
  if (!take(&s, '{')) return refuse_at(&s, s.at, "the header must start with '{'");
  while (!take(&s, '}')) {
    if (!after_comma) return refuse_at(&s, s.at, "',' or '}' is missing in the header");
    flow_status status = parse_entry(&s, header, &seen);
    if (status != FLOW_OK) return status;
    after_comma = take(&s, ',');
  }
  skip_spaces(&s);
  if (s.at < s.size) return refuse_at(&s, s.at, "only spaces may follow the header's '}'");
  if (!(seen & KEY_DESCR)) return refuse_at(&s, 0, "the header has no 'descr'");
  if (!(seen & KEY_ORDER)) return refuse_at(&s, 0, "the header has no 'fortran_order'");
  if (!(seen & KEY_SHAPE)) return refuse_at(&s, 0, "the header has no 'shape'");
  return FLOW_OK;
}

/* At most 10 + 60 + 8 * 22 + 64 bytes, far below FLOW_NPY_MOST_WRITTEN. */
size_t flow_npy_header_write(FlowType type, uint32_t rank, const uint64_t *dim, char to[FLOW_NPY_MOST_WRITTEN]) {
  enum { MAGIC = 10, ALIGNMENT = 64 };
  const FlowTypeFacts *facts = &flow_type_facts[type];
  char *next = to + MAGIC, *end = to + FLOW_NPY_MOST_WRITTEN;
  next += snprintf(next, (size_t)(end - next), "{'descr': '%c%s', 'fortran_order': False, 'shape': (",
                   facts->bytes == 1 ? '|' : '<', facts->letters);
  for (uint32_t i = 0; i < rank; i++)
    next += snprintf(next, (size_t)(end - next), i + 1 < rank ? "%" PRIu64 ", " : "%" PRIu64, dim[i]);
  next += snprintf(next, (size_t)(end - next), rank == 1 ? ",), }" : "), }");
  do *next++ = ' ';
  while ((next - to + 1) % ALIGNMENT != 0);
  *next++ = '\n';
  size_t size = (size_t)(next - to), length = size - MAGIC;
  memcpy(to, "\x93NUMPY\x01\x00", 8);
  to[8] = (char)(length & 0xFF);
  to[9] = (char)(length >> 8);
  return size;
}
