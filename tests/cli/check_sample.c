/* SPDX-License-Identifier: Apache-2.0 */
/* check_sample.c -- models that run: sample, eval and bench through the command. */
#include "run_suite.h"
#include "user.h"
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int files_in_scratch(void) {
  int count = 0;
  DIR *folder = opendir(scratch());
  for (struct dirent *entry; (entry = readdir(folder));) count += entry->d_name[0] != '.' || strlen(entry->d_name) > 2;
  closedir(folder);
  return count;
}

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

/* A rotation by one whole turn is the identity.  rk4 with 100 steps is off by (2 pi)^5 / 120 * 100^-4 = 8e-7 |x|. */
START_TEST(a_whole_turn_brings_every_point_back) {
  Result result = flowc("sample %s/rotation.flow --from 0.5,-1 --precision f64", examples());
  expect_code(result, 0);
  double x[4];
  ck_assert_uint_eq(read_csv(result.out, x, 4), 2);
  ck_assert_double_eq_tol(x[0], 0.5, 2e-6);
  ck_assert_double_eq_tol(x[1], -1, 2e-6);
  result_free(&result);
}
END_TEST

START_TEST(eval_gives_the_formula) {
  Result result = flowc("eval %s/rotation.flow --at 0.5,-1 --time 0.3 --precision f64", examples());
  expect_code(result, 0);
  double u[4];
  ck_assert_uint_eq(read_csv(result.out, u, 4), 2);
  ck_assert_double_eq_tol(u[0], 6.283185307179586, 1e-14); /* 2 pi * 1, within two roundings */
  ck_assert_double_eq_tol(u[1], 3.141592653589793, 1e-14);
  result_free(&result);
}
END_TEST

/* The mixture's samples have the mean (mu_0 + mu_1)/2 = (0, 0.5) and E |x|^2 = 2 s^2 + (|mu_0|^2 + |mu_1|^2)/2 = 5.
 * Tolerances: five standard errors of 20000 samples (sd of x0 about 2.06, of |x|^2 about 2.2). */
START_TEST(the_mixture_has_its_moments) {
  enum { N = 20000 };
  Result result = flowc("sample %s/mixture.flow -n %d --seed 3", examples(), N);
  expect_code(result, 0);
  double *x = malloc(2 * N * sizeof *x), mean0 = 0, mean1 = 0, square = 0;
  ck_assert_uint_eq(read_csv(result.out, x, 2 * N), 2 * N);
  for (int i = 0; i < N; i++) {
    mean0 += x[2 * i] / N;
    mean1 += x[2 * i + 1] / N;
    square += (x[2 * i] * x[2 * i] + x[2 * i + 1] * x[2 * i + 1]) / N;
  }
  ck_assert_double_eq_tol(mean0, 0, 5 * 2.06 / sqrt(N));
  ck_assert_double_eq_tol(mean1, 0.5, 5 * 0.71 / sqrt(N));
  ck_assert_double_eq_tol(square, 5, 5 * 2.2 / sqrt(N));
  free(x);
  result_free(&result);
}
END_TEST

/* Two moons (sklearn's make_moons): the upper one is the half circle about (0, 0), the lower one about (1, 0.5), radius
 * 1, noise 0.05.  A trained model is near that: nearly all samples within 0.25 of an arc, half of them on each, mean
 * (0.5, 0.25). */
START_TEST(the_moons_are_two_half_circles) {
  enum { N = 4000 };
  Result result = flowc("sample %s/moons.flow -n %d --seed 1", examples(), N);
  expect_code(result, 0);
  double *x = malloc(2 * N * sizeof *x), mean0 = 0, mean1 = 0;
  int upper = 0, lower = 0;
  ck_assert_uint_eq(read_csv(result.out, x, 2 * N), 2 * N);
  for (int i = 0; i < N; i++) {
    double a = x[2 * i], b = x[2 * i + 1];
    double first = b > -0.25 ? fabs(hypot(a, b) - 1) : 9, second = b < 0.75 ? fabs(hypot(a - 1, b - 0.5) - 1) : 9;
    if (first < second)
      upper += first < 0.25;
    else
      lower += second < 0.25;
    mean0 += a / N;
    mean1 += b / N;
  }
  ck_assert_msg(upper + lower > 0.97 * N, "%d of %d samples lie on the moons", upper + lower, N);
  ck_assert_msg(abs(upper - lower) < 0.1 * N, "%d on the upper one, %d on the lower one", upper, lower);
  ck_assert_double_eq_tol(mean0, 0.5, 0.1);
  ck_assert_double_eq_tol(mean1, 0.25, 0.1);
  expect_in(result.err, "4000 samples in ");
  expect_in(result.err, "200 evaluations each, 0 failed");
  free(x);
  result_free(&result);
}
END_TEST

