/* SPDX-License-Identifier: Apache-2.0 */
/* check_observed_order.c -- errors fall with the step as a method's order says: inside steps, at the end, forward and back.
 *
 * From errors e1, e2, e3 with N, 2N and 4N steps the observed order is 2 log2(e2/e3) - log2(e1/e2): what log2(e/e') tends to,
 * its first deviation taken away.  Errors stay far above rounding (long double: 1e-19). */
#include "problems.h"
#include "suite.h"
#include <float.h>
#include <math.h>

static const long double LEAST = 100 * LDBL_EPSILON;
enum { MOST_STEPS = 128 };

typedef struct Observed {
  double path, end;
} Observed;

static Observed observe(const Problem *p, const Printed *method) {
  long double path[3], end[3];
  Observed order = {0, 0};
  for (int steps = 2; 4 * steps <= MOST_STEPS; steps += (steps + 1) / 2) {
    for (int i = 0; i < 3; i++) path[i] = problem_error(p, method, steps << i, &end[i]);
    if (steps > 2 && (path[2] < LEAST || end[2] < LEAST)) break;
    order.path = (double)(2 * log2l(path[1] / path[2]) - log2l(path[0] / path[1]));
    order.end = (double)(2 * log2l(end[1] / end[2]) - log2l(end[0] / end[1]));
  }
  return order;
}

/* Hermite's cubic is wrong by h^4: in sum the lesser of the two. */
static double order_of_path(const Printed *method) { return fmin(method->order, method->dense_order + 1); }

START_TEST(the_observed_order_along_paths_is_the_methods_order) {
  for (size_t m = 0; m < printed_count(); m++)
    for (int i = 0; i < 2 * PROBLEM_COUNT; i++) {
      Printed method;
      printed_read(m, &method);
      Problem p = i % 2 ? problem_backward(&problem[i / 2]) : problem[i / 2];
      double order = observe(&p, &method).path;
      ck_assert_msg(fabs(order - order_of_path(&method)) <= 0.1, "%s, %s, %s: order %.3f", method.name,
                    p.name, i % 2 ? "backward" : "forward", order);
    }
}
END_TEST

/* Linear problems, where the error at the end does not happen to vanish for some start. */
START_TEST(the_observed_order_at_the_end_is_the_methods_order) {
  for (size_t m = 0; m < printed_count(); m++)
    for (int i = 2 * PROBLEM_COUNT - 4; i < 2 * PROBLEM_COUNT; i++) {
      Printed method;
      printed_read(m, &method);
      Problem p = i % 2 ? problem_backward(&problem[i / 2]) : problem[i / 2];
      double order = observe(&p, &method).end;
      ck_assert_msg(fabs(order - method.order) <= 0.1, "%s, %s, %s: order %.3f", method.name, p.name,
                    i % 2 ? "backward" : "forward", order);
    }
}
END_TEST

TEST_MAIN("observed order", the_observed_order_along_paths_is_the_methods_order,
          the_observed_order_at_the_end_is_the_methods_order)
