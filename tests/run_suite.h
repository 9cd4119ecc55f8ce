/* SPDX-License-Identifier: Apache-2.0 */
/* run_suite.h -- the end of a test program's main: runs its suite, prints a summary (CK_VERBOSITY says how much) and answers the
 * exit status. */
#ifndef FLOW_TESTS_RUN_SUITE_H
#define FLOW_TESTS_RUN_SUITE_H
#include <check.h>
#include <stdlib.h>

static inline int run_suite(Suite *suite) {
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failures = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
