/* SPDX-License-Identifier: Apache-2.0 */
/* check_library_bits.c -- a library's numbers are those of the command, bit for bit, for each level of this processor. */
#include "run_suite.h"
#include "../cli/user.h"
#include "cpu.h"
#include "library_file.h"
#include <stdio.h>
#include <string.h>

/* The class of the digits, and the steps that keep the test short. */
static const float class_of_digit[11] = {0, 0, 0, 1};
static flowrt_array one_condition(const ReferenceModel *model) {
  return (flowrt_array){model->condition[0] ? class_of_digit : NULL, 1};
}

static flowrt_request request_for(const ReferenceModel *model, const flowrt_array *condition) {
  return (flowrt_request){.size = sizeof(flowrt_request), .count = model->count, .seed = 3, .condition = condition,
                          .steps = model->condition[0] ? 3 : 0};
}

/* Few samples go another way, with vectors of features. */
static void compare_few(const ReferenceModel *model, const flowrt_model *m, const flowrt_request *like, const FlowTensors *samples, const FlowTensors *velocities) {
  static float x[7 * 64];
  flow_error error = {{0}};
  size_t row = flowrt_dim(m) * sizeof *x;
  for (unsigned count = 1; count <= 7 && count <= model->count; count += 2) {
    flowrt_request request = *like;
    double t = 0.25;
    request.count = count;
    request.x = x;
    ck_assert_msg(flowrt_sample(m, &request, &error) == FLOW_OK, "%s", error.text);
    ck_assert_msg(memcmp(x, samples->tensor->data, count * row) == 0, "%s: %u samples differ from as many of more", model->program, count);
    flowrt_points points = {.size = sizeof points, .count = count, .t = &t, .times = 1, .x = samples->tensor->data, .condition = like->condition, .velocity = x};
    ck_assert_msg(flowrt_evaluate(m, &points, &error) == FLOW_OK, "%s", error.text);
    ck_assert_msg(memcmp(x, velocities->tensor->data, count * row) == 0, "%s: %u velocities differ from as many of more", model->program, count);
  }
}

static void compare_level(const ReferenceModel *model, const char *path, uint32_t cpu) {
  static float x[70 * 64], u[70 * 64];
  static double log_p[70], back[70];
  flow_error error = {{0}};
  flowrt_model *m = open_library(path, cpu);
  flowrt_array condition = one_condition(model);
  flowrt_request request = request_for(model, &condition);
  ck_assert_uint_eq(flowrt_cpu(m), cpu);
  ck_assert_uint_le(flowrt_dim(m) * model->count, 70 * 64);
  request.x = x;
  ck_assert_msg(flowrt_sample(m, &request, &error) == FLOW_OK, "%s", error.text);
  FlowTensors samples = scratch_tensors("x.npy"), densities = scratch_tensors("l.npy"), of_data = scratch_tensors("b.npy"),
              velocities = scratch_tensors("u.npy");
  expect_same(x, &samples, NULL, model, cpu);
  request.log_p = log_p;
  ck_assert_msg(flowrt_sample(m, &request, &error) == FLOW_OK, "%s", error.text);
  expect_same(x, &samples, NULL, model, cpu);
  expect_same(log_p, &densities, NULL, model, cpu);
  request.from = samples.tensor->data;
  request.x = NULL;
  request.log_p = back;
  ck_assert_msg(flowrt_log_prob(m, &request, &error) == FLOW_OK, "%s", error.text);
  expect_same(back, &of_data, NULL, model, cpu);
  double t = 0.25;
  flowrt_points points = {.size = sizeof points, .count = model->count, .t = &t, .times = 1, .x = samples.tensor->data, .condition = &condition, .velocity = u};
  ck_assert_msg(flowrt_evaluate(m, &points, &error) == FLOW_OK, "%s", error.text);
  expect_same(u, &velocities, NULL, model, cpu);
  flowrt_request plain = request_for(model, &condition);
  compare_few(model, m, &plain, &samples, &velocities);
  flow_tensors_free(&samples);
  flow_tensors_free(&densities);
  flow_tensors_free(&of_data);
  flow_tensors_free(&velocities);
  flowrt_close(m);
}

