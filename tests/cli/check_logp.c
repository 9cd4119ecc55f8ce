/* SPDX-License-Identifier: Apache-2.0 */
/* check_logp.c -- log-densities and derivatives through the command: logp, sample --logp, eval --divergence, --jvp, --vjp. */
#include "run_suite.h"
#include "tensor.h"
#include "user.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A path in the folder of this test that stays valid. */
static char *path_of(const char *name) {
  char *path = malloc(600);
  snprintf(path, 600, "%s/%s", scratch(), name);
  return path;
}
static char *file_of(const char *name, const char *text) {
  scratch_file(name, text);
  return path_of(name);
}

static FlowTensors read_file(const char *path) {
  FlowTensors tensors;
  flow_error error = {{0}};
  ck_assert_msg(!flow_tensors_read(&flow_standard_allocator, path, &tensors, &error), "%s", error.text);
  return tensors;
}
static double at(const FlowTensors *tensors, const char *name, uint64_t i) {
  const FlowTensor *tensor = flow_tensors_find(tensors, name);
  ck_assert_msg(tensor != NULL && i < tensor->count, "no member %s with number %d", name, (int)i);
  return flow_tensor_at(tensor, i);
}

static double log_normal(double a, double b) { return -(a * a + b * b) / 2 - log(2 * acos(-1)); }

static const char growth[] = "field u(t, x: [2]) = x\nflow growth { source normal(2)  velocity u  solver rk4 steps 100 }\n";

/* ---- values -------------------------------------------------------------------------------------------------------- */

/* x(1) = e x(0), so log p1(y) = log p0(y/e) - 2.  rk4 with 100 steps is off by 1e-10. */
START_TEST(log_p_is_the_formula) {
  char *model = file_of("growth.flow", growth), *data = file_of("y.csv", "a,b\n1,2\n-0.5,0.25\n0,0\n");
  const double y[3][2] = {{1, 2}, {-0.5, 0.25}, {0, 0}};
  double log_p[4];
  Result result = flowc("logp %s --data %s --precision f64", model, data);
  expect_code(result, 0);
  ck_assert_str_eq(strtok(result.out, "\n"), "logp");
  result_free(&result);
  result = flowc("logp %s --data %s --precision f64", model, data);
  ck_assert_uint_eq(read_csv(result.out, log_p, 4), 3);
  for (int i = 0; i < 3; i++) ck_assert_double_eq_tol(log_p[i], log_normal(y[i][0] / exp(1), y[i][1] / exp(1)) - 2, 1e-8);
  result_free(&result);
  result = flowc("logp %s --data -0.5,0.25", model);
  ck_assert_uint_eq(read_csv(result.out, log_p, 4), 1);
  ck_assert_double_eq_tol(log_p[0], log_normal(-0.5 / exp(1), 0.25 / exp(1)) - 2, 1e-6);        /* f32 */
  result_free(&result);
  free(model), free(data);
}
END_TEST

START_TEST(probes_of_signs_measure_a_growth_exactly_and_say_so) {
  char *model = file_of("growth.flow", growth), *out = path_of("l.npz");
  double pair[4];
  Result result = flowc("logp %s --data 1,2 --precision f64 --trace hutchinson --probes 3", model);
  expect_code(result, 0);
  ck_assert(strncmp(result.out, "logp,standard_error\n", 20) == 0);
  ck_assert_uint_eq(read_csv(result.out, pair, 4), 2);
  ck_assert_double_eq_tol(pair[0], log_normal(1 / exp(1), 2 / exp(1)) - 2, 1e-8);
  ck_assert_double_le(pair[1], 1e-14);
  expect_in(result.err, "3 Rademacher probes a point, standard error of log p 0 on average");
  result_free(&result);
  result = flowc("logp %s --data 1,2 --probe gaussian --probes auto --se 0.2 -o %s", model, out);
  expect_code(result, 0);
  expect_in(result.err, "Gaussian probes a point");
  FlowTensors tensors = read_file(out);
  ck_assert_double_le(at(&tensors, "standard_error", 0), 0.2);
  ck_assert_double_ge(at(&tensors, "probes", 0), 24);   /* a pilot of 16, and 8 */
  ck_assert_double_eq(at(&tensors, "status", 0), 0);
  ck_assert_double_eq_tol(at(&tensors, "logp", 0), log_normal(1 / exp(1), 2 / exp(1)) - 2, 1);   /* five standard errors */
  flow_tensors_free(&tensors);
  result_free(&result);
  free(model), free(out);
}
END_TEST

