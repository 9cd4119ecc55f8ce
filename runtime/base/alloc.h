/* SPDX-License-Identifier: Apache-2.0 */
/* alloc.h -- the one way in which the runtime and the front end get memory.
 *
 * Every allocation goes through a FlowAllocator that the caller hands in, so that an embedding program can supply its
 * own and a test can make the n-th one fail.  Out of memory is NULL, and then a status: never an abort. */
#ifndef FLOW_ALLOC_H
#define FLOW_ALLOC_H
#include <stddef.h>

typedef struct FlowAllocator {
  /* As realloc: old NULL allocates, new_size 0 frees and returns NULL.  64-byte alignment is not promised here. */
  void *(*resize)(void *user, void *old, size_t old_size, size_t new_size);
  void *user;
} FlowAllocator;

extern const FlowAllocator flow_standard_allocator;     /* malloc, realloc, free */

void *flow_alloc(const FlowAllocator *allocator, size_t size);                   /* zeroed; NULL if size is 0 or memory is out */
void *flow_alloc_array(const FlowAllocator *allocator, size_t count, size_t size);   /* zeroed; NULL also if count*size wraps */
void *flow_resize_array(const FlowAllocator *allocator, void *old, size_t old_count, size_t new_count, size_t size);
void flow_free(const FlowAllocator *allocator, void *memory, size_t size);       /* NULL is fine */
/* 64-byte aligned, zeroed; freed with flow_free_aligned and the same size. */
void *flow_alloc_aligned(const FlowAllocator *allocator, size_t size);
void flow_free_aligned(const FlowAllocator *allocator, void *memory, size_t size);

#endif
