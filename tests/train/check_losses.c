/* SPDX-License-Identifier: Apache-2.0 */
/* check_losses.c -- losses that the program itself says, and terms, along paths: what a sample's parts are, gradients by differences, the
 * same bits on any threads, and closed forms where the field is linear. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/faulty.h"
#include "probes.h"
#include "run_suite.h"
#include "streams.h"
#include "trained.h"

#define MUST(call) ck_assert_msg(!(call), "%s", error.text)
#define NETWORK "network v(t, x: [2], c: [3]) -> [2] = [t, x, c] |> linear 8 \"a\" |> tanh |> linear 8 \"b\" |> tanh |> linear 2 \"o\"\n"
#define LINEAR "network v(t, x: [2], c: [3]) -> [2] = (x |> linear 2 \"a\") + 0.5*(c[0:2])\n"
#define FLOW(loss) "flow f { source normal(2)  velocity v  solver rk4 steps 5  train { loss " loss " } }\n"

/* More than two blocks; the last one not whole. */
enum { SAMPLES = 401 };
#define NONE {.kinetic = 0}

/* ---- what a loss is given ----------------------------------------------------------------------------------------------- */

/* Every input with a factor of its own, along a path whose rates are not constant, in a time that runs from 2 down to 0. */
static const char of_everything[] = LINEAR
    "fn own(s, chance, probe: [d], x1: [d], x0: [d], target: [d], u: [d], x: [d], t, c: [3]) =\n"
    "  dot(u, [1, 2]) + 3*dot(target, [s, chance]) + 5*dot(x0, probe) + 7*t*dot(x1, x) + 11*c[1]*x[0]\n"
    "flow f { source normal(2)  velocity v  path cosine  time 2 -> 0  solver rk4 steps 5  train { loss own } }\n";

static double own_loss(Trained *t, uint64_t i) {
  const double *w = trained_numbers(t, FLOW_MASTER_WEIGHT, "a.weight"), *b = trained_numbers(t, FLOW_MASTER_WEIGHT, "a.bias");
  const double *x0 = t->batch.x0 + 2 * i, *x1 = t->batch.x1 + 2 * i, *c = t->given[t->batch.row[i]], s = t->batch.s[i], half_pi = acos(0);
  uint64_t number = 2 * SAMPLES + i;
  double chance = flow_random_uniform((FlowRandom){3, FLOW_STREAM_PICK}, number, 3), x[2], u[2], target[2], e[2];
  for (int r = 0; r < 2; r++) {
    x[r] = sin(half_pi * s) * x1[r] + cos(half_pi * s) * x0[r];
    target[r] = -0.5 * half_pi * (cos(half_pi * s) * x1[r] - sin(half_pi * s) * x0[r]);
    e[r] = flow_random_word((FlowRandom){3, FLOW_STREAM_TRACE}, number, (uint32_t)r) >> 63 ? -1 : 1;
  }
  for (int r = 0; r < 2; r++) u[r] = w[2 * r] * x[0] + w[2 * r + 1] * x[1] + b[r] + 0.5 * c[r];
  return u[0] + 2 * u[1] + 3 * (target[0] * s + target[1] * chance) + 5 * (x0[0] * e[0] + x0[1] * e[1]) +
         7 * (2 - 2 * s) * (x1[0] * x[0] + x1[1] * x[1]) + 11 * c[1] * x[0];
}

START_TEST(every_part_of_a_sample_is_what_it_is_called) {
  Trained t;
  trained_open(&t, &(TrainedKind){.text = of_everything, .of_program = true, .batch = SAMPLES});
  double sum = 0;
  for (uint64_t i = 0; i < SAMPLES; i++) sum += own_loss(&t, i);
  ck_assert_double_eq_tol(trained_run(&t, false).all, sum / SAMPLES, 1e-12 * 50);      /* terms of some 50, summed in another order */
  trained_close(&t);
}
END_TEST

START_TEST(samples_held_out_have_random_numbers_of_their_own) {
  Trained t;
  trained_open(&t, &(TrainedKind){.text = of_everything, .of_program = true, .batch = SAMPLES});
  double before = trained_run(&t, false).all;
  t.batch.once = true;
  ck_assert_double_ne(trained_run(&t, false).all, before);
  trained_close(&t);
}
END_TEST

