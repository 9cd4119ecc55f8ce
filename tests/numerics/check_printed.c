/* SPDX-License-Identifier: Apache-2.0 */
/* check_printed.c -- the digits of the table beyond those that a double has: all conditions again, to the last place of the
 * processor's long double where it has more than a double's. */
#include "printed.h"
#include "suite.h"
#include <float.h>
#include <math.h>

/* Eight roundings of a product, and what the sum over the stages adds. */
static const double ROUNDED = 16 * (double)LDBL_EPSILON;

START_TEST(what_is_printed_rounds_to_the_table) {
  ck_assert_uint_eq(printed_count(), flow_tableau_count());
  for (size_t m = 0; m < printed_count(); m++) {
    const FlowTableau *tableau = flow_tableau_at(m);
    Stages table = stages_of(tableau);
    Printed method;
    printed_read(m, &method);
    ck_assert_str_eq(method.name, tableau->name);
    ck_assert_uint_eq(method.steps, tableau->stages);
    ck_assert_uint_eq(method.stages.count, table.count);
    ck_assert_uint_eq(method.rows, tableau->dense.rows);
    for (uint32_t j = 0; j < table.count; j++) {
      ck_assert(fabsl(table.c[j] - method.stages.c[j]) <= 1.2e-16L * fabsl(table.c[j]));
      for (uint32_t i = 0; i < j; i++) ck_assert(fabsl(table.a[j][i] - method.stages.a[j][i]) <= 1.2e-16L * fabsl(table.a[j][i]));
    }
  }
}
END_TEST

static void expect_order(const Printed *method, const long double *weight, uint32_t order, const char *what) {
  for (int nodes = 1; nodes <= (int)order; nodes++) {
    double defect = tree_defect(&method->stages, weight, nodes, 1);
    ck_assert_msg(defect <= ROUNDED, "%s, %s, order %d: %g", method->name, what, nodes, defect);
  }
}

START_TEST(new_states_and_what_they_are_compared_with_have_their_orders) {
  for (size_t m = 0; m < printed_count(); m++) {
    Printed method;
    printed_read(m, &method);
    expect_order(&method, method.b, method.order, "new state");
    for (int e = 0; e < 2 && method.error_order[e]; e++) {
      long double other[FLOW_MOST_STAGES];
      for (uint32_t j = 0; j < FLOW_MOST_STAGES; j++) other[j] = method.b[j] - method.error[e][j];
      expect_order(&method, other, method.error_order[e], "error");
    }
  }
}
END_TEST

START_TEST(stages_are_at_the_sums_of_their_rows) {
  for (size_t m = 0; m < printed_count(); m++) {
    Printed method;
    printed_read(m, &method);
    for (uint32_t j = 0; j < method.stages.count; j++) {
      long double sum = 0, size = 1;
      for (uint32_t i = 0; i < j; i++) {
        sum += method.stages.a[j][i];
        size += fabsl(method.stages.a[j][i]);
      }
      ck_assert(fabsl(sum - method.stages.c[j]) <= ROUNDED * size);
    }
  }
}
END_TEST

START_TEST(dense_output_has_its_order) {
  for (size_t m = 0; m < printed_count(); m++) {
    Printed method;
    printed_read(m, &method);
    for (int i = 0; i <= 12; i++) {
      long double theta = i / 12.0L, weight[FLOW_MOST_STAGES] = {0};
      printed_dense_weights(&method, theta, weight);
      for (int nodes = 1; nodes <= (int)method.dense_order; nodes++) {
        double defect = tree_defect(&method.stages, weight, nodes, powl(theta, nodes));
        ck_assert_msg(defect <= 5 * ROUNDED, "%s, theta %Lg, order %d: %g", method.name, theta, nodes, defect);
      }
    }
  }
}
END_TEST

TEST_MAIN("printed", what_is_printed_rounds_to_the_table, new_states_and_what_they_are_compared_with_have_their_orders,
          stages_are_at_the_sums_of_their_rows, dense_output_has_its_order)
