/* SPDX-License-Identifier: Apache-2.0 */
/* check_bits.c -- the bits of each function, as a hash over a sample of all arguments.  They are part of what flowc promises:
 * they depend on no compiler, optimisation level or processor.  A hash here changes only with elementary.inc. */
#include <math.h>
#include <string.h>

#include "math_suite.h"
#include "reference.h"

enum { SAMPLES = 200000 };

/* One step of FNV-1a, on a whole word (folded, since the low half of a widened float is zero); NaN is one value. */
static uint64_t mix(uint64_t hash, double value)
{
  uint64_t bits = isnan(value) ? 0x7ff8000000000000u : bits_of_double(value);
  return (hash ^ bits ^ bits >> 29) * 0x100000001b3u;
}

/* x steps through all bit patterns, y (of pow) through [-8, 8]. */
static uint64_t hash_f32(const Function *f)
{
  uint64_t hash = 0xcbf29ce484222325u;
  for (uint32_t i = 0; i < SAMPLES; i++) {
    float x = float_of(i * (UINT32_MAX / SAMPLES)), y = (float)(i % 65) * 0.25f - 8;
    hash = mix(hash, (double)(f->operands == 1 ? f->f32_1(x) : f->f32_2(x, y)));
  }
  return hash;
}
static uint64_t hash_f64(const Function *f)
{
  uint64_t hash = 0xcbf29ce484222325u;
  for (uint64_t i = 0; i < SAMPLES; i++) {
    double x = double_of(i * (UINT64_MAX / SAMPLES)), y = (double)(i % 65) * 0.25 - 8;
    hash = mix(hash, f->operands == 1 ? f->f64_1(x) : f->f64_2(x, y));
  }
  return hash;
}

static const struct {
  const char *name;
  uint64_t f32, f64;
} golden[FUNCTIONS] = {
    {"exp", 0x0b7e294f4f73b2a3, 0x1c742767c75b2ac1},
    {"exp2n", 0xa6318766b08b54f2, 0xd3d1b3e46713bc48},
    {"expm1", 0x83e36fa3d2738988, 0xc7897d249c3c7820},
    {"log", 0xa0754699acb9b6d1, 0x4a2ab38fb9f24f1a},
    {"log1p", 0xfefea15a4d3ca194, 0x3d0c9cc45dbe22d8},
    {"sigmoid", 0xda4509d35244b135, 0x847170098bbb9519},
    {"tanh", 0xa250c2dcbebcb3f6, 0xab4ff42337530051},
    {"erf", 0x5e5958c072320eef, 0x0b7e15888ebd2acc},
    {"sin", 0xab07ee6d0bff0b64, 0x400d91e2df5df031},
    {"cos", 0x376f09474ce6e382, 0x4c6ff737e18b9e3d},
    {"tan", 0xb02536ef46365599, 0x719113fec3efe585},
    {"atan", 0xba3bbfdb756987f6, 0x398cde59f3d88d15},
    {"pow", 0xb794b0af884bbcc8, 0x98fd234a99f007c2},
};

START_TEST(the_bits_of_a_function_are_the_same_everywhere)
{
  const Function *f = function_named(golden[_i].name);
  uint64_t f32 = hash_f32(f), f64 = hash_f64(f);
  ck_assert_msg(f32 == golden[_i].f32 && f64 == golden[_i].f64, "{\"%s\", 0x%016llx, 0x%016llx}", f->name,
                (unsigned long long)f32, (unsigned long long)f64);
}
END_TEST

TCase *bits_case(void)
{
  TCase *test = tcase_create("bits");
  tcase_add_loop_test(test, the_bits_of_a_function_are_the_same_everywhere, 0, FUNCTIONS);
  return test;
}
