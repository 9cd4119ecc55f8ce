/* SPDX-License-Identifier: Apache-2.0 */
/* check_plot.c -- pictures, compared as whole texts with golden/.  FLOW_UPDATE_GOLDEN=1 writes what is drawn now, to be
 * looked at before it is committed. */
#include "plot.h"
#include "run_suite.h"
#include "user.h"
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect_golden(const char *name, char *text) {
  char path[512];
  snprintf(path, sizeof path, "%s/cli/golden/%s.txt", TESTS_DIR, name);
  ck_assert_ptr_nonnull(text);
  if (getenv("FLOW_UPDATE_GOLDEN")) {
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
  }
  char *wanted = read_text(path, NULL);
  ck_assert_msg(wanted != NULL, "%s is missing", path);
  ck_assert_msg(strcmp(wanted, text) == 0, "%s\nwanted:\n%s\ndrawn:\n%s", name, wanted, text);
  free(wanted);
  free(text);
}

enum { POINTS = 400 };

/* A circle of radius 1 about (2, 0), evenly: its picture is known without looking. */
static double *circle(void) {
  double *point = malloc(2 * POINTS * sizeof *point);
  ck_assert_ptr_nonnull(point);
  for (int i = 0; i < POINTS; i++) {
    double angle = 6.283185307179586 * (i + 0.5) / POINTS;
    point[2 * i] = 2 + cos(angle);
    point[2 * i + 1] = sin(angle);
  }
  return point;
}

/* 1000 values whose distribution function is that of the logistic law. */
static double *logistic(void) {
  double *value = malloc(1000 * sizeof *value);
  ck_assert_ptr_nonnull(value);
  for (int i = 0; i < 1000; i++) {
    double p = (i + 0.5) / 1000;
    value[i] = log(p / (1 - p));
  }
  return value;
}

START_TEST(a_circle_is_round_in_braille) {
  double *point = circle();
  expect_golden("circle_braille", plot_scatter(point, point + 1, POINTS, 2, (PlotStyle){40, false}));
  free(point);
}
END_TEST

START_TEST(a_circle_is_round_in_plain_characters) {
  double *point = circle();
  expect_golden("circle_ascii", plot_scatter(point, point + 1, POINTS, 2, (PlotStyle){40, true}));
  free(point);
}
END_TEST

START_TEST(a_histogram_has_the_shape_of_the_density) {
  double *value = logistic();
  expect_golden("logistic", plot_histogram(value, 1000, 1, (PlotStyle){60, false}));
  expect_golden("logistic_ascii", plot_histogram(value, 1000, 1, (PlotStyle){60, true}));
  free(value);
}
END_TEST

START_TEST(images_stand_side_by_side) {
  double pixel[3 * 64];
  for (int i = 0; i < 3 * 64; i++) pixel[i] = (i / 64 == 0 ? i % 8 : i / 64 == 1 ? i / 8 % 8 : (i % 8 + i / 8 % 8) % 8);
  expect_golden("images", plot_images(pixel, 3, 8, (PlotStyle){80, false}));
  expect_golden("images_ascii", plot_images(pixel, 3, 8, (PlotStyle){40, true}));
}
END_TEST

/* Two paths of three points: up and down, and level; the second has a gap. */
START_TEST(paths_are_lines) {
  static const double point[4][2][2] = {{{0, 0}, {0, 2}}, {{1, 1}, {1, 2}}, {{2, 0}, {2, NAN}}, {{3, 1}, {3, 2}}};
  expect_golden("paths_ascii", plot_paths(&point[0][0][0], 4, 2, true, (PlotFrame){0}, (PlotStyle){60, true}));
}
END_TEST

START_TEST(a_path_of_one_point_is_seen) {
  static const double point[2] = {3, 4};
  char *text = plot_paths(point, 1, 1, true, (PlotFrame){0}, (PlotStyle){40, true});
  ck_assert_ptr_nonnull(text);
  ck_assert_msg(strchr(text, '*') != NULL, "%s", text);
  free(text);
}
END_TEST

