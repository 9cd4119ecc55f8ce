/* SPDX-License-Identifier: Apache-2.0 */
/* checked.h -- arithmetic on numbers that came from a file.
 *
 * Every function answers whether the true result fits; only then is *result written.  None divides, so a zero from a
 * file is as good as any other number.  A reader computes with nothing else:
 *
 *   size_t bytes;
 *   if (!flow_mul_size(count, 8, &bytes) || !flow_add_size(bytes, header, &bytes)) return refuse(...);            */
#ifndef FLOW_CHECKED_H
#define FLOW_CHECKED_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool flow_add_size(size_t a, size_t b, size_t *result) {
  size_t sum;
  if (__builtin_add_overflow(a, b, &sum)) return false;
  *result = sum;
  return true;
}

static inline bool flow_sub_size(size_t a, size_t b, size_t *result) {
  size_t difference;
  if (__builtin_sub_overflow(a, b, &difference)) return false;
  *result = difference;
  return true;
}

static inline bool flow_mul_size(size_t a, size_t b, size_t *result) {
  size_t product;
  if (__builtin_mul_overflow(a, b, &product)) return false;
  *result = product;
  return true;
}

static inline bool flow_add_u64(uint64_t a, uint64_t b, uint64_t *result) {
  uint64_t sum;
  if (__builtin_add_overflow(a, b, &sum)) return false;
  *result = sum;
  return true;
}

static inline bool flow_sub_u64(uint64_t a, uint64_t b, uint64_t *result) {
  uint64_t difference;
  if (__builtin_sub_overflow(a, b, &difference)) return false;
  *result = difference;
  return true;
}

static inline bool flow_mul_u64(uint64_t a, uint64_t b, uint64_t *result) {
  uint64_t product;
  if (__builtin_mul_overflow(a, b, &product)) return false;
  *result = product;
  return true;
}

/* The least multiple of `alignment`, a power of two, that is not below `size`. */
static inline bool flow_align_up(size_t size, size_t alignment, size_t *result) {
  size_t raised;
  if (alignment == 0 || (alignment & (alignment - 1)) != 0) return false;
  if (__builtin_add_overflow(size, alignment - 1, &raised)) return false;
  *result = raised & ~(alignment - 1);
  return true;
}

static inline bool flow_u64_to_size(uint64_t value, size_t *result) {
  if (value > SIZE_MAX) return false;
  *result = (size_t)value;
  return true;
}

/* Are the `length` bytes at `offset` inside the first `end`? */
static inline bool flow_range_fits(uint64_t offset, uint64_t length, uint64_t end) {
  return offset <= end && length <= end - offset;
}

/* The product of `rank` dimensions.  A zero makes it zero whatever the others are, as numpy has it. */
static inline bool flow_count_of(const uint64_t *dim, uint32_t rank, uint64_t *result) {
  uint64_t product = 1;
  for (uint32_t i = 0; i < rank; i++) {
    if (dim[i] == 0) {
      *result = 0;
      return true;
    }
  }
  for (uint32_t i = 0; i < rank; i++) {
    if (!flow_mul_u64(product, dim[i], &product)) return false;
  }
  *result = product;
  return true;
}

#endif
