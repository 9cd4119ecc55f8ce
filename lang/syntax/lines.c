/* SPDX-License-Identifier: Apache-2.0 */
/* lines.c -- one token of look-ahead, a stack of brackets, and the last word that began a statement. */
#include "lines.h"
#include "syntax_parser.h"
#include <string.h>

static const char *const clause_words[] = {
#define CLAUSE_WORD(word) word,
#include "clause_words.def"
#undef CLAUSE_WORD
};

void lines_open(Lines *lines, Arena *arena, Diagnostics *diagnostics, const Source *source) {
  memset(lines, 0, sizeof *lines);
  lexer_open(&lines->lexer, arena, diagnostics, source);
  lines->ahead = lexer_next(&lines->lexer);
  lines->closing = UINT32_MAX;
  lines->last.kind = T_END;
  lines->text_end = source->base;
}

bool ends_operand(int kind) {
  return kind == T_NAME || kind == T_NUMBER || kind == ')' || kind == ']' || kind == T_STRING || kind == T_NO_BIAS;
}

static bool begins_definition(int kind) {
  switch (kind) {
  case T_LET: case T_DIM: case T_FN: case T_FIELD: case T_NETWORK: case T_MAP: case T_DENSITY: case T_CHECK: case T_FLOW:
    return true;
  default: return false;
  }
}

/* Signs that join two operands; `-` is one of them only behind an operand. */
static bool joins(int kind) {
  switch (kind) {
  case '+': case '*': case '/': case '@': case '^': case '<': case '>': case T_LESS_EQUAL: case T_GREATER_EQUAL:
  case T_EQUAL: case T_NOT_EQUAL: case T_PIPE: case T_ARROW: case T_AND: case T_OR: case T_THEN: case T_ELSE: return true;
  default: return false;
  }
}

static bool goes_on_after(int kind) {
  return joins(kind) || kind == '-' || kind == T_NOT || kind == ',' || kind == '=' || kind == ':' || kind == '~' ||
         kind == '{' || kind == T_END;
}

static bool goes_on_with(int kind) { return joins(kind) || kind == '{'; }

static bool is_word(const Token *token, const char *word) {
  return token->kind == T_NAME && token->text && strcmp(token->text, word) == 0;
}

static bool in_brace(const Lines *lines) { return lines->opens > 0 && lines->open[lines->opens - 1].kind == '{'; }

static char closer_of(int opener) {
  return opener == '{' ? '}' : opener == '[' || opener == T_INDEX ? ']' : ')';
}

static char shown(int opener) { return opener == T_CALL ? '(' : opener == T_INDEX ? '[' : (char)opener; }

static Token supply(const Token *before, int kind) {
  return (Token){.kind = kind, .at = {before->at.from, before->at.from}, .supplied = true};
}

static void report_open(Lines *lines, const Token *opener) {
  if (opener->supplied) return;
  char sign = shown(opener->kind), closer = closer_of(opener->kind);
  Diag *diag = diag_error(lines->lexer.diagnostics, E0102, opener->at, "`%c` is not closed", sign);
  Span here = {lines->ahead.at.from, lines->ahead.at.from};
  if (lines->ahead.kind != 0) diag_note(lines->lexer.diagnostics, diag, here, "`%c` is missing before this", closer);
}

void lines_excuse(Lines *lines) {
  for (uint32_t i = 0; i < lines->opens; i++)
    if (lines->open[i].kind != '{') lines->open[i].supplied = true;
}

/* Closes everything above `keep` brackets; the grammar sees the closers one by one. */
static Token close_one(Lines *lines) {
  lines->opens--;
  int kind = closer_of(lines->open[lines->opens].kind);
  if (lines->opens <= lines->closing) lines->closing = UINT32_MAX;
  return supply(&lines->ahead, kind);
}

/* A definition word at the start of a line, or the end of the text, closes what is open. */
static bool closes_all(const Lines *lines) {
  const Token *ahead = &lines->ahead;
  return ahead->kind == 0 || (ahead->line_start && begins_definition(ahead->kind));
}

