/* SPDX-License-Identifier: Apache-2.0 */
/* check_checker.c -- the front end's second half: names, sizes, shapes, layers, flows, limits. */
#include <stdlib.h>
#include "checking.h"
#include "run_suite.h"

static void add(Suite *suite, const char *name, void (*tests)(TCase *)) {
  TCase *tcase = tcase_create(name);
  tcase_set_timeout(tcase, 120);                    /* of a hung checker; sanitizers on a busy machine are slow */
  tests(tcase);
  suite_add_tcase(suite, tcase);
}

int main(void) {
  Suite *suite = suite_create("checker");
  add(suite, "bad files", add_bad_tests);
  add(suite, "names", add_name_tests);
  add(suite, "typed trees", add_typed_tests);
  add(suite, "flows", add_flow_tests);
  add(suite, "claims", add_claim_tests);
  add(suite, "slips of the pen", add_typo_tests);
  int status = run_suite(suite);
  arena_free(&run.arena);
  return status;
}
