/* SPDX-License-Identifier: Apache-2.0 */
/* lexer_errors.c -- what is wrong with words and signs, and what was surely meant. */
#include "lexer_errors.h"
#include "cells.h"
#include "names.h"
#include "syntax_parser.h"
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

uint32_t lexer_offset(const Lexer *lexer, const char *at) {
  return lexer->source->base + (uint32_t)(at - lexer->source->text);
}

static const char *text_at(const Lexer *lexer, const Token *token) {
  return lexer->source->text + (token->at.from - lexer->source->base);
}

static Span matched(const Lexer *lexer, const Token *token) {
  return (Span){token->at.from, lexer_offset(lexer, lexer->cursor)};
}

bool text_is_utf8(Diagnostics *diagnostics, const Source *source) {
  for (uint32_t i = 0; i < source->length;) {
    Cell cell = cell_at(source->text, i, source->length);
    if (cell.point < 0) {
      Span at = {source->base + i, source->base + i + 1};
      diag_error(diagnostics, E0001, at, "the file is not UTF-8: the byte 0x%02x begins no character",
                 (unsigned)(unsigned char)source->text[i]);
      return false;
    }
    i += cell.bytes;
  }
  return true;
}

static bool stand_for(Lexer *lexer, Token *token, const char *found, const char *replacement, int kind) {
  Span at = matched(lexer, token);
  Diag *diag = diag_error(lexer->diagnostics, E0005, at, "`%s` is written `%s` here", found, replacement);
  diag_fix(lexer->diagnostics, diag, at, "%s", replacement);
  token->kind = kind;
  token->text = replacement;
  return true;
}

bool foreign_sign(Lexer *lexer, Token *token, const char *replacement, int kind) {
  const char *start = text_at(lexer, token);
  if (kind != 0) {
    size_t length = (size_t)(lexer->cursor - start);
    return stand_for(lexer, token, arena_text(lexer->arena, start, length), replacement, kind);
  }
  Span slashes = {token->at.from, token->at.from + 2};
  Diag *diag = diag_error(lexer->diagnostics, E0005, slashes, "a comment begins with `#`");
  diag_fix(lexer->diagnostics, diag, slashes, "#");
  return false;
}

static int superscript_digit(int32_t point) {
  static const int32_t digits[10] = {0x2070, 0xb9, 0xb2, 0xb3, 0x2074, 0x2075, 0x2076, 0x2077, 0x2078, 0x2079};
  for (int i = 0; i < 10; i++)
    if (digits[i] == point) return i;
  return -1;
}

/* x² is x^2: a `^`, and a number that waits. */
static bool superscript(Lexer *lexer, Token *token, int digit) {
  const char *start = text_at(lexer, token);
  uint32_t length = (uint32_t)(lexer->limit - start), at = 0, digits = 0;
  char plain[32];
  double value = 0;
  while (at < length && digits < sizeof plain - 1) {
    Cell cell = cell_at(start, at, length);
    digit = superscript_digit(cell.point);
    if (digit < 0) break;
    plain[digits++] = (char)('0' + digit);
    value = 10 * value + digit;
    at += cell.bytes;
  }
  plain[digits] = 0;
  lexer->cursor = start + at;
  const char *meant = arena_format(lexer->arena, "^%s", plain);
  stand_for(lexer, token, arena_text(lexer->arena, start, at), meant, '^');
  lexer->pending[lexer->pendings++] = (Token){.kind = T_NUMBER, .at = matched(lexer, token), .number = value,
                                              .text = meant + 1, .supplied = true};
  return true;
}

static bool refuse(Lexer *lexer, Token *token, DiagCode code, Cell cell) {
  Span at = matched(lexer, token);
  Diag *diag;
  if (code == E0002)
    diag = diag_error(lexer->diagnostics, code, at, "the control character U+%04X is not allowed here", (unsigned)cell.point);
  else if (code == E0003)
    diag = diag_error(lexer->diagnostics, code, at, "U+%04X turns the direction of text and is not allowed", (unsigned)cell.point);
  else
    diag = diag_error(lexer->diagnostics, code, at, "the character `%s` (U+%04X) has no meaning here",
                      cell_text(text_at(lexer, token), 0, cell).text, (unsigned)cell.point);
  if (cell.point == '%') diag_help(lexer->diagnostics, diag, "the remainder is a function: mod(a, b)");
  if (cell.point == '\'') diag_help(lexer->diagnostics, diag, "text stands in double quotes");
  if (cell.point == 0xa0) diag_fix(lexer->diagnostics, diag, at, " ");
  token->kind = '*'; /* goes where `%` goes */
  return cell.point == '%';
}

bool strange_character(Lexer *lexer, Token *token) {
  const char *start = text_at(lexer, token);
  Cell cell = cell_at(start, 0, (uint32_t)(lexer->limit - start));
  lexer->cursor = start + cell.bytes;
  switch (cell.point) {
#define FOREIGN_SIGN(point, replacement, kind) \
  case point: return stand_for(lexer, token, arena_text(lexer->arena, start, cell.bytes), replacement, kind);
#define FOREIGN_WORD(word, replacement, kind)
#include "foreign.def"
#undef FOREIGN_SIGN
#undef FOREIGN_WORD
  }
  int digit = superscript_digit(cell.point);
  if (digit >= 0) return superscript(lexer, token, digit);
  bool control = cell.point < 0x20 || (cell.point >= 0x7f && cell.point < 0xa0);
  return refuse(lexer, token, control ? E0002 : is_direction_override(cell.point) ? E0003 : E0004, cell);
}