static bool begin_closing(Lines *lines) {
  if (lines->beyond) lines->beyond = 0;
  if (lines->opens == 0) return false;
  if (!lines->too_deep) report_open(lines, &lines->open[lines->opens - 1]);
  if (lines->ahead.kind == 0) lines->incomplete = true;
  lines->closing = 0;
  return true;
}

/* A definition word ends twice: the `let` before it, and the definition that may lack its result. */
static bool break_ends(const Lines *lines) {
  const Token *ahead = &lines->ahead;
  bool at_top = ahead->line_start && begins_definition(ahead->kind) && ahead->kind != T_LET;
  if (lines->last.kind == T_END) return at_top && !lines->twice;
  if (ahead->kind == 0) return true;
  if (!ahead->line_start) return false;
  if (begins_definition(ahead->kind)) return !(ahead->kind == T_LET && lines->last.kind == '=');
  if (lines->opens > 0 && !in_brace(lines)) return false;
  return !goes_on_after(lines->last.kind) && !goes_on_with(ahead->kind);
}

/* Finds what `ahead` closes, and mends it where it closes something else. */
static void match_closer(Lines *lines) {
  Diagnostics *diagnostics = lines->lexer.diagnostics;
  int kind = lines->ahead.kind;
  if (lines->beyond) {
    lines->beyond--;
    return;
  }
  uint32_t at = lines->opens;
  while (at > 0 && closer_of(lines->open[at - 1].kind) != kind) at--;
  if (at == lines->opens && at > 0) {
    lines->opens--;
    return;
  }
  if (at > 0) {
    report_open(lines, &lines->open[lines->opens - 1]);
    lines->closing = at;
    return;
  }
  if (lines->opens == 0 || kind == '}' || in_brace(lines)) {
    diag_error(diagnostics, E0103, lines->ahead.at, "`%c` closes nothing", kind);
    lines->ahead.kind = T_WRONG; /* fits nowhere, and has been reported */
    lines->ahead.supplied = true;
    return;
  }
  const Token *opener = &lines->open[--lines->opens];
  char right = closer_of(opener->kind);
  Diag *diag = diag_error(diagnostics, E0103, lines->ahead.at, "`%c` does not close `%c`", kind, shown(opener->kind));
  diag_note(diagnostics, diag, opener->at, "opened here");
  diag_fix(diagnostics, diag, lines->ahead.at, "%c", right);
  lines->ahead.kind = right;
}

static void open_bracket(Lines *lines, Token *token) {
  if (lines->opens < AST_MOST_NESTING) {
    lines->open[lines->opens++] = *token;
    return;
  }
  lines->beyond++;
  token->kind = T_WRONG;
  token->supplied = true;
  if (lines->too_deep) return;
  lines->too_deep = true;
  diag_error(lines->lexer.diagnostics, E0104, token->at, "more than %d brackets are open", AST_MOST_NESTING);
}

static Token advance(Lines *lines) {
  Token token = lines->ahead;
  lines->ahead = lexer_next(&lines->lexer);
  return token;
}

static bool on_line(const Lines *lines, const char *word) { return !lines->ahead.line_start && is_word(&lines->ahead, word); }

static void join(Lines *lines, Token *token, int kind) {
  token->kind = kind;
  token->at.to = advance(lines).at.to;
}

static bool is_clause_word(const Token *token) {
  for (size_t i = 0; i < sizeof clause_words / sizeof clause_words[0]; i++)
    if (is_word(token, clause_words[i])) return true;
  return false;
}

static bool begins_clause(const Lines *lines, const Token *token) {
  if (!in_brace(lines)) return false;
  int last = lines->last.kind;
  if (token->line_start || last == '{' || last == T_END || last == '}') return true;
  return is_clause_word(token) && last != T_CLAUSE && !goes_on_after(last);
}

