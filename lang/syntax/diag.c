/* SPDX-License-Identifier: Apache-2.0 */
/* diag.c -- the list of what is wrong, and the table of codes behind it. */
#include "diag.h"
#include <string.h>

enum { NAME_MOST = 64 };

static const struct {
  const char *name, *title, *explanation;
} codes[] = {
#define ERROR(code, title, explanation) {#code, title, explanation},
#include "errors.def"
#undef ERROR
};

const char *diag_code_name(DiagCode code) { return codes[code].name; }
const char *diag_title(DiagCode code) { return codes[code].title; }
const char *diag_explanation(DiagCode code) { return codes[code].explanation; }

bool diag_find_code(const char *name, DiagCode *code) {
  for (size_t i = 0; i < DIAG_CODE_COUNT; i++) {
    if (strcmp(codes[i].name, name) != 0) continue;
    *code = (DiagCode)i;
    return true;
  }
  return false;
}

/* An entry past the limit is made all the same, so that the caller can add notes to it, but is not in the list. */
static Diag *report(Diagnostics *diagnostics, DiagLevel level, DiagCode code, Span at, const char *format,
                    va_list arguments) {
  Arena *arena = diagnostics->arena;
  *(level == DIAG_ERROR ? &diagnostics->errors : &diagnostics->warnings) += 1;
  if (!diagnostics->list) diagnostics->list = arena_array(arena, DIAG_MOST, sizeof(Diag));
  Diag *diag = diagnostics->count < DIAG_MOST ? &diagnostics->list[diagnostics->count++] : arena_alloc(arena, sizeof *diag);
  *diag = (Diag){.level = level, .code = code, .at = at, .text = arena_format_list(arena, format, arguments)};
  return diag;
}

Diag *diag_error(Diagnostics *diagnostics, DiagCode code, Span at, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  Diag *diag = report(diagnostics, DIAG_ERROR, code, at, format, arguments);
  va_end(arguments);
  return diag;
}

Diag *diag_warning(Diagnostics *diagnostics, DiagCode code, Span at, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  Diag *diag = report(diagnostics, DIAG_WARNING, code, at, format, arguments);
  va_end(arguments);
  return diag;
}

static void add_note(Diagnostics *diagnostics, Diag *diag, Span at, const char *text) {
  DiagNote *note = arena_alloc(diagnostics->arena, sizeof *note);
  *note = (DiagNote){.at = at, .text = text};
  DiagNote **end = &diag->notes;
  while (*end) end = &(*end)->next;
  *end = note;
}

void diag_note(Diagnostics *diagnostics, Diag *diag, Span at, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  add_note(diagnostics, diag, at, arena_format_list(diagnostics->arena, format, arguments));
  va_end(arguments);
}

void diag_help(Diagnostics *diagnostics, Diag *diag, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  add_note(diagnostics, diag, (Span){0, 0}, arena_format_list(diagnostics->arena, format, arguments));
  va_end(arguments);
}

void diag_fix(Diagnostics *diagnostics, Diag *diag, Span replaced, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  diag->fix_at = replaced;
  diag->fix = arena_format_list(diagnostics->arena, format, arguments);
  va_end(arguments);
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* Edits from a to b: insert, delete, replace, and swap of neighbours (Damerau 1964, each pair at most once). */
static size_t edits(const char *a, size_t n, const char *b, size_t m) {
  size_t row[3][NAME_MOST + 1];
  size_t *before = row[0], *last = row[1], *now = row[2];
  for (size_t j = 0; j <= m; j++) last[j] = j;
  for (size_t i = 1; i <= n; i++) {
    now[0] = i;
    for (size_t j = 1; j <= m; j++) {
      now[j] = least(least(last[j], now[j - 1]) + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
      bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) now[j] = least(now[j], before[j - 2] + 1);
    }
    size_t *free_row = before;
    before = last, last = now, now = free_row;
  }
  return last[m];
}

/* Certain enough: one edit in three letters, and no second candidate as near. */
const char *diag_nearest(const char *name, const char *const *candidates, size_t count) {
  size_t length = strlen(name), best = SIZE_MAX;
  const char *nearest = NULL;
  if (length > NAME_MOST) return NULL;
  for (size_t i = 0; i < count; i++) {
    size_t other = candidates[i] ? strlen(candidates[i]) : SIZE_MAX;
    if (other > NAME_MOST) continue;
    size_t distance = 2 * edits(name, length, candidates[i], other) + (other != length);    /* of equals, the one as long */
    if (distance == best && nearest && strcmp(nearest, candidates[i]) != 0) nearest = NULL;
    if (distance >= best) continue;
    best = distance;
    nearest = candidates[i];
  }
  return nearest && best / 2 * 3 <= length + 1 ? nearest : NULL;
}
