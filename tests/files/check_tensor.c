/* SPDX-License-Identifier: Apache-2.0 */
/* Order and look-up by name, element values, numbers as text. */
#include "base/faulty.h"
#include "number.h"
#include "run_suite.h"
#include "tensors_build.h"
#include <check.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

START_TEST(runs_of_digits_in_names_compare_as_numbers) {
  static const char *const sorted[] = {"",       "0",      "01",      "1",      "2",         "10",      "a",       "a0",
                                       "a01",    "a1",     "a1b2",    "a1b10",  "a2",        "a9999999999999999999998",
                                       "a9999999999999999999999", "a10000000000000000000000", "b", "net", "net.0", "net.2",
                                       "net.2.bias", "net.2.weight", "net.10.bias", "\xC3\xA9"};
  int count = sizeof sorted / sizeof *sorted;
  for (int i = 0; i < count; i++) {
    for (int k = 0; k < count; k++) {
      int order = flow_natural_order(sorted[i], sorted[k]);
      ck_assert_msg((order > 0) - (order < 0) == (i > k) - (i < k), "%s and %s: %d", sorted[i], sorted[k], order);
    }
  }
} END_TEST

START_TEST(an_array_is_found_by_its_name_alone) {
  FlowTensors tensors;
  flow_error error;
  ck_assert_int_eq(flow_tensors_make(&flow_standard_allocator, "t", 3, 0, &tensors, &error), FLOW_OK);
  tensors.tensor[0].name = "net.10";
  tensors.tensor[1].name = "";
  tensors.tensor[2].name = "net.2";
  flow_tensors_sort(&tensors);
  ck_assert_str_eq(tensors.tensor[1].name, "net.2");
  ck_assert_ptr_eq(flow_tensors_find(&tensors, "net.10"), &tensors.tensor[2]);
  ck_assert_ptr_eq(flow_tensors_find(&tensors, ""), &tensors.tensor[0]);
  ck_assert_ptr_null(flow_tensors_find(&tensors, "net.02"));
  ck_assert_ptr_null(flow_tensors_find(&tensors, "net"));
  flow_tensors_free(&tensors);
  ck_assert_ptr_null(flow_tensors_find(&tensors, "net.2"));
} END_TEST

/* The definition of binary16, by ldexp. */
static double half_by_definition(unsigned half) {
  unsigned exponent = half >> 10 & 31, fraction = half & 1023;
  double value = exponent == 31   ? (fraction ? NAN : INFINITY)
                 : exponent == 0 ? ldexp(fraction, -24)
                                 : ldexp(1024 + fraction, (int)exponent - 25);
  return half & 0x8000 ? -value : value;
}

START_TEST(every_half_is_converted_exactly) {
  for (unsigned bits = 0; bits < 65536; bits++) {
    uint16_t half = (uint16_t)bits;
    FlowTensor tensor = {.type = FLOW_TYPE_F16, .count = 1, .data = &half};
    double wanted = half_by_definition(bits), found = flow_tensor_at(&tensor, 0);
    float single;
    flow_tensor_to_f32(&tensor, 0, 1, &single);
    if (isnan(wanted)) ck_assert(isnan(found) && isnan(single));
    else ck_assert(found == wanted && !signbit(found) == !signbit(wanted) && (double)single == wanted);
  }
} END_TEST

START_TEST(every_bfloat_is_the_upper_half_of_a_float) {
  for (unsigned bits = 0; bits < 65536; bits++) {
    uint16_t brain = (uint16_t)bits;
    uint32_t whole = bits << 16;
    float wanted;
    memcpy(&wanted, &whole, sizeof wanted);
    FlowTensor tensor = {.type = FLOW_TYPE_BF16, .count = 1, .data = &brain};
    double found = flow_tensor_at(&tensor, 0);
    if (isnan(wanted)) ck_assert(isnan(found));
    else ck_assert_msg(found == (double)wanted && !signbit(found) == !signbit(wanted), "%04x: %a", bits, found);
  }
} END_TEST

