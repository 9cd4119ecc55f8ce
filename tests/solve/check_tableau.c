/* SPDX-License-Identifier: Apache-2.0 */
/* check_tableau.c -- every row of the table is a method of the orders that it claims, at the end of a step and inside it.
 *
 * ROUNDED: an elementary weight of 8 nodes is a product of at most 8 coefficients, each rounded once (1.1e-16).  The digits beyond
 * a double's: tests/numerics/check_printed. */
#include "dense.h"
#include "suite.h"
#include "trees.h"
#include <math.h>

static const double ROUNDED = 1e-15;

/* Weights of the first `count` stages, 0 for the others. */
static void widen(const double *weight, uint32_t count, long double *wide) {
  for (uint32_t j = 0; j < FLOW_MOST_STAGES; j++) wide[j] = j < count ? weight[j] : 0;
}

START_TEST(there_are_as_many_trees_as_there_should_be) {
  static const int count[] = {1, 1, 2, 4, 9, 20, 48, 115, 286};         /* OEIS A000081 */
  for (int nodes = 1; nodes <= MOST_NODES; nodes++) {
    Tree tree = tree_first(nodes);
    int trees = 1;
    for (; tree_next(&tree); trees++) ck_assert_double_ge(tree_gamma(&tree), nodes);
    ck_assert_int_eq(trees, count[nodes - 1]);
    ck_assert_double_eq(tree_gamma(&tree), nodes);      /* the star */
  }
}
END_TEST

START_TEST(every_method_satisfies_the_conditions_of_its_order) {
  for (size_t m = 0; m < flow_tableau_count(); m++) {
    const FlowTableau *tableau = flow_tableau_at(m);
    Stages stages = stages_of(tableau);
    long double b[FLOW_MOST_STAGES];
    widen(tableau->b, tableau->stages, b);
    ck_assert_uint_lt(tableau->order, MOST_NODES);
    for (int nodes = 1; nodes <= (int)tableau->order; nodes++) {
      double defect = tree_defect(&stages, b, nodes, 1);
      ck_assert_msg(defect <= ROUNDED, "%s, order %d: %g", tableau->name, nodes, defect);
    }
  }
}
END_TEST

START_TEST(no_method_is_better_than_it_claims) {
  for (size_t m = 0; m < flow_tableau_count(); m++) {
    const FlowTableau *tableau = flow_tableau_at(m);
    Stages stages = stages_of(tableau);
    long double b[FLOW_MOST_STAGES];
    widen(tableau->b, tableau->stages, b);
    double defect = tree_defect(&stages, b, (int)tableau->order + 1, 1);
    ck_assert_msg(defect > 1e6 * ROUNDED, "%s: %g", tableau->name, defect);
  }
}
END_TEST

START_TEST(what_an_error_is_estimated_with_has_the_order_that_it_claims) {
  size_t found = 0;
  for (size_t m = 0; m < flow_tableau_count(); m++) {
    const FlowTableau *tableau = flow_tableau_at(m);
    Stages stages = stages_of(tableau);
    for (int e = 0; e < 2 && tableau->error[e].order; e++, found++) {
      long double other[FLOW_MOST_STAGES];
      widen(tableau->b, tableau->stages, other);
      for (uint32_t j = 0; j <= tableau->stages; j++) other[j] -= tableau->error[e].weight[j];
      int order = (int)tableau->error[e].order;
      for (int nodes = 1; nodes <= order; nodes++) {
        double defect = tree_defect(&stages, other, nodes, 1);
        ck_assert_msg(defect <= ROUNDED, "%s, error %d, order %d: %g", tableau->name, e, nodes, defect);
      }
      ck_assert_double_gt(tree_defect(&stages, other, order + 1, 1), 1e6 * ROUNDED);
    }
  }
  ck_assert_uint_eq(found, 5);
}
END_TEST

/* A dense output of order q: the weights at theta give theta^n/gamma on every tree of n <= q nodes. */
START_TEST(dense_output_has_the_order_that_it_claims_everywhere_in_the_step) {
  for (size_t m = 0; m < flow_tableau_count(); m++) {
    const FlowTableau *tableau = flow_tableau_at(m);
    Stages stages = stages_of(tableau);
    double beyond = 0;
    for (int i = 0; i <= 16; i++) {
      double theta = i / 16.0, weight[FLOW_MOST_STAGES];
      long double wide[FLOW_MOST_STAGES];
      flow_dense_weights(tableau, theta, weight);
      widen(weight, stages.count, wide);
      for (int nodes = 1; nodes <= (int)tableau->dense.order; nodes++) {
        double defect = tree_defect(&stages, wide, nodes, pow(theta, nodes));
        /* dop853's rows of weights are up to 528 and cancel: that times 2^-53, divided by 16 for theta^2(1-theta)^2 */
        ck_assert_msg(defect <= 5 * ROUNDED, "%s, theta %g, order %d: %g", tableau->name, theta, nodes, defect);
      }
      int next = (int)tableau->dense.order + 1;
      beyond = fmax(beyond, tree_defect(&stages, wide, next, pow(theta, next)));
    }
    ck_assert_msg(beyond > 1e6 * ROUNDED, "%s: %g", tableau->name, beyond);
  }
}
END_TEST

