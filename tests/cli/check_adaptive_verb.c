/* SPDX-License-Identifier: Apache-2.0 */
/* check_adaptive_verb.c -- steps that adapt, through the command: sample, logp, bench; failures and what becomes of files. */
#include "run_suite.h"
#include "user.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A whole turn in time 1; the flow says nothing of a solver. */
static const char turns[] = "field u(t, x: [2]) = 2 * pi * [-x[1], x[0]]\nflow turn { source normal(2)  velocity u }\n";
/* x' = x^2: what begins right of 1 never arrives. */
static const char blows_up[] = "field u(t, x: [1]) = [x[0] * x[0]]\nflow f { source normal(1)  velocity u  solver dopri5 rtol 1e-4 }\n";
static const char by_rk4[] = "field u(t, x: [1]) = [-x[0]]\nflow f { source normal(1)  velocity u  solver rk4 steps 10 }\n";

static size_t rows_of(const char *text) {
  size_t lines = 0;
  for (const char *at = text; (at = strchr(at, '\n')); at++) lines++;
  return lines > 0 ? lines - 1 : 0;     /* without the head */
}

START_TEST(a_flow_without_a_solver_keeps_to_the_standard_tolerance) {
  Result result = flowc("sample %s --from 0.5,-1 --precision f64", scratch_file("turns.flow", turns));
  expect_code(result, 0);
  double x, y;
  ck_assert_int_eq(sscanf(strchr(result.out, '\n') + 1, "%lf,%lf", &x, &y), 2);
  ck_assert_double_eq_tol(x, 0.5, 1e-7);        /* 100 times 1e-9 */
  ck_assert_double_eq_tol(y, -1, 1e-7);
  expect_in(result.err, "dop853, rtol 1e-09, atol 1e-09 (no method was named; the velocity is smooth)");
  expect_in(result.err, "rejected");
  result_free(&result);
}
END_TEST

START_TEST(options_name_the_method_and_the_tolerance) {
  Result result = flowc("sample %s --from 1,0 --solver dop853 --rtol 1e-10 --atol 1e-11 --precision f64 --json", scratch_file("turns.flow", turns));
  expect_code(result, 0);
  expect_in(result.err, "\"solver\": \"dop853\", \"rtol\": 1e-10, \"atol\": 1e-11");
  result_free(&result);
  result = flowc("sample %s -n 3 --rtol 1e-4", scratch_file("rk4.flow", by_rk4));       /* rk4 cannot; the standard method can */
  expect_code(result, 0);
  expect_in(result.err, "dopri5, rtol 0.0001");
  result_free(&result);
}
END_TEST

static const struct { const char *words, *says; } refused[] = {
    {"--solver rk4 --rtol 1e-4", "no estimate of its error"},
    {"--rtol 1e-4 --steps 10", "one or the other"},
    {"--rtol 2", "--rtol wants a number above 0"},
    {"--atol x", "--atol wants a number above 0"},
    {"--rtol 1e-9", "beyond f32"},
    {"--steps 10 --solver rk4 --max-steps 5", "--max-steps is for steps that adapt"},
    {"--min-step 0", "--min-step wants a number above 0, such as 0.01"},
    {"--max-step x", "--max-step wants a number above 0"},
    {"--max-step 0.01 --min-step 0.1", "--max-step 0.01 is less than --min-step 0.1"},
    {"--steps 10 --solver rk4 --max-step 0.1", "--max-step is for steps that adapt"},
    {"--replay r.csv", "--only 17 says which"},
    {"--only 3 --range 0:5", "one or the other"},
    {"--only 5 -n 5", "the last sample is 4"},
};

START_TEST(what_makes_no_sense_is_refused_in_words) {
  Result result = flowc("sample %s %s", scratch_file("turns.flow", turns), refused[_i].words);
  expect_code(result, 2);
  expect_in(result.err, refused[_i].says);
  ck_assert_str_eq(result.out, "");
  result_free(&result);
}
END_TEST

/* ---- the method that nobody named, and kinks ---- */

#define KINKED(name, body) "field u(t, x: [2]) = " body "\nflow " name " { source normal(2)  velocity u }\n"
static const struct { const char *text, *words, *says; } automatic[] = {
    {KINKED("smooth", "tanh(x)"), "--precision f64", "dop853, rtol 1e-09, atol 1e-09 (no method was named; the velocity is smooth)"},
    {KINKED("smooth", "tanh(x)"), "--precision f64 --rtol 1e-7", "dopri5, rtol 1e-07, atol 1e-07 (no method was named; the velocity is smooth)"},
    {KINKED("smooth", "tanh(x)"), "", "dopri5, rtol 1e-06, atol 1e-06 (no"},
    {KINKED("c1", "-elu(x)"), "--precision f64", "dopri5, rtol 1e-09, atol 1e-09 (no method was named; the velocity has second derivatives that jump)"},
    {KINKED("c0", "-relu(x)"), "--precision f64", "dopri5, rtol 1e-09, atol 1e-09 (no method was named; the velocity has slopes that jump)"},
    {KINKED("c0", "-relu(x)"), "--precision f64 --json", "\"automatic\": true, \"smoothness\": \"C0\""},
    {KINKED("c0", "-relu(x)"), "--precision f64 --solver tsit5 --json", "\"automatic\": false"},
    {KINKED("c1", "-elu(x)"), "--precision f64 --solver dop853", "dop853 misses kinks"},
    {KINKED("c0", "-selu(x)"), "--precision f64 --logp -", "costs many steps"},
};

