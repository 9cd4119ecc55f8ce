/* SPDX-License-Identifier: Apache-2.0 */
/* check_failure.c -- hostile fields: the right status, the operation and its place; neighbours keep their bits. */
#include "run_suite.h"
#include "user.h"
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLOW "\nflow f { source normal(1)  velocity u }\n"
#define FIXED "\nflow f { source normal(1)  velocity u  solver rk4 steps 8 }\n"

/* A start that fails and, where there is one, another that does not. */
static const struct { const char *text, *bad, *good, *status, *reason, *mark; } hostile[] = {
    /* NaN from t = 1/2 on */
    {"field u(t, x: [1]) = [sqrt(0.5 - t) + x[0]]" FLOW, "0.7", NULL, "its velocity became infinite", "left the domain: sqrt of -", "^~~~~~~~~~~~~\n"},
    {"field u(t, x: [1]) = [log(x[0]) - 9]" FLOW, "0.7", "40", "its velocity became infinite", "left the domain: log of ", "^~~~~~~~~\n"},
    {"field u(t, x: [1]) = [x[0]^0.3 - 2]" FLOW, "0.7", "9", "its velocity became infinite", " to the power 0.3", "^~~~~~~~\n"},
    /* 2e100 and noise, beyond f32 */
    {"field u(t, x: [1]) = [1e30 * x[0] * (1e30 * x[0])]" FIXED, "0.7", "0", "a component of its state is infinite", "overflow: 7e+29 * 7e+29", "^~~"},
    /* a jump to 1e300 */
    {"field u(t, x: [1]) = if t > 0.5 then [exp(500 * x[0])] else [x[0]]" FLOW, "0.7", "-1", "its velocity became infinite", "overflow: exp of ",
     "^~~~~~~~~~~~~~~\n"},
    /* it ends in finite time */
    {"field u(t, x: [1]) = [x[0] * x[0]]" FLOW, "3", "-1", "its step became too small", "a singularity or stiffness", NULL},
    {"field u(t, x: [1]) = [1 / (x[0] - x[0] * 1)]" FIXED, "3", NULL, "a component of its state is infinite", "division by zero: 1 / 0", "^~~"},
    /* a right side without a solution: it goes to and fro across the jump */
    {"field u(t, x: [1]) = if x[0] > 0 then [-1] else [1]" FLOW, "0.7", "3", "more attempted steps", "its velocity jumps there: component 0 from ", NULL},
    /* NaN here and there: it comes to a stand before the first of them */
    {"field u(t, x: [1]) = [sqrt(sin(1e3 * x[0]) + 0.9)]" FLOW, "0.7", NULL, "more attempted steps", "left the domain: sqrt of -", "^~~~"},
    {"field u(t, x: [1]) = -1e8 * (x - 1)" FLOW, "0.7", "1", "its step became too small", "a singularity or stiffness", NULL},
    {"field u(t, x: [1]) = inverse(square)(t, x)\nmap square(t, x: [1]) = x + x^2" FIXED, "-3", "2", "a component of its state is infinite",
     "no inverse was found in 12 steps of Newton's method: number 0 of the point is -3, ", "^~~~~~~~~~~~~~~\n"},
    {"field u(t, x: [1]) = [exp(90 * x[0])]" FIXED, "0.99", "-1", "a component of its state is infinite", "overflow: exp of ", "^~~"},
};
enum { HOSTILE = sizeof hostile / sizeof *hostile };

START_TEST(a_hostile_field_is_named_with_its_operation_and_place) {
  char from[600];
  snprintf(from, sizeof from, "%s", hostile[_i].bad);
  Result result = flowc("sample %s --from %s -o %s/none.npy", scratch_file("hostile.flow", hostile[_i].text), from, scratch());
  expect_code(result, 3);
  expect_in(result.err, hostile[_i].status);
  expect_in(result.err, hostile[_i].reason);
  expect_in(result.err, "sample 0 at t = ");
  if (hostile[_i].mark) {
    expect_in(result.err, hostile[_i].mark);
    expect_in(result.err, "hostile.flow:1:");
  }
  result_free(&result);
}
END_TEST

