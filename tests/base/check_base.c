/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic, memory, statuses and printable text. */
#include "alloc.h"
#include "base/faulty.h"
#include "checked.h"
#include "flow/status.h"
#include "printable.h"
#include "run_suite.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

/* Numbers around every edge where 64-bit arithmetic changes its mind. */
static const uint64_t edges[] = {
    0, 1, 2, 3, 7, 8, 63, 64, 65, UINT64_C(1) << 31, (UINT64_C(1) << 32) - 1, UINT64_C(1) << 32, (UINT64_C(1) << 32) + 1,
    UINT64_C(1) << 62, INT64_MAX, UINT64_C(1) << 63, (UINT64_C(1) << 63) + 1, UINT64_MAX - 64, UINT64_MAX - 63,
    UINT64_MAX - 1, UINT64_MAX};
enum { EDGES = sizeof edges / sizeof *edges };
__extension__ typedef unsigned __int128 Wide;

START_TEST(a_sum_a_difference_and_a_product_fit_exactly_when_128_bits_say_so) {
  for (int i = 0; i < EDGES; i++) {
    for (int k = 0; k < EDGES; k++) {
      uint64_t a = edges[i], b = edges[k], r = 42;
      Wide sum = (Wide)a + b, product = (Wide)a * b;
      ck_assert(flow_add_u64(a, b, &r) == (sum <= UINT64_MAX) && r == (sum <= UINT64_MAX ? (uint64_t)sum : 42));
      r = 42;
      ck_assert(flow_mul_u64(a, b, &r) == (product <= UINT64_MAX));
      ck_assert(r == (product <= UINT64_MAX ? (uint64_t)product : 42));
      r = 42;
      ck_assert(flow_sub_u64(a, b, &r) == (a >= b) && r == (a >= b ? a - b : 42));
      size_t s = 42;
      ck_assert(flow_add_size(a, b, &s) == (sum <= SIZE_MAX) && s == (sum <= SIZE_MAX ? (size_t)sum : 42));
      s = 42;
      ck_assert(flow_mul_size(a, b, &s) == (product <= SIZE_MAX) && s == (product <= SIZE_MAX ? (size_t)product : 42));
      s = 42;
      ck_assert(flow_sub_size(a, b, &s) == (a >= b) && s == (a >= b ? a - b : 42));
      for (int e = 0; e < EDGES; e++) ck_assert(flow_range_fits(a, b, edges[e]) == (sum <= edges[e]));
    }
  }
} END_TEST

START_TEST(aligning_up_never_wraps_to_zero) {
  for (int i = 0; i < EDGES; i++) {
    size_t r = 42;
    bool fits = edges[i] <= UINT64_MAX - 63;
    ck_assert(flow_align_up(edges[i], 64, &r) == fits);
    if (fits) ck_assert(r >= edges[i] && r - edges[i] < 64 && r % 64 == 0);
    else ck_assert(r == 42);
  }
  size_t r;
  ck_assert(!flow_align_up(8, 0, &r));
  ck_assert(!flow_align_up(8, 24, &r));
} END_TEST

START_TEST(a_zero_dimension_makes_no_elements_whatever_the_others_are) {
  uint64_t r = 1, most = UINT64_MAX;
  ck_assert(flow_count_of((uint64_t[]){most, most, 0}, 3, &r) && r == 0);
  ck_assert(flow_count_of((uint64_t[]){0, most, most}, 3, &r) && r == 0);
  ck_assert(flow_count_of(NULL, 0, &r) && r == 1);
  ck_assert(flow_count_of((uint64_t[]){2, 3, 4}, 3, &r) && r == 24);
  ck_assert(!flow_count_of((uint64_t[]){most, 2}, 2, &r));
  ck_assert(!flow_count_of((uint64_t[]){UINT64_C(1) << 32, UINT64_C(1) << 32}, 2, &r));
} END_TEST

START_TEST(memory_is_zeroed_and_an_array_that_wraps_is_refused) {
  const FlowAllocator *standard = &flow_standard_allocator;
  Faulty f;
  faulty_start(&f);
  char *a = flow_alloc_array(&f.allocator, 10, 10);
  for (int i = 0; i < 100; i++) ck_assert_int_eq(a[i], 0);
  memset(a, 1, 100);
  a = flow_resize_array(&f.allocator, a, 10, 20, 10);
  for (int i = 0; i < 200; i++) ck_assert_int_eq(a[i], i < 100);
  ck_assert_ptr_null(flow_resize_array(&f.allocator, a, 20, SIZE_MAX / 2, 10));
  flow_free(&f.allocator, a, 200);
  ck_assert_uint_eq(f.live, 0);
  ck_assert_ptr_null(flow_alloc(standard, 0));
  ck_assert_ptr_null(flow_alloc_array(standard, SIZE_MAX, 2));
  ck_assert_ptr_null(flow_alloc_array(standard, (SIZE_MAX >> 3) + 2, 8));
  ck_assert_ptr_null(flow_alloc_aligned(standard, SIZE_MAX - 8));
  flow_free(standard, NULL, 0);
  flow_free_aligned(standard, NULL, 0);
} END_TEST

