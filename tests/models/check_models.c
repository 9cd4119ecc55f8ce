/* SPDX-License-Identifier: Apache-2.0 */
/* check_models.c -- trained models and closed forms give the values that other tools computed (tests/reference). */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "model_file.h"
#include "run_suite.h"

/* ---- the rows: a program, its data, a flow, the prefix of its arrays, what conditions it ------------------------------ */

typedef struct Row { const char *program, *data, *flow, *prefix, *condition; double guidance; } Row;
static const Row trained[] = {
    {"moons_elu", "moons_elu", NULL, "", NULL, 0},
    {"checkerboard_swish", "checkerboard_swish", NULL, "", NULL, 0},
    {"gaussians8_to_moons", "gaussians8_to_moons", NULL, "", NULL, 0},
    {"ffjord_tanh", "ffjord_tanh", NULL, "", NULL, 0},
    {"wine_mlp", "wine_mlp", NULL, "", NULL, 0},
    {"digits_residual", "digits_residual", "digits", "", "c", 0},
    {"digits_residual", "digits_residual", "null_digits", "null_", NULL, 0},
    {"digits_residual", "digits_residual", "guide", "guided_", "c", 2},
};
enum { TRAINED = sizeof trained / sizeof *trained };

static const FlowTensor *row_value(const ModelFile *m, const Row *row, const char *name) {
  char full[64];
  snprintf(full, sizeof full, "%s%s", row->prefix, name);
  return model_value(m, full);
}

/* The class of each sample and, for the guided field, the one weight of guidance. */
typedef struct Conditions { FlowTensor tensor[2]; double guidance; } Conditions;
static const FlowTensor *row_conditions(const ModelFile *m, const Row *row, const char *name, Conditions *to) {
  if (!row->condition) return NULL;
  to->guidance = row->guidance;
  to->tensor[0] = *model_value(m, name);
  to->tensor[1] = (FlowTensor){.name = "w", .type = FLOW_TYPE_F64, .count = 1, .data = &to->guidance};
  return to->tensor;
}

/* max |a - b| / max |b| */
static double distance(const ModelFile *m, const void *typed, const FlowTensor *expected) {
  double worst = 0, top = 0;
  for (uint64_t i = 0; i < expected->count; i++) {
    double e = flow_tensor_at(expected, i), d = fabs(model_at(m, typed, i) - e);
    worst = d <= worst ? worst : d;             /* a NaN is the worst */
    top = fmax(top, fabs(e));
  }
  return worst / top;
}

/* ---- velocities ------------------------------------------------------------------------------------------------------------ */

static void velocity_within(const Row *row, int precision, double tolerance) {
  ModelFile m = model_open(row->program, row->data, row->flow, precision, 0, FLOW_ENTRY_EVAL_LANE);
  Conditions conditions;
  void *u = model_velocity(&m, model_value(&m, "eval_t"), model_value(&m, "eval_x"), row_conditions(&m, row, "eval_c", &conditions));
  double d = distance(&m, u, row_value(&m, row, "velocity_f64"));
  ck_assert_msg(d <= tolerance, "%s%s, f%d: %.3g of the largest component, allowed %.3g", row->prefix, row->program, precision * 8, d, tolerance);
  free(u);
  model_close(&m);
}

/* The stored values are good to 1e-13 (1e-12 for digits), and sums of 512 terms round at about 1e-15. */
START_TEST(trained_velocities_in_f64_are_those_of_pytorch) { velocity_within(&trained[_i], FLOW_F64, 1e-12); } END_TEST
/* 2e-6 of the largest component; PyTorch's own f32 is off by up to 5e-7 of it. */
START_TEST(trained_velocities_in_f32_are_those_of_pytorch) { velocity_within(&trained[_i], FLOW_F32, 2e-6); } END_TEST

/* ---- solves ---------------------------------------------------------------------------------------------------------------- */

typedef struct Solve { const char *array, *solver; uint64_t steps; } Solve;
static const Solve solves[] = {{"x1_euler", "euler", 100}, {"x1_midpoint", "midpoint", 100}, {"x1_rk4", "rk4", 50}};