START_TEST(large_states_are_estimated_unless_the_exact_trace_is_asked_for) {
  char *model = file_of("large.flow", "field u(t, x: [65]) = -0.5*x\nflow m { source normal(65)  velocity u  solver rk4 steps 20 }\n");
  char text[300] = "";
  for (int i = 0; i < 65; i++) strcat(text, i ? ",0" : "0");
  Result result = flowc("logp %s --data %s --precision f64", model, text);
  expect_code(result, 0);
  expect_in(result.err, "a state has 65 numbers: log p is estimated by 2 probes");
  expect_in(result.err, "2 Rademacher probes");
  result_free(&result);
  result = flowc("logp %s --data %s --precision f64 --trace exact", model, text);
  expect_code(result, 0);
  expect_in(result.err, "exact trace");
  double log_p;
  ck_assert_uint_eq(read_csv(result.out, &log_p, 1), 1);
  ck_assert_double_eq_tol(log_p, 65 * (0.5 - log(2 * acos(-1)) / 2), 1e-9);
  result_free(&result);
  free(model);
}
END_TEST

static const char doubling[] = "map twice(t, x: [1]) = (1 + t)*x\n  inverse(t, y) = y/(1 + t)\n"
                               "flow m { source normal(1)  velocity of twice  solver rk4 steps 10 }\n";

START_TEST(a_flow_that_is_given_by_a_map_has_no_steps_to_speak_of) {
  static const char *const refused[] = {"sample %s -n 5 --only 3 --replay steps.csv", "sample %s --accuracy 1e-4", "logp %s --data 1 --max-steps 9",
                                        "trajectory %s --max-step 1"};
  char *model = file_of("map.flow", doubling), line[256];
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(line, sizeof line, refused[i], model);
#pragma GCC diagnostic pop
    Result result = flowc("%s", line);
    expect_code(result, 2);
    expect_in(result.err, "is for solves; a flow that is given by a map is evaluated once");
    ck_assert_str_eq(result.out, "");
    result_free(&result);
  }
  static const struct { const char *line, *words, *not; } said[] = {
      {"sample %s -n 3 --logp %s/l.npy", "log p: exact determinant", "exact trace"},
      {"sample %s -n 3 --logp %s/l.npy --rtol 1e-4", "log p: exact trace", "exact determinant"},
      {"logp %s --data 1 --json -o %s/l.npy", "\"map\": true", "euler"},
  };
  for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(line, sizeof line, said[i].line, model, scratch());
#pragma GCC diagnostic pop
    Result result = flowc("%s", line);
    expect_code(result, 0);
    expect_in(result.err, said[i].words);
    ck_assert_ptr_null(strstr(result.err, said[i].not));
    result_free(&result);
  }
  free(model);
}
END_TEST

START_TEST(two_outputs_of_one_file_are_refused_however_it_is_spelled) {
  char *out = file_of("l.csv", "kept\n");
  Result result = flowc("logp %s/moons.flow --data 1,2 -o %s --latent %s/./l.csv", examples(), out, scratch());
  expect_code(result, 2);
  expect_in(result.err, "cannot both go to");
  char *text = read_text(out, NULL);
  ck_assert_str_eq(text, "kept\n");
  result_free(&result);
  free(text), free(out);
}
END_TEST

