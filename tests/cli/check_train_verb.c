/* SPDX-License-Identifier: Apache-2.0 */
/* check_train_verb.c -- training through the command: data, weights, logs, stops and resumptions. */
#include "run_suite.h"
#include "user.h"
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char network[] = "network v(t, x: [2]) -> [2] = [t, x] |> linear 24 |> elu |> linear 24 |> elu |> linear 2\n";
static char model[512], data[512], out[512];

/* A flow with this block, and 2000 points of two moons. */
static void make(const char *block) {
  char text[1024];
  snprintf(text, sizeof text, "%sflow f {\n  source normal(2)\n  velocity v\n  solver rk4 steps 40\n  train { %s }\n}\n", network, block);
  snprintf(model, sizeof model, "%s", scratch_file("f.flow", text));
  snprintf(data, sizeof data, "%s/moons.npy", scratch());
  snprintf(out, sizeof out, "%s/w.safetensors", scratch());
  unlink(out);                  /* what an earlier test of this process left */
  Result result = flowc("data moons -n 2000 -o %s", data);
  expect_code(result, 0);
  result_free(&result);
}

static void train(const char *more, int code) {
  Result result = flowc("train %s --data %s -o %s %s", model, data, out, more);
  expect_code(result, code);
  result_free(&result);
}

static char *weights_at(const char *path, size_t *length) {
  char *bytes = read_text(path, length);
  ck_assert_msg(bytes != NULL, "there is no %s", path);
  return bytes;
}

static void same_files(const char *a, const char *b) {
  size_t n, m;
  char *x = weights_at(a, &n), *y = weights_at(b, &m);
  ck_assert_uint_eq(n, m);
  ck_assert_msg(memcmp(x, y, n) == 0, "%s and %s differ", a, b);
  free(x);
  free(y);
}

static void keep(const char *name) {
  char path[600];
  snprintf(path, sizeof path, "%s/%s", scratch(), name);
  ck_assert_int_eq(rename(out, path), 0);
}

static void remove_checkpoints(void) {
  char path[600];
  snprintf(path, sizeof path, "%s/w.checkpoint.safetensors", scratch());
  unlink(path);
  snprintf(path, sizeof path, "%s/w.checkpoint.previous.safetensors", scratch());
  unlink(path);
}

/* ---- data ------------------------------------------------------------------------------------------------------------ */

static const char *const sets[] = {"moons", "checkerboard", "8gaussians", "spirals", "pinwheel", "rings"};

START_TEST(point_i_of_a_set_is_the_same_whatever_their_number) {
  Result few = flowc("data %s -n 5 --seed 3", sets[_i]), many = flowc("data %s -n 50 --seed 3", sets[_i]), other = flowc("data %s -n 5", sets[_i]);
  expect_code(few, 0);
  expect_code(many, 0);
  ck_assert(strncmp(few.out, many.out, strlen(few.out)) == 0);
  ck_assert(strcmp(few.out, other.out) != 0);
  result_free(&few), result_free(&many), result_free(&other);
} END_TEST

START_TEST(a_set_that_is_misspelt_is_known) {
  Result result = flowc("data mooons");
  expect_code(result, 2);
  expect_in(result.err, "did you mean `moons`?");
  result_free(&result);
  result = flowc("data x");
  expect_code(result, 2);
  expect_in(result.err, "there are: moons, checkerboard, 8gaussians, spirals, pinwheel, rings");
  result_free(&result);
} END_TEST

/* Every point of the checkerboard is on a dark square; of the moons within six deviations of 0.05 of a half circle. */
START_TEST(points_lie_where_their_formulas_say) {
  Result board = flowc("data checkerboard -n 500"), moons = flowc("data moons -n 500");
  double x, y;
  int count = 0;
  for (const char *at = strchr(board.out, '\n'); at && sscanf(at + 1, "%lf,%lf", &x, &y) == 2; at = strchr(at + 1, '\n'), count++) {
    x *= 0.45, y *= 0.45;
    ck_assert(fabs(x) <= 2 && fabs(y) <= 2 && ((int)(floor(x) + floor(y)) & 1) == 0);
  }
  ck_assert_int_eq(count, 500);
  for (const char *at = strchr(moons.out, '\n'); at && sscanf(at + 1, "%lf,%lf", &x, &y) == 2; at = strchr(at + 1, '\n'))
    ck_assert_double_lt(fmin(fabs(hypot(x, y) - 1), fabs(hypot(x - 1, y - 0.5) - 1)), 0.3);
  result_free(&board), result_free(&moons);
} END_TEST

