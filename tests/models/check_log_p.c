/* SPDX-License-Identifier: Apache-2.0 */
/* check_log_p.c -- derivatives and log-densities of trained models and closed forms are those that other tools computed. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "adaptive.h"
#include "likelihood.h"
#include "model_file.h"
#include "run_suite.h"

/* ---- the rows: a program, its data, the prefix of its arrays, its conditions; how many points keep the test short ----------- */

typedef struct Row { const char *program, *data, *flow, *prefix, *condition; uint64_t points; double mixture; } Row;
static const Row rows[] = {
    {"moons_elu", "moons_elu", NULL, "", NULL, 128, 0},
    {"checkerboard_swish", "checkerboard_swish", NULL, "", NULL, 9, 0},
    {"gaussians8_to_moons", "gaussians8_to_moons", NULL, "", NULL, 128, 0.1},
    {"ffjord_tanh", "ffjord_tanh", NULL, "", NULL, 128, 0},
    {"wine_mlp", "wine_mlp", NULL, "", NULL, 48, 0},
    {"digits_residual", "digits_residual", "digits", "", "c", 4, 0},
    {"digits_residual", "digits_residual", "guide", "guided_", "c", 3, 0},
    {"digits_residual", "digits_residual", "null_digits", "null_", NULL, 4, 0},
};
enum { ROWS = sizeof rows / sizeof *rows, WITH_EXACT = ROWS - 1 };      /* the last one has no exact log p stored */

static const FlowTensor *value(const ModelFile *m, const Row *row, const char *name) {
  char full[64];
  snprintf(full, sizeof full, "%s%s", row->prefix, name);
  return model_value(m, full);
}

/* The class, the weight of guidance, and what the model's extras take: in the model's order. */
typedef struct Conditions { FlowTensor tensor[3]; double guidance; } Conditions;
static const FlowTensor *conditions_of(const ModelFile *m, const Row *row, const char *name, const FlowTensor *last, Conditions *to) {
  uint32_t count = 0;
  to->guidance = 2;
  if (row->condition) to->tensor[count++] = *model_value(m, name);
  if (strcmp(row->prefix, "guided_") == 0)
    to->tensor[count++] = (FlowTensor){.name = "w", .type = FLOW_TYPE_F64, .count = 1, .data = &to->guidance};
  if (last) to->tensor[count] = *last;
  return to->tensor;
}

/* Worst |a - b|, relative to the greatest |b|, over the first `count`. */
static double relative_to_greatest(const ModelFile *m, const void *typed, const FlowTensor *expected, uint64_t count, double sign) {
  double worst = 0, greatest = 0;
  for (uint64_t i = 0; i < count; i++) {
    double e = flow_tensor_at(expected, i), d = fabs(sign * model_at(m, typed, i) - e);
    greatest = fmax(greatest, fabs(e));
    worst = d <= worst ? worst : d;             /* a NaN is the worst */
  }
  return worst / greatest;
}

/* Worst |a - b| / max(1, |b|) over the first `count`, as the stored values are judged. */
static double distance(const ModelFile *m, const void *typed, const FlowTensor *expected, uint64_t count, double sign) {
  double worst = 0;
  for (uint64_t i = 0; i < count; i++) {
    double e = flow_tensor_at(expected, i), d = fabs(sign * model_at(m, typed, i) - e) / fmax(1, fabs(e));
    worst = d <= worst ? worst : d;             /* a NaN is the worst */
  }
  return worst;
}

/* ---- derivatives at points ---------------------------------------------------------------------------------------------------- */

typedef struct Product { const char *array, *last; FlowExtras extras; uint32_t probes; double sign; } Product;
static const Product products[] = {{"jvp_f64", "tangent", FLOW_JVP, 0, 1}, {"vjp_f64", "cotangent", FLOW_VJP, 0, 1},
                                   {"divergence_f64", NULL, FLOW_LOG_P, 0, -1}, {"hutchinson_f64", "probes", FLOW_PROBES, 3, -1}};
