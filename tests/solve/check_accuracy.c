/* SPDX-License-Identifier: Apache-2.0 */
/* check_accuracy.c -- the search for the cheapest method: it keeps its promise, chooses the same everywhere, and gives up in words. */
#include "accuracy.h"
#include "run.h"
#include "suite.h"
#include <math.h>

/* A run of run.h to be searched for, and its model in f64. */
typedef struct Quest {
  Run run, reference;
  FlowAccuracy what;
  FlowAccuracyResult result;
} Quest;

static void open_quest(Quest *quest, DoubleField field, DoubleConfiguration configuration, double target) {
  memset(quest, 0, sizeof *quest);
  run_open(&quest->run, field, configuration, 1000);
  run_open(&quest->reference, field, DOUBLE_f64_24, 1000);
  quest->run.what.progress = NULL;
  quest->run.what.tableau = NULL;
  quest->what = (FlowAccuracy){.target = target, .points = 50, .confirmations = 200, .draws = true, .result = &quest->result};
}

static flow_status search(Quest *quest, flow_error *error) {
  quest->what.solve = quest->run.what;
  quest->what.reference = quest->reference.what;
  return flow_accuracy(&quest->what, error);
}

static void close_quest(Quest *quest) {
  run_close(&quest->run);
  run_close(&quest->reference);
}

/* Fixed steps or a tolerance, as they were chosen, over the run's own 1000 samples; cubic: x0/sqrt(1 + x0^2). */
static double worst_of_cubic(Quest *quest) {
  const FlowTrial *chosen = quest->result.chosen;
  FlowAdaptive adaptive = {.tolerance = {chosen->tolerance, chosen->tolerance, chosen->tolerance}};
  Run start;
  run_open(&start, DOUBLE_cubic, DOUBLE_f64_24, 1000);
  start.what.t1 = 1e-12;                /* where the samples begin, within 1e-12 */
  ck_assert_int_eq(run_collect(&start, NULL), FLOW_OK);
  quest->run.what.tableau = chosen->tableau;
  quest->run.what.steps = chosen->steps;
  quest->run.what.adaptive = chosen->adaptive ? &adaptive : NULL;
  ck_assert_int_eq(run_collect(&quest->run, NULL), FLOW_OK);
  double worst = 0;
  for (int i = 0; i < 1000; i++) {
    double x0 = ((const double *)(const void *)start.out.value)[i];
    double x = quest->run.what.model->precision == FLOW_F32 ? (double)((const float *)(const void *)quest->run.out.value)[i]
                                                            : ((const double *)(const void *)quest->run.out.value)[i];
    worst = fmax(worst, fabs(x - x0 / sqrt(1 + x0 * x0)));
  }
  run_close(&start);
  return worst;
}

static const struct { DoubleConfiguration configuration; double target; } promises[] = {
    {DOUBLE_f32_24, 1e-2}, {DOUBLE_f32_8, 1e-4}, {DOUBLE_f64_48, 1e-6}, {DOUBLE_f64_24, 1e-10}};
START_TEST(what_is_promised_holds_on_other_samples) {
  for (size_t i = 0; i < sizeof promises / sizeof *promises; i++) {
    Quest quest;
    flow_error error = {{0}};
    open_quest(&quest, DOUBLE_cubic, promises[i].configuration, promises[i].target);
    ck_assert_msg(search(&quest, &error) == FLOW_OK, "%s", error.text);
    ck_assert_ptr_nonnull(quest.result.chosen);
    ck_assert(quest.result.chosen->holds && quest.result.chosen->confirmed);
    ck_assert_uint_eq(quest.result.chosen->points, 200);
    ck_assert_double_le(quest.result.chosen->worst, promises[i].target / 2);
    ck_assert_double_le(quest.result.reference_error, promises[i].target / 4);
    double worst = worst_of_cubic(&quest);
    ck_assert_msg(worst <= promises[i].target, "%g of %g", worst, promises[i].target);
    close_quest(&quest);
  }
}
END_TEST

START_TEST(the_chosen_one_is_the_cheapest_that_holds) {
  Quest quest;
  open_quest(&quest, DOUBLE_rotation, DOUBLE_f64_24, 1e-4);
  ck_assert_int_eq(search(&quest, NULL), FLOW_OK);
  const FlowTrial *chosen = quest.result.chosen;
  ck_assert_ptr_eq(chosen, &quest.result.trial[0]);
  ck_assert_uint_eq(quest.result.trials, flow_tableau_count() + 4);      /* four of them adapt, too */
  for (uint32_t i = 0; i < quest.result.trials; i++)
    if (quest.result.trial[i].holds) ck_assert_double_ge(quest.result.trial[i].cost, chosen->cost);
  ck_assert_double_gt(quest.result.fixed_ns, 0);
  close_quest(&quest);
}
END_TEST

/* ... but for a tenth, which the search does not look into. */
START_TEST(fewer_steps_would_not_hold) {
  Quest quest;
  open_quest(&quest, DOUBLE_rotation, DOUBLE_f64_24, 1e-3);
  quest.what.only = flow_tableau_find("midpoint");
  quest.what.confirmations = 0;
  ck_assert_int_eq(search(&quest, NULL), FLOW_OK);
  const FlowTrial *chosen = quest.result.chosen;
  ck_assert_ptr_nonnull(chosen);
  ck_assert(!chosen->adaptive && chosen->steps > 4);
  /* the error falls with the square: at 9 of 10 steps it is 1.23 times as large */
  ck_assert_double_gt(chosen->worst * 1.24, 1e-3 / 2);
  close_quest(&quest);
}
END_TEST

