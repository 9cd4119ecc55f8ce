/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"
#include <stdlib.h>

int main(void) {
  Suite *suite = suite_create("training");
  suite_add_tcase(suite, tcase_of_parts());
  suite_add_tcase(suite, tcase_of_training());
  suite_add_tcase(suite, tcase_of_checkpoints());
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
