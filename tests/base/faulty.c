/* SPDX-License-Identifier: Apache-2.0 */
#include "base/faulty.h"
#include "flow/status.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD = 16 };     /* the size, before each block; keeps malloc's alignment */

static size_t size_of(void *block) {
  size_t size;
  memcpy(&size, (char *)block - HEAD, sizeof size);
  return size;
}

static void *resize(void *user, void *old, size_t old_size, size_t new_size) {
  Faulty *f = user;
  if (old) ck_assert_uint_eq(size_of(old), old_size);
  if (new_size == 0) {
    if (old) {
      free((char *)old - HEAD);
      f->live -= old_size;
    }
    return NULL;
  }
  f->calls++;
  if (f->fail_at != 0 && (f->persistent ? f->calls >= f->fail_at : f->calls == f->fail_at)) return NULL;
  char *block = malloc(HEAD + new_size);        /* always moves: a stale pointer is found by AddressSanitizer */
  ck_assert_ptr_nonnull(block);
  memcpy(block, &new_size, sizeof new_size);
  memset(block + HEAD, 0xA5, new_size);
  if (old) {
    memcpy(block + HEAD, old, old_size < new_size ? old_size : new_size);
    free((char *)old - HEAD);
    f->live -= old_size;
  }
  f->live += new_size;
  if (f->live > f->peak) f->peak = f->live;
  return block + HEAD;
}

void faulty_start(Faulty *faulty) {
  *faulty = (Faulty){.allocator = {resize, faulty}};
}

static size_t failures(int (*operation)(const FlowAllocator *allocator, void *user), void *user, bool persistent) {
  for (size_t at = 1;; at++) {
    Faulty f;
    faulty_start(&f);
    f.fail_at = at;
    f.persistent = persistent;
    int status = operation(&f.allocator, user);
    ck_assert_msg(f.live == 0, "%zu bytes leak when request %zu fails", f.live, at);
    if (f.calls < at) {
      ck_assert_int_eq(status, FLOW_OK);
      return at - 1;
    }
    ck_assert_msg(status == FLOW_NO_MEMORY, "request %zu failed, status %d", at, status);
    faulty_start(&f);
    ck_assert_int_eq(operation(&f.allocator, user), FLOW_OK);
    ck_assert_uint_eq(f.live, 0);
  }
}

size_t faulty_every_failure(int (*operation)(const FlowAllocator *allocator, void *user), void *user) {
  return failures(operation, user, false) + failures(operation, user, true);
}
