/* SPDX-License-Identifier: Apache-2.0 */
/* check_random.c -- the generator is Philox, the layout is frozen, the numbers are distributed as they should be. */
#include "random.h"
#include "random_lanes.h"
#include "source.h"
#include "suite.h"
#include <math.h>

enum { DRAWS = 1000000 };
static const FlowRandom random_1 = {.seed = 1, .stream = FLOW_STREAM_SOURCE};

static FlowTile tile_over(void *data, uint32_t precision, uint64_t rows, uint32_t stride, uint32_t live, uint32_t lanes) {
  return (FlowTile){data, rows, precision, stride, lanes, live};
}

/* The three vectors of Random123's kat_vectors for philox4x32 with 10 rounds. */
START_TEST(philox_answers_the_known_vectors) {
  static const uint32_t vector[3][10] = {
      {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
      {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
      {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
  };
  for (int i = 0; i < 3; i++) {
    uint32_t word[4];
    flow_philox(vector[i], vector[i] + 4, word);
    for (int k = 0; k < 4; k++) ck_assert_uint_eq(word[k], vector[i][6 + k]);
  }
}
END_TEST

START_TEST(words_are_the_halves_of_philox_blocks) {
  FlowRandom random = {.seed = 0x299f31d0a4093822u, .stream = 0x03707344};
  uint64_t sample = 0x85a308d3243f6a88u;
  uint32_t counter[4] = {0x243f6a88, 0x85a308d3, 3, 0x03707344}, key[2] = {0xa4093822, 0x299f31d0}, word[4];
  flow_philox(counter, key, word);
  ck_assert_uint_eq(flow_random_word(random, sample, 6), (uint64_t)word[1] << 32 | word[0]);
  ck_assert_uint_eq(flow_random_word(random, sample, 7), (uint64_t)word[3] << 32 | word[2]);
}
END_TEST

START_TEST(the_first_numbers_never_change) {
  static const uint64_t word[4] = {0xe50a0ebce3e80670, 0xb615aa2795f222c0, 0x428264b607071c12, 0x6da2bda23909104b};
  static const double uniform[4] = {0x1.ca141d79c7dp-1, 0x1.6c2b544f2be44p-1, 0x1.0a0992d81c1c6p-2, 0x1.b68af688e4244p-2};
  static const double normal[8] = {-0x1.d1a253882cf85p-4, -0x1.d4dbc714217a3p-2, -0x1.7a56413eb2e34p+0, 0x1.6e31c3b7201e5p-1, -0x1.27859d3b9ebcdp-2, -0x1.b965d20bf99c4p-2, -0x1.b543a4d365d4p-3, 0x1.239175f5ba20bp-2};
  for (uint32_t i = 0; i < 4; i++) {
    ck_assert_uint_eq(flow_random_word(random_1, 0, i), word[i]);
    ck_assert(flow_random_uniform(random_1, 0, i) == uniform[i]);
  }
  for (uint32_t i = 0; i < 4; i++) {
    double pair[2];
    flow_random_normal_pair(random_1, i / 2, i % 2, pair);
    ck_assert_msg(pair[0] == normal[2 * i] && pair[1] == normal[2 * i + 1], "%a %a", pair[0], pair[1]);
  }
}
END_TEST

START_TEST(seeds_streams_and_samples_have_numbers_of_their_own) {
  FlowRandom other_seed = {.seed = 2}, high_seed = {.seed = 1 + (UINT64_C(1) << 32)}, other_stream = {.seed = 1, .stream = 1};
  uint64_t word = flow_random_word(random_1, 5, 0);
  ck_assert_uint_ne(word, flow_random_word(other_seed, 5, 0));
  ck_assert_uint_ne(word, flow_random_word(high_seed, 5, 0));
  ck_assert_uint_ne(word, flow_random_word(other_stream, 5, 0));
  ck_assert_uint_ne(word, flow_random_word(random_1, 6, 0));
  ck_assert_uint_ne(word, flow_random_word(random_1, 5 + (UINT64_C(1) << 32), 0));
}
END_TEST

START_TEST(a_tile_holds_the_same_numbers_wherever_it_begins) {
  _Alignas(64) double whole[5 * 48], part[5 * 8];
  FlowTile all = tile_over(whole, FLOW_F64, 5, 48, 48, 48);
  flow_random_fill_normal(random_1, 100, &all);
  for (uint32_t first = 0; first < 41; first++) {
    FlowTile some = tile_over(part, FLOW_F64, 5, 8, 7, 8);
    flow_random_fill_normal(random_1, 100 + first, &some);
    for (uint32_t row = 0; row < 5; row++) {
      ck_assert_mem_eq(part + row * 8, whole + row * 48 + first, 7 * sizeof *part);
      ck_assert(part[row * 8 + 7] == part[row * 8 + 6]);
    }
  }
}
END_TEST

/* The formulas in vectors of each width that this processor has, and whatever is chosen, against one at a time. */
static void expect_lanes(const uint64_t word[2][FLOW_RANDOM_LANES], const double normal[2][FLOW_RANDOM_LANES], FlowRandom random,
                         uint64_t first, uint32_t count, uint32_t block) {
  for (uint32_t i = 0; i < count; i++) {
    double pair[2];
    flow_random_normal_pair(random, first + i, block, pair);
    for (uint32_t half = 0; half < 2; half++) {
      ck_assert_uint_eq(word[half][i], flow_random_word(random, first + i, 2 * block + half));
      ck_assert_mem_eq(&normal[half][i], &pair[half], sizeof *pair);
    }
  }
}

START_TEST(numbers_of_several_samples_are_those_of_each) {
  uint64_t word[2][FLOW_RANDOM_LANES];
  double normal[2][FLOW_RANDOM_LANES];
  for (uint32_t k = 0; k < 20000; k++) {
    uint64_t first = k < 20 ? UINT64_MAX - k : k < 40 ? UINT32_MAX - (k - 20) : 0x9e3779b97f4a7c15u * k;
    FlowRandom random = {0x2545f4914f6cdd1du * k, k % 7};
    uint32_t count = 1 + k % FLOW_RANDOM_LANES, block = k % 3 ? k : UINT32_MAX / 2 - k;
    flow_random_words(random, first, count, block, word);
    flow_random_normals(random, first, count, block, normal);
    expect_lanes(word, normal, random, first, count, block);
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) continue;
    flow_random_words_v3(random, first, block, word[0], word[1]);
    flow_random_normals_v3(random, first, block, normal[0], normal[1]);
    expect_lanes(word, normal, random, first, FLOW_RANDOM_LANES, block);
  }
}
END_TEST

START_TEST(f32_numbers_are_f64_numbers_rounded_once) {
  _Alignas(64) double wide[4 * 48];
  _Alignas(64) float narrow[4 * 48];
  FlowTile w = tile_over(wide, FLOW_F64, 4, 48, 48, 48), n = tile_over(narrow, FLOW_F32, 4, 48, 48, 48);
  flow_random_fill_normal(random_1, 7, &w);
  flow_random_fill_normal(random_1, 7, &n);
  for (int i = 0; i < 4 * 48; i++) ck_assert(narrow[i] == (float)wide[i]);
  flow_random_fill_uniform(random_1, 7, &w);
  flow_random_fill_uniform(random_1, 7, &n);
  for (int i = 0; i < 4 * 48; i++) ck_assert(narrow[i] == (float)wide[i]);
}
END_TEST

START_TEST(the_tails_of_the_normal_reach_nine_sigma_and_stay_finite) {
  double normal[2];
  flow_random_normal_of_words((const uint64_t[2]){0, 0}, normal);
  ck_assert_double_gt(normal[0], 9.4);
  flow_random_normal_of_words((const uint64_t[2]){1, UINT64_C(3) << 62}, normal);           /* the negative y axis */
  ck_assert_double_lt(normal[1], -9.4);
  flow_random_normal_of_words((const uint64_t[2]){UINT64_MAX, 12345}, normal);
  ck_assert(normal[0] == 0 && normal[1] == 0);
  flow_random_normal_of_words((const uint64_t[2]){UINT64_C(1) << 63, UINT64_C(3) << 62}, normal);   /* 1/2, just below -90 degrees */
  ck_assert_double_eq_tol(normal[1], -sqrt(2 * log(2)), 1e-15);
}
END_TEST

/* Against libm, which is wrong by less than 1 ulp, as flow's functions are by less than 2; 8 ulp is all of them at once. */
START_TEST(normal_pairs_agree_with_box_and_mullers_formula) {
  for (uint64_t sample = 0; sample < 20000; sample++) {
    uint64_t a = flow_random_word(random_1, sample, 0), b = flow_random_word(random_1, sample, 1);
    double radius = sqrt(-2 * log(((double)(a >> 1) + 0.5) * 0x1p-63)), normal[2];
    double turn = ((double)(b & (UINT64_MAX >> 2)) + 0.5) * 0x1p-62 * (M_PI / 2);
    double c = radius * cos(turn), s = radius * sin(turn), expected[4] = {c, -s, -c, s};
    flow_random_normal_pair(random_1, sample, 0, normal);
    ck_assert_double_eq_tol(normal[0], expected[b >> 62], 8 * 0x1p-53 * radius);
    ck_assert_double_eq_tol(normal[1], expected[((b >> 62) + 3) % 4], 8 * 0x1p-53 * radius);
  }
}
END_TEST

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* sqrt(n) sup |F_n - F|; above 1.95 with probability 1e-3 (Kolmogorov).  The seeds are fixed, so the answer is too. */
static double kolmogorov(double *draw, size_t count, double distribution(double)) {
  double worst = 0;
  qsort(draw, count, sizeof *draw, ascending);
  for (size_t i = 0; i < count; i++) {
    double f = distribution(draw[i]);
    worst = fmax(worst, fmax(f - (double)i / (double)count, (double)(i + 1) / (double)count - f));
  }
  return worst * sqrt((double)count);
}

static double normal_distribution(double x) { return 0.5 * erfc(-x / sqrt(2)); }
static double uniform_distribution(double x) { return x; }

static double *draws(int normal) {
  double *draw = malloc(DRAWS * sizeof *draw);
  for (uint64_t i = 0; i < DRAWS; i += 2) {
    if (normal)
      flow_random_normal_pair(random_1, i / 4, (uint32_t)(i / 2 % 2), draw + i);
    else
      for (uint32_t k = 0; k < 2; k++) draw[i + k] = flow_random_uniform(random_1, i / 4, (uint32_t)(i % 4) + k);
  }
  return draw;
}

/* Moment k of n standard normal draws has the variance (E z^2k - (E z^k)^2)/n; five deviations are allowed. */
START_TEST(normal_numbers_have_the_moments_of_a_normal) {
  static const double mean[5] = {1, 0, 1, 0, 3}, square[5] = {1, 1, 3, 15, 105};
  double *draw = draws(1), sum[5] = {0}, neighbours = 0;
  for (int i = 0; i < DRAWS; i++)
    for (int k = 0; k < 5; k++) sum[k] += pow(draw[i], k) / DRAWS;
  for (int k = 1; k < 5; k++) ck_assert_double_eq_tol(sum[k], mean[k], 5 * sqrt((square[k] - mean[k] * mean[k]) / DRAWS));
  for (int i = 0; i + 1 < DRAWS; i++) neighbours += draw[i] * draw[i + 1] / DRAWS;
  ck_assert_double_eq_tol(neighbours, 0, 5 / sqrt(DRAWS));
  free(draw);
}
END_TEST

START_TEST(normal_numbers_pass_kolmogorovs_test_and_have_the_right_tails) {
  double *draw = draws(1);
  int beyond[5] = {0};
  for (int i = 0; i < DRAWS; i++)
    for (int sigma = 2; sigma < 5; sigma++) beyond[sigma] += fabs(draw[i]) > sigma;
  for (int sigma = 2; sigma < 5; sigma++) {
    double expected = DRAWS * erfc(sigma / sqrt(2));
    ck_assert_double_eq_tol(beyond[sigma], expected, 5 * sqrt(expected));
  }
  ck_assert_double_lt(kolmogorov(draw, DRAWS, normal_distribution), 1.95);
  free(draw);
}
END_TEST

START_TEST(uniform_numbers_pass_kolmogorovs_test) {
  double *draw = draws(0), mean = 0, square = 0;
  for (int i = 0; i < DRAWS; i++) mean += draw[i] / DRAWS, square += draw[i] * draw[i] / DRAWS;
  ck_assert_double_eq_tol(mean, 0.5, 5 * sqrt(1.0 / 12 / DRAWS));
  ck_assert_double_eq_tol(square, 1.0 / 3, 5 * sqrt(4.0 / 45 / DRAWS));
  ck_assert_double_lt(kolmogorov(draw, DRAWS, uniform_distribution), 1.95);
  ck_assert(draw[0] >= 0 && draw[DRAWS - 1] < 1);
  free(draw);
}
END_TEST

START_TEST(a_uniform_source_stays_within_its_bounds) {
  double low[2] = {-1, 1 - 0x1p-26}, high[2] = {3, 1};          /* in f32 the second interval is the one number 1 */
  FlowSource source = {.kind = FLOW_SOURCE_UNIFORM, .dim = 2, .low = low, .high = high};
  _Alignas(64) float data[2 * 48];
  FlowTile tile = tile_over(data, FLOW_F32, 2, 48, 48, 48);
  ck_assert_int_eq(flow_source_check(&source, 2, 0, 48, NULL), FLOW_OK);
  flow_source_fill(&source, random_1, 0, &tile);
  for (int i = 0; i < 48; i++) {
    ck_assert(data[i] == (float)(-1 + 4 * flow_random_uniform(random_1, (uint64_t)i, 0)));
    ck_assert(data[48 + i] == 1);
  }
}
END_TEST

/* 300 components, so that rows and columns come in blocks; the same numbers as `normal` has. */
START_TEST(a_gaussian_source_is_its_mean_and_its_factor_times_normal_numbers) {
  enum { D = 300 };
  static double mean[D], factor[D][D];
  _Alignas(64) static double data[D * 8], z[D * 8];
  for (int r = 0; r < D; r++)
    for (int c = 0; c < D; c++) mean[r] = r / 7.0, factor[r][c] = c > r ? 1e30 : c == r ? 1.5 : ((r * 31 + c * 17) % 13 - 6) / 16.0;
  FlowSource source = {.kind = FLOW_SOURCE_GAUSSIAN, .dim = D, .mean = mean, .factor = factor[0]};
  FlowTile tile = tile_over(data, FLOW_F64, D, 8, 5, 8), normal = tile_over(z, FLOW_F64, D, 8, 5, 8);
  ck_assert_int_eq(flow_source_check(&source, D, 0, 5, NULL), FLOW_OK);
  ck_assert_int_eq(flow_source_has_density(&source, NULL), FLOW_OK);
  flow_source_fill(&source, random_1, 7, &tile);
  flow_random_fill_normal(random_1, 7, &normal);
  for (int lane = 0; lane < 5; lane++) {
    double x[D], squares = 0;
    for (int r = 0; r < D; r++) {
      double sum = mean[r];
      for (int c = 0; c <= r; c++) sum += factor[r][c] * z[c * 8 + lane];
      x[r] = sum;
      squares += z[r * 8 + lane] * z[r * 8 + lane];
      ck_assert_double_eq(data[r * 8 + lane], sum);
    }
    double expected = -squares / 2 - D * (0.91893853320467274178 + log(1.5));
    ck_assert_double_eq_tol(flow_source_log_density(&source, FLOW_F64, x), expected, 1e-6);     /* the factor's inverse is large */
  }
  factor[3][3] = 0;
  ck_assert_int_eq(flow_source_has_density(&source, NULL), FLOW_BAD_INPUT);
  factor[3][1] = INFINITY;
  ck_assert_int_eq(flow_source_check(&source, D, 0, 5, NULL), FLOW_BAD_INPUT);
}
END_TEST

static void draw_index(void *user, FlowRandom random, uint64_t sample, const FlowTile *tile, uint32_t lane) {
  (void)random;
  flow_tile_set(tile, 0, lane, (double)sample * *(double *)user);
}

START_TEST(a_drawn_source_is_what_the_callers_function_puts_into_the_lanes) {
  double factor = 0.5;
  FlowSource source = {.kind = FLOW_SOURCE_DRAWN, .dim = 1, .draw = draw_index, .draw_user = &factor};
  _Alignas(64) double data[8];
  FlowTile tile = tile_over(data, FLOW_F64, 1, 8, 3, 4);
  flow_source_fill(&source, random_1, 10, &tile);
  const double expected[4] = {5, 5.5, 6, 6};
  ck_assert_mem_eq(data, expected, sizeof expected);
  ck_assert_int_eq(flow_source_has_density(&source, NULL), FLOW_BAD_INPUT);
}
END_TEST

START_TEST(a_source_that_makes_no_sense_is_refused_with_words) {
  flow_error error;
  double low[1] = {2}, high[1] = {1}, far[1] = {INFINITY};
  FlowSource source = {.kind = FLOW_SOURCE_UNIFORM, .dim = 1, .low = low, .high = high};
  ck_assert_int_eq(flow_source_check(&source, 1, 0, 1, &error), FLOW_BAD_INPUT);
  ck_assert_words(error, "component 0 is to lie between 2 and 1");
  source.high = far;
  ck_assert_int_eq(flow_source_check(&source, 1, 0, 1, &error), FLOW_BAD_INPUT);
  ck_assert_int_eq(flow_source_check(&source, 3, 0, 1, &error), FLOW_BAD_INPUT);
  ck_assert_words(error, "states of 1 numbers; a state of this model has 3");
  float rows[6] = {0};
  FlowTensor tensor = {.name = "", .type = FLOW_TYPE_F32, .rank = 2, .dim = {3, 2}, .count = 6, .data = rows};
  FlowSource file = {.kind = FLOW_SOURCE_TENSOR, .dim = 2, .tensor = &tensor, .name = "x0.npy"};
  ck_assert_int_eq(flow_source_check(&file, 2, 0, 3, &error), FLOW_OK);
  ck_assert_int_eq(flow_source_check(&file, 2, 2, 4, &error), FLOW_BAD_INPUT);
  ck_assert_words(error, "x0.npy has 3 rows; samples 2 to 3 were asked for");
  file.dim = 3;
  ck_assert_int_eq(flow_source_check(&file, 3, 0, 1, &error), FLOW_BAD_INPUT);
  ck_assert_words(error, "x0.npy has 2 numbers in each of its 3 rows; a state of this model has 3");
}
END_TEST

START_TEST(a_tensors_row_is_the_state_of_the_sample_of_that_index) {
  static const int16_t rows[5][2] = {{0, 1}, {2, 3}, {4, 5}, {6, 7}, {8, 9}};
  FlowTensor tensor = {.name = "", .type = FLOW_TYPE_I16, .rank = 2, .dim = {5, 2}, .count = 10, .data = rows};
  FlowSource source = {.kind = FLOW_SOURCE_TENSOR, .dim = 2, .tensor = &tensor};
  _Alignas(64) double data[2 * 8];
  FlowTile tile = tile_over(data, FLOW_F64, 2, 8, 3, 4);
  flow_source_fill(&source, random_1, 2, &tile);
  const double expected[2][4] = {{4, 6, 8, 8}, {5, 7, 9, 9}};
  ck_assert_mem_eq(data, expected[0], sizeof expected[0]);
  ck_assert_mem_eq(data + 8, expected[1], sizeof expected[1]);
}
END_TEST

TEST_MAIN("random", philox_answers_the_known_vectors, words_are_the_halves_of_philox_blocks, the_first_numbers_never_change,
          seeds_streams_and_samples_have_numbers_of_their_own, a_tile_holds_the_same_numbers_wherever_it_begins, numbers_of_several_samples_are_those_of_each,
          f32_numbers_are_f64_numbers_rounded_once, the_tails_of_the_normal_reach_nine_sigma_and_stay_finite,
          normal_pairs_agree_with_box_and_mullers_formula, normal_numbers_have_the_moments_of_a_normal,
          normal_numbers_pass_kolmogorovs_test_and_have_the_right_tails, uniform_numbers_pass_kolmogorovs_test,
          a_uniform_source_stays_within_its_bounds, a_gaussian_source_is_its_mean_and_its_factor_times_normal_numbers,
          a_drawn_source_is_what_the_callers_function_puts_into_the_lanes, a_source_that_makes_no_sense_is_refused_with_words,
          a_tensors_row_is_the_state_of_the_sample_of_that_index)
