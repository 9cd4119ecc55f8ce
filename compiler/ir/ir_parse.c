/* SPDX-License-Identifier: Apache-2.0 */
/* ir_parse.c -- reads what ir_print writes.
 *
 * One line is one thing; words are separated by spaces; `#` begins a comment.
 *
 *   text      function input* weight* node* "result" %N
 *   function  ["frozen"] "function" NAME
 *   input     "input" NAME SHAPE MASK
 *   weight    "weight" NAME SHAPE "scope" NAME "part" NAME "layer" N ["labelled"] [PLACE]
 *   node      %N "=" OP [SLOT] %N* ["truth"] SHAPE MASK attributes [PLACE]
 *   NAME      "..." with \" \\ \xHH, or - where there is none
 *   PLACE     "at" N:N
 *
 * The text may be hostile.  Memory is bounded by its length and most_data; everything that the syntax lets through is
 * left to ir_verify, whose answer is the parser's. */
#include "ir.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Elements of all constants together: `0*16777216` is a short text. */
static const int64_t most_data = 1 << 22;

typedef struct Reader {
  Arena *arena;
  const char *at;
  uint32_t line;
  const char *last;             /* where the last number began */
  int64_t data;                 /* elements of constants so far */
  const char *wrong;            /* the first mistake; then nothing moves any more */
  uint32_t inputs, weights;     /* room in the function's tables, doubled when it is used up */
} Reader;

/* ---- words ------------------------------------------------------------------------------------------------------ */
static void skip_blanks(Reader *r) {
  while (*r->at == ' ' || *r->at == '\t' || *r->at == '\r') r->at++;
  if (*r->at == '#') r->at += strcspn(r->at, "\n");
}

static void expected(Reader *r, const char *what) {
  if (r->wrong) return;
  size_t length = strcspn(r->at, " \t\r\n");
  if (length > 40) length = 40;
  unsigned line = r->line;
  if (length) r->wrong = arena_format(r->arena, "line %u: found `%.*s`, %s is right", line, (int)length, r->at, what);
  else r->wrong = arena_format(r->arena, "line %u: the line ends, %s is missing", line, what);
}

/* The same about the number that was read last. */
static void refuse(Reader *r, const char *what) {
  r->at = r->last;
  expected(r, what);
}

static bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Takes the word or the sign, if it comes next. */
static bool take(Reader *r, const char *word) {
  size_t length = strlen(word);
  if (r->wrong) return false;
  skip_blanks(r);
  if (strncmp(r->at, word, length) != 0 || (is_word(word[length - 1]) && is_word(r->at[length]))) return false;
  r->at += length;
  return true;
}

static void need(Reader *r, const char *word) {
  if (!take(r, word)) expected(r, arena_format(r->arena, "`%s`", word));
}

/* To the next line that says something. */
static void next_line(Reader *r) {
  skip_blanks(r);
  while (*r->at == '\n') {
    r->at++;
    r->line++;
    skip_blanks(r);
  }
}

static void end_line(Reader *r) {
  skip_blanks(r);
  if (*r->at && *r->at != '\n') expected(r, "the end of the line");
  if (!r->wrong) next_line(r);
}

/* ---- numbers ---------------------------------------------------------------------------------------------------- */
static bool at_digit(Reader *r) {
  skip_blanks(r);
  return !r->wrong && (*r->at == '-' ? r->at[1] : *r->at) >= '0' && (*r->at == '-' ? r->at[1] : *r->at) <= '9';
}

static int64_t integer(Reader *r) {
  if (!at_digit(r)) {
    expected(r, "an integer");
    return 0;
  }
  r->last = r->at;
  bool negative = *r->at == '-';
  int64_t value = 0;
  for (r->at += negative; *r->at >= '0' && *r->at <= '9'; r->at++) {
    int digit = *r->at - '0';
    if (__builtin_mul_overflow(value, 10, &value) || __builtin_sub_overflow(value, digit, &value)) {
      refuse(r, "a smaller number");
      return 0;
    }
  }
  if (!negative && __builtin_sub_overflow(0, value, &value)) refuse(r, "a smaller number");
  return r->wrong ? 0 : value;
}