START_TEST(dense_output_is_the_steps_ends_and_their_slopes_exactly) {
  for (size_t m = 0; m < flow_tableau_count(); m++) {
    const FlowTableau *tableau = flow_tableau_at(m);
    uint32_t stages = flow_tableau_dense_stages(tableau);
    double at_0[FLOW_MOST_STAGES], at_1[FLOW_MOST_STAGES], near[FLOW_MOST_STAGES], tiny = 0x1p-30;
    flow_dense_weights(tableau, 0, at_0);
    flow_dense_weights(tableau, 1, at_1);
    for (uint32_t j = 0; j < stages; j++) {
      ck_assert(at_0[j] == 0);
      ck_assert(at_1[j] == (j < tableau->stages ? tableau->b[j] : 0));
    }
    flow_dense_weights(tableau, tiny, near);            /* second derivatives are below 1000 */
    for (uint32_t j = 0; j < stages; j++) ck_assert_double_eq_tol(near[j] / tiny, j == 0, 1e3 * tiny);
    flow_dense_weights(tableau, 1 - tiny, near);        /* the difference has lost 2^-53/tiny of b */
    for (uint32_t j = 0; j < stages; j++) ck_assert_double_eq_tol((at_1[j] - near[j]) / tiny, j == tableau->stages, 2e3 * tiny);
  }
}
END_TEST

START_TEST(stages_are_explicit_and_at_the_times_of_their_rows) {
  for (size_t m = 0; m < flow_tableau_count(); m++) {
    const FlowTableau *tableau = flow_tableau_at(m);
    ck_assert_uint_le(flow_tableau_dense_stages(tableau), FLOW_MOST_STAGES);
    ck_assert(tableau->c[0] == 0);
    for (uint32_t j = 0; j < flow_tableau_dense_stages(tableau); j++) {
      const double *row = flow_tableau_row(tableau, j);
      double sum = 0, size = 1;
      for (uint32_t i = 0; i < flow_tableau_row_length(tableau, j); i++) {
        sum += row[i];
        size += fabs(row[i]);
      }
      ck_assert_double_eq_tol(sum, flow_tableau_c(tableau, j), size * ROUNDED);
      ck_assert(flow_tableau_c(tableau, j) >= 0 && flow_tableau_c(tableau, j) <= 1);
    }
  }
}
END_TEST

START_TEST(weights_of_errors_and_constants_of_step_control_come_together) {
  for (size_t m = 0; m < flow_tableau_count(); m++) {
    const FlowTableau *tableau = flow_tableau_at(m);
    const FlowStepControl *control = &tableau->control;
    ck_assert_int_eq(tableau->error[0].order != 0, control->safety != 0);
    ck_assert(tableau->error[0].order == 0 || (control->safety < 1 && control->alpha > control->beta && control->beta > 0 &&
                                               control->least < 1 && control->most > 1));
    double sum = 0;
    for (uint32_t j = 0; tableau->error[0].order && j <= tableau->stages; j++) sum += tableau->error[0].weight[j];
    ck_assert_double_eq_tol(sum, 0, ROUNDED);
  }
}
END_TEST

START_TEST(methods_are_found_by_their_names_and_only_by_them) {
  static const char *const name[] = {"euler", "midpoint", "ralston2", "heun2", "heun3", "kutta3", "ssprk3", "rk4", "rk38",
                                     "bosh3", "dopri5", "tsit5", "dop853"};
  size_t count = flow_tableau_count();
  ck_assert_uint_eq(count, sizeof name / sizeof name[0]);
  for (size_t m = 0; m < count; m++) {
    ck_assert_str_eq(flow_tableau_at(m)->name, name[m]);
    ck_assert_str_eq(flow_tableau_names()[m], name[m]);
    ck_assert_ptr_eq(flow_tableau_find(name[m]), flow_tableau_at(m));
    ck_assert_uint_gt(strlen(flow_tableau_at(m)->source), 0);
    ck_assert_uint_gt(strlen(flow_tableau_at(m)->help), 0);
    ck_assert_ptr_null(flow_tableau_alias(name[m]));
  }
  ck_assert_ptr_null(flow_tableau_at(count));
  ck_assert_ptr_null(flow_tableau_find("rk"));
  ck_assert_ptr_null(flow_tableau_find(""));
}
END_TEST

START_TEST(a_second_name_finds_the_row_that_it_stands_for) {
  const char *const *names = flow_tableau_names();
  ck_assert_ptr_eq(flow_tableau_find("heun"), flow_tableau_find("heun2"));
  ck_assert_str_eq(flow_tableau_alias("heun"), "heun2");
  size_t count = flow_tableau_count();
  for (; names[count]; count++) {
    ck_assert_ptr_nonnull(flow_tableau_find(names[count]));
    ck_assert_ptr_nonnull(flow_tableau_alias(names[count]));
  }
  ck_assert_uint_eq(count, flow_tableau_count() + 1);
}
END_TEST

TEST_MAIN("tableau", there_are_as_many_trees_as_there_should_be, every_method_satisfies_the_conditions_of_its_order,
          no_method_is_better_than_it_claims, what_an_error_is_estimated_with_has_the_order_that_it_claims,
          dense_output_has_the_order_that_it_claims_everywhere_in_the_step,
          dense_output_is_the_steps_ends_and_their_slopes_exactly, stages_are_explicit_and_at_the_times_of_their_rows,
          weights_of_errors_and_constants_of_step_control_come_together, methods_are_found_by_their_names_and_only_by_them,
          a_second_name_finds_the_row_that_it_stands_for)
