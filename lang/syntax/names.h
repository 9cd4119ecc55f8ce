/* SPDX-License-Identifier: Apache-2.0 */
/* names.h -- one copy of every name of a compilation, so that equal names are equal pointers. */
#ifndef FLOW_NAMES_H
#define FLOW_NAMES_H
#include "arena.h"
#include "source.h"

/* The copy lives as long as the map's arena. */
const char *name_intern(SourceMap *map, const char *name, size_t length);

/* Is this character a letter of a name, and may it also begin one?  (General categories, as in UAX 31, and
 * subscript digits.) */
int is_name_start(int32_t point);
int is_name_part(int32_t point);

/* The name in NFKC, interned: x₀ is x0.  NULL where normalising leaves something that is no name. */
const char *name_normal(SourceMap *map, const char *name, size_t length);

#endif
