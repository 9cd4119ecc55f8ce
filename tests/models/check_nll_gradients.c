/* SPDX-License-Identifier: Apache-2.0 */
/* check_nll_gradients.c -- the mean of -log p and its gradients by all weights, through 20 rk4 steps, against those that PyTorch computed
 * in f64 from the same 32 points, and JAX where the trace is estimated by given vectors; log p through other solves. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "likelihood_loss.h"
#include "model_file.h"
#include "run_suite.h"

#define MUST(call) ck_assert_msg(!(call), "%s", error.text)

static const char *const model[] = {"moons_elu", "checkerboard_swish", "gaussians8_to_moons", "ffjord_tanh", "wine_mlp"};
enum { MODELS = sizeof model / sizeof model[0] };

/* ---- p0 of gaussians8_to_moons: 1/8 sum_k N(x; m_k, 0.1 I), m_k = 5 (cos k pi/4, sin k pi/4) ------------------------------------- */

typedef struct Mixture { double log_density, slope[2]; } Mixture;

static Mixture mixture_at(const double *x) {
  static const double pi = 3.14159265358979324;
  double exponent[8], most = -INFINITY, sum = 0;
  Mixture m = {0};
  for (int k = 0; k < 8; k++) {
    double dx = x[0] - 5 * cos(k * pi / 4), dy = x[1] - 5 * sin(k * pi / 4);
    exponent[k] = -(dx * dx + dy * dy) / 0.2;
    most = fmax(most, exponent[k]);
  }
  for (int k = 0; k < 8; k++) sum += exp(exponent[k] - most);
  for (int k = 0; k < 8; k++) {
    double share = exp(exponent[k] - most) / sum;
    m.slope[0] -= share * (x[0] - 5 * cos(k * pi / 4)) / 0.1;
    m.slope[1] -= share * (x[1] - 5 * sin(k * pi / 4)) / 0.1;
  }
  m.log_density = most + log(sum) - log(8 * 2 * pi * 0.1);
  return m;
}

static double mixture_density(void *user, const double *x, uint64_t dim) {
  (void)user, (void)dim;
  return mixture_at(x).log_density;
}

static void mixture_slope(void *user, const double *x, uint64_t dim, double *slope) {
  (void)user;
  memcpy(slope, mixture_at(x).slope, dim * sizeof *slope);
}

/* ---- one model -------------------------------------------------------------------------------------------------------------------- */

typedef struct Pair { ModelFile ahead, back; } Pair;
enum { FIXED = FLOW_ENTRY_STEP, ADAPTIVE = FLOW_ENTRY_EVAL_LANE | FLOW_ENTRY_ATTEMPT };

/* probes 0: with the trace.  solves: FIXED, ADAPTIVE. */
static Pair open_probed(const char *name, int precision, int schedule, uint32_t probes, unsigned solves) {
  const char *flow = strcmp(name, "digits_residual") ? NULL : "digits";
  return (Pair){model_open_with(name, name, flow, precision, schedule, solves, probes ? FLOW_PROBES : FLOW_LOG_P, probes),
                model_open_with(name, name, flow, precision, schedule, FLOW_ENTRY_GRADIENT, probes ? FLOW_ADJOINT_PROBES : FLOW_ADJOINT_LOG_P,
                                probes)};
}

static Pair open_pair(const char *name, int precision, int schedule) { return open_probed(name, precision, schedule, 0, FIXED); }

static void close_pair(Pair *pair) { model_close(&pair->ahead), model_close(&pair->back); }

/* How the solve goes: in steps, or to a tolerance. */
typedef struct Solve { const char *method; uint64_t steps, interval; int threads; double tolerance; } Solve;

static FlowAdjoint *open_solve(const Pair *pair, Solve how, uint64_t most) {
  flow_error error = {{0}};
  FlowAdjoint *adjoint;
  const FlowAdaptive adaptive = {.tolerance = {how.tolerance, how.tolerance, how.tolerance}, .most_attempts = 400};
  const FlowAdjointSettings settings = {.ahead = pair->ahead.model, .back = pair->back.model, .tableau = flow_tableau_find(how.method),
                                        .steps = how.steps, .adaptive = how.tolerance > 0 ? &adaptive : NULL, .from = 1, .to = 0,
                                        .interval = how.interval, .most = most, .threads = how.threads,
                                        .allocator = &flow_standard_allocator};
  MUST(flow_adjoint_open(&settings, &adjoint, &error));
  return adjoint;
}

