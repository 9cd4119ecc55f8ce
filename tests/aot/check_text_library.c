/* SPDX-License-Identifier: Apache-2.0 */
/* check_text_library.c -- flow/flowc.h: text that is compiled in this process is the model that a library of it would be. */
#include "run_suite.h"
#include "../cli/user.h"
#include "flow/flowc.h"
#include "library_file.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static const char density_text[] = "density p(x: [2]) = -norm2(x)/2 - log(2*pi)\n  draw k ~ choice(3), z ~ normal(2): z + [k, 1]\n"
                                   "field u(t, x: [2]) = [sin(x[1]), t*x[0]]\nflow f { source p  velocity u  solver rk4 steps 3 }\n";
static const char bad_text[] = "field u(t, x: [2]) = y\nflow f { source normal(2)  velocity u  solver rk4 steps 3 }\n";

static flowc_program *compile(const char *text, const flowc_options *options) {
  flowc_program *program;
  flow_error error = {{0}};
  ck_assert_msg(flowc_compile(text, strlen(text), options, &program, &error) == FLOW_OK, "%s", error.text);
  return program;
}

static flowrt_model *open_text(const flowc_program *program) {
  flowrt_model *model;
  flow_error error = {{0}};
  ck_assert_msg(flowrt_open_export(flowc_exported(program), NULL, &model, &error) == FLOW_OK, "%s", error.text);
  return model;
}

/* Samples, log p and log p by probes, two numbers a state. */
typedef struct Results { float x[40][2]; double log_p[40], back[40], probed[40], se[40]; } Results;

static void run(const flowrt_model *model, Results *to) {
  flow_error error = {{0}};
  memset(to, 0, sizeof *to);
  flowrt_request request = {.size = sizeof request, .count = 40, .seed = 5, .steps = 4, .method = "rk4", .x = to->x, .log_p = to->log_p};
  ck_assert_msg(flowrt_sample(model, &request, &error) == FLOW_OK, "%s", error.text);
  request.from = to->x;
  request.x = NULL;
  request.log_p = to->back;
  ck_assert_msg(flowrt_log_prob(model, &request, &error) == FLOW_OK, "%s", error.text);
  request.probes = 5;
  request.log_p = to->probed;
  request.standard_error = to->se;
  ck_assert_msg(flowrt_log_prob(model, &request, &error) == FLOW_OK, "%s", error.text);
}

static void expect_same_model(const flowc_program *program, const char *path) {
  Results text, library;
  flowrt_model *of_text = open_text(program), *of_file = open_library(path, 0);
  run(of_text, &text);
  run(of_file, &library);
  ck_assert_int_eq(memcmp(&text, &library, sizeof text), 0);
  ck_assert_str_eq(flowrt_name(of_text), flowrt_name(of_file));
  flowrt_close(of_text);
  flowrt_close(of_file);
}

START_TEST(text_with_a_density_gives_the_bits_of_its_library) {
  flowc_options options = {.size = sizeof options, .probes = 2};
  flowc_program *program = compile(density_text, &options);
  ck_assert_str_eq(flowc_messages(program), "");
  expect_same_model(program, compile_text("density", density_text, "--probes 2"));
  flowc_close(program);
}
END_TEST

/* From a path and from bytes. */
START_TEST(text_with_layers_gives_the_bits_of_its_library) {
  const ReferenceModel *moons = model_named("moons_elu");
  char *text = read_text(TESTS_DIR "/models/moons_elu.flow", NULL), path[512];
  size_t length;
  char *bytes = read_text(weights_of(moons), &length);
  snprintf(path, sizeof path, "%s", compile_to(moons, "moons.so", "--probes 2"));
  flowc_options options = {.size = sizeof options, .name = "moons.flow", .probes = 2, .weights_path = weights_of(moons)};
  flowc_program *program = compile(text, &options);
  expect_same_model(program, path);
  flowc_close(program);
  options = (flowc_options){.size = sizeof options, .probes = 2, .weights = bytes, .weights_bytes = length};
  program = compile(text, &options);
  expect_same_model(program, path);
  flowc_close(program);
  free(bytes);
  free(text);
}
END_TEST

START_TEST(text_with_errors_is_shown_with_its_places) {
  flowc_program *program;
  flow_error error = {{0}};
  flowc_options options = {.size = sizeof options, .name = "typed.flow"};
  ck_assert_int_eq(flowc_compile(bad_text, strlen(bad_text), &options, &program, &error), FLOW_BAD_PROGRAM);
  ck_assert_ptr_nonnull(program);
  expect_in(flowc_messages(program), "typed.flow:1:22: error[E");
  expect_in(error.text, "typed.flow");
  ck_assert_ptr_null(flowc_exported(program));
  flowc_close(program);
  flowc_close(NULL);
}
END_TEST

