/* SPDX-License-Identifier: Apache-2.0 */
/* reference.c -- see reference.h. */
#include "reference.h"

#include <math.h>
#include <mpfr.h>
#include <stddef.h>
#include <string.h>

#include "elementary.h"

#define OPERANDS_1(name) .f32_1 = flow_##name##_f32, .f64_1 = flow_##name##_f64
#define OPERANDS_2(name) .f32_2 = flow_##name##_f32, .f64_2 = flow_##name##_f64
const Function function_table[FUNCTIONS] = {
#define ELEMENTARY(name_, operands_, ulp_32, ulp_64, domain) \
  {.name = #name_, .operands = operands_, .ulp_f32 = ulp_32, .ulp_f64 = ulp_64, OPERANDS_##operands_(name_)},
#include "elementary.def"
#undef ELEMENTARY
};

const Function *function_named(const char *name)
{
  for (int i = 0; i < FUNCTIONS; i++)
    if (strcmp(function_table[i].name, name) == 0)
      return &function_table[i];
  return NULL;
}

float float_of(uint32_t bits)
{
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}
double double_of(uint64_t bits)
{
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}
uint32_t bits_of_float(float x)
{
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}
uint64_t bits_of_double(double x)
{
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

/* The unit in the last place of a binary floating-point number as large as x, by format. */
static double unit(double x, int mantissa, int smallest)
{
  int exponent = x == 0 ? smallest : ilogb(x);
  if (exponent < smallest)
    exponent = smallest;
  return scalbn(1, exponent - mantissa);
}

double error_f32(float result, double exact)
{
  if (isnan(result) || isnan(exact))
    return isnan(result) && isnan(exact) ? 0 : INFINITY;
  if (isinf(result))
    return (float)exact == result ? 0 : INFINITY;
  if (isinf(exact))
    return INFINITY;
  double error = fabs((double)result - exact);
  return error == 0 ? 0 : error / unit(exact, 23, -126);
}

static double sigmoid(double x)
{
  return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}

double exact_1(const Function *f, double x)
{
  static const struct {
    const char *name;
    double (*function)(double);
  } table[] = {{"exp", exp}, {"exp2n", exp2}, {"expm1", expm1}, {"log", log}, {"log1p", log1p}, {"sigmoid", sigmoid},
               {"tanh", tanh}, {"erf", erf}, {"sin", sin}, {"cos", cos}, {"tan", tan}, {"atan", atan}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    if (strcmp(table[i].name, f->name) == 0)
      return table[i].function(x);
  return NAN;
}

double exact_2(const Function *f, double x, double y)
{
  return strcmp(f->name, "pow") == 0 ? pow(x, y) : NAN;
}

static int mpfr_sigmoid(mpfr_t result, const mpfr_t x, mpfr_rnd_t round)
{
  mpfr_neg(result, x, round);
  mpfr_exp(result, result, round);
  mpfr_add_ui(result, result, 1, round);
  return mpfr_ui_div(result, 1, result, round);
}

/* result = f(x [, y]) with the precision of result */
static void exact_mpfr(mpfr_t result, const Function *f, const mpfr_t x, const mpfr_t y)
{
  static const struct {
    const char *name;
    int (*function)(mpfr_t, const mpfr_t, mpfr_rnd_t);
  } table[] = {{"exp", mpfr_exp}, {"exp2n", mpfr_exp2}, {"expm1", mpfr_expm1}, {"log", mpfr_log},
               {"log1p", mpfr_log1p}, {"sigmoid", mpfr_sigmoid}, {"tanh", mpfr_tanh}, {"erf", mpfr_erf},
               {"sin", mpfr_sin}, {"cos", mpfr_cos}, {"tan", mpfr_tan}, {"atan", mpfr_atan}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    if (strcmp(table[i].name, f->name) == 0)
      table[i].function(result, x, MPFR_RNDN);
  if (strcmp(f->name, "pow") == 0)
    mpfr_pow(result, x, y, MPFR_RNDN);
}

double error_f64(const Function *f, double x, double y)
{
  double result = f->operands == 1 ? f->f64_1(x) : f->f64_2(x, y), error = INFINITY;
  mpfr_t exact, mx, my;
  mpfr_inits2(120, exact, mx, my, (mpfr_ptr)0);
  mpfr_set_d(mx, x, MPFR_RNDN);
  mpfr_set_d(my, y, MPFR_RNDN);
  exact_mpfr(exact, f, mx, my);
  double rounded = mpfr_get_d(exact, MPFR_RNDN);
  if (isnan(result) || isnan(rounded)) {
    error = isnan(result) && isnan(rounded) ? 0 : INFINITY;
  } else if (isinf(result) || isinf(rounded)) {
    error = result == rounded ? 0 : INFINITY;
  } else {
    mpfr_sub_d(exact, exact, result, MPFR_RNDN);
    mpfr_div_d(exact, exact, unit(rounded, 52, -1022), MPFR_RNDN);
    error = fabs(mpfr_get_d(exact, MPFR_RNDN));
  }
  mpfr_clears(exact, mx, my, (mpfr_ptr)0);
  return error;
}

int in_domain_f32(const Function *f, float x)
{
  if (strcmp(f->name, "exp2n") == 0)
    return !(x > 0) && !(x < -126);
  if (strcmp(f->name, "sigmoid") == 0)
    return !(x < -87.33f);
  return 1;
}
int in_domain_f64(const Function *f, double x)
{
  if (strcmp(f->name, "exp2n") == 0)
    return !(x > 0) && !(x < -1022);
  if (strcmp(f->name, "sigmoid") == 0)
    return !(x < -708.39);
  return 1;
}
