/* SPDX-License-Identifier: Apache-2.0 */
/* diag_print.c -- entries as a person reads them, each with the line it speaks of and marks under the place. */
#include "cells.h"
#include "diag.h"
#include <stdlib.h>
#include <string.h>

enum { LINE_MOST = 160 }; /* cells of a line that are shown */

typedef struct Printer {
  const Diagnostics *diagnostics;
  FILE *to;
  bool colour;
} Printer;

static const char *paint(const Printer *printer, const char *escape) { return printer->colour ? escape : ""; }
static const char *level_paint(const Printer *printer, DiagLevel level) {
  return paint(printer, level == DIAG_ERROR ? "\x1b[1;31m" : "\x1b[1;35m");
}
static const char *plain(const Printer *printer) { return paint(printer, "\x1b[0m"); }
static const char *bold(const Printer *printer) { return paint(printer, "\x1b[1m"); }

typedef struct Line {
  const char *text;     /* the source's */
  uint32_t from, to;    /* bytes in the source, break excluded */
  uint32_t limit;       /* length of the source */
} Line;

static bool is_break(char c) { return c == '\n' || c == '\r'; }

static Line line_of(const Source *source, uint32_t at) {
  Line line = {.text = source->text, .from = at, .to = at, .limit = source->length};
  while (line.from > 0 && !is_break(source->text[line.from - 1])) line.from--;
  while (line.to < source->length && !is_break(source->text[line.to])) line.to++;
  if (line.from == 0) line.from = byte_order_mark(source->text, source->length);
  return line;
}

static void put_cells(const Printer *printer, Line line, uint32_t from, uint32_t to) {
  for (uint32_t i = from; i < to;) {
    Cell cell = cell_at(line.text, i, line.limit);
    fputs(cell_text(line.text, i, cell).text, printer->to);
    i += cell.bytes;
  }
}

static uint32_t width_of(Line line, uint32_t from, uint32_t to) {
  uint32_t width = 0;
  for (uint32_t i = from; i < to;) {
    Cell cell = cell_at(line.text, i, line.limit);
    width += cell.width;
    i += cell.bytes;
  }
  return width;
}

/* A line longer than the screen is cut to what surrounds the place. */
static Line window(Line line, uint32_t at, bool *cut_left, bool *cut_right) {
  *cut_left = *cut_right = false;
  while (width_of(line, line.from, at) > LINE_MOST / 2 && width_of(line, line.from, line.to) > LINE_MOST) {
    uint32_t excess = width_of(line, line.from, at) - LINE_MOST / 2;
    for (uint32_t i = 0; i < excess && line.from < at; i++) line.from += cell_at(line.text, line.from, line.limit).bytes;
    *cut_left = true;
    if (width_of(line, line.from, at) <= LINE_MOST / 2) break;
  }
  uint32_t end = line.from, width = 0;
  while (end < line.to && width < LINE_MOST) {
    Cell cell = cell_at(line.text, end, line.limit);
    width += cell.width;
    end += cell.bytes;
  }
  *cut_right = end < line.to;
  line.to = end;
  return line;
}

/* "  4 | text" and below it the mark: `^` for the place itself, `~` for the rest of its range on this line. */
static void put_line(const Printer *printer, Span at) {
  const Source *source = source_of(printer->diagnostics->sources, at);
  Place place = source_place(printer->diagnostics->sources, at.from);
  uint32_t from = at.from - source->base, to = at.to < at.from ? from : at.to - source->base;
  bool left, right;
  Line line = window(line_of(source, from), from, &left, &right);
  fprintf(printer->to, "%5u | %s", place.line, left ? "..." : "");
  put_cells(printer, line, line.from, line.to);
  fprintf(printer->to, "%s\n      | %*s", right ? "..." : "", (int)(width_of(line, line.from, from) + (left ? 3 : 0)), "");
  if (to > line.to) to = line.to;
  uint32_t width = to > from ? width_of(line, from, to) : 1;
  fprintf(printer->to, "%s^", paint(printer, "\x1b[1;32m"));
  for (uint32_t i = 1; i < width; i++) fputc('~', printer->to);
  fprintf(printer->to, "%s\n", plain(printer));
}