/* y = (1 + t) x: log p1 = log p0(y/2) - 70 log 2 */
START_TEST(a_map_of_any_size_has_an_exact_log_p) {
  char *model = file_of("map.flow", "map wide(t, x: [70]) = (1 + t)*x\n  inverse(t, y) = y/(1 + t)\n"
                                    "flow m { source normal(70)  velocity of wide }\n");
  char text[300] = "";
  double log_p;
  for (int i = 0; i < 70; i++) strcat(text, i ? ",0" : "0");
  Result result = flowc("logp %s --data %s --precision f64", model, text);
  expect_code(result, 0);
  expect_in(result.err, "exact determinant");
  ck_assert_uint_eq(read_csv(result.out, &log_p, 1), 1);
  ck_assert_double_eq_tol(log_p, -70 * (log(2 * acos(-1)) / 2 + log(2)), 1e-10);
  result_free(&result);
  free(model);
}
END_TEST

START_TEST(the_summary_tells_how_good_it_is) {
  char *data = file_of("y.csv", "a,b\n0.5,-1\n0.25,0.125\n1,0\n");
  Result result = flowc("logp %s/moons.flow --data %s --bits", examples(), data);
  expect_code(result, 0);
  expect_in(result.err, "mean NLL ");
  expect_in(result.err, " +- ");
  expect_in(result.err, "nats over 3 points: ");
  expect_in(result.err, "bits per dimension");
  expect_in(result.err, "exact trace; midpoint, 100 steps, 200 evaluations a point");
  expect_in(result.err, "on 3 points: step-halving error of log p ");
  expect_in(result.err, "worst round-trip error ");
  result_free(&result);
  result = flowc("logp %s/moons.flow --data %s --json --check-steps 0", examples(), data);
  expect_in(result.err, "{\"points\": 3, \"failed\": 0, \"nll\": ");
  expect_in(result.err, "\"trace\": \"exact\", \"solver\": \"midpoint\", \"steps\": 100, \"evaluations_per_point\": 200");
  expect_in(result.err, "\"checked\": 0, \"halving_error\": null");
  result_free(&result);
  result = flowc("logp %s/moons.flow --data %s -q", examples(), data);
  expect_code(result, 0);
  ck_assert_str_eq(result.err, "");
  result_free(&result);
  free(data);
}
END_TEST

START_TEST(a_range_of_rows_has_the_numbers_of_the_whole) {
  char *data = file_of("y.csv", "a,b\n0.5,-1\n0.25,0.125\n1,0\n2,1\n0,0.5\n");
  double whole[10], part[10];
  Result all = flowc("logp %s/moons.flow --data %s --probes 2 --seed 4", examples(), data);
  Result some = flowc("logp %s/moons.flow --data %s --probes 2 --seed 4 --range 1:4 --threads 2", examples(), data);
  expect_code(all, 0);
  expect_code(some, 0);
  ck_assert_uint_eq(read_csv(all.out, whole, 10), 10);
  ck_assert_uint_eq(read_csv(some.out, part, 10), 6);
  ck_assert_mem_eq(whole + 2, part, sizeof(double) * 6);
  result_free(&all);
  result_free(&some);
  free(data);
}
END_TEST

START_TEST(latent_points_are_what_the_data_come_from) {
  char *model = file_of("growth.flow", growth), *latent = path_of("x0.npy");
  Result result = flowc("logp %s --data 1,2 --precision f64 --latent %s", model, latent);
  expect_code(result, 0);
  FlowTensors tensors = read_file(latent);
  ck_assert_uint_eq(tensors.tensor[0].rank, 2);
  ck_assert_double_eq_tol(flow_tensor_at(&tensors.tensor[0], 1), 2 / exp(1), 1e-9);
  flow_tensors_free(&tensors);
  result_free(&result);
  free(model), free(latent);
}
END_TEST

/* ---- samples with log p -------------------------------------------------------------------------------------------- */

