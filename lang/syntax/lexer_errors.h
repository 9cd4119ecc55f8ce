/* SPDX-License-Identifier: Apache-2.0 */
/* lexer_errors.h -- between lexer.re and lexer_errors.c: what the lexer does with text that is wrong.
 *
 * Each function is called with token->at.from set and the cursor behind what was matched.  It reports, makes `token`
 * what was meant and returns true, or returns false where nothing is left to stand for. */
#ifndef FLOW_LEXER_ERRORS_H
#define FLOW_LEXER_ERRORS_H
#include "lexer.h"

uint32_t lexer_offset(const Lexer *lexer, const char *at);

/* A sign that other languages write so: `**` for `^`. */
bool foreign_sign(Lexer *lexer, Token *token, const char *replacement, int kind);
/* A character that begins no token. */
bool strange_character(Lexer *lexer, Token *token);
/* Digits, letters and points that are no number. */
bool malformed_number(Lexer *lexer, Token *token);
/* A good number that a bracket or a letter touches. */
void check_after_number(Lexer *lexer, const Token *token);
/* A quote without its partner on the line. */
bool unfinished_string(Lexer *lexer, Token *token);
/* Control characters in quotes; direction overrides in quotes and comments. */
void check_inside(Lexer *lexer, const char *from, const char *to, bool comment);

bool make_number(Lexer *lexer, Token *token, const char *text, size_t length);
bool is_reserved(const char *text, size_t length);

#endif