START_TEST(aligned_memory_is_aligned_zeroed_and_given_back) {
  Faulty f;
  faulty_start(&f);
  for (size_t size = 1; size < 300; size++) {
    char *a = flow_alloc_aligned(&f.allocator, size);
    ck_assert_uint_eq((uintptr_t)a % 64, 0);
    for (size_t i = 0; i < size; i++) ck_assert_int_eq(a[i], 0);
    memset(a, 0xFF, size);
    flow_free_aligned(&f.allocator, a, size);
  }
  ck_assert_uint_eq(f.live, 0);
} END_TEST

START_TEST(every_status_has_a_text_and_an_exit_code) {
  for (int s = 0; s < FLOW_STATUS_COUNT; s++) {
    ck_assert_uint_gt(strlen(flow_status_text((flow_status)s)), 0);
    ck_assert_int_eq(flow_status_exit_code((flow_status)s) == 0, s == FLOW_OK);
  }
  ck_assert_int_eq(flow_status_exit_code(FLOW_BAD_FILE), 4);
  ck_assert_int_eq(flow_status_exit_code((flow_status)999), flow_status_exit_code(FLOW_INTERNAL));
  ck_assert_int_eq(flow_status_exit_code((flow_status)-1), 70);
} END_TEST

START_TEST(a_long_message_is_cut_between_characters) {
  for (size_t shift = 0; shift < 4; shift++) {
    char text[2001] = "aaa";
    for (size_t i = shift; i + 4 <= 2000; i += 4) memcpy(text + i, "\xF0\x9F\x98\x80", 4);
    flow_error error;
    ck_assert_int_eq(flow_fail(&error, FLOW_BAD_CALL, "%s", text), FLOW_BAD_CALL);
    size_t length = strlen(error.text);
    ck_assert_uint_ge(length, sizeof error.text - 4);
    ck_assert(flow_utf8_valid(error.text, length));
  }
  ck_assert_int_eq(flow_fail(NULL, FLOW_BAD_FILE, "%d", 1), FLOW_BAD_FILE);
} END_TEST

static void expect_printable(const char *bytes, size_t length, const char *text) {
  ck_assert_str_eq(flow_printable(bytes, length).text, text);
}

START_TEST(a_name_from_a_file_cannot_command_the_terminal) {
  expect_printable("net.0", 5, "'net.0'");
  expect_printable("", 0, "''");
  expect_printable("gr\xC3\xB6\xC3\x9F" "e", 7, "'gr\xC3\xB6\xC3\x9F" "e'");
  expect_printable("\x1B[31m", 5, "'\\x1B[31m'");
  expect_printable("a\nb\0c", 5, "'a\\x0Ab\\x00c'");
  expect_printable("\x7F", 1, "'\\x7F'");
  expect_printable("\xC2\x9B", 2, "'\\xC2\\x9B'");             /* C1: a one-character escape sequence */
  expect_printable("\xC2\x9F", 2, "'\\xC2\\x9F'");
  expect_printable("\xC2\xA0", 2, "'\xC2\xA0'");             /* the first that is no control */
  expect_printable("\xFF\xC3", 2, "'\\xFF\\xC3'");
  char long_name[1000];
  memset(long_name, 'x', sizeof long_name);
  FlowPrintable cut = flow_printable(long_name, sizeof long_name);
  ck_assert_uint_lt(strlen(cut.text), sizeof cut.text);
  ck_assert_str_eq(cut.text + strlen(cut.text) - 5, "x...'");
} END_TEST

START_TEST(utf8_is_what_unicode_says_it_is) {
  static const struct {
    const char *bytes;
    size_t length;
  } cases[] = {{"a", 1}, {"\x80", 0}, {"\xC0\xAF", 0}, {"\xC1\xBF", 0}, {"\xC2\x80", 2}, {"\xDF\xBF", 2}, {"\xE0\x9F\xBF", 0},
               {"\xE0\xA0\x80", 3}, {"\xED\x9F\xBF", 3}, {"\xED\xA0\x80", 0}, {"\xEE\x80\x80", 3}, {"\xF0\x8F\xBF\xBF", 0},
               {"\xF0\x90\x80\x80", 4}, {"\xF4\x8F\xBF\xBF", 4}, {"\xF4\x90\x80\x80", 0}, {"\xF5\x80\x80\x80", 0},
               {"\xC2", 0}, {"\xE0\xA0", 0}, {"\xF0\x90\x80", 0}, {"\xE2\x28\xA1", 0}, {"\xE2\x82\x28", 0}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    ck_assert_uint_eq(flow_utf8_length((const unsigned char *)cases[i].bytes, strlen(cases[i].bytes)), cases[i].length);
} END_TEST

int main(void) {
  Suite *suite = suite_create("base");
  TCase *topic = tcase_create("base");
  tcase_add_test(topic, a_sum_a_difference_and_a_product_fit_exactly_when_128_bits_say_so);
  tcase_add_test(topic, aligning_up_never_wraps_to_zero);
  tcase_add_test(topic, a_zero_dimension_makes_no_elements_whatever_the_others_are);
  tcase_add_test(topic, memory_is_zeroed_and_an_array_that_wraps_is_refused);
  tcase_add_test(topic, aligned_memory_is_aligned_zeroed_and_given_back);
  tcase_add_test(topic, every_status_has_a_text_and_an_exit_code);
  tcase_add_test(topic, a_long_message_is_cut_between_characters);
  tcase_add_test(topic, a_name_from_a_file_cannot_command_the_terminal);
  tcase_add_test(topic, utf8_is_what_unicode_says_it_is);
  suite_add_tcase(suite, topic);
  return run_suite(suite);
}
