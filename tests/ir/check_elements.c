/* SPDX-License-Identifier: Apache-2.0 */
/* check_elements.c -- every elementwise operation against plain C, f64 and f32. */
#include "ir_suite.h"
#include <float.h>
#include <string.h>

/* Operands: x[0], x[1], x[2] of the state; truth operands are `0 < x[i]`. */
typedef double Reference(double a, double b, double c);
typedef struct Row {
  IrOp op;
  Reference *value;
  int ulps;     /* what elementary.def states at most, in either precision, plus one for the reference's own rounding */
} Row;

#define REFERENCE(name, expression) \
  static double name##_c(double a, double b, double c) { (void)a, (void)b, (void)c; return expression; }
REFERENCE(neg, -a) REFERENCE(add, a + b) REFERENCE(sub, a - b) REFERENCE(mul, a * b) REFERENCE(div, a / b)
REFERENCE(fma, fma(a, b, c)) REFERENCE(sqrt, sqrt(a)) REFERENCE(floor, floor(a)) REFERENCE(abs, fabs(a))
REFERENCE(max, isnan(a) ? a : a > b ? a : b) REFERENCE(min, isnan(a) ? a : a < b ? a : b)
REFERENCE(exp, exp(a)) REFERENCE(exp2n, exp2(a)) REFERENCE(expm1, expm1(a)) REFERENCE(log, log(a))
REFERENCE(log1p, log1p(a)) REFERENCE(sigmoid, 1 / (1 + exp(-a))) REFERENCE(tanh, tanh(a)) REFERENCE(erf, erf(a))
REFERENCE(sin, sin(a)) REFERENCE(cos, cos(a)) REFERENCE(tan, tan(a)) REFERENCE(atan, atan(a)) REFERENCE(pow, pow(a, b))
REFERENCE(mod, a - b * floor(a / b)) REFERENCE(sign, isnan(a) ? a : (a > 0) - (a < 0)) REFERENCE(select, 0 < a ? b : c)
REFERENCE(pin, a) REFERENCE(variable, a) REFERENCE(hold, a) REFERENCE(found, a + (c <= 1e-10 ? 0 : NAN)) REFERENCE(less, a < b) REFERENCE(less_equal, a <= b) REFERENCE(equal, a == b)
REFERENCE(not_equal, a != b) REFERENCE(and, 0 < a && 0 < b) REFERENCE(or, 0 < a || 0 < b) REFERENCE(not, !(0 < a))

static const Row row[] = {
    {IR_neg, neg_c, 0}, {IR_add, add_c, 0}, {IR_sub, sub_c, 0}, {IR_mul, mul_c, 0}, {IR_div, div_c, 0},
    {IR_fma, fma_c, 0}, {IR_sqrt, sqrt_c, 0}, {IR_floor, floor_c, 0}, {IR_abs, abs_c, 0}, {IR_max, max_c, 0},
    {IR_min, min_c, 0}, {IR_exp, exp_c, 3}, {IR_exp2n, exp2n_c, 4}, {IR_expm1, expm1_c, 3}, {IR_log, log_c, 3},
    {IR_log1p, log1p_c, 3}, {IR_sigmoid, sigmoid_c, 6}, {IR_tanh, tanh_c, 3}, {IR_erf, erf_c, 3}, {IR_sin, sin_c, 3},
    {IR_cos, cos_c, 3}, {IR_tan, tan_c, 4}, {IR_atan, atan_c, 3}, {IR_pow, pow_c, 4}, {IR_mod, mod_c, 0},
    {IR_sign, sign_c, 0}, {IR_select, select_c, 0}, {IR_pin, pin_c, 0}, {IR_variable, variable_c, 0}, {IR_hold, hold_c, 0}, {IR_found, found_c, 0}, {IR_less, less_c, 0},
    {IR_less_equal, less_equal_c, 0}, {IR_equal, equal_c, 0}, {IR_not_equal, not_equal_c, 0}, {IR_and, and_c, 0},
    {IR_or, or_c, 0}, {IR_not, not_c, 0}};
enum { ROWS = sizeof row / sizeof row[0] };

/* x[0], x[1], x[2] -> (operation, 0, 0): nodes 1-3 are the operands, 5-7 the same as truth values. */
static IrFunction *program(IrOp op) {
  IrClass class = ir_op_class[op];
  bool truth = class == IR_COMPARE || class == IR_LOGIC;
  char *operands = arena_format(ir_arena(), "%%%d", class == IR_LOGIC || op == IR_select ? 5 : 1);
  for (int j = 1; j < ir_op_operands[op]; j++)
    operands = arena_format(ir_arena(), "%s %%%d", operands, (class == IR_LOGIC ? 5 : 1) + j);
  return ir_of(3, arena_format(ir_arena(),
      "%%0 = input 1 [3] s\n"
      "%%1 = view %%0 [] s offset 0 strides\n%%2 = view %%0 [] s offset 1 strides\n"
      "%%3 = view %%0 [] s offset 2 strides\n"
      "%%4 = constant [] - data 0\n"
      "%%5 = less %%4 %%1 truth [] s\n%%6 = less %%4 %%2 truth [] s\n%%7 = less %%4 %%3 truth [] s\n"
      "%%8 = %s %s %s [] s\n"
      "%%9 = constant [] - data 1\n"
      "%%10 = %s [] s%s\n"
      "%%11 = view %%10 [1] s offset 0 strides 0\n%%12 = view %%4 [2] - offset 0 strides 0\n"
      "%%13 = concat %%11 %%12 [3] s axis 0\nresult %%13\n",
      ir_op_name[op], operands, truth ? "truth" : "",
      truth ? "select %8 %9 %4" : "view %8", truth ? "" : " offset 0 strides"));
}

