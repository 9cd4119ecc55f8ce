/* SPDX-License-Identifier: Apache-2.0 */
/* check_parts.c -- paths, rates, optimisers, assignments, first weights: each against a formula or brute force. */
#include "batch.h"
#include "couple.h"
#include "flow/model.h"
#include "initial.h"
#include "linear_model.h"
#include "schedule.h"
#include "suite.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- paths ---------------------------------------------------------------------------------------------------------------- */

START_TEST(a_path_goes_from_the_source_to_the_data_with_the_rates_of_differences) {
  FlowPath path = (FlowPath)_i;
  FlowPathPoint start = flow_path_at(path, 0), end = flow_path_at(path, 1);
  ck_assert_double_eq_tol(start.sigma, 1, 3e-5);        /* vp: alpha at the source is exp(-5.025), not 0 */
  ck_assert_double_eq_tol(start.alpha, 0, 7e-3);
  ck_assert_double_eq_tol(end.alpha, 1, 1e-15);
  ck_assert_double_eq_tol(end.sigma, 0, 1e-15);
  for (double s = 0.0625; s < 1; s += 0.0625) {
    double h = 1e-5;                                    /* error h^2 times the third derivative, below 400 */
    FlowPathPoint p = flow_path_at(path, s), more = flow_path_at(path, s + h), less = flow_path_at(path, s - h);
    ck_assert_double_eq_tol(p.alpha_rate, (more.alpha - less.alpha) / (2 * h), 1e-7);
    ck_assert_double_eq_tol(p.sigma_rate, (more.sigma - less.sigma) / (2 * h), 1e-7);
  }
} END_TEST

START_TEST(a_rate_rises_in_the_warm_up_and_falls_as_its_schedule_says) {
  ck_assert_double_eq(flow_schedule_at(FLOW_SCHEDULE_constant, 500, 1000, 0), 1);
  ck_assert_double_eq(flow_schedule_at(FLOW_SCHEDULE_cosine, 0, 1000, 10), 0.1);
  ck_assert_double_eq(flow_schedule_at(FLOW_SCHEDULE_cosine, 9, 1000, 10), 1);
  ck_assert_double_eq(flow_schedule_at(FLOW_SCHEDULE_cosine, 10, 1010, 10), 1);
  ck_assert_double_eq_tol(flow_schedule_at(FLOW_SCHEDULE_cosine, 510, 1010, 10), 0.5, 1e-15);
  ck_assert_double_eq(flow_schedule_at(FLOW_SCHEDULE_linear, 750, 1000, 0), 0.25);
} END_TEST

/* ---- optimisers ------------------------------------------------------------------------------------------------------------ */

/* One weight by the formulas of PyTorch's documentation, in f64. */
typedef struct Scalar { double w, m, v; } Scalar;
static void scalar_step(const FlowStep *s, double g, Scalar *x) {
  if (s->optimiser == FLOW_OPTIMISER_adamw) x->w -= s->rate * s->decay * x->w;
  else g += s->decay * x->w;
  if (s->optimiser == FLOW_OPTIMISER_sgd) {
    x->m = s->beta1 * x->m + g;
    x->w -= s->rate * x->m;
    return;
  }
  x->m = s->beta1 * x->m + (1 - s->beta1) * g;
  x->v = s->beta2 * x->v + (1 - s->beta2) * g * g;
  double m = x->m / (1 - pow(s->beta1, (double)s->number)), v = x->v / (1 - pow(s->beta2, (double)s->number));
  x->w -= s->rate * m / (sqrt(v) + s->epsilon);
}

START_TEST(an_optimiser_follows_its_formulas) {
  enum { N = 37, STEPS = 30 };
  FlowStep step = {(FlowOptimiser)_i, 0, 0.01, 0.1, 0.9, 0.999, 1e-8, 1};
  double w[N], m[N] = {0}, v[N] = {0}, g[N];
  float wf[N], mf[N] = {0}, vf[N] = {0}, gf[N];
  Scalar x[N] = {{0}};
  for (int i = 0; i < N; i++) w[i] = wf[i] = (float)sin(i), x[i].w = wf[i];
  for (step.number = 1; step.number <= STEPS; step.number++) {
    for (int i = 0; i < N; i++) g[i] = gf[i] = (float)cos((double)step.number * i + 1), scalar_step(&step, g[i], &x[i]);
    flow_optimise(&step, FLOW_F64, N, w, m, v, g);
    flow_optimise(&step, FLOW_F32, N, wf, mf, vf, gf);
  }
  for (int i = 0; i < N; i++) {
    ck_assert_double_eq_tol(w[i], x[i].w, 1e-13);       /* some roundings a step */
    ck_assert_double_eq_tol((double)wf[i], x[i].w, 1e-5);
  }
} END_TEST

START_TEST(a_sum_of_squares_counts_every_number_once) {
  double number[53], sum = 0;
  for (int i = 0; i < 53; i++) number[i] = i, sum += (double)i * i;
  ck_assert_double_eq(flow_sum_of_squares(FLOW_F64, 53, number), sum);
  ck_assert_double_eq(flow_sum_of_squares(FLOW_F64, 0, number), 0);
} END_TEST

/* ---- assignments ----------------------------------------------------------------------------------------------------------- */

static double best_of(const double *cost, size_t n, size_t row, unsigned used) {
  if (row == n) return 0;
  double best = INFINITY;
  for (size_t c = 0; c < n; c++)
    if (!(used >> c & 1)) best = fmin(best, cost[row * n + c] + best_of(cost, n, row + 1, used | 1u << c));
  return best;
}

