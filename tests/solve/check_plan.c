/* SPDX-License-Identifier: Apache-2.0 */
/* check_plan.c -- stage times and coefficients of fixed-step solves. */
#include "plan.h"
#include "suite.h"
#include <math.h>

START_TEST(rk4_shares_its_midpoints_and_nodes) {
  FlowPlan plan;
  ck_assert_int_eq(flow_plan_make(&plan, flow_tableau_find("rk4"), FLOW_F64, 10, 0, 1, NULL), FLOW_OK);
  ck_assert_uint_eq(plan.rows, 21);
  for (uint64_t step = 0; step < 10; step++)
    for (uint32_t j = 0; j < 4; j++) ck_assert_uint_eq(flow_plan_row(&plan, step, j), 2 * step + (j + 1) / 2);
}
END_TEST

START_TEST(no_row_is_computed_that_no_stage_reads) {
  static const struct { const char *name; uint64_t rows; } expected[] = {{"euler", 7}, {"midpoint", 14}, {"heun", 8}, {"rk4", 15}};
  for (int i = 0; i < 4; i++) {
    FlowPlan plan;
    ck_assert_int_eq(flow_plan_make(&plan, flow_tableau_find(expected[i].name), FLOW_F32, 7, 0, 1, NULL), FLOW_OK);
    ck_assert_uint_eq(plan.rows, expected[i].rows);
  }
}
END_TEST

START_TEST(times_are_computed_from_the_step_and_end_exactly) {
  static const double span[][2] = {{0, 1}, {1, 0}, {0.1, 0.7}, {-3, 5.5}, {1e-3, 1}, {0.05, 1}};
  for (int s = 0; s < 6; s++) {
    double t0 = span[s][0], t1 = span[s][1];
    for (uint64_t steps = 1; steps < 200; steps++) {
      FlowPlan plan;
      ck_assert_int_eq(flow_plan_make(&plan, flow_tableau_find("rk4"), FLOW_F32, steps, t0, t1, NULL), FLOW_OK);
      for (uint64_t i = 0; i < steps; i++) {
        double node = t0 + (t1 - t0) * (double)i / (double)steps;
        ck_assert(flow_plan_time(&plan, 2 * i) == node);
        ck_assert(flow_plan_time(&plan, 2 * i + 1) == node + 0.5 * ((t1 - t0) / (double)steps));
      }
      ck_assert(flow_plan_time(&plan, 2 * steps) == t1);
    }
  }
}
END_TEST

START_TEST(coefficients_are_rounded_once_and_zeros_are_left_out) {
  FlowPlan plan;
  double h = (0.7 - 0.1) / 13;
  ck_assert_int_eq(flow_plan_make(&plan, flow_tableau_find("rk4"), FLOW_F32, 13, 0.1, 0.7, NULL), FLOW_OK);
  static const uint32_t count[5] = {0, 1, 1, 1, 4};
  for (int j = 0; j < 5; j++) ck_assert_uint_eq(plan.combination[j].count, count[j]);
  for (uint32_t j = 1; j < 4; j++) {
    ck_assert_uint_eq(plan.combination[j].stage[0], j - 1);
    ck_assert(((const float *)plan.combination[j].coefficient)[0] == (float)(h * (j < 3 ? 0.5 : 1)));
  }
  for (uint32_t j = 0; j < 4; j++) {
    ck_assert_uint_eq(plan.combination[4].stage[j], j);
    ck_assert(((const float *)plan.combination[4].coefficient)[j] == (float)(h * flow_tableau_find("rk4")->b[j]));
  }
  ck_assert_int_eq(flow_plan_make(&plan, flow_tableau_find("midpoint"), FLOW_F64, 13, 0.1, 0.7, NULL), FLOW_OK);
  ck_assert_uint_eq(plan.combination[2].count, 1);
  ck_assert_uint_eq(plan.combination[2].stage[0], 1);
  ck_assert(((const double *)plan.combination[2].coefficient)[0] == h);
}
END_TEST

START_TEST(a_plan_without_steps_or_with_times_that_are_no_numbers_is_refused) {
  FlowPlan plan;
  flow_error error;
  ck_assert_int_eq(flow_plan_make(&plan, flow_tableau_find("euler"), FLOW_F32, 0, 0, 1, &error), FLOW_BAD_CALL);
  ck_assert_words(error, "0 steps");
  ck_assert_int_eq(flow_plan_make(&plan, flow_tableau_find("euler"), FLOW_F32, UINT64_MAX, 0, 1, &error), FLOW_BAD_CALL);
  ck_assert_int_eq(flow_plan_make(&plan, flow_tableau_find("euler"), FLOW_F32, 1, 0, INFINITY, &error), FLOW_BAD_CALL);
  ck_assert_words(error, "both times must be finite");
  ck_assert_int_eq(flow_plan_make(&plan, flow_tableau_find("euler"), FLOW_F32, 1, NAN, 1, &error), FLOW_BAD_CALL);
  ck_assert_int_eq(flow_plan_make(&plan, flow_tableau_find("euler"), FLOW_F32, 1, -1e308, 1e308, &error), FLOW_BAD_CALL);
}
END_TEST

TEST_MAIN("plan", rk4_shares_its_midpoints_and_nodes, no_row_is_computed_that_no_stage_reads,
          times_are_computed_from_the_step_and_end_exactly, coefficients_are_rounded_once_and_zeros_are_left_out,
          a_plan_without_steps_or_with_times_that_are_no_numbers_is_refused)
