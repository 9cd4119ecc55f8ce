/* SPDX-License-Identifier: Apache-2.0 */
/* source.c -- which text an offset is in, and on which line and cell of it. */
#include "source.h"
#include "arena.h"
#include "cells.h"

enum { SOURCES = sizeof(((SourceMap *)0)->source) / sizeof(Source) };

/* Offsets begin at 1, and one stays free behind every text for "at the end": so {0, 0} is no place in any. */
static uint32_t next_base(const SourceMap *map) {
  if (map->count == 0) return 1;
  const Source *last = &map->source[map->count - 1];
  return last->base + last->length + 1;
}

const Source *source_add(SourceMap *map, const char *name, const char *text, size_t length) {
  uint32_t base = next_base(map);
  if (map->count == SOURCES || length > UINT32_MAX - 2 - base) return NULL;
  Source *source = &map->source[map->count];
  source->name = name;
  source->text = arena_text(map->arena, text, length);
  source->base = base;
  source->length = (uint32_t)length;
  map->count++;
  return source;
}

const Source *source_of(const SourceMap *map, Span at) {
  for (uint32_t i = map->count; i-- > 0;) {
    const Source *source = &map->source[i];
    if (at.from >= source->base) return at.from <= source->base + source->length ? source : NULL;
  }
  return NULL;
}

Place source_place(const SourceMap *map, uint32_t offset) {
  const Source *source = source_of(map, (Span){offset, offset});
  if (!source) return (Place){0};
  Place place = {.source = source, .line = 1};
  uint32_t at = offset - source->base, start = 0;
  for (uint32_t i = 0; i < at; i++) {
    uint32_t length = line_break(source->text, i, source->length);
    if (length == 0 || i + length > at) continue;
    place.line++;
    start = i + length;
    i += length - 1;
  }
  if (start == 0) start = byte_order_mark(source->text, source->length);
  place.column = 1;
  for (uint32_t i = start; i < at;) {
    Cell cell = cell_at(source->text, i, source->length);
    place.column += cell.width;
    i += cell.bytes;
  }
  return place;
}
