/* SPDX-License-Identifier: Apache-2.0 */
/* check_likelihood_training.c -- a training whose loss is the likelihood of the data, in fixed steps and in steps that adapt, with the trace
 * and with estimates of it: it learns, and its bits are those of any threads, checkpoints and interruptions. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/faulty.h"
#include "likelihood_gradients.h"
#include "run_suite.h"
#include "small.h"
#include "train.h"

#define MUST(call) ck_assert_msg(!(call), "%s", error.text)

enum { ROWS = 300, ITERATIONS = 40 };

static const struct { bool adapts; uint32_t probes; FlowProbeKind probe; } kinds[] = {
    {false, 0, 0}, {false, 2, FLOW_PROBE_RADEMACHER}, {true, 0, 0}, {true, 1, FLOW_PROBE_GAUSSIAN}};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

typedef struct Task {
  int kind;
  Small small;
  double y[ROWS * 2], c[ROWS * 3];
  FlowTensor data, condition;
  FlowSource source;
} Task;

/* Points in a square away from the source's middle. */
static void open_task(Task *task, int kind) {
  uint64_t state = 7;
  unsigned entries = kinds[kind].adapts ? FLOW_ENTRY_EVAL_LANE | FLOW_ENTRY_ATTEMPT : FLOW_ENTRY_STEP;
  task->kind = kind;
  task->small = small_open_as((SmallKind){kinds[kind].probes ? FLOW_PROBES : FLOW_LOG_P, kinds[kind].probes, entries, FLOW_F64});
  for (int i = 0; i < ROWS * 2; i++) task->y[i] = 0.8 * small_number(&state) + (i % 2 ? -1 : 1.5);
  for (int i = 0; i < ROWS * 3; i++) task->c[i] = small_number(&state);
  task->data = (FlowTensor){.name = "", .type = FLOW_TYPE_F64, .rank = 2, .dim = {ROWS, 2}, .count = ROWS * 2, .data = task->y};
  task->condition = (FlowTensor){.name = "c", .type = FLOW_TYPE_F64, .rank = 2, .dim = {ROWS, 3}, .count = ROWS * 3, .data = task->c};
  task->source = (FlowSource){.kind = FLOW_SOURCE_NORMAL, .dim = 2};
}

static const FlowAdaptive tolerant = {.tolerance = {1e-4, 1e-4, 1e-4}, .most_attempts = 100};

static FlowTrainSettings settings_of(const Task *task) {
  FlowTrainSettings s = flow_train_defaults();
  s.model = flow_compiled_model(task->small.back);
  s.loss = FLOW_LOSS_likelihood;
  s.solve = (FlowTrainSolve){.ahead = flow_compiled_model(task->small.ahead), .tableau = flow_tableau_find("rk4"), .steps = 4,
                             .probes = kinds[task->kind].probes, .probe = kinds[task->kind].probe};
  if (kinds[task->kind].adapts) s.solve.adaptive = &tolerant, s.solve.tableau = flow_tableau_find("dopri5"), s.solve.steps = 0;
  s.source = &task->source, s.data = &task->data, s.condition = &task->condition;
  s.rate = 2e-2, s.batch = 400, s.iterations = ITERATIONS, s.validation = 0.1, s.seed = 3, s.threads = 1;
  s.allocator = &flow_standard_allocator;
  return s;
}

static FlowTraining *open_training(const Task *task, const FlowTrainSettings *s) {
  flow_error error = {{0}};
  FlowTraining *training;
  MUST(flow_training_open(s, &training, &error));
  MUST(flow_training_take(training, &task->small.weights, "small", &error));
  return training;
}

static double train(FlowTraining *training, uint64_t until) {
  flow_error error = {{0}};
  FlowTrainReport report = {0};
  while (flow_training_done(training) < until) MUST(flow_training_step(training, &report, &error));
  return report.loss;
}

static void expect_same_weights(const FlowTraining *a, const FlowTraining *b, const flow_model *model) {
  for (uint32_t i = 0; i < model->weights; i++) {
    FlowTensor x = flow_training_tensor(a, i, false), y = flow_training_tensor(b, i, false);
    ck_assert_msg(memcmp(x.data, y.data, x.count * sizeof(double)) == 0, "%s", x.name);
  }
}

START_TEST(the_likelihood_grows) {
  flow_error error = {{0}};
  Task task;
  open_task(&task, _i);
  FlowTrainSettings s = settings_of(&task);
  FlowTraining *training = open_training(&task, &s);
  double before, after;
  MUST(flow_training_validate(training, &before, &error));
  double last = train(training, ITERATIONS);
  MUST(flow_training_validate(training, &after, &error));
  ck_assert_msg(after < before - 0.5, "held out: %g, then %g", before, after);
  ck_assert_double_eq_tol(after, last, 0.3);            /* 30 points against 400, and of two draws of probes */
  ck_assert_uint_gt(flow_training_bytes(training), 0);
  flow_training_close(training);
  small_close(&task.small);
}
END_TEST

