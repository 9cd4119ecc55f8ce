/* SPDX-License-Identifier: Apache-2.0 */
/* check_checkpoint.c -- a training that is stopped and goes on ends with the same bits. */
#include "linear_model.h"
#include "suite.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], path[128], previous[128];

static void make_folder(void) {
  snprintf(folder, sizeof folder, "/tmp/check_train_XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/checkpoint", folder);
  snprintf(previous, sizeof previous, "%s/previous", folder);
}

static void remove_folder(void) {
  unlink(path);
  unlink(previous);
  ck_assert_msg(rmdir(folder) == 0, "%s holds more than checkpoints", folder);
}

static void settings(LinearTraining *t) {
  linear_training(t);
  t->settings.average = 0.95;
  t->settings.schedule = FLOW_SCHEDULE_cosine;
  t->settings.warm_up = 3;
  t->settings.validation = 0.2;
}

START_TEST(a_training_that_goes_on_ends_with_the_bits_of_one_without_a_stop) {
  LinearTraining t;
  double whole[LINEAR_WEIGHTS], parts[LINEAR_WEIGHTS];
  flow_error error = {{0}};
  settings(&t);
  for (int optimiser = 0; optimiser < FLOW_OPTIMISERS; optimiser++) {
    t.settings.optimiser = (FlowOptimiser)optimiser;
    FlowTraining *training = linear_open(&t);
    linear_run(training, 40);
    for (int average = 0; average < 2; average++) {
      linear_weights(training, average, whole);
      FlowTraining *part = linear_open(&t);
      linear_run(part, 17);
      ck_assert_msg(!flow_training_save(part, path, previous, &error), "%s", error.text);
      flow_training_close(part);
      part = linear_open(&t);
      ck_assert_msg(!flow_training_load(part, path, &error), "%s", error.text);
      ck_assert_uint_eq(flow_training_done(part), 17);
      linear_run(part, 23);
      linear_weights(part, average, parts);
      ck_assert(!memcmp(whole, parts, sizeof whole));
      flow_training_close(part);
    }
    flow_training_close(training);
  }
} END_TEST

START_TEST(the_checkpoint_before_the_last_is_kept) {
  LinearTraining t;
  flow_error error = {{0}};
  settings(&t);
  FlowTraining *training = linear_open(&t), *other = linear_open(&t);
  for (int i = 1; i <= 3; i++) {
    linear_run(training, 1);
    ck_assert_msg(!flow_training_save(training, path, previous, &error), "%s", error.text);
  }
  ck_assert(!flow_training_load(other, previous, &error));
  ck_assert_uint_eq(flow_training_done(other), 2);
  ck_assert(!flow_training_load(other, path, &error));
  ck_assert_uint_eq(flow_training_done(other), 3);
  flow_training_close(training);
  flow_training_close(other);
} END_TEST

START_TEST(a_checkpoint_of_other_settings_is_refused_with_what_differs) {
  LinearTraining t;
  flow_error error = {{0}};
  settings(&t);
  FlowTraining *training = linear_open(&t);
  linear_run(training, 1);
  ck_assert(!flow_training_save(training, path, NULL, &error));
  flow_training_close(training);
  t.settings.batch = 128;
  training = linear_open(&t);
  ck_assert_int_eq(flow_training_load(training, path, &error), FLOW_BAD_INPUT);
  ck_assert_msg(strstr(error.text, "`batch 500` there, `batch 128` here") != NULL, "%s", error.text);
  ck_assert_uint_eq(flow_training_done(training), 0);
  flow_training_close(training);
  t.settings.batch = 500;
  t.point[0][0] += 1e-9;
  training = linear_open(&t);
  ck_assert_int_eq(flow_training_load(training, path, &error), FLOW_BAD_INPUT);
  ck_assert_msg(strstr(error.text, "data 600x2") != NULL, "%s", error.text);
  flow_training_close(training);
} END_TEST

/* Every shorter file, and files with one byte changed: refused, or read as a checkpoint; never anything else. */
START_TEST(a_checkpoint_that_is_cut_is_refused) {
  LinearTraining t;
  flow_error error = {{0}};
  settings(&t);
  FlowTraining *training = linear_open(&t);
  linear_run(training, 2);
  ck_assert(!flow_training_save(training, path, NULL, &error));
  struct stat stat_of;
  ck_assert_int_eq(stat(path, &stat_of), 0);
  for (off_t size = stat_of.st_size - 1; size >= 0; size -= size > 64 ? 37 : 1) {
    ck_assert_int_eq(truncate(path, size), 0);
    ck_assert_int_ne(flow_training_load(training, path, &error), FLOW_OK);
    ck_assert_uint_eq(flow_training_done(training), 2);
  }
  flow_training_close(training);
} END_TEST

START_TEST(a_folder_that_is_not_there_is_an_error_and_the_training_is_as_it_was) {
  LinearTraining t;
  flow_error error = {{0}};
  settings(&t);
  FlowTraining *training = linear_open(&t);
  ck_assert_int_eq(flow_training_save(training, "/nowhere/at/all", "/nowhere/previous", &error), FLOW_BAD_FILE);
  ck_assert_int_eq(flow_training_load(training, "/nowhere/at/all", &error), FLOW_BAD_FILE);
  linear_run(training, 1);
  flow_training_close(training);
} END_TEST

TCase *tcase_of_checkpoints(void) {
  TCase *tcase = tcase_create("checkpoints");
  tcase_add_checked_fixture(tcase, make_folder, remove_folder);
  tcase_add_test(tcase, a_training_that_goes_on_ends_with_the_bits_of_one_without_a_stop);
  tcase_add_test(tcase, the_checkpoint_before_the_last_is_kept);
  tcase_add_test(tcase, a_checkpoint_of_other_settings_is_refused_with_what_differs);
  tcase_add_test(tcase, a_checkpoint_that_is_cut_is_refused);
  tcase_add_test(tcase, a_folder_that_is_not_there_is_an_error_and_the_training_is_as_it_was);
  return tcase;
}
