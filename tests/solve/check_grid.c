/* SPDX-License-Identifier: Apache-2.0 */
/* check_grid.c -- nodes by rule and by hand; plans and solves on them. */
#include "plan.h"
#include "run.h"
#include "suite.h"
#include <math.h>

static FlowGrid grid_of(FlowSpacing spacing, double power) { return (FlowGrid){.spacing = spacing, .power = power}; }

START_TEST(rules_are_found_by_name) {
  ck_assert_int_eq(flow_spacing_find("equal"), FLOW_SPACING_EQUAL);
  ck_assert_int_eq(flow_spacing_find("cosine"), FLOW_SPACING_COSINE);
  ck_assert_int_eq(flow_spacing_find("power"), FLOW_SPACING_POWER);
  ck_assert_int_eq(flow_spacing_find("cosin"), FLOW_SPACING_GIVEN);
  ck_assert_str_eq(flow_spacing_names()[1], "cosine");
}
END_TEST

START_TEST(nodes_are_where_the_formulas_say) {
  static const double span[][2] = {{0, 1}, {1, 0}, {-3, 5.5}, {0.05, 1}};
  for (int s = 0; s < 4; s++)
    for (uint64_t steps = 1; steps < 60; steps += 7) {
      double t0 = span[s][0], t1 = span[s][1], near = 4e-16 * (fabs(t0) + fabs(t1));
      FlowGrid cosine = grid_of(FLOW_SPACING_COSINE, 0), power = grid_of(FLOW_SPACING_POWER, 2.5);
      power.from = t0;
      for (uint64_t i = 0; i <= steps; i++) {
        double share = (double)i / (double)steps;
        ck_assert_double_eq_tol(flow_grid_node(&cosine, steps, t0, t1, i), t0 + (t1 - t0) * (1 - cos(M_PI * share)) / 2, near);
        ck_assert_double_eq_tol(flow_grid_node(&power, steps, t0, t1, i), t0 + (t1 - t0) * pow(share, 2.5), near);
      }
      ck_assert(flow_grid_node(&cosine, steps, t0, t1, 0) == t0 && flow_grid_node(&cosine, steps, t0, t1, steps) == t1);
      ck_assert(flow_grid_node(&power, steps, t0, t1, 0) == t0 && flow_grid_node(&power, steps, t0, t1, steps) == t1);
    }
}
END_TEST

static FlowGrid given_of(const double *node, uint64_t intervals) {
  return (FlowGrid){.spacing = FLOW_SPACING_GIVEN, .intervals = intervals, .node = node};
}

START_TEST(a_given_grid_must_run_from_end_to_end_one_way) {
  static const struct { double node[4]; const char *words; } bad[] = {
      {{0, 0.5, NAN, 1}, "time 2 of the grid is nan"},          {{0, 0.5, INFINITY, 1}, "time 2 of the grid is inf"},
      {{0, 0.5, 0.5, 1}, "they must rise"},                     {{0, 0.7, 0.5, 1}, "time 2 of the grid is 0.5 after 0.6"},
      {{0.1, 0.5, 0.7, 1}, "the grid is from 0.1"},             {{0, 0.5, 0.7, 0.9}, "the grid is from 0 to 0.9"},
      {{0, 0.5, 0.7, 1.0000000000000002}, "to 1.0000000000000002; the solve is from 0 to 1"},
      {{1, 0.2, 0.3, 0}, "they must fall"},                     {{0, 0.5, 2, 1}, "time 3 of the grid is 1 after 2"}};
  flow_error error;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    FlowGrid grid = given_of(bad[i].node, 3);
    ck_assert_int_eq(flow_grid_check(&grid, 3, 0, 1, &error), FLOW_BAD_CALL);
    ck_assert_words(error, bad[i].words);
  }
  FlowGrid none = {.spacing = FLOW_SPACING_GIVEN};
  ck_assert_int_eq(flow_grid_check(&none, 3, 0, 1, &error), FLOW_BAD_CALL);
  ck_assert_words(error, "two times at least");
}
END_TEST

