/* SPDX-License-Identifier: Apache-2.0 */
/* lexer.re -- the words of the language, for re2c.  What is wrong is dealt with in lexer_errors.c. */
#include "lexer.h"
#include "cells.h"
#include "lexer_errors.h"
#include "names.h"
#include "syntax_parser.h"
#include <string.h>

/*!re2c
  re2c:define:YYCTYPE  = "unsigned char";
  re2c:define:YYCURSOR = "lexer->cursor";
  re2c:define:YYLIMIT  = "lexer->limit";
  re2c:define:YYMARKER = "lexer->marker";
  re2c:yyfill:enable   = 0;
  re2c:eof             = 0;
  re2c:flags:8         = 1;

  digit    = [0-9];
  exponent = [eE] [+-]? digit+;
  number   = digit+ ("." digit+)? exponent?;
  numberish = "."? digit ([0-9A-Za-z_.] | [eE] [+-])*;
  letter   = [A-Za-z_] | [\x80-\U0010FFFF];
  rest     = [^\r\n];
  quoted   = ["] [^"\r\n]*;
*/

static const struct { const char *spelling; int kind; } keywords[] = {
#define KEYWORD(spelling, token, help) {spelling, token},
#include "keywords.def"
#undef KEYWORD
};

static int keyword(const char *text, size_t length) {
  for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++)
    if (strncmp(keywords[i].spelling, text, length) == 0 && keywords[i].spelling[length] == 0) return keywords[i].kind;
  return T_NAME;
}

bool is_reserved(const char *text, size_t length) { return keyword(text, length) != T_NAME; }

void lexer_open(Lexer *lexer, Arena *arena, Diagnostics *diagnostics, const Source *source) {
  *lexer = (Lexer){.arena = arena, .diagnostics = diagnostics, .source = source, .line_start = true};
  lexer->cursor = source->text + byte_order_mark(source->text, source->length);
  lexer->limit = source->text + source->length;
}

/* The letters from `start` on: a word or, where the first is no letter, something strange. */
static bool word(Lexer *lexer, Token *token, const char *start) {
  uint32_t length = (uint32_t)(lexer->limit - start), at = 0;
  while (at < length) {
    Cell cell = cell_at(start, at, length);
    if (!(at == 0 ? is_name_start(cell.point) : is_name_part(cell.point))) break;
    at += cell.bytes;
  }
  if (at == 0) return strange_character(lexer, token);
  lexer->cursor = start + at;
  token->kind = keyword(start, at);
  token->text = name_normal(lexer->diagnostics->sources, start, at);
  return token->text ? true : strange_character(lexer, token);
}

static bool sign(Token *token, int kind) {
  token->kind = kind;
  return true;
}

static bool string(Lexer *lexer, Token *token, const char *start) {
  check_inside(lexer, start + 1, lexer->cursor - 1, false);
  token->kind = T_STRING;
  token->text = arena_text(lexer->arena, start + 1, (size_t)(lexer->cursor - start) - 2);
  return true;
}

static bool number(Lexer *lexer, Token *token, const char *start) {
  make_number(lexer, token, start, (size_t)(lexer->cursor - start));
  check_after_number(lexer, token);
  return true;
}

/* One token, or false for something that is none (space, a comment, what was deleted). */
static bool scan(Lexer *lexer, Token *token) {
  const char *start = lexer->cursor;
  token->at.from = lexer_offset(lexer, start);
  /*!re2c
    "\r\n" | "\n" | "\r" { lexer->line_start = true; return false; }
    [ \t]+            { return false; }
    "#" rest*         { check_inside(lexer, start, lexer->cursor, true); return false; }
    "//" rest*        { foreign_sign(lexer, token, "#", 0); return false; }
    number            { return number(lexer, token, start); }
    numberish         { return malformed_number(lexer, token); }
    letter            { return word(lexer, token, start); }
    quoted ["]        { return string(lexer, token, start); }
    quoted            { return unfinished_string(lexer, token); }
    "**"              { return foreign_sign(lexer, token, "^", '^'); }
    "&&" | "&"        { return foreign_sign(lexer, token, "and", T_AND); }
    "||"              { return foreign_sign(lexer, token, "or", T_OR); }
    "!"               { return foreign_sign(lexer, token, "not ", T_NOT); }
    "<>"              { return foreign_sign(lexer, token, "!=", T_NOT_EQUAL); }
    ":="              { return foreign_sign(lexer, token, "=", '='); }
    "->"              { return sign(token, T_ARROW); }
    "|>"              { return sign(token, T_PIPE); }
    "<="              { return sign(token, T_LESS_EQUAL); }
    ">="              { return sign(token, T_GREATER_EQUAL); }
    "=="              { return sign(token, T_EQUAL); }
    "!="              { return sign(token, T_NOT_EQUAL); }
    [-+*/@^<>=()[\]{},:;~] { return sign(token, (unsigned char)*start); }
    $                 { token->kind = 0; return true; }
    *                 { return strange_character(lexer, token); }
  */
}

Token lexer_next(Lexer *lexer) {
  if (lexer->pendings > 0) {
    Token token = lexer->pending[0];
    lexer->pending[0] = lexer->pending[1];
    lexer->pendings--;
    return token;
  }
  Token token = {0};
  while (!scan(lexer, &token)) token = (Token){0};
  token.at.to = lexer_offset(lexer, lexer->cursor);
  token.line_start = lexer->line_start;
  lexer->line_start = false;
  return token;
}