static FlowAdjoint *open_adjoint(const Pair *pair, uint64_t interval, int threads, uint64_t most) {
  return open_solve(pair, (Solve){"rk4", 20, interval, threads, 0}, most);
}

static double run_with(const Pair *pair, FlowAdjoint *adjoint, const char *name, const double *y, uint64_t count, const FlowTensor *condition,
                       bool loss_alone) {
  flow_error error = {{0}};
  double loss;
  FlowSource source = {.kind = FLOW_SOURCE_NORMAL, .dim = pair->ahead.model->dim};
  FlowLikelihoodLoss likelihood = {.source = &source, .precision = pair->ahead.model->precision};
  if (!strcmp(name, "gaussians8_to_moons")) source.log_density = mixture_density, source.density_slope = mixture_slope;
  MUST(flow_likelihood_loss_check(&likelihood, &error));
  const FlowAdjointBatch batch = {.count = count, .x = y, .condition = condition, .loss = flow_likelihood_loss, .user = &likelihood,
                                  .loss_alone = loss_alone, .adds_integral = true};
  MUST(flow_adjoint_run(adjoint, pair->ahead.blob.data, pair->back.blob.data, &batch, &loss, &error));
  return loss;
}

static double run(const Pair *pair, FlowAdjoint *adjoint, const char *name, const double *y, uint64_t count) {
  return run_with(pair, adjoint, name, y, count, NULL, false);
}

static double sum_at(const ModelFile *m, const void *gradient, uint32_t weight, uint64_t element) {
  const flow_gradient *g = &m->model->gradient[weight];
  uint64_t r = element / g->columns, c = element % g->columns;
  return model_at(m, (const char *)gradient + g->at, (uint64_t)((int64_t)r * g->row_step + (int64_t)c * g->column_step));
}

/* f64: 2560 stages and samples added in another order, ulps of the elementary functions grown by layers and steps: 1e-9 of the tensor's
 * largest gradient; tensors that are stored in f32 are that exact.  f32: 1e-4. */
static void compare(const ModelFile *m, const FlowTensors *expected, const char *prefix, const void *gradient, uint64_t count,
                    double tolerance) {
  for (uint32_t w = 0; w < m->model->weights; w++) {
    char name[256];
    snprintf(name, sizeof name, "%s/%s", prefix, m->model->weight[w].name);
    const FlowTensor *tensor = flow_tensors_find(expected, name);
    ck_assert_msg(tensor != NULL, "no array %s", name);
    double *value = model_numbers(tensor), most = 0, bound = tensor->type == FLOW_TYPE_F32 && tolerance < 1e-6 ? 1e-6 : tolerance;
    for (uint64_t i = 0; i < tensor->count; i++) most = fmax(most, fabs(value[i]));
    bool constant = m->model->gradient[w].rows == 0;
    for (uint64_t i = 0; i < tensor->count; i++) {
      double found = constant ? 0 : sum_at(m, gradient, w, i) / (double)count;
      ck_assert_msg(fabs(found - value[i]) <= bound * most, "%s element %llu: %.15g, the reference has %.15g (largest %.3g)", name,
                    (unsigned long long)i, found, value[i], most);
    }
    free(value);
  }
}

static void check_model(const char *name, int precision, double tolerance) {
  Pair pair = open_pair(name, precision, 0);
  char path[512];
  flow_error error = {{0}};
  FlowTensors expected;
  snprintf(path, sizeof path, TESTS_DIR "/reference/%s/nllgradients.npz", name);
  MUST(flow_tensors_read(&flow_standard_allocator, path, &expected, &error));
  const FlowTensor *y = model_value(&pair.ahead, "nll_y");
  uint64_t count = y->dim[0];
  double *points = model_numbers(y), nll = flow_tensor_at(model_value(&pair.ahead, "nll"), 0);
  FlowAdjoint *adjoint = open_adjoint(&pair, 1, 1, count);
  double found = run(&pair, adjoint, name, points, count) / (double)count;
  ck_assert_msg(fabs(found - nll) <= tolerance * fabs(nll), "nll %.15g, PyTorch has %.15g", found, nll);
  compare(&pair.back, &expected, "nllgrad", flow_adjoint_sums(adjoint), count, tolerance);
  flow_adjoint_close(adjoint);
  free(points);
  flow_tensors_free(&expected);
  close_pair(&pair);
}

