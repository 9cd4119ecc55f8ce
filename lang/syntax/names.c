/* SPDX-License-Identifier: Apache-2.0 */
/* names.c -- a hash table with linear probing, and what is a letter. */
#include "names.h"
#include <string.h>
#include <utf8proc.h>

typedef struct NameTable {
  const char **slot;
  size_t room, count;
} NameTable;

/* Seeded by an address, so that nobody can write a file whose names all fall into one slot. */
static size_t hash(const SourceMap *map, const char *name, size_t length) {
  uint64_t h = (uint64_t)(uintptr_t)map * 0x9e3779b97f4a7c15u;
  for (size_t i = 0; i < length; i++) {
    h = (h ^ (unsigned char)name[i]) * 0xff51afd7ed558ccdu;
    h ^= h >> 32;
  }
  return (size_t)h;
}

static size_t find(const SourceMap *map, const NameTable *table, const char *name, size_t length) {
  size_t i = hash(map, name, length) & (table->room - 1);
  while (table->slot[i] && (strncmp(table->slot[i], name, length) != 0 || table->slot[i][length] != 0))
    i = (i + 1) & (table->room - 1);
  return i;
}

static void make_room(SourceMap *map, NameTable *table) {
  if (2 * (table->count + 1) <= table->room) return;
  NameTable wider = {.room = table->room ? 2 * table->room : 64, .count = table->count};
  wider.slot = arena_array(map->arena, wider.room, sizeof *wider.slot);
  for (size_t i = 0; i < table->room; i++) {
    const char *name = table->slot[i];
    if (name) wider.slot[find(map, &wider, name, strlen(name))] = name;
  }
  *table = wider;
}

const char *name_intern(SourceMap *map, const char *name, size_t length) {
  if (!map->names) map->names = arena_alloc(map->arena, sizeof(NameTable));
  NameTable *table = map->names;
  make_room(map, table);
  size_t i = find(map, table, name, length);
  if (!table->slot[i]) {
    table->slot[i] = arena_text(map->arena, name, length);
    table->count++;
  }
  return table->slot[i];
}

static int is_subscript_digit(int32_t point) { return point >= 0x2080 && point <= 0x2089; }

/* ⁿ and ⁱ are letters to Unicode, but a power to everybody who writes them. */
static int is_superscript_letter(int32_t point) { return point == 0x207f || point == 0x2071; }

int is_name_start(int32_t point) {
  if (point < 0x80) return point == '_' || (point >= 'a' && point <= 'z') || (point >= 'A' && point <= 'Z');
  if (is_superscript_letter(point)) return 0;
  switch (utf8proc_category(point)) {
  case UTF8PROC_CATEGORY_LU: case UTF8PROC_CATEGORY_LL: case UTF8PROC_CATEGORY_LT: case UTF8PROC_CATEGORY_LM:
  case UTF8PROC_CATEGORY_LO: case UTF8PROC_CATEGORY_NL: return 1;
  default: return 0;
  }
}

int is_name_part(int32_t point) {
  if (is_name_start(point) || is_subscript_digit(point)) return 1;
  if (point < 0x80) return point >= '0' && point <= '9';
  switch (utf8proc_category(point)) {
  case UTF8PROC_CATEGORY_MN: case UTF8PROC_CATEGORY_MC: case UTF8PROC_CATEGORY_ND: case UTF8PROC_CATEGORY_PC: return 1;
  default: return 0;
  }
}

static int is_ascii(const char *text, size_t length) {
  for (size_t i = 0; i < length; i++)
    if ((unsigned char)text[i] >= 0x80) return 0;
  return 1;
}

static int is_name(const utf8proc_int32_t *points, utf8proc_ssize_t count) {
  for (utf8proc_ssize_t i = 0; i < count; i++)
    if (!(i == 0 ? is_name_start(points[i]) : is_name_part(points[i]))) return 0;
  return count > 0;
}

const char *name_normal(SourceMap *map, const char *name, size_t length) {
  if (is_ascii(name, length)) return name_intern(map, name, length);

  utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT;
  const utf8proc_uint8_t *bytes = (const utf8proc_uint8_t *)name;
  utf8proc_ssize_t count = utf8proc_decompose(bytes, (utf8proc_ssize_t)length, NULL, 0, options);
  if (count <= 0) return NULL;
  utf8proc_int32_t *points = arena_array(map->arena, (size_t)count + 1, sizeof *points);
  utf8proc_decompose(bytes, (utf8proc_ssize_t)length, points, count, options);
  count = utf8proc_normalize_utf32(points, count, options);
  if (!is_name(points, count)) return NULL;
  char *normal = arena_array(map->arena, (size_t)count + 1, 4);
  size_t used = 0;
  for (utf8proc_ssize_t i = 0; i < count; i++)
    used += (size_t)utf8proc_encode_char(points[i], (utf8proc_uint8_t *)normal + used);
  return name_intern(map, normal, used);
}