START_TEST(a_library_gives_the_bits_of_the_command) {
  const ReferenceModel *model = &reference_models[_i];
  char words[512];
  snprintf(words, sizeof words, "-n %u --seed 3 -o %s/x.npy --logp %s/l.npy --trace exact", model->count, scratch(), scratch());
  run_command("sample", model, words);
  snprintf(words, sizeof words, "--data %s/x.npy -o %s/b.npy --trace exact", scratch(), scratch());
  run_command("logp", model, words);
  snprintf(words, sizeof words, "--at %s/x.npy --time 0.25 -o %s/u.npy", scratch(), scratch());
  run_command("eval", model, words);
  const char *path = compile_to(model, "model.so", "");
  for (uint32_t cpu = FLOW_CPU_V3; cpu <= flow_cpu_level(); cpu++) compare_level(model, path, cpu);
}
END_TEST

/* A solve to a tolerance, in f64, and a range of the samples; by dopri5 where the velocity has kinks, by dop853 where it is smooth. */
static const char *const adapting[] = {"moons_elu", "checkerboard_swish"};
START_TEST(steps_that_adapt_and_ranges_give_the_same_bits_too) {
  const ReferenceModel *model = model_named(adapting[_i]);
  double x[10][2];
  flow_error error = {{0}};
  char words[512];
  snprintf(words, sizeof words, "-n 30 --range 20:30 --seed 5 --precision f64 --rtol 1e-9 -o %s/x.npy", scratch());
  run_command("sample", model, words);
  flowrt_model *m = open_library(compile_to(model, "f64.so", "--precision f64"), 0);
  flowrt_request request = {.size = sizeof request, .count = 10, .first = 20, .seed = 5, .rtol = 1e-9, .x = x, .threads = 2};
  ck_assert_msg(flowrt_sample(m, &request, &error) == FLOW_OK, "%s", error.text);
  FlowTensors samples = scratch_tensors("x.npy");
  ck_assert_int_eq(samples.tensor->type, FLOW_TYPE_F64);
  expect_same(x, &samples, NULL, model, flowrt_cpu(m));
  flow_tensors_free(&samples);
  flowrt_close(m);
}
END_TEST

static const char *const path_steps[] = {"", "--rtol 1e-4"};

START_TEST(a_path_has_the_bits_of_the_command) {
  const ReferenceModel *model = model_named("mixture2");
  static float path[3][7][2];
  const double time[3] = {0, 0.305, 1};
  flow_error error = {{0}};
  char words[512];
  snprintf(words, sizeof words, "-n 7 --seed 2 --times 0,0.305,1 -o %s/p.npy %s", scratch(), path_steps[_i]);
  run_command("trajectory", model, words);
  flowrt_model *m = open_library(compile_to(model, "path.so", ""), 0);
  flowrt_request request = {.size = sizeof request, .count = 7, .seed = 2, .rtol = _i ? 1e-4 : 0};
  ck_assert_msg(flowrt_trajectory(m, &request, time, 3, path, NULL, &error) == FLOW_OK, "%s", error.text);
  FlowTensors states = scratch_tensors("p.npy");
  expect_same(path, &states, NULL, model, flowrt_cpu(m));
  flow_tensors_free(&states);
  flowrt_close(m);
}
END_TEST

/* div u by the library against the trace from products with unit vectors, which sum the same derivatives in another order: within a
 * few roundings of f32 of numbers below 10. */
START_TEST(divergence_and_products_with_the_jacobian_agree) {
  const ReferenceModel *model = model_named("moons_elu");
  float x[2] = {0.3f, -0.7f}, unit[2][2] = {{1, 0}, {0, 1}}, column[2], divergence, trace = 0;
  double t = 0.6;
  flow_error error = {{0}};
  flowrt_model *m = open_library(compile_to(model, "jvp.so", ""), 0);
  flowrt_points points = {.size = sizeof points, .count = 1, .t = &t, .times = 1, .x = x, .divergence = &divergence, .jvp = column};
  for (int i = 0; i < 2; i++) {
    points.direction = unit[i];
    ck_assert_msg(flowrt_evaluate(m, &points, &error) == FLOW_OK, "%s", error.text);
    trace += column[i];
  }
  ck_assert_float_eq_tol(divergence, trace, 1e-5f);
  flowrt_close(m);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("bits of libraries");
  TCase *tests = tcase_create("bits");
  tcase_set_timeout(tests, 120);
  tcase_add_loop_test(tests, a_library_gives_the_bits_of_the_command, 0, reference_model_count);
  tcase_add_loop_test(tests, steps_that_adapt_and_ranges_give_the_same_bits_too, 0, 2);
  tcase_add_loop_test(tests, a_path_has_the_bits_of_the_command, 0, 2);
  tcase_add_test(tests, divergence_and_products_with_the_jacobian_agree);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