enum { PRODUCTS = sizeof products / sizeof *products };

typedef double Measure(const ModelFile *m, const void *typed, const FlowTensor *expected, uint64_t count, double sign);

static void derivative_within(const Row *row, const Product *p, int precision, Measure *measure, double tolerance) {
  ModelFile m = model_open_with(row->program, row->data, row->flow, precision, 0, FLOW_ENTRY_EVAL_LANE, p->extras, p->probes);
  Conditions conditions;
  const FlowTensor *last = p->last ? model_value(&m, p->last) : NULL, *expected = value(&m, row, p->array);
  void *extra = calloc(expected->count, 8);
  void *u = model_velocity_and(&m, model_value(&m, "eval_t"), model_value(&m, "eval_x"), conditions_of(&m, row, "eval_c", last, &conditions), extra);
  double d = measure(&m, extra, expected, expected->count, p->sign);
  ck_assert_msg(d <= tolerance, "%s%s %s, f%d: %.3g, allowed %.3g", row->prefix, row->program, p->array, precision * 8, d, tolerance);
  free(u), free(extra);
  model_close(&m);
}

/* The stored values are good to 1e-13; sums of some hundred terms round at a few 1e-15 of their largest partial sum. */
START_TEST(derivatives_in_f64_are_those_of_pytorch) {
  derivative_within(&rows[_i / PRODUCTS], &products[_i % PRODUCTS], FLOW_F64, distance, 1e-12);
} END_TEST
/* The velocity itself is good to 2e-6 of the greatest; a derivative sums as many products of as many layers. */
START_TEST(derivatives_in_f32_are_near_those_of_pytorch) {
  derivative_within(&rows[_i / PRODUCTS], &products[_i % PRODUCTS], FLOW_F32, relative_to_greatest, 5e-6);
} END_TEST

/* ---- log p along stored solves -------------------------------------------------------------------------------------------------- */

/* Eight Gaussians on a circle of radius 5, of the variance that `user` points to. */
static double log_mixture(void *user, const double *x, uint64_t dim) {
  double variance = *(const double *)user, exponent[8], top = -INFINITY, sum = 0;
  (void)dim;
  for (int k = 0; k < 8; k++) {
    double angle = k * acos(-1) / 4, a = x[0] - 5 * cos(angle), b = x[1] - 5 * sin(angle);
    exponent[k] = -(a * a + b * b) / (2 * variance);
    top = fmax(top, exponent[k]);
  }
  for (int k = 0; k < 8; k++) sum += exp(exponent[k] - top);
  return top + log(sum) - log(8 * 2 * acos(-1) * variance);
}

typedef struct Results { double *log_p, *latent; uint32_t extras; uint64_t dim; } Results;      /* log p by each extra alone */

static flow_status take(void *user, const FlowRows *got, flow_error *error) {
  Results *to = user;
  (void)error;
  for (uint64_t i = 0; i < got->count; i++) {
    uint64_t at = got->first + i;
    ck_assert_uint_eq(got->status[i], FLOW_SAMPLE_OK);
    for (uint32_t e = 0; e < to->extras; e++) to->log_p[at * to->extras + e] = got->log_density[i] - got->integral[i * to->extras + e];
  }
  memcpy(to->latent + got->first * to->dim, got->value, got->count * to->dim * sizeof(double));
  return FLOW_OK;
}

static FlowSource latent_source(const ModelFile *m, const Row *row) {
  FlowSource source = {.kind = FLOW_SOURCE_NORMAL, .dim = m->model->dim};
  if (row->mixture > 0) source.log_density = log_mixture, source.density_user = (void *)(uintptr_t)&row->mixture;
  return source;
}

