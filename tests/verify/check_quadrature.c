/* SPDX-License-Identifier: Apache-2.0 */
/* check_quadrature.c -- integrals over regions and their surfaces, against those that are known.
 *
 * Product rules of order n are exact for polynomials of degree 2n - 1, but for rounding: 1e-13 of the sum of absolute terms.
 * Means over 4,000 pairs lie within five standard errors, which for the functions below are less than 2 % of the value. */
#include "run_suite.h"
#include "quadrature.h"
#include <math.h>

static const double pi = 3.14159265358979323846, rounding = 1e-13;
static jmp_buf no_memory;
static Arena arena;

static void setup(void) { arena_init(&arena, &flow_standard_allocator, &no_memory); }
static void teardown(void) { arena_free(&arena); }

static const double low[] = {-1, 0.5, 2, 0, 1}, high[] = {1, 2, 5, 0.5, 4}, center[] = {0.3, -1, 2, 0.25, 0};

static Region ball(uint32_t dim) { return (Region){.dim = dim, .center = center, .radius = 1.5}; }
static Region box(uint32_t dim) { return (Region){.dim = dim, .is_box = true, .low = low, .high = high}; }

static double volume_of(const Region *region) {
  static const double unit[] = {1, 2, 3.14159265358979323846, 4.1887902047863910, 4.9348022005446793, 5.2637890139143246};
  double volume = 1;
  for (uint32_t k = 0; k < region->dim; k++) volume *= region->is_box ? high[k] - low[k] : region->radius;
  return region->is_box ? volume : unit[region->dim] * volume;
}

static double area_of(const Region *region) {
  double area = 0;
  if (!region->is_box) return volume_of(region) * region->dim / region->radius;
  for (uint32_t k = 0; k < region->dim; k++) area += 2 * volume_of(region) / (high[k] - low[k]);
  return area;
}

static double sum_of(const Rule *rule) {
  double sum = 0;
  for (uint64_t i = 0; i < rule->count; i++) sum += rule->weight[i];
  return sum;
}

static void expect_near(double found, double wanted, double tolerance) {
  ck_assert_msg(fabs(found - wanted) <= tolerance * (1 + fabs(wanted)), "%.17g, not %.17g", found, wanted);
}

START_TEST(rules_know_volumes_and_areas) {
  Region region[] = {ball(1), ball(2), ball(3), box(1), box(2), box(3)};
  for (uint32_t n = 4; n <= 16; n *= 2) {
    Rule surface = rule_surface(&arena, &region[_i], n), inside = rule_inside(&arena, &region[_i], n);
    expect_near(sum_of(&surface), area_of(&region[_i]), rounding);
    expect_near(sum_of(&inside), volume_of(&region[_i]), rounding);
  }
}
END_TEST

/* A polynomial of degree 5, and its divergence. */
static void field(const double *x, uint32_t dim, double *u, double *div) {
  *div = 0;
  for (uint32_t k = 0; k < dim; k++) {
    double next = x[(k + 1) % dim];
    u[k] = x[k] * x[k] * x[k] * next * next + next;
    *div += 3 * x[k] * x[k] * next * next + (dim == 1 ? 2 * x[k] * x[k] * x[k] * next + 1 : 0);
  }
}

static double flux_of(const Rule *rule, uint32_t dim) {
  double sum = 0, u[3], div;
  for (uint64_t i = 0; i < rule->count; i++) {
    field(rule->point + i * dim, dim, u, &div);
    for (uint32_t k = 0; k < dim; k++) sum += rule->weight[i] * u[k] * rule->normal[i * dim + k];
  }
  return sum;
}

START_TEST(gauss_s_theorem_holds_for_polynomials) {
  Region region[] = {ball(1), ball(2), ball(3), box(1), box(2), box(3)};
  uint32_t dim = region[_i].dim;
  Rule surface = rule_surface(&arena, &region[_i], 8), inside = rule_inside(&arena, &region[_i], 8);
  double sum = 0, u[3], div;
  for (uint64_t i = 0; i < inside.count; i++) {
    field(inside.point + i * dim, dim, u, &div);
    sum += inside.weight[i] * div;
  }
  expect_near(flux_of(&surface, dim), sum, 10 * rounding); /* fluxes through opposite sides cancel in part */
}
END_TEST