static void put_place(const Printer *printer, Span at) {
  Place place = source_place(printer->diagnostics->sources, at.from);
  fprintf(printer->to, "%s:%u:%u: ", place.source->name, place.line, place.column);
}

static bool has_place(const Printer *printer, Span at) {
  return (at.from || at.to) && source_of(printer->diagnostics->sources, at) != NULL;
}

static void put_note(const Printer *printer, const DiagNote *note) {
  if (!has_place(printer, note->at)) {
    fprintf(printer->to, "      = %shelp%s: %s\n", bold(printer), plain(printer), note->text);
    return;
  }
  put_place(printer, note->at);
  fprintf(printer->to, "%snote%s: %s\n", bold(printer), plain(printer), note->text);
  put_line(printer, note->at);
}

/* The line as it would be with the mend. */
static void put_fix(const Printer *printer, const Diag *diag) {
  const Source *source = source_of(printer->diagnostics->sources, diag->fix_at);
  if (!source) return;
  uint32_t from = diag->fix_at.from - source->base, to = diag->fix_at.to - source->base;
  bool left, right;
  Line line = window(line_of(source, from), from, &left, &right);
  Place place = source_place(printer->diagnostics->sources, diag->fix_at.from);
  fprintf(printer->to, "      = %shelp%s: write\n%5u | %s", bold(printer), plain(printer), place.line, left ? "..." : "");
  put_cells(printer, line, line.from, from);
  fprintf(printer->to, "%s%s%s", paint(printer, "\x1b[32m"), diag->fix, plain(printer));
  if (to < line.to) put_cells(printer, line, to, line.to);
  fprintf(printer->to, "%s\n", right ? "..." : "");
}

static void put_entry(const Printer *printer, const Diag *diag) {
  const char *level = diag->level == DIAG_ERROR ? "error" : "warning";
  bool placed = has_place(printer, diag->at);
  fputs(bold(printer), printer->to);
  if (placed) put_place(printer, diag->at);
  fprintf(printer->to, "%s%s[%s]%s%s: %s%s\n", level_paint(printer, diag->level), level, diag_code_name(diag->code),
          plain(printer), bold(printer), diag->text, plain(printer));
  if (placed) put_line(printer, diag->at);
  for (const DiagNote *note = diag->notes; note; note = note->next) put_note(printer, note);
  if (diag->fix) put_fix(printer, diag);
}

void diag_print_line(const Diagnostics *diagnostics, Span at, FILE *to, bool colour) {
  Printer printer = {diagnostics, to, colour};
  if (has_place(&printer, at)) put_line(&printer, at);
}

/* By place, and where two share one in order of report. */
static int by_place(const void *a, const void *b) {
  const Diag *left = *(const Diag *const *)a, *right = *(const Diag *const *)b;
  if (left->at.from != right->at.from) return left->at.from < right->at.from ? -1 : 1;
  return left < right ? -1 : left > right;
}

void diag_print(const Diagnostics *diagnostics, FILE *to, bool colour) {
  Printer printer = {.diagnostics = diagnostics, .to = to, .colour = colour};
  const Diag *sorted[DIAG_MOST];
  for (size_t i = 0; i < diagnostics->count; i++) sorted[i] = &diagnostics->list[i];
  if (diagnostics->count) qsort(sorted, diagnostics->count, sizeof sorted[0], by_place);
  for (size_t i = 0; i < diagnostics->count; i++) put_entry(&printer, sorted[i]);
  size_t all = diagnostics->errors + diagnostics->warnings;
  if (all > diagnostics->count) fprintf(to, "and %zu more\n", all - diagnostics->count);
}
