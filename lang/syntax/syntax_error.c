/* SPDX-License-Identifier: Apache-2.0 */
/* syntax_error.c -- the wording of "something else was expected", for people.
 *
 * The automaton knows every token that could stand at the place (parse.lac full makes the list exact); a person wants
 * to hear "a name, a number or `(`", and the usual mistakes by their names. */
#include "build.h"
#include "lexer_errors.h"
#include "syntax_parser.h"
#include "text_buffer.h"
#include <string.h>

typedef struct Expected {
  const char *const *names;
  int count;
} Expected;

static bool expects(Expected expected, const char *name) {
  for (int i = 0; i < expected.count; i++)
    if (strcmp(expected.names[i], name) == 0) return true;
  return false;
}

/* Signs of the grammar are named '+', words and signs with a name `then`. */
static const char *shown(Parse *parse, const char *name) {
  size_t length = strlen(name);
  if (length == 3 && name[0] == '\'') return arena_format(parse->arena, "`%c`", name[1]);
  return name;
}

static const char *found_text(Parse *parse, const char *found) {
  const Token *now = &parse->now;
  const Source *source = parse->lines.lexer.source;
  if (now->kind == 0 || (now->kind == T_END && parse->lines.at_end)) return "the end of the file";
  if (now->kind == T_END) return "the end of the line";
  size_t length = now->at.to - now->at.from;
  if (length == 0 || length > 40 || now->kind == T_STRING) return shown(parse, found);
  return arena_format(parse->arena, "`%.*s`", (int)length, source->text + (now->at.from - source->base));
}

/* "a, b or c" */
static const char *alternatives(Parse *parse, const char *const *words, size_t count) {
  TextBuffer text = {.arena = parse->arena};
  for (size_t i = 0; i < count; i++) {
    if (i) text_puts(&text, i + 1 == count ? " or " : ", ");
    text_puts(&text, words[i]);
  }
  return text.text;
}

enum { ALTERNATIVES = 8 };

static const char *expected_text(Parse *parse, Expected expected) {
  const char *words[ALTERNATIVES];
  size_t count = 0;
  if (expects(expected, "a number")) {
    words[count++] = "a name", words[count++] = "a number", words[count++] = "`(`";
    if (expects(expected, "']'")) words[count++] = "`]`";
    return alternatives(parse, words, count);
  }
  if (expects(expected, "`let`") && expects(expected, "`flow`")) return "a definition";
  bool operators = expects(expected, "'+'");
  if (operators) words[count++] = "an operator";
  static const char *const closers[] = {"','", "';'", "')'", "']'", "'}'", "':'", "`then`", "`else`", "the end of the line"};
  for (size_t i = 0; operators && i < sizeof closers / sizeof closers[0] && count < ALTERNATIVES; i++)
    if (expects(expected, closers[i])) words[count++] = shown(parse, closers[i]);
  if (operators) return alternatives(parse, words, count);
  for (int i = 0; i < expected.count && count < ALTERNATIVES; i++) words[count++] = shown(parse, expected.names[i]);
  return count ? alternatives(parse, words, count) : "something else";
}

static bool is_comparison(int kind) {
  return kind == '<' || kind == '>' || kind == T_LESS_EQUAL || kind == T_GREATER_EQUAL || kind == T_EQUAL || kind == T_NOT_EQUAL;
}

static bool is_reserved_word(Parse *parse, const Token *token) {
  const Source *source = parse->lines.lexer.source;
  return is_reserved(source->text + (token->at.from - source->base), token->at.to - token->at.from);
}

static void report_gap(Parse *parse, Span at) {
  Diagnostics *diagnostics = parse->diagnostics;
  Span gap = {parse->before.at.to, parse->now.at.from};
  bool number = parse->before.kind == T_NUMBER;
  const char *what = parse->now.kind == '(' ? "the `(` of a call" : "the `[` of an index";
  if (number) {
    Diag *diag = diag_error(diagnostics, E0008, at, "a product is written with `*`");
    diag_fix(diagnostics, diag, gap, " * ");
    return;
  }
  Diag *diag = diag_error(diagnostics, E0106, at, "%s touches its operand", what);
  diag_fix(diagnostics, diag, gap, "%s", "");
}

/* The usual mistakes; false where it is none of them. */
static bool report_known(Parse *parse, Span at, Expected expected) {
  Diagnostics *diagnostics = parse->diagnostics;
  int now = parse->now.kind, before = parse->before.kind;
  bool after_operand = ends_operand(before) && !parse->now.line_start;
  if ((now == '(' || now == '[') && after_operand && before != T_STRING) return report_gap(parse, at), true;
  if (is_comparison(now) && expects(expected, "'+'") && !expects(expected, "'<'")) {
    Diag *diag = diag_error(diagnostics, E0107, at, "comparisons do not chain");
    diag_help(diagnostics, diag, "join two comparisons: a < b and b < c");
    return true;
  }
  if (now == '=' && expects(expected, "`==`")) {
    Diag *diag = diag_error(diagnostics, E0111, at, "`=` defines; values are compared with `==`");
    diag_fix(diagnostics, diag, at, "==");
    return true;
  }
  if ((now == T_END || now == 0) && expects(expected, "`let`") && expects(expected, "a number"))
    return diag_error(diagnostics, E0110, at, "the definition ends without its result"), true;
  if (now == T_END && expects(expected, "`else`")) return diag_error(diagnostics, E0114, at, "an `if` needs an `else`"), true;
  if (now == T_LET && expects(expected, "a number"))
    return diag_error(diagnostics, E0115, at, "a `let` does not stand inside an expression"), true;
  if (expects(expected, "a name") && !expects(expected, "a number") && is_reserved_word(parse, &parse->now))
    return diag_error(diagnostics, E0113, at, "%s is a reserved word and no name", found_text(parse, "")), true;
  return false;
}

void report_syntax_error(Parse *parse, Span at, const char *found, const char *const *expected, int count) {
  Expected list = {expected, count};
  bool closed_by_filter = parse->now.supplied || parse->before.supplied;
  bool at_end = parse->now.kind == 0 || (parse->now.kind == T_END && parse->lines.at_end);
  if (parse->diagnostics->errors == parse->errors_before && at_end) parse->incomplete = true;
  if (closed_by_filter && parse->diagnostics->errors > parse->errors_before) return;
  lines_excuse(&parse->lines);
  if (report_known(parse, at, list)) return;
  diag_error(parse->diagnostics, E0101, at, "expected %s, found %s", expected_text(parse, list), found_text(parse, found));
}