START_TEST(the_weights_have_the_same_bits_on_any_threads_with_any_checkpoints) {
  Task task;
  open_task(&task, _i);
  FlowTrainSettings s = settings_of(&task);
  FlowTraining *first = open_training(&task, &s);
  train(first, 5);
  for (int k = 2; k <= 4; k++) {
    s.threads = k;
    s.solve.interval = (uint64_t)k;
    FlowTraining *other = open_training(&task, &s);
    train(other, 5);
    expect_same_weights(first, other, s.model);
    flow_training_close(other);
  }
  flow_training_close(first);
  small_close(&task.small);
}
END_TEST

START_TEST(a_training_that_was_interrupted_ends_with_the_same_bits) {
  flow_error error = {{0}};
  Task task;
  open_task(&task, _i);
  FlowTrainSettings s = settings_of(&task);
  char path[] = "/tmp/flow_likelihood_XXXXXX.safetensors", previous[64];
  int file = mkstemps(path, (int)strlen(".safetensors"));
  ck_assert_int_ge(file, 0);
  close(file);
  snprintf(previous, sizeof previous, "%s.previous", path);
  FlowTraining *whole = open_training(&task, &s), *part = open_training(&task, &s), *rest = open_training(&task, &s);
  train(whole, 8);
  train(part, 3);
  MUST(flow_training_save(part, path, previous, &error));
  MUST(flow_training_load(rest, path, &error));
  train(rest, 8);
  expect_same_weights(whole, rest, s.model);
  flow_training_close(rest);
  FlowAdaptive other = tolerant;                        /* another loss: the checkpoint is not its */
  other.tolerance.ltol *= 2;
  if (s.solve.adaptive)
    s.solve.adaptive = &other;
  else
    s.solve.steps = 5;
  rest = open_training(&task, &s);
  ck_assert_int_eq(flow_training_load(rest, path, &error), FLOW_BAD_INPUT);
  unlink(path), unlink(previous);
  flow_training_close(whole), flow_training_close(part), flow_training_close(rest);
  small_close(&task.small);
}
END_TEST

static int open_and_step(const FlowAllocator *allocator, void *user) {
  const Task *task = user;
  FlowTrainSettings s = settings_of(task);
  s.allocator = allocator;
  flow_error error = {{0}};
  FlowTraining *training;
  flow_status status = flow_training_open(&s, &training, &error);
  if (status) return status;
  MUST(flow_training_take(training, &task->small.weights, "small", &error));
  size_t calls = ((const Faulty *)allocator->user)->calls;
  train(training, 2);
  ck_assert_uint_eq(((const Faulty *)allocator->user)->calls, calls);
  flow_training_close(training);
  return FLOW_OK;
}

START_TEST(memory_that_runs_out_is_said_and_none_is_taken_in_an_iteration) {
  Task task;
  open_task(&task, _i);
  ck_assert_uint_ge(faulty_every_failure(open_and_step, &task), 10);
  small_close(&task.small);
}
END_TEST

/* Another number of probes, or other numbers, are another loss. */
START_TEST(probes_are_new_in_every_iteration_and_part_of_the_settings) {
  Task task;
  open_task(&task, 1);
  FlowTrainSettings s = settings_of(&task), gaussian = s;
  gaussian.solve.probe = FLOW_PROBE_GAUSSIAN;
  s.rate = gaussian.rate = 1e-300, s.batch = gaussian.batch = ROWS;             /* the weights stand still */
  FlowTraining *training = open_training(&task, &s), *other = open_training(&task, &gaussian);
  ck_assert_double_ne(train(other, 1), train(training, 1));
  flow_error error = {{0}};
  FlowLossParts first, second;
  FlowBatch batch = {.count = 20, .dim = 2, .x1 = task.y, .first = 0};
  FlowLikelihoodGradients gradients;
  FlowMasters masters;
  MUST(flow_masters_open(s.allocator, s.model, false, false, &masters, &error));
  MUST(flow_likelihood_gradients_open(&s, &masters, 1, &gradients, &error));
  for (uint32_t i = 0; i < s.model->weights; i++)
    flow_masters_take(&masters, FLOW_MASTER_WEIGHT, i, flow_tensors_find(&task.small.weights, s.model->weight[i].name));
  MUST(flow_likelihood_gradients_run(&gradients, FLOW_MASTER_WEIGHT, NULL, &batch, &first, &error));
  MUST(flow_likelihood_gradients_run(&gradients, FLOW_MASTER_WEIGHT, NULL, &batch, &second, &error));
  ck_assert_double_eq(first.all, second.all);
  batch.first = s.batch;                                /* the next iteration */
  MUST(flow_likelihood_gradients_run(&gradients, FLOW_MASTER_WEIGHT, NULL, &batch, &second, &error));
  ck_assert_double_ne(first.all, second.all);
  flow_likelihood_gradients_close(&gradients);
  flow_masters_close(&masters);
  flow_training_close(training), flow_training_close(other);
  small_close(&task.small);
}
END_TEST