/* The probes come from the stored array here, not from the runtime's own numbers. */
START_TEST(estimates_with_given_probes_along_a_solve_are_those_of_pytorch) {
  const Row *row = &rows[_i];
  flow_error error = {{0}};
  ModelFile m = model_open_with(row->program, row->data, row->flow, FLOW_F64, 0, FLOW_ENTRY_STEP, FLOW_PROBES, 3);
  Conditions conditions;
  const FlowTensor *y = model_value(&m, "y"), *probes = model_value(&m, "logp_probes");
  FlowSource source = latent_source(&m, row), data = {.kind = FLOW_SOURCE_TENSOR, .dim = m.model->dim, .tensor = y, .name = "y"};
  Results results = {calloc(3 * row->points, 8), calloc(m.model->dim * row->points, 8), 3, m.model->dim};
  FlowSampling what = {.model = m.model, .weights = m.blob.data, .source = &data, .end = row->points, .tableau = flow_tableau_find("midpoint"),
                       .steps = 100, .t0 = 1, .t1 = 0, .condition = conditions_of(&m, row, "y_c", probes, &conditions), .density = &source,
                       .density_at_end = true, .threads = 2, .allocator = &flow_standard_allocator, .sink = take, .user = &results};
  ck_assert_msg(!flow_sample(&what, &error), "%s", error.text);
  double d = distance(&m, results.log_p, value(&m, row, "logp_midpoint_hutch"), 3 * row->points, 1);
  ck_assert_msg(d <= 1e-11, "%s%s: %.3g", row->prefix, row->program, d);
  free(results.log_p), free(results.latent);
  model_close(&m);
} END_TEST

typedef struct Answer { double *log_p, *standard_error; void *latent; uint8_t *status; FlowLikelihoodSummary summary; } Answer;

/* steps 0: they adapt. */
static Answer log_likelihood(const ModelFile *m, const Row *row, const char *solver, uint64_t steps, uint64_t first, uint64_t end, uint32_t probes,
                             int threads) {
  flow_error error = {{0}};
  Conditions conditions;
  FlowSource source = latent_source(m, row);
  uint64_t count = end - first;
  Answer a = {calloc(count, 8), calloc(count, 8), calloc(count * m->model->dim, 8), calloc(count, 1), .summary.sum_log_p = 0};
  FlowProbes own = {.seed = 3, .count = probes};
  FlowSampling solve = {.model = m->model, .weights = m->blob.data, .source = &source, .first = first, .end = end,
                        .tableau = flow_tableau_find(solver), .steps = steps, .t1 = 1, .probes = probes ? &own : NULL, .threads = threads,
                        .condition = conditions_of(m, row, "y_c", NULL, &conditions), .allocator = &flow_standard_allocator};
  FlowAdaptive adaptive = {.tolerance = {.rtol = 1e-10, .atol = 1e-10, .ltol = 1e-10}};
  if (steps == 0) solve.adaptive = &adaptive;
  FlowLikelihood what = {.solve = solve, .data = model_value(m, "y"), .log_p = a.log_p, .standard_error = a.standard_error,
                         .status = a.status, .latent = a.latent, .summary = &a.summary};
  ck_assert_msg(!flow_log_likelihood(&what, &error), "%s", error.text);
  return a;
}

static void answer_free(Answer *a) { free(a->log_p), free(a->standard_error), free(a->latent), free(a->status); }

static double worst_log_p(const Answer *a, const FlowTensor *expected, uint64_t count) {
  double worst = 0;
  for (uint64_t i = 0; i < count; i++) {
    double e = flow_tensor_at(expected, i), d = fabs(a->log_p[i] - e) / fmax(1, fabs(e));
    worst = d <= worst ? worst : d;
  }
  return worst;
}

START_TEST(log_p_with_the_exact_trace_along_a_solve_is_that_of_pytorch) {
  const Row *row = &rows[_i];
  ModelFile m = model_open_with(row->program, row->data, row->flow, FLOW_F64, 0, FLOW_ENTRY_STEP, FLOW_LOG_P, 0);
  Answer a = log_likelihood(&m, row, "midpoint", 100, 0, row->points, 0, 2);
  double d = worst_log_p(&a, value(&m, row, "logp_midpoint_exact"), row->points);
  ck_assert_msg(d <= 1e-11, "%s%s: log p, %.3g", row->prefix, row->program, d);
  d = distance(&m, a.latent, value(&m, row, "x0_of_y_midpoint"), row->points * m.model->dim, 1);
  ck_assert_msg(d <= 1e-11, "%s%s: latent points, %.3g", row->prefix, row->program, d);
  answer_free(&a);
  model_close(&m);
} END_TEST

