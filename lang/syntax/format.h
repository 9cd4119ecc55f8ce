/* SPDX-License-Identifier: Apache-2.0 */
/* format.h -- a file in the house style: `flowc fmt`.
 *
 * Two spaces of indentation, one space around operators (none around `^`; `*` and `/` stay tight where they were), two
 * before a comment behind code and between clauses on one line, at most one blank line.  Line breaks and comments stay
 * where they are, so the meaning does; formatting twice is formatting once. */
#ifndef FLOW_FORMAT_H
#define FLOW_FORMAT_H
#include "diag.h"

/* The text in the arena, NUL behind it; NULL for a file with syntax errors, which are then in diagnostics. */
char *flow_format(SourceMap *map, Arena *arena, Diagnostics *diagnostics, const Source *source, size_t *length);

#endif
