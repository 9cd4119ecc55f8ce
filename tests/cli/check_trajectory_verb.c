/* SPDX-License-Identifier: Apache-2.0 */
/* check_trajectory_verb.c -- flowc trajectory, and the grids of sample and logp, through the command. */
#include "run_suite.h"
#include "user.h"
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The rotation by 2 pi a unit of time: (cos, sin).  dopri5 with 50 steps: far below 1e-7 at and between nodes. */
START_TEST(a_path_is_the_solution_at_every_time) {
  Result result = flowc("trajectory %s/rotation.flow --from 1,0 --precision f64 --solver dopri5 --steps 50 --times 0:1:38", examples());
  expect_code(result, 0);
  double row[38 * 4];
  ck_assert_uint_eq(read_csv(result.out, row, 38 * 4), 38 * 4);
  ck_assert_int_eq(strncmp(result.out, "t,sample,x0,x1\n", 15), 0);
  for (int i = 0; i < 38; i++) {
    double t = i / 37.0;
    ck_assert_double_eq_tol(row[4 * i], t, 1e-15);
    ck_assert(row[4 * i + 1] == 0);
    ck_assert_double_eq_tol(row[4 * i + 2], cos(2 * M_PI * t), 1e-7);
    ck_assert_double_eq_tol(row[4 * i + 3], sin(2 * M_PI * t), 1e-7);
  }
  expect_in(result.err, "dopri5, 50 steps, between them its dense output: order 5");
  result_free(&result);
}
END_TEST

START_TEST(the_end_of_a_path_is_the_sample) {
  Result sample = flowc("sample %s/mixture.flow -n 7 --seed 5", examples());
  Result path = flowc("trajectory %s/mixture.flow -n 7 --seed 5 --times 0.3,1", examples());
  expect_code(sample, 0);
  expect_code(path, 0);
  double x[14], row[56];
  ck_assert_uint_eq(read_csv(sample.out, x, 14), 14);
  ck_assert_uint_eq(read_csv(path.out, row, 56), 56);
  for (int i = 0; i < 7; i++) {
    ck_assert(row[28 + 4 * i] == 1 && row[28 + 4 * i + 1] == i);
    ck_assert(row[28 + 4 * i + 2] == x[2 * i] && row[28 + 4 * i + 3] == x[2 * i + 1]);
  }
  result_free(&sample);
  result_free(&path);
}
END_TEST

START_TEST(times_may_come_in_any_order_and_from_a_file) {
  const char *times = scratch_file("times.csv", "t\n1\n0\n0.25\n");
  Result file = flowc("trajectory %s/rotation.flow --from 1,0 --times %s", examples(), times);
  Result words = flowc("trajectory %s/rotation.flow --from 1,0 --times 1,0,0.25", examples());
  expect_code(file, 0);
  expect_code(words, 0);
  ck_assert_str_eq(file.out, words.out);
  double row[12];
  ck_assert_uint_eq(read_csv(file.out, row, 12), 12);
  ck_assert(row[0] == 1 && row[4] == 0 && row[8] == 0.25 && row[6] == 1 && row[7] == 0);
  result_free(&file);
  result_free(&words);
}
END_TEST

START_TEST(arrays_have_times_before_samples) {
  static const char *const header[] = {"'shape': (3, 4, 2)", "x.npy"};
  static const char *const suffix[] = {"npy", "npz"};
  for (int i = 0; i < 2; i++) {
    char path[600];
    size_t length;
    snprintf(path, sizeof path, "%s/path.%s", scratch(), suffix[i]);
    Result result = flowc("trajectory %s/mixture.flow -n 4 --times 0:1:3 -o %s", examples(), path);
    expect_code(result, 0);
    ck_assert_str_eq(result.out, "");
    char *text = read_text(path, &length);
    ck_assert_ptr_nonnull(text);
    bool found = false;
    for (size_t at = 0; !found && at + strlen(header[i]) <= length; at++) found = memcmp(text + at, header[i], strlen(header[i])) == 0;
    ck_assert_msg(found, "%s is not in %s", header[i], path);
    free(text);
    result_free(&result);
    result = flowc("inspect %s", path);
    expect_code(result, 0);
    expect_in(result.out, "[3, 4, 2]");
    result_free(&result);
  }
}
END_TEST

START_TEST(a_picture_of_the_paths_is_all_of_standard_output) {
  Result result = flowc("trajectory %s/rotation.flow --from 1,0 --times 0:1:60 --plot --ascii", examples());
  expect_code(result, 0);
  expect_in(result.out, "1 of 1 paths at 60 times");
  ck_assert_ptr_null(strstr(result.out, "t,sample"));
  result_free(&result);
}
END_TEST

