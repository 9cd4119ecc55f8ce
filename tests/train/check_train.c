/* SPDX-License-Identifier: Apache-2.0 */
/* check_train.c -- whole iterations on a model written by hand: gradients, bits, what is refused. */
#include "linear_model.h"
#include "batch.h"
#include "gradients.h"
#include "masters.h"
#include "repack.h"
#include "streams.h"
#include "suite.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- gradients ----------------------------------------------------------------------------------------------------------- */

/* The mean loss of one batch at given weights, by formulas of its own. */
static double loss_at(const LinearTraining *t, const FlowBatch *batch, const double *w) {
  double sum = 0;
  for (uint64_t i = 0; i < batch->count; i++) {
    const double *x0 = batch->x0 + 2 * i, *x1 = batch->x1 + 2 * i, s = batch->s[i];
    double z[3] = {(1 - s) * x0[0] + s * x1[0], (1 - s) * x0[1] + s * x1[1], s};
    for (int r = 0; r < 2; r++) {
      double u = w[6 + r] + t->shift[r];
      for (int c = 0; c < 3; c++) u += w[r * 3 + c] * z[c];
      double d = u - (x1[r] - x0[r]);
      sum += d * d / 2;
    }
  }
  return sum / (double)batch->count;
}

typedef struct Parts { FlowMasters masters; FlowRepack repack; FlowDrawing drawing; FlowBatch batch; FlowGradients gradients; } Parts;

static void open_parts(Parts *p, const LinearTraining *t, int threads) {
  const FlowTrainSettings *s = &t->settings;
  flow_error error = {{0}};
  ck_assert(!flow_masters_open(s->allocator, s->model, true, false, &p->masters, &error));
  for (int i = 0; i < LINEAR_WEIGHTS; i++) ((double *)p->masters.part[FLOW_MASTER_WEIGHT])[i] = 0.3 * cos(i);
  ck_assert(!flow_repack_open(&p->masters, s->model, s->model->level, &p->repack, &error));
  ck_assert(!flow_drawing_open(s, s->model->level, threads, &p->drawing, &error));
  ck_assert(!flow_batch_open(s->allocator, s->batch, 2, &p->batch, &error));
  ck_assert(!flow_gradients_open(s, s->model->level, threads, s->batch, &p->gradients, &error));
  flow_batch_draw(&p->drawing, (FlowRowsOf){NULL, 0, 600}, FLOW_STREAM_PICK, FLOW_STREAM_START, 0, false, &p->batch);
}

static double run_parts(Parts *p) {
  flow_error error = {{0}};
  FlowLossParts loss;
  ck_assert(!flow_repack(&p->repack, FLOW_MASTER_WEIGHT, &error));
  ck_assert(!flow_gradients_run(&p->gradients, p->repack.blob.data, &p->batch, &loss, &error));
  flow_masters_gather(&p->masters, p->gradients.sums.group, 1 / (double)p->batch.count);
  return loss.all;
}

static void close_parts(Parts *p, const LinearTraining *t) {
  flow_gradients_close(&p->gradients);
  flow_batch_close(t->settings.allocator, &p->batch);
  flow_drawing_close(&p->drawing);
  flow_repack_close(&p->repack);
  flow_masters_close(&p->masters);
}

/* The loss is a square, so that a central difference is exact but for rounding: 1e-16/1e-3. */
START_TEST(the_gradient_of_a_batch_is_that_of_central_differences) {
  LinearTraining t;
  Parts p;
  linear_training(&t);
  open_parts(&p, &t, 1);
  double *w = p.masters.part[FLOW_MASTER_WEIGHT], h = 1e-3, loss = run_parts(&p);
  ck_assert_double_eq_tol(loss, loss_at(&t, &p.batch, w), 1e-12);
  for (int i = 0; i < LINEAR_WEIGHTS; i++) {
    double kept = w[i];
    w[i] = kept + h;
    double more = loss_at(&t, &p.batch, w);
    w[i] = kept - h;
    double less = loss_at(&t, &p.batch, w);
    w[i] = kept;
    ck_assert_double_eq_tol(flow_masters_at(&p.masters, FLOW_MASTER_GRADIENT, (size_t)i), (more - less) / (2 * h), 1e-10);
  }
  close_parts(&p, &t);
} END_TEST

/* 20000 samples are 105 blocks: seven groups of 16, of which the last has nine. */
START_TEST(a_gradient_has_the_same_bits_on_any_threads_and_in_tiles_of_any_width) {
  LinearTraining t;
  double first[LINEAR_WEIGHTS], loss = 0;
  linear_training(&t);
  t.settings.batch = _i ? 20000 : 193;
  for (int threads = 1; threads <= 3; threads++) {
    for (int k = 0; k < 3; k++) {
      Parts p;
      t.settings.model = linear_model((const uint32_t[]){8, 24, 64}[k]);
      open_parts(&p, &t, threads);
      double here = run_parts(&p);
      if (threads == 1 && k == 0) memcpy(first, p.masters.part[FLOW_MASTER_GRADIENT], sizeof first), loss = here;
      ck_assert_msg(!memcmp(first, p.masters.part[FLOW_MASTER_GRADIENT], sizeof first) && !memcmp(&loss, &here, sizeof loss),
                    "other bits on %d threads, tiles of kind %d", threads, k);
      close_parts(&p, &t);
    }
  }
} END_TEST

