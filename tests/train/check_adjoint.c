/* SPDX-License-Identifier: Apache-2.0 */
/* check_adjoint.c -- gradients through a solve against central differences of the loss that the solve itself has. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/faulty.h"
#include "likelihood_loss.h"
#include "run_suite.h"
#include "small.h"

#define MUST(call) ck_assert_msg(!(call), "%s", error.text)

enum { SAMPLES = 50, TENSORS = 11 };

/* A loss with a part of everything: of the state, of the integral (not linear), of the sample's number. */
static double mixed_loss(void *user, uint64_t sample, double *x, double integral, double *by_x, double *by_integral) {
  double share = 1 + 0.1 * (double)(sample % 3);
  (void)user;
  by_x[0] = share * x[0], by_x[1] = share * cos(x[1]);
  *by_integral = 1 + 0.5 * integral;
  return share * (x[0] * x[0] / 2 + sin(x[1])) + integral + integral * integral / 4;
}

typedef struct Data {
  double x[SAMPLES * 2], c[SAMPLES * 3];
  uint64_t row[SAMPLES];        /* each sample has another's condition */
  FlowTensor condition;
} Data;

static void make_data(Data *d) {
  uint64_t state = 42;
  for (int i = 0; i < SAMPLES * 2; i++) d->x[i] = 2 * small_number(&state);
  for (int i = 0; i < SAMPLES * 3; i++) d->c[i] = small_number(&state);
  for (int i = 0; i < SAMPLES; i++) d->row[i] = (uint64_t)(7 * i + 3) % SAMPLES;
  d->condition = (FlowTensor){.name = "c", .type = FLOW_TYPE_F64, .rank = 2, .dim = {SAMPLES, 3}, .count = SAMPLES * 3, .data = d->c};
}

typedef struct Case { const char *method; bool log_p; double from, to; FlowSpacing spacing; } Case;

static FlowAdjointSettings settings_of(const Small *s, const Case *c, const FlowGrid *grid) {
  return (FlowAdjointSettings){.ahead = flow_compiled_model(s->ahead), .back = flow_compiled_model(s->back),
                               .tableau = flow_tableau_find(c->method), .grid = grid, .steps = 5, .from = c->from, .to = c->to,
                               .interval = 2, .most = SAMPLES, .threads = 1, .allocator = &flow_standard_allocator};
}

static double run_loss(FlowAdjoint *adjoint, const Small *s, const Data *d, FlowEndLoss *loss, void *user) {
  flow_error error = {{0}};
  double sum;
  const FlowAdjointBatch batch = {.count = SAMPLES, .x = d->x, .condition = &d->condition, .row = d->row, .loss = loss, .user = user};
  MUST(flow_adjoint_run(adjoint, s->ahead_blob.data, s->back_blob.data, &batch, &sum, &error));
  return sum;
}

/* h = 1e-5: h^2 times the third derivative, and 1e-16/h of the loss, are below 1e-7 of a loss near 50. */
static void check_tensor(Small *s, FlowAdjoint *adjoint, const Data *d, FlowEndLoss *loss, void *user, int only, const char *what) {
  const double h = 1e-5;
  small_move(s, 0, -1, NULL);
  run_loss(adjoint, s, d, loss, user);
  double slope = small_move(s, h, only, flow_adjoint_sums(adjoint)), above = run_loss(adjoint, s, d, loss, user);
  small_move(s, -h, only, NULL);
  double difference = (above - run_loss(adjoint, s, d, loss, user)) / (2 * h);
  ck_assert_msg(fabs(slope - difference) <= 1e-7 * (10 + fabs(difference)), "%s, tensor %d: %.12g, differences %.12g", what, only, slope,
                difference);
}

static const Case cases[] = {{"rk4", true, 1, 0, FLOW_SPACING_EQUAL},     {"midpoint", true, 1, 0, FLOW_SPACING_EQUAL},
                             {"euler", true, 0, 1, FLOW_SPACING_EQUAL},   {"heun3", true, 1, 0, FLOW_SPACING_COSINE},
                             {"dopri5", true, 1, 0, FLOW_SPACING_COSINE}, {"rk4", false, 0, 1, FLOW_SPACING_EQUAL},
                             {"midpoint", false, 0, 1, FLOW_SPACING_COSINE}};
