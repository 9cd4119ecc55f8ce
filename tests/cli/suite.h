/* SPDX-License-Identifier: Apache-2.0 */
/* suite.h -- the main of a test program: one suite, its cases, a summary line, non-zero on failure. */
#ifndef FLOW_TESTS_CLI_SUITE_H
#define FLOW_TESTS_CLI_SUITE_H
#include <check.h>
#include <stdlib.h>

static inline int run_suite(Suite *suite) {
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failures = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
