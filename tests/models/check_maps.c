/* SPDX-License-Identifier: Apache-2.0 */
/* check_maps.c -- a flow that is given by a map: the map and the equation of its velocity agree. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "compile.h"
#include "likelihood.h"
#include "run_suite.h"

enum { SAMPLES = 200, MOST_DIM = 4 };

/* A map with its inverse, two without (Newton's method finds it), one whose components do not mix, one of one component. */
static const char *const program[] = {
    "map shear(t, x: [2]) = [x[0] + t*sin(x[1]), x[1]*exp(t/2)]\n"
    "  inverse(t, y) =\n    let b = y[1]*exp(-t/2)\n    [y[0] - t*sin(b), b]\n"
    "flow f { source normal(2)  velocity of shear  solver rk4 steps 400 }\n",
    "map bend(t, x: [2]) = [x[0] + 0.3*t*tanh(x[1]), x[1] + 0.4*t*sin(x[0]) + t]\n"
    "flow f { source normal(2)  velocity of bend  solver rk4 steps 100 }\n",
    "let a = [[2, 0.5, 0], [0, 1, -0.3], [0.2, 0, 1.5]]\n"
    "map turn(t, x: [3]) = x + t*(a @ x - x)\n"
    "flow f { source uniform([-1, -1, -1], [1, 1, 1])  velocity of turn  solver rk4 steps 200 }\n",
    "map stretch(t, x: [2]) = exp(t*0.7) * x\n"
    "  inverse(t, y) = exp(-t*0.7) * y\n"
    "flow f { source normal(2)  velocity of stretch  solver rk4 steps 100 }\n",
    "map grow(t, x: [1]) = x + t*x^3/3\n"
    "flow f { source uniform([0.5], [1])  velocity of grow  solver rk4 steps 200  time 1 -> 0 }\n"};
enum { PROGRAMS = sizeof program / sizeof program[0] };

typedef struct Solved {
  FlowCompiled *compiled;
  const flow_model *model;
  FlowBlob blob;
  FlowSource source;
  double x[SAMPLES][MOST_DIM], log_p[SAMPLES];
  uint8_t status[SAMPLES];
} Solved;

static flow_status take(void *user, const FlowRows *rows, flow_error *error) {
  Solved *s = user;
  (void)error;
  for (uint64_t i = 0; i < rows->count; i++) {
    memcpy(s->x[rows->first + i], (const double *)rows->value + i * s->model->dim, s->model->dim * sizeof(double));
    s->log_p[rows->first + i] = flow_rows_log_p(rows, i, false, false).log_p;
    s->status[rows->first + i] = rows->status[i];
  }
  return FLOW_OK;
}

#define MUST(call) ck_assert_msg(!(call), "%s", error.text)

static Solved open_program(const char *text, bool as_velocity) {
  Solved s = {0};
  flow_error error = {{0}};
  FlowCompileOptions options = flow_compile_defaults();
  options.precision = FLOW_F64, options.extras = FLOW_LOG_P, options.as_velocity = as_velocity;
  MUST(flow_compile(&flow_standard_allocator, "map.flow", text, strlen(text), &options, &s.compiled, &error));
  MUST(flow_compiled_link(s.compiled, FLOW_ENTRY_STEP, &error));
  s.model = flow_compiled_model(s.compiled);
  MUST(flow_model_pack(&flow_standard_allocator, s.model, NULL, "none", &s.blob, &error));
  MUST(flow_compiled_source(s.compiled, &s.source, &error));
  return s;
}

static FlowSampling sampling_of(Solved *s) {
  const TypedFlow *flow = flow_compiled_flow(s->compiled);
  FlowSampling what = {.model = s->model, .weights = s->blob.data, .source = &s->source, .density = &s->source, .end = SAMPLES,
                       .tableau = flow_tableau_find(s->model->jump ? "euler" : flow->solver),
                       .steps = s->model->jump ? 1 : (uint64_t)flow->steps, .t0 = flow->time_from, .t1 = flow->time_to, .threads = 1,
                       .allocator = &flow_standard_allocator, .sink = take, .user = s};
  return what;
}

static void sample(Solved *s) {
  flow_error error = {{0}};
  FlowSampling what = sampling_of(s);
  MUST(flow_sample(&what, &error));
}

static void close_program(Solved *s) {
  flow_blob_free(&s->blob);
  flow_compiled_free(s->compiled);
}