enum { CASES = sizeof cases / sizeof cases[0] };

START_TEST(the_gradient_of_any_loss_at_the_end_is_that_of_differences_tensor_by_tensor) {
  const Case *c = &cases[_i];
  flow_error error = {{0}};
  Small s = small_open(c->log_p);
  Data d;
  make_data(&d);
  const FlowGrid grid = {.spacing = c->spacing};
  FlowAdjointSettings settings = settings_of(&s, c, &grid);
  FlowAdjoint *adjoint;
  MUST(flow_adjoint_open(&settings, &adjoint, &error));
  for (int only = -1; only < TENSORS; only++) check_tensor(&s, adjoint, &d, mixed_loss, NULL, only, c->method);
  flow_adjoint_close(adjoint);
  small_close(&s);
}
END_TEST

/* ---- the likelihood --------------------------------------------------------------------------------------------------------- */

static const double mean[2] = {0.5, -0.25}, factor[4] = {1.5, 0, -0.5, 0.75}, low[2] = {-50, -50}, high[2] = {50, 60};
static const FlowSource source[] = {{.kind = FLOW_SOURCE_NORMAL, .dim = 2},
                                    {.kind = FLOW_SOURCE_GAUSSIAN, .dim = 2, .mean = mean, .factor = factor},
                                    {.kind = FLOW_SOURCE_UNIFORM, .dim = 2, .low = low, .high = high}};

START_TEST(the_gradient_of_the_likelihood_is_that_of_differences_for_every_source_with_a_density) {
  flow_error error = {{0}};
  Small s = small_open(true);
  Data d;
  make_data(&d);
  FlowAdjointSettings settings = settings_of(&s, &cases[0], NULL);
  FlowAdjoint *adjoint;
  FlowLikelihoodLoss loss = {.source = &source[_i], .precision = FLOW_F64};
  MUST(flow_likelihood_loss_check(&loss, &error));
  MUST(flow_adjoint_open(&settings, &adjoint, &error));
  check_tensor(&s, adjoint, &d, flow_likelihood_loss, &loss, -1, "likelihood");
  flow_adjoint_close(adjoint);
  small_close(&s);
}
END_TEST

static double some_density(void *user, const double *x, uint64_t dim) {
  (void)user, (void)dim;
  return -x[0] * x[0];
}

START_TEST(a_source_whose_density_has_no_slope_is_refused) {
  flow_error error = {{0}};
  FlowSource own = {.kind = FLOW_SOURCE_DRAWN, .dim = 2, .log_density = some_density};
  FlowLikelihoodLoss loss = {.source = &own, .precision = FLOW_F64};
  ck_assert_int_eq(flow_likelihood_loss_check(&loss, &error), FLOW_BAD_INPUT);
  ck_assert_ptr_nonnull(strstr(error.text, "slope"));
  own.log_density = NULL;
  ck_assert_int_eq(flow_likelihood_loss_check(&loss, &error), FLOW_BAD_INPUT);
}
END_TEST

