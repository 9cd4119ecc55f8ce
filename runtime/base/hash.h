/* SPDX-License-Identifier: Apache-2.0 */
/* hash.h -- a number that tells whether bytes are the same as once before: FNV-1a (Fowler, Noll, Vo).  Not for what someone might forge. */
#ifndef FLOW_HASH_H
#define FLOW_HASH_H
#include <stddef.h>
#include <stdint.h>

#define FLOW_HASH_BEGIN UINT64_C(0xcbf29ce484222325)

static inline uint64_t flow_hash_bytes(uint64_t hash, const void *bytes, size_t count) {
  const unsigned char *byte = bytes;
  for (size_t i = 0; i < count; i++) hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
  return hash;
}

#endif