/* The mean of |x|^2 over the pairs, times the measure. */
static double by_pairs(const Region *region, bool surface) {
  uint32_t dim = region->dim, strata = surface ? strata_surface(region) : 1;
  double room[20], normal[10], sum = 0;
  enum { PAIRS = 4000 };
  for (uint32_t s = 0; s < strata; s++) {
    double mean = 0;
    for (uint64_t i = 0; i < PAIRS; i++) {
      if (surface) pair_surface(region, (FlowRandom){7, 3}, s * PAIRS + i, s, room, normal);
      else pair_inside(region, (FlowRandom){7, 3}, i, room);
      for (uint32_t k = 0; k < 2 * dim; k++) mean += room[k] * room[k] / PAIRS;
    }
    sum += mean * (surface ? measure_surface(region, s) : measure_inside(region));
  }
  return sum;
}

START_TEST(random_pairs_know_second_moments) {
  Region round = ball(5), square = box(5);
  double far = 0, inside = 0;
  for (int k = 0; k < 5; k++) far += center[k] * center[k];
  for (int k = 0; k < 5; k++) inside += (low[k] * low[k] + low[k] * high[k] + high[k] * high[k]) / 3;
  expect_near(by_pairs(&round, false), volume_of(&round) * (far + 5.0 / 7 * 1.5 * 1.5), 0.02);
  expect_near(by_pairs(&round, true), area_of(&round) * (far + 1.5 * 1.5), 0.02);
  expect_near(by_pairs(&square, false), volume_of(&square) * inside, 0.02);
  double faces = 0;
  for (int k = 0; k < 5; k++) {
    double without = inside - (low[k] * low[k] + low[k] * high[k] + high[k] * high[k]) / 3;
    faces += volume_of(&square) / (high[k] - low[k]) * (2 * without + low[k] * low[k] + high[k] * high[k]);
  }
  expect_near(by_pairs(&square, true), faces, 0.02);
}
END_TEST

START_TEST(a_pair_is_a_point_and_its_mirror_image) {
  Region round = ball(5);
  double point[20], normal[10];
  for (uint64_t i = 0; i < 100; i++) {
    pair_surface(&round, (FlowRandom){1, 2}, i, 0, point, normal);
    for (int k = 0; k < 5; k++) {
      expect_near(point[k] + point[5 + k], 2 * center[k], rounding);
      expect_near(normal[k] + normal[5 + k], 0, rounding);
      expect_near(point[k], center[k] + 1.5 * normal[k], rounding);
    }
  }
}
END_TEST

START_TEST(a_smooth_function_around_a_circle_converges_at_once) {
  Region round = ball(2);
  Rule rule = rule_surface(&arena, &round, 8);
  double sum = 0;               /* e^(cos a) is 2 pi I0(1) */
  for (uint64_t i = 0; i < rule.count; i++) sum += rule.weight[i] * exp(rule.normal[2 * i]);
  expect_near(sum, 1.5 * 2 * pi * 1.2660658777520083, rounding);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("quadrature");
  TCase *all = tcase_create("rules and pairs");
  tcase_add_checked_fixture(all, setup, teardown);
  tcase_add_loop_test(all, rules_know_volumes_and_areas, 0, 6);
  tcase_add_loop_test(all, gauss_s_theorem_holds_for_polynomials, 0, 6);
  tcase_add_test(all, random_pairs_know_second_moments);
  tcase_add_test(all, a_pair_is_a_point_and_its_mirror_image);
  tcase_add_test(all, a_smooth_function_around_a_circle_converges_at_once);
  suite_add_tcase(suite, all);
  return run_suite(suite);
}