static uint32_t natural(Reader *r) {
  int64_t value = integer(r);
  if (value >= 0 && value <= UINT32_MAX) return (uint32_t)value;
  if (!r->wrong) refuse(r, "a number of 32 bits");
  return 0;
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

static double nan_of_bits(Reader *r) {
  uint64_t bits = 0;
  double number;
  for (int i = 0; i < 16; i++) {
    int digit = hex_digit(*r->at);
    if (digit < 0) {
      expected(r, "a NaN with 16 hexadecimal digits");
      return 0;
    }
    bits = bits << 4 | (uint64_t)digit;
    r->at++;
  }
  memcpy(&number, &bits, sizeof number);
  return number;
}

static double number(Reader *r) {
  skip_blanks(r);
  if (take(r, "nan:")) return nan_of_bits(r);
  char *end = NULL;
  if (r->wrong || !*r->at || !strchr("-0123456789i", *r->at)) {
    expected(r, "a number");
    return 0;
  }
  double value = strtod(r->at, &end);
  if (end == r->at) expected(r, "a number");
  r->at = end;
  return value;
}

/* ---- the small parts -------------------------------------------------------------------------------------------- */
/* The character after a backslash; 0 and a mistake if it is none. */
static char escaped(Reader *r) {
  if (*r->at == '"' || *r->at == '\\') return *r->at++;
  if (*r->at == 'x' && hex_digit(r->at[1]) >= 0 && hex_digit(r->at[2]) >= 0) {
    int code = 16 * hex_digit(r->at[1]) + hex_digit(r->at[2]);
    r->at += 3;
    if (code) return (char)code;
  }
  expected(r, "\\\", \\\\ or \\xHH");
  return 0;
}

static const char *name(Reader *r) {
  if (take(r, "-")) return NULL;
  need(r, "\"");
  if (r->wrong) return NULL;
  size_t room = strcspn(r->at, "\n"), length = 0;
  char *text = arena_alloc(r->arena, room + 1);
  while (*r->at && *r->at != '"' && *r->at != '\n' && !r->wrong) {
    char c = *r->at++;
    text[length++] = c == '\\' ? escaped(r) : c;
  }
  if (!r->wrong && *r->at != '"') expected(r, "a closing quote");
  if (!r->wrong) r->at++;
  return text;
}

static Shape shape(Reader *r) {
  Shape shape = {0};
  need(r, "[");
  while (!r->wrong && !take(r, "]")) {
    if (shape.rank) need(r, ",");
    if (shape.rank == FLOW_MOST_RANK) expected(r, "a shape of fewer axes");
    else shape.dim[shape.rank++] = integer(r);
  }
  return shape;
}

static uint8_t mask(Reader *r) {
  unsigned mask = 0;
  const char *letters = "wtcs", *found;
  if (take(r, "-")) return 0;
  skip_blanks(r);
  for (; !r->wrong && *r->at && (found = strchr(letters, *r->at)); r->at++) mask |= 1u << (found - letters);
  if (!mask) expected(r, "a mask of the letters w, t, c, s");
  return (uint8_t)mask;
}

static Span place(Reader *r) {
  Span at = {0, 0};
  if (!take(r, "at")) return at;
  at.from = natural(r);
  need(r, ":");
  at.to = natural(r);
  return at;
}

static bool take_ref(Reader *r, Ref *ref) {
  if (!take(r, "%")) return false;
  *ref = natural(r);
  return true;
}

/* ---- attributes ------------------------------------------------------------------------------------------------- */
static IrMap map(Reader *r, const char *word) {
  IrMap map = {0};
  need(r, word);
  map.offset = integer(r);
  need(r, "strides");
  for (int k = 0; at_digit(r); k++) {
    if (k == IR_MOST_AXES) expected(r, "a map of fewer axes");
    else map.stride[k] = integer(r);
  }
  return map;
}

/* How many elements of data the shape asks for; 0 after a mistake. */
static int64_t data_count(Reader *r, const Shape *shape) {
  int64_t count = 1;
  for (uint32_t k = 0; k < shape->rank; k++) {
    if (shape->dim[k] < 1 || __builtin_mul_overflow(count, shape->dim[k], &count) || count > most_data - r->data) {
      if (!r->wrong) refuse(r, "a shape of at least 1 and, over all constants, at most 2^22 elements");
      return 0;
    }
  }
  r->data += count;
  return r->wrong ? 0 : count;
}

static const double *data(Reader *r, const Shape *shape) {
  need(r, "data");
  int64_t count = data_count(r, shape);
  double *data = arena_array(r->arena, (size_t)count, sizeof *data);
  for (int64_t i = 0; i < count && !r->wrong;) {
    double value = number(r);
    int64_t run = take(r, "*") ? integer(r) : 1;
    if (!r->wrong && (run < 1 || run > count - i)) refuse(r, "a number of elements that the shape has left");
    for (; run > 0 && !r->wrong; run--) data[i++] = value;
  }
  return data;
}

static void attributes(Reader *r, IrNode *node) {
  switch (node->op) {
  case IR_constant: node->data = data(r, &node->shape); break;
  case IR_view: node->map = map(r, "offset"); break;
  case IR_concat:
    need(r, "axis");
    node->axis = natural(r);
    break;
  case IR_standardize:
    need(r, "eps");
    node->number = number(r);
    break;
  case IR_contract:
    need(r, "sums");
    while (at_digit(r)) {
      if (node->sums == IR_MOST_AXES) expected(r, "a contraction of fewer axes");
      else node->extent[node->sums++] = integer(r);
    }
    node->map = map(r, "a");
    node->map_b = map(r, "b");
    break;
  default: break;
  }
}

/* ---- lines ------------------------------------------------------------------------------------------------------ */
static IrOp operation(Reader *r) {
  for (int op = 0; op < IR_OP_COUNT; op++)
    if (take(r, ir_op_name[op])) return (IrOp)op;
  expected(r, "an operation");
  return IR_constant;
}

static void operands(Reader *r, IrNode *node) {
  uint32_t room = 0;
  Ref ref;
  while (take_ref(r, &ref)) {
    if (node->args == room) {
      uint32_t more = room ? 2 * room : 4;
      node->arg = arena_grow(r->arena, node->arg, room, more, sizeof *node->arg);
      room = more;
    }
    node->arg[node->args++] = ref;
  }
}

static void node_line(Reader *r, IrFunction *f) {
  IrNode node = {.op = IR_constant};
  if (natural(r) != f->nodes && !r->wrong) refuse(r, arena_format(r->arena, "node %%%u", (unsigned)f->nodes));
  need(r, "=");
  node.op = operation(r);
  if (node.op == IR_input || node.op == IR_weight) node.slot = natural(r);
  operands(r, &node);
  node.truth = take(r, "truth");
  node.shape = shape(r);
  node.mask = mask(r);
  attributes(r, &node);
  node.at = place(r);
  end_line(r);
  if (!r->wrong) ir_append(f, &node);
}

/* Room for one more entry of a table. */
static void *room_for(Reader *r, void *table, uint32_t used, uint32_t *room, size_t size) {
  if (used < *room) return table;
  uint32_t more = *room ? 2 * *room : 8;
  table = arena_grow(r->arena, table, *room, more, size);
  *room = more;
  return table;
}

static void input_line(Reader *r, IrFunction *f) {
  IrInput input = {.name = name(r)};
  input.shape = shape(r);
  input.mask = mask(r);
  end_line(r);
  f->input = room_for(r, f->input, f->inputs, &r->inputs, sizeof *f->input);
  f->input[f->inputs++] = input;
}

static void weight_line(Reader *r, IrFunction *f) {
  IrWeight weight = {.name = name(r)};
  weight.shape = shape(r);
  need(r, "scope");
  weight.scope = name(r);
  need(r, "part");
  weight.part = name(r);
  need(r, "layer");
  weight.layer = natural(r);
  weight.labelled = take(r, "labelled");
  weight.at = place(r);
  end_line(r);
  f->weight = room_for(r, f->weight, f->weights, &r->weights, sizeof *f->weight);
  f->weight[f->weights++] = weight;
}

IrFunction *ir_parse(Arena *arena, const char *text, const char **wrong) {
  Reader r = {.arena = arena, .at = text, .line = 1};
  IrFunction *f = ir_new(arena, NULL);
  Ref ref;
  next_line(&r);
  f->frozen = take(&r, "frozen");
  need(&r, "function");
  f->name = name(&r);
  end_line(&r);
  while (take(&r, "input")) input_line(&r, f);
  while (take(&r, "weight")) weight_line(&r, f);
  while (take(&r, "%")) node_line(&r, f);
  need(&r, "result");
  if (take_ref(&r, &ref)) f->result = ref;
  else expected(&r, "a node");
  end_line(&r);
  if (!r.wrong && *r.at) expected(&r, "the end of the text");
  if (!r.wrong) r.wrong = ir_verify(f);
  *wrong = r.wrong;
  return r.wrong ? NULL : f;
}
