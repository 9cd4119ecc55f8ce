/* SPDX-License-Identifier: Apache-2.0 */
/* arena.h -- memory that lives as long as one compilation.
 *
 * Everything that the front end and the IR make is allocated here and freed at once.  Where memory runs out the arena
 * jumps to the handler that the entry point set, so that no pass has to look at a NULL: this is the only jump in flowc. */
#ifndef FLOW_ARENA_H
#define FLOW_ARENA_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include "alloc.h" /* FlowAllocator */

typedef struct ArenaBlock ArenaBlock;
typedef struct Arena {
  const FlowAllocator *allocator;       /* borrowed */
  ArenaBlock *blocks;
  jmp_buf *on_no_memory;                /* set by the entry point before the first allocation */
  size_t total;                         /* bytes handed out, for limits and --verbose */
} Arena;

void arena_init(Arena *arena, const FlowAllocator *allocator, jmp_buf *on_no_memory);
void arena_free(Arena *arena);
void *arena_alloc(Arena *arena, size_t bytes);                    /* zeroed, 16-aligned */
void *arena_array(Arena *arena, size_t count, size_t size);       /* checked product */
void *arena_grow(Arena *arena, void *old, size_t old_count, size_t new_count, size_t size);
char *arena_text(Arena *arena, const char *text, size_t length);  /* copy with a NUL */
char *arena_format(Arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_format_list(Arena *arena, const char *format, va_list arguments) __attribute__((format(printf, 2, 0)));

#endif