static void expect_refusal(const char *text, const flowc_options *options, flow_status status, const char *words) {
  flow_error error = {{0}};
  flowc_program *program = (flowc_program *)(uintptr_t)1;
  flow_status answer = flowc_compile(text, strlen(text), options, &program, &error);
  ck_assert_msg(answer == status && strstr(error.text, words), "status %d, `%s`; not %d, `%s`", answer, error.text, status, words);
  ck_assert_ptr_null(program);
}

START_TEST(what_cannot_be_compiled_is_refused) {
  const char *layers = "network v(t, x: [2]) -> [2] = [t, x] |> linear 2\nflow f { source normal(2)  velocity v  weights \"w.safetensors\"  solver rk4 steps 3 }\n";
  expect_refusal(layers, NULL, FLOW_BAD_CALL, "hand their weights in");
  flowc_options options = {.size = sizeof options, .weights_path = "/nonexistent.safetensors"};
  expect_refusal(layers, &options, FLOW_BAD_FILE, "cannot open");
  options = (flowc_options){.size = sizeof options, .weights = "no safetensors", .weights_bytes = 14};
  expect_refusal(layers, &options, FLOW_BAD_INPUT, "");
  options = (flowc_options){.size = sizeof options, .weights = "x", .weights_bytes = 1, .weights_path = "y"};
  expect_refusal(layers, &options, FLOW_BAD_CALL, "one or the other");
  options = (flowc_options){.size = 3};
  expect_refusal(density_text, &options, FLOW_BAD_CALL, "sizeof(flowc_options)");
  options = (flowc_options){.size = sizeof options, .weights_path = weights_of(model_named("moons_elu"))};
  expect_refusal(layers, &options, FLOW_BAD_INPUT, "<text>: the weights do not fit the layers: 2 do not fit");
  options = (flowc_options){.size = sizeof options, .precision = 64};
  expect_refusal(density_text, &options, FLOW_BAD_CALL, "FLOW_F64 (8)");
  options = (flowc_options){.size = sizeof options, .flow = "g"};
  expect_refusal(density_text, &options, FLOW_BAD_CALL, "no flow `g`");
  expect_refusal("", NULL, FLOW_BAD_CALL, "no flow");
}
END_TEST

/* A text names a file of points: it is not read, but the program may name it. */
START_TEST(text_touches_no_file) {
  const char *text = "field u(t, x: [2]) = x\nflow f { source \"points.csv\"  velocity u  solver rk4 steps 3 }\n";
  float x[2][2];
  flow_error error = {{0}};
  flowrt_model *model;
  flowc_program *program = compile(text, NULL);
  flowrt_options options = {.size = sizeof options, .source_path = scratch_file("points.csv", "1,2\n3,4\n")};
  ck_assert_msg(flowrt_open_export(flowc_exported(program), &options, &model, &error) == FLOW_OK, "%s", error.text);
  flowrt_request request = {.size = sizeof request, .count = 2, .x = x};
  ck_assert_msg(flowrt_sample(model, &request, &error) == FLOW_OK, "%s", error.text);
  flowrt_close(model);
  model = open_text(program);
  ck_assert_int_eq(flowrt_sample(model, &request, &error), FLOW_BAD_CALL);
  flowrt_close(model);
  flowc_close(program);
}
END_TEST

static void *compile_and_run(void *user) {
  for (int i = 0; i < 3; i++) {
    flowc_options options = {.size = sizeof options, .probes = 2};
    flowc_program *program = compile(density_text, &options);
    flowrt_model *model = open_text(program);
    run(model, user);
    flowrt_close(model);
    flowc_close(program);
  }
  return NULL;
}

START_TEST(threads_compile_side_by_side) {
  enum { THREADS = 4 };
  static Results results[THREADS];
  pthread_t thread[THREADS];
  for (int i = 0; i < THREADS; i++) ck_assert_int_eq(pthread_create(&thread[i], NULL, compile_and_run, &results[i]), 0);
  for (int i = 0; i < THREADS; i++) ck_assert_int_eq(pthread_join(thread[i], NULL), 0);
  for (int i = 1; i < THREADS; i++) ck_assert_int_eq(memcmp(&results[i], &results[0], sizeof results[0]), 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("text compiled in a program");
  TCase *tests = tcase_create("text");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, text_with_a_density_gives_the_bits_of_its_library);
  tcase_add_test(tests, text_with_layers_gives_the_bits_of_its_library);
  tcase_add_test(tests, text_with_errors_is_shown_with_its_places);
  tcase_add_test(tests, what_cannot_be_compiled_is_refused);
  tcase_add_test(tests, text_touches_no_file);
  tcase_add_test(tests, threads_compile_side_by_side);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