/* rk4, of order 4 for the smooth ones.  ELU's divergence has kinks and SELU's jumps, at which a step loses that order, so that
 * they need the more.  One image, since its trace has 64 directions; its velocity turns with cos 100t. */
START_TEST(log_p_with_small_steps_is_the_accurate_one) {
  const Row *row = &rows[_i];
  bool kinks = strcmp(row->program, "moons_elu") == 0, jumps = row->mixture > 0;
  uint64_t points = row->points < 8 ? 1 : row->points < 16 ? row->points / 2 : 16, steps = jumps ? 4000 : kinks ? 1000 : 200;
  ModelFile m = model_open_with(row->program, row->data, row->flow, FLOW_F64, 0, FLOW_ENTRY_STEP, FLOW_LOG_P, 0);
  Answer a = log_likelihood(&m, row, "rk4", steps, 0, points, 0, 2);
  double d = worst_log_p(&a, value(&m, row, "logp_exact_f64"), points);
  ck_assert_msg(d <= (kinks || jumps ? 1e-4 : 1e-6), "%s%s: %.3g", row->prefix, row->program, d);
  answer_free(&a);
  model_close(&m);
} END_TEST

/* A tolerance of 1e-10 of each step adds up to less than 1e-7; kinks are steps that are rejected until they are small. */
START_TEST(log_p_by_steps_that_adapt_is_the_accurate_one) {
  const Row *row = &rows[_i];
  uint64_t points = row->points < 8 ? 1 : row->points < 16 ? 4 : 16;
  ModelFile m = model_open_with(row->program, row->data, row->flow, FLOW_F64, 0, FLOW_ENTRY_ATTEMPT | FLOW_ENTRY_EVAL_LANE, FLOW_LOG_P, 0);
  Answer a = log_likelihood(&m, row, "dopri5", 0, 0, points, 0, 2);
  double d = worst_log_p(&a, value(&m, row, "logp_exact_f64"), points);
  ck_assert_msg(d <= 1e-6, "%s%s: %.3g", row->prefix, row->program, d);
  answer_free(&a);
  model_close(&m);
} END_TEST

/* f32 rounds states and rates to 6e-8 of themselves, a few hundred times; the sums add nothing to that. */
START_TEST(log_p_in_f32_is_near_that_in_f64) {
  const Row *row = &rows[_i];
  ModelFile m = model_open_with(row->program, row->data, row->flow, FLOW_F32, 0, FLOW_ENTRY_STEP, FLOW_LOG_P, 0);
  Answer a = log_likelihood(&m, row, "midpoint", 100, 0, row->points, 0, 2);
  double d = worst_log_p(&a, value(&m, row, "logp_midpoint_exact"), row->points);
  ck_assert_msg(d <= 2e-4, "%s%s: %.3g", row->prefix, row->program, d);
  answer_free(&a);
  model_close(&m);
} END_TEST

static flow_status take_forward(void *user, const FlowRows *got, flow_error *error) {
  (void)error;
  for (uint64_t i = 0; i < got->count; i++) ((double *)user)[got->first + i] = flow_rows_log_p(got, i, false, false).log_p;
  return FLOW_OK;
}

