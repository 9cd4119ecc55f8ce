/* SPDX-License-Identifier: Apache-2.0 */
/* check_activations.c -- the errors of activations that are composed of elementary functions, in f32, against libm in
 * double.  Where a formula cancels (gelu far on the left) only the absolute error is small; elsewhere the relative one is
 * stated. */
#include <math.h>
#include <stdint.h>

#include "elementary.h"
#include "math_suite.h"
#include "reference.h"

static float silu(float x) { return x * flow_sigmoid_f32(x); }
static float elu(float x) { return x > 0 ? x : flow_expm1_f32(x); }
static float selu(float x)
{
  return 1.0507009873554805f * (x > 0 ? x : 1.6732632423543772f * flow_expm1_f32(x));
}
static float gelu(float x) { return 0.5f * x * (1 + flow_erf_f32(x * 0x1.6a09e6p-1f)); }
static float softplus(float x)
{
  float positive = 0 > x ? 0 : x;
  return positive + flow_log1p_f32(flow_exp_f32(-fabsf(x)));
}
static float mish(float x) { return x * flow_tanh_f32(softplus(x)); }

static double exact_silu(double x) { return x < 0 ? x * exp(x) / (1 + exp(x)) : x / (1 + exp(-x)); }
static double exact_elu(double x) { return x > 0 ? x : expm1(x); }
static double exact_selu(double x) { return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * expm1(x)); }
static double exact_gelu(double x) { return 0.5 * x * erfc(-x * 0x1.6a09e667f3bcdp-1); }
static double exact_softplus(double x) { return fmax(x, 0) + log1p(exp(-fabs(x))); }
static double exact_mish(double x) { return x * tanh(exact_softplus(x)); }

/* The error is at most `ulp` units in the last place of the exact value for x >= `from` (all of them for -infinity), and at
 * most `absolute` below.  Measured maxima, over all floats with a stride of 101, stand behind each row. */
typedef struct Activation {
  const char *name;
  float (*function)(float);
  double (*exact)(double);
  double ulp, from, absolute;
} Activation;

static const Activation table[] = {
    {"silu", silu, exact_silu, 5.4, -87, 5.2e-37},      /* 5.33 ulp; 5.2e-37: the gate is 0 below -88.0             */
    {"elu", elu, exact_elu, 1, -INFINITY, 0},           /* 0.94 ulp                                                 */
    {"selu", selu, exact_selu, 2.25, -INFINITY, 0},     /* 2.12 ulp: two more products, constants rounded           */
    {"gelu", gelu, exact_gelu, 2, -0.5, 1.2e-7},        /* 1.79 ulp; 1.13e-7: 1 + erf cancels                       */
    {"softplus", softplus, exact_softplus, 2, -INFINITY, 0}, /* 1.70 ulp                                            */
    {"mish", mish, exact_mish, 4, -87, 1e-36},          /* 3.68 ulp; below, softplus is subnormal                   */
};
enum { ACTIVATIONS = sizeof table / sizeof *table, STRIDE = 10007 };

START_TEST(activations_keep_their_stated_errors)
{
  const Activation *a = &table[_i];
  double worst_ulp = 0, worst_absolute = 0;
  for (uint64_t bits = 0; bits < 1ull << 32; bits += STRIDE) {
    float x = float_of((uint32_t)bits);
    if (!isfinite(x))
      continue;
    double exact = a->exact((double)x), found = (double)a->function(x);
    if ((double)x >= a->from)
      worst_ulp = fmax(worst_ulp, error_f32((float)found, exact));
    else
      worst_absolute = fmax(worst_absolute, fabs(found - exact));
  }
  ck_assert_msg(worst_ulp <= a->ulp, "%s: %.3f ulp", a->name, worst_ulp);
  ck_assert_msg(worst_absolute <= a->absolute, "%s: %.3g", a->name, worst_absolute);
}
END_TEST

START_TEST(activations_of_nan_are_nan)
{
  for (int i = 0; i < ACTIVATIONS; i++)
    ck_assert(isnan(table[i].function(NAN)));
}
END_TEST

TCase *activations_case(void)
{
  TCase *test = tcase_create("activations");
  tcase_set_timeout(test, 120);
  tcase_add_loop_test(test, activations_keep_their_stated_errors, 0, ACTIVATIONS);
  tcase_add_test(test, activations_of_nan_are_nan);
  return test;
}
