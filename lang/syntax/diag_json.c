/* SPDX-License-Identifier: Apache-2.0 */
/* diag_json.c -- entries for an editor or a script: one JSON array, in order of report.
 *
 *   [{"level": "error", "code": "E0101", "text": "...", "at": {"file": "m.flow", "line": 1, "column": 9,
 *     "from": 8, "to": 9}, "notes": [{"text": "...", "at": {..} or null}], "fix": {"text": "..", "at": {..}} or null}] */
#include "cells.h"
#include "diag.h"
#include "text_buffer.h"
#include <string.h>

static void put_string(TextBuffer *out, const char *text) {
  uint32_t length = (uint32_t)strlen(text);
  text_puts(out, "\"");
  for (uint32_t i = 0; i < length;) {
    Cell cell = cell_at(text, i, length);
    if (cell.point < 0)
      text_puts(out, "\\ufffd");
    else if (cell.point == '"' || cell.point == '\\')
      text_printf(out, "\\%c", (int)cell.point);
    else if (cell.point < 0x20 || cell.point == 0x7f)
      text_printf(out, "\\u%04x", (unsigned)cell.point);
    else
      text_add(out, text + i, cell.bytes);
    i += cell.bytes;
  }
  text_puts(out, "\"");
}

static void put_at(TextBuffer *out, const SourceMap *sources, Span at) {
  Place place = at.from || at.to ? source_place(sources, at.from) : (Place){0};
  if (!place.source) {
    text_puts(out, "null");
    return;
  }
  text_puts(out, "{\"file\": ");
  put_string(out, place.source->name);
  text_printf(out, ", \"line\": %u, \"column\": %u, \"from\": %u, \"to\": %u}", place.line, place.column,
              at.from - place.source->base, at.to - place.source->base);
}

static void put_text_at(TextBuffer *out, const SourceMap *sources, const char *text, Span at) {
  text_puts(out, "{\"text\": ");
  put_string(out, text);
  text_puts(out, ", \"at\": ");
  put_at(out, sources, at);
  text_puts(out, "}");
}

static void put_entry(TextBuffer *out, const SourceMap *sources, const Diag *diag) {
  text_printf(out, "{\"level\": \"%s\", \"code\": \"%s\", \"text\": ", diag->level == DIAG_ERROR ? "error" : "warning",
              diag_code_name(diag->code));
  put_string(out, diag->text);
  text_puts(out, ", \"at\": ");
  put_at(out, sources, diag->at);
  text_puts(out, ", \"notes\": [");
  for (const DiagNote *note = diag->notes; note; note = note->next) {
    if (note != diag->notes) text_puts(out, ", ");
    put_text_at(out, sources, note->text, note->at);
  }
  text_puts(out, "], \"fix\": ");
  if (diag->fix)
    put_text_at(out, sources, diag->fix, diag->fix_at);
  else
    text_puts(out, "null");
  text_puts(out, "}");
}

char *diag_json(const Diagnostics *diagnostics) {
  TextBuffer out = {.arena = diagnostics->arena};
  text_puts(&out, "[");
  for (size_t i = 0; i < diagnostics->count; i++) {
    if (i) text_puts(&out, ",\n ");
    put_entry(&out, diagnostics->sources, &diagnostics->list[i]);
  }
  text_puts(&out, "]");
  return out.text;
}