/* Forward and back with 200 rk4 steps agree to 1e-6 on the moons, whose network has kinks. */
START_TEST(samples_have_the_log_p_that_logp_finds) {
  char *x = path_of("x.npy"), *l = path_of("l.npy"), *again = path_of("again.npy"), *both = path_of("both.npz");
  Result result = flowc("sample %s/moons.flow -n 50 --precision f64 --solver rk4 --steps 200 -o %s --logp %s", examples(), x, l);
  expect_code(result, 0);
  expect_in(result.err, "log p: exact trace");
  result_free(&result);
  result = flowc("logp %s/moons.flow --data %s --precision f64 --solver rk4 --steps 200 -o %s", examples(), x, again);
  expect_code(result, 0);
  result_free(&result);
  result = flowc("sample %s/moons.flow -n 50 --precision f64 --solver rk4 --steps 200 -o %s --logp %s", examples(), both, both);
  expect_code(result, 0);
  result_free(&result);
  result = flowc("logp %s/moons.flow --data %s -q", examples(), both);   /* its member `samples` */
  expect_code(result, 0);
  result_free(&result);
  FlowTensors forward = read_file(l), backward = read_file(again), members = read_file(both), states = read_file(x);
  for (uint64_t i = 0; i < 50; i++) {
    ck_assert_double_eq_tol(flow_tensor_at(&forward.tensor[0], i), flow_tensor_at(&backward.tensor[0], i), 1e-3);
    ck_assert_double_eq(flow_tensor_at(&forward.tensor[0], i), at(&members, "logp", i));
    ck_assert_double_eq(flow_tensor_at(&states.tensor[0], 2 * i), at(&members, "samples", 2 * i));
    ck_assert_double_eq(at(&members, "status", i), 0);
  }
  flow_tensors_free(&forward), flow_tensors_free(&backward), flow_tensors_free(&members), flow_tensors_free(&states);
  free(x), free(l), free(again), free(both);
}
END_TEST

/* Sources of all kinds, carried nowhere: log p is the density of the sample itself. */
START_TEST(every_source_with_a_density_has_it) {
  static const struct { const char *source; double a, b, log_p; } row[] = {
      {"normal(2)", 0.5, -1, -1.8378770664093453 - 0.625},
      {"uniform([-1, -2], [1, 2])", 0.5, -1, -2.0794415416798357},
      {"normal([1, 2], [[2, 0.5], [0.5, 1]])", 1.5, 1, -1.8378770664093453 - 0.27980789396771136 - 0.7857142857142857},
      {"p0", 0.5, -1, -1.8378770664093453 - 0.5 * (0.25 + 1)},
  };
  for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
    char text[512];
    snprintf(text, sizeof text,
             "density p0(x: [2]) = -0.5*norm2(x) - log(2*pi)\n  draw z ~ normal(2): z\n"
             "field u(t, x: [2]) = 0*x\nflow m { source %s  velocity u  solver euler steps 1 }\n", row[i].source);
    char *model = file_of("m.flow", text), *both = path_of("both.npz");
    double log_p;
    Result result = flowc("logp %s --data %.17g,%.17g --precision f64", model, row[i].a, row[i].b);
    expect_code(result, 0);
    ck_assert_uint_eq(read_csv(result.out, &log_p, 1), 1);
    ck_assert_msg(fabs(log_p - row[i].log_p) < 1e-12, "%s: %.17g", row[i].source, log_p);
    result_free(&result);
    result = flowc("sample %s -n 100 -o %s --logp %s", model, both, both);
    expect_code(result, 0);
    FlowTensors members = read_file(both);
    ck_assert(isfinite(at(&members, "logp", 99)));
    flow_tensors_free(&members);
    result_free(&result);
    free(model), free(both);
  }
}
END_TEST

/* The draw line of a density is what a source of its own would be: a normal number is the same. */
START_TEST(a_density_that_draws_normal_numbers_is_the_normal_source) {
  static const char body[] = "field u(t, x: [3]) = 0*x\nflow m { source %s  velocity u  solver euler steps 1 }\n";
  char text[512], line[256];
  snprintf(line, sizeof line, "%s", body);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  snprintf(text, sizeof text, line, "normal(3)");
  char *normal = file_of("normal.flow", text);
  int length = snprintf(text, sizeof text, "density p0(x: [3]) = -0.5*norm2(x) - 1.5*log(2*pi)\n  draw z ~ normal(3): z\n");
  snprintf(text + length, sizeof text - (size_t)length, line, "p0");
#pragma GCC diagnostic pop
  char *density = file_of("density.flow", text);
  Result a = flowc("sample %s -n 100 --seed 3", normal), b = flowc("sample %s -n 100 --seed 3 --threads 2", density);
  expect_code(a, 0);
  expect_code(b, 0);
  ck_assert_str_eq(a.out, b.out);
  result_free(&a);
  result_free(&b);
  free(normal), free(density);
}
END_TEST