/* Without noise the moons are the half circles themselves, and the default is their 0.05. */
START_TEST(the_noise_of_a_set_is_said_by_an_option) {
  Result bare = flowc("data moons -n 200 --noise 0"), usual = flowc("data moons -n 200"), said = flowc("data moons -n 200 --noise 0.05");
  double x, y;
  int count = 0;
  for (const char *at = strchr(bare.out, '\n'); at && sscanf(at + 1, "%lf,%lf", &x, &y) == 2; at = strchr(at + 1, '\n'), count++)
    ck_assert_double_lt(fmin(fabs(hypot(x, y) - 1), fabs(hypot(x - 1, y - 0.5) - 1)), 1e-12);
  ck_assert_int_eq(count, 200);
  ck_assert_str_eq(said.out, usual.out);
  result_free(&bare), result_free(&usual), result_free(&said);
} END_TEST

/* ---- training ----------------------------------------------------------------------------------------------------------- */

START_TEST(names_are_shown_with_shapes_and_first_numbers) {
  make("batch 64");
  Result result = flowc("train %s --names", model);
  expect_code(result, 0);
  expect_in(result.out, "0.weight                          [24, 3]  uniform +- 0.5774");
  expect_in(result.out, "4.bias                            [2]  uniform +- 0.2041");
  result_free(&result);
} END_TEST

static const char *const documented[] = {"moons", "likelihood", "checkerboard", "digits"};

/* Whole runs take minutes to an hour (docs/training.md). */
START_TEST(the_runs_of_the_documentation_are_programs_that_train) {
  Result result = flowc("train %s/../docs/training/%s.flow --names", examples(), documented[_i]);
  expect_code(result, 0);
  expect_in(result.out, "weight");
  result_free(&result);
} END_TEST

/* log p of fresh moons after 2500 iterations of three layers of 64: 0.81 nats on 5000 points; the entropy is 0.29; a normal density
 * of their mean and covariance has 2.1.  The bits do not depend on the machine, so that the bound holds everywhere or nowhere. */
START_TEST(two_moons_are_learnt) {
  make("");
  snprintf(model, sizeof model, "%s", scratch_file("deep.flow",
           "network v(t, x: [2]) -> [2] = [t, x] |> linear 64 |> elu |> linear 64 |> elu |> linear 64 |> elu |> linear 2\n"
           "flow f {\n  source normal(2)\n  velocity v\n  solver rk4 steps 40\n"
           "  train { optimiser adam 1e-2  schedule cosine  batch 256  iterations 2500 }\n}\n"));
  Result result = flowc("data moons -n 100000 -o %s", data);
  expect_code(result, 0);
  result_free(&result);
  train("", 0);
  result = flowc("data moons -n 500 --seed 9 -o %s/held.npy", scratch());
  result_free(&result);
  result = flowc("logp %s --weights %s --data %s/held.npy -o %s/logp.npy", model, out, scratch(), scratch());
  expect_code(result, 0);
  double nll = 1e9;
  const char *at = strstr(result.err, "mean NLL ");
  ck_assert_msg(at && sscanf(at, "mean NLL %lf", &nll) == 1, "%s", result.err);
  ck_assert_msg(nll < 0.9, "mean NLL %g", nll);
  result_free(&result);
} END_TEST

START_TEST(the_file_does_not_depend_on_threads) {
  make("batch 600  iterations 20  ema 0.9  validation 0.1");
  train("--threads 1", 0);
  keep("one.safetensors");
  train("--threads 3", 0);
  char one[600];
  snprintf(one, sizeof one, "%s/one.safetensors", scratch());
  same_files(one, out);
} END_TEST

static void run_and_kill(useconds_t after, int number) {
  pid_t child = fork();
  if (child == 0) {
    int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, 1), dup2(nowhere, 2);
    execl(FLOWC, FLOWC, "train", model, "--data", data, "-o", out, "--resume", "--checkpoint-every", "7", "--threads", "1", (char *)NULL);
    _exit(127);
  }
  usleep(after);
  kill(child, number);
  waitpid(child, NULL, 0);
}

START_TEST(a_training_that_is_killed_again_and_again_ends_with_the_same_file) {
  make("batch 200  iterations 400  schedule cosine  ema 0.99");
  train("--threads 1", 0);
  keep("whole.safetensors");
  remove_checkpoints();
  for (int i = 0; i < 6; i++) run_and_kill((useconds_t)(60000 + 37000 * i), i % 3 == 2 ? SIGINT : SIGKILL);
  unlink(out);
  train("--resume --threads 2", 0);
  char whole[600];
  snprintf(whole, sizeof whole, "%s/whole.safetensors", scratch());
  same_files(whole, out);
} END_TEST