START_TEST(threads_and_tiles_choose_the_same) {
  Quest one, other;
  open_quest(&one, DOUBLE_swing, DOUBLE_f32_8, 1e-4);
  open_quest(&other, DOUBLE_swing, DOUBLE_f32_48, 1e-4);
  one.run.what.threads = 1;
  other.run.what.threads = 3;
  ck_assert_int_eq(search(&one, NULL), FLOW_OK);
  ck_assert_int_eq(search(&other, NULL), FLOW_OK);
  ck_assert_uint_eq(one.result.trials, other.result.trials);
  for (uint32_t i = 0; i < one.result.trials; i++) {
    const FlowTrial *a = &one.result.trial[i], *b = &other.result.trial[i];
    ck_assert_ptr_eq(a->tableau, b->tableau);
    ck_assert_uint_eq(a->steps, b->steps);
    ck_assert_double_eq(a->tolerance, b->tolerance);
    ck_assert_double_eq(a->worst, b->worst);
  }
  close_quest(&one), close_quest(&other);
}
END_TEST

START_TEST(the_floor_of_f32_is_told) {
  Quest quest;
  open_quest(&quest, DOUBLE_rotation, DOUBLE_f32_24, 1e-8);
  ck_assert_int_eq(search(&quest, NULL), FLOW_OK);
  ck_assert_ptr_null(quest.result.chosen);
  ck_assert_double_gt(quest.result.floor, 5e-9);
  ck_assert_double_lt(quest.result.floor, 1e-6);
  close_quest(&quest);
}
END_TEST

/* Conditions are those of the samples; all rows of a short array are points. */
START_TEST(rows_and_conditions_are_the_points) {
  static float rows[30];
  Quest quest;
  for (int i = 0; i < 30; i++) rows[i] = 0.1f * (float)i;
  open_quest(&quest, DOUBLE_driven, DOUBLE_f32_8, 1e-3);
  FlowTensor tensor = {.name = "", .type = FLOW_TYPE_F32, .rank = 2, .dim = {15, 2}, .count = 30, .data = rows};
  FlowSource source = {.kind = FLOW_SOURCE_TENSOR, .dim = 2, .tensor = &tensor, .name = "rows"};
  quest.run.what.source = &source;
  quest.run.what.end = 15;
  quest.what.draws = false;
  flow_error error = {{0}};
  ck_assert_msg(search(&quest, &error) == FLOW_OK, "%s", error.text);
  ck_assert_uint_eq(quest.result.points, 15);
  ck_assert_ptr_nonnull(quest.result.chosen);
  ck_assert_uint_eq(quest.result.chosen->points, 15);
  close_quest(&quest);
}
END_TEST

static int stop_soon(void *user, uint64_t done, uint64_t total) {
  (void)done, (void)total;
  return --*(int *)user <= 0;
}

START_TEST(a_search_can_be_stopped) {
  for (int calls = 1; calls < 40; calls += 13) {
    Quest quest;
    flow_error error = {{0}};
    int left = calls;
    open_quest(&quest, DOUBLE_rotation, DOUBLE_f32_8, 1e-4);
    quest.run.what.progress = stop_soon;
    quest.run.what.user = &left;
    ck_assert_int_eq(search(&quest, &error), FLOW_CANCELLED);
    close_quest(&quest);
  }
}
END_TEST

START_TEST(what_makes_no_sense_is_refused) {
  Quest quest;
  flow_error error = {{0}};
  open_quest(&quest, DOUBLE_rotation, DOUBLE_f32_8, 0);
  ck_assert_int_eq(search(&quest, &error), FLOW_BAD_CALL);
  ck_assert_words(error, "above 0");
  quest.what.target = 1e-3;
  quest.what.points = 0;
  ck_assert_int_eq(search(&quest, &error), FLOW_BAD_CALL);
  ck_assert_words(error, "at least one point");
  close_quest(&quest);
}
END_TEST

/* The first ones, then every 97th: a search makes thousands of them. */
START_TEST(memory_that_runs_out_is_said_and_given_back) {
  for (uint64_t fail_at = 1;; fail_at += fail_at < 12 ? 1 : 97) {
    Quest quest;
    flow_error error = {{0}};
    open_quest(&quest, DOUBLE_cubic, DOUBLE_f64_8, 1e-2);
    quest.what.points = quest.what.confirmations = 9;
    quest.what.only = flow_tableau_find("dopri5");
    Failing failing;
    FlowAllocator allocator = failing_allocator(&failing);
    failing.fail_at = fail_at;
    quest.run.what.allocator = &allocator;
    flow_status status = search(&quest, &error);
    ck_assert_uint_eq(failing.in_use, 0);
    bool enough = failing.calls < fail_at;
    ck_assert_int_eq(status, enough ? FLOW_OK : FLOW_NO_MEMORY);
    close_quest(&quest);
    if (enough) break;
  }
}
END_TEST

TEST_MAIN("accuracy", what_is_promised_holds_on_other_samples, the_chosen_one_is_the_cheapest_that_holds, fewer_steps_would_not_hold,
          threads_and_tiles_choose_the_same, the_floor_of_f32_is_told, rows_and_conditions_are_the_points, a_search_can_be_stopped,
          what_makes_no_sense_is_refused, memory_that_runs_out_is_said_and_given_back)
