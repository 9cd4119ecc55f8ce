/* SPDX-License-Identifier: Apache-2.0 */
/* check_special.c -- zeros, infinities, NaN, and the edges of overflow and underflow.
 *
 * Values are compared by bits (a NaN with any NaN), in both precisions where the result is the same number. */
#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#include "elementary.h"
#include "math_suite.h"
#include "reference.h"

static void check_f32(const char *name, double x, double y, float found, float wanted)
{
  int same = isnan(wanted) ? isnan(found) : bits_of_float(found) == bits_of_float(wanted);
  if (!same)
    ck_abort_msg("%s_f32(%a, %a) is %a, not %a", name, x, y, (double)found, (double)wanted);
}
static void check_f64(const char *name, double x, double y, double found, double wanted)
{
  int same = isnan(wanted) ? isnan(found) : bits_of_double(found) == bits_of_double(wanted);
  if (!same)
    ck_abort_msg("%s_f64(%a, %a) is %a, not %a", name, x, y, found, wanted);
}

static const double inf = (double)INFINITY, nan_ = (double)NAN;

START_TEST(functions_of_one_operand_at_special_values)
{
  static const struct {
    const char *name;
    double x, value;
  } table[] = {
      {"exp", 0, 1}, {"exp", -0.0, 1}, {"exp", inf, inf}, {"exp", -inf, 0}, {"exp", -1e30, 0}, {"exp", 1e30, inf},
      {"exp2n", 0, 1}, {"exp2n", -0.0, 1}, {"exp2n", -1, 0.5}, {"exp2n", -126, 0x1p-126}, {"exp2n", -37, 0x1p-37},
      {"expm1", 0, 0}, {"expm1", -0.0, -0.0}, {"expm1", inf, inf}, {"expm1", -inf, -1}, {"expm1", -1e30, -1},
      {"expm1", 1e30, inf}, {"expm1", 0x1p-140, 0x1p-140}, {"expm1", -0x1p-140, -0x1p-140},
      {"log", 1, 0}, {"log", 0, -inf}, {"log", -0.0, -inf}, {"log", -1, nan_}, {"log", -inf, nan_}, {"log", inf, inf},
      {"log", -0x1p-140, nan_},
      {"log1p", 0, 0}, {"log1p", -0.0, -0.0}, {"log1p", -1, -inf}, {"log1p", -2, nan_}, {"log1p", inf, inf},
      {"log1p", -inf, nan_}, {"log1p", 0x1p-140, 0x1p-140}, {"log1p", -0x1p-140, -0x1p-140},
      {"sigmoid", 0, 0.5}, {"sigmoid", -0.0, 0.5}, {"sigmoid", inf, 1}, {"sigmoid", -inf, 0}, {"sigmoid", 1e30, 1},
      {"sigmoid", -1e30, 0},
      {"tanh", 0, 0}, {"tanh", -0.0, -0.0}, {"tanh", inf, 1}, {"tanh", -inf, -1}, {"tanh", 0x1p-140, 0x1p-140},
      {"tanh", 1e30, 1}, {"tanh", -0x1p-149, -0x1p-149},
      {"erf", 0, 0}, {"erf", -0.0, -0.0}, {"erf", inf, 1}, {"erf", -inf, -1}, {"erf", 7, 1}, {"erf", -1e30, -1},
      {"sin", 0, 0}, {"sin", -0.0, -0.0}, {"sin", inf, nan_}, {"sin", -inf, nan_}, {"sin", 0x1p-140, 0x1p-140},
      {"cos", 0, 1}, {"cos", -0.0, 1}, {"cos", inf, nan_}, {"cos", -inf, nan_}, {"cos", 0x1p-140, 1},
      {"tan", 0, 0}, {"tan", -0.0, -0.0}, {"tan", inf, nan_}, {"tan", -inf, nan_}, {"tan", -0x1p-140, -0x1p-140},
      {"atan", 0, 0}, {"atan", -0.0, -0.0}, {"atan", 0x1p-140, 0x1p-140}, {"atan", -0x1p-149, -0x1p-149},
  };
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    const Function *f = function_named(table[i].name);
    double x = table[i].x, value = table[i].value;
    check_f32(f->name, x, 0, f->f32_1((float)x), (float)value);
    check_f64(f->name, x, 0, f->f64_1(x), value);
  }
}
END_TEST

START_TEST(atan_of_infinity_is_the_nearest_number_to_a_quadrant)
{
  check_f32("atan", inf, 0, flow_atan_f32(INFINITY), 0x1.921fb6p0f);
  check_f64("atan", -inf, 0, flow_atan_f64(-inf), -0x1.921fb54442d18p0);
}
END_TEST

/* Any payload: the exponent arithmetic must not turn one into a number. */
START_TEST(nan_gives_nan_whatever_its_sign_and_payload)
{
  for (int i = 0; i < FUNCTIONS; i++) {
    const Function *f = &function_table[i];
    for (int bit = 0; bit < 44; bit++) {
      uint32_t payload = bit < 22 ? 1u << bit : 0x80000000u | 1u << (bit - 22);
      float x = float_of(0x7fc00000u | payload);
      double y = double_of(0x7ff8000000000000u | (uint64_t)(payload & 0x80000000u) << 32 | 1ull << bit);
      check_f32(f->name, nan_, 1, f->operands == 1 ? f->f32_1(x) : f->f32_2(x, 1), NAN);
      check_f64(f->name, nan_, 1, f->operands == 1 ? f->f64_1(y) : f->f64_2(y, 1), nan_);
      if (f->operands == 2) {
        check_f32(f->name, -2, nan_, f->f32_2(-2, x), NAN);
        check_f64(f->name, 2, nan_, f->f64_2(2, y), nan_);
      }
    }
  }
}
END_TEST