/* ---- solves that do not arrive -------------------------------------------------------------------------------------------------- */

START_TEST(a_solve_that_does_not_arrive_stops_the_training_with_its_row_and_leaves_the_weights) {
  flow_error error = {{0}};
  Task task;
  open_task(&task, 2);
  FlowTrainSettings s = settings_of(&task);
  s.batch = 64, s.validation = 0;
  FlowTraining *training = open_training(&task, &s), *fresh = open_training(&task, &s);
  task.c[3 * 123] = NAN;                                /* of a row that is drawn now and then; an opened training has seen it finite */
  FlowTrainReport report = {0};
  flow_status status = FLOW_OK;
  while (!status && flow_training_done(training) < 100) status = flow_training_step(training, &report, &error);
  ck_assert_int_eq(status, FLOW_FAILED_SAMPLES);
  ck_assert_msg(strstr(error.text, "row 123 of the data") && strstr(error.text, "The weights are those before"), "%s", error.text);
  ck_assert_uint_gt(flow_training_done(training), 0);
  train(fresh, flow_training_done(training));
  expect_same_weights(training, fresh, s.model);
  flow_training_close(training), flow_training_close(fresh);
  small_close(&task.small);
}
END_TEST

START_TEST(a_solve_of_held_out_rows_that_does_not_arrive_makes_their_loss_nan) {
  flow_error error = {{0}};
  Task task;
  double loss;
  open_task(&task, 2);
  FlowAdaptive adaptive = tolerant;
  adaptive.most_attempts = 3;
  FlowTrainSettings s = settings_of(&task);
  s.solve.adaptive = &adaptive;
  FlowTraining *training = open_training(&task, &s);
  MUST(flow_training_validate(training, &loss, &error));
  ck_assert_msg(isnan(loss), "%g", loss);
  flow_training_close(training);
  small_close(&task.small);
}
END_TEST

START_TEST(what_cannot_be_solved_or_has_no_density_is_refused) {
  flow_error error = {{0}};
  Task task;
  FlowTraining *training;
  open_task(&task, 0);
  FlowTrainSettings s = settings_of(&task);
  s.solve.tableau = NULL;
  ck_assert_int_eq(flow_training_open(&s, &training, &error), FLOW_BAD_CALL);
  s = settings_of(&task);
  s.solve.probes = 2;                                   /* the model has one rate */
  ck_assert_int_eq(flow_training_open(&s, &training, &error), FLOW_BAD_CALL);
  s = settings_of(&task);
  task.source.kind = FLOW_SOURCE_TENSOR, task.source.tensor = &task.data;
  ck_assert_int_eq(flow_training_open(&s, &training, &error), FLOW_BAD_INPUT);
  ck_assert_ptr_nonnull(strstr(error.text, "density"));
  task.source = (FlowSource){.kind = FLOW_SOURCE_NORMAL, .dim = 3};
  ck_assert_int_eq(flow_training_open(&s, &training, &error), FLOW_BAD_INPUT);
  small_close(&task.small);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("likelihood training");
  TCase *tcase = tcase_create("training");
  tcase_set_timeout(tcase, 60);
  tcase_add_loop_test(tcase, the_likelihood_grows, 0, KINDS);
  tcase_add_loop_test(tcase, the_weights_have_the_same_bits_on_any_threads_with_any_checkpoints, 0, KINDS);
  tcase_add_loop_test(tcase, a_training_that_was_interrupted_ends_with_the_same_bits, 0, KINDS);
  tcase_add_loop_test(tcase, memory_that_runs_out_is_said_and_none_is_taken_in_an_iteration, 0, KINDS);
  tcase_add_test(tcase, probes_are_new_in_every_iteration_and_part_of_the_settings);
  tcase_add_test(tcase, a_solve_that_does_not_arrive_stops_the_training_with_its_row_and_leaves_the_weights);
  tcase_add_test(tcase, a_solve_of_held_out_rows_that_does_not_arrive_makes_their_loss_nan);
  tcase_add_test(tcase, what_cannot_be_solved_or_has_no_density_is_refused);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
