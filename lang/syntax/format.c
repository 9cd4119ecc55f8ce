/* SPDX-License-Identifier: Apache-2.0 */
/* format.c -- prints the tokens of the line filter again, and what stands between them: breaks and comments. */
#include "format.h"
#include "cells.h"
#include "lines.h"
#include "parse.h"
#include "syntax_parser.h"
#include "text_buffer.h"

typedef struct Formatter {
  Lines lines;
  TextBuffer out;
  const Source *source;
  Token last;           /* printed last; kind 0 before the first */
  bool last_is_sign;    /* it was a `-` or `:` that its right neighbour touches */
  bool statement_next;  /* the next token begins a statement */
  bool body_next;       /* a definition's `=` was seen and its result was not */
  bool after_header;    /* the last token was that `=` */
  bool header;          /* between a definition word and its `=` */
  uint32_t indent;      /* of the current statement */
  uint32_t body_indent;
  uint32_t braces, brackets;
  uint32_t loops[AST_MOST_NESTING + 1];         /* `for`s that wait for their `:`, by open bracket */
  bool selects[AST_MOST_NESTING + 1];           /* is this bracket an index? */
} Formatter;

static bool is_opener(int kind) { return kind == '(' || kind == '[' || kind == T_CALL || kind == T_INDEX; }
static bool is_closer(int kind) { return kind == ')' || kind == ']'; }
static bool has_body(int kind) {
  return kind == T_FN || kind == T_FIELD || kind == T_NETWORK || kind == T_MAP || kind == T_DENSITY || kind == T_INVERSE;
}

/* Where a statement that begins with this token stands. */
static void begin_statement(Formatter *f, int kind) {
  if (f->braces) {
    f->indent = 2 * (kind == '}' ? f->braces - 1 : f->braces);
    return;
  }
  if (kind == T_INVERSE || kind == T_DRAW) f->indent = 2;
  else if (f->body_next) f->indent = f->body_indent;
  else f->indent = 0;
  if (kind != T_LET) f->body_next = false;
  f->header = has_body(kind);
}

static uint32_t line_indent(const Formatter *f, const Token *token, bool begins) {
  if (begins) return f->indent;
  return f->indent + 2 + 2 * f->brackets - (is_closer(token->kind) ? 2 * (f->brackets > 0) : 0);
}

static void new_lines(Formatter *f, uint32_t breaks) {
  if (f->out.length == 0) return;
  text_puts(&f->out, breaks > 1 ? "\n\n" : "\n");
}

static void put_comment(Formatter *f, uint32_t from, uint32_t to) {
  while (to > from && (f->source->text[to - 1] == ' ' || f->source->text[to - 1] == '\t')) to--;
  text_add(&f->out, f->source->text + from, to - from);
}

/* Breaks and comments between the last token and `token`; how many breaks stand right before `token`. */
static uint32_t put_gap(Formatter *f, uint32_t from, uint32_t to, uint32_t indent) {
  uint32_t breaks = 0;
  bool commented = false;
  for (uint32_t i = from; i < to;) {
    uint32_t length = line_break(f->source->text, i, f->source->length);
    if (length) breaks++;
    if (length || f->source->text[i] != '#') {
      i += length ? length : 1;
      continue;
    }
    uint32_t end = i;
    while (end < to && !line_break(f->source->text, end, f->source->length)) end++;
    if (breaks == 0 && f->out.length && !commented) text_puts(&f->out, "  ");
    else {
      new_lines(f, breaks);
      text_spaces(&f->out, indent);
    }
    put_comment(f, i, end);
    commented = true;
    breaks = 0;
    i = end;
  }
  return breaks;
}

static bool is_tight(const Formatter *f, const Token *token) {
  const Token *last = &f->last;
  int kind = token->kind;
  if (kind == T_CALL || kind == T_INDEX || is_closer(kind) || is_opener(last->kind) || f->last_is_sign) return true;
  if (kind == ',' || kind == ';' || kind == ':' || kind == '^' || last->kind == '^') return true;
  bool product = kind == '*' || kind == '/' || last->kind == '*' || last->kind == '/';
  return product && last->at.to == token->at.from;
}

