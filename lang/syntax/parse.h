/* SPDX-License-Identifier: Apache-2.0 */
/* parse.h -- from the text of a file to its definitions.
 *
 *   const Source *source = source_add(&map, "moons.flow", text, length);
 *   bool incomplete;
 *   AstFile *file = flow_parse(&map, &arena, &diagnostics, source, &incomplete);
 *
 * NULL only where the text could not be read as UTF-8 (which is reported).  Otherwise every definition that could be
 * understood is in the file, with AST_ERROR where a part of one was not; diagnostics hold all errors.  *incomplete
 * (which may be NULL): more text might have mended it, so a prompt asks for the next line.  The arena's handler must
 * have been set by the caller. */
#ifndef FLOW_PARSE_H
#define FLOW_PARSE_H
#include "ast.h"
#include "diag.h"

AstFile *flow_parse(SourceMap *map, Arena *arena, Diagnostics *diagnostics, const Source *source, bool *incomplete);

#endif
