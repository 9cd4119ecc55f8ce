/* SPDX-License-Identifier: Apache-2.0 */
/* check_terms.c -- the likelihood with terms along the way of each point: closed forms where the field is linear, gradients by differences, the
 * same bits on any threads and with any checkpoints, steps that adapt. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "probes.h"
#include "run_suite.h"
#include "streams.h"
#include "trained.h"

#define MUST(call) ck_assert_msg(!(call), "%s", error.text)
#define FLOW(time) "flow f { source normal(2)  velocity v  " time "  solver rk4 steps 5  train { loss likelihood } }\n"
#define LINEAR "network v(t, x: [2]) -> [2] = x |> linear 2 \"a\" no bias\n"
#define NETWORK "network v(t, x: [2], c: [3]) -> [2] = [t, x, c] |> linear 8 \"a\" |> tanh |> linear 8 \"b\" |> tanh |> linear 2 \"o\"\n"

/* More than one block. */
enum { SAMPLES = 250 };

/* ---- a linear field ------------------------------------------------------------------------------------------------------ */

/* dx/dt = diag(a) x.  `time 0 -> 1`: the way of y is x(t) = e^{a (t - 1)} y; `time 2 -> 0`: x(t) = e^{a t} y, the source at t = 2. */
typedef struct Truth { double loss, kinetic, jacobian; } Truth;

static Truth diagonal_truth(const Trained *t, const double a[2], bool back) {
  double length = back ? 2 : 1, growth = back ? 2 : -1, log_2_pi = log(2 * acos(-1));
  Truth truth = {.jacobian = length * (a[0] * a[0] + a[1] * a[1])};
  for (uint64_t i = 0; i < SAMPLES; i++) {
    const double *y = t->batch.x1 + 2 * i;
    truth.loss += log_2_pi - growth * (a[0] + a[1]);
    for (int c = 0; c < 2; c++) {
      double end = exp(growth * a[c]) * y[c];
      truth.loss += end * end / 2;
      truth.kinetic += fabs(a[c] * (end * end - y[c] * y[c]) / 2);
    }
  }
  truth.loss /= SAMPLES, truth.kinetic /= SAMPLES;
  return truth;
}

static void check_linear(bool back, const double matrix[4], Truth (*truth_of)(const Trained *t, const double *matrix, bool back)) {
  Trained t;
  trained_open(&t, &(TrainedKind){.text = back ? LINEAR FLOW("time 2 -> 0") : LINEAR FLOW(""), .loss = FLOW_LOSS_likelihood,
                                  .terms = {0.3, 0.7, false}, .steps = 200, .batch = SAMPLES});
  memcpy(trained_numbers(&t, FLOW_MASTER_WEIGHT, "a.weight"), matrix, 4 * sizeof *matrix);
  FlowLossParts parts = trained_run(&t, true);
  Truth truth = truth_of(&t, matrix, back);
  /* rk4 with h = 1/100: a^5 h^4 |x|^2, some 1e-8 */
  ck_assert_double_eq_tol(parts.term[0], truth.kinetic, 1e-7);
  ck_assert_double_eq_tol(parts.term[1], truth.jacobian, 1e-12);
  ck_assert_double_eq_tol(parts.all, truth.loss + 0.3 * truth.kinetic + 0.7 * truth.jacobian, 1e-7);
  trained_close(&t);
}

static Truth of_diagonal(const Trained *t, const double *m, bool back) { return diagonal_truth(t, (double[]){m[0], m[3]}, back); }

/* A rotation keeps lengths: |u|^2 = w^2 |y|^2 everywhere, no divergence. */
static Truth of_rotation(const Trained *t, const double *m, bool back) {
  Truth truth = {.jacobian = (back ? 2 : 1) * 2 * m[2] * m[2]};
  for (uint64_t i = 0; i < SAMPLES; i++) {
    const double *y = t->batch.x1 + 2 * i, square = y[0] * y[0] + y[1] * y[1];
    truth.loss += (log(2 * acos(-1)) + square / 2) / SAMPLES;
    truth.kinetic += (back ? 2 : 1) * m[2] * m[2] * square / SAMPLES;
  }
  return truth;
}

