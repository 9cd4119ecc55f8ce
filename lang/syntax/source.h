/* SPDX-License-Identifier: Apache-2.0 */
/* source.h -- the texts of one compilation, end to end in one space of byte offsets.
 *
 * The prelude and the user's file are two sources of one SourceMap; a Span is a pair of offsets into that space, so it
 * needs no file in it.  Line and column are computed when something is printed, never before. */
#ifndef FLOW_SOURCE_H
#define FLOW_SOURCE_H
#include <stddef.h>
#include <stdint.h>

typedef struct Span { uint32_t from, to; } Span;        /* bytes [from, to) */

typedef struct Source {
  const char *name;             /* as shown: "moons.flow", "<prelude>", "<input>" */
  const char *text;             /* NUL after the last byte */
  uint32_t base, length;        /* its offsets are base .. base + length */
} Source;

typedef struct Arena Arena;
typedef struct SourceMap {
  Arena *arena;
  Source source[8];
  uint32_t count;
  void *names;                  /* names.h's table of interned names */
} SourceMap;

/* Copies text into the arena; NULL if there is no room in the offset space or the map (a caller's mistake). */
const Source *source_add(SourceMap *map, const char *name, const char *text, size_t length);
const Source *source_of(const SourceMap *map, Span at);

/* Lines and columns count from 1; a column is a terminal cell (utf8proc), so that carets stand under what they mean. */
typedef struct Place { const Source *source; uint32_t line, column; } Place;
Place source_place(const SourceMap *map, uint32_t offset);

#endif