START_TEST(its_neighbours_have_the_bits_of_a_run_without_it) {
  if (!hostile[_i].good) return;
  char text[200], both[600];
  snprintf(text, sizeof text, "x\n%s\n%s\n", hostile[_i].bad, hostile[_i].good);
  snprintf(both, sizeof both, "%s", scratch_file("both.csv", text));
  const char *model = scratch_file("hostile.flow", hostile[_i].text);
  Result with = flowc("sample %s --from %s --on-error drop", model, both), alone = flowc("sample %s --from %s", model, hostile[_i].good);
  expect_code(with, 3);
  expect_code(alone, 0);
  ck_assert_str_eq(with.out, alone.out);
  expect_in(with.err, "sample 0 at t = ");
  result_free(&with), result_free(&alone);
}
END_TEST

static const struct { const char *text, *options; int code; const char *says; } harmless[] = {
    {"field u(t, x: [1]) = 0 * x" FLOW, "", 0, "0 failed"},
    {"field u(t, x: [1]) = 0 * x + 3" FLOW, "", 0, "0 failed"},
    {"field u(t, x: [1]) = [sin(1 / (t - 0.5))]" FLOW, "--rtol 1e-4", 0, "0 failed"},        /* steps over the time itself */
    {"field u(t, x: [1]) = -x" FLOW, "--rtol 1e-18 --precision f64", 2, "beyond f64"},
    {"field u(t, x: [1]) = -1000 * (x - 1)" FLOW, "--rtol 1e-4 --precision f64", 0, "stiff: stability"},
};
START_TEST(what_can_be_solved_is_and_what_cannot_be_asked_is_refused) {
  Result result = flowc("sample %s --from 0.7 %s", scratch_file("field.flow", harmless[_i].text), harmless[_i].options);
  expect_code(result, harmless[_i].code);
  expect_in(result.err, harmless[_i].says);
  result_free(&result);
}
END_TEST

START_TEST(one_sample_alone_tells_the_same) {
  const char *model = scratch_file("log.flow", "field u(t, x: [1]) = [log(x[0])]" FIXED);
  Result all = flowc("sample %s -n 20", model);
  expect_code(all, 3);
  char *line = strstr(all.err, "\nsample ");
  ck_assert_ptr_nonnull(line);
  int sample = atoi(line + 8);
  line[1 + strcspn(line + 1, "\n")] = 0;
  Result one = flowc("sample %s -n 20 --only %d", model, sample);
  expect_code(one, 3);
  expect_in(one.err, line + 1);
  result_free(&all), result_free(&one);
}
END_TEST

START_TEST(a_replayed_failure_is_explained_as_well) {
  Result result = flowc("sample %s --from 0.7 --only 0 --replay %s/steps.csv", scratch_file("sqrt.flow", hostile[0].text), scratch());
  expect_code(result, 3);
  expect_in(result.err, "left the domain: sqrt of -");
  result_free(&result);
}
END_TEST

START_TEST(a_bad_start_says_which_number) {
  const char *model = scratch_file("two.flow", "field u(t, x: [2]) = x\nflow f { source normal(2)  velocity u  solver rk4 steps 8 }\n");
  char copy[600];
  snprintf(copy, sizeof copy, "%s", model);
  Result result = flowc("sample %s --from %s", copy, scratch_file("start.csv", "a,b\n1,2\n3,nan\n"));
  expect_code(result, 3);
  expect_in(result.err, "sample 1 at t = 0, x = [3, ");
  expect_in(result.err, "number 1 of its start is NaN");
  result_free(&result);
}
END_TEST

START_TEST(reasons_are_json_on_request) {
  Result result = flowc("sample %s --from 0.7 --json -o %s/none.npy", scratch_file("div.flow", hostile[6].text), scratch());
  expect_code(result, 3);
  expect_in(result.err, "{\"failure\": {\"sample\": 0, \"status\": \"a component of its state is infinite or not a number\", \"t\": 0, ");
  expect_in(result.err, "\"reason\": \"division by zero: 1 / 0\", \"operation\": \"div\"");
  expect_in(result.err, "\"line\": 1, \"column\": ");
  result_free(&result);
}
END_TEST

START_TEST(log_p_that_fails_is_explained_on_its_way_back) {
  Result result = flowc("logp %s --data -0.7", scratch_file("log.flow", "field u(t, x: [1]) = [log(x[0])]" FIXED));
  expect_code(result, 3);
  expect_in(result.err, "sample 0 at t = 1, x = [-0.7]: left the domain: log of -0.7");
  result_free(&result);
}
END_TEST