void check_inside(Lexer *lexer, const char *from, const char *to, bool comment) {
  uint32_t length = (uint32_t)(to - from);
  for (uint32_t i = 0; i < length;) {
    Cell cell = cell_at(from, i, length);
    Token at = {.at = {lexer_offset(lexer, from + i), lexer_offset(lexer, from + i + cell.bytes)}};
    bool control = cell.point < 0x20 || (cell.point >= 0x7f && cell.point < 0xa0);
    if (is_direction_override(cell.point))
      diag_error(lexer->diagnostics, E0003, at.at, "U+%04X turns the direction of text and is not allowed", (unsigned)cell.point);
    else if (control && !comment)
      diag_error(lexer->diagnostics, E0002, at.at, "the control character U+%04X is not allowed in quotes", (unsigned)cell.point);
    i += cell.bytes;
  }
}

/* strtod reads the decimal point of the locale, a program has the point. */
static double value_of(Lexer *lexer, const char *text, size_t length) {
  const char *point = memchr(text, '.', length);
  if (!point) return strtod(arena_text(lexer->arena, text, length), NULL);
  const char *local = localeconv()->decimal_point;
  size_t before = (size_t)(point - text);
  return strtod(arena_format(lexer->arena, "%.*s%s%.*s", (int)before, text, local, (int)(length - before - 1), point + 1), NULL);
}

bool make_number(Lexer *lexer, Token *token, const char *text, size_t length) {
  token->kind = T_NUMBER;
  token->text = arena_text(lexer->arena, text, length);
  token->number = value_of(lexer, text, length);
  if (isinf(token->number))
    diag_error(lexer->diagnostics, E0009, (Span){token->at.from, token->at.from + (uint32_t)length}, "the number is too large");
  return true;
}

/* Bytes of the longest number at the beginning. */
static size_t good_number(const char *text, size_t length) {
  size_t i = 0;
  while (i < length && text[i] >= '0' && text[i] <= '9') i++;
  if (i + 1 < length && text[i] == '.' && text[i + 1] >= '0' && text[i + 1] <= '9')
    for (i++; i < length && text[i] >= '0' && text[i] <= '9';) i++;
  return i;
}

static void product(Lexer *lexer, Span number, const char *text, int length, Span touching) {
  Diag *diag = diag_error(lexer->diagnostics, E0008, touching, "a product is written with `*`");
  diag_fix(lexer->diagnostics, diag, number, "%.*s*", length, text);
  lexer->pending[lexer->pendings++] = (Token){.kind = '*', .at = {number.to, number.to}, .supplied = true};
}

void check_after_number(Lexer *lexer, const Token *token) {
  if (lexer->cursor >= lexer->limit) return;
  Cell cell = cell_at(lexer->cursor, 0, (uint32_t)(lexer->limit - lexer->cursor));
  if (cell.point != '(' && cell.point != '[' && !is_name_start(cell.point)) return;
  Span number = matched(lexer, token);
  product(lexer, number, token->text, (int)strlen(token->text), (Span){number.from, number.to + cell.bytes});
}

static const char *mended_number(Lexer *lexer, const char *text, size_t length) {
  if (text[0] == '.') return good_number(text + 1, length - 1) == length - 1 ? arena_format(lexer->arena, "0%.*s", (int)length, text) : NULL;
  size_t good = good_number(text, length);
  if (good + 1 == length && text[good] == '.') return arena_format(lexer->arena, "%.*s.0", (int)good, text);
  if ((text[good] == 'e' || text[good] == 'E') && good + 1 == length) return arena_format(lexer->arena, "%.*se0", (int)good, text);
  for (size_t i = 0; i < length; i++)
    if (text[i] != '_' && (text[i] < '0' || text[i] > '9')) return NULL;
  char *plain = arena_alloc(lexer->arena, length + 1);
  for (size_t i = 0, n = 0; i < length; i++)
    if (text[i] != '_') plain[n++] = text[i];
  return plain;
}

bool malformed_number(Lexer *lexer, Token *token) {
  const char *text = text_at(lexer, token);
  size_t length = (size_t)(lexer->cursor - text), good = good_number(text, length);
  const char *mended = mended_number(lexer, text, length);
  bool letters = !mended && good > 0 && text[good] != '.' && text[good] != '_' && !(good == 1 && text[0] == '0' && text[1] == 'x');
  if (letters) {
    Span number = {token->at.from, token->at.from + (uint32_t)good};
    Span all = matched(lexer, token);
    lexer->cursor = text + good;
    make_number(lexer, token, text, good);
    product(lexer, number, text, (int)good, all);
    return true;
  }
  Span at = matched(lexer, token);
  Diag *diag = diag_error(lexer->diagnostics, E0007, at, "`%.*s` is no number", (int)(length > 60 ? 60 : length), text);
  if (mended) diag_fix(lexer->diagnostics, diag, at, "%s", mended);
  token->kind = T_NUMBER;
  token->text = mended ? mended : "0";
  return true;
}

bool unfinished_string(Lexer *lexer, Token *token) {
  const char *text = text_at(lexer, token);
  Span at = matched(lexer, token);
  Diag *diag = diag_error(lexer->diagnostics, E0006, at, "the text in quotes does not end on this line");
  diag_fix(lexer->diagnostics, diag, (Span){at.to, at.to}, "\"");
  check_inside(lexer, text + 1, lexer->cursor, false);
  token->kind = T_STRING;
  token->text = arena_text(lexer->arena, text + 1, (size_t)(lexer->cursor - text) - 1);
  return true;
}
