/* SPDX-License-Identifier: Apache-2.0 */
/* check_eval.c -- the velocity of rows of states. */
#include "eval.h"
#include "rates.h"
#include "run.h"
#include "suite.h"

enum { COUNT = 200 };

/* u(t, x) of COUNT states for one field in all f32 configurations; t[0] for all or one for each. */
typedef struct Case {
  Run run;
  FlowEvaluation what;
  float x[COUNT * DOUBLE_MOST_DIM], u[COUNT * DOUBLE_MOST_DIM];
  double t[COUNT];
} Case;

static void case_open(Case *c, DoubleField field, DoubleConfiguration configuration) {
  memset(c, 0, sizeof *c);
  run_open(&c->run, field, configuration, COUNT);
  for (int i = 0; i < COUNT * DOUBLE_MOST_DIM; i++) c->x[i] = (float)(i % 37) / 7 - 2;
  for (int i = 0; i < COUNT; i++) c->t[i] = (double)i / 100 - 0.3;
  c->what = (FlowEvaluation){.model = c->run.what.model, .level = c->run.what.level, .weights = c->run.blob.data, .count = COUNT,
                             .t = c->t, .x = c->x, .u = c->u, .condition = c->run.condition, .threads = 1,
                             .allocator = &flow_standard_allocator};
}

START_TEST(velocities_are_the_reference_bit_for_bit_with_one_time_or_many) {
  for (DoubleField field = 0; field < DOUBLE_FIELD_COUNT; field++)
    for (int configuration = 0; configuration < 3; configuration++)
      for (int many = 0; many < 2; many++) {
        Case c;
        case_open(&c, field, (DoubleConfiguration)configuration);
        uint32_t dim = c.what.model->dim;
        c.what.t_per_sample = many;
        ck_assert_int_eq(flow_evaluate(&c.what, NULL), FLOW_OK);
        for (uint32_t i = 0; i < COUNT; i++) {
          float u[DOUBLE_MOST_DIM];
          double_velocity_f32(field, c.t[many ? i : 0], c.run.condition_value, c.x + i * dim, u);
          ck_assert_mem_eq(c.u + i * dim, u, dim * sizeof *u);
        }
        run_close(&c.run);
      }
}
END_TEST

START_TEST(velocities_do_not_depend_on_count_or_threads) {
  Case whole;
  case_open(&whole, DOUBLE_driven, DOUBLE_f32_48);
  whole.what.t_per_sample = true;
  ck_assert_int_eq(flow_evaluate(&whole.what, NULL), FLOW_OK);
  for (uint64_t count = 0; count <= COUNT; count++) {
    Case c;
    case_open(&c, DOUBLE_driven, (DoubleConfiguration)(count % 3));
    c.what.t_per_sample = true;
    c.what.count = count;
    c.what.threads = 1 + (int)(count % 4);
    ck_assert_int_eq(flow_evaluate(&c.what, NULL), FLOW_OK);
    ck_assert_mem_eq(c.u, whole.u, count * 2 * sizeof(float));
    ck_assert(count == COUNT || c.u[2 * count] == 0);
    run_close(&c.run);
  }
  run_close(&whole.run);
}
END_TEST

START_TEST(every_allocation_may_fail_and_nothing_leaks) {
  for (uint64_t n = 1;; n++) {
    Failing failing;
    FlowAllocator allocator = failing_allocator(&failing);
    failing.fail_at = n;
    Case c;
    flow_error error;
    case_open(&c, DOUBLE_driven, DOUBLE_f32_8);
    c.what.allocator = &allocator;
    flow_status status = flow_evaluate(&c.what, &error);
    run_close(&c.run);
    ck_assert_uint_eq(failing.in_use, 0);
    if (failing.calls < n) {
      ck_assert_int_eq(status, FLOW_OK);
      ck_assert_uint_gt(n, 3);
      break;
    }
    ck_assert_int_eq(status, FLOW_NO_MEMORY);
    ck_assert_words(error, "out of memory");
  }
}
END_TEST

START_TEST(what_a_model_computes_beside_its_velocity_is_delivered) {
  enum { N = 19 };
  double x[N][3], u[N][3], extra[N][2], t = 0.5, probe[6] = {1, 0, 0, 0, -2, 1};
  FlowTensor probes = {.name = "", .type = FLOW_TYPE_F64, .rank = 1, .dim = {6}, .count = 6, .data = probe};
  Rates rates;
  rates_open(&rates, &rates_linear, FLOW_F64, 8, 4, 2);
  for (int i = 0; i < N; i++)
    for (int c = 0; c < 3; c++) x[i][c] = i + 0.25 * c;
  FlowEvaluation what = {.model = &rates.model, .level = &rates.level, .weights = rates.weights, .count = N, .t = &t, .x = x, .u = u,
                         .extra = extra, .condition = &probes, .threads = 2, .allocator = &flow_standard_allocator};
  ck_assert_int_eq(flow_evaluate(&what, NULL), FLOW_OK);
  for (int i = 0; i < N; i++) {
    double expected[3];
    rates_linear.velocity(rates_linear.p, t, x[i], expected);
    ck_assert_mem_eq(u[i], expected, sizeof expected);
    ck_assert_double_eq(extra[i][0], -1);                       /* -A_00 */
    ck_assert_double_eq(extra[i][1], -(4 * -0.5 - 2 * 1 - 2 * -0.75 + 1));
  }
  rates_close(&rates);
}
END_TEST

static int refusing(const flow_call *call) {
  (void)call;
  return -7;
}

START_TEST(what_a_model_cannot_do_is_said) {
  Case c;
  flow_error error;
  case_open(&c, DOUBLE_driven, DOUBLE_f32_8);
  flow_level level = *c.what.level;
  level.eval_lane = NULL;
  level.eval = refusing;
  c.what.level = &level;
  ck_assert_int_eq(flow_evaluate(&c.what, &error), FLOW_INTERNAL);
  ck_assert_words(error, "its function 'eval' refused the call (-7)");
  c.what.t_per_sample = true;
  ck_assert_int_eq(flow_evaluate(&c.what, &error), FLOW_BAD_CALL);
  ck_assert_words(error, "without its velocity for a time for each sample");
  c.what.condition = NULL;
  ck_assert_int_eq(flow_evaluate(&c.what, &error), FLOW_BAD_INPUT);
  run_close(&c.run);
}
END_TEST

TEST_MAIN("eval", velocities_are_the_reference_bit_for_bit_with_one_time_or_many, velocities_do_not_depend_on_count_or_threads,
          what_a_model_computes_beside_its_velocity_is_delivered, every_allocation_may_fail_and_nothing_leaks, what_a_model_cannot_do_is_said)
