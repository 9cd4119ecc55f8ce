/* SPDX-License-Identifier: Apache-2.0 */
/* check_progress.c -- the words of a progress line. */
#include "progress.h"
#include "suite.h"

static const char *line(uint64_t done, uint64_t total, double elapsed) {
  static char text[80];
  return flow_progress_line(text, sizeof text, done, total, elapsed);
}

START_TEST(a_line_says_part_counts_rate_and_time_left) {
  ck_assert_str_eq(line(4200, 10000, 0.32), " 42%  4200/10000  13.1k/s  0 s left");
  ck_assert_str_eq(line(1, 4, 60), " 25%  1/4  0.02/s  3:00 left");
  ck_assert_str_eq(line(10, 1000, 100), "  1%  10/1000  0.10/s  2:45:00 left");
  ck_assert_str_eq(line(1, 1000000, 1), "  0%  1/1000000  1.00/s  12 days left");
  ck_assert_str_eq(line(5000000, 10000000, 1), " 50%  5000000/10000000  5.00M/s  1 s left");
}
END_TEST

START_TEST(a_hundred_percent_means_done) {
  ck_assert_str_eq(line(999999, 1000000, 1), " 99%  999999/1000000  1.00M/s  0 s left");
  ck_assert_str_eq(line(1000, 1000, 2), "100%  1000/1000  500/s  0 s left");
}
END_TEST

START_TEST(without_a_rate_there_is_no_time_left) {
  ck_assert_str_eq(line(0, 10, 5), "  0%  0/10");
  ck_assert_str_eq(line(5, 10, 0), " 50%  5/10");
  ck_assert_str_eq(line(0, 0, 0), "100%  0/0");
}
END_TEST

START_TEST(a_line_is_cut_at_the_end_of_its_text) {
  char text[8];
  ck_assert_str_eq(flow_progress_line(text, sizeof text, 4200, 10000, 1), " 42%  4");
}
END_TEST

TEST_MAIN("progress", a_line_says_part_counts_rate_and_time_left, a_hundred_percent_means_done, without_a_rate_there_is_no_time_left,
          a_line_is_cut_at_the_end_of_its_text)