/* Names whose meaning depends on where they stand. */
static void place_name(Lines *lines, Token *token) {
  bool behind = lines->statement != T_LET && token->line_start && lines->opens == 0;
  bool velocity_of = is_word(token, "velocity") && on_line(lines, "of");
  bool before_name = lines->ahead.kind == T_NAME && !lines->ahead.line_start;
  if (begins_clause(lines, token)) {
    if (velocity_of) join(lines, token, T_CLAUSE_OF);
    else token->kind = T_CLAUSE;
  } else if (velocity_of) join(lines, token, T_VELOCITY_OF);
  else if (is_word(token, "no") && on_line(lines, "bias")) join(lines, token, T_NO_BIAS);
  else if (lines->last.kind == T_PIPE) {
    if (is_word(token, "repeat")) token->kind = T_REPEAT;
  } else if (before_name && is_word(token, "sum")) token->kind = T_SUM;
  else if (before_name && is_word(token, "max")) token->kind = T_MAX;
  else if (before_name && is_word(token, "min")) token->kind = T_MIN;
  else if (behind && lines->definition == T_MAP && is_word(token, "inverse") && lines->ahead.kind == '(') token->kind = T_INVERSE;
  else if (behind && lines->definition == T_DENSITY && is_word(token, "draw") && before_name) token->kind = T_DRAW;
}

/* `def f(x) = ..`: a word of another language where a definition begins. */
static void place_foreign(Lines *lines, Token *token) {
  if (!token->line_start || lines->opens || lines->ahead.kind != T_NAME || lines->ahead.line_start) return;
  static const struct { const char *word, *replacement; int kind; } words[] = {
#define FOREIGN_SIGN(point, replacement, kind)
#define FOREIGN_WORD(word, replacement, kind) {word, replacement, kind},
#include "foreign.def"
#undef FOREIGN_SIGN
#undef FOREIGN_WORD
  };
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    if (!is_word(token, words[i].word)) continue;
    Diagnostics *diagnostics = lines->lexer.diagnostics;
    Diag *diag = diag_error(diagnostics, E0112, token->at, "`%s` is written `%s` here", words[i].word, words[i].replacement);
    diag_fix(diagnostics, diag, token->at, "%s", words[i].replacement);
    token->kind = words[i].kind;
  }
}

/* What may stand behind the name that a definition word is followed by. */
static const struct { const char *word; int kind; const char *behind; } definition_words[] = {
  {"let", T_LET, "="}, {"dim", T_DIM, "="}, {"fn", T_FN, "("}, {"field", T_FIELD, "(="}, {"network", T_NETWORK, "("},
  {"map", T_MAP, "("}, {"density", T_DENSITY, "("}, {"flow", T_FLOW, "{"}};

/* The first character behind the token `ahead` on its line; 0 where the line ends. */
static char behind_ahead(const Lexer *lexer) {
  const char *at = lexer->cursor;
  while (lexer->pendings == 0 && at < lexer->limit && (*at == ' ' || *at == '\t')) at++;
  return lexer->pendings == 0 && at < lexer->limit && *at != '\n' && *at != '\r' && *at != '#' ? *at : '\0';
}

/* `feild u(t, x: [2]) = ..`: two names side by side begin nothing, so the first is a definition word with a letter wrong:
 * one that the character behind the second allows, so that `max k: ..` is no map.  It is taken for what was meant. */
static void place_misspelt(Lines *lines, Token *token) {
  bool begins = lines->last.kind == T_END || lines->last.kind == '=';
  bool named = lines->ahead.kind == T_NAME || lines->ahead.kind == T_STRING;
  if (!token->line_start || lines->opens || !begins || !named || lines->ahead.line_start) return;
  char behind = behind_ahead(&lines->lexer);
  const char *word[sizeof definition_words / sizeof *definition_words + 1];
  size_t count = 0;
  for (size_t i = 0; i < sizeof definition_words / sizeof *definition_words && lines->ahead.kind == T_NAME; i++)
    if (behind && strchr(definition_words[i].behind, behind)) word[count++] = definition_words[i].word;
  if (lines->ahead.kind == T_STRING || behind == '(') word[count++] = "check";
  const char *meant = diag_nearest(token->text, word, count);
  if (!meant) return;
  Diagnostics *diagnostics = lines->lexer.diagnostics;
  Diag *diag = diag_error(diagnostics, E0101, token->at, "a definition begins with a definition word, and `%s` is none", token->text);
  diag_help(diagnostics, diag, "did you mean `%s`?", meant);
  diag_fix(diagnostics, diag, token->at, "%s", meant);
  token->kind = T_CHECK;
  for (size_t i = 0; i < sizeof definition_words / sizeof *definition_words; i++)
    if (strcmp(meant, definition_words[i].word) == 0) token->kind = definition_words[i].kind;
}