/* ---- the same bits ----------------------------------------------------------------------------------------------- */

START_TEST(ranges_end_to_end_are_the_whole_run) {
  Result whole = flowc("sample %s/moons.flow -n 300 -q", examples());
  Result first = flowc("sample %s/moons.flow -n 300 -q --range 0:101 --threads 1", examples());
  Result rest = flowc("sample %s/moons.flow -n 300 -q --range 101:300 --threads 2", examples());
  expect_code(whole, 0);
  expect_code(first, 0);
  expect_code(rest, 0);
  size_t length = strlen(first.out);
  ck_assert_int_eq(strncmp(whole.out, first.out, length), 0);
  char *rows = strchr(rest.out, '\n'); /* after the header */
  ck_assert_ptr_nonnull(rows);
  ck_assert_str_eq(whole.out + length, rows + 1);
  ck_assert_str_eq(whole.err, "");
  result_free(&whole);
  result_free(&first);
  result_free(&rest);
}
END_TEST

START_TEST(other_seeds_are_other_samples) {
  Result one = flowc("sample %s/moons.flow -n 5 -q --seed 1", examples()),
         two = flowc("sample %s/moons.flow -n 5 -q --seed 2", examples());
  ck_assert_str_ne(one.out, two.out);
  result_free(&one);
  result_free(&two);
}
END_TEST

START_TEST(the_level_of_the_cpu_does_not_show_in_the_bits) {
  Result native = flowc("sample %s/moons.flow -n 100 -q", examples()),
         v3 = flowc("sample %s/moons.flow -n 100 -q --cpu v3", examples());
  expect_code(v3, 0);
  ck_assert_str_eq(native.out, v3.out);
  result_free(&native);
  result_free(&v3);
}
END_TEST

START_TEST(samples_from_a_file_are_the_samples_that_were_written_to_it) {
  char path[512];
  snprintf(path, sizeof path, "%s/x0.npy", scratch());
  Result made = flowc("sample %s/rotation.flow -n 50 -q --solver euler --steps 1 -o %s", examples(), path);
  expect_code(made, 0);
  Result from = flowc("sample %s/rotation.flow --from %s -q --precision f32", examples(), path);
  expect_code(from, 0);
  double x[200];
  ck_assert_uint_eq(read_csv(from.out, x, 200), 100);
  Result part = flowc("sample %s/rotation.flow --from %s -q -n 60", examples(), path);
  ck_assert_int_ne(part.code, 0); /* there are only 50 rows */
  result_free(&made);
  result_free(&from);
  result_free(&part);
}
END_TEST

/* ---- files ------------------------------------------------------------------------------------------------------- */

START_TEST(a_npy_file_holds_the_samples) {
  char path[512];
  snprintf(path, sizeof path, "%s/x.npy", scratch());
  Result result = flowc("sample %s/moons.flow -n 77 -o %s", examples(), path);
  expect_code(result, 0);
  ck_assert_str_eq(result.out, "");
  expect_in(result.err, "numpy.load(");
  Result look = flowc("inspect %s", path);
  expect_code(look, 0);
  expect_in(look.out, "F32   [77, 2]");
  result_free(&result);
  result_free(&look);
}
END_TEST

/* log of a negative number: exactly the samples that begin left of 0 fail. */
static const char fails[] =
    "field u(t, x: [1]) = [log(x[0])]\nflow m { source normal(1)  velocity u  solver euler steps 2 }\n";

