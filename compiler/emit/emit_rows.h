/* SPDX-License-Identifier: Apache-2.0 */
/* emit_rows.h -- eight elements of a value of one sample: what loops and layers do with them. */
#ifndef FLOW_EMIT_ROWS_H
#define FLOW_EMIT_ROWS_H
#include "emit_parts.h"

enum { WIDE = TILE_PANEL };

/* The words for eight numbers, at the place where the builder is. */
LL emit_rows_words(const Emit *e);
Val emit_rows_run(LL *wide, Val pointer);               /* eight numbers side by side */
/* Elements first, first + step, ...: as a vector; only `count` of them are there, the others are zero. */
Val emit_rows_load(Emit *e, LL *wide, Ref base, Val first, int64_t step, unsigned count);
void emit_rows_store(Emit *e, LL *wide, Ref node, Val first, unsigned count, Val value);
Val emit_rows_each(Emit *e, LL *wide, Ref node, Val *operand);          /* one elementwise operation */
/* The value of a node among the statement's first ops, or NULL: it is in memory. */
Val emit_rows_computed(const TileStatement *statement, const Val *value, uint32_t ops, Ref node);

#endif