START_TEST(steps_divide_the_intervals_of_a_given_grid) {
  static const double node[] = {0, 0.5, 0.7, 1};
  FlowGrid grid = given_of(node, 3);
  flow_error error;
  ck_assert_int_eq(flow_grid_check(&grid, 4, 0, 1, &error), FLOW_BAD_CALL);
  ck_assert_words(error, "4 steps on a grid of 3 intervals");
  ck_assert_int_eq(flow_grid_check(&grid, 6, 0, 1, &error), FLOW_OK);
  static const double halved[] = {0, 0.25, 0.5, 0.6, 0.7, 0.85, 1};
  for (uint64_t i = 0; i <= 6; i++) ck_assert_double_eq_tol(flow_grid_node(&grid, 6, 0, 1, i), halved[i], 1e-16);
}
END_TEST

START_TEST(the_way_back_has_the_nodes_of_the_way_there) {
  static const double node[] = {0, 0.5, 0.7, 1};
  FlowGrid grid[] = {given_of(node, 3), grid_of(FLOW_SPACING_POWER, 3), grid_of(FLOW_SPACING_COSINE, 0)};
  for (int g = 0; g < 3; g++)
    for (uint64_t i = 0; i <= 6; i++) {
      ck_assert_int_eq(flow_grid_check(&grid[g], 6, 1, 0, NULL), FLOW_OK);
      double there = flow_grid_node(&grid[g], 6, 0, 1, i), back = flow_grid_node(&grid[g], 6, 1, 0, 6 - i);
      ck_assert(fabs(there - back) <= (g == 2 ? 3e-16 : 0));
    }
  FlowGrid elsewhere = grid_of(FLOW_SPACING_POWER, 3);
  flow_error error;
  elsewhere.from = 0.5;
  ck_assert_int_eq(flow_grid_check(&elsewhere, 6, 0, 1, &error), FLOW_BAD_CALL);
  ck_assert_words(error, "by a power from 0.5");
}
END_TEST

START_TEST(a_power_must_be_above_0) {
  static const double bad[] = {0, -1, NAN, INFINITY};
  flow_error error;
  for (int i = 0; i < 4; i++) {
    FlowGrid grid = grid_of(FLOW_SPACING_POWER, bad[i]);
    FlowPlan plan;
    ck_assert_int_eq(flow_plan_make_on(&plan, &grid, flow_tableau_find("rk4"), FLOW_F64, 10, 0, 1, &error), FLOW_BAD_CALL);
    ck_assert_words(error, "above 0");
  }
}
END_TEST

START_TEST(every_step_of_a_plan_has_its_own_length) {
  static const double node[4] = {0, 0.1, 0.4, 1};
  FlowGrid grid = given_of(node, 3);
  FlowPlan plan;
  FlowStepCombinations room;
  ck_assert_int_eq(flow_plan_make_on(&plan, &grid, flow_tableau_find("rk4"), FLOW_F64, 3, 0, 1, NULL), FLOW_OK);
  ck_assert_uint_eq(plan.rows, 7);
  for (uint64_t step = 0; step < 3; step++) {
    double h = node[step + 1] - node[step];
    const flow_combination *sum = flow_plan_combination(&plan, step, &room);
    ck_assert(flow_plan_time(&plan, 2 * step) == node[step]);
    ck_assert(flow_plan_time(&plan, 2 * step + 1) == node[step] + h * 0.5);
    ck_assert_uint_eq(sum[0].count, 0);
    ck_assert(((const double *)sum[1].coefficient)[0] == h * 0.5);
    ck_assert(((const double *)sum[3].coefficient)[0] == h);
    ck_assert(((const double *)sum[4].coefficient)[1] == h * (1.0 / 3));
  }
  ck_assert(flow_plan_time(&plan, 6) == 1);
}
END_TEST

START_TEST(equal_steps_share_the_combinations_of_the_plan) {
  FlowPlan plan;
  FlowStepCombinations room;
  FlowGrid equal = {.spacing = FLOW_SPACING_EQUAL};
  ck_assert_int_eq(flow_plan_make_on(&plan, &equal, flow_tableau_find("dopri5"), FLOW_F32, 10, 0, 1, NULL), FLOW_OK);
  ck_assert_ptr_eq(flow_plan_combination(&plan, 7, &room), plan.combination);
}
END_TEST