START_TEST(samples_carry_the_log_p_that_pytorch_finds_on_the_same_way) {
  const Row *row = &rows[_i];
  flow_error error = {{0}};
  ModelFile m = model_open_with(row->program, row->data, row->flow, FLOW_F64, 0, FLOW_ENTRY_STEP, FLOW_LOG_P, 0);
  Conditions conditions;
  const FlowTensor *expected = flow_tensors_find(&m.values, "logp_of_sample_f64");
  if (row->prefix[0] == 0) {            /* stored for these */
    FlowSource source = latent_source(&m, row), x0 = {.kind = FLOW_SOURCE_TENSOR, .dim = m.model->dim, .tensor = model_value(&m, "x0"), .name = "x0"};
    double *log_p = calloc(row->points, 8);
    FlowSampling what = {.model = m.model, .weights = m.blob.data, .source = &x0, .end = row->points, .tableau = flow_tableau_find("midpoint"),
                         .steps = 100, .t0 = 0, .t1 = 1, .condition = conditions_of(&m, row, "x0_c", NULL, &conditions), .density = &source,
                         .threads = 2, .allocator = &flow_standard_allocator, .sink = take_forward, .user = log_p};
    ck_assert_msg(!flow_sample(&what, &error), "%s", error.text);
    double d = distance(&m, log_p, expected, row->points, 1);
    ck_assert_msg(d <= 1e-11, "%s: %.3g", row->program, d);
    free(log_p);
  }
  model_close(&m);
} END_TEST

/* ---- bits ------------------------------------------------------------------------------------------------------------------------ */

static void same_bits(const Row *row, uint32_t probes) {
  FlowExtras extras = probes ? FLOW_PROBES : FLOW_LOG_P;
  ModelFile wide = model_open_with(row->program, row->data, row->flow, FLOW_F32, FLOW_CPU_V4, FLOW_ENTRY_STEP, extras, probes);
  ModelFile narrow = model_open_with(row->program, row->data, row->flow, FLOW_F32, FLOW_CPU_V3, FLOW_ENTRY_STEP, extras, probes);
  uint64_t all = row->points < 8 && !probes ? 9 : 64;   /* images are few */
  Answer whole = log_likelihood(&wide, row, "midpoint", 2, 0, all, probes, 1);
  const uint64_t batch[] = {1, 7, 50};
  for (int b = 0; b < 3; b++) {
    const ModelFile *m = b == 1 ? &wide : &narrow;
    for (uint64_t first = 0; first < all; first += batch[b]) {
      uint64_t end = first + batch[b] < all ? first + batch[b] : all;
      Answer part = log_likelihood(m, row, "midpoint", 2, first, end, probes, b + 1);
      ck_assert_msg(!memcmp(part.log_p, whole.log_p + first, (end - first) * 8), "%s%s: batches of %d", row->prefix, row->program, (int)batch[b]);
      ck_assert(!memcmp(part.standard_error, whole.standard_error + first, (end - first) * 8));
      answer_free(&part);
    }
  }
  answer_free(&whole);
  model_close(&wide);
  model_close(&narrow);
}

START_TEST(log_p_has_the_same_bits_in_any_batch_on_any_threads_at_any_vector_width) { same_bits(&rows[_i], 0); } END_TEST
START_TEST(estimates_have_the_same_bits_in_any_batch_on_any_threads_at_any_vector_width) { same_bits(&rows[_i], 2); } END_TEST

/* ---- closed forms ------------------------------------------------------------------------------------------------------------------ */

typedef struct Closed { const char *name, *x, *end, *log_p; double own_times; } Closed;
static const Closed closed[] = {{"mixture2", "x", "x1", "logp_x1", 0}, {"mixture8", "x", "x1", "logp_x1", 0},
                                {"linear", "x0", "xt", "logp_t_at_xt", 1}, {"rotation", "x", "xt", "logp_t_at_xt", 1},
                                {"radial", "x", "xt", "logp_t_at_xt", 1}, {"taylor_green", "x", NULL, NULL, 0}, {"abc", "x", NULL, NULL, 0}};
enum { CLOSED = sizeof closed / sizeof *closed, WITH_LOG_P = 5 };

static const FlowTensor *closed_value(const ModelFile *m, const Closed *c, const char *name) {
  char full[64];
  snprintf(full, sizeof full, "%s/%s", c->name, name);
  return flow_tensors_find(&m->values, full);
}

