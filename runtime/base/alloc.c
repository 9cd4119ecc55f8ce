/* SPDX-License-Identifier: Apache-2.0 */
/* alloc.c -- the standard allocator, and what every allocator gets for free: zeroing, checked products, alignment. */
#include "alloc.h"
#include "checked.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

static void *standard_resize(void *user, void *old, size_t old_size, size_t new_size) {
  (void)user;
  (void)old_size;
  if (new_size == 0) {
    free(old);
    return NULL;
  }
  return realloc(old, new_size);
}

const FlowAllocator flow_standard_allocator = {standard_resize, NULL};

void *flow_alloc(const FlowAllocator *allocator, size_t size) {
  if (size == 0) return NULL;
  void *memory = allocator->resize(allocator->user, NULL, 0, size);
  return memory ? memset(memory, 0, size) : NULL;
}

void *flow_alloc_array(const FlowAllocator *allocator, size_t count, size_t size) {
  size_t bytes;
  return flow_mul_size(count, size, &bytes) ? flow_alloc(allocator, bytes) : NULL;
}

/* What is new is zeroed.  On NULL (with new_count > 0) the old array is still there and still the caller's. */
void *flow_resize_array(const FlowAllocator *allocator, void *old, size_t old_count, size_t new_count, size_t size) {
  size_t old_bytes, new_bytes;
  if (!flow_mul_size(old_count, size, &old_bytes) || !flow_mul_size(new_count, size, &new_bytes)) return NULL;
  char *memory = allocator->resize(allocator->user, old, old_bytes, new_bytes);
  if (memory && new_bytes > old_bytes) memset(memory + old_bytes, 0, new_bytes - old_bytes);
  return memory;
}

void flow_free(const FlowAllocator *allocator, void *memory, size_t size) {
  if (memory) allocator->resize(allocator->user, memory, size, 0);
}

/* The block is one alignment too long; the byte before the aligned address says how far that is from the block. */
void *flow_alloc_aligned(const FlowAllocator *allocator, size_t size) {
  size_t bytes;
  if (size == 0 || !flow_add_size(size, ALIGNMENT, &bytes)) return NULL;
  unsigned char *block = flow_alloc(allocator, bytes);
  if (!block) return NULL;
  size_t shift = ALIGNMENT - (uintptr_t)block % ALIGNMENT;
  block[shift - 1] = (unsigned char)shift;
  return block + shift;
}

void flow_free_aligned(const FlowAllocator *allocator, void *memory, size_t size) {
  if (!memory) return;
  unsigned char *aligned = memory;
  flow_free(allocator, aligned - aligned[-1], size + ALIGNMENT);
}