START_TEST(pow_has_the_special_cases_of_c)
{
  static const double values[] = {0, -0.0, 1, -1, 2, -2, 3, -3, 0.5, -0.5, 1.5, -1.5, 0x1p24, -0x1p24, 0x1p24 + 2, 1e30, -1e30,
                                  1e-30, -1e-30, 0x1p-149, -0x1p-149, (double)INFINITY, -(double)INFINITY, (double)NAN};
  enum { COUNT = sizeof values / sizeof *values };
  for (int i = 0; i < COUNT; i++)
    for (int j = 0; j < COUNT; j++) {
      double x = values[i], y = values[j], exact = pow(x, y);
      float xf = (float)x, yf = (float)y, exact_f = (float)pow((double)xf, (double)yf);
      if (exact == 0 || exact == 1 || !isfinite(exact))
        check_f64("pow", x, y, flow_pow_f64(x, y), exact);
      if (exact_f == 0 || exact_f == 1 || !isfinite(exact_f))
        check_f32("pow", x, y, flow_pow_f32(xf, yf), exact_f);
      else
        ck_assert_int_eq(signbit(flow_pow_f32(xf, yf)) != 0, signbit(exact_f) != 0);
    }
}
END_TEST

START_TEST(small_integer_powers_of_small_integers_are_exact_signs_included)
{
  for (int x = -10; x <= 10; x++)
    for (int y = 0, exact = 1; y <= 5; y++, exact *= x) {
      check_f64("pow", x, y, flow_pow_f64(x, y), exact);
      if (abs(exact) < 1000)
        check_f32("pow", x, y, flow_pow_f32((float)x, (float)y), (float)exact);
    }
}
END_TEST

START_TEST(exponentials_overflow_and_underflow_at_the_right_argument)
{
  check_f32("exp", 0, 0, flow_exp_f32(0x1.62e43p6f), INFINITY);
  ck_assert(isfinite(flow_exp_f32(0x1.62e42ep6f)));
  check_f64("exp", 0, 0, flow_exp_f64(0x1.62e42fefa39fp9), inf);
  ck_assert(isfinite(flow_exp_f64(0x1.62e42fefa39efp9)));
  ck_assert(isfinite(flow_expm1_f32(0x1.62e42ep6f)));
  ck_assert(isfinite(flow_expm1_f64(0x1.62e42fefa39efp9)));
  check_f32("expm1", 0, 0, flow_expm1_f32(0x1.62e43p6f), INFINITY);
  check_f64("expm1", 0, 0, flow_expm1_f64(0x1.62e42fefa39fp9), inf);
  check_f32("exp", -103.9, 0, flow_exp_f32(-103.9f), 0x1p-149f);
  check_f32("exp", -104, 0, flow_exp_f32(-104), 0);
  check_f64("exp", -745.1, 0, flow_exp_f64(-745.1), 0x1p-1074);
  check_f64("exp", -745.2, 0, flow_exp_f64(-745.2), 0);
}
END_TEST

START_TEST(exp2n_never_returns_a_subnormal)
{
  check_f32("exp2n", -inf, 0, flow_exp2n_f32(-INFINITY), 0x1p-126f);
  check_f32("exp2n", -200, 0, flow_exp2n_f32(-200), 0x1p-126f);
  check_f64("exp2n", -inf, 0, flow_exp2n_f64(-inf), 0x1p-1022);
  for (float x = -127; x < -125; x += 0x1p-12f)
    if (!(flow_exp2n_f32(x) >= FLT_MIN))
      ck_abort_msg("exp2n_f32(%a)", (double)x);
  for (double x = -1023; x < -1021; x += 0x1p-12)
    if (!(flow_exp2n_f64(x) >= DBL_MIN))
      ck_abort_msg("exp2n_f64(%a)", x);
}
END_TEST

START_TEST(sigmoid_below_its_domain_is_between_zero_and_the_smallest_normal)
{
  for (float x = -87.33f; x > -120; x -= 0.01f) {
    float value = flow_sigmoid_f32(x);
    if (!(value >= 0 && fabs(value - exp((double)x)) <= (double)FLT_MIN))
      ck_abort_msg("sigmoid(%a) is %a", (double)x, (double)value);
  }
  for (double x = -708.39; x > -760; x -= 0.01) {
    double value = flow_sigmoid_f64(x);
    if (!(value >= 0 && fabs(value - exp(x)) <= DBL_MIN))
      ck_abort_msg("sigmoid(%a) is %a", (double)x, (double)value);
  }
}
END_TEST

TCase *special_case(void)
{
  TCase *test = tcase_create("special values");
  tcase_add_test(test, functions_of_one_operand_at_special_values);
  tcase_add_test(test, atan_of_infinity_is_the_nearest_number_to_a_quadrant);
  tcase_add_test(test, nan_gives_nan_whatever_its_sign_and_payload);
  tcase_add_test(test, pow_has_the_special_cases_of_c);
  tcase_add_test(test, small_integer_powers_of_small_integers_are_exact_signs_included);
  tcase_add_test(test, exponentials_overflow_and_underflow_at_the_right_argument);
  tcase_add_test(test, exp2n_never_returns_a_subnormal);
  tcase_add_test(test, sigmoid_below_its_domain_is_between_zero_and_the_smallest_normal);
  return test;
}
