/* SPDX-License-Identifier: Apache-2.0 */
/* lines.h -- the filter between the lexer and the grammar: what a line break means, and words that depend on a place.
 *
 *   break        T_END where it ends a definition, a let, a result or a clause; nothing elsewhere
 *   ( and [      T_CALL and T_INDEX where they touch an operand
 *   sum max min  comprehensions before a name; `repeat` after a pipe; `velocity of` and `no bias` as one token;
 *                `inverse` and `draw` at the start of a line behind a map or density; T_CLAUSE for the word of a clause
 *   brackets     are matched here: what is not closed is reported and closed, so that it spoils one definition */
#ifndef FLOW_LINES_H
#define FLOW_LINES_H
#include "ast.h"
#include "lexer.h"

typedef struct Lines {
  Lexer lexer;
  Token ahead, last;            /* the next token of the lexer; the last one handed out */
  Token open[AST_MOST_NESTING]; /* brackets */
  uint32_t opens, beyond;       /* beyond: open ones past the limit */
  uint32_t closing;             /* brackets above this many are being closed; UINT32_MAX: none */
  int statement, definition;    /* the words that began them */
  bool twice;                   /* two T_ENDs in a row have been handed out */
  uint32_t text_end;            /* behind the last token of the text: where a T_END stands */
  bool at_end;                  /* what is handed out now stands for the end of the text */
  bool incomplete;              /* a bracket was open at the end */
  bool too_deep;                /* this definition has had its error about nesting */
} Lines;

void lines_open(Lines *lines, Arena *arena, Diagnostics *diagnostics, const Source *source);
Token lines_next(Lines *lines);
/* After a syntax error: the brackets open now are not also reported as not closed. */
void lines_excuse(Lines *lines);

bool ends_operand(int kind);

#endif
