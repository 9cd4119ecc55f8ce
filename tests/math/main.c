/* SPDX-License-Identifier: Apache-2.0 */
/* main.c -- runs the tests of the elementary functions. */
#include <stdlib.h>

#include "math_suite.h"
#include "run_suite.h"

int main(void)
{
  Suite *suite = suite_create("math");
  suite_add_tcase(suite, accuracy_case());
  suite_add_tcase(suite, special_case());
  suite_add_tcase(suite, shape_case());
  suite_add_tcase(suite, activations_case());
  suite_add_tcase(suite, bits_case());
  return run_suite(suite);
}