START_TEST(terms_along_a_linear_field_are_those_of_the_exponential) {
  static const double matrix[] = {0.8, 0, 0, -0.5};
  check_linear(_i, matrix, of_diagonal);
}
END_TEST
START_TEST(terms_along_a_rotation_are_those_of_a_circle) {
  static const double matrix[] = {0, -1.5, 1.5, 0};
  check_linear(_i, matrix, of_rotation);
}
END_TEST

/* The gradient of w |A|^2 over a time of 1 is 2 w A. */
START_TEST(the_gradient_of_the_norm_of_a_matrix_is_twice_the_matrix) {
  Trained t, plain;
  TrainedKind kind = {.text = LINEAR FLOW(""), .loss = FLOW_LOSS_likelihood, .terms = {.jacobian = 0.7}, .steps = 6, .batch = SAMPLES};
  trained_open(&t, &kind);
  kind.terms = (FlowTrainTerms){.kinetic = 0};
  trained_open(&plain, &kind);
  trained_run(&t, true), trained_run(&plain, true);
  const double *w = trained_numbers(&t, FLOW_MASTER_WEIGHT, "a.weight"), *with = trained_numbers(&t, FLOW_MASTER_GRADIENT, "a.weight");
  const double *without = trained_numbers(&plain, FLOW_MASTER_GRADIENT, "a.weight");
  for (int i = 0; i < 4; i++) ck_assert_double_eq_tol(with[i] - without[i], 2 * 0.7 * w[i], 1e-12);
  trained_close(&t), trained_close(&plain);
}
END_TEST

/* |A e|^2, e being component c of probe p: number 2 p + c of the sample, the same along the whole way. */
START_TEST(estimates_along_a_linear_field_are_those_of_the_samples_probes) {
  for (uint32_t probes = 0; probes < 4; probes++) {
    Trained t;
    trained_open(&t, &(TrainedKind){.text = LINEAR FLOW(""), .loss = FLOW_LOSS_likelihood, .terms = {0.3, 0.7, true}, .probes = probes, .steps = 4,
                                    .batch = SAMPLES});
    const double *w = trained_numbers(&t, FLOW_MASTER_WEIGHT, "a.weight");
    uint32_t count = probes ? probes : 1;
    double sum = 0;
    for (uint64_t i = 0; i < SAMPLES; i++)
      for (uint32_t p = 0; p < count; p++) {
        double e[2];
        for (uint32_t c = 0; c < 2; c++) e[c] = flow_random_word((FlowRandom){3, FLOW_STREAM_TRACE}, 2 * SAMPLES + i, 2 * p + c) >> 63 ? -1 : 1;
        for (int r = 0; r < 2; r++) sum += pow(w[2 * r] * e[0] + w[2 * r + 1] * e[1], 2) / count;
      }
    ck_assert_double_eq_tol(trained_run(&t, false).term[1], sum / SAMPLES, 1e-12);
    trained_close(&t);
  }
}
END_TEST

/* ---- gradients ------------------------------------------------------------------------------------------------------------- */

typedef struct Case { const char *name, *text; FlowTrainTerms terms; uint32_t probes; } Case;
static const Case cases[] = {
    {"kinetic energy", NETWORK FLOW(""), {.kinetic = 0.3}, 0},
    {"the Jacobian", NETWORK FLOW(""), {.jacobian = 0.4}, 0},
    {"both, back in time", NETWORK FLOW("time 2 -> 0.5"), {0.3, 0.4, false}, 0},
    {"an estimate of the Jacobian", NETWORK FLOW(""), {.jacobian = 0.4, .probe = true}, 0},
    {"estimates of the trace and the Jacobian", NETWORK FLOW("time 2 -> 0.5"), {0.3, 0.4, true}, 2},
    {"an estimate of the trace, kinetic energy", NETWORK FLOW(""), {.kinetic = 0.3}, 1},
};
enum { CASES = sizeof cases / sizeof cases[0] };