/* ---- a loss that is the training's own ----------------------------------------------------------------------------------- */

static void expect_same_training(const char *loss, bool same_bits) {
  char text[1024];
  flow_error error = {{0}};
  FlowTrainReport report[2];
  Trained t[2];
  FlowTraining *training[2];
  snprintf(text, sizeof text, "%sfn own(u: [d], target: [d]) = %s\n%s", NETWORK, loss, FLOW("own"));
  for (int of_program = 0; of_program < 2; of_program++) {
    trained_open(&t[of_program], &(TrainedKind){.text = text, .of_program = of_program, .batch = SAMPLES});
    training[of_program] = trained_training(&t[of_program]);
    for (int i = 0; i < 10; i++) MUST(flow_training_step(training[of_program], &report[of_program], &error));
  }
  if (same_bits) ck_assert(report[0].loss == report[1].loss && report[0].norm == report[1].norm);
  ck_assert_double_eq_tol(report[0].loss, report[1].loss, 1e-12);
  for (uint32_t i = 0; i < t[0].settings.model->weights; i++) {
    FlowTensor a = flow_training_tensor(training[0], i, false), b = flow_training_tensor(training[1], i, false);
    ck_assert_str_eq(a.name, b.name);
    if (same_bits) ck_assert_msg(memcmp(a.data, b.data, a.count * sizeof(double)) == 0, "%s", a.name);
    for (uint64_t k = 0; k < a.count; k++) ck_assert_double_eq_tol(flow_tensor_at(&a, k), flow_tensor_at(&b, k), 1e-9);
  }
  for (int k = 0; k < 2; k++) flow_training_close(training[k]), trained_close(&t[k]);
}

/* A sum of squares is one chain of fused products in both. */
START_TEST(flow_matching_written_as_a_loss_trains_the_same_weights_to_the_bit) { expect_same_training("norm2(u - target)/2", true); }
END_TEST
/* Ten steps of Adam make of another order of rounding, 1e-16, at most a millionth of the rate. */
START_TEST(flow_matching_written_in_another_way_trains_the_same_weights) { expect_same_training("sum k: (u[k]^2 - 2*u[k]*target[k] + target[k]^2)/2", false); }
END_TEST

/* ---- gradients ------------------------------------------------------------------------------------------------------------- */

typedef struct Case { const char *name, *text; FlowTrainTerms terms; } Case;
static const Case cases[] = {
    {"a Huber loss", NETWORK "fn own(u: [d], target: [d]) = sum k: (sqrt(1 + (u[k] - target[k])^2) - 1)\n" FLOW("own"), .terms = NONE},
    {"weights of the time", NETWORK "fn own(s, t, u: [d], target: [d]) = exp(-3*s)*(1 + t^2)*norm2(u - target)\n" FLOW("own"), .terms = NONE},
    {"products with the Jacobian",
     NETWORK "fn own(t, x: [d], u: [d], target: [d], c: [3], probe: [d]) =\n"
             "  norm2(u - target + 0.5*jvp(v)(t, x, c; u)) + norm2(vjp(v)(t, x, c; probe)) + div(v)(t, x, c)^2 + norm2(ddt(v)(t, x, c))\n" FLOW("own"),
     .terms = NONE},
    {"the gradient of a scalar of the network",
     NETWORK "fn energy(t, x: [n], c: [3]) = norm2(v(t, x, c))/2\nfn force(t, x: [n], c: [3]) = grad(energy)(t, x, c)\n"
             "fn own(t, x: [d], c: [3], target: [d]) = norm2(force(t, x, c) + target)\n" FLOW("own"),
     .terms = NONE},
    {"the network at other points",
     NETWORK "fn own(t, s, chance, x0: [d], x1: [d], x: [d], c: [3]) =\n"
             "  let r = t*chance\n  norm2(v(r, x0, -c) - v(t, x1, c)) + s*dot(v(t, x, c), x1 - x0)\n" FLOW("own"),
     .terms = NONE},
    {"what a network says of the data",
     "network d(t, x: [2], c: [3]) -> [2] = [t, x, c] |> linear 8 \"a\" |> tanh |> linear 2 \"o\"\n"
     "fn own(t, x: [n], c: [3], x1: [n], u: [n]) = norm2(d(t, x, c) - x1)/2 + 1e-3*norm2(u)\n"
     "flow f { source normal(2)  velocity d  predicts data  path condot  time 0 -> 0.9  train { loss own } }\n",
     .terms = NONE},
    {"a branch", NETWORK "fn own(chance, t, x: [d], c: [3], target: [d]) =\n  let k = if chance < 0.5 then 0*c else c\n"
                         "  norm2(v(t, x, k) - target)\n" FLOW("own"), .terms = NONE},
    {"flow matching with kinetic energy", NETWORK FLOW("flow_matching"), {.kinetic = 0.3}},
    {"flow matching with the Jacobian", NETWORK FLOW("flow_matching"), {.jacobian = 0.7}},
    {"flow matching with an estimate of the Jacobian", NETWORK FLOW("flow_matching"), {.kinetic = 0.2, .jacobian = 0.7, .probe = true}},
    {"a loss of the program with both terms",
     NETWORK "fn own(probe: [d], u: [d], target: [d]) = dot(u - target, probe)^2\n" FLOW("own"), {.kinetic = 0.3, .jacobian = 0.7}},
    {"a loss of the program with an estimate by its own probe",
     NETWORK "fn own(probe: [d], u: [d], target: [d]) = dot(u - target, probe)^2\n" FLOW("own"), {.jacobian = 0.7, .probe = true}},
    {"a loss of the program with an estimate by another probe",
     NETWORK "fn own(u: [d], target: [d]) = norm2(u - target)^2\n" FLOW("own"), {.kinetic = 0.1, .jacobian = 0.7, .probe = true}},
};
enum { CASES = sizeof cases / sizeof cases[0] };