START_TEST(whole_numbers_are_rounded_once) {
  int64_t whole[] = {INT64_MIN, -1, 0, 16777217, 9007199254740993, (INT64_C(1) << 54) + (INT64_C(1) << 30) + 1, INT64_MAX};
  uint64_t natural[] = {0, UINT64_MAX, (UINT64_C(1) << 63) + 1025};
  FlowTensor tensor = {.type = FLOW_TYPE_I64, .count = 7, .data = whole};
  float single[7];
  double twice[7];
  flow_tensor_to_f32(&tensor, 0, 7, single);
  flow_tensor_to_f64(&tensor, 0, 7, twice);
  for (int i = 0; i < 7; i++) ck_assert(single[i] == (float)whole[i] && twice[i] == (double)whole[i]);
  /* By way of a double this would round to even and lose the last unit. */
  ck_assert((float)(double)whole[5] != (float)whole[5]);
  tensor = (FlowTensor){.type = FLOW_TYPE_U64, .count = 3, .data = natural};
  for (int i = 0; i < 3; i++) ck_assert(flow_tensor_at(&tensor, (uint64_t)i) == (double)natural[i]);
} END_TEST

START_TEST(small_types_keep_their_sign_and_bool_is_0_or_1) {
  const signed char bytes[] = {-128, -1, 0, 1, 127};
  FlowTensor tensor = {.type = FLOW_TYPE_I8, .count = 5, .data = bytes};
  for (int i = 0; i < 5; i++) ck_assert(flow_tensor_at(&tensor, (uint64_t)i) == bytes[i]);
  tensor.type = FLOW_TYPE_U8;
  for (int i = 0; i < 5; i++) ck_assert(flow_tensor_at(&tensor, (uint64_t)i) == (unsigned char)bytes[i]);
  tensor.type = FLOW_TYPE_BOOL;
  for (int i = 0; i < 5; i++) ck_assert(flow_tensor_at(&tensor, (uint64_t)i) == (bytes[i] != 0));
} END_TEST

static void expect_number(const char *text, double wanted) {
  double value;
  ck_assert_msg(flow_number_parse(text, strlen(text), &value) == FLOW_NUMBER_OK, "%s", text);
  ck_assert_msg(value == wanted && !signbit(value) == !signbit(wanted), "%s: %.17g", text, value);
}

START_TEST(decimal_numbers_are_read_as_the_nearest_double) {
  expect_number("0", 0);
  expect_number("-0", -0.0);
  expect_number("1.5", 1.5);
  expect_number(".5", .5);
  expect_number("5.", 5);
  expect_number("+1e3", 1000);
  expect_number("0.1", 0.1);
  expect_number("-123456.789", -123456.789);
  expect_number("9007199254740993", 9007199254740992.0);
  expect_number("2.2250738585072011e-308", 2.2250738585072011e-308);
  expect_number("1e-400", 0);
  expect_number("4.9e-324", 0x1p-1074);
  expect_number("1.7976931348623157e308", 0x1.fffffffffffffp1023);
  expect_number("0.000000000000000000", 0);
  expect_number("Infinity", INFINITY);
  expect_number("-INF", -INFINITY);
  double value;
  ck_assert(flow_number_parse("NaN", 3, &value) == FLOW_NUMBER_OK && isnan(value));
  ck_assert(flow_number_parse("1e309", 5, &value) == FLOW_NUMBER_TOO_LARGE);
  static const char *const wrong[] = {"", " 1", "1 ", "0x1", "1e", "e5", ".", "+", "1,5", "nan(1)", "infin", "1f", "--1", "1.2.3"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    ck_assert_msg(flow_number_parse(wrong[i], strlen(wrong[i]), &value) == FLOW_NUMBER_MALFORMED, "%s", wrong[i]);
} END_TEST

static uint64_t next_random(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  return *state ^= *state << 17;
}

START_TEST(what_is_printed_reads_back_to_the_same_bits) {
  uint64_t state = 7;
  for (int i = 0; i < 20000; i++) {
    char text[FLOW_NUMBER_MOST_PRINTED];
    uint64_t bits = next_random(&state);
    double value, back;
    memcpy(&value, &bits, sizeof value);
    if (!isfinite(value)) continue;
    ck_assert(flow_number_parse(text, flow_number_print(value, 17, text), &back) == FLOW_NUMBER_OK);
    ck_assert_mem_eq(&back, &value, sizeof value);
    float single = (float)(value = ldexp((double)(int64_t)bits, -70));
    ck_assert(flow_number_parse(text, flow_number_print(single, 9, text), &back) == FLOW_NUMBER_OK);
    ck_assert((float)back == single);
    snprintf(text, sizeof text, "%.6f", value * 1e3);           /* short decimals: the quick way */
    ck_assert(flow_number_parse(text, strlen(text), &back) == FLOW_NUMBER_OK);
    ck_assert(back == strtod(text, NULL));
  }
} END_TEST

START_TEST(the_locale_of_the_program_changes_nothing) {
  static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "tr_TR.UTF-8", "C"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (!setlocale(LC_ALL, names[i])) continue;
    char text[FLOW_NUMBER_MOST_PRINTED];
    const char *before = setlocale(LC_ALL, NULL);
    expect_number("1.2345678901234567890123e0", 1.2345678901234567);
    expect_number("INFINITY", INFINITY);
    ck_assert_uint_eq(flow_number_print(0.1, 17, text), 19);
    ck_assert_str_eq(text, "0.10000000000000001");
    ck_assert_str_eq(setlocale(LC_ALL, NULL), before);
  }
} END_TEST