START_TEST(without_a_name_the_method_goes_by_precision_tolerance_and_kinks) {
  Result result = flowc("sample %s -n 3 %s -o %s/a.npy", scratch_file("a.flow", automatic[_i].text), automatic[_i].words, scratch());
  expect_code(result, 0);
  expect_in(result.err, automatic[_i].says);
  result_free(&result);
}
END_TEST

START_TEST(kinks_are_no_matter_where_tolerances_are_loose_or_log_p_is_not_asked_for) {
  static const char *const words[] = {"--precision f64", "--precision f64 --rtol 1e-5 --logp -", "--logp -", "--precision f64 --solver tsit5"};
  Result result = flowc("sample %s -n 3 %s -o %s/a.npy", scratch_file("a.flow", KINKED("c0", "-selu(x)")), words[_i], scratch());
  expect_code(result, 0);
  ck_assert_ptr_null(strstr(result.err, "warning"));
  result_free(&result);
}
END_TEST

START_TEST(inspect_tells_how_smooth_the_velocity_is) {
  const char *model = scratch_file("a.flow", KINKED("c1", "-elu(x)"));
  Result result = flowc("inspect %s", model);
  expect_code(result, 0);
  expect_in(result.out, "as a function of the state the velocity has second derivatives that jump: ");
  result_free(&result);
  result = flowc("inspect %s --json", model);
  expect_in(result.out, "\"smoothness\": \"C1\", \"nodes\"");
  result_free(&result);
}
END_TEST

static unsigned long steps_of(const char *words) {
  Result result = flowc("sample %s -n 1 --rtol 1e-4 %s --json -o %s/a.npy", scratch_file("turns.flow", turns), words, scratch());
  expect_code(result, 0);
  unsigned long attempts;
  ck_assert_int_eq(sscanf(strstr(result.err, "\"attempts\": "), "\"attempts\": %lu", &attempts), 1);
  result_free(&result);
  return attempts;
}

START_TEST(steps_can_be_bounded_from_above_and_below) {
  ck_assert_uint_lt(steps_of(""), 90);
  ck_assert_uint_ge(steps_of("--max-step 0.01"), 100);
  Result result = flowc("sample %s -n 1 --rtol 1e-6 --min-step 0.2", scratch_file("turns.flow", turns));
  expect_code(result, 3);
  expect_in(result.err, "step became too small");
  result_free(&result);
}
END_TEST

START_TEST(tolerances_that_f32_holds_barely_are_a_warning) {
  Result result = flowc("sample %s -n 2 --rtol 5e-7", scratch_file("turns.flow", turns));
  expect_code(result, 0);
  expect_in(result.err, "f32 ends near 3e-6");
  result_free(&result);
}
END_TEST

START_TEST(failed_samples_are_counted_with_their_reason_and_nothing_is_written) {
  char path[512];
  snprintf(path, sizeof path, "%s/none.npy", scratch());
  Result result = flowc("sample %s -n 300 -o %s", scratch_file("blows.flow", blows_up), path);
  expect_code(result, 3);
  expect_in(result.err, "its step became too small");
  expect_in(result.err, "stopped at t = ");
  expect_in(result.err, ", x = [");
  expect_in(result.err, "no file was written");
  ck_assert_ptr_null(read_text(path, NULL));
  result_free(&result);
}
END_TEST

