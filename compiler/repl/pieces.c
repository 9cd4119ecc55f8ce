/* SPDX-License-Identifier: Apache-2.0 */
#include "pieces.h"
#include <stdlib.h>
#include <string.h>
#include "parse.h"

/* ---- the first word ------------------------------------------------------------------------------------------------- */

/* Behind blanks, line breaks and comments. */
static const char *first_word(const char *text) {
  for (;;) {
    text += strspn(text, " \t\r\n");
    if (*text != '#') return text;
    text += strcspn(text, "\r\n");
  }
}

static bool begins_with(const char *text, const char *word) {
  size_t length = strlen(word);
  if (strncmp(text, word, length) != 0) return false;
  unsigned char next = (unsigned char)text[length];
  return !(next == '_' || next >= 0x80 || (next >= '0' && next <= '9') || (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z'));
}

/* The words that begin a definition are those that no expression begins with. */
static bool begins_definition(const char *text) {
  static const char *const word[] = {"let", "dim", "fn", "field", "network", "map", "density", "check", "flow"};
  for (size_t i = 0; i < sizeof word / sizeof *word; i++)
    if (begins_with(text, word[i])) return true;
  return false;
}

bool line_continues(const char *line) {
  size_t blanks = strspn(line, " \t");
  if (!line[blanks] || line[blanks] == '#' || line[blanks] == ':') return false;
  const char *word = line + blanks, *equals = strchr(word, '=');
  bool inverse = begins_with(word, "inverse") && equals && equals[1] != '='; /* not inverse(m)(t, y), a value */
  return blanks > 0 || begins_with(word, "draw") || inverse || strncmp(word, "|>", 2) == 0;
}

/* ---- the parser ----------------------------------------------------------------------------------------------------- */

typedef struct Reading {
  Arena arena;
  jmp_buf no_memory;
  SourceMap sources;
  Diagnostics diagnostics;
} Reading;

static AstFile *parse(Reading *reading, const char *text, const Source **source, bool *incomplete) {
  arena_init(&reading->arena, &flow_standard_allocator, &reading->no_memory);
  reading->sources = (SourceMap){.arena = &reading->arena};
  reading->diagnostics = (Diagnostics){.arena = &reading->arena, .sources = &reading->sources};
  if (setjmp(reading->no_memory)) return NULL;
  *source = source_add(&reading->sources, "<input>", text, strlen(text));
  return *source ? flow_parse(&reading->sources, &reading->arena, &reading->diagnostics, *source, incomplete) : NULL;
}

/* A comment behind a definition, on the same line, is about it. */
static size_t end_of_line_comment(const char *text, size_t to) {
  size_t blanks = strspn(text + to, " \t");
  return text[to + blanks] == '#' ? to + blanks + strcspn(text + to + blanks, "\r\n") : to;
}

static bool add_piece(Pieces *pieces, const char *text, const Source *source, const Ast *ast) {
  size_t before = pieces->count ? pieces->piece[pieces->count - 1].to : 0;
  size_t end = ast->at.to - source->base;
  if (ast->kind == AST_ERROR || end < before || end > source->length) return true;
  char *name = strdup(ast->name && ast->kind != AST_CHECK ? ast->name : "");
  if (!name) return false;
  before += strspn(text + before, " \t");
  before += strspn(text + before, "\r\n");
  pieces->piece[pieces->count++] = (Piece){ast->kind, name, before, end_of_line_comment(text, end)};
  return true;
}

static void list_pieces(Reading *reading, const char *text, const Source *source, const AstFile *file, Pieces *pieces) {
  pieces->broken = !file || reading->diagnostics.errors > 0;
  if (!file) return;
  pieces->piece = calloc(file->definitions.count + 1, sizeof *pieces->piece);
  for (size_t i = 0; pieces->piece && i < file->definitions.count; i++)
    if (file->definitions.at[i] && !add_piece(pieces, text, source, file->definitions.at[i])) pieces->broken = true;
  if (!pieces->piece) pieces->broken = true;
}

static bool expression_is_incomplete(const char *text) {
  Reading *reading = calloc(1, sizeof *reading);
  const Source *source;
  bool incomplete = false;
  size_t room = strlen(text) + sizeof EXPRESSION_PREFIX;
  char *whole = malloc(room);
  if (reading && whole) {
    strcpy(whole, EXPRESSION_PREFIX);
    strcat(whole, text);
    parse(reading, whole, &source, &incomplete);
    arena_free(&reading->arena);
  }
  free(whole);
  free(reading);
  return incomplete;
}

InputKind pieces_read(const char *text, Pieces *pieces) {
  *pieces = (Pieces){0};
  const char *word = first_word(text);
  if (!*word) return INPUT_NOTHING;
  if (*word == ':' || *word == '?') return INPUT_COMMAND;
  if (!begins_definition(word)) return expression_is_incomplete(text) ? INPUT_INCOMPLETE : INPUT_EXPRESSION;
  Reading *reading = calloc(1, sizeof *reading);
  if (!reading) return INPUT_NOTHING;
  const Source *source = NULL;
  bool incomplete = false;
  const AstFile *file = parse(reading, text, &source, &incomplete);
  if (source) list_pieces(reading, text, source, file, pieces);
  arena_free(&reading->arena);
  free(reading);
  return incomplete ? INPUT_INCOMPLETE : INPUT_DEFINITIONS;
}

void pieces_free(Pieces *pieces) {
  for (size_t i = 0; i < pieces->count; i++) free(pieces->piece[i].name);
  free(pieces->piece);
  *pieces = (Pieces){0};
}

/* ---- the files that are named ---------------------------------------------------------------------------------------- */

typedef struct Naming { const Source *source; NamedPath *path; size_t count, room; } Naming;

static void note_path(Naming *naming, const Ast *clause) {
  static const char *const word[] = {"weights", "source", "data"};
  const Ast *value = clause->items.count ? clause->items.at[0] : NULL;
  if (!value || value->kind != AST_STRING || !clause->name) return;
  for (size_t i = 0; i < sizeof word / sizeof *word; i++)
    if (strcmp(clause->name, word[i]) == 0 && naming->count < naming->room)
      naming->path[naming->count++] = (NamedPath){word[i], value->at.from - naming->source->base, value->at.to - naming->source->base};
}

/* With the clauses of its blocks. */
static void note_paths(Naming *naming, const AstList *clauses) {
  for (size_t i = 0; i < clauses->count; i++) {
    const Ast *clause = clauses->at[i];
    if (!clause || clause->kind != AST_CLAUSE) continue;
    note_path(naming, clause);
    for (size_t k = 0; k < clause->extra.count; k++)
      if (clause->extra.at[k] && clause->extra.at[k]->kind == AST_CLAUSE) note_path(naming, clause->extra.at[k]);
  }
}

bool pieces_paths(const char *text, NamedPath **paths, size_t *count) {
  Naming naming = {.room = 1};
  for (const char *at = text; (at = strchr(at, '"')); at++) naming.room++;
  Reading *reading = calloc(1, sizeof *reading);
  *paths = naming.path = calloc(naming.room, sizeof *naming.path);
  const AstFile *file = reading && naming.path ? parse(reading, text, &naming.source, NULL) : NULL;
  for (size_t i = 0; file && i < file->definitions.count; i++)
    if (file->definitions.at[i] && file->definitions.at[i]->kind == AST_FLOW) note_paths(&naming, &file->definitions.at[i]->items);
  *count = naming.count;
  if (reading) arena_free(&reading->arena);
  free(reading);
  return file != NULL;
}