static void solves_within(const Row *row, int precision, double tolerance) {
  ModelFile m = model_open(row->program, row->data, row->flow, precision, 0, FLOW_ENTRY_STEP);
  Conditions conditions;
  for (size_t i = 0; i < sizeof solves / sizeof *solves; i++) {
    const FlowTensor *x0 = model_value(&m, "x0");
    ModelSolve how = {solves[i].solver, solves[i].steps, 0, x0->dim[0], 0, 1, 2, x0, row_conditions(&m, row, "x0_c", &conditions)};
    void *x1 = model_solve(&m, &how);
    double d = distance(&m, x1, row_value(&m, row, solves[i].array));
    ck_assert_msg(d <= tolerance, "%s%s %s, f%d: %.3g of the largest component, allowed %.3g", row->prefix, row->program, solves[i].array,
                  precision * 8, d, tolerance);
    free(x1);
  }
  model_close(&m);
}

START_TEST(solves_of_trained_models_in_f64_end_where_pytorch_ends) { solves_within(&trained[_i], FLOW_F64, 1e-10); } END_TEST
START_TEST(solves_of_trained_models_in_f32_end_where_pytorch_ends) { solves_within(&trained[_i], FLOW_F32, 1e-4); } END_TEST

/* ---- closed forms ------------------------------------------------------------------------------------------------------------ */

typedef struct Closed { const char *name, *x, *velocity, *x0, *x1; double end; uint64_t steps; } Closed;
static const Closed closed[] = {
    {"mixture2", "x", "velocity", "x0", "x1", 1, 1000},
    {"mixture8", "x", "velocity", NULL, NULL, 1, 0},
    {"linear", "x0", "velocity_at_x0", NULL, NULL, 1, 0},
    {"rotation", "x", "velocity", NULL, NULL, 1, 0},
    {"radial", "x", "velocity", NULL, NULL, 1, 0},
    {"taylor_green", "x", "velocity", "x", "x5", 5, 1000},
    {"abc", "x", "velocity", "x", "x1", 1, 200},
};
enum { CLOSED = sizeof closed / sizeof *closed };

static const FlowTensor *closed_value(const ModelFile *m, const Closed *c, const char *name) {
  char full[64];
  snprintf(full, sizeof full, "%s/%s", c->name, name);
  return flow_tensors_find(&m->values, full);
}

static void closed_velocity_within(const Closed *c, int precision, double tolerance) {
  static const double zero = 0;
  const FlowTensor never = {.name = "t", .type = FLOW_TYPE_F64, .count = 1, .data = &zero};
  ModelFile m = model_open(c->name, "closed_forms", NULL, precision, 0, FLOW_ENTRY_EVAL | FLOW_ENTRY_EVAL_LANE);
  const FlowTensor *t = closed_value(&m, c, "t");
  void *u = model_velocity(&m, t ? t : &never, closed_value(&m, c, c->x), NULL);
  double d = distance(&m, u, closed_value(&m, c, c->velocity));
  ck_assert_msg(d <= tolerance, "%s, f%d: %.3g, allowed %.3g", c->name, precision * 8, d, tolerance);
  free(u);
  model_close(&m);
}

/* A few roundings of a few operations each. */
START_TEST(closed_form_velocities_in_f64_are_exact_to_rounding) { closed_velocity_within(&closed[_i], FLOW_F64, 2e-14); } END_TEST
START_TEST(closed_form_velocities_in_f32_are_exact_to_rounding) { closed_velocity_within(&closed[_i], FLOW_F32, 2e-6); } END_TEST

