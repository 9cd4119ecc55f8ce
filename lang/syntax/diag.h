/* SPDX-License-Identifier: Apache-2.0 */
/* diag.h -- what is wrong with a program, as values in a list, and how they look when printed.
 *
 *   moons.flow:4:23: error[E0302]: `+` joins equal shapes, but the sides are [64] and [32]
 *     4 |   let h = (x |> linear 64) + e
 *       |           ~~~~~~~~~~~~~~~~ ^ ~
 *   moons.flow:3:11: note: [32] comes from here
 *     ...
 *     = help: did you mean ...
 *
 * An error has a code (a row of errors.def), a place, a sentence, any number of notes with places of their own, and,
 * where one is certain, a replacement text.  At most DIAG_MOST errors are kept; one cause gives one error. */
#ifndef FLOW_DIAG_H
#define FLOW_DIAG_H
#include <stdbool.h>
#include <stdio.h>
#include "arena.h"
#include "source.h"

/* One row per code in errors.def: ERROR(E0101, "title", "explanation with an example that shows the mistake and the mend"). */
typedef enum {
#define ERROR(code, title, explanation) code,
#include "errors.def"
#undef ERROR
  DIAG_CODE_COUNT
} DiagCode;

enum { DIAG_MOST = 100 };
typedef enum { DIAG_ERROR, DIAG_WARNING } DiagLevel;

typedef struct DiagNote { Span at; const char *text; struct DiagNote *next; } DiagNote;
typedef struct Diag {
  DiagLevel level;
  DiagCode code;
  Span at;
  const char *text;
  DiagNote *notes;              /* in order; a note with from == to == 0 has no place ("= help: ...") */
  Span fix_at;                  /* what `fix` replaces */
  const char *fix;              /* NULL: no certain mend */
} Diag;

typedef struct Diagnostics {
  Arena *arena;
  SourceMap *sources;
  Diag *list;                   /* in order of report; diag_print sorts by place */
  size_t count, errors, warnings;
} Diagnostics;

/* Each returns the entry, so that notes and a fix can be added to it.  Past DIAG_MOST an entry is counted, not kept. */
Diag *diag_error(Diagnostics *diagnostics, DiagCode code, Span at, const char *format, ...) __attribute__((format(printf, 4, 5)));
Diag *diag_warning(Diagnostics *diagnostics, DiagCode code, Span at, const char *format, ...) __attribute__((format(printf, 4, 5)));
void diag_note(Diagnostics *diagnostics, Diag *diag, Span at, const char *format, ...) __attribute__((format(printf, 4, 5)));
void diag_help(Diagnostics *diagnostics, Diag *diag, const char *format, ...) __attribute__((format(printf, 3, 4)));
void diag_fix(Diagnostics *diagnostics, Diag *diag, Span replaced, const char *format, ...) __attribute__((format(printf, 4, 5)));

void diag_print(const Diagnostics *diagnostics, FILE *to, bool colour);
/* The line of a place, and below it the mark. */
void diag_print_line(const Diagnostics *diagnostics, Span at, FILE *to, bool colour);
char *diag_json(const Diagnostics *diagnostics);        /* one JSON array, in the arena */

const char *diag_code_name(DiagCode code);              /* "E0302" */
const char *diag_title(DiagCode code);
const char *diag_explanation(DiagCode code);
bool diag_find_code(const char *name, DiagCode *code);

/* The candidate nearest to `name` by edits (swaps count one), or NULL where none is near enough to be certain. */
const char *diag_nearest(const char *name, const char *const *candidates, size_t count);

#endif