START_TEST(failed_samples_leave_the_old_file_and_no_other) {
  char path[512], model[512];
  snprintf(model, sizeof model, "%s", scratch_file("fails.flow", fails));
  snprintf(path, sizeof path, "%s", scratch_file("x.csv", "old\n"));
  int before = files_in_scratch();
  Result result = flowc("sample %s -n 100 -o %s", model, path);
  expect_code(result, 3);
  expect_in(result.err, "no file was written");
  expect_in(result.err, "flowc: error: ");
  char *text = read_text(path, NULL);
  ck_assert_str_eq(text, "old\n");
  ck_assert_int_eq(files_in_scratch(), before);
  free(text);
  result_free(&result);
}
END_TEST

START_TEST(failed_samples_are_nan_rows_on_request_and_their_neighbours_are_whole) {
  Result result = flowc("sample %s -n 100 --on-error nan", scratch_file("fails.flow", fails));
  expect_code(result, 3);
  double x[200];
  int failed = 0;
  ck_assert_uint_eq(read_csv(result.out, x, 200), 100);
  for (int i = 0; i < 100; i++) {
    ck_assert(!isinf(x[i]));
    failed += isnan(x[i]) != 0;
  }
  ck_assert_msg(failed > 25 && failed < 95, "%d failed", failed); /* half begin left of 0, others get there */
  char words[64];
  snprintf(words, sizeof words, "%d failed", failed);
  expect_in(result.err, words);
  result_free(&result);
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_exit_status_4) {
  Result result = flowc("sample %s/moons.flow -n 10 -o %s/none/x.npy", examples(), scratch());
  expect_code(result, 4);
  result_free(&result);
}
END_TEST

START_TEST(a_suffix_without_a_format_is_refused_before_the_work) {
  Result result = flowc("sample %s/moons.flow -n 10 -o %s/x.dat", examples(), scratch());
  ck_assert_msg(result.code == 1 || result.code == 2, "exit status %d", result.code);
  expect_in(result.err, ".npy");
  result_free(&result);
}
END_TEST

/* ---- options ----------------------------------------------------------------------------------------------------- */

START_TEST(a_picture_alone_is_all_of_standard_output) {
  Result result = flowc("sample %s/moons.flow -n 2000 --plot", examples());
  expect_code(result, 0);
  expect_in(result.out, "└──");
  expect_in(result.out, "⣿");
  result_free(&result);
  result = flowc("sample %s/moons.flow -n 2000 --plot --ascii", examples());
  expect_in(result.out, "+---");
  for (const char *at = result.out; *at; at++) ck_assert_msg(!((unsigned char)*at & 0x80), "not plain: %s", result.out);
  result_free(&result);
}
END_TEST

START_TEST(the_summary_is_json_on_request) {
  Result result = flowc("sample %s/moons.flow -n 10 --json", examples());
  expect_code(result, 0);
  expect_in(result.err, "{\"samples\": 10, \"failed\": 0, \"evaluations_per_sample\": 200, ");
  result_free(&result);
}
END_TEST

START_TEST(solver_and_steps_of_the_command_line_hold) {
  Result result = flowc("sample %s/moons.flow -n 10 --solver rk4 --steps 7", examples());
  expect_code(result, 0);
  expect_in(result.err, "28 evaluations each");
  result_free(&result);
}
END_TEST

static const struct {
  int code;
  const char *line, *words;
} wrong[] = {
    {2, "sample %s/moons.flow --solver rk5", "did you mean `rk4`"},
    {2, "sample %s/moons.flow --steps 0", "at least 1"},
    {2, "sample %s/moons.flow -n 10 --range 5:20", "beyond the 10 samples"},
    {2, "sample %s/moons.flow --condition w=1", "no conditions"},
    {2, "sample %s/moons.flow --threads 0", "--threads wants"},
    {1, "sample %s/moons.flow --from 1,2,3", "2"},
    {2, "eval %s/moons.flow", "--at is missing"},
    {1, "eval %s/moons.flow --at 1,2,3", "each point takes 2"},
    {1, "eval %s/moons.flow --at 1,2 --time 0,1", "2 times for 1 points"},
    {2, "eval %s/moons.flow --at points", "neither numbers"},
    {4, "eval %s/moons.flow --at none.npy", "none.npy"},
    {2, "bench %s/moons.flow --rounds 3", "--rounds wants 7"},
    {2, "inspect %s/moons.flow --plot", "is a program"},
};
START_TEST(what_does_not_fit_is_told) {
  char line[512];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  snprintf(line, sizeof line, wrong[_i].line, examples());
#pragma GCC diagnostic pop
  Result result = flowc("%s", line);
  expect_code(result, wrong[_i].code);
  expect_in(result.err, wrong[_i].words);
  ck_assert_str_eq(result.out, "");
  result_free(&result);
}
END_TEST

