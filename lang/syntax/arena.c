/* SPDX-License-Identifier: Apache-2.0 */
/* arena.c -- a list of blocks; an allocation is a step forward in the newest. */
#include "arena.h"
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { ALIGNMENT = 16, LEAST_BLOCK = 16 * 1024, MOST_BLOCK = 1024 * 1024 };

struct ArenaBlock {
  ArenaBlock *next;
  size_t size, used; /* bytes, this header included */
};

static const size_t header = (sizeof(ArenaBlock) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;

static _Noreturn void no_memory(Arena *arena) { longjmp(*arena->on_no_memory, 1); }

void arena_init(Arena *arena, const FlowAllocator *allocator, jmp_buf *on_no_memory) {
  *arena = (Arena){.allocator = allocator, .on_no_memory = on_no_memory};
}

void arena_free(Arena *arena) {
  for (ArenaBlock *block = arena->blocks, *next; block; block = next) {
    next = block->next;
    flow_free(arena->allocator, block, block->size);
  }
  arena->blocks = NULL;
  arena->total = 0;
}

/* Blocks double with what has been handed out, so that a small program is small and a large one has few blocks. */
static void add_block(Arena *arena, size_t bytes) {
  size_t size = arena->total < LEAST_BLOCK ? LEAST_BLOCK : arena->total > MOST_BLOCK ? MOST_BLOCK : arena->total;
  if (size < header + bytes) size = header + bytes;
  ArenaBlock *block = flow_alloc(arena->allocator, size);
  if (!block) no_memory(arena);
  block->size = size;
  block->used = header;
  block->next = arena->blocks;
  arena->blocks = block;
}

void *arena_alloc(Arena *arena, size_t bytes) {
  if (bytes > SIZE_MAX / 2) no_memory(arena);
  size_t rounded = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  if (rounded == 0) rounded = ALIGNMENT;
  if (!arena->blocks || arena->blocks->size - arena->blocks->used < rounded) add_block(arena, rounded);
  ArenaBlock *block = arena->blocks;
  void *memory = (char *)block + block->used; /* still zero: blocks come zeroed and nothing is given back */
  block->used += rounded;
  arena->total += rounded;
  return memory;
}

void *arena_array(Arena *arena, size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) no_memory(arena);
  return arena_alloc(arena, bytes);
}

void *arena_grow(Arena *arena, void *old, size_t old_count, size_t new_count, size_t size) {
  void *new = arena_array(arena, new_count, size);
  size_t kept = old_count < new_count ? old_count : new_count;
  if (kept) memcpy(new, old, kept * size);
  return new;
}

char *arena_text(Arena *arena, const char *text, size_t length) {
  char *copy = arena_array(arena, length + 1, 1);
  if (length) memcpy(copy, text, length);
  return copy;
}

char *arena_format_list(Arena *arena, const char *format, va_list arguments) {
  va_list again;
  va_copy(again, arguments);
  int length = vsnprintf(NULL, 0, format, arguments);
  char *text = arena_array(arena, length < 0 ? 1 : (size_t)length + 1, 1);
  if (length > 0) vsnprintf(text, (size_t)length + 1, format, again);
  va_end(again);
  return text;
}

char *arena_format(Arena *arena, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  char *text = arena_format_list(arena, format, arguments);
  va_end(arguments);
  return text;
}