START_TEST(failed_samples_are_nan_or_left_out_on_request) {
  const char *model = scratch_file("blows.flow", blows_up);
  Result all = flowc("sample %s -n 300 --on-error nan", model), good = flowc("sample %s -n 300 --on-error drop", model);
  expect_code(all, 3);
  expect_code(good, 3);
  ck_assert_uint_eq(rows_of(all.out), 300);
  ck_assert(strstr(all.out, "nan") || strstr(all.out, "NaN"));
  ck_assert_ptr_null(strstr(good.out, "an"));
  ck_assert_uint_gt(rows_of(good.out), 200);     /* about one of six begins right of 1 */
  ck_assert_uint_lt(rows_of(good.out), 280);
  expect_in(good.err, "they have no rows");
  size_t rows = rows_of(good.out);
  result_free(&all), result_free(&good);
  for (int npz = 0; npz < 2; npz++) {
    char path[512], shape[64];
    snprintf(path, sizeof path, "%s/good.%s", scratch(), npz ? "npz" : "npy");
    Result result = flowc("sample %s -n 300 --on-error drop -o %s", scratch_file("blows.flow", blows_up), path);
    expect_code(result, 3);
    result_free(&result);
    result = flowc("inspect %s", path);
    expect_code(result, 0);
    snprintf(shape, sizeof shape, "%zu, 1", rows);
    expect_in(result.out, shape);
    result_free(&result);
  }
}
END_TEST

START_TEST(one_sample_can_be_replayed_and_has_its_bits) {
  char path[512];
  snprintf(path, sizeof path, "%s/steps.csv", scratch());
  const char *model = scratch_file("turns.flow", turns);
  Result all = flowc("sample %s -n 20 --precision f64", model);
  Result one = flowc("sample %s -n 20 --precision f64 --only 17 --replay %s", model, path);
  expect_code(all, 0);
  expect_code(one, 0);
  const char *row = strchr(one.out, '\n') + 1;
  expect_in(all.out, row);
  char *steps = read_text(path, NULL);
  ck_assert_ptr_nonnull(steps);
  expect_in(steps, "attempt,t,h,error,accepted,x0,x1\n0,0,");
  ck_assert_uint_ge(rows_of(steps), 5);
  free(steps);
  result_free(&all), result_free(&one);
}
END_TEST

START_TEST(log_p_is_computed_on_the_way_and_from_data) {
  /* a rotation carries the normal density to itself: log p(0, 0) = -log 2 pi */
  Result result = flowc("logp %s --data 0,0 --rtol 1e-8 --precision f64", scratch_file("turns.flow", turns));
  expect_code(result, 0);
  double log_p;
  ck_assert_int_eq(sscanf(strchr(result.out, '\n') + 1, "%lf", &log_p), 1);
  ck_assert_double_eq_tol(log_p, -log(2 * acos(-1)), 1e-6);
  expect_in(result.err, "rtol 1e-08");
  result_free(&result);
  result = flowc("sample %s -n 5 -o %s/x.npy --logp -", scratch_file("turns.flow", turns), scratch());
  expect_code(result, 0);
  ck_assert_uint_eq(rows_of(result.out), 5);
  result_free(&result);
}
END_TEST

START_TEST(bench_tells_how_full_the_tiles_were) {
  Result result = flowc("bench %s -n 2000 --rtol 1e-4 --json", scratch_file("turns.flow", turns));
  expect_code(result, 0);
  expect_in(result.out, "\"useful_lanes\": 0.");
  expect_in(result.out, "\"ns_per_accepted_evaluation\": ");
  result_free(&result);
}
END_TEST

START_TEST(threads_do_not_show) {
  const char *model = scratch_file("turns.flow", turns);
  Result one = flowc("sample %s -n 500 --threads 1", model), three = flowc("sample %s -n 500 --threads 3", model);
  expect_code(one, 0);
  ck_assert_str_eq(one.out, three.out);
  result_free(&one), result_free(&three);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("adaptive verbs");
  TCase *all = tcase_create("all");
  tcase_set_timeout(all, 60);
  tcase_add_test(all, a_flow_without_a_solver_keeps_to_the_standard_tolerance);
  tcase_add_test(all, options_name_the_method_and_the_tolerance);
  tcase_add_loop_test(all, what_makes_no_sense_is_refused_in_words, 0, sizeof refused / sizeof refused[0]);
  tcase_add_loop_test(all, without_a_name_the_method_goes_by_precision_tolerance_and_kinks, 0, sizeof automatic / sizeof automatic[0]);
  tcase_add_loop_test(all, kinks_are_no_matter_where_tolerances_are_loose_or_log_p_is_not_asked_for, 0, 4);
  tcase_add_test(all, inspect_tells_how_smooth_the_velocity_is);
  tcase_add_test(all, steps_can_be_bounded_from_above_and_below);
  tcase_add_test(all, tolerances_that_f32_holds_barely_are_a_warning);
  tcase_add_test(all, failed_samples_are_counted_with_their_reason_and_nothing_is_written);
  tcase_add_test(all, failed_samples_are_nan_or_left_out_on_request);
  tcase_add_test(all, one_sample_can_be_replayed_and_has_its_bits);
  tcase_add_test(all, log_p_is_computed_on_the_way_and_from_data);
  tcase_add_test(all, bench_tells_how_full_the_tiles_were);
  tcase_add_test(all, threads_do_not_show);
  suite_add_tcase(suite, all);
  return run_suite(suite);
}
