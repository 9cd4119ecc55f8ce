/* SPDX-License-Identifier: Apache-2.0 */
/* check_adaptive_models.c -- adaptive solves of compiled models, log-densities on the way: accuracy, and the same bits whatever
 * the vectors, the threads, the range, and whether the attempt was compiled or is the one in C. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "adaptive.h"
#include "compile.h"
#include "random.h"
#include "run_suite.h"

/* The exact velocity from N(0, I) to Gaussians of standard deviation s at mu_k along straight lines. */
#define MIXTURE(mu, s)                                                                   \
  "let mu = " mu "\nlet s = " s "\n"                                                     \
  "field u(t, x: [2]) =\n"                                                               \
  "  let var = (1 - t)^2 + (s*t)^2\n"                                                    \
  "  let w = softmax(for k: -norm2(x - t*mu[k]) / (2*var))\n"                            \
  "  let a = (s^2*t - (1 - t)) / var\n"                                                  \
  "  sum k: w[k] * (mu[k] + a*(x - t*mu[k]))\n"                                          \
  "flow m { source normal(2)  velocity u  solver dopri5 rtol 1e-5 atol 1e-5 }\n"
static const char two[] = MIXTURE("[[-2, 0], [2, 1]]", "0.5");

static FlowCompiled *compile(const char *text, int precision, int schedule, FlowExtras extras) {
  FlowCompileOptions options = flow_compile_defaults();
  FlowCompiled *compiled;
  flow_error error;
  options.precision = precision;
  options.schedule = schedule;
  options.extras = extras;
  ck_assert_msg(!flow_compile(&flow_standard_allocator, "m.flow", text, strlen(text), &options, &compiled, &error), "%s", error.text);
  ck_assert_msg(!flow_compiled_link(compiled, FLOW_ENTRY_EVAL_LANE | FLOW_ENTRY_ATTEMPT | FLOW_ENTRY_STEP, &error), "%s", error.text);
  return compiled;
}

/* ---- one solve, collected ------------------------------------------------------------------------------------------------ */

enum { POINTS = 2000, DIM = 2 };
typedef struct Solved {
  uint64_t first, count;
  int precision;
  double x[POINTS][DIM], integral[POINTS];
  uint32_t attempts[POINTS];
  FlowAdaptiveSummary summary;
} Solved;

static flow_status take(void *user, const FlowRows *rows, flow_error *error) {
  Solved *out = user;
  (void)error;
  for (uint64_t i = 0; i < rows->count; i++) {
    ck_assert_uint_eq(rows->status[i], FLOW_SAMPLE_OK);
    for (int c = 0; c < DIM; c++)
      out->x[out->count][c] = out->precision == 4 ? (double)((const float *)rows->value)[i * DIM + (uint64_t)c]
                                                  : ((const double *)rows->value)[i * DIM + (uint64_t)c];
    out->attempts[out->count] = rows->report[i].attempts;
    out->integral[out->count++] = rows->integral ? rows->integral[i] : 0;
  }
  return FLOW_OK;
}

typedef struct Way { const char *method; double tolerance; bool backward, in_c; int threads; uint64_t first, end; } Way;

/* start: [POINTS][DIM] or NULL for the normal source. */
static Solved *solve(const FlowCompiled *compiled, const double *start, Way way) {
  flow_model model = *flow_compiled_model(compiled);
  flow_level level = model.level[0];
  if (way.in_c) level.attempt = NULL;
  model.level = &level;
  Solved *out = calloc(1, sizeof *out);
  FlowBlob blob = {.data = NULL};
  flow_error error;
  ck_assert_msg(!flow_model_pack(&flow_standard_allocator, &model, NULL, NULL, &blob, &error), "%s", error.text);
  FlowTensor tensor = {.name = "", .type = FLOW_TYPE_F64, .rank = 2, .dim = {POINTS, DIM}, .count = POINTS * DIM, .data = start};
  FlowSource source = {.kind = start ? FLOW_SOURCE_TENSOR : FLOW_SOURCE_NORMAL, .dim = DIM, .tensor = &tensor};
  out->precision = (int)model.precision;
  out->first = way.first;
  FlowAdaptive what = {.sampling = {.model = &model, .weights = blob.data, .source = &source, .seed = 7, .first = way.first, .end = way.end,
                                    .tableau = flow_tableau_find(way.method), .t0 = way.backward, .t1 = !way.backward, .threads = way.threads,
                                    .allocator = &flow_standard_allocator, .sink = take, .user = out},
                       .tolerance = {way.tolerance, way.tolerance, way.tolerance}, .summary = &out->summary};
  ck_assert_msg(!flow_sample_adaptive(&what, &error), "%s", error.text);
  flow_blob_free(&blob);
  return out;
}

static void assert_same(const Solved *whole, const Solved *part, const char *what) {
  uint64_t from = part->first - whole->first;
  ck_assert_msg(!memcmp(part->x, whole->x[from], part->count * sizeof part->x[0]) &&
                    !memcmp(part->integral, whole->integral + from, part->count * sizeof(double)) &&
                    !memcmp(part->attempts, whole->attempts + from, part->count * sizeof(uint32_t)),
                "other bits: %s", what);
}

/* ---- accuracy ------------------------------------------------------------------------------------------------------------- */

/* Points of the mixture, half of them from each Gaussian. */
static void draw_data(double (*x)[DIM]) {
  static const double mu[2][DIM] = {{-2, 0}, {2, 1}};
  for (uint64_t i = 0; i < POINTS; i++) {
    double normal[DIM];
    flow_random_normal_pair((FlowRandom){11, 0}, i, 0, normal);
    for (int c = 0; c < DIM; c++) x[i][c] = (double)(float)(mu[i % 2][c] + 0.5 * normal[c]);
  }
}