START_TEST(a_single_point_is_seen) {
  double point[2] = {3, 4};
  char *text = plot_scatter(point, point + 1, 1, 2, (PlotStyle){40, true});
  ck_assert_ptr_nonnull(text);
  ck_assert_msg(strchr(text, '@') != NULL, "%s", text);
  free(text);
}
END_TEST

START_TEST(what_is_not_drawn_is_counted) {
  double *point = circle();
  point[0] = NAN;
  point[5] = INFINITY;
  point[20] = 1e30; /* one far away does not shrink the picture */
  char *text = plot_scatter(point, point + 1, POINTS, 2, (PlotStyle){60, true});
  ck_assert_ptr_nonnull(text);
  expect_in(text, "1 of 400 points lie outside");
  expect_in(text, "2 of 400 points are not finite");
  expect_in(text, "0.92"); /* the axis still ends about the circle */
  free(text);
  free(point);
}
END_TEST

START_TEST(nothing_finite_still_makes_a_picture) {
  double value[2] = {NAN, NAN};
  char *text = plot_histogram(value, 2, 1, (PlotStyle){60, true});
  ck_assert_ptr_nonnull(text);
  expect_in(text, "2 of 2 values are not finite");
  free(text);
  text = plot_scatter(value, value, 2, 1, (PlotStyle){60, true});
  ck_assert_ptr_nonnull(text);
  free(text);
}
END_TEST

static int widest_line(const char *text) {
  int widest = 0, at = 0;
  for (; *text; text++) {
    if (*text == '\n')
      at = 0;
    else if (((unsigned char)*text & 0xC0) != 0x80 && ++at > widest)
      widest = at;
  }
  return widest;
}

START_TEST(no_picture_is_wider_than_the_terminal) {
  double *point = circle();
  int width = 30 + 10 * _i;
  char *scatter = plot_scatter(point, point + 1, POINTS, 2, (PlotStyle){width, false});
  char *histogram = plot_histogram(point, POINTS, 2, (PlotStyle){width, false});
  char *images = plot_images(point, 6, 8, (PlotStyle){width, false});
  ck_assert_int_le(widest_line(scatter), width);
  ck_assert_int_le(widest_line(histogram), width);
  char *last = images ? strstr(images, "the first") : NULL;
  ck_assert_ptr_nonnull(last);
  *last = 0; /* the sentence below may break */
  ck_assert_int_le(widest_line(images), width);
  free(scatter);
  free(histogram);
  free(images);
  free(point);
}
END_TEST

START_TEST(numbers_of_any_size_have_an_axis) {
  static const double size[] = {1e300, 1e-300, 1e308, 0};
  double point[4] = {-size[_i], -size[_i], size[_i], size[_i]};
  char *text = plot_scatter(point, point + 1, 2, 2, (PlotStyle){60, true});
  ck_assert_ptr_nonnull(text);
  free(text);
  text = plot_histogram(point, 4, 1, (PlotStyle){60, true});
  ck_assert_ptr_nonnull(text);
  free(text);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("plot");
  TCase *all = tcase_create("all");
  tcase_add_test(all, a_circle_is_round_in_braille);
  tcase_add_test(all, a_circle_is_round_in_plain_characters);
  tcase_add_test(all, a_histogram_has_the_shape_of_the_density);
  tcase_add_test(all, images_stand_side_by_side);
  tcase_add_test(all, paths_are_lines);
  tcase_add_test(all, a_path_of_one_point_is_seen);
  tcase_add_test(all, a_single_point_is_seen);
  tcase_add_test(all, what_is_not_drawn_is_counted);
  tcase_add_test(all, nothing_finite_still_makes_a_picture);
  tcase_add_loop_test(all, no_picture_is_wider_than_the_terminal, 0, 8);
  tcase_add_loop_test(all, numbers_of_any_size_have_an_axis, 0, 4);
  suite_add_tcase(suite, all);
  return run_suite(suite);
}