static const double point[][3] = {
    {0.5, 0.25, 3},   {-1.5, 2, 0.125},   {3, -7, 1},        {0, 1, 2},          {-0.0, 0.0, -0.0},  {0.0, -0.0, 5},
    {NAN, 1, 2},      {1, NAN, 2},        {INFINITY, 1, 2},  {-INFINITY, 2, 1},  {1, INFINITY, -1},  {-30, 3, 4},
    {1e-3, 1e-3, 1},  {-1e-3, 2, NAN},    {7.75, 2.5, -1},   {-7.75, 2.5, -1},   {1, 1, 1},          {2, 2, -4}};

static bool near(double value, double expected, int ulps, double epsilon) {
  if (isnan(value) || isnan(expected)) return isnan(value) && isnan(expected);
  if (ulps == 0 || isinf(expected)) return ir_equal_bits(value, expected);
  return fabs(value - expected) <= ulps * epsilon * fabs(expected);
}

START_TEST(each_operation_has_the_value_of_plain_c) {
  const Row *r = &row[_i];
  IrFunction *f = program(r->op);
  for (size_t i = 0; i < sizeof point / sizeof point[0]; i++) {
    const double *x = point[i];
    double expected = r->value(x[0], x[1], x[2]), value = ir_values(f, x)[0];
    if (r->op == IR_exp2n && !(x[0] <= 0 && x[0] >= -126)) continue;    /* outside its domain */
    ck_assert_msg(near(value, expected, r->ulps, DBL_EPSILON), "%s(%g, %g, %g) = %.17g, expected %.17g", ir_op_name[r->op],
                  x[0], x[1], x[2], value, expected);
  }
} END_TEST

/* One rounding at most may be double where the reference computes in f64: exact operations get one ulp in f32. */
START_TEST(each_operation_has_the_same_value_in_f32_up_to_its_precision) {
  const Row *r = &row[_i];
  IrFunction *f = program(r->op);
  for (size_t i = 0; i < sizeof point / sizeof point[0]; i++) {
    float x[3] = {(float)point[i][0], (float)point[i][1], (float)point[i][2]};
    double expected = r->value(x[0], x[1], x[2]), value = ir_values_f32(f, x)[0];
    if (r->op == IR_exp2n && !(x[0] <= 0 && x[0] >= -126)) continue;
    ck_assert_msg(near(value, expected == 0 ? expected : (float)expected, expected == 0 ? 0 : r->ulps + 1, FLT_EPSILON),
                  "%s(%g, %g, %g) = %.9g, expected %.9g", ir_op_name[r->op], x[0], x[1], x[2], value, expected);
  }
} END_TEST

START_TEST(no_elementwise_operation_is_left_untested) {
  int elementwise = 0;
  for (int op = 0; op < IR_OP_COUNT; op++)
    elementwise += ir_op_class[op] == IR_EACH || ir_op_class[op] == IR_COMPARE || ir_op_class[op] == IR_LOGIC;
  ck_assert_int_eq(elementwise, ROWS);
} END_TEST

START_TEST(max_of_two_zeros_is_the_second_operand) {
  IrFunction *f = program(IR_max);
  ck_assert(ir_equal_bits(ir_values(f, (double[]){0.0, -0.0, 0})[0], -0.0));
  ck_assert(ir_equal_bits(ir_values(f, (double[]){-0.0, 0.0, 0})[0], 0.0));
} END_TEST

START_TEST(fma_rounds_once_in_f32) {
  IrFunction *f = program(IR_fma);
  float a = 1 + 0x1p-12f, x[3] = {a, a, -(1 + 0x1p-11f)};
  ck_assert(ir_values_f32(f, x)[0] == 0x1p-24f);        /* a*a - (1 + 2^-11) exactly; rounded twice it would be 0 */
} END_TEST

void add_elements_tests(TCase *tcase) {
  tcase_add_loop_test(tcase, each_operation_has_the_value_of_plain_c, 0, ROWS);
  tcase_add_loop_test(tcase, each_operation_has_the_same_value_in_f32_up_to_its_precision, 0, ROWS);
  tcase_add_test(tcase, no_elementwise_operation_is_left_untested);
  tcase_add_test(tcase, max_of_two_zeros_is_the_second_operand);
  tcase_add_test(tcase, fma_rounds_once_in_f32);
}