START_TEST(the_summary_of_paths_is_json_on_request) {
  Result result = flowc("trajectory %s/rotation.flow --from 1,0 --times 0,1 --json", examples());
  expect_code(result, 0);
  expect_in(result.err, "{\"samples\": 1, \"times\": 2, \"failed\": 0, \"solver\": \"rk4\", \"steps\": 100, \"order\": 4, ");
  result_free(&result);
}
END_TEST

/* x' = x^2 from 2 is infinite at t = 1/2; the other sample stays. */
START_TEST(a_path_that_fails_is_nan_from_there_on_or_no_file) {
  const char *model = scratch_file("burst.flow", "field u(t, x: [1]) = x * x\nflow f { source normal(1)  velocity u  solver euler steps 64 }\n");
  char copy[600], from[600], path[600];
  size_t length;
  snprintf(copy, sizeof copy, "%s", model);
  snprintf(from, sizeof from, "%s", scratch_file("x0.csv", "x\n-1\n9\n"));
  snprintf(path, sizeof path, "%s/burst.csv", scratch());
  Result result = flowc("trajectory %s --from %s --times 0,1 -o %s", copy, from, path);
  expect_code(result, 3);
  expect_in(result.err, "1 of 2 samples failed");
  ck_assert_ptr_null(read_text(path, &length));
  result_free(&result);
  result = flowc("trajectory %s --from %s --times 0,1 --on-error nan", copy, from);
  expect_code(result, 3);
  double row[12];
  ck_assert_uint_eq(read_csv(result.out, row, 12), 12);
  ck_assert(row[2] == -1 && row[5] == 9 && isfinite(row[8]) && isnan(row[11]));
  result_free(&result);
}
END_TEST

/* ---- grids -------------------------------------------------------------------------------------------------------- */

START_TEST(a_grid_of_equal_steps_is_the_number_of_them) {
  Result steps = flowc("sample %s/moons.flow -n 5 --steps 4", examples());
  Result grid = flowc("sample %s/moons.flow -n 5 --grid 0,0.25,0.5,0.75,1", examples());
  Result divided = flowc("sample %s/moons.flow -n 5 --grid 0:1:3 --steps 4", examples());
  expect_code(steps, 0);
  expect_code(grid, 0);
  expect_code(divided, 0);
  ck_assert_str_eq(steps.out, grid.out);
  ck_assert_str_eq(steps.out, divided.out);
  result_free(&steps);
  result_free(&grid);
  result_free(&divided);
}
END_TEST

/* The program's word and the same nodes by hand: (1 - cos(pi i/4))/2. */
START_TEST(the_spacing_of_a_program_is_the_grid_that_it_stands_for) {
  const char *model = scratch_file("spaced.flow", "field u(t, x: [1]) = x * cos(t)\n"
                                                  "flow f { source normal(1)  velocity u  solver rk4 steps 4 spacing cosine }\n");
  Result word = flowc("sample %s -n 3 --precision f64", model);
  Result hand = flowc("sample %s -n 3 --precision f64 --grid 0,0.14644660940672624,0.5,0.85355339059327378,1", model);
  expect_code(word, 0);
  expect_code(hand, 0);
  double x[3], y[3];
  ck_assert_uint_eq(read_csv(word.out, x, 3), 3);
  ck_assert_uint_eq(read_csv(hand.out, y, 3), 3);
  for (int i = 0; i < 3; i++) ck_assert_double_eq_tol(x[i], y[i], 4e-15);       /* nodes within a rounding, |x| < 4 */
  result_free(&word);
  result_free(&hand);
}
END_TEST

/* rk4 with 40 steps short at the source: there and back is the start within 1e-6, the likelihood's own check of half steps too. */
START_TEST(log_densities_take_the_grid_backwards) {
  const char *model = scratch_file("power.flow", "field u(t, x: [1]) = x * cos(t)\n"
                                                 "flow f { source normal(1)  velocity u  solver rk4 steps 40 spacing power 2 }\n");
  static const char *const grid[] = {"", "--grid 0,0.1,0.3,1 --steps 39", "--grid 1,0.3,0.1,0 --steps 39"};
  for (int i = 0; i < 3; i++) {
    Result result = flowc("logp %s --data 0.5 --precision f64 %s", model, grid[i]);
    expect_code(result, 0);
    double log_p, stretch = exp(sin(1)), start = 0.5 / stretch;
    ck_assert_uint_eq(read_csv(result.out, &log_p, 1), 1);
    ck_assert_double_eq_tol(log_p, -start * start / 2 - log(2 * M_PI) / 2 - log(stretch), 1e-6);
    result_free(&result);
  }
}
END_TEST

