/* SPDX-License-Identifier: Apache-2.0 */
/* check_order.c -- the error of a compiled solve falls with the step as the method's order says, forward and backward; all
 * methods and more problems: tests/numerics.
 *
 * In f64 with known solutions; the observed order is log2 of the ratio of the errors with N and 2N steps, N large enough that
 * the next term of the error's expansion changes it by less than 0.1. */
#include "run.h"
#include "suite.h"
#include <math.h>

static double cubic_solution(double x, double t0, double t1) { return x / sqrt(1 + x * x * (t1 - t0)); }
static double swing_solution(double x, double t0, double t1) { return x * exp(sin(t1) - sin(t0)); }

typedef struct Problem {
  DoubleField field;
  double (*solution)(double x, double t0, double t1);
  double t0, t1;
} Problem;
static const Problem problem[] = {{DOUBLE_cubic, cubic_solution, 0, 2}, {DOUBLE_cubic, cubic_solution, 1, 0.5},
                                  {DOUBLE_swing, swing_solution, 0, 2}, {DOUBLE_swing, swing_solution, 1.5, -0.5}};

/* Root mean square over a few starts. */
static double error_of(const Problem *p, const FlowTableau *tableau, uint64_t steps) {
  static const double start[5] = {0.5, 0.7, 0.9, 1.1, 1.2};
  FlowTensor tensor = {.name = "", .type = FLOW_TYPE_F64, .rank = 1, .dim = {5}, .count = 5, .data = start};
  Run run;
  double sum = 0;
  run_open(&run, p->field, DOUBLE_f64_8, 5);
  run.source = (FlowSource){.kind = FLOW_SOURCE_TENSOR, .dim = 1, .tensor = &tensor};
  run.what.tableau = tableau;
  run.what.steps = steps;
  run.what.t0 = p->t0;
  run.what.t1 = p->t1;
  ck_assert_int_eq(run_collect(&run, NULL), FLOW_OK);
  const double *x = (const double *)(void *)run.out.value;
  for (int i = 0; i < 5; i++) sum += pow(x[i] - p->solution(start[i], p->t0, p->t1), 2);
  run_close(&run);
  return sqrt(sum / 5);
}

START_TEST(the_observed_order_is_the_methods_order) {
  for (size_t m = 0; m < flow_tableau_count(); m++)
    for (size_t i = 0; i < sizeof problem / sizeof problem[0]; i++) {
      const FlowTableau *tableau = flow_tableau_at(m);
      if (tableau->order > 4 || strcmp(tableau->name, "rk38") == 0) continue;   /* rk38's error on `cubic` nearly vanishes */
      uint64_t steps = tableau->order == 4 ? 128 : 256; /* errors stay a thousand times above rounding */
      double order = log2(error_of(&problem[i], tableau, steps) / error_of(&problem[i], tableau, 2 * steps));
      ck_assert_msg(fabs(order - tableau->order) < 0.1, "%s, problem %zu: order %.3f", tableau->name, i, order);
    }
}
END_TEST

START_TEST(a_solve_there_and_back_returns_to_its_start) {
  Run there, back;
  run_open(&there, DOUBLE_rotation, DOUBLE_f64_8, 20);
  there.what.steps = 200;
  ck_assert_int_eq(run_collect(&there, NULL), FLOW_OK);
  FlowTensor tensor = {.name = "", .type = FLOW_TYPE_F64, .rank = 2, .dim = {20, 2}, .count = 40, .data = there.out.value};
  run_open(&back, DOUBLE_rotation, DOUBLE_f64_8, 20);
  back.source = (FlowSource){.kind = FLOW_SOURCE_TENSOR, .dim = 2, .tensor = &tensor};
  back.what.steps = 200;
  back.what.t0 = 1;
  back.what.t1 = 0;
  ck_assert_int_eq(run_collect(&back, NULL), FLOW_OK);
  for (uint64_t i = 0; i < 20; i++) {
    double normal[2];
    flow_random_normal_pair((FlowRandom){.seed = 42}, i, 0, normal);
    for (int c = 0; c < 2; c++)         /* rk4: h^5/120 a step, 200 steps, |x| < 4: below 5e-12 each way */
      ck_assert_double_eq_tol(((const double *)(void *)back.out.value)[2 * i + (uint64_t)c], normal[c], 1e-11);
  }
  run_close(&there);
  run_close(&back);
}
END_TEST

TEST_MAIN("order", the_observed_order_is_the_methods_order, a_solve_there_and_back_returns_to_its_start)