START_TEST(a_resumed_training_may_go_on_for_longer) {
  make("batch 64");
  train("--iterations 300", 0);
  keep("whole.safetensors");
  remove_checkpoints();
  train("--iterations 120 --checkpoint-every 60", 0);
  train("--iterations 300 --resume", 0);
  char whole[600];
  snprintf(whole, sizeof whole, "%s/whole.safetensors", scratch());
  same_files(whole, out);
} END_TEST

START_TEST(a_spoilt_checkpoint_is_passed_over_for_the_one_before) {
  char path[600];
  make("batch 64");
  train("--iterations 30 --checkpoint-every 10", 0);
  snprintf(path, sizeof path, "%s/w.checkpoint.safetensors", scratch());
  ck_assert_int_eq(truncate(path, 100), 0);
  Result result = flowc("train %s --data %s -o %s --iterations 40 --resume", model, data, out);
  expect_code(result, 0);
  expect_in(result.err, "the one before it is taken");
  expect_in(result.err, "goes on after iteration 20");
  result_free(&result);
} END_TEST

START_TEST(a_log_has_a_row_for_every_so_many_iterations_and_none_twice) {
  char path[600];
  size_t length;
  make("batch 64  validation 0.1");
  snprintf(path, sizeof path, "--iterations 40 --checkpoint-every 20 --log-every 10 --log %s/log.csv", scratch());
  train(path, 0);
  snprintf(path, sizeof path, "--iterations 60 --resume --log-every 10 --log %s/log.csv", scratch());
  train(path, 0);
  snprintf(path, sizeof path, "%s/log.csv", scratch());
  char *text = read_text(path, &length);
  ck_assert_ptr_nonnull(text);
  ck_assert(strncmp(text, "iteration,loss,validation,rate,norm,seconds\n", 44) == 0);
  long last = 0, number;
  for (char *at = strchr(text, '\n'); at && sscanf(at + 1, "%ld,", &number) == 1; at = strchr(at + 1, '\n')) {
    ck_assert_int_gt(number, last);
    last = number;
  }
  ck_assert_int_eq(last, 60);
  free(text);
} END_TEST

/* ---- likelihood ------------------------------------------------------------------------------------------------------------- */

/* Of row `row` of a log: its loss. */
static double logged_loss(const char *path, int row) {
  size_t length;
  double loss = NAN;
  char *text = read_text(path, &length), *at = text;
  ck_assert_ptr_nonnull(text);
  for (int i = 0; i < row && at; i++) at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL;
  ck_assert_msg(at && sscanf(at, "%*d,%lf", &loss) == 1, "row %d of %s", row, path);
  free(text);
  return loss;
}

START_TEST(the_likelihood_grows_and_the_file_depends_on_neither_threads_nor_stops) {
  char more[700], log[600], one[600];
  make("loss likelihood  optimiser adam 1e-2  batch 400");
  snprintf(log, sizeof log, "%s/log.csv", scratch());
  snprintf(more, sizeof more, "--steps 4 --iterations 40 --threads 1 --log-every 5 --log %s", log);
  train(more, 0);
  ck_assert_double_lt(logged_loss(log, 8), logged_loss(log, 1) - 0.2);
  snprintf(one, sizeof one, "%s/one.safetensors", scratch());
  keep("one.safetensors");
  remove_checkpoints();
  train("--steps 4 --iterations 15 --threads 3", 0);
  train("--steps 4 --iterations 40 --threads 2 --resume", 0);
  same_files(one, out);
} END_TEST

/* ---- what goes wrong -------------------------------------------------------------------------------------------------------- */

static void refused(int code, const char *words, const char *line) {
  Result result = flowc("%s", line);
  expect_code(result, code);
  expect_in(result.err, words);
  result_free(&result);
}

#define REFUSED(code, words, ...)                        \
  do {                                                   \
    char line_[2048];                                    \
    snprintf(line_, sizeof line_, __VA_ARGS__);          \
    refused(code, words, line_);                         \
  } while (0)

START_TEST(a_noise_that_is_no_deviation_is_refused) {
  REFUSED(2, "--noise is a standard deviation, from 0, not `-1`", "data moons --noise -1");
  REFUSED(2, "--noise is a standard deviation, from 0, not `nan`", "data moons --noise nan");
  REFUSED(2, "--noise wants a number, not `much`", "data moons --noise much");
} END_TEST