static bool touches(const Lines *lines, const Token *token) {
  int last = lines->last.kind;
  bool operand = last == T_NAME || last == ')' || last == ']' || last == T_INVERSE;
  return operand && !lines->last.supplied && lines->last.at.to == token->at.from;
}

static void refuse_minus(Lines *lines, const Token *token) {
  if (token->kind != '-' || !token->line_start || lines->opens == 0 || !ends_operand(lines->last.kind)) return;
  int inside = lines->open[lines->opens - 1].kind;
  if (inside != '[' && inside != T_INDEX) return;
  Diagnostics *diagnostics = lines->lexer.diagnostics;
  Diag *diag = diag_error(diagnostics, E0109, token->at, "in [ ] a line may not begin with `-`");
  diag_help(diagnostics, diag, "end the line above with `,` for a new element, or with `-` to subtract");
}

/* `inverse` behind a map, `draw` behind a density: they belong to the definition, so nothing ends before them. */
static bool begins_appendix(const Lines *lines) {
  if (!lines->ahead.line_start || lines->opens > 0 || lines->statement == T_LET) return false;
  return (lines->definition == T_MAP && is_word(&lines->ahead, "inverse")) ||
         (lines->definition == T_DENSITY && is_word(&lines->ahead, "draw"));
}

static void note_statement(Lines *lines, const Token *token) {
  if (token->kind == T_INVERSE || token->kind == T_DRAW) lines->definition = 0;
  bool begins = lines->last.kind == T_END || begins_definition(token->kind);
  if (begins) lines->statement = token->kind;
  if (begins_definition(token->kind) && lines->last.kind != '=') {
    if (token->kind != T_LET) lines->definition = token->kind;
    lines->too_deep = false;
  }
}

static bool is_closing(const Lines *lines) { return lines->closing != UINT32_MAX && lines->opens > lines->closing; }

static Token make_end(Lines *lines) {
  lines->twice = lines->last.kind == T_END;
  return (Token){.kind = T_END, .at = {lines->text_end, lines->text_end}};
}

static Token make(Lines *lines) {
  if (is_closing(lines) || (closes_all(lines) && begin_closing(lines))) return close_one(lines);
  if (break_ends(lines) && !begins_appendix(lines)) return make_end(lines);
  int kind = lines->ahead.kind;
  if (kind == ')' || kind == ']' || kind == '}') match_closer(lines);
  if (is_closing(lines)) return close_one(lines);
  Token token = advance(lines);
  lines->twice = false;
  if (token.kind == T_NAME) place_foreign(lines, &token);
  if (token.kind == T_NAME) place_misspelt(lines, &token);
  if (token.kind == T_NAME) place_name(lines, &token);
  note_statement(lines, &token);
  refuse_minus(lines, &token);
  if (token.kind == '(' || token.kind == '[' || token.kind == '{') {
    if (token.kind != '{' && touches(lines, &token)) token.kind = token.kind == '(' ? T_CALL : T_INDEX;
    open_bracket(lines, &token);
  }
  if (token.kind != 0) lines->text_end = token.at.to;
  return token;
}

Token lines_next(Lines *lines) {
  bool ending = lines->ahead.kind == 0;
  lines->last = make(lines);
  lines->at_end = ending;
  return lines->last;
}