/* ---- training ------------------------------------------------------------------------------------------------------------- */

START_TEST(weights_have_the_same_bits_on_any_threads) {
  double first[LINEAR_WEIGHTS], other[LINEAR_WEIGHTS];
  for (int threads = 1; threads <= 3; threads++) {
    LinearTraining t;
    linear_training(&t);
    t.settings.threads = threads;
    t.settings.average = 0.9;
    FlowTraining *training = linear_open(&t);
    linear_run(training, 10);
    linear_weights(training, true, threads == 1 ? first : other);
    if (threads > 1) ck_assert(!memcmp(first, other, sizeof first));
    flow_training_close(training);
  }
} END_TEST

/* The least squares of x1 - x0 on (x_t, t, 1) leave a mean square of 1.344 on these rows: all optimisers come near it. */
START_TEST(every_optimiser_makes_the_loss_small) {
  LinearTraining t;
  linear_training(&t);
  t.settings.optimiser = (FlowOptimiser)_i;
  t.settings.rate = 0.05;
  t.settings.beta1 = 0.9;
  t.settings.schedule = FLOW_SCHEDULE_cosine;
  t.settings.iterations = 300;
  t.settings.validation = 0.25;
  double before, after;
  flow_error error = {{0}};
  FlowTraining *training = linear_open(&t);
  ck_assert_uint_eq(flow_training_held(training), 150);
  ck_assert(!flow_training_validate(training, &before, &error));
  linear_run(training, 300);
  ck_assert(!flow_training_validate(training, &after, &error));
  ck_assert_msg(after < 1.36 && before > 4, "%s: %g to %g", flow_optimiser_name(t.settings.optimiser), before, after);
  flow_training_close(training);
} END_TEST

START_TEST(a_validation_changes_nothing) {
  LinearTraining t;
  double plain[LINEAR_WEIGHTS], seen[LINEAR_WEIGHTS], loss[2];
  flow_error error = {{0}};
  linear_training(&t);
  t.settings.validation = 0.1;
  for (int look = 0; look < 2; look++) {
    FlowTraining *training = linear_open(&t);
    linear_run(training, 5);
    if (look) ck_assert(!flow_training_validate(training, &loss[0], &error));
    if (look) ck_assert(!flow_training_validate(training, &loss[1], &error));
    linear_run(training, 5);
    linear_weights(training, false, look ? seen : plain);
    flow_training_close(training);
  }
  ck_assert(!memcmp(plain, seen, sizeof plain));
  ck_assert_double_eq(loss[0], loss[1]);
} END_TEST

START_TEST(an_average_lies_behind_its_weights) {
  LinearTraining t;
  double weight[LINEAR_WEIGHTS], average[LINEAR_WEIGHTS], start[LINEAR_WEIGHTS];
  linear_training(&t);
  t.settings.average = 0.99;
  FlowTraining *training = linear_open(&t);
  linear_weights(training, true, start);
  linear_run(training, 20);
  linear_weights(training, false, weight);
  linear_weights(training, true, average);
  for (int i = 0; i < LINEAR_WEIGHTS; i++)
    ck_assert_msg((average[i] - start[i]) * (weight[i] - start[i]) > 0 && fabs(average[i] - start[i]) < fabs(weight[i] - start[i]), "%d", i);
  flow_training_close(training);
} END_TEST

START_TEST(a_clipped_step_is_as_long_as_the_clip) {
  LinearTraining t;
  double before[LINEAR_WEIGHTS], after[LINEAR_WEIGHTS], sum = 0;
  linear_training(&t);
  t.settings.optimiser = FLOW_OPTIMISER_sgd;
  t.settings.beta1 = 0;
  t.settings.clip = 1e-3;
  FlowTraining *training = linear_open(&t);
  linear_weights(training, false, before);
  linear_run(training, 1);
  linear_weights(training, false, after);
  for (int i = 0; i < LINEAR_WEIGHTS; i++) sum += (after[i] - before[i]) * (after[i] - before[i]);
  ck_assert_double_eq_tol(sqrt(sum), t.settings.rate * t.settings.clip, 1e-14);
  flow_training_close(training);
} END_TEST

/* ---- refusals --------------------------------------------------------------------------------------------------------------- */

static void refused(const LinearTraining *t, flow_status wanted, const char *words) {
  FlowTraining *training;
  flow_error error = {{0}};
  flow_status status = flow_training_open(&t->settings, &training, &error);
  ck_assert_int_eq(status, wanted);
  ck_assert_ptr_null(training);
  ck_assert_msg(strstr(error.text, words) != NULL, "`%s` is not in: %s", words, error.text);
}