START_TEST(what_goes_wrong_is_said_before_anything_is_computed) {
  make("batch 64  iterations 10");
  REFUSED(2, "--data is missing", "train %s -o %s", model, out);
  REFUSED(2, "-o is missing", "train %s --data %s", model, data);
  REFUSED(2, "weights go to a .safetensors file", "train %s --data %s -o w.npy", model, data);
  REFUSED(4, "nothing can be written there", "train %s --data %s -o /nowhere/w.safetensors", model, data);
  REFUSED(2, "the learning rate is -1", "train %s --data %s -o %s --lr -1", model, data, out);
  REFUSED(2, "--lr wants a number", "train %s --data %s -o %s --lr x", model, data, out);
  REFUSED(2, "has no weights to train", "train %s/rotation.flow --data %s -o %s", examples(), data, out);
  REFUSED(1, "has 3 numbers in each of its 2 rows", "train %s --data %s -o %s", model, scratch_file("three.csv", "1,2,3\n4,5,6\n"), out);
  REFUSED(1, "row 1, column 0 is nan", "train %s --data %s -o %s", model, scratch_file("nan.csv", "1,2\nnan,5\n"), out);
  ck_assert_ptr_null(read_text(out, NULL));
} END_TEST

START_TEST(a_likelihood_that_cannot_be_differentiated_is_refused) {
  char text[1024];
  make("loss likelihood");
  REFUSED(2, "belongs to flow matching", "train %s --data %s -o %s --coupling transport", model, data, out);
  REFUSED(2, "did you mean `midpoint`", "train %s --data %s -o %s --solver midpiont", model, data, out);
  snprintf(text, sizeof text, "%sflow f { source normal(2)  velocity v  solver dopri5 rtol 1e-5  train { loss likelihood } }\n", network);
  REFUSED(2, "wants a number of steps", "train %s --data %s -o %s", scratch_file("adaptive.flow", text), data, out);
  snprintf(text, sizeof text, "%sflow f { source \"moons.npy\"  velocity v  solver rk4 steps 5  train { loss likelihood } }\n", network);
  REFUSED(1, "without density", "train %s --data %s -o %s", scratch_file("from_file.flow", text), data, out);
  ck_assert_ptr_null(read_text(out, NULL));
} END_TEST

START_TEST(other_settings_are_not_resumed) {
  make("batch 64");
  train("--iterations 20 --checkpoint-every 10", 0);
  REFUSED(1, "`batch 64` there, `batch 65` here", "train %s --data %s -o %s --iterations 40 --batch 65 --resume", model, data, out);
} END_TEST

START_TEST(a_loss_that_overflows_stops_with_the_iteration_and_advice) {
  make("optimiser sgd 1e5  batch 64  iterations 200");
  REFUSED(3, "a lower rate", "train %s --data %s -o %s", model, data, out);
  ck_assert_ptr_null(read_text(out, NULL));
  Result result = flowc("train %s --data %s -o %s --lr 1e-9 --iterations 1 --weights %s/w.stopped.safetensors", model, data, out, scratch());
  ck_assert_msg(result.code == 0 || result.code == 3, "%s", result.err);        /* weights that are there, whatever their loss */
  result_free(&result);
} END_TEST

int main(void) {
  Suite *suite = suite_create("train");
  TCase *tcase = tcase_create("data");
  tcase_add_loop_test(tcase, point_i_of_a_set_is_the_same_whatever_their_number, 0, sizeof sets / sizeof *sets);
  tcase_add_test(tcase, a_set_that_is_misspelt_is_known);
  tcase_add_test(tcase, points_lie_where_their_formulas_say);
  tcase_add_test(tcase, the_noise_of_a_set_is_said_by_an_option);
  tcase_add_test(tcase, a_noise_that_is_no_deviation_is_refused);
  suite_add_tcase(suite, tcase);
  tcase = tcase_create("training");
  tcase_set_timeout(tcase, 120);
  tcase_add_test(tcase, names_are_shown_with_shapes_and_first_numbers);
  tcase_add_loop_test(tcase, the_runs_of_the_documentation_are_programs_that_train, 0, sizeof documented / sizeof *documented);
  tcase_add_test(tcase, two_moons_are_learnt);
  tcase_add_test(tcase, the_file_does_not_depend_on_threads);
  tcase_add_test(tcase, a_training_that_is_killed_again_and_again_ends_with_the_same_file);
  tcase_add_test(tcase, a_resumed_training_may_go_on_for_longer);
  tcase_add_test(tcase, a_spoilt_checkpoint_is_passed_over_for_the_one_before);
  tcase_add_test(tcase, a_log_has_a_row_for_every_so_many_iterations_and_none_twice);
  tcase_add_test(tcase, the_likelihood_grows_and_the_file_depends_on_neither_threads_nor_stops);
  tcase_add_test(tcase, a_likelihood_that_cannot_be_differentiated_is_refused);
  tcase_add_test(tcase, what_goes_wrong_is_said_before_anything_is_computed);
  tcase_add_test(tcase, other_settings_are_not_resumed);
  tcase_add_test(tcase, a_loss_that_overflows_stops_with_the_iteration_and_advice);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