/* rk4's error at these steps is below 1e-9 for maps with derivatives of order 1. */
START_TEST(a_map_and_the_equation_of_its_velocity_end_at_the_same_places_with_the_same_density) {
  Solved jump = open_program(program[_i], false), equation = open_program(program[_i], true);
  ck_assert_uint_eq(jump.model->jump, 1);
  ck_assert_uint_eq(equation.model->jump, 0);
  sample(&jump);
  sample(&equation);
  for (int i = 0; i < SAMPLES; i++) {
    ck_assert_int_eq(jump.status[i], FLOW_SAMPLE_OK);
    for (uint32_t k = 0; k < jump.model->dim; k++) ck_assert_double_eq_tol(jump.x[i][k], equation.x[i][k], 1e-8);
    ck_assert_double_eq_tol(jump.log_p[i], equation.log_p[i], 1e-8);
  }
  close_program(&jump);
  close_program(&equation);
}
END_TEST

/* The way back inverts the way there, both to rounding; Newton's method ends within some ulp of it. */
START_TEST(the_density_of_a_map_s_samples_is_the_same_from_both_ends) {
  Solved jump = open_program(program[_i], false);
  flow_error error = {{0}};
  sample(&jump);
  static double rows[SAMPLES * MOST_DIM], log_p[SAMPLES];
  static uint8_t status[SAMPLES];
  uint64_t dim = jump.model->dim;
  for (uint64_t i = 0; i < SAMPLES; i++) memcpy(rows + i * dim, jump.x[i], dim * sizeof(double));
  FlowTensor data = {.name = "", .type = FLOW_TYPE_F64, .rank = 2, .dim = {SAMPLES, dim}, .count = SAMPLES * dim, .data = rows};
  FlowLikelihoodSummary summary;
  FlowLikelihood what = {.solve = sampling_of(&jump), .data = &data, .data_name = "samples", .log_p = log_p, .status = status,
                         .check_points = 10, .summary = &summary};
  what.solve.density = NULL;
  MUST(flow_log_likelihood(&what, &error));
  for (int i = 0; i < SAMPLES; i++)
    if (status[i] == FLOW_SAMPLE_OK) ck_assert_double_eq_tol(log_p[i], jump.log_p[i], 1e-12);
  ck_assert_uint_ge(summary.solve.by_status[FLOW_SAMPLE_OK], SAMPLES * 9 / 10);   /* the edge of a uniform source may be missed by an ulp */
  ck_assert_double_le(summary.round_trip, 1e-13);
  close_program(&jump);
}
END_TEST

/* log p1(y) = log p0(y / e^0.7) - 2*0.7 for the stretch. */
START_TEST(a_stretched_normal_density_has_its_closed_form) {
  Solved jump = open_program(program[3], false);
  sample(&jump);
  for (int i = 0; i < SAMPLES; i++) {
    double a = jump.x[i][0] * exp(-0.7), b = jump.x[i][1] * exp(-0.7);
    ck_assert_double_eq_tol(jump.log_p[i], -(a * a + b * b) / 2 - log(2 * M_PI) - 1.4, 1e-13);
  }
  close_program(&jump);
}
END_TEST

/* x^3 has the derivative 0 at 0: no density there, and Newton's method does not end; its neighbours keep their bits. */
START_TEST(a_point_where_the_map_is_singular_fails_alone) {
  static const char text[] = "map cube(t, x: [1]) = (1 - t)*x + t*x^3\n"
                             "flow f { source uniform([-1], [1])  velocity of cube }\n";
  Solved jump = open_program(text, false);
  flow_error error = {{0}};
  double rows[] = {0.5, 0, -0.25}, alone[] = {0.5, 0.125, -0.25}, log_p[3], other[3];
  uint8_t status[3];
  FlowTensor data = {.name = "", .type = FLOW_TYPE_F64, .rank = 2, .dim = {3, 1}, .count = 3, .data = rows};
  FlowLikelihood what = {.solve = sampling_of(&jump), .data = &data, .data_name = "rows", .log_p = log_p, .status = status};
  what.solve.density = NULL, what.solve.end = 3;
  MUST(flow_log_likelihood(&what, &error));
  ck_assert_int_ne(status[1], FLOW_SAMPLE_OK);
  ck_assert(!isfinite(log_p[1]));
  ck_assert_double_eq_tol(log_p[0], log(0.5) - log(3 * pow(0.5, 2.0 / 3)), 1e-12);
  data.data = alone, what.log_p = other;
  MUST(flow_log_likelihood(&what, &error));
  ck_assert(!memcmp(&log_p[0], &other[0], sizeof(double)) && !memcmp(&log_p[2], &other[2], sizeof(double)));
  close_program(&jump);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("maps");
  TCase *tcase = tcase_create("maps");
  tcase_set_timeout(tcase, 60);
  tcase_add_loop_test(tcase, a_map_and_the_equation_of_its_velocity_end_at_the_same_places_with_the_same_density, 0, PROGRAMS);
  tcase_add_loop_test(tcase, the_density_of_a_map_s_samples_is_the_same_from_both_ends, 0, PROGRAMS);
  tcase_add_test(tcase, a_stretched_normal_density_has_its_closed_form);
  tcase_add_test(tcase, a_point_where_the_map_is_singular_fails_alone);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