START_TEST(what_cannot_be_trained_is_refused_in_words) {
  LinearTraining t;
  linear_training(&t);
  t.point[7][1] = NAN;
  refused(&t, FLOW_BAD_INPUT, "row 7, column 1 is nan");
  linear_training(&t);
  t.data.dim[0] = 400, t.data.dim[1] = 3;
  refused(&t, FLOW_BAD_INPUT, "has 3 numbers in each of its 400 rows; a state of this flow has 2");
  linear_training(&t);
  t.data.dim[0] = t.data.count = 0;
  refused(&t, FLOW_BAD_INPUT, "there are no rows");
  linear_training(&t);
  t.settings.rate = NAN;
  refused(&t, FLOW_BAD_CALL, "the learning rate is nan");
  linear_training(&t);
  t.settings.batch = 0;
  refused(&t, FLOW_BAD_CALL, "a batch of 0 samples");
  linear_training(&t);
  t.settings.validation = 1e-4;
  refused(&t, FLOW_BAD_CALL, "holds out none");
  linear_training(&t);
  t.condition.count = t.condition.dim[0] = 3;
  refused(&t, FLOW_BAD_INPUT, "condition 'shift'");
} END_TEST

START_TEST(a_loss_that_is_not_finite_stops_with_its_layer_and_keeps_the_weights) {
  LinearTraining t;
  double before[LINEAR_WEIGHTS], after[LINEAR_WEIGHTS];
  flow_error error = {{0}};
  FlowTrainReport report;
  linear_training(&t);
  t.shift[1] = 1e308;                   /* finite, and the sum of such numbers is not */
  FlowTraining *training = linear_open(&t);
  linear_weights(training, false, before);
  ck_assert_int_eq(flow_training_step(training, &report, &error), FLOW_FAILED_SAMPLES);
  ck_assert_msg(strstr(error.text, "iteration 1: the loss is inf, and the gradient of 'W' is not finite") != NULL, "%s", error.text);
  linear_weights(training, false, after);
  ck_assert(!memcmp(before, after, sizeof before));
  flow_training_close(training);
} END_TEST

/* ---- memory ------------------------------------------------------------------------------------------------------------------ */

typedef struct Failing { uint64_t calls, fail_at; int64_t in_use; } Failing;
static void *failing_resize(void *user, void *old, size_t old_size, size_t new_size) {
  Failing *failing = user;
  if (new_size > 0 && ++failing->calls == failing->fail_at) return NULL;
  failing->in_use += (int64_t)new_size - (int64_t)old_size;
  if (new_size > 0) return realloc(old, new_size);
  free(old);
  return NULL;
}

START_TEST(memory_that_runs_out_anywhere_is_a_status_and_leaks_nothing) {
  LinearTraining t;
  Failing failing = {0};
  const FlowAllocator allocator = {failing_resize, &failing};
  linear_training(&t);
  t.settings.allocator = &allocator;
  t.settings.average = 0.9;
  t.settings.validation = 0.5;
  t.settings.batch = 20;
  t.settings.coupling = FLOW_COUPLING_transport;
  for (uint64_t fail_at = 1;; fail_at++) {
    FlowTraining *training;
    flow_error error = {{0}};
    failing = (Failing){.fail_at = fail_at};
    flow_status status = flow_training_open(&t.settings, &training, &error);
    if (!status) {
      uint64_t calls = failing.calls;
      linear_run(training, 2);
      ck_assert_uint_eq(failing.calls, calls);          /* an iteration allocates nothing */
      flow_training_close(training);
      ck_assert_int_eq(failing.in_use, 0);
      ck_assert_uint_gt(fail_at, 12);
      return;
    }
    ck_assert_int_eq(status, FLOW_NO_MEMORY);
    ck_assert_int_eq(failing.in_use, 0);
  }
} END_TEST

TCase *tcase_of_training(void) {
  TCase *tcase = tcase_create("training");
  tcase_set_timeout(tcase, 60);
  tcase_add_test(tcase, the_gradient_of_a_batch_is_that_of_central_differences);
  tcase_add_loop_test(tcase, a_gradient_has_the_same_bits_on_any_threads_and_in_tiles_of_any_width, 0, 2);
  tcase_add_test(tcase, weights_have_the_same_bits_on_any_threads);
  tcase_add_loop_test(tcase, every_optimiser_makes_the_loss_small, 0, FLOW_OPTIMISERS);
  tcase_add_test(tcase, a_validation_changes_nothing);
  tcase_add_test(tcase, an_average_lies_behind_its_weights);
  tcase_add_test(tcase, a_clipped_step_is_as_long_as_the_clip);
  tcase_add_test(tcase, what_cannot_be_trained_is_refused_in_words);
  tcase_add_test(tcase, a_loss_that_is_not_finite_stops_with_its_layer_and_keeps_the_weights);
  tcase_add_test(tcase, memory_that_runs_out_anywhere_is_a_status_and_leaks_nothing);
  return tcase;
}