static void put_text(Formatter *f, const Token *token) {
  if (token->kind == T_VELOCITY_OF || token->kind == T_CLAUSE_OF) text_puts(&f->out, "velocity of");
  else if (token->kind == T_NO_BIAS) text_puts(&f->out, "no bias");
  else text_add(&f->out, f->source->text + (token->at.from - f->source->base), token->at.to - token->at.from);
}

/* A `:` in an index is a range's, unless a `for` in there waits for it. */
static bool is_range_sign(Formatter *f, int kind) {
  if (kind == T_FOR || kind == T_SUM || kind == T_MAX || kind == T_MIN) f->loops[f->brackets]++;
  if (kind != ':') return false;
  if (f->loops[f->brackets] == 0) return f->selects[f->brackets];
  f->loops[f->brackets]--;
  return false;
}

static void note(Formatter *f, const Token *token, bool begins) {
  int kind = token->kind;
  bool unary = kind == '-' && (begins || !(ends_operand(f->last.kind) || f->last.kind == '}'));
  f->last_is_sign = unary || is_range_sign(f, kind);
  if (kind == '{') f->braces++;
  if (kind == '}') f->braces--;
  if (is_opener(kind)) {
    f->brackets++;
    f->selects[f->brackets] = kind == T_INDEX;
    f->loops[f->brackets] = 0;
  }
  if (is_closer(kind)) f->brackets--;
  f->after_header = kind == '=' && f->header && f->brackets == 0;
  if (f->after_header) {
    f->header = false;
    f->body_next = true;
    f->body_indent = f->indent + 2;
  }
  f->last = *token;
}

static bool begins_statement(const Formatter *f, const Token *token) {
  int kind = token->kind;
  return f->statement_next || kind == T_INVERSE || kind == T_DRAW || f->after_header || (kind == '}' && f->braces) ||
         (f->braces && f->brackets == 0 && f->last.kind == '{');
}

static void put_token(Formatter *f, const Token *token) {
  bool begins = begins_statement(f, token);
  uint32_t outer = f->indent;
  if (begins) begin_statement(f, token->kind);
  uint32_t from = f->out.length || f->last.kind ? f->last.at.to - f->source->base : 0;
  if (from == 0) from = byte_order_mark(f->source->text, f->source->length);
  uint32_t indent = token->kind == 0 ? 0 : line_indent(f, token, begins);
  uint32_t inside = token->kind == '}' ? indent + 2 : indent;
  bool fresh = f->out.length == 0;
  uint32_t breaks = put_gap(f, from, token->at.from - f->source->base, inside);
  if (token->kind == 0) return;
  if (breaks) {
    new_lines(f, breaks);
    text_spaces(&f->out, indent);
  } else if (!fresh) {
    if (begins && token->kind != '}' && f->last.kind == '=') f->indent = outer;
    if (!is_tight(f, token)) text_puts(&f->out, token->kind == T_CLAUSE || token->kind == T_CLAUSE_OF ? (f->last.kind == '{' ? " " : "  ") : " ");
  }
  put_text(f, token);
  note(f, token, begins);
  f->statement_next = false;
}

static bool has_errors(SourceMap *map, Arena *arena, Diagnostics *diagnostics, const Source *source) {
  size_t before = diagnostics->errors;
  return !flow_parse(map, arena, diagnostics, source, NULL) || diagnostics->errors > before;
}

char *flow_format(SourceMap *map, Arena *arena, Diagnostics *diagnostics, const Source *source, size_t *length) {
  if (has_errors(map, arena, diagnostics, source)) return NULL;
  Formatter *f = arena_alloc(arena, sizeof *f);
  f->out.arena = arena;
  f->source = source;
  f->statement_next = true;
  f->last.at = (Span){source->base, source->base};
  lines_open(&f->lines, arena, diagnostics, source);
  for (;;) {
    Token token = lines_next(&f->lines);
    if (token.kind == T_END) f->statement_next = true;
    else put_token(f, &token);
    if (token.kind == 0) break;
  }
  text_puts(&f->out, f->out.length ? "\n" : "");
  *length = f->out.length;
  return f->out.text;
}