static void closed_derivative(const Closed *c, FlowExtras extras) {
  static const double zero = 0;
  const FlowTensor never = {.name = "t", .type = FLOW_TYPE_F64, .count = 1, .data = &zero};
  ModelFile m = model_open_with(c->name, "closed_forms", NULL, FLOW_F64, 0, FLOW_ENTRY_EVAL | FLOW_ENTRY_EVAL_LANE, extras, 0);
  const FlowTensor *t = closed_value(&m, c, "t"), *x = closed_value(&m, c, c->x);
  const FlowTensor *expected = closed_value(&m, c, extras == FLOW_JVP ? "jvp" : "divergence");
  double *extra = calloc(64 * m.model->extras, 8), worst = 0;
  void *u = model_velocity_and(&m, t ? t : &never, x, closed_value(&m, c, "tangent"), extra);
  for (uint64_t i = 0; i < 64 * m.model->extras; i++) {
    double e = flow_tensor_at(expected, expected->count == 1 ? 0 : i), d = fabs((extras == FLOW_JVP ? 1 : -1) * extra[i] - e) / fmax(1, fabs(e));
    worst = d <= worst ? worst : d;
  }
  ck_assert_msg(worst <= 1e-12, "%s: %.3g", c->name, worst);    /* mixture8 cancels products of up to 1e3 far out */
  free(u), free(extra);
  model_close(&m);
}

START_TEST(divergences_of_closed_forms_are_exact_to_rounding) { closed_derivative(&closed[_i], FLOW_LOG_P); } END_TEST
START_TEST(jacobians_of_closed_forms_times_a_vector_are_exact_to_rounding) { closed_derivative(&closed[_i], FLOW_JVP); } END_TEST

/* Each point at its own time is a likelihood of its own.  rk4 with 2000 steps (200 where the times are many) is at 1e-9. */
START_TEST(log_p_of_closed_forms_is_the_formula) {
  const Closed *c = &closed[_i];
  flow_error error = {{0}};
  ModelFile m = model_open_with(c->name, "closed_forms", NULL, FLOW_F64, 0, FLOW_ENTRY_STEP, FLOW_LOG_P, 0);
  const FlowTensor *t = closed_value(&m, c, "t"), *expected = closed_value(&m, c, c->log_p);
  FlowSource source = {.kind = FLOW_SOURCE_NORMAL, .dim = m.model->dim};
  double log_p[64];
  uint8_t status[64];
  for (uint64_t i = 0; i < (c->own_times > 0 ? 64 : 1); i++) {
    FlowSampling solve = {.model = m.model, .weights = m.blob.data, .source = &source, .first = i, .end = c->own_times > 0 ? i + 1 : 64,
                          .tableau = flow_tableau_find("rk4"), .steps = c->own_times > 0 ? 200 : 2000,
                          .t1 = c->own_times > 0 ? flow_tensor_at(t, i) : 1, .threads = 1, .allocator = &flow_standard_allocator};
    FlowLikelihood what = {.solve = solve, .data = closed_value(&m, c, c->end), .log_p = log_p + i, .status = status + i};
    ck_assert_msg(!flow_log_likelihood(&what, &error), "%s", error.text);
  }
  double d = distance(&m, log_p, expected, 64, 1);
  ck_assert_msg(d <= 1e-7, "%s: %.3g", c->name, d);
  model_close(&m);
} END_TEST

/* ---- mass -------------------------------------------------------------------------------------------------------------------------- */

enum { SIDE = 200 };
typedef struct Mass { const char *program, *data; double low[2], high[2], tolerance; } Mass;
/* The smooth mixture is summed exactly but for its tails; the moons' ridges are about four points of the grid wide. */
static const Mass masses[] = {{"mixture2", "closed_forms", {-5, -3}, {5, 4}, 1e-4}, {"moons_elu", "moons_elu", {-1.8, -1.2}, {2.8, 1.7}, 1e-2}};

