/* SPDX-License-Identifier: Apache-2.0 */
/* lexer.h -- from bytes to words, numbers and signs; nothing about lines or grammar.
 *
 * The text is one buffer of valid UTF-8 with a NUL behind it (text_is_utf8 sees to that first).  What is wrong in it is
 * reported and replaced by what was surely meant, so that one mistake gives one error. */
#ifndef FLOW_LEXER_H
#define FLOW_LEXER_H
#include "diag.h"
#include <stdbool.h>

typedef struct Token {
  int kind;             /* of parser.h, or the character */
  Span at;
  bool line_start;      /* the first of its line */
  bool supplied;        /* not in the text: put there after an error that has been reported */
  const char *text;     /* NAME: in NFKC, interned; NUMBER: as written; STRING: what is in the quotes */
  double number;
} Token;

typedef struct Lexer {
  Arena *arena;
  Diagnostics *diagnostics;
  const Source *source;
  const char *cursor, *limit, *marker;
  bool line_start;
  Token pending[2];     /* tokens that a mended mistake stands for */
  int pendings;
} Lexer;

void lexer_open(Lexer *lexer, Arena *arena, Diagnostics *diagnostics, const Source *source);
Token lexer_next(Lexer *lexer);         /* the last is 0, the end, again and again */

/* Reports the first byte that is no UTF-8. */
bool text_is_utf8(Diagnostics *diagnostics, const Source *source);

#endif
