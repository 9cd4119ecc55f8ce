/* SPDX-License-Identifier: Apache-2.0 */
/* check_library_sources.c -- log p by probes, sources that are densities or files, products from the left: the command's bits. */
#include "run_suite.h"
#include "../cli/user.h"
#include "cpu.h"
#include "library_file.h"
#include <stdio.h>
#include <string.h>

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

/* The command has rounds of 4, a library of any number. */
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
  flowrt_model *m = open_probed(3, 0);
  flowrt_request request = {.size = sizeof request, .count = COUNT, .seed = 6, .from = samples.tensor->data, .target = 0.1, .probes = 100, .log_p = log_p,
                            .standard_error = se, .probes_used = used};
  ck_assert_msg(flowrt_log_prob(m, &request, &error) == FLOW_OK, "%s", error.text);
  expect_same(log_p, &of_data, "logp", model, 0);
  expect_same(se, &of_data, "standard_error", model, 0);
  for (int i = 0; i < COUNT; i++) {
    ck_assert_uint_ge(used[i], 24);
    ck_assert_uint_le(used[i], 100);
    if (used[i] > most) most = used[i];
  }
  ck_assert_uint_gt(most, 24);
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

int main(void) {
  Suite *suite = suite_create("probes and sources of libraries");
  TCase *tests = tcase_create("bits");
  tcase_set_timeout(tests, 120);
  tcase_add_loop_test(tests, log_p_by_probes_has_the_bits_of_the_command, 0, sizeof probed / sizeof *probed);
  tcase_add_test(tests, probes_follow_until_the_error_is_small_enough);
  tcase_add_loop_test(tests, a_density_of_the_program_is_drawn_and_measured_as_by_the_command, 0, 2);
  tcase_add_loop_test(tests, the_points_of_a_file_are_in_the_library_or_named_when_it_is_opened, 0, 2);
  tcase_add_test(tests, a_vector_times_the_jacobian_has_the_bits_of_the_command);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