START_TEST(a_density_integrates_to_one) {
  const Mass *mass = &masses[_i];
  flow_error error = {{0}};
  ModelFile m = model_open_with(mass->program, mass->data, NULL, FLOW_F32, 0, FLOW_ENTRY_STEP, FLOW_LOG_P, 0);
  double *x = calloc(2 * SIDE * SIDE, sizeof *x), *log_p = calloc(SIDE * SIDE, sizeof *log_p), sum = 0, cell = 1;
  uint8_t *status = calloc(SIDE * SIDE, 1);
  for (int c = 0; c < 2; c++) cell *= (mass->high[c] - mass->low[c]) / SIDE;
  for (int i = 0; i < SIDE * SIDE; i++)
    for (int c = 0; c < 2; c++) x[2 * i + c] = mass->low[c] + (mass->high[c] - mass->low[c]) * ((c ? i % SIDE : i / SIDE) + 0.5) / SIDE;
  FlowTensor grid = {.name = "", .type = FLOW_TYPE_F64, .rank = 2, .dim = {SIDE * SIDE, 2}, .count = 2 * SIDE * SIDE, .data = x};
  FlowSource source = {.kind = FLOW_SOURCE_NORMAL, .dim = 2};
  FlowLikelihood what = {.solve = {.model = m.model, .weights = m.blob.data, .source = &source, .end = SIDE * SIDE, .steps = 30, .t1 = 1,
                                   .tableau = flow_tableau_find("rk4"), .threads = 2, .allocator = &flow_standard_allocator},
                         .data = &grid, .log_p = log_p, .status = status};
  ck_assert_msg(!flow_log_likelihood(&what, &error), "%s", error.text);
  for (int i = 0; i < SIDE * SIDE; i++) sum += exp(log_p[i]) * cell;
  ck_assert_msg(fabs(sum - 1) <= mass->tolerance, "%s: %.6f", mass->program, sum);
  free(x), free(log_p), free(status);
  model_close(&m);
} END_TEST

int main(void) {
  Suite *suite = suite_create("log p");
  TCase *tcase = tcase_create("reference");
  tcase_set_timeout(tcase, 200);
  tcase_add_loop_test(tcase, derivatives_in_f64_are_those_of_pytorch, 0, ROWS * PRODUCTS);
  tcase_add_loop_test(tcase, derivatives_in_f32_are_near_those_of_pytorch, 0, ROWS * PRODUCTS);
  tcase_add_loop_test(tcase, estimates_with_given_probes_along_a_solve_are_those_of_pytorch, 0, ROWS);
  tcase_add_loop_test(tcase, log_p_with_the_exact_trace_along_a_solve_is_that_of_pytorch, 0, WITH_EXACT);
  tcase_add_loop_test(tcase, log_p_with_small_steps_is_the_accurate_one, 0, WITH_EXACT);
  tcase_add_loop_test(tcase, log_p_by_steps_that_adapt_is_the_accurate_one, 0, WITH_EXACT - 2);
  tcase_add_loop_test(tcase, log_p_in_f32_is_near_that_in_f64, 0, WITH_EXACT - 2);
  tcase_add_loop_test(tcase, samples_carry_the_log_p_that_pytorch_finds_on_the_same_way, 0, WITH_EXACT);
  tcase_add_loop_test(tcase, log_p_has_the_same_bits_in_any_batch_on_any_threads_at_any_vector_width, 0, WITH_EXACT - 1);
  tcase_add_loop_test(tcase, estimates_have_the_same_bits_in_any_batch_on_any_threads_at_any_vector_width, 0, WITH_EXACT);
  tcase_add_loop_test(tcase, divergences_of_closed_forms_are_exact_to_rounding, 0, CLOSED);
  tcase_add_loop_test(tcase, jacobians_of_closed_forms_times_a_vector_are_exact_to_rounding, 0, CLOSED);
  tcase_add_loop_test(tcase, log_p_of_closed_forms_is_the_formula, 0, WITH_LOG_P);
  tcase_add_loop_test(tcase, a_density_integrates_to_one, 0, 2);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