/* ---- networks ----------------------------------------------------------------------------------------------------------- */

/* A safetensors file by hand: the length of the head, the head, the numbers. */
static const char *weights_file(const char *head, const float *number, size_t count) {
  static char path[600];
  uint64_t length = strlen(head);
  snprintf(path, sizeof path, "%s/w.safetensors", scratch());
  FILE *file = fopen(path, "wb");
  ck_assert_ptr_nonnull(file);
  fwrite(&length, sizeof length, 1, file);
  fwrite(head, 1, (size_t)length, file);
  fwrite(number, sizeof *number, count, file);
  ck_assert_int_eq(fclose(file), 0);
  return path;
}

static const char two_layers[] = "{\"first.weight\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]},"
                                 "\"first.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]},"
                                 "\"second.weight\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[16,24]},"
                                 "\"second.bias\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[24,28]}}";
static const char network[] = "network v(t, x: [1]) -> [1] =\n  x |> linear 2 \"first\" |> log |> linear 1 \"second\"\n"
                              "flow f { source normal(1)  velocity v  solver rk4 steps 4 }\n";

START_TEST(the_layer_before_an_operation_is_named) {
  static const float number[] = {1, -1, 0, 0, 1, 1, 0};
  char model[600];
  snprintf(model, sizeof model, "%s", scratch_file("net.flow", network));
  Result result = flowc("sample %s --from 0.5 --weights %s", model, weights_file(two_layers, number, 7));
  expect_code(result, 3);
  expect_in(result.err, "left the domain: log of -0.5, in the layer `first`");
  expect_in(result.err, "net.flow:2:");
  result_free(&result);
}
END_TEST

START_TEST(a_weight_that_is_nan_is_named) {
  const float number[] = {1, 1, 1, 1, 1, NAN, 0};
  char model[600];
  snprintf(model, sizeof model, "%s", scratch_file("net.flow", network));
  Result result = flowc("sample %s --from 0.5 --weights %s", model, weights_file(two_layers, number, 7));
  expect_code(result, 3);
  expect_in(result.err, "number 1 of the tensor `second.weight` is NaN");
  result_free(&result);
}
END_TEST

START_TEST(a_label_outside_of_its_table_is_named) {
  static const char head[] = "{\"classes.weight\":{\"dtype\":\"F32\",\"shape\":[3,1],\"data_offsets\":[0,12]}}";
  static const float number[] = {1, 2, 3};
  char model[600];
  snprintf(model, sizeof model, "%s", scratch_file("label.flow", "network v(t, x: [1], label) -> [1] = x + (label |> embedding 3 1 \"classes\")\n"
                                                                 "flow f { source normal(1)  velocity v  solver rk4 steps 4 }\n"));
  const char *weights = weights_file(head, number, 3);
  Result result = flowc("sample %s --from 0.5 --weights %s -c label=12", model, weights);
  expect_code(result, 3);
  expect_in(result.err, "left the domain: the label 12 is outside of a table of 3 rows");
  result_free(&result);
  result = flowc("sample %s --from 0.5 --weights %s -c label=2", model, weights);
  expect_code(result, 0);
  result_free(&result);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("failures");
  TCase *all = tcase_create("all");
  tcase_set_timeout(all, 60);
  tcase_add_loop_test(all, a_hostile_field_is_named_with_its_operation_and_place, 0, HOSTILE);
  tcase_add_loop_test(all, its_neighbours_have_the_bits_of_a_run_without_it, 0, HOSTILE);
  tcase_add_loop_test(all, what_can_be_solved_is_and_what_cannot_be_asked_is_refused, 0, (int)(sizeof harmless / sizeof *harmless));
  tcase_add_test(all, one_sample_alone_tells_the_same);
  tcase_add_test(all, a_replayed_failure_is_explained_as_well);
  tcase_add_test(all, a_bad_start_says_which_number);
  tcase_add_test(all, reasons_are_json_on_request);
  tcase_add_test(all, log_p_that_fails_is_explained_on_its_way_back);
  tcase_add_test(all, the_layer_before_an_operation_is_named);
  tcase_add_test(all, a_weight_that_is_nan_is_named);
  tcase_add_test(all, a_label_outside_of_its_table_is_named);
  suite_add_tcase(suite, all);
  return run_suite(suite);
}