static double random_cost(uint64_t *state, bool whole) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  double u = (double)(*state >> 11) * 0x1p-53;
  return whole ? floor(4 * u) : u;                      /* with ties, or without */
}

START_TEST(an_assignment_costs_no_more_than_any_other) {
  uint64_t state = 1;
  for (size_t n = 1; n <= 7; n++) {
    for (int round = 0; round < 200; round++) {
      FlowCoupler c;
      flow_error error;
      bool seen[8] = {0};
      ck_assert(!flow_coupler_open(&flow_standard_allocator, n, 2, &c, &error));
      for (size_t i = 0; i < n * n; i++) c.cost[i] = random_cost(&state, round % 2);
      double cost = flow_assign(&c);
      ck_assert_double_eq_tol(cost, best_of(c.cost, n, 0, 0), 1e-14);
      for (size_t i = 0; i < n; i++) {
        ck_assert(!seen[c.column_of[i]]);
        seen[c.column_of[i]] = true;
      }
      flow_coupler_close(&c);
    }
  }
} END_TEST

/* In one dimension the best pairing is that of sorted points. */
START_TEST(a_coupling_of_numbers_sorts_them) {
  enum { N = 300 };
  FlowCoupler c;
  FlowBatch batch;
  flow_error error;
  uint64_t state = 7;
  ck_assert(!flow_batch_open(&flow_standard_allocator, N, 1, &batch, &error));
  ck_assert(!flow_coupler_open(&flow_standard_allocator, N, 1, &c, &error));
  for (int i = 0; i < N; i++) batch.x1[i] = i, batch.x0[i] = random_cost(&state, false);
  flow_couple(&c, &batch);
  for (int i = 1; i < N; i++) ck_assert_double_le(batch.x0[i - 1], batch.x0[i]);
  flow_coupler_close(&c);
  flow_batch_close(&flow_standard_allocator, &batch);
} END_TEST

START_TEST(a_coupling_of_points_that_are_not_finite_ends_all_the_same) {
  enum { N = 40 };
  FlowCoupler c;
  FlowBatch batch;
  flow_error error;
  uint64_t state = 3;
  ck_assert(!flow_batch_open(&flow_standard_allocator, N, 1, &batch, &error));
  ck_assert(!flow_coupler_open(&flow_standard_allocator, N, 1, &c, &error));
  for (int i = 0; i < N; i++) batch.x1[i] = i % 3 ? 1e308 : i, batch.x0[i] = i % 5 == 0 ? NAN : i % 5 == 1 ? -1e308 : random_cost(&state, false);
  flow_couple(&c, &batch);
  flow_coupler_close(&c);
  flow_batch_close(&flow_standard_allocator, &batch);
} END_TEST

/* ---- first weights, rows --------------------------------------------------------------------------------------------------- */

START_TEST(first_weights_follow_their_rules) {
  static const FlowInitial rule[] = {{FLOW_INITIAL_UNIFORM, 0.5}, {FLOW_INITIAL_CONSTANT, 0.125}};
  FlowMasters masters, again;
  flow_error error;
  ck_assert(!flow_masters_open(&flow_standard_allocator, linear_model(8), false, false, &masters, &error));
  ck_assert(!flow_masters_open(&flow_standard_allocator, linear_model(8), false, false, &again, &error));
  flow_initial_fill(&masters, rule, 3);
  flow_initial_fill(&again, rule, 4);
  for (size_t i = 0; i < 6; i++) {
    double a = flow_masters_at(&masters, FLOW_MASTER_WEIGHT, i);
    ck_assert(a >= -0.5 && a < 0.5);
    ck_assert_double_ne(a, flow_masters_at(&again, FLOW_MASTER_WEIGHT, i));
    for (size_t k = 0; k < i; k++) ck_assert_double_ne(a, flow_masters_at(&masters, FLOW_MASTER_WEIGHT, k));
  }
  ck_assert_double_eq(flow_masters_at(&masters, FLOW_MASTER_WEIGHT, 6), 0.125);
  ck_assert_uint_eq(flow_masters_owner(&masters, 5), 0);
  ck_assert_uint_eq(flow_masters_owner(&masters, 6), 1);
  flow_masters_close(&masters);
  flow_masters_close(&again);
} END_TEST

START_TEST(a_shuffle_has_every_row_once) {
  uint64_t order[1000], moved = 0;
  bool seen[1000] = {0};
  flow_rows_shuffle(5, 1000, order);
  for (int i = 0; i < 1000; i++) {
    ck_assert(order[i] < 1000 && !seen[order[i]]);
    seen[order[i]] = true;
    moved += order[i] != (uint64_t)i;
  }
  ck_assert_uint_gt(moved, 980);
} END_TEST

TCase *tcase_of_parts(void) {
  TCase *tcase = tcase_create("parts");
  tcase_add_loop_test(tcase, a_path_goes_from_the_source_to_the_data_with_the_rates_of_differences, 0, FLOW_PATHS);
  tcase_add_test(tcase, a_rate_rises_in_the_warm_up_and_falls_as_its_schedule_says);
  tcase_add_loop_test(tcase, an_optimiser_follows_its_formulas, 0, FLOW_OPTIMISERS);
  tcase_add_test(tcase, a_sum_of_squares_counts_every_number_once);
  tcase_add_test(tcase, an_assignment_costs_no_more_than_any_other);
  tcase_add_test(tcase, a_coupling_of_numbers_sorts_them);
  tcase_add_test(tcase, a_coupling_of_points_that_are_not_finite_ends_all_the_same);
  tcase_add_test(tcase, first_weights_follow_their_rules);
  tcase_add_test(tcase, a_shuffle_has_every_row_once);
  return tcase;
}
