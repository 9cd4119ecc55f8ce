/* SPDX-License-Identifier: Apache-2.0 */
/* check_lost.c -- flows that lose their paths, velocities that are finite nowhere, densities that end in a jump. */
#include "cli/user.h"
#include "run_suite.h"
#include <stdio.h>
#include <string.h>

static const char *flow_of(const char *velocity, const char *source, int dim) {
  char text[512];
  snprintf(text, sizeof text, "field u(t, x: [%d]) = %s\nflow f { source %s  velocity u  solver rk4 steps 20 }\n", dim, velocity, source);
  return scratch_file("lost.flow", text);
}

/* `words` stand in the output. */
static void expect_check(const char *model, int code, const char *const *words) {
  Result result = flowc("check %s --points 300%s", model, strstr(words[0], "integral") ? " --integral" : "");
  expect_code(result, code);
  for (int i = 0; i < 4 && words[i]; i++) expect_in(result.out, words[i]);
  result_free(&result);
}

/* Of 200 paths 1 % are 2. */
static const struct { const char *velocity, *source, *words[4]; int code; } flows[] = {
    {"x/0", "normal(1)", {"FAIL  u is finite somewhere", "300 not finite", "FAIL  there and back", "200 of 200 paths lost"}, 3},
    {"log(x - 100)", "normal(1)", {"FAIL  u is finite somewhere", "FAIL  there and back", "FAIL  log p on both ways"}, 3},
    {"x/t", "normal(1)", {"PASS  J v against differences", "FAIL  there and back", "200 of 200 paths lost", "FAIL  log p, half the step"}, 3},
    {"10*x*x*x", "normal(1)", {"PASS  J v against differences", "FAIL  there and back", "at 167 of 200 points", "167 of 200 paths lost"}, 3},
    /* infinite from x = 100 on, where uniform(0, 100.8) has 2 of these 200 paths */
    {"[0.001/(if x[0] <= 100 then 1 else 0)]", "uniform(0, 100.8)", {"PASS  there and back", "2 of 200 paths lost"}, 0},
    {"[0.001/(if x[0] <= 100 then 1 else 0)]", "uniform(0, 105)", {"FAIL  there and back", "of 200 paths lost"}, 3},
    /* its states are the source's where those of a normal distribution will not do */
    {"log(x - 100)", "uniform(200, 300)", {"PASS  J v against differences", "300 points", "PASS  there and back"}, 0},
};
enum { FLOWS = sizeof flows / sizeof *flows };

START_TEST(a_flow_that_loses_more_than_one_path_in_a_hundred_fails_and_says_how_many) {
  expect_check(flow_of(flows[_i].velocity, flows[_i].source, 1), flows[_i].code, flows[_i].words);
}
END_TEST

/* Steps of rk4 are a hundredth long: too long for a thousand radians of a rotation, which adapting steps take, and of no matter to
 * a map, whose velocity is infinite at t = 0. */
START_TEST(where_steps_are_not_the_flows_own_it_fails_for_what_its_own_way_loses) {
  static const struct { const char *text, *words[4]; int code; } own[] = {
      {"field u(t, x: [2]) = 1000*[x[1], -x[0]]\nflow f { source normal(2)  velocity u }\n",
       {"SKIP  there and back", "the flow's own way does not", "SKIP  log p, half the step"}, 0},
      {"field u(t, x: [2]) = x/t\nflow f { source normal(2)  velocity u }\n",
       {"FAIL  there and back", "on the flow's own way, 200 of 200 paths lost"}, 3},
      {"map psi(t, x: [2]) = (1 + sqrt(t))*x\n  inverse(t, y) = y/(1 + sqrt(t))\nflow f { source normal(2)  velocity of psi }\n",
       {"SKIP  there and back", "the flow's own way does not", "SKIP  log p by the map"}, 0},
      {"map psi(t, x: [2]) = x/(1 - t)\n  inverse(t, y) = y*(1 - t)\nflow f { source normal(2)  velocity of psi }\n",
       {"FAIL  there and back", "on the flow's own way, 200 of 200 paths lost"}, 3},
  };
  for (size_t i = 0; i < sizeof own / sizeof *own; i++) expect_check(scratch_file("own.flow", own[i].text), own[i].code, own[i].words);
}
END_TEST

START_TEST(a_field_without_a_flow_is_finite_somewhere) {
  static const char *const words[4] = {"FAIL  u is finite somewhere", "1 of 2 checks failed"};
  expect_check(scratch_file("lost.flow", "field u(t, x: [1]) = x/0\n"), 3, words);
}
END_TEST

/* A sum over cells errs by up to half a cell at each edge: 2 % here, and a tenth too much is seen. */
START_TEST(a_density_that_ends_in_a_jump_is_integrated_as_well_as_cells_can) {
  static const char *const good[4] = {"PASS  the integral of p", "with half a cell along the edge of p", "ok; 9 checks passed"};
  static const char *const bad[4] = {"FAIL  the integral of p", "with half a cell along the edge of p"};
  static const char box[] = "fn inside(a) = if a < 0 then 0 else if a > 1 then 0 else 1\n"
                            "density p(x: [2]) = log(%s*inside(x[0])*inside(x[1]))\n  draw e ~ uniform(2): e\n"
                            "field u(t, x: [2]) = sin(x)*[1, 2]\nflow f { source p  velocity u  solver rk4 steps 20 }\n";
  char text[512];
  expect_check(flow_of("sin(x)*[1, 2]", "uniform(0, 1)", 2), 0, good);
  for (int wrong = 0; wrong < 2; wrong++) {
    snprintf(text, sizeof text, box, wrong ? "1.1" : "1");
    expect_check(scratch_file("box.flow", text), wrong ? 3 : 0, wrong ? bad : good);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("lost");
  TCase *all = tcase_create("all");
  tcase_set_timeout(all, 60);
  tcase_add_loop_test(all, a_flow_that_loses_more_than_one_path_in_a_hundred_fails_and_says_how_many, 0, FLOWS);
  tcase_add_test(all, where_steps_are_not_the_flows_own_it_fails_for_what_its_own_way_loses);
  tcase_add_test(all, a_field_without_a_flow_is_finite_somewhere);
  tcase_add_test(all, a_density_that_ends_in_a_jump_is_integrated_as_well_as_cells_can);
  suite_add_tcase(suite, all);
  return run_suite(suite);
}