static TrainedKind kind_of(int i, int threads) {
  return (TrainedKind){.text = cases[i].text, .loss = FLOW_LOSS_likelihood, .terms = cases[i].terms, .probes = cases[i].probes, .steps = 5,
                       .batch = SAMPLES, .threads = threads};
}

/* h = 1e-5: h^2 times a third derivative, some 1e-9 here, and 1e-16 |loss|/h of rounding. */
START_TEST(gradients_with_terms_are_those_of_central_differences) {
  Trained t;
  TrainedKind kind = kind_of(_i, 1);
  trained_open(&t, &kind);
  trained_check_slopes(&t, 1e-5, 1e-6);
  trained_close(&t);
}
END_TEST

START_TEST(terms_and_gradients_have_the_same_bits_on_any_threads) {
  FlowLossParts first;
  double *gradient = NULL;
  for (int threads = 1; threads <= 3; threads++) {
    Trained t;
    TrainedKind kind = kind_of(_i, threads);
    trained_open(&t, &kind);
    trained_expect_same(&t, &first, &gradient, cases[_i].name);
    trained_close(&t);
  }
  free(gradient);
}
END_TEST

START_TEST(a_solve_in_steps_that_adapt_has_the_same_bits_on_any_threads) {
  const FlowAdaptive adaptive = {.tolerance = {1e-5, 1e-5, 1e-5}, .most_attempts = 300};
  FlowLossParts first;
  double *gradient = NULL;
  for (int threads = 1; threads <= 3; threads++) {
    Trained t;
    TrainedKind kind = kind_of(_i, threads);
    kind.adaptive = &adaptive;
    trained_open(&t, &kind);
    trained_expect_same(&t, &first, &gradient, cases[_i].name);
    trained_close(&t);
  }
  free(gradient);
}
END_TEST

/* Both are near the solution: dopri5 by its tolerance, rk4 with h = 1/120 by some 1e-9. */
START_TEST(steps_that_adapt_have_nearly_the_terms_and_gradients_of_many_fixed_ones) {
  const FlowAdaptive adaptive = {.tolerance = {1e-10, 1e-10, 1e-10}, .most_attempts = 1000};
  Trained fixed, adapting;
  TrainedKind kind = kind_of(_i, 1);
  kind.steps = 120;
  trained_open(&fixed, &kind);
  kind.adaptive = &adaptive;
  trained_open(&adapting, &kind);
  FlowLossParts a = trained_run(&fixed, true), b = trained_run(&adapting, true);
  ck_assert_double_eq_tol(a.all, b.all, 1e-7);
  for (int i = 0; i < 2; i++) ck_assert_double_eq_tol(a.term[i], b.term[i], 1e-7);
  for (size_t i = 0; i < fixed.masters.count; i++)
    ck_assert_double_eq_tol(flow_masters_at(&fixed.masters, FLOW_MASTER_GRADIENT, i), flow_masters_at(&adapting.masters, FLOW_MASTER_GRADIENT, i), 1e-6);
  trained_close(&fixed), trained_close(&adapting);
}
END_TEST

/* ---- training ----------------------------------------------------------------------------------------------------------------- */

/* The same weights whatever the checkpoints of the solve, and after a stop; a way of less energy where that weighs. */
static FlowTraining *train(Trained *t, uint64_t interval, uint64_t until, FlowTrainReport *report) {
  flow_error error = {{0}};
  t->settings.solve.interval = interval;
  FlowTraining *training = trained_training(t);
  while (flow_training_done(training) < until) MUST(flow_training_step(training, report, &error));
  return training;
}

