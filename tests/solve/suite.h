/* SPDX-License-Identifier: Apache-2.0 */
/* suite.h -- runs the tests of one executable, and small helpers that its tests share. */
#ifndef FLOW_TEST_SUITE_H
#define FLOW_TEST_SUITE_H
#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "run_suite.h"

/* main of a test: 0 only if every test passed. */
static inline int run_tests(const char *name, const TTest *const *test, size_t count) {
  Suite *suite = suite_create(name);
  TCase *all = tcase_create("all");
  tcase_set_timeout(all, 120);
  for (size_t i = 0; i < count; i++) tcase_add_test(all, test[i]);
  suite_add_tcase(suite, all);
  return run_suite(suite);
}
#define TEST_MAIN(name, ...)                                                                                           \
  int main(void) {                                                                                                     \
    const TTest *const test[] = {__VA_ARGS__};                                                                         \
    return run_tests(name, test, sizeof test / sizeof test[0]);                                                        \
  }

#define ck_assert_words(error, part) ck_assert_msg(strstr((error).text, part), "\"%s\" does not say \"%s\"", (error).text, part)

#endif
