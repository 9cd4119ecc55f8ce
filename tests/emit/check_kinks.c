/* SPDX-License-Identifier: Apache-2.0 */
/* check_kinks.c -- adaptive solves of networks with kinks: exact paths and log-densities are met, and at what price.
 *
 * The price is evaluations of the middle sample against those of a twin: the same weights, the activation made smooth.  At a kink
 * of ELU the divergence has a jump in its slope, so a step of length h over it errs by h^2; at one of SELU it jumps itself, an
 * error of h.  Every path crosses about 140 (ELU) or 50 (SELU) of them.  An estimate that is honest must shorten the step until
 * that is below the tolerance: 3 times the twin's evaluations hold for ELU; for SELU no control of the step can reach them. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "../models/model_file.h"
#include "adaptive.h"
#include "likelihood.h"
#include "run_suite.h"
#include "source.h"

/* ltol: the tolerance of log p, x has 1e-9; price: evaluations at most, in those of the twin. */
static const struct { const char *name, *data, *method; double ltol, price; IrSmoothness smoothness; } row[] = {
    {"elu", "moons_elu", "dopri5", 1e-9, 3, IR_C1},
    {"elu", "moons_elu", "tsit5", 1e-9, 3, IR_C1},
    {"selu", "gaussians8_to_moons", "dopri5", 1e-9, 30, IR_C0},
    {"selu", "gaussians8_to_moons", "tsit5", 1e-9, 30, IR_C0},
};
enum { ROWS = sizeof row / sizeof row[0], SAMPLES = 48, DIM = 2 };

typedef struct Solved { double x[SAMPLES][DIM], log_p[SAMPLES]; } Solved;

static flow_status take(void *user, const FlowRows *rows, flow_error *error) {
  Solved *to = user;
  (void)error;
  for (uint64_t i = 0; i < rows->count; i++) {
    ck_assert_uint_eq(rows->status[i], FLOW_SAMPLE_OK);
    memcpy(to->x[rows->first + i], (const double *)rows->value + i * DIM, sizeof to->x[0]);
    to->log_p[rows->first + i] = flow_rows_log_p(rows, i, false, false).log_p;
  }
  return FLOW_OK;
}

static ModelFile open_flow(int i, const char *flow) {
  char program[64];
  snprintf(program, sizeof program, "../emit/kinked_%s", row[i].name);
  return model_open_with(program, row[i].data, flow, FLOW_F64, 0, FLOW_ENTRY_EVAL_LANE | FLOW_ENTRY_ATTEMPT, FLOW_LOG_P, 0);
}

/* From the stored starts, their density that of the flow's source; the evaluations of the middle sample. */
static uint64_t solve(const ModelFile *m, const char *method, double ltol, Solved *to) {
  FlowSource density, starts = {.kind = FLOW_SOURCE_TENSOR, .dim = DIM, .tensor = model_value(m, "x0"), .name = "x0"};
  FlowAdaptiveSummary summary;
  flow_error error = {{0}};
  ck_assert_msg(!flow_compiled_source(m->compiled, &density, &error), "%s", error.text);
  FlowAdaptive what = {.sampling = {.model = m->model, .weights = m->blob.data, .source = &starts, .density = &density, .end = SAMPLES,
                                    .tableau = flow_tableau_find(method), .t1 = 1, .threads = 2, .allocator = &flow_standard_allocator,
                                    .sink = take, .user = to},
                       .tolerance = {1e-9, 1e-9, ltol}, .summary = &summary};
  ck_assert_msg(!flow_sample_adaptive(&what, &error), "%s", error.text);
  return summary.median_evaluations;
}

START_TEST(exact_paths_and_densities_are_met_at_a_known_price) {
  Solved *kinked = calloc(1, sizeof *kinked), *smooth = calloc(1, sizeof *smooth);
  flow_error error = {{0}};
  IrSmoothness smoothness;
  ModelFile m = open_flow(_i, "kinked"), twin = open_flow(_i, "smooth");
  ck_assert(!flow_compiled_smoothness(m.compiled, &smoothness, &error));
  ck_assert_int_eq(smoothness, row[_i].smoothness);
  ck_assert(!flow_compiled_smoothness(twin.compiled, &smoothness, &error));
  ck_assert_int_eq(smoothness, IR_SMOOTH);
  double *x1 = model_numbers(model_value(&m, "x1_exact_f64")), *log_p = model_numbers(model_value(&m, "logp_of_sample_exact_f64"));
  uint64_t evaluations = solve(&m, row[_i].method, row[_i].ltol, kinked), of_twin = solve(&twin, row[_i].method, row[_i].ltol, smooth);
  double worst_x = 0, worst_log_p = 0;
  for (int i = 0; i < SAMPLES; i++) {
    for (int c = 0; c < DIM; c++) worst_x = fmax(worst_x, fabs(kinked->x[i][c] - x1[i * DIM + c]));
    worst_log_p = fmax(worst_log_p, fabs(kinked->log_p[i] - log_p[i]));
  }
  if (getenv("PATHS")) printf("%s %s: x %.2g, log p %.2g, %llu evaluations, twin %llu\n", row[_i].name, row[_i].method, worst_x, worst_log_p,
                              (unsigned long long)evaluations, (unsigned long long)of_twin);
  ck_assert_double_le(worst_x, 1e-6);
  ck_assert_double_le(worst_log_p, 2e-5);
  ck_assert_double_le((double)evaluations, row[_i].price * (double)of_twin);
  free(x1), free(log_p), free(kinked), free(smooth);
  model_close(&m), model_close(&twin);
} END_TEST

int main(void) {
  Suite *suite = suite_create("kinks");
  TCase *tcase = tcase_create("trained networks");
  tcase_set_timeout(tcase, 120);
  tcase_add_loop_test(tcase, exact_paths_and_densities_are_met_at_a_known_price, 0, ROWS);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
