/* SPDX-License-Identifier: Apache-2.0 */
/* check_fields.c -- programs whose solutions, densities and divergences are known, and which say so: all that they say holds, and all
 * that should hold of any velocity. */
#include "run_suite.h"
#include "cli/user.h"
#include <dirent.h>
#include <stdio.h>
#include <string.h>

enum { MOST = 64 };
static char names[MOST][64];
static int programs;

static void list_programs(void) {
  DIR *folder = opendir(TESTS_DIR "/verify/fields");
  for (struct dirent *entry; folder && programs < MOST && (entry = readdir(folder));)
    if (strstr(entry->d_name, ".flow") && strlen(entry->d_name) < 64) strcpy(names[programs++], entry->d_name);
  if (folder) closedir(folder);
}

/* Whether the program's density is integrated over the plane, too. */
static const char *option_for(const char *name) {
  static const char *const plane[] = {"integral.flow", "mixture.flow", "condot.flow", "constant.flow"};
  for (size_t i = 0; i < sizeof plane / sizeof *plane; i++)
    if (strcmp(plane[i], name) == 0) return " --integral";
  return "";
}

START_TEST(what_a_field_says_holds) {
  Result result = flowc("check %s/verify/fields/%s%s", TESTS_DIR, names[_i], option_for(names[_i]));
  expect_code(result, 0);
  ck_assert_msg(!strstr(result.out, "  SKIP  "), "%s: %s", names[_i], result.out);
  ck_assert_msg(!*option_for(names[_i]) || strstr(result.out, "  PASS  the integral of p "), "%s: %s", names[_i], result.out);
  result_free(&result);
}
END_TEST

START_TEST(what_a_field_says_holds_at_other_points) {
  Result result = flowc("check %s/verify/fields/%s --seed 12345 --points 300", TESTS_DIR, names[_i]);
  expect_code(result, 0);
  result_free(&result);
}
END_TEST

START_TEST(every_function_has_the_derivative_of_its_differences) {
  static const char *const field[] = {"u", "whole"};
  Result result = flowc("check %s/verify/fields/primitives.flow --field %s --points 3000", TESTS_DIR, field[_i]);
  expect_code(result, 0);
  expect_in(result.out, "  PASS  J v against differences ");
  result_free(&result);
}
END_TEST

START_TEST(all_fields_are_here) { ck_assert_int_ge(programs, 15); }
END_TEST

int main(void) {
  list_programs();
  Suite *suite = suite_create("fields");
  TCase *all = tcase_create("closed forms");
  tcase_set_timeout(all, 120);
  tcase_add_loop_test(all, what_a_field_says_holds, 0, programs);
  tcase_add_loop_test(all, what_a_field_says_holds_at_other_points, 0, programs);
  tcase_add_loop_test(all, every_function_has_the_derivative_of_its_differences, 0, 2);
  tcase_add_test(all, all_fields_are_here);
  suite_add_tcase(suite, all);
  return run_suite(suite);
}
