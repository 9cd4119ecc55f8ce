/* SPDX-License-Identifier: Apache-2.0 */
/* pieces.h -- what was typed: nothing, a command, definitions, an expression, or a beginning of one of these.
 *
 *   Pieces pieces;
 *   switch (pieces_read(text, &pieces)) {
 *   case INPUT_DEFINITIONS: for (size_t i = 0; i < pieces.count; i++) ... pieces.piece[i].name ...
 *   }
 *   pieces_free(&pieces);
 *
 * A definition's piece of the text goes from the end of the one before it (so that comments stay with what follows them) to
 * its own end, with a comment that stands behind it on its last line.  Only the parser looks at the text: whether it means
 * something is for study.h. */
#ifndef FLOW_PIECES_H
#define FLOW_PIECES_H
#include <stdbool.h>
#include <stddef.h>
#include "ast.h"

typedef enum {
  INPUT_NOTHING,     /* blanks and comments */
  INPUT_COMMAND,     /* begins with `:` or `?` */
  INPUT_DEFINITIONS, /* pieces; wrong ones too, as far as the parser could name them */
  INPUT_EXPRESSION,
  INPUT_INCOMPLETE   /* more text might make it one of the two above */
} InputKind;

typedef struct Piece {
  AstKind kind;
  char *name; /* "" for a check */
  size_t from, to;
} Piece;
typedef struct Pieces {
  Piece *piece;
  size_t count;
  bool broken; /* the parser found errors; the list may lack something */
} Pieces;

InputKind pieces_read(const char *text, Pieces *pieces);
void pieces_free(Pieces *pieces);

/* The texts in quotes by which flows name files, in order. */
typedef struct NamedPath {
  const char *clause;  /* "weights", "source", "data" */
  size_t from, to;     /* with the quotes */
} NamedPath;
/* Of definitions without errors; *paths is freed by the caller.  false: out of memory. */
bool pieces_paths(const char *text, NamedPath **paths, size_t *count);

/* Is the line one that goes on with the definition before it: `draw`, `inverse`, `|>`, or anything that is indented? */
bool line_continues(const char *line);

/* What an expression is parsed behind; the parser sees one definition. */
#define EXPRESSION_PREFIX "let it = "

#endif
