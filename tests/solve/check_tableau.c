/* SPDX-License-Identifier: Apache-2.0 */
/* check_tableau.c -- every row of the table is a method of the order that it claims. */
#include "tableau.h"
#include "suite.h"
#include <math.h>

/* Butcher's conditions: sum_j b_j phi_j = 1/gamma for every rooted tree.  One row a tree of order up to 4. */
typedef struct Condition {
  uint32_t order;
  double gamma;
  const char *tree;
} Condition;
static const Condition condition[] = {{1, 1, "."}, {2, 2, "c"}, {3, 3, "cc"}, {3, 6, "Ac"},
                                      {4, 4, "ccc"}, {4, 8, "cAc"}, {4, 12, "Acc"}, {4, 24, "AAc"}};

/* Letters from right to left build a vector: c multiplies by c, A applies the matrix. */
static double phi(const FlowTableau *tableau, const char *tree) {
  double v[FLOW_MOST_STAGES], w[FLOW_MOST_STAGES], sum = 0;
  uint32_t s = tableau->stages;
  for (uint32_t j = 0; j < s; j++) v[j] = 1;
  for (size_t i = strlen(tree); i-- > 0 && tree[0] != '.';) {
    for (uint32_t j = 0; j < s; j++) {
      w[j] = 0;
      if (tree[i] == 'c') w[j] = tableau->c[j] * v[j];
      for (uint32_t k = 0; tree[i] == 'A' && k < s; k++) w[j] += tableau->a[j * s + k] * v[k];
    }
    memcpy(v, w, sizeof v);
  }
  for (uint32_t j = 0; j < s; j++) sum += tableau->b[j] * v[j];
  return sum;
}

START_TEST(every_method_satisfies_the_conditions_of_its_order) {
  for (size_t m = 0; m < flow_tableau_count(); m++) {
    const FlowTableau *tableau = flow_tableau_at(m);
    ck_assert_uint_le(tableau->order, 4);               /* a method of higher order needs more rows above */
    for (size_t i = 0; i < sizeof condition / sizeof condition[0]; i++)
      if (condition[i].order <= tableau->order)         /* a few roundings of numbers below 1 */
        ck_assert_double_eq_tol(phi(tableau, condition[i].tree), 1 / condition[i].gamma, 1e-15);
  }
}
END_TEST

START_TEST(no_method_is_better_than_it_claims) {
  for (size_t m = 0; m < flow_tableau_count(); m++) {
    const FlowTableau *tableau = flow_tableau_at(m);
    double worst = 0;
    for (size_t i = 0; i < sizeof condition / sizeof condition[0]; i++)
      if (condition[i].order == tableau->order + 1) worst = fmax(worst, fabs(phi(tableau, condition[i].tree) - 1 / condition[i].gamma));
    ck_assert_msg(worst > 1e-3 || tableau->order == 4, "%s", tableau->name);
  }
}
END_TEST

START_TEST(stages_are_explicit_and_at_the_times_of_their_rows) {
  for (size_t m = 0; m < flow_tableau_count(); m++) {
    const FlowTableau *tableau = flow_tableau_at(m);
    ck_assert_uint_le(tableau->stages, FLOW_MOST_STAGES);
    ck_assert(tableau->c[0] == 0);
    for (uint32_t j = 0; j < tableau->stages; j++) {
      double sum = 0;
      for (uint32_t k = 0; k < tableau->stages; k++) {
        sum += tableau->a[j * tableau->stages + k];
        if (k >= j) ck_assert(tableau->a[j * tableau->stages + k] == 0);
      }
      ck_assert_double_eq_tol(sum, tableau->c[j], 1e-15);
    }
  }
}
END_TEST

START_TEST(methods_are_found_by_name_and_only_by_name) {
  size_t count = flow_tableau_count();
  ck_assert_uint_eq(count, 4);
  for (size_t m = 0; m < count; m++) {
    ck_assert_str_eq(flow_tableau_names()[m], flow_tableau_at(m)->name);
    ck_assert_ptr_eq(flow_tableau_find(flow_tableau_names()[m]), flow_tableau_at(m));
    ck_assert_uint_gt(strlen(flow_tableau_at(m)->source), 0);
    ck_assert_uint_gt(strlen(flow_tableau_at(m)->help), 0);
  }
  ck_assert_ptr_null(flow_tableau_names()[count]);
  ck_assert_ptr_null(flow_tableau_at(count));
  ck_assert_ptr_null(flow_tableau_find("rk"));
  ck_assert_ptr_null(flow_tableau_find(""));
}
END_TEST

START_TEST(first_same_as_last_is_read_from_the_coefficients) {
  static const double a[4] = {0, 0, 0.5, 0.5}, b[2] = {0.5, 0.5}, c[2] = {0, 1};
  FlowTableau trapezoid = {.name = "test", .order = 1, .stages = 2, .a = a, .b = b, .c = c};
  ck_assert(flow_tableau_first_same_as_last(&trapezoid));
  for (size_t m = 0; m < flow_tableau_count(); m++) ck_assert(!flow_tableau_first_same_as_last(flow_tableau_at(m)));
}
END_TEST

TEST_MAIN("tableau", every_method_satisfies_the_conditions_of_its_order, no_method_is_better_than_it_claims,
          stages_are_explicit_and_at_the_times_of_their_rows, methods_are_found_by_name_and_only_by_name,
          first_same_as_last_is_read_from_the_coefficients)