/* Where every step is a power of two long, a grid by hand is the equal one bit for bit. */
START_TEST(a_given_grid_of_equal_steps_has_the_bits_of_equal_steps) {
  double node[17];
  for (int i = 0; i <= 16; i++) node[i] = i / 16.0;
  FlowGrid grid = given_of(node, 16);
  for (size_t m = 0; m < flow_tableau_count(); m++) {
    Run equal, given;
    run_open(&equal, DOUBLE_driven, DOUBLE_f32_24, 30);
    run_open(&given, DOUBLE_driven, DOUBLE_f32_24, 30);
    given.what.grid = &grid;
    equal.what.steps = given.what.steps = 16;
    equal.what.tableau = given.what.tableau = flow_tableau_at(m);
    ck_assert_int_eq(run_collect(&equal, NULL), FLOW_OK);
    ck_assert_int_eq(run_collect(&given, NULL), FLOW_OK);
    ck_assert_mem_eq(equal.out.value, given.out.value, equal.out.count * equal.out.row);
    run_close(&equal);
    run_close(&given);
  }
}
END_TEST

/* x' = x cos t.  The steps' lengths vary smoothly with i/N, so that the error falls as with equal steps: by 16 with twice as many. */
START_TEST(solves_on_any_grid_have_the_order_of_the_method) {
  FlowGrid grid[] = {grid_of(FLOW_SPACING_COSINE, 0), grid_of(FLOW_SPACING_POWER, 1.5)};
  static const double span[][2] = {{0, 2}, {1.5, -0.5}};
  double one = 1;
  FlowTensor tensor = {.name = "", .type = FLOW_TYPE_F64, .rank = 1, .dim = {1}, .count = 1, .data = &one};
  for (int g = 0; g < 2; g++)
    for (int s = 0; s < 2; s++) {
      double error[2];
      for (int fine = 0; fine < 2; fine++) {
        Run run;
        run_open(&run, DOUBLE_swing, DOUBLE_f64_8, 1);
        run.source = (FlowSource){.kind = FLOW_SOURCE_TENSOR, .dim = 1, .tensor = &tensor};
        grid[g].from = span[s][0];
        run.what.grid = &grid[g];
        run.what.steps = 64u << fine;
        run.what.t0 = span[s][0], run.what.t1 = span[s][1];
        ck_assert_int_eq(run_collect(&run, NULL), FLOW_OK);
        error[fine] = fabs(*(const double *)(void *)run.out.value - exp(sin(span[s][1]) - sin(span[s][0])));
        run_close(&run);
      }
      ck_assert_double_eq_tol(log2(error[0] / error[1]), 4, 0.15);
    }
}
END_TEST

START_TEST(a_solve_on_a_bad_grid_is_refused_before_it_begins) {
  static const double node[11] = {0, 0.1, 0.2, 0.3, 0.4, 0.5, NAN, 0.7, 0.8, 0.9, 1};
  FlowGrid grid = given_of(node, 10);
  Run run;
  flow_error error;
  run_open(&run, DOUBLE_rotation, DOUBLE_f32_8, 5);
  run.what.grid = &grid;
  ck_assert_int_eq(run_collect(&run, &error), FLOW_BAD_CALL);
  ck_assert_words(error, "time 6 of the grid is nan");
  ck_assert_uint_eq(run.out.count, 0);
  run_close(&run);
}
END_TEST

/* A window of one step at a time computes the same rows. */
START_TEST(windows_of_stage_times_change_no_bit_on_a_grid) {
  FlowGrid grid = grid_of(FLOW_SPACING_COSINE, 0);
  Run whole, windows;
  run_open(&whole, DOUBLE_driven, DOUBLE_f32_8, 40);
  run_open(&windows, DOUBLE_driven, DOUBLE_f32_8, 40);
  whole.what.grid = windows.what.grid = &grid;
  whole.what.steps = windows.what.steps = 13;
  windows.what.times_bytes = 1;
  ck_assert_int_eq(run_collect(&whole, NULL), FLOW_OK);
  ck_assert_int_eq(run_collect(&windows, NULL), FLOW_OK);
  ck_assert_mem_eq(whole.out.value, windows.out.value, whole.out.count * whole.out.row);
  run_close(&whole);
  run_close(&windows);
}
END_TEST

TEST_MAIN("grid", rules_are_found_by_name, nodes_are_where_the_formulas_say, a_given_grid_must_run_from_end_to_end_one_way,
          steps_divide_the_intervals_of_a_given_grid, the_way_back_has_the_nodes_of_the_way_there,
          a_power_must_be_above_0, every_step_of_a_plan_has_its_own_length, equal_steps_share_the_combinations_of_the_plan,
          a_given_grid_of_equal_steps_has_the_bits_of_equal_steps, solves_on_any_grid_have_the_order_of_the_method,
          a_solve_on_a_bad_grid_is_refused_before_it_begins, windows_of_stage_times_change_no_bit_on_a_grid)
