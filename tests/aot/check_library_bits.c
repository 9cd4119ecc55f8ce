/* SPDX-License-Identifier: Apache-2.0 */
/* check_library_bits.c -- a library's numbers are those of the command, bit for bit, for each level of this processor. */
#include "run_suite.h"
#include "../cli/user.h"
#include "cpu.h"
#include "library_file.h"
#include <stdio.h>
#include <string.h>

static char weights_words[600];

static const char *weights_option(const ReferenceModel *model) {
  weights_words[0] = 0;
  if (model->data) snprintf(weights_words, sizeof weights_words, "--weights %s", weights_of(model));
  return weights_words;
}

/* The class of the digits, and the steps that keep the test short. */
static const float class_of_digit[11] = {0, 0, 0, 1};
static flowrt_array one_condition(const ReferenceModel *model) {
  return (flowrt_array){model->condition[0] ? class_of_digit : NULL, 1};
}

static flowrt_request request_for(const ReferenceModel *model, const flowrt_array *condition) {
  return (flowrt_request){.size = sizeof(flowrt_request), .count = model->count, .seed = 3, .condition = condition,
                          .steps = model->condition[0] ? 3 : 0};
}

static void expect_same(const void *ours, const FlowTensors *theirs, const char *name, const ReferenceModel *model, uint32_t cpu) {
  const FlowTensor *tensor = name ? flow_tensors_find(theirs, name) : theirs->tensor;
  ck_assert_ptr_nonnull(tensor);
  size_t bytes = (size_t)tensor->count * (tensor->type == FLOW_TYPE_F32 ? 4 : 8);
  ck_assert_msg(memcmp(ours, tensor->data, bytes) == 0, "%s: %s on v%u differs from the command", model->program, name ? name : "the array", cpu);
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

static void run_command(const char *what, const ReferenceModel *model, const char *words) {
  const char *condition = strcmp(what, "eval") == 0 && model->condition[0] ? "-c c=0,0,0,1,0,0,0,0,0,0,0" : model->condition;
  Result result = flowc("%s %s %s %s %s -q", what, model_words(model), weights_option(model), condition, words);
  expect_code(result, 0);
  result_free(&result);
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

/* ---- probes ------------------------------------------------------------------------------------------------------------------- */

typedef struct Probed { uint32_t compiled, wanted; const char *probe, *steps; double rtol; } Probed;
static const Probed probed[] = {
    {2, 1, "rademacher", "", 0}, {2, 2, "rademacher", "", 0}, {2, 7, "rademacher", "", 0}, {2, 5, "gaussian", "", 0}, {4, 3, "gaussian", "", 0},
    {3, 3, "rademacher", "--rtol 1e-3", 1e-3},  /* steps that adapt to all the probes of a solve */
};

static flowrt_model *open_probed(uint32_t probes, uint32_t cpu) {
  char words[64];
  snprintf(words, sizeof words, "--probes %u", probes);
  return open_library(compile_to(model_named("moons_elu"), "probed.so", words), cpu);
}

START_TEST(log_p_by_probes_has_the_bits_of_the_command) {
  enum { COUNT = 40 };
  const Probed *p = &probed[_i];
  const ReferenceModel *model = model_named("moons_elu");
  static float x[COUNT][2];
  double log_p[COUNT], back[COUNT], se[COUNT];
  uint32_t used[COUNT];
  flow_error error = {{0}};
  char words[512];
  snprintf(words, sizeof words, "-n %d --seed 6 -o %s/x.npy --logp %s/l.npy --probes %u --probe %s %s", COUNT, scratch(), scratch(), p->wanted, p->probe, p->steps);
  run_command("sample", model, words);
  snprintf(words, sizeof words, "--data %s/x.npy --seed 6 -o %s/b.npz --probes %u --probe %s %s", scratch(), scratch(), p->wanted, p->probe, p->steps);
  run_command("logp", model, words);
  FlowTensors samples = scratch_tensors("x.npy"), densities = scratch_tensors("l.npy"), of_data = scratch_tensors("b.npz");
  for (uint32_t cpu = FLOW_CPU_V3; cpu <= flow_cpu_level(); cpu++) {
    flowrt_model *m = open_probed(p->compiled, cpu);
    flowrt_request request = {.size = sizeof request, .count = COUNT, .seed = 6, .probes = p->wanted, .rtol = p->rtol, .x = x, .log_p = log_p, .standard_error = se,
                              .probe = strcmp(p->probe, "gaussian") == 0 ? FLOWRT_GAUSSIAN : FLOWRT_RADEMACHER, .probes_used = used};
    ck_assert_msg(flowrt_sample(m, &request, &error) == FLOW_OK, "%s", error.text);
    expect_same(x, &samples, NULL, model, cpu);
    expect_same(log_p, &densities, NULL, model, cpu);
    request.from = samples.tensor->data;
    request.x = NULL;
    request.log_p = back;
    ck_assert_msg(flowrt_log_prob(m, &request, &error) == FLOW_OK, "%s", error.text);
    expect_same(back, &of_data, "logp", model, cpu);
    expect_same(se, &of_data, "standard_error", model, cpu);
    for (int i = 0; i < COUNT; i++) ck_assert_uint_eq(used[i], p->wanted);
    flowrt_close(m);
  }
  flow_tensors_free(&samples);
  flow_tensors_free(&densities);
  flow_tensors_free(&of_data);
}
END_TEST

/* The command has rounds of 4. */
START_TEST(probes_follow_until_the_error_is_small_enough) {
  enum { COUNT = 30 };
  const ReferenceModel *model = model_named("moons_elu");
  double log_p[COUNT], se[COUNT];
  uint32_t used[COUNT], most = 0;
  flow_error error = {{0}};
  char words[512];
  snprintf(words, sizeof words, "-n %d --seed 1 -o %s/x.npy", COUNT, scratch());
  run_command("sample", model, words);
  snprintf(words, sizeof words, "--data %s/x.npy --seed 6 -o %s/b.npz --probes auto --se 0.1 --most-probes 100", scratch(), scratch());
  run_command("logp", model, words);
  FlowTensors samples = scratch_tensors("x.npy"), of_data = scratch_tensors("b.npz");
  flowrt_model *m = open_probed(4, 0);
  flowrt_request request = {.size = sizeof request, .count = COUNT, .seed = 6, .from = samples.tensor->data, .target = 0.1, .probes = 100, .log_p = log_p,
                            .standard_error = se, .probes_used = used};
  ck_assert_msg(flowrt_log_prob(m, &request, &error) == FLOW_OK, "%s", error.text);
  expect_same(log_p, &of_data, "logp", model, 0);
  expect_same(se, &of_data, "standard_error", model, 0);
  for (int i = 0; i < COUNT; i++) {
    ck_assert_uint_ge(used[i], 8);
    ck_assert(se[i] <= 0.1 || used[i] == 100);
    if (used[i] > most) most = used[i];
  }
  ck_assert_uint_gt(most, 8);
  flow_tensors_free(&samples);
  flow_tensors_free(&of_data);
  flowrt_close(m);
}
END_TEST

/* ---- sources ------------------------------------------------------------------------------------------------------------------ */

static const ReferenceModel written = {.program = "a program of this test", .condition = "", .count = 60};

/* A choice by weights, lists of odd length, a time, in both precisions. */
static const char *const density_precision[] = {"f32", "f64"};
START_TEST(a_density_of_the_program_is_drawn_and_measured_as_by_the_command) {
  const char *text = "let m = [[1, 2], [-1, 0], [0, 3]]\n"
                     "density ring(t, x: [2]) = logsumexp(for k: -norm2(x - (1 + t)*m[k]) / 0.2) - log(3 * 2*pi * 0.1)\n"
                     "  draw k ~ choice([1, 3, 2]), a ~ normal(1), e ~ uniform(3), z ~ normal(2):\n"
                     "    (1 + t)*m[k] + sqrt(0.1)*z + 0.01*[a[0] + e[2], e[0]*e[1]]\n"
                     "field u(t, x: [2]) = [sin(x[1]), t*x[0]]\n"
                     "flow f { source ring  velocity u  solver rk4 steps 5  time 0.25 -> 1 }\n";
  const char *precision = density_precision[_i];
  static double x[60][2], log_p[60], back[60];
  flow_error error = {{0}};
  char words[64];
  snprintf(words, sizeof words, "--precision %s", precision);
  compile_text("ring", text, words);
  Result result = flowc("sample %s/ring.flow -n 60 --seed 8 -q -o %s/x.npy --logp %s/l.npy --precision %s", scratch(), scratch(), scratch(), precision);
  expect_code(result, 0);
  result_free(&result);
  result = flowc("logp %s/ring.flow --data %s/x.npy -q -o %s/b.npy --precision %s", scratch(), scratch(), scratch(), precision);
  expect_code(result, 0);
  result_free(&result);
  FlowTensors samples = scratch_tensors("x.npy"), densities = scratch_tensors("l.npy"), of_data = scratch_tensors("b.npy");
  for (uint32_t cpu = FLOW_CPU_V3; cpu <= flow_cpu_level(); cpu++) {
    flowrt_model *m = open_library(compile_text("ring", text, words), cpu);
    for (int threads = 1; threads <= 3; threads++) {
      flowrt_request request = {.size = sizeof request, .count = 60, .threads = threads, .seed = 8, .x = x, .log_p = log_p};
      ck_assert_msg(flowrt_sample(m, &request, &error) == FLOW_OK, "%s", error.text);
      expect_same(x, &samples, NULL, &written, cpu);
      expect_same(log_p, &densities, NULL, &written, cpu);
      request.from = samples.tensor->data;
      request.x = NULL;
      request.log_p = back;
      ck_assert_msg(flowrt_log_prob(m, &request, &error) == FLOW_OK, "%s", error.text);
      expect_same(back, &of_data, NULL, &written, cpu);
    }
    flowrt_close(m);
  }
  flow_tensors_free(&samples);
  flow_tensors_free(&densities);
  flow_tensors_free(&of_data);
}
END_TEST

static const char *const points_words[] = {"--source embed", "--source load"};
START_TEST(the_points_of_a_file_are_in_the_library_or_named_when_it_is_opened) {
  float x[5][2];
  char points[512];
  flow_error error = {{0}};
  snprintf(points, sizeof points, "%s", scratch_file("points.csv", "0.1,0.2\n3,4\n-1,0.7\n2,2\n1e-3,5\n"));
  const char *text = "field u(t, x: [2]) = [sin(x[1]), x[0]]\nflow f { source \"points.csv\"  velocity u  solver rk4 steps 4 }\n";
  const char *path = compile_text("points", text, points_words[_i]);
  Result result = flowc("sample %s/points.flow -q -o %s/x.npy", scratch(), scratch());
  expect_code(result, 0);
  result_free(&result);
  FlowTensors samples = scratch_tensors("x.npy");
  flowrt_options options = {.size = sizeof options, .source_path = _i ? points : NULL};
  flowrt_model *m;
  ck_assert_msg(flowrt_open(path, &options, &m, &error) == FLOW_OK, "%s", error.text);
  flowrt_request request = {.size = sizeof request, .count = 5, .x = x};
  ck_assert_msg(flowrt_sample(m, &request, &error) == FLOW_OK, "%s", error.text);
  expect_same(x, &samples, NULL, &written, 0);
  request.count = 6;
  ck_assert_int_eq(flowrt_sample(m, &request, &error), FLOW_BAD_INPUT);
  expect_in(error.text, "5 rows; samples 0 to 5");
  request.count = 5;
  request.log_p = (double[5]){0};
  ck_assert_int_eq(flowrt_sample(m, &request, &error), FLOW_BAD_INPUT);
  expect_in(error.text, "without density");
  flowrt_close(m);
  flow_tensors_free(&samples);
}
END_TEST

/* ---- products with the Jacobian ---------------------------------------------------------------------------------------------- */

START_TEST(a_vector_times_the_jacobian_has_the_bits_of_the_command) {
  const ReferenceModel *model = model_named("wine_mlp");
  float x[17][13], w[17][13], product[17][13];
  double t = 0.25;
  flow_error error = {{0}};
  char words[700];
  for (int i = 0; i < 17; i++)
    for (int c = 0; c < 13; c++) w[i][c] = 0.25f * (float)(c - 3);
  snprintf(words, sizeof words, "-n 17 --seed 2 -o %s/x.npy", scratch());
  run_command("sample", model, words);
  snprintf(words, sizeof words, "--at %s/x.npy --time 0.25 --vjp -0.75,-0.5,-0.25,0,0.25,0.5,0.75,1,1.25,1.5,1.75,2,2.25 -o %s/u.npz", scratch(), scratch());
  run_command("eval", model, words);
  FlowTensors points = scratch_tensors("x.npy"), products = scratch_tensors("u.npz");
  memcpy(x, points.tensor->data, sizeof x);
  const char *path = compile_to(model, "vjp.so", "--vjp");
  for (uint32_t cpu = FLOW_CPU_V3; cpu <= flow_cpu_level(); cpu++) {
    flowrt_model *m = open_library(path, cpu);
    flowrt_points request = {.size = sizeof request, .count = 17, .t = &t, .times = 1, .x = x, .direction = w, .vjp = product};
    ck_assert_msg(flowrt_evaluate(m, &request, &error) == FLOW_OK, "%s", error.text);
    expect_same(product, &products, "vjp", model, cpu);
    flowrt_close(m);
  }
  flow_tensors_free(&points);
  flow_tensors_free(&products);
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
  tcase_add_loop_test(tests, log_p_by_probes_has_the_bits_of_the_command, 0, sizeof probed / sizeof *probed);
  tcase_add_test(tests, probes_follow_until_the_error_is_small_enough);
  tcase_add_loop_test(tests, a_density_of_the_program_is_drawn_and_measured_as_by_the_command, 0, 2);
  tcase_add_loop_test(tests, the_points_of_a_file_are_in_the_library_or_named_when_it_is_opened, 0, 2);
  tcase_add_test(tests, a_vector_times_the_jacobian_has_the_bits_of_the_command);
  tcase_add_test(tests, divergence_and_products_with_the_jacobian_agree);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
