/* SPDX-License-Identifier: Apache-2.0 */
/* tensor.c -- a set of arrays once it is read: order, look-up, release. */
#include "tensors_build.h"
#include <stdlib.h>
#include <string.h>

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static size_t digits_at(const char *text) {
  size_t count = 0;
  while (is_digit(text[count])) count++;
  return count;
}

/* Two runs of digits as numbers of any size: without leading zeros the longer one is greater. */
static int compare_digits(const char **a, const char **b) {
  while (**a == '0' && is_digit((*a)[1])) (*a)++;
  while (**b == '0' && is_digit((*b)[1])) (*b)++;
  size_t a_length = digits_at(*a), b_length = digits_at(*b);
  int order = a_length != b_length ? (a_length < b_length ? -1 : 1) : memcmp(*a, *b, a_length);
  *a += a_length;
  *b += b_length;
  return order;
}

int flow_natural_order(const char *a, const char *b) {
  const char *x = a, *y = b;
  while (*x && *y) {
    if (is_digit(*x) && is_digit(*y)) {
      int order = compare_digits(&x, &y);
      if (order != 0) return order;
    } else if (*x != *y) {
      return (unsigned char)*x < (unsigned char)*y ? -1 : 1;
    } else {
      x++;
      y++;
    }
  }
  if (*x || *y) return *x ? 1 : -1;
  return strcmp(a, b);          /* a1 and a01: equal as numbers, yet two names */
}

flow_status flow_tensors_make(const FlowAllocator *allocator, const char *name, uint32_t count, size_t bytes,
                              FlowTensors *tensors, flow_error *error) {
  *tensors = (FlowTensors){.allocator = *allocator};
  if (count > 0) {
    tensors->tensor = flow_alloc_array(allocator, count, sizeof *tensors->tensor);
    if (!tensors->tensor) return flow_fail(error, FLOW_NO_MEMORY, "%s: no memory for %u arrays", name, count);
    tensors->count = count;
  }
  if (bytes > 0) {
    tensors->memory = allocator->resize(allocator->user, NULL, 0, bytes);
    if (!tensors->memory) {
      flow_tensors_free(tensors);
      return flow_fail(error, FLOW_NO_MEMORY, "%s: no memory for %zu bytes of numbers", name, bytes);
    }
    tensors->memory_bytes = bytes;
  }
  return FLOW_OK;
}

static int by_name(const void *a, const void *b) {
  return flow_natural_order(((const FlowTensor *)a)->name, ((const FlowTensor *)b)->name);
}

void flow_tensors_sort(FlowTensors *tensors) {
  if (tensors->count > 1) qsort(tensors->tensor, tensors->count, sizeof *tensors->tensor, by_name);
}

const FlowTensor *flow_tensors_duplicate(const FlowTensors *tensors) {
  for (uint32_t i = 1; i < tensors->count; i++) {
    if (strcmp(tensors->tensor[i - 1].name, tensors->tensor[i].name) == 0) return &tensors->tensor[i];
  }
  return NULL;
}

const FlowTensor *flow_tensors_find(const FlowTensors *tensors, const char *name) {
  FlowTensor wanted = {.name = name};
  if (tensors->count == 0) return NULL;
  return bsearch(&wanted, tensors->tensor, tensors->count, sizeof wanted, by_name);
}

const FlowTensor *flow_tensors_choose(const FlowTensors *tensors, const char *name) {
  if (tensors->count == 1) return &tensors->tensor[0];
  const FlowTensor *own = flow_tensors_find(tensors, name);
  return own ? own : flow_tensors_find(tensors, "samples");
}

void flow_tensors_free(FlowTensors *tensors) {
  if (tensors->tensor) flow_free(&tensors->allocator, tensors->tensor, tensors->count * sizeof *tensors->tensor);
  flow_free(&tensors->allocator, tensors->memory, tensors->memory_bytes);
  FlowAllocator allocator = tensors->allocator;
  *tensors = (FlowTensors){.allocator = allocator};
}