static TrainedKind kind_of(int i, int threads) {
  return (TrainedKind){.text = cases[i].text, .of_program = !strstr(cases[i].text, "loss flow_matching"), .terms = cases[i].terms,
                       .batch = SAMPLES, .threads = threads};
}

/* h = 1e-5: the error of a difference is h^2 times a third derivative, some 1e-10 here, and 1e-16 |loss|/h of rounding. */
START_TEST(gradients_of_losses_are_those_of_central_differences) {
  Trained t;
  TrainedKind kind = kind_of(_i, 1);
  trained_open(&t, &kind);
  trained_check_slopes(&t, 1e-5, 1e-7);
  trained_close(&t);
}
END_TEST

START_TEST(losses_and_gradients_have_the_same_bits_on_any_threads) {
  FlowLossParts first = {0};
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

/* ---- terms of a linear field ------------------------------------------------------------------------------------------------- */

/* u = A x + b + c/2: |u|^2 at every point, J = A everywhere, and the gradient of w |A|^2/d is 2 w A/d. */
static void check_linear_terms(bool probe, const char *text, bool of_program) {
  Trained t, plain;
  TrainedKind kind = {.text = text, .of_program = of_program, .terms = {0.3, 0.7, probe}, .batch = SAMPLES};
  trained_open(&t, &kind);
  kind.terms = (FlowTrainTerms){0};
  trained_open(&plain, &kind);
  const double *w = trained_numbers(&t, FLOW_MASTER_WEIGHT, "a.weight"), *b = trained_numbers(&t, FLOW_MASTER_WEIGHT, "a.bias");
  double kinetic = 0, jacobian = 0;
  for (uint64_t i = 0; i < SAMPLES; i++) {
    double s = t.batch.s[i], x[2], e[2];
    for (int c = 0; c < 2; c++) x[c] = (1 - s) * t.batch.x0[2 * i + (uint64_t)c] + s * t.batch.x1[2 * i + (uint64_t)c];
    for (int c = 0; c < 2; c++) e[c] = flow_random_word((FlowRandom){3, FLOW_STREAM_TRACE}, 2 * SAMPLES + i, (uint32_t)c) >> 63 ? -1 : 1;
    for (int r = 0; r < 2; r++) {
      double u = w[2 * r] * x[0] + w[2 * r + 1] * x[1] + b[r] + 0.5 * t.given[t.batch.row[i]][r], moved = w[2 * r] * e[0] + w[2 * r + 1] * e[1];
      kinetic += u * u / 2;
      jacobian += (probe ? moved * moved : w[2 * r] * w[2 * r] + w[2 * r + 1] * w[2 * r + 1]) / 2;
    }
  }
  FlowLossParts with = trained_run(&t, true), without = trained_run(&plain, true);
  ck_assert_double_eq_tol(with.term[0], kinetic / SAMPLES, 1e-13 * 10);         /* sums of numbers of some 10 */
  ck_assert_double_eq_tol(with.term[1], jacobian / SAMPLES, 1e-13);
  ck_assert_double_eq_tol(with.all, without.all + 0.3 * with.term[0] + 0.7 * with.term[1], 1e-13 * 10);
  trained_close(&t), trained_close(&plain);
}

static const char linear[] = LINEAR FLOW("flow_matching");
static const char linear_own[] = LINEAR "fn own(u: [d], target: [d]) = exp(-norm2(u - target))\n" FLOW("own");

START_TEST(terms_of_a_linear_field_are_those_of_its_matrix) {
  check_linear_terms(false, linear, false);
  check_linear_terms(false, linear_own, true);
}
END_TEST
START_TEST(estimated_terms_of_a_linear_field_are_those_of_its_matrix_and_the_probes) {
  check_linear_terms(true, linear, false);
  check_linear_terms(true, linear_own, true);
}
END_TEST

START_TEST(the_gradient_of_the_norm_of_a_matrix_is_twice_the_matrix) {
  Trained t, plain;
  TrainedKind kind = {.text = linear, .terms = {.jacobian = 0.7}, .batch = SAMPLES};
  trained_open(&t, &kind);
  kind.terms = (FlowTrainTerms){0};
  trained_open(&plain, &kind);
  trained_run(&t, true), trained_run(&plain, true);
  const double *w = trained_numbers(&t, FLOW_MASTER_WEIGHT, "a.weight"), *with = trained_numbers(&t, FLOW_MASTER_GRADIENT, "a.weight");
  const double *without = trained_numbers(&plain, FLOW_MASTER_GRADIENT, "a.weight");
  for (int i = 0; i < 4; i++) ck_assert_double_eq_tol(with[i] - without[i], 0.7 * w[i], 1e-12);
  trained_close(&t), trained_close(&plain);
}
END_TEST

/* ---- training ----------------------------------------------------------------------------------------------------------------- */

static FlowTrainReport train(FlowTraining *training, int iterations) {
  flow_error error = {{0}};
  FlowTrainReport report = {0};
  for (int i = 0; i < iterations; i++) MUST(flow_training_step(training, &report, &error));
  return report;
}

START_TEST(terms_are_smaller_where_they_weigh_and_the_loss_is_told_without_them) {
  FlowTrainReport report[2], first[2];
  for (int heavy = 0; heavy < 2; heavy++) {
    Trained t;
    trained_open(&t, &(TrainedKind){.text = NETWORK FLOW("flow_matching"), .terms = {heavy ? 1 : 1e-9, heavy ? 1 : 1e-9, false}, .batch = SAMPLES});
    FlowTraining *training = trained_training(&t);
    first[heavy] = train(training, 1);
    report[heavy] = train(training, 49);
    flow_training_close(training);
    trained_close(&t);
  }
  ck_assert_double_lt(report[1].kinetic, 0.8 * report[0].kinetic);
  ck_assert_double_lt(report[1].jacobian, 0.8 * report[0].jacobian);
  ck_assert_double_lt(report[0].loss, report[1].loss);
  ck_assert_double_eq_tol(first[0].loss, first[1].loss, 1e-8);  /* of the same weights; 1e-9 of the light terms, and rounding */
}
END_TEST

START_TEST(a_checkpoint_of_another_loss_or_of_other_terms_is_refused) {
  static const TrainedKind kinds[] = {{.text = NETWORK FLOW("flow_matching"), .batch = 64},
                                      {.text = NETWORK "fn own(u: [d], target: [d]) = norm2(u - target)\n" FLOW("own"), .of_program = true, .batch = 64},
                                      {.text = NETWORK FLOW("flow_matching"), .terms = {.kinetic = 0.1}, .batch = 64},
                                      {.text = NETWORK FLOW("flow_matching"), .terms = {.jacobian = 0.1}, .batch = 64},
                                      {.text = NETWORK FLOW("flow_matching"), .terms = {.jacobian = 0.1, .probe = true}, .batch = 64}};
  char path[] = "/tmp/flow_losses_XXXXXX.safetensors";
  int file = mkstemps(path, (int)strlen(".safetensors"));
  ck_assert_int_ge(file, 0);
  close(file);
  for (int saved = 0; saved < 5; saved++)
    for (int read = 0; read < 5; read++) {
      flow_error error = {{0}};
      Trained t, other;
      trained_open(&t, &kinds[saved]), trained_open(&other, &kinds[read]);
      FlowTraining *one = trained_training(&t), *two = trained_training(&other);
      train(one, 1);
      MUST(flow_training_save(one, path, NULL, &error));
      ck_assert_int_eq(flow_training_load(two, path, &error), saved == read ? FLOW_OK : FLOW_BAD_INPUT);
      flow_training_close(one), flow_training_close(two);
      trained_close(&t), trained_close(&other);
    }
  unlink(path);
}
END_TEST

static int open_and_step(const FlowAllocator *allocator, void *user) {
  Trained *t = user;
  flow_error error = {{0}};
  FlowTraining *training;
  t->settings.allocator = allocator;
  flow_status status = flow_training_open(&t->settings, &training, &error);
  t->settings.allocator = &flow_standard_allocator;
  if (status) return status;
  MUST(flow_training_take(training, &t->weights, "trained", &error));
  size_t calls = ((const Faulty *)allocator->user)->calls;
  train(training, 2);
  ck_assert_uint_eq(((const Faulty *)allocator->user)->calls, calls);
  flow_training_close(training);
  return FLOW_OK;
}

START_TEST(memory_that_runs_out_is_said_and_none_is_taken_in_an_iteration) {
  Trained t;
  TrainedKind kind = kind_of(CASES - 1, 1);
  trained_open(&t, &kind);
  ck_assert_uint_ge(faulty_every_failure(open_and_step, &t), 10);
  trained_close(&t);
}
END_TEST

START_TEST(a_model_of_another_loss_is_refused) {
  Trained t;
  flow_error error = {{0}};
  TrainedKind kind = kind_of(CASES - 1, 1);
  trained_open(&t, &kind);
  FlowTrainSettings s = t.settings;
  s.parts = 1u << FLOW_PART_target;                     /* and a probe for the Jacobian is missing */
  ck_assert_int_eq(flow_train_settings_check(&s, &error), FLOW_BAD_CALL);
  s.parts = 1u << FLOW_PART_s | 1u << FLOW_PART_probe;  /* a number where a state is */
  ck_assert_int_eq(flow_train_settings_check(&s, &error), FLOW_BAD_CALL);
  ck_assert_ptr_nonnull(strstr(error.text, "this loss"));
  s = t.settings;
  s.terms.kinetic = NAN;
  ck_assert_int_eq(flow_train_settings_check(&s, &error), FLOW_BAD_CALL);
  trained_close(&t);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("losses");
  TCase *tcase = tcase_create("losses");
  tcase_set_timeout(tcase, 60);
  tcase_add_test(tcase, every_part_of_a_sample_is_what_it_is_called);
  tcase_add_test(tcase, samples_held_out_have_random_numbers_of_their_own);
  tcase_add_test(tcase, flow_matching_written_as_a_loss_trains_the_same_weights_to_the_bit);
  tcase_add_test(tcase, flow_matching_written_in_another_way_trains_the_same_weights);
  tcase_add_loop_test(tcase, gradients_of_losses_are_those_of_central_differences, 0, CASES);
  tcase_add_loop_test(tcase, losses_and_gradients_have_the_same_bits_on_any_threads, 0, CASES);
  tcase_add_test(tcase, terms_of_a_linear_field_are_those_of_its_matrix);
  tcase_add_test(tcase, estimated_terms_of_a_linear_field_are_those_of_its_matrix_and_the_probes);
  tcase_add_test(tcase, the_gradient_of_the_norm_of_a_matrix_is_twice_the_matrix);
  tcase_add_test(tcase, terms_are_smaller_where_they_weigh_and_the_loss_is_told_without_them);
  tcase_add_test(tcase, a_checkpoint_of_another_loss_or_of_other_terms_is_refused);
  tcase_add_test(tcase, memory_that_runs_out_is_said_and_none_is_taken_in_an_iteration);
  tcase_add_test(tcase, a_model_of_another_loss_is_refused);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