/* x(t) = x0 exp(sin t); the path's end is the sample, and fixed steps are still to be had. */
START_TEST(steps_adapt_where_the_flow_says_no_number_of_them) {
  const char *model = scratch_file("adapts.flow", "field u(t, x: [1]) = x * cos(t)\n"
                                                  "flow f { source normal(1)  velocity u  solver tsit5 rtol 1e-8 }\n");
  Result result = flowc("trajectory %s --from 0.5 --precision f64 --times 0:1:9", model);
  expect_code(result, 0);
  expect_in(result.err, "tsit5, rtol 1e-08, atol 1e-08, between them its dense output: order 5");
  double row[27];
  ck_assert_uint_eq(read_csv(result.out, row, 27), 27);
  for (int i = 0; i < 9; i++) ck_assert_double_eq_tol(row[3 * i + 2], 0.5 * exp(sin(row[3 * i])), 1e-6);
  Result end = flowc("sample %s --from 0.5 --precision f64", model);
  double x;
  ck_assert_uint_eq(read_csv(end.out, &x, 1), 1);
  ck_assert_double_eq(x, row[26]);
  result_free(&result), result_free(&end);
  result = flowc("trajectory %s -n 2 --steps 20 --times 0,1", model);
  expect_code(result, 0);
  expect_in(result.err, "tsit5, 20 steps");
  result_free(&result);
  result = flowc("trajectory %s -n 2 --solver dop853 --rtol 1e-5 --times 0,0.4 --json", model);
  expect_code(result, 0);
  expect_in(result.err, "\"solver\": \"dop853\", \"rtol\": 1e-05");
  result_free(&result);
}
END_TEST

/* psi(t, x) = (x0 + t sin x1, x1 exp(t/2)), the identity at 0. */
static const char shear[] = "map shear(t, x: [2]) = [x[0] + t*sin(x[1]), x[1]*exp(t/2)]\n  inverse(t, y) =\n    let b = y[1]*exp(-t/2)\n"
                            "    [y[0] - t*sin(b), b]\nflow shear { source normal(2)  velocity of shear }\n";

START_TEST(a_map_is_followed_by_itself) {
  static const char *const precision[] = {"f32", "f64"};
  for (int k = 0; k < 2; k++) {
    const char *model = scratch_file("shear.flow", shear);
    Result path = flowc("trajectory %s -n 5 --precision %s --times 1,0,0.25", model, precision[k]);
    Result sample = flowc("sample %s -n 5 --precision %s", model, precision[k]);
    expect_code(path, 0);
    expect_code(sample, 0);
    expect_in(path.err, "by the map itself");
    double row[60], x[10];
    ck_assert_uint_eq(read_csv(path.out, row, 60), 60);
    ck_assert_uint_eq(read_csv(sample.out, x, 10), 10);
    for (int i = 0; i < 5; i++) {
      const double *end = row + 4 * i, *start = row + 20 + 4 * i, *between = row + 40 + 4 * i;
      ck_assert(end[2] == x[2 * i] && end[3] == x[2 * i + 1]);          /* the bits of the sample */
      ck_assert_double_eq_tol(between[2], start[2] + 0.25 * sin(start[3]), k ? 1e-14 : 1e-6);
      ck_assert_double_eq_tol(between[3], start[3] * exp(0.125), k ? 1e-14 : 1e-6);
    }
    result_free(&path), result_free(&sample);
  }
  Result outside = flowc("trajectory %s -n 5 --times 0,1.5", scratch_file("shear.flow", shear));
  expect_code(outside, 2);
  expect_in(outside.err, "time 1 is 1.5; the solve is from 0 to 1");
  result_free(&outside);
  Result solved = flowc("trajectory %s -n 5 --times 0,1 --solver rk4 --steps 20", scratch_file("shear.flow", shear));
  expect_code(solved, 0);
  expect_in(solved.err, "rk4, 20 steps");
  result_free(&solved);
}
END_TEST

START_TEST(a_path_that_fails_tells_why) {
  const char *model = scratch_file("root.flow", "field u(t, x: [1]) = [sqrt(0.5 - t) + x[0]]\nflow f { source normal(1)  velocity u }\n");
  Result result = flowc("trajectory %s --from 0.7 --times 0,0.25,1 --on-error nan", model);
  expect_code(result, 3);
  expect_in(result.err, "left the domain: sqrt of -");
  double row[9];
  ck_assert_uint_eq(read_csv(result.out, row, 9), 9);
  ck_assert((float)row[2] == 0.7f && isfinite(row[5]) && isnan(row[8]));
  result_free(&result);
}
END_TEST

