/* SPDX-License-Identifier: Apache-2.0 */
#include "run_suite.h"
#include "suite.h"
#include <stdlib.h>

int main(void) {
  Suite *suite = suite_create("training");
  suite_add_tcase(suite, tcase_of_parts());
  suite_add_tcase(suite, tcase_of_training());
  suite_add_tcase(suite, tcase_of_checkpoints());
  return run_suite(suite);
}