START_TEST(a_table_is_read_with_or_without_a_header) {
  static const struct {
    const char *text;
    uint64_t rows, columns;
    double last;
  } cases[] = {{"1,2\n3,4\n", 2, 2, 4},          {"x,y\n1,2\n3,4\n", 2, 2, 4},   {"1,2\r\n3,4\r\n", 2, 2, 4},
               {"\xEF\xBB\xBF" "1\n2", 2, 1, 2}, {" 1 ,\t2 \n 3 , 4 \n\n\n", 2, 2, 4}, {"7", 1, 1, 7},
               {"x,y,z\n", 0, 3, 0},             {"a\n1\n-inf\n", 2, 1, -INFINITY}, {"\"a\",\"b\"\n1,2", 1, 2, 2}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    FlowTensors tensors;
    flow_error error = {""};
    flow_status status = flow_tensors_parse(&flow_standard_allocator, "t.csv", cases[i].text, strlen(cases[i].text), &tensors, &error);
    ck_assert_msg(status == FLOW_OK, "%s: %s", cases[i].text, error.text);
    const FlowTensor *table = flow_tensors_find(&tensors, "");
    ck_assert_int_eq(table->type, FLOW_TYPE_F64);
    ck_assert_uint_eq(table->rank, 2);
    ck_assert_uint_eq(table->dim[0], cases[i].rows);
    ck_assert_uint_eq(table->dim[1], cases[i].columns);
    if (table->count > 0) ck_assert(flow_tensor_at(table, table->count - 1) == cases[i].last);
    flow_tensors_free(&tensors);
  }
} END_TEST

int main(void) {
  Suite *suite = suite_create("tensors");
  TCase *topic = tcase_create("tensors");
  tcase_add_test(topic, runs_of_digits_in_names_compare_as_numbers);
  tcase_add_test(topic, an_array_is_found_by_its_name_alone);
  tcase_add_test(topic, every_half_is_converted_exactly);
  tcase_add_test(topic, every_bfloat_is_the_upper_half_of_a_float);
  tcase_add_test(topic, whole_numbers_are_rounded_once);
  tcase_add_test(topic, small_types_keep_their_sign_and_bool_is_0_or_1);
  tcase_add_test(topic, decimal_numbers_are_read_as_the_nearest_double);
  tcase_add_test(topic, what_is_printed_reads_back_to_the_same_bits);
  tcase_add_test(topic, the_locale_of_the_program_changes_nothing);
  tcase_add_test(topic, a_table_is_read_with_or_without_a_header);
  suite_add_tcase(suite, topic);
  return run_suite(suite);
}
