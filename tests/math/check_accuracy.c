/* SPDX-License-Identifier: Apache-2.0 */
/* check_accuracy.c -- every row of elementary.def holds its bounds, over a sample of all arguments.
 * elementary_exhaustive is the proof for f32; this is the guard that runs always. */
#include <math.h>
#include <string.h>

#include "math_suite.h"
#include "reference.h"

enum {
  FLOAT_STRIDE = 7919,          /* a prime, so that all exponents, signs and low bits are met: 542,000 floats */
  FLOAT_PAIRS = 1000000,
  DOUBLES = 20000               /* for each function, besides the fixed ones: 13 functions, 260,000 in all */
};

static uint64_t next_random(uint64_t *state)         /* xorshift64 */
{
  *state ^= *state << 13;
  *state ^= *state >> 7;
  return *state ^= *state << 17;
}

/* A float from all of them, from [-1, 1) 2^[-10, 10), or a small integer. */
static float any_float(uint64_t *state, int kind)
{
  uint64_t r = next_random(state);
  if (kind == 0)
    return float_of((uint32_t)(r >> 32));
  if (kind == 1)
    return (float)ldexp((double)(int64_t)r, -63 + (int)(r % 20) - 10);
  return (float)((int)(r % 41) - 20);
}
/* The same for double, and kind 2: up to 750, where exp lives; kind 3: all of [-4, 4). */
static double any_double(uint64_t *state, int kind)
{
  uint64_t r = next_random(state);
  if (kind == 0)
    return double_of(r);
  if (kind == 1)
    return ldexp((double)(int64_t)r, -63 + (int)(r % 40) - 20);
  return (double)(int64_t)r * (kind == 2 ? 750 * 0x1p-63 : 0x1p-61);
}

static void check_f64(const Function *f, double x, double y)
{
  if (!in_domain_f64(f, x))
    return;
  double error = error_f64(f, x, y);
  if (!(error <= f->ulp_f64))             /* not ck_assert: it would write to a pipe for each of a million arguments */
    ck_abort_msg("%s_f64(%.17g, %.17g) is wrong by %.3f ulp; the bound is %g", f->name, x, y, error, f->ulp_f64);
}

static void check_f32(const Function *f, float x, double error, float y)
{
  if (!(error <= f->ulp_f32))
    ck_abort_msg("%s_f32(%.9g, %.9g) is wrong by %.3f ulp; the bound is %g", f->name, (double)x, (double)y, error, f->ulp_f32);
}

START_TEST(every_f32_function_keeps_its_bound)
{
  const Function *f = &function_table[_i];
  for (uint64_t bits = 0; bits < 1ull << 32 && f->operands == 1; bits += FLOAT_STRIDE) {
    float x = float_of((uint32_t)bits);
    if (in_domain_f32(f, x))
      check_f32(f, x, error_f32(f->f32_1(x), exact_1(f, x)), 0);
  }
}
END_TEST

/* Exponents y are drawn anywhere, then so that x^y lies anywhere between underflow and overflow. */
START_TEST(pow_f32_keeps_its_bound)
{
  const Function *f = function_named("pow");
  uint64_t state = 1;
  for (int i = 0; i < FLOAT_PAIRS; i++) {
    float x = any_float(&state, i % 2), y = any_float(&state, i % 3);
    if (i % 4 == 3) {
      x = fabsf(x);
      y = (float)(104 / log(x) * (double)any_float(&state, 2) / 20);
    }
    check_f32(f, x, error_f32(f->f32_2(x, y), exact_2(f, x, y)), y);
  }
}
END_TEST

START_TEST(every_f64_function_keeps_its_bound)
{
  const Function *f = &function_table[_i];
  uint64_t state = 2;
  for (int i = 0; i < DOUBLES; i++) {
    double x = any_double(&state, i % 4), y = any_double(&state, i / 4 % 4);
    if (f->operands == 2 && i % 3 > 0) {
      x = fabs(x);
      y = 745 / log(x) * (double)any_float(&state, 2) / 20;
    }
    if (f->operands == 2 && i % 3 == 2) {
      x = -x;
      y = floor(y);
    }
    check_f64(f, x, y);
  }
}
END_TEST

/* Powers of two and multiples of pi/4 and of ln2/2 with their neighbours: where exponents, quadrants and n change. */
START_TEST(every_f64_function_keeps_its_bound_where_reductions_change)
{
  const Function *f = &function_table[_i];
  static const double units[] = {0x1.921fb54442d18p-1, 0x1.62e42fefa39efp-2, 0x1.6a09e667f3bcdp-1, 0.5, 0x1p27, 0x1p-25,
                                 0x1p-54};
  for (size_t u = 0; u < sizeof units / sizeof *units; u++)
    for (int n = -40; n <= 40; n++)
      for (int step = -1; step <= 1; step++) {
        double x = units[u] * n;
        x = step == 0 ? x : nextafter(x, step * (double)INFINITY);
        check_f64(f, x, 3);
        check_f64(f, ldexp(units[u], 25 * n), -0.5);
      }
}
END_TEST

/* The doubles that lie closest to multiples of pi/2 for their size, by continued fractions: 6381956970095103 2^797 is the
 * worst of all (Kahan). */
START_TEST(arguments_next_to_multiples_of_a_quadrant_keep_the_bound)
{
  static const double near[] = {0x1.6ac5b262ca1ffp849, 0x1.6ac5b262ca1ffp848, 0x1.921fb54442d18p0, 0x1.921fb54442d18p1,
                                0x1.2d97c7f3321d2p2, 0x1.fffffffffffffp1023, 0x1p1023, 0x1p27, 0x1.fffffffffffffp26};
  static const char *const names[] = {"sin", "cos", "tan"};
  for (size_t f = 0; f < 3; f++)
    for (size_t i = 0; i < sizeof near / sizeof *near; i++) {
      check_f64(function_named(names[f]), near[i], 0);
      check_f64(function_named(names[f]), -near[i], 0);
    }
}
END_TEST

TCase *accuracy_case(void)
{
  TCase *test = tcase_create("accuracy");
  tcase_set_timeout(test, 120);         /* the sanitizers' builds are slow */
  tcase_add_loop_test(test, every_f32_function_keeps_its_bound, 0, FUNCTIONS);
  tcase_add_test(test, pow_f32_keeps_its_bound);
  tcase_add_loop_test(test, every_f64_function_keeps_its_bound, 0, FUNCTIONS);
  tcase_add_loop_test(test, every_f64_function_keeps_its_bound_where_reductions_change, 0, FUNCTIONS);
  tcase_add_test(test, arguments_next_to_multiples_of_a_quadrant_keep_the_bound);
  return test;
}