/* ---- failures ------------------------------------------------------------------------------------------------------ */

START_TEST(a_row_that_is_no_number_is_named_and_on_request_passed_over) {
  char *data = file_of("bad.csv", "a,b\n0.5,-1\n0.25,nan\n1,0\n"), *good = file_of("good.csv", "a,b\n0.5,-1\n0.25,0\n1,0\n");
  double with[4], without[4];
  Result result = flowc("logp %s/moons.flow --data %s", examples(), data);
  expect_code(result, 1);
  expect_in(result.err, "bad.csv: row 1, number 1 is NaN");
  ck_assert_str_eq(result.out, "");
  result_free(&result);
  result = flowc("logp %s/moons.flow --data %s --on-error nan", examples(), data);
  expect_code(result, 3);
  expect_in(result.err, "1 of 3 samples failed");
  expect_in(result.err, "failed: row 1 of ");
  ck_assert_uint_eq(read_csv(result.out, with, 4), 3);
  Result clean = flowc("logp %s/moons.flow --data %s", examples(), good);
  ck_assert_uint_eq(read_csv(clean.out, without, 4), 3);
  ck_assert(isnan(with[1]));
  ck_assert_double_eq(with[0], without[0]);
  ck_assert_double_eq(with[2], without[2]);
  result_free(&result);
  result_free(&clean);
  result = flowc("logp %s/moons.flow --data nan,0 --on-error nan", examples());
  expect_code(result, 3);
  expect_in(result.err, "no point has a log p");
  result_free(&result);
  free(data), free(good);
}
END_TEST

START_TEST(a_point_outside_of_the_source_is_a_failure_of_that_point) {
  char *model = file_of("box.flow", "field u(t, x: [1]) = 0*x\nflow m { source uniform([0], [1])  velocity u  solver euler steps 1 }\n");
  char *data = file_of("y.csv", "a\n0.5\n2\n"), *out = path_of("outside.npy");
  double log_p[2];
  Result result = flowc("logp %s --data %s -o %s", model, data, out);
  expect_code(result, 3);
  expect_in(result.err, "outside of the source's support");
  expect_in(result.err, "nothing was written");
  ck_assert_ptr_null(read_text(out, &(size_t){0}));
  result_free(&result);
  result = flowc("logp %s --data %s --on-error nan", model, data);
  expect_code(result, 3);
  ck_assert_uint_eq(read_csv(result.out, log_p, 2), 2);
  ck_assert_double_eq(log_p[0], 0);
  ck_assert(isinf(log_p[1]) && log_p[1] < 0);
  result_free(&result);
  free(model), free(data), free(out);
}
END_TEST

/* The square of 1e200 is beyond f64. */
START_TEST(a_normal_source_has_no_outside) {
  char *model = file_of("still.flow", "field u(t, x: [1]) = 0*x\nflow m { source normal(1)  velocity u  solver euler steps 1 }\n");
  double log_p;
  Result result = flowc("logp %s --data 1e200 --precision f64 --on-error nan", model);
  expect_code(result, 3);
  expect_in(result.err, "its log-density is infinite, too large for a number");
  ck_assert_uint_eq(read_csv(result.out, &log_p, 1), 1);
  ck_assert(isnan(log_p));
  result_free(&result);
  free(model);
}
END_TEST

START_TEST(a_source_without_density_has_no_log_p) {
  char *x0 = file_of("x0.csv", "a,b\n1,2\n3,4\n");
  char *model = file_of("file.flow", "field u(t, x: [2]) = 0*x\nflow m { source \"x0.csv\"  velocity u  solver euler steps 1 }\n");
  Result result = flowc("logp %s --data 1,2", model);
  expect_code(result, 1);
  expect_in(result.err, "the flow `m` has no log-density: a source without density: the samples of x0.csv");
  result_free(&result);
  result = flowc("sample %s --logp %s/l.npy", model, scratch());
  expect_code(result, 1);
  expect_in(result.err, "a source without density");
  result_free(&result);
  free(x0), free(model);
}
END_TEST