/* ---- what is wrong ------------------------------------------------------------------------------------------------- */

static const struct { int code; const char *words, *message; } wrong[] = {
    {2, "trajectory %s/rotation.flow --from 1,0 --times 0,2", "time 1 is 2; the solve is from 0 to 1"},
    {2, "trajectory %s/rotation.flow --from 1,0 --times -0.5,1", "time 0 is -0.5; the solve is from 0 to 1"},
    {1, "trajectory %s/rotation.flow --from 1,0 --times 0,nan", "--times: time 1 is nan"},
    {1, "trajectory %s/rotation.flow --from 1,0 --times 0:inf:3", "--times: time"},
    {2, "trajectory %s/rotation.flow --from 1,0 --times 0:1:1", "a whole number of times from 2"},
    {2, "trajectory %s/rotation.flow --from 1,0 --times 0:1:2.5", "a whole number of times from 2"},
    {2, "trajectory %s/rotation.flow --from 1,0 --times 0:1:1e30", "a whole number of times from 2"},
    {2, "trajectory %s/rotation.flow --from 1,0 --times soon", "neither numbers with commas nor"},
    {4, "trajectory %s/rotation.flow --from 1,0 --times none.npy", "none.npy"},
    {2, "trajectory %s/rotation.flow --from 1,0 -o path.txt", ".npy, .npz or .csv"},
    {2, "trajectory %s/rotation.flow --from 1,0 --solver rk5", "did you mean"},
    {2, "trajectory %s/rotation.flow --from 1,0 --solver abcdefgh", "flowc help solvers"},
    {2, "sample %s/rotation.flow --grid 0,0.5,0.4,1", "time 2 of the grid is 0.4"},
    {2, "sample %s/rotation.flow --grid 0,0.5,0.5,1", "they must rise"},
    {1, "sample %s/rotation.flow --grid 0,nan,1", "--grid: time 1 is nan"},
    {2, "sample %s/rotation.flow --grid 0,0.5,0.9", "the grid is from 0 to 0.9"},
    {2, "sample %s/rotation.flow --grid 0.5", "two times at least"},
    {2, "sample %s/rotation.flow --grid 0,0.5,1 --steps 3", "3 steps on a grid of 2 intervals"},
    {2, "sample %s/rotation.flow --grid 0,0.5,1 --steps 0", "0 steps"},
    {4, "logp %s/rotation.flow --data 0,1 --grid none.npy", "none.npy"},
};
START_TEST(wrong_times_and_grids_are_told) {
  char words[300];
  snprintf(words, sizeof words, "%s", wrong[_i].words);
  char *hole = strstr(words, "%s");
  *hole = 0;
  Result result = flowc("%s%s%s", words, examples(), hole + 2);
  expect_code(result, wrong[_i].code);
  expect_in(result.err, wrong[_i].message);
  result_free(&result);
}
END_TEST

START_TEST(the_solvers_are_listed_with_their_orders) {
  Result result = flowc("help solvers");
  expect_code(result, 0);
  expect_in(result.out, "dop853    order 8");
  expect_in(result.out, "torchdiffeq calls rk4");
  expect_in(result.out, "spacing cosine");
  result_free(&result);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("trajectory verb");
  TCase *all = tcase_create("all");
  tcase_set_timeout(all, 120);
  tcase_add_test(all, a_path_is_the_solution_at_every_time);
  tcase_add_test(all, the_end_of_a_path_is_the_sample);
  tcase_add_test(all, times_may_come_in_any_order_and_from_a_file);
  tcase_add_test(all, arrays_have_times_before_samples);
  tcase_add_test(all, a_picture_of_the_paths_is_all_of_standard_output);
  tcase_add_test(all, the_summary_of_paths_is_json_on_request);
  tcase_add_test(all, a_path_that_fails_is_nan_from_there_on_or_no_file);
  tcase_add_test(all, a_grid_of_equal_steps_is_the_number_of_them);
  tcase_add_test(all, the_spacing_of_a_program_is_the_grid_that_it_stands_for);
  tcase_add_test(all, log_densities_take_the_grid_backwards);
  tcase_add_test(all, steps_adapt_where_the_flow_says_no_number_of_them);
  tcase_add_test(all, a_map_is_followed_by_itself);
  tcase_add_test(all, a_path_that_fails_tells_why);
  tcase_add_loop_test(all, wrong_times_and_grids_are_told, 0, (int)(sizeof wrong / sizeof *wrong));
  tcase_add_test(all, the_solvers_are_listed_with_their_orders);
  suite_add_tcase(suite, all);
  return run_suite(suite);
}