/* rk4's own error at these steps is below 1e-10 (order 4, halving the steps changes the end by less than 2e-9). */
START_TEST(closed_form_paths_end_where_an_accurate_solver_ends) {
  const Closed *c = &closed[_i];
  if (!c->x1) return;
  ModelFile m = model_open(c->name, "closed_forms", NULL, FLOW_F64, 0, FLOW_ENTRY_STEP);
  const FlowTensor *x0 = closed_value(&m, c, c->x0);
  void *x1 = model_solve(&m, &(ModelSolve){"rk4", c->steps, 0, x0->dim[0], 0, c->end, 1, x0, NULL});
  double d = distance(&m, x1, closed_value(&m, c, c->x1));
  ck_assert_msg(d <= 1e-9, "%s: %.3g", c->name, d);
  free(x1);
  model_close(&m);
} END_TEST

/* ---- the same bits ------------------------------------------------------------------------------------------------------------- */

enum { SAMPLES = 1000 };
static void same_bits(const ModelFile *a, const ModelFile *b, const Row *row, uint64_t chunk, int threads, const void *whole) {
  Conditions conditions;
  const FlowTensor *condition = row_conditions(b, row, "x0_c", &conditions);
  size_t row_bytes = (size_t)a->model->dim * a->model->precision;
  uint64_t samples = condition ? 250 : SAMPLES;
  for (uint64_t first = 0; first < samples; first += chunk) {
    uint64_t end = first + chunk < samples ? first + chunk : samples;
    void *part = model_solve(b, &(ModelSolve){"midpoint", 3, first, end, 0, 1, threads, NULL, condition});
    ck_assert_msg(!memcmp(part, (const char *)whole + first * row_bytes, (end - first) * row_bytes),
                  "%s%s: samples %llu .. %llu in chunks of %llu on %d threads have other bits", row->prefix, row->program,
                  (unsigned long long)first, (unsigned long long)end, (unsigned long long)chunk, threads);
    free(part);
  }
}

START_TEST(a_sample_has_the_same_bits_in_any_batch_on_any_threads_at_any_vector_width) {
  const Row *row = &trained[_i];
  ModelFile wide = model_open(row->program, row->data, row->flow, FLOW_F32, FLOW_CPU_V4, FLOW_ENTRY_STEP);
  ModelFile narrow = model_open(row->program, row->data, row->flow, FLOW_F32, FLOW_CPU_V3, FLOW_ENTRY_STEP);
  Conditions conditions;
  const FlowTensor *condition = row_conditions(&wide, row, "x0_c", &conditions);
  void *whole = model_solve(&wide, &(ModelSolve){"midpoint", 3, 0, condition ? 250 : SAMPLES, 0, 1, 1, NULL, condition});
  const uint64_t chunk[] = {7, 64, SAMPLES};
  for (size_t i = 0; i < 3; i++) {
    same_bits(&wide, &wide, row, chunk[i], (int)i + 1, whole);
    same_bits(&wide, &narrow, row, chunk[i], (int)(3 - i), whole);
  }
  same_bits(&wide, &narrow, row, 1, 1, whole);
  free(whole);
  model_close(&wide);
  model_close(&narrow);
} END_TEST

int main(void) {
  Suite *suite = suite_create("models");
  TCase *tcase = tcase_create("reference");
  tcase_set_timeout(tcase, 200);
  tcase_add_loop_test(tcase, trained_velocities_in_f64_are_those_of_pytorch, 0, TRAINED);
  tcase_add_loop_test(tcase, trained_velocities_in_f32_are_those_of_pytorch, 0, TRAINED);
  tcase_add_loop_test(tcase, solves_of_trained_models_in_f64_end_where_pytorch_ends, 0, TRAINED);
  tcase_add_loop_test(tcase, solves_of_trained_models_in_f32_end_where_pytorch_ends, 0, TRAINED);
  tcase_add_loop_test(tcase, closed_form_velocities_in_f64_are_exact_to_rounding, 0, CLOSED);
  tcase_add_loop_test(tcase, closed_form_velocities_in_f32_are_exact_to_rounding, 0, CLOSED);
  tcase_add_loop_test(tcase, closed_form_paths_end_where_an_accurate_solver_ends, 0, CLOSED);
  tcase_add_loop_test(tcase, a_sample_has_the_same_bits_in_any_batch_on_any_threads_at_any_vector_width, 0, TRAINED);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