START_TEST(nll_and_its_gradients_in_f64_are_those_of_pytorch) { check_model(model[_i], FLOW_F64, 1e-9); }
END_TEST
START_TEST(nll_and_its_gradients_in_f32_are_near_those_of_pytorch) { check_model(model[_i], FLOW_F32, 1e-4); }
END_TEST

/* ---- estimates by given vectors ------------------------------------------------------------------------------------------------- */

enum { PROBES = 3 };
static const char *const probed[] = {"moons_elu", "ffjord_tanh", "wine_mlp"};
enum { PROBED = sizeof probed / sizeof probed[0] };

/* [n, 3, d] as one row of 3 d numbers for each sample. */
static FlowTensor rows_of(const FlowTensor *tensor) {
  FlowTensor rows = *tensor;
  rows.rank = 2;
  rows.dim[1] = tensor->count / tensor->dim[0];
  return rows;
}

static void check_probed(const char *name, int precision, double tolerance) {
  Pair pair = open_probed(name, precision, 0, PROBES, FIXED);
  char path[512];
  flow_error error = {{0}};
  FlowTensors expected;
  snprintf(path, sizeof path, TESTS_DIR "/reference/%s/hutchgradients.npz", name);
  MUST(flow_tensors_read(&flow_standard_allocator, path, &expected, &error));
  const FlowTensor *y = model_value(&pair.ahead, "nll_y");
  FlowTensor probes = rows_of(model_value(&pair.ahead, "probes"));
  uint64_t count = y->dim[0];
  double *points = model_numbers(y), nll = flow_tensor_at(flow_tensors_find(&expected, "nll_hutch"), 0);
  FlowAdjoint *adjoint = open_adjoint(&pair, 1, 1, count);
  double found = run_with(&pair, adjoint, name, points, count, &probes, false) / (double)count;
  ck_assert_msg(fabs(found - nll) <= tolerance * fabs(nll), "nll %.15g, JAX has %.15g", found, nll);
  compare(&pair.back, &expected, "hutchgrad", flow_adjoint_sums(adjoint), count, tolerance);
  flow_adjoint_close(adjoint);
  free(points);
  flow_tensors_free(&expected);
  close_pair(&pair);
}

START_TEST(nll_by_given_probes_and_its_gradients_in_f64_are_those_of_jax) { check_probed(probed[_i], FLOW_F64, 1e-9); }
END_TEST
START_TEST(nll_by_given_probes_and_its_gradients_in_f32_are_near_those_of_jax) { check_probed(probed[_i], FLOW_F32, 1e-4); }
END_TEST

/* ---- the digits ------------------------------------------------------------------------------------------------------------------- */

/* 800,000 gradients are stored as sum_i g_i cos(k i), i from 1, k = 1 .. 4, for each tensor: of 8 images, 4 rk4 steps. */
enum { IMAGES = 8, PROJECTIONS = 4 };

static void compare_projections(const ModelFile *m, const FlowTensors *expected, const char *prefix, const void *gradient, double tolerance) {
  for (uint32_t w = 0; w < m->model->weights; w++) {
    char name[256];
    snprintf(name, sizeof name, "%s/%s", prefix, m->model->weight[w].name);
    const FlowTensor *tensor = flow_tensors_find(expected, name);
    ck_assert_msg(tensor != NULL, "no array %s", name);
    uint64_t count = m->model->gradient[w].rows * m->model->gradient[w].columns;
    for (int k = 1; k <= PROJECTIONS; k++) {
      double sum = 0, size = 0, stored = flow_tensor_at(tensor, (uint64_t)k - 1);
      for (uint64_t i = 0; i < count; i++) {
        double value = sum_at(m, gradient, w, i) / IMAGES;
        sum += value * cos(k * (double)(i + 1)), size += fabs(value);
      }
      ck_assert_msg(fabs(sum - stored) <= tolerance * size, "%s, projection %d: %.15g, JAX has %.15g (of %.3g)", name, k, sum, stored, size);
    }
  }
}

