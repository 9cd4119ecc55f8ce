/* SPDX-License-Identifier: Apache-2.0 */
/* check_layout.c -- view, concat, lookup. */
#include "ir_suite.h"

START_TEST(a_view_transposes) {
  IrFunction *f = ir_of(6, "%0 = weight 0 [3, 2] w\n%1 = view %0 [2, 3] w offset 0 strides 1 2\n"
                           "%2 = view %1 [6] w offset 0 strides 1\nresult %2\n");
  ir_expect(f, (double[6]){0}, (double[]){1, 3, 5, 2, 4, 6});
} END_TEST

START_TEST(a_view_takes_a_diagonal) {
  IrFunction *f = ir_of(2, "%0 = weight 0 [3, 2] w\n%1 = view %0 [2] w offset 0 strides 3\nresult %1\n");
  ir_expect(f, (double[2]){0}, (double[]){1, 4});
} END_TEST

START_TEST(a_view_repeats_a_scalar) {
  IrFunction *f = ir_of(3, "%0 = input 0 [] t\n%1 = view %0 [3] t offset 0 strides 0\nresult %1\n");
  ir_expect(f, (double[3]){0}, (double[]){0.25, 0.25, 0.25});
} END_TEST

START_TEST(a_view_slices_and_turns_round) {
  IrFunction *f = ir_of(3, "%0 = weight 0 [3, 2] w\n%1 = view %0 [3] w offset 5 strides -2\nresult %1\n");
  ir_expect(f, (double[3]){0}, (double[]){6, 4, 2});
} END_TEST

START_TEST(a_concat_along_the_first_axis_puts_rows_below_rows) {
  IrFunction *f = ir_of(8, "%0 = weight 0 [3, 2] w\n%1 = constant [1, 2] - data 7 8\n"
                           "%2 = concat %0 %1 [4, 2] w axis 0\n"
                           "%3 = view %2 [8] w offset 0 strides 1\nresult %3\n");
  ir_expect(f, (double[8]){0}, (double[]){1, 2, 3, 4, 5, 6, 7, 8});
} END_TEST

START_TEST(a_concat_along_the_last_axis_puts_columns_beside_columns) {
  IrFunction *f = ir_of(9, "%0 = weight 0 [3, 2] w\n%1 = constant [3, 1] - data 7 8 9\n"
                           "%2 = concat %0 %1 [3, 3] w axis 1\n"
                           "%3 = view %2 [9] w offset 0 strides 1\nresult %3\n");
  ir_expect(f, (double[9]){0}, (double[]){1, 2, 7, 3, 4, 8, 5, 6, 9});
} END_TEST

static IrFunction *table(void) {
  return ir_of(2, "%0 = weight 0 [3, 2] w\n%1 = input 1 [2] s\n%2 = view %1 [] s offset 0 strides\n"
                  "%3 = lookup %0 %2 [2] sw\nresult %3\n");
}

START_TEST(a_lookup_takes_a_row) {
  ir_expect(table(), (double[]){2, 0}, (double[]){5, 6});
  ir_expect(table(), (double[]){-0.0, 0}, (double[]){1, 2});
} END_TEST

START_TEST(a_label_that_is_no_row_gives_not_a_number) {
  static const double label[] = {3, -1, 0.5, NAN, INFINITY, -INFINITY, 1e300};
  for (size_t i = 0; i < sizeof label / sizeof label[0]; i++)
    ir_expect(table(), (double[]){label[i], 0}, (double[]){NAN, NAN});
} END_TEST

START_TEST(a_lookup_of_many_labels_has_a_row_for_each) {
  IrFunction *f = ir_of(4, "%0 = weight 0 [3, 2] w\n%1 = constant [2] - data 2 1\n%2 = lookup %0 %1 [2, 2] w\n"
                           "%3 = view %2 [4] w offset 0 strides 1\nresult %3\n");
  ir_expect(f, (double[4]){0}, (double[]){5, 6, 3, 4});
} END_TEST

START_TEST(a_value_of_several_axes_is_walked_in_c_order) {
  IrFunction *f = ir_of(8, "%0 = input 1 [8] s\n%1 = view %0 [2, 2, 2] s offset 0 strides 1 2 4\n"
                           "%2 = view %1 [8] s offset 0 strides 1\nresult %2\n");
  ir_expect(f, (double[]){0, 1, 2, 3, 4, 5, 6, 7}, (double[]){0, 4, 2, 6, 1, 5, 3, 7});
} END_TEST

void add_layout_tests(TCase *tcase) {
  tcase_add_test(tcase, a_view_transposes);
  tcase_add_test(tcase, a_view_takes_a_diagonal);
  tcase_add_test(tcase, a_view_repeats_a_scalar);
  tcase_add_test(tcase, a_view_slices_and_turns_round);
  tcase_add_test(tcase, a_concat_along_the_first_axis_puts_rows_below_rows);
  tcase_add_test(tcase, a_concat_along_the_last_axis_puts_columns_beside_columns);
  tcase_add_test(tcase, a_lookup_takes_a_row);
  tcase_add_test(tcase, a_label_that_is_no_row_gives_not_a_number);
  tcase_add_test(tcase, a_lookup_of_many_labels_has_a_row_for_each);
  tcase_add_test(tcase, a_value_of_several_axes_is_walked_in_c_order);
}