static double log_normal(const double *x) { return -log(2 * acos(-1)) - 0.5 * (x[0] * x[0] + x[1] * x[1]); }

static double log_mixture(const double *x) {
  double a[2] = {(x[0] + 2) / 0.5, x[1] / 0.5}, b[2] = {(x[0] - 2) / 0.5, (x[1] - 1) / 0.5};
  double p = log_normal(a), q = log_normal(b), larger = fmax(p, q);
  return larger + log(exp(p - larger) + exp(q - larger)) - log(2) - 2 * log(0.5);
}

START_TEST(log_p_of_a_mixture_is_right_to_three_ten_thousandths_at_1e_5) {
  static double data[POINTS][DIM];
  draw_data(data);
  for (int precision = 4; precision <= 8; precision += 4) {
    FlowCompiled *compiled = compile(two, precision, 0, FLOW_LOG_P);
    Solved *back = solve(compiled, data[0], (Way){.method = "dopri5", .tolerance = 1e-5, .backward = true, .threads = 1, .end = POINTS});
    double worst = 0;
    for (int i = 0; i < POINTS; i++) worst = fmax(worst, fabs(log_normal(back->x[i]) - back->integral[i] - log_mixture(data[i])));
    ck_assert_msg(worst <= 3e-4, "f%d: %g", precision * 8, worst);
    ck_assert_uint_le(back->summary.median_evaluations, 90);
    free(back);
    flow_compiled_free(compiled);
  }
} END_TEST

START_TEST(log_p_follows_the_tolerance) {
  static double data[POINTS][DIM];
  static const char *const method[] = {"dopri5", "tsit5", "dop853", "bosh3"};
  draw_data(data);
  FlowCompiled *compiled = compile(two, 8, 0, FLOW_LOG_P);
  for (int k = 0; k < 4; k++)
    for (double tolerance = 1e-4; tolerance > 1e-9; tolerance /= 100) {
      Solved *back = solve(compiled, data[0], (Way){.method = method[k], .tolerance = tolerance, .backward = true, .threads = 1, .end = 200});
      double worst = 0;
      for (int i = 0; i < 200; i++) worst = fmax(worst, fabs(log_normal(back->x[i]) - back->integral[i] - log_mixture(data[i])));
      ck_assert_msg(worst <= 300 * tolerance, "%s, %g: %g", method[k], tolerance, worst);     /* the tails of the paths: 100 and more */
      free(back);
    }
  flow_compiled_free(compiled);
} END_TEST

/* ---- bits ------------------------------------------------------------------------------------------------------------------- */

START_TEST(vectors_threads_ranges_and_the_attempt_in_c_do_not_show) {
  static const char *const method[] = {"dopri5", "dop853"};
  for (int precision = 4; precision <= 8; precision += 4)
    for (int extras = 0; extras < 2; extras++) {
      FlowCompiled *v3 = compile(two, precision, FLOW_CPU_V3, extras ? FLOW_LOG_P : FLOW_NO_EXTRAS);
      FlowCompiled *v4 = compile(two, precision, FLOW_CPU_V4, extras ? FLOW_LOG_P : FLOW_NO_EXTRAS);
      for (int k = 0; k < 2; k++) {
        Way way = {.method = method[k], .tolerance = 1e-4, .threads = 1, .end = 300};
        Solved *whole = solve(v3, NULL, way), *part = solve(v4, NULL, way);
        assert_same(whole, part, "other vectors");
        free(part);
        way.in_c = true;
        assert_same(whole, part = solve(v3, NULL, way), "the attempt in C");
        free(part);
        way.in_c = false;
        for (way.threads = 1; way.threads <= 3; way.threads++) {
          way.first = (uint64_t)(17 * way.threads), way.end = 300 - (uint64_t)way.threads;
          assert_same(whole, part = solve(v4, NULL, way), "threads and ranges");
          free(part);
        }
        free(whole);
      }
      flow_compiled_free(v3), flow_compiled_free(v4);
    }
} END_TEST

START_TEST(every_sample_alone_has_its_bits) {
  FlowCompiled *compiled = compile(two, 4, 0, FLOW_LOG_P);
  Solved *whole = solve(compiled, NULL, (Way){.method = "dopri5", .tolerance = 1e-5, .threads = 1, .end = 100});
  for (uint64_t i = 0; i < 100; i += 3) {
    Solved *part = solve(compiled, NULL, (Way){.method = "dopri5", .tolerance = 1e-5, .threads = 1, .first = i, .end = i + 1});
    assert_same(whole, part, "alone");
    free(part);
  }
  free(whole);
  flow_compiled_free(compiled);
} END_TEST

START_TEST(tiles_of_a_compiled_model_stay_full) {
  FlowCompiled *compiled = compile(two, 4, 0, FLOW_NO_EXTRAS);
  Solved *all = solve(compiled, NULL, (Way){.method = "dopri5", .tolerance = 1e-5, .threads = 1, .end = POINTS});
  ck_assert_double_ge((double)all->summary.attempts / (double)all->summary.slots, 0.85);
  free(all);
  flow_compiled_free(compiled);
} END_TEST

int main(void) {
  Suite *suite = suite_create("adaptive models");
  TCase *tcase = tcase_create("mixture");
  tcase_set_timeout(tcase, 120);
  tcase_add_test(tcase, log_p_of_a_mixture_is_right_to_three_ten_thousandths_at_1e_5);
  tcase_add_test(tcase, log_p_follows_the_tolerance);
  tcase_add_test(tcase, vectors_threads_ranges_and_the_attempt_in_c_do_not_show);
  tcase_add_test(tcase, every_sample_alone_has_its_bits);
  tcase_add_test(tcase, tiles_of_a_compiled_model_stay_full);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