/* Two points of a mixture, near and between its parts; h^2 and 1e-16/h of log p are below 1e-8. */
START_TEST(a_density_of_the_program_has_the_slope_of_its_differences) {
  static const char *const text[] = {
      "let m = for k < 8: 5 * [cos(k*pi/4), sin(k*pi/4)]\n"
      "density p0(x: [2]) = logsumexp(for k: -norm2(x - m[k]) / 0.2) - log(8 * 2*pi * 0.1)\n"
      "  draw k ~ choice(8), z ~ normal(2): m[k] + sqrt(0.1)*z\n",
      "density p0(t, x: [2]) = -norm2(x - t)/2 - log(2*pi)\n"
      "  draw z ~ normal(2): z + t\n"};
  static const double point[2][2] = {{4.7, 0.3}, {3.1, -2.2}};
  const double h = 1e-5;
  char program[1024];
  flow_error error = {{0}};
  FlowCompiled *compiled;
  FlowCompileOptions options = flow_compile_defaults();
  FlowSource own;
  snprintf(program, sizeof program, "%sfield v(t, x: [2]) = -x\nflow f { source p0  velocity v  solver rk4 steps 5 }\n", text[_i]);
  flow_status status = flow_compile(&flow_standard_allocator, "p.flow", program, strlen(program), &options, &compiled, &error);
  if (status && compiled) diag_print(flow_compiled_diagnostics(compiled), stderr, false);
  ck_assert_msg(!status, "%s", error.text);
  MUST(flow_compiled_source(compiled, &own, &error));
  ck_assert_ptr_nonnull(own.density_slope);
  for (int i = 0; i < 2; i++) {
    double slope[2];
    own.density_slope(own.density_user, point[i], 2, slope);
    for (int c = 0; c < 2; c++) {
      double above[2] = {point[i][0], point[i][1]}, below[2] = {point[i][0], point[i][1]};
      above[c] += h, below[c] -= h;
      double difference = (flow_source_log_density(&own, FLOW_F64, above) - flow_source_log_density(&own, FLOW_F64, below)) / (2 * h);
      ck_assert_double_eq_tol(slope[c], difference, 1e-7 * (1 + fabs(difference)));
    }
  }
  flow_compiled_free(compiled);
}
END_TEST

/* ---- what may not matter ------------------------------------------------------------------------------------------------------ */

START_TEST(the_bits_do_not_depend_on_what_is_kept) {
  flow_error error = {{0}};
  Small s = small_open(true);
  Data d;
  make_data(&d);
  FlowAdjointSettings settings = settings_of(&s, &cases[_i], NULL);
  size_t bytes = (size_t)settings.back->gradient_bytes;
  char *first = NULL;
  for (uint64_t interval = 0; interval <= 6; interval++) {
    FlowAdjoint *adjoint;
    settings.interval = interval;
    MUST(flow_adjoint_open(&settings, &adjoint, &error));
    run_loss(adjoint, &s, &d, mixed_loss, NULL);
    if (!first) first = memcpy(malloc(bytes), flow_adjoint_sums(adjoint), bytes);
    ck_assert_msg(memcmp(first, flow_adjoint_sums(adjoint), bytes) == 0, "%s, interval %llu", cases[_i].method, (unsigned long long)interval);
    flow_adjoint_close(adjoint);
  }
  free(first);
  small_close(&s);
}
END_TEST

/* The same sum of 5 steps' stages in f64 with another rounding of each: 1e-14 of the loss. */
START_TEST(an_integral_that_is_added_may_come_from_the_way_back) {
  flow_error error = {{0}};
  Small s = small_open(true);
  Data d;
  make_data(&d);
  const FlowGrid grid = {.spacing = cases[_i].spacing};
  FlowAdjointSettings settings = settings_of(&s, &cases[_i], &grid);
  FlowAdjoint *adjoint;
  FlowLikelihoodLoss loss = {.source = &source[1], .precision = FLOW_F64};
  MUST(flow_adjoint_open(&settings, &adjoint, &error));
  FlowAdjointBatch batch = {.count = SAMPLES, .x = d.x, .condition = &d.condition, .row = d.row, .loss = flow_likelihood_loss, .user = &loss};
  double ahead, back, alone;
  MUST(flow_adjoint_run(adjoint, s.ahead_blob.data, s.back_blob.data, &batch, &ahead, &error));
  size_t bytes = (size_t)settings.back->gradient_bytes;
  char *sums = memcpy(malloc(bytes), flow_adjoint_sums(adjoint), bytes);
  batch.adds_integral = true;
  MUST(flow_adjoint_run(adjoint, s.ahead_blob.data, s.back_blob.data, &batch, &back, &error));
  ck_assert_mem_eq(sums, flow_adjoint_sums(adjoint), bytes);
  ck_assert_double_eq_tol(back, ahead, 1e-14 * fabs(ahead));
  batch.loss_alone = true;
  MUST(flow_adjoint_run(adjoint, s.ahead_blob.data, s.back_blob.data, &batch, &alone, &error));
  ck_assert_double_eq(alone, ahead);
  free(sums);
  flow_adjoint_close(adjoint);
  small_close(&s);
}
END_TEST