/* 1e-9 in f64 and 1e-4 in f32 of the sum of the magnitudes, which is some hundred times the projection. */
static void check_digits(int precision, double tolerance, uint32_t probes) {
  const char *name = "digits_residual", *prefix = probes ? "hutch" : "exact";
  Pair pair = open_probed(name, precision, 0, probes, FIXED);
  char value[64];
  flow_error error = {{0}};
  FlowTensors expected;
  MUST(flow_tensors_read(&flow_standard_allocator, TESTS_DIR "/reference/digits_residual/nllprojections.npz", &expected, &error));
  FlowTensor condition[2] = {*model_value(&pair.ahead, "y_c"), rows_of(model_value(&pair.ahead, "logp_probes"))};
  snprintf(value, sizeof value, "%s_nll", prefix);
  double *points = model_numbers(model_value(&pair.ahead, "y")), nll = flow_tensor_at(flow_tensors_find(&expected, value), 0);
  FlowAdjoint *adjoint = open_solve(&pair, (Solve){"rk4", 4, 0, 1, 0}, IMAGES);
  double found = run_with(&pair, adjoint, name, points, IMAGES, condition, false) / IMAGES;
  ck_assert_msg(fabs(found - nll) <= tolerance * fabs(nll), "nll %.15g, JAX has %.15g", found, nll);
  compare_projections(&pair.back, &expected, prefix, flow_adjoint_sums(adjoint), tolerance);
  flow_adjoint_close(adjoint);
  free(points);
  flow_tensors_free(&expected);
  close_pair(&pair);
}

START_TEST(nll_of_digits_and_its_gradients_are_those_of_jax) { check_digits(FLOW_F64, 1e-9, 0); }
END_TEST
START_TEST(nll_of_digits_by_given_probes_and_its_gradients_are_those_of_jax) {
  check_digits(_i ? FLOW_F32 : FLOW_F64, _i ? 1e-4 : 1e-9, PROBES);
}
END_TEST

/* ---- the loss through other solves ------------------------------------------------------------------------------------------------ */

/* Minus the mean over all numbers of a stored log p. */
static double mean_nll(const FlowTensor *log_p) {
  double sum = 0;
  for (uint64_t i = 0; i < log_p->count; i++) sum -= flow_tensor_at(log_p, i);
  return sum / (double)log_p->count;
}

static const char *const all[] = {"moons_elu", "checkerboard_swish", "gaussians8_to_moons", "ffjord_tanh", "wine_mlp", "digits_residual"};
enum { ALL = sizeof all / sizeof all[0] };

START_TEST(the_loss_by_given_probes_in_midpoint_steps_is_that_of_pytorch) {
  const char *name = all[_i];
  Pair pair = open_probed(name, FLOW_F64, 0, PROBES, FIXED);
  const FlowTensor *y = model_value(&pair.ahead, "y");
  FlowTensor condition[2] = {rows_of(model_value(&pair.ahead, "logp_probes"))};
  if (!strcmp(name, "digits_residual")) condition[1] = condition[0], condition[0] = *model_value(&pair.ahead, "y_c");
  double *points = model_numbers(y), expected = mean_nll(model_value(&pair.ahead, "logp_midpoint_hutch"));
  FlowAdjoint *adjoint = open_solve(&pair, (Solve){"midpoint", 100, 0, 1, 0}, y->dim[0]);
  double found = run_with(&pair, adjoint, name, points, y->dim[0], condition, true) / (double)y->dim[0];
  ck_assert_msg(fabs(found - expected) <= 1e-10 * fabs(expected), "%.15g, PyTorch has %.15g", found, expected);
  flow_adjoint_close(adjoint);
  free(points);
  close_pair(&pair);
}
END_TEST

/* Smooth velocities, to 1e-11 at both sides: 1e-8 of log p. */
START_TEST(the_loss_in_steps_that_adapt_is_the_accurate_log_density) {
  const char *name = _i ? "wine_mlp" : "ffjord_tanh";
  Pair pair = open_probed(name, FLOW_F64, 0, 0, ADAPTIVE);
  const FlowTensor *y = model_value(&pair.ahead, "y");
  double *points = model_numbers(y), expected = mean_nll(model_value(&pair.ahead, "logp_exact_f64"));
  FlowAdjoint *adjoint = open_solve(&pair, (Solve){"dop853", 0, 0, 1, 1e-11}, y->dim[0]);
  double found = run_with(&pair, adjoint, name, points, y->dim[0], NULL, true) / (double)y->dim[0];
  ck_assert_msg(fabs(found - expected) <= 1e-8 * fabs(expected), "%.15g, the reference has %.15g", found, expected);
  flow_adjoint_close(adjoint);
  free(points);
  close_pair(&pair);
}
END_TEST

/* ---- the same bits --------------------------------------------------------------------------------------------------------------- */