START_TEST(trained_weights_have_the_same_bits_with_any_checkpoints_of_the_solve) {
  Trained t;
  FlowTrainReport report[3];
  TrainedKind kind = kind_of(CASES - 2, 1);
  trained_open(&t, &kind);
  FlowTraining *training[3];
  for (int k = 0; k < 3; k++) training[k] = train(&t, (uint64_t)k + 1, 4, &report[k]);
  for (int k = 1; k < 3; k++) {
    ck_assert(report[k].loss == report[0].loss && report[k].kinetic == report[0].kinetic && report[k].jacobian == report[0].jacobian);
    for (uint32_t i = 0; i < t.settings.model->weights; i++) {
      FlowTensor a = flow_training_tensor(training[0], i, false), b = flow_training_tensor(training[k], i, false);
      ck_assert(memcmp(a.data, b.data, a.count * sizeof(double)) == 0);
    }
  }
  for (int k = 0; k < 3; k++) flow_training_close(training[k]);
  trained_close(&t);
}
END_TEST

START_TEST(terms_are_smaller_where_they_weigh_and_the_loss_is_told_without_them) {
  FlowTrainReport report[2], first[2];
  for (int heavy = 0; heavy < 2; heavy++) {
    Trained t;
    TrainedKind kind = kind_of(0, 1);
    kind.terms = (FlowTrainTerms){heavy ? 1 : 1e-9, heavy ? 1 : 1e-9, false};
    trained_open(&t, &kind);
    flow_training_close(train(&t, 0, 1, &first[heavy]));
    flow_training_close(train(&t, 0, 40, &report[heavy]));
    trained_close(&t);
  }
  ck_assert_double_lt(report[1].kinetic, 0.8 * report[0].kinetic);
  ck_assert_double_lt(report[1].jacobian, 0.8 * report[0].jacobian);
  ck_assert_double_lt(report[0].loss, report[1].loss);
  ck_assert_double_eq_tol(first[0].loss, first[1].loss, 1e-8);  /* of the same weights; 1e-9 of the light terms, and rounding */
}
END_TEST

START_TEST(models_without_these_terms_are_refused) {
  Trained t;
  flow_error error = {{0}};
  TrainedKind kind = kind_of(2, 1);
  trained_open(&t, &kind);
  FlowTrainSettings s = t.settings;
  s.terms.jacobian = 0;
  ck_assert_int_eq(flow_train_settings_check(&s, &error), FLOW_BAD_CALL);
  ck_assert_ptr_nonnull(strstr(error.text, "this loss"));
  trained_close(&t);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("terms of the likelihood");
  TCase *tcase = tcase_create("terms");
  tcase_set_timeout(tcase, 60);
  tcase_add_loop_test(tcase, terms_along_a_linear_field_are_those_of_the_exponential, 0, 2);
  tcase_add_loop_test(tcase, terms_along_a_rotation_are_those_of_a_circle, 0, 2);
  tcase_add_test(tcase, the_gradient_of_the_norm_of_a_matrix_is_twice_the_matrix);
  tcase_add_test(tcase, estimates_along_a_linear_field_are_those_of_the_samples_probes);
  tcase_add_loop_test(tcase, gradients_with_terms_are_those_of_central_differences, 0, CASES);
  tcase_add_loop_test(tcase, terms_and_gradients_have_the_same_bits_on_any_threads, 0, CASES);
  tcase_add_loop_test(tcase, a_solve_in_steps_that_adapt_has_the_same_bits_on_any_threads, 0, CASES);
  tcase_add_loop_test(tcase, steps_that_adapt_have_nearly_the_terms_and_gradients_of_many_fixed_ones, 0, CASES);
  tcase_add_test(tcase, trained_weights_have_the_same_bits_with_any_checkpoints_of_the_solve);
  tcase_add_test(tcase, terms_are_smaller_where_they_weigh_and_the_loss_is_told_without_them);
  tcase_add_test(tcase, models_without_these_terms_are_refused);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