/* ---- memory and refusals ------------------------------------------------------------------------------------------------------ */

static int open_and_run(const FlowAllocator *allocator, void *user) {
  const Small *s = user;
  Data d;
  make_data(&d);
  FlowAdjointSettings settings = settings_of(s, &cases[0], NULL);
  settings.allocator = allocator;
  flow_error error = {{0}};
  FlowAdjoint *adjoint;
  flow_status status = flow_adjoint_open(&settings, &adjoint, &error);
  if (status) {
    ck_assert_ptr_null(adjoint);
    return status;
  }
  const Faulty *faulty = allocator->user;
  size_t calls = faulty->calls;
  ck_assert_uint_ge(flow_adjoint_bytes(adjoint) + 16 * 64, faulty->live);
  for (int k = 0; k < 2; k++) run_loss(adjoint, s, &d, mixed_loss, NULL);
  ck_assert_uint_eq(faulty->calls, calls);
  flow_adjoint_close(adjoint);
  return status;
}

START_TEST(memory_that_runs_out_is_said_and_none_is_taken_in_an_iteration) {
  Small s = small_open(true);
  ck_assert_uint_ge(faulty_every_failure(open_and_run, &s), 5);
  small_close(&s);
}
END_TEST

START_TEST(models_that_do_not_belong_together_are_refused) {
  flow_error error = {{0}};
  FlowAdjoint *adjoint;
  Small with = small_open(true), without = small_open(false);
  FlowAdjointSettings settings = settings_of(&with, &cases[0], NULL);
  settings.back = flow_compiled_model(without.back);
  ck_assert_int_eq(flow_adjoint_open(&settings, &adjoint, &error), FLOW_BAD_CALL);
  ck_assert_ptr_nonnull(strstr(error.text, "not the adjoint"));
  settings = settings_of(&with, &cases[0], NULL);
  settings.ahead = settings.back;
  ck_assert_int_eq(flow_adjoint_open(&settings, &adjoint, &error), FLOW_BAD_CALL);
  settings = settings_of(&with, &cases[0], NULL);
  settings.steps = 0;
  ck_assert_int_eq(flow_adjoint_open(&settings, &adjoint, &error), FLOW_BAD_CALL);
  settings = settings_of(&with, &cases[0], NULL);
  settings.steps = (UINT64_C(1) << 48) + 1;
  ck_assert_int_eq(flow_adjoint_open(&settings, &adjoint, &error), FLOW_BAD_CALL);
  small_close(&with);
  small_close(&without);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("adjoint");
  TCase *tcase = tcase_create("solves");
  tcase_set_timeout(tcase, 60);
  tcase_add_loop_test(tcase, the_gradient_of_any_loss_at_the_end_is_that_of_differences_tensor_by_tensor, 0, CASES);
  tcase_add_loop_test(tcase, the_gradient_of_the_likelihood_is_that_of_differences_for_every_source_with_a_density, 0, 3);
  tcase_add_test(tcase, a_source_whose_density_has_no_slope_is_refused);
  tcase_add_loop_test(tcase, a_density_of_the_program_has_the_slope_of_its_differences, 0, 2);
  tcase_add_loop_test(tcase, the_bits_do_not_depend_on_what_is_kept, 0, 5);
  tcase_add_loop_test(tcase, an_integral_that_is_added_may_come_from_the_way_back, 0, 5);
  tcase_add_test(tcase, memory_that_runs_out_is_said_and_none_is_taken_in_an_iteration);
  tcase_add_test(tcase, models_that_do_not_belong_together_are_refused);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