/* 500 points, which are three blocks: those of the file, a little further out each time. */
static double *many_points(const ModelFile *m, uint64_t count) {
  const FlowTensor *y = model_value(m, "nll_y");
  double *point = calloc(count * m->model->dim, sizeof *point);
  for (uint64_t i = 0; i < count * m->model->dim; i++)
    point[i] = flow_tensor_at(y, i % y->count) * (1 + 0.01 * (double)(i / y->count));
  return point;
}

static void expect_same(const ModelFile *m, const char *what, const void *a, const void *b) {
  for (uint32_t w = 0; w < m->model->weights; w++)
    for (uint64_t i = 0; i < m->model->gradient[w].rows * m->model->gradient[w].columns; i++)
      ck_assert_msg(sum_at(m, a, w, i) == sum_at(m, b, w, i), "%s: weight %u element %llu", what, w, (unsigned long long)i);
}

/* Checkpoints, threads, vector width: none of them is in the order of the sums, in fixed steps and in those that adapt, with the trace
 * and with an estimate of it. */
START_TEST(gradients_have_the_same_bits_whatever_is_kept_and_whoever_computes) {
  bool adapts = _i & 1;
  uint32_t probes = _i & 2 ? 1 : 0;
  static const struct { uint64_t interval; int threads, schedule; } how[] = {{1, 1, 0}, {2, 1, 0}, {5, 1, 0}, {7, 1, 0}, {20, 1, 0},
                                                                            {1, 2, 0}, {5, 3, 0}, {1, 1, FLOW_CPU_V3}};
  enum { POINTS = 500 };
  void *first = NULL;
  double first_loss = 0;
  for (size_t k = 0; k < sizeof how / sizeof how[0]; k++) {
    Pair pair = open_probed("ffjord_tanh", FLOW_F32, how[k].schedule, probes, adapts ? ADAPTIVE : FIXED);
    double *points = many_points(&pair.ahead, POINTS);
    static const float same[2] = {1, -1};               /* one vector for all samples */
    const FlowTensor vector = {.name = "probes", .type = FLOW_TYPE_F32, .rank = 1, .dim = {2}, .count = 2, .data = same};
    FlowAdjoint *adjoint = open_solve(&pair, (Solve){adapts ? "dopri5" : "rk4", 20, how[k].interval, how[k].threads, adapts ? 1e-4 : 0}, POINTS);
    double loss = run_with(&pair, adjoint, "ffjord_tanh", points, POINTS, probes ? &vector : NULL, false);
    if (!first) {
      first = malloc(pair.back.model->gradient_bytes);
      memcpy(first, flow_adjoint_sums(adjoint), pair.back.model->gradient_bytes);
      first_loss = loss;
    }
    char what[64];
    snprintf(what, sizeof what, "interval %llu, %d threads, v%d", (unsigned long long)how[k].interval, how[k].threads, how[k].schedule);
    ck_assert_msg(loss == first_loss, "%s: loss %.17g, %.17g", what, loss, first_loss);
    expect_same(&pair.back, what, first, flow_adjoint_sums(adjoint));
    flow_adjoint_close(adjoint);
    free(points);
    close_pair(&pair);
  }
  free(first);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("nll gradients");
  TCase *tcase = tcase_create("reference");
  tcase_set_timeout(tcase, 120);
  tcase_add_loop_test(tcase, nll_and_its_gradients_in_f64_are_those_of_pytorch, 0, MODELS);
  tcase_add_loop_test(tcase, nll_and_its_gradients_in_f32_are_near_those_of_pytorch, 0, MODELS);
  tcase_add_loop_test(tcase, nll_by_given_probes_and_its_gradients_in_f64_are_those_of_jax, 0, PROBED);
  tcase_add_loop_test(tcase, nll_by_given_probes_and_its_gradients_in_f32_are_near_those_of_jax, 0, PROBED);
  tcase_add_test(tcase, nll_of_digits_and_its_gradients_are_those_of_jax);
  tcase_add_loop_test(tcase, nll_of_digits_by_given_probes_and_its_gradients_are_those_of_jax, 0, 2);
  tcase_add_loop_test(tcase, the_loss_by_given_probes_in_midpoint_steps_is_that_of_pytorch, 0, ALL);
  tcase_add_loop_test(tcase, the_loss_in_steps_that_adapt_is_the_accurate_log_density, 0, 2);
  tcase_add_loop_test(tcase, gradients_have_the_same_bits_whatever_is_kept_and_whoever_computes, 0, 4);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
