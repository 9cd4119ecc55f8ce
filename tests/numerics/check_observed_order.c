/* SPDX-License-Identifier: Apache-2.0 */
/* check_observed_order.c -- errors fall with the step as a method's order says: inside steps, at the end, forward and back.
 *
 * From errors e1, e2, e3 with N, 2N and 4N steps the observed order is 2 log2(e2/e3) - log2(e1/e2): what log2(e/e') tends to,
 * its first deviation taken away.  Errors stay above 30 times what the rounding of the coefficients (1e-16) does to the path. */
#include "problems.h"
#include "suite.h"
#include <math.h>

static const long double LEAST = 3e-15L;
enum { MOST_STEPS = 256 };

typedef struct Observed {
  double path, end;
} Observed;

static Observed observe(const Problem *p, const FlowTableau *tableau) {
  long double path[3], end[3];
  Observed order = {0, 0};
  for (int steps = 2; 4 * steps <= MOST_STEPS; steps += (steps + 1) / 2) {
    for (int i = 0; i < 3; i++) path[i] = problem_error(p, tableau, steps << i, &end[i]);
    if (steps > 2 && (path[2] < LEAST || end[2] < LEAST)) break;
    order.path = (double)(2 * log2l(path[1] / path[2]) - log2l(path[0] / path[1]));
    order.end = (double)(2 * log2l(end[1] / end[2]) - log2l(end[0] / end[1]));
  }
  return order;
}

/* Hermite's cubic is wrong by h^4: in sum the lesser of the two. */
static double order_of_path(const FlowTableau *tableau) { return fmin(tableau->order, tableau->dense.order + 1); }

/* With 8 orders there are but three sizes of step between the first reasonable one and LEAST. */
static double tolerance(const FlowTableau *tableau) { return tableau->order < 8 ? 0.1 : 0.2; }

START_TEST(the_observed_order_along_paths_is_the_methods_order) {
  for (size_t m = 0; m < flow_tableau_count(); m++)
    for (int i = 0; i < 2 * PROBLEM_COUNT; i++) {
      const FlowTableau *tableau = flow_tableau_at(m);
      Problem p = i % 2 ? problem_backward(&problem[i / 2]) : problem[i / 2];
      double order = observe(&p, tableau).path;
      ck_assert_msg(fabs(order - order_of_path(tableau)) <= tolerance(tableau), "%s, %s, %s: order %.3f", tableau->name,
                    p.name, i % 2 ? "backward" : "forward", order);
    }
}
END_TEST

/* Linear problems, where the error at the end does not happen to vanish for some start. */
START_TEST(the_observed_order_at_the_end_is_the_methods_order) {
  for (size_t m = 0; m < flow_tableau_count(); m++)
    for (int i = 2 * PROBLEM_COUNT - 4; i < 2 * PROBLEM_COUNT; i++) {
      const FlowTableau *tableau = flow_tableau_at(m);
      Problem p = i % 2 ? problem_backward(&problem[i / 2]) : problem[i / 2];
      double order = observe(&p, tableau).end;
      ck_assert_msg(fabs(order - tableau->order) <= 0.1, "%s, %s, %s: order %.3f", tableau->name, p.name,
                    i % 2 ? "backward" : "forward", order);
    }
}
END_TEST

TEST_MAIN("observed order", the_observed_order_along_paths_is_the_methods_order,
          the_observed_order_at_the_end_is_the_methods_order)