START_TEST(conditions_are_given_by_name_as_a_number_or_as_a_file) {
  char model[512], file[512];
  snprintf(model, sizeof model, "%s",
           scratch_file("pull.flow", "field u(t, x: [1], c: [1]) = c\n"
                                     "flow m { source normal(1)  velocity u  solver euler steps 1 }\n"));
  snprintf(file, sizeof file, "%s", scratch_file("c.csv", "c\n1\n2\n"));
  double x[4];
  Result result = flowc("eval %s --at 0 -c c=5", model);
  expect_code(result, 0);
  ck_assert_uint_eq(read_csv(result.out, x, 4), 1);
  ck_assert_double_eq(x[0], 5);
  result_free(&result);
  result = flowc("sample %s --from %s -c c=%s", model, file, file); /* x0 + c */
  expect_code(result, 0);
  ck_assert_uint_eq(read_csv(result.out, x, 4), 2);
  ck_assert_double_eq(x[0], 2);
  ck_assert_double_eq(x[1], 4);
  result_free(&result);
  result = flowc("sample %s -n 2", model);
  expect_code(result, 2);
  expect_in(result.err, "--condition c=");
  result_free(&result);
}
END_TEST

static const char *const stages[] = {"ast", "ir", "frozen", "tile", "llvm", "asm"};
START_TEST(every_stage_can_be_shown) {
  Result result = flowc("check %s/moons.flow --emit %s", examples(), stages[_i]);
  expect_code(result, 0);
  ck_assert_msg(strlen(result.out) > 100, "%s", result.out);
  result_free(&result);
}
END_TEST

START_TEST(bench_reports_medians) {
  Result result = flowc("bench %s/moons.flow -n 100 --json", examples());
  expect_code(result, 0);
  expect_in(result.out, "\"rounds\": 7, \"seconds\": {\"median\": ");
  expect_in(result.out, "\"evaluations_per_second\": ");
  result_free(&result);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("sample");
  TCase *all = tcase_create("all");
  tcase_set_timeout(all, 120);
  tcase_add_test(all, a_whole_turn_brings_every_point_back);
  tcase_add_test(all, eval_gives_the_formula);
  tcase_add_test(all, the_mixture_has_its_moments);
  tcase_add_test(all, the_moons_are_two_half_circles);
  tcase_add_test(all, ranges_end_to_end_are_the_whole_run);
  tcase_add_test(all, other_seeds_are_other_samples);
  tcase_add_test(all, the_level_of_the_cpu_does_not_show_in_the_bits);
  tcase_add_test(all, samples_from_a_file_are_the_samples_that_were_written_to_it);
  tcase_add_test(all, a_npy_file_holds_the_samples);
  tcase_add_test(all, failed_samples_leave_the_old_file_and_no_other);
  tcase_add_test(all, failed_samples_are_nan_rows_on_request_and_their_neighbours_are_whole);
  tcase_add_test(all, a_folder_that_is_not_there_is_exit_status_4);
  tcase_add_test(all, a_suffix_without_a_format_is_refused_before_the_work);
  tcase_add_test(all, a_picture_alone_is_all_of_standard_output);
  tcase_add_test(all, the_summary_is_json_on_request);
  tcase_add_test(all, solver_and_steps_of_the_command_line_hold);
  tcase_add_loop_test(all, what_does_not_fit_is_told, 0, (int)(sizeof wrong / sizeof *wrong));
  tcase_add_test(all, conditions_are_given_by_name_as_a_number_or_as_a_file);
  tcase_add_loop_test(all, every_stage_can_be_shown, 0, (int)(sizeof stages / sizeof *stages));
  tcase_add_test(all, bench_reports_medians);
  suite_add_tcase(suite, all);
  return run_suite(suite);
}