static const struct {
  int code;
  const char *line, *words;
} wrong[] = {
    {2, "logp %s/moons.flow", "--data is missing"},
    {1, "logp %s/moons.flow --data 1,2,3", "--data: 3 numbers; a point takes 2"},
    {1, "sample %s/moons.flow --from 1", "--from: 1 number; a point takes 2"},
    {1, "trajectory %s/moons.flow --from 1,2,3,4", "--from: 4 numbers; a point takes 2"},
    {2, "logp %s/moons.flow --data 1,2 --range 0:2", "beyond the 1 rows of the data"},
    {2, "logp %s/moons.flow --data 1,2 --trace exact --probes 3", "--probes is for --trace hutchinson"},
    {2, "logp %s/moons.flow --data 1,2 --probes 0", "--probes wants a whole number from 1 to"},
    {2, "logp %s/moons.flow --data 1,2 --probes many", "or auto, not `many`"},
    {2, "logp %s/moons.flow --data 1,2 --se -1", "--se wants a number above 0"},
    {2, "logp %s/moons.flow --data 1,2 --probes 3 --se 0.1", "--se is for --probes auto"},
    {2, "logp %s/moons.flow --data 1,2 --most-probes 1", "--most-probes wants 4 to"},
    {4, "logp %s/moons.flow --data none.npy", "none.npy"},
    {2, "sample %s/moons.flow --probes 3", "--probes says how --logp is computed"},
    {2, "sample %s/moons.flow --logp l.npy --probes auto", "for flowc logp"},
    {2, "sample %s/moons.flow -n 5 --logp -", "the samples and --logp cannot both go to standard output; a .npz has room for both"},
    {2, "sample %s/moons.flow -n 5 --rtol 1e-3 --only 1 --replay -", "the samples and --replay cannot both go to standard output"},
    {2, "sample %s/moons.flow -n 5 --rtol 1e-3 --only 1 --replay x.csv -o x.csv", "the samples and --replay cannot both go to x.csv"},
    {2, "sample %s/moons.flow -n 5 --rtol 1e-3 --only 1 -o x.npy --replay l.csv --logp l.csv", "--logp and --replay cannot both go to l.csv"},
    {2, "logp %s/moons.flow --data 1,2 --latent -", "the log-densities and --latent cannot both go to standard output"},
    {2, "logp %s/moons.flow --data 1,2 -o l.npz --latent l.npz", "the log-densities and --latent cannot both go to l.npz"},
    {2, "eval %s/moons.flow --at 1,2 --divergence --jvp 1,0 -o e.npy", "2 results go to a .npz"},
    {1, "eval %s/moons.flow --at 1,2 --jvp 1,0,0", "--jvp 1,0,0: 3 numbers; 2 for all points"},
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

/* ---- derivatives --------------------------------------------------------------------------------------------------- */

/* u = A x, so J v = A v, w J = A' w, div = tr A, whatever the point. */
START_TEST(eval_gives_derivatives_alone_side_by_side_and_as_members) {
  char *model = file_of("a.flow", "let a = [[1, 2], [3, 4]]\nfield u(t, x: [2]) = a @ x\n");
  char *points = file_of("at.csv", "a,b\n1,0\n0,1\n"), *rows = file_of("v.csv", "a,b\n1,1\n1,-1\n"), *out = path_of("e.npz");
  double number[16];
  Result result = flowc("eval %s --at %s --divergence --precision f64", model, points);
  expect_code(result, 0);
  ck_assert_str_eq(result.out, "div\n5\n5\n");
  result_free(&result);
  result = flowc("eval %s --at %s --jvp %s", model, points, rows);
  ck_assert(strncmp(result.out, "jvp0,jvp1\n", 10) == 0);
  ck_assert_uint_eq(read_csv(result.out, number, 16), 4);
  const double jvp[4] = {3, 7, -1, -1};
  for (int i = 0; i < 4; i++) ck_assert_double_eq(number[i], jvp[i]);
  result_free(&result);
  result = flowc("eval %s --at %s --jvp %s --vjp 1,0 --divergence", model, points, rows);
  ck_assert(strncmp(result.out, "u0,u1,div,jvp0,jvp1,vjp0,vjp1\n", 30) == 0);
  const double all[14] = {1, 3, 5, 3, 7, 1, 2, 2, 4, 5, -1, -1, 1, 2};
  ck_assert_uint_eq(read_csv(result.out, number, 16), 14);
  for (int i = 0; i < 14; i++) ck_assert_double_eq(number[i], all[i]);
  result_free(&result);
  result = flowc("eval %s --at %s --vjp 1,0 --divergence -o %s", model, points, out);
  expect_code(result, 0);
  FlowTensors members = read_file(out);
  ck_assert_double_eq(at(&members, "velocity", 3), 4);
  ck_assert_double_eq(at(&members, "divergence", 1), 5);
  ck_assert_double_eq(at(&members, "vjp", 3), 2);
  ck_assert_ptr_null(flow_tensors_find(&members, "jvp"));
  flow_tensors_free(&members);
  result_free(&result);
  free(model), free(points), free(rows), free(out);
}
END_TEST

START_TEST(conditions_stay_conditions_beside_probes_and_directions) {
  char *model = file_of("c.flow", "field u(t, x: [2], c: [2]) = c * x\nflow m { source normal(2)  velocity u  solver rk4 steps 20 }\n");
  double number[4];
  Result result = flowc("eval %s --at 1,1 -c c=2,3 --jvp 1,-1", model);
  expect_code(result, 0);
  ck_assert_uint_eq(read_csv(result.out, number, 4), 2);
  ck_assert_double_eq(number[0], 2);
  ck_assert_double_eq(number[1], -3);
  result_free(&result);
  result = flowc("logp %s --data 0,0 -c c=0.5,-0.25 --probes 2 --precision f64", model);
  expect_code(result, 0);
  ck_assert_uint_eq(read_csv(result.out, number, 4), 2);
  ck_assert_double_eq_tol(number[0], log_normal(0, 0) - 0.25, 1e-12);
  result_free(&result);
  result = flowc("logp %s --data 0,0 --probes 2", model);
  expect_code(result, 2);
  expect_in(result.err, "the condition `c` has no value");
  result_free(&result);
  free(model);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("logp");
  TCase *all = tcase_create("all");
  tcase_set_timeout(all, 120);
  tcase_add_test(all, log_p_is_the_formula);
  tcase_add_test(all, probes_of_signs_measure_a_growth_exactly_and_say_so);
  tcase_add_test(all, large_states_are_estimated_unless_the_exact_trace_is_asked_for);
  tcase_add_test(all, a_map_of_any_size_has_an_exact_log_p);
  tcase_add_test(all, a_flow_that_is_given_by_a_map_has_no_steps_to_speak_of);
  tcase_add_test(all, two_outputs_of_one_file_are_refused_however_it_is_spelled);
  tcase_add_test(all, the_summary_tells_how_good_it_is);
  tcase_add_test(all, a_range_of_rows_has_the_numbers_of_the_whole);
  tcase_add_test(all, latent_points_are_what_the_data_come_from);
  tcase_add_test(all, samples_have_the_log_p_that_logp_finds);
  tcase_add_test(all, every_source_with_a_density_has_it);
  tcase_add_test(all, a_density_that_draws_normal_numbers_is_the_normal_source);
  tcase_add_test(all, a_row_that_is_no_number_is_named_and_on_request_passed_over);
  tcase_add_test(all, a_point_outside_of_the_source_is_a_failure_of_that_point);
  tcase_add_test(all, a_normal_source_has_no_outside);
  tcase_add_test(all, a_source_without_density_has_no_log_p);
  tcase_add_loop_test(all, what_does_not_fit_is_told, 0, sizeof wrong / sizeof *wrong);
  tcase_add_test(all, eval_gives_derivatives_alone_side_by_side_and_as_members);
  tcase_add_test(all, conditions_stay_conditions_beside_probes_and_directions);
  suite_add_tcase(suite, all);
  return run_suite(suite);
}
