/* SPDX-License-Identifier: Apache-2.0 */
/* check_train_verb.c -- training through the command: data, weights, logs, stops and resumptions. */
#include "run_suite.h"
#include "user.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
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

static void refused(int code, const char *words, const char *line) {
  Result result = flowc("%s", line);
  expect_code(result, code);
  expect_in(result.err, words);
  result_free(&result);
}

#define REFUSED(code, words, ...)                        \
  do {                                                   \
    char line_[3072];                                    \
    snprintf(line_, sizeof line_, __VA_ARGS__);          \
    refused(code, words, line_);                         \
  } while (0)

/* How the likelihood is solved, in the words of the command line. */
static const char *const solves[] = {"--steps 4", "--solver dopri5 --rtol 1e-3", "--steps 4 --probes 2",
                                     "--solver bosh3 --rtol 1e-3 --ltol 1e-2 --trace hutchinson --probe gaussian"};
enum { SOLVES = sizeof solves / sizeof solves[0] };

START_TEST(the_likelihood_grows_and_the_file_depends_on_neither_threads_nor_stops) {
  char more[900], log[600], one[600];
  make("loss likelihood  optimiser adam 1e-2  batch 400");
  snprintf(log, sizeof log, "%s/log.csv", scratch());
  snprintf(more, sizeof more, "%s --iterations 40 --threads 1 --log-every 5 --log %s", solves[_i], log);
  train(more, 0);
  ck_assert_double_lt(logged_loss(log, 8), logged_loss(log, 1) - 0.2);
  snprintf(one, sizeof one, "%s/one.safetensors", scratch());
  keep("one.safetensors");
  remove_checkpoints();
  snprintf(more, sizeof more, "%s --iterations 15 --threads 3", solves[_i]);
  train(more, 0);
  snprintf(more, sizeof more, "%s --iterations 40 --threads 2 --resume", solves[_i]);
  train(more, 0);
  same_files(one, out);
} END_TEST

/* The flow names a method and no number of steps; its block says how the trace is estimated. */
START_TEST(what_the_likelihood_is_computed_by_is_printed) {
  char text[1024];
  make("loss likelihood");
  snprintf(text, sizeof text, "%sflow f { source normal(2)  velocity v  solver tsit5 rtol 1e-3  train { loss likelihood  trace hutchinson  probes 2  "
           "probe gaussian } }\n", network);
  char path[512];
  snprintf(path, sizeof path, "%s", scratch_file("adaptive.flow", text));
  Result result = flowc("train %s --data %s -o %s --iterations 2", path, data, out);
  expect_code(result, 0);
  expect_in(result.err, "likelihood by tsit5 to rtol 0.001, atol 0.001, log p 0.001, 2 Gaussian probes a sample");
  expect_in(result.err, " MB for gradients");
  expect_in(result.err, "steps of a solve in the last iteration: ");
  result_free(&result);
  result = flowc("train %s --data %s -o %s --iterations 2 --steps 3 --trace exact", path, data, out);
  expect_code(result, 0);
  expect_in(result.err, "likelihood by tsit5 in 3 steps, adam");
  result_free(&result);
} END_TEST

START_TEST(a_state_of_many_numbers_has_its_trace_estimated) {
  char path[512], points[512];
  make("");
  snprintf(path, sizeof path, "%s", scratch_file("wide.flow", "network v(t, x: [65]) -> [65] = [t, x] |> linear 4 |> tanh |> linear 65\n"
                                                "flow f { source normal(65)  velocity v  solver midpoint steps 2  train { loss likelihood  batch 8 } }\n"));
  char rows[65 * 2 * 3 + 1] = "";
  for (int i = 0; i < 65 * 3; i++) strcat(rows, i % 65 == 64 ? "1\n" : "0,");
  snprintf(points, sizeof points, "%s", scratch_file("wide.csv", rows));
  Result result = flowc("train %s --data %s -o %s --iterations 2", path, points, out);
  expect_code(result, 0);
  expect_in(result.err, "a state has 65 numbers: the trace in the loss is estimated by a random vector");
  expect_in(result.err, "1 Rademacher probe a sample");
  result_free(&result);
  result = flowc("train %s --data %s -o %s --iterations 2 --trace exact", path, points, out);
  expect_code(result, 0);
  ck_assert_ptr_null(strstr(result.err, "estimated"));
  result_free(&result);
} END_TEST

START_TEST(a_solve_that_does_not_arrive_stops_with_its_row_and_keeps_the_weights) {
  make("loss likelihood  batch 64");
  REFUSED(3, "more attempted steps than are allowed", "train %s --data %s -o %s --solver dopri5 --rtol 1e-3 --max-steps 2", model, data, out);
  ck_assert_ptr_null(read_text(out, NULL));
  Result result = flowc("train %s --data %s -o %s --steps 2 --iterations 1 --weights %s/w.stopped.safetensors", model, data, out, scratch());
  expect_code(result, 0);
  result_free(&result);
} END_TEST

/* ---- losses and terms ---------------------------------------------------------------------------------------------------------- */

static const char losses[] = "fn own(u: [d], target: [d]) = norm2(u - target)/2\n"
                             "fn robust(t, x: [d], u: [d], target: [d]) = log(1 + norm2(u - target)) + 0.01*div(v)(t, x)^2\n"
                             "fn broken(u: [d], target: [d]) = sqrt(-1 - norm2(u - target))\n"
                             "fn constant(x: [d], target: [d]) = norm2(x - target)\n";

/* A flow whose block names `loss`, among these four. */
static void make_losses(const char *block) {
  char text[2048];
  make(block);
  snprintf(text, sizeof text, "%s%sflow f {\n  source normal(2)\n  velocity v\n  solver rk4 steps 4\n  train { optimiser adam 1e-2  %s }\n}\n"
           "flow g { source normal(2)  velocity v  solver rk4 steps 4  train { loss robust } }\n", network, losses, block);
  snprintf(model, sizeof model, "%s", scratch_file("losses.flow", text));
}

START_TEST(flow_matching_as_a_loss_of_the_program_trains_the_same_file) {
  char first[600];
  make_losses("batch 300  iterations 30");
  train("--flow f", 0);
  keep("first.safetensors");
  train("--flow f --loss own --threads 2", 0);
  snprintf(first, sizeof first, "%s/first.safetensors", scratch());
  same_files(first, out);
} END_TEST

START_TEST(a_loss_of_the_block_or_of_the_command_line_is_trained_and_resumed) {
  char whole[600];
  make_losses("loss robust  batch 300  kinetic 0.1");
  train("--flow f --iterations 40", 0);
  keep("whole.safetensors");
  remove_checkpoints();
  train("--flow g --loss robust --kinetic 0.1 --lr 1e-2 --batch 300 --iterations 15 --checkpoint-every 15 --threads 1", 0);
  Result result = flowc("train %s --data %s -o %s --flow f --iterations 40 --resume --threads 3", model, data, out);
  expect_code(result, 0);
  expect_in(result.err, "goes on after iteration 15");
  expect_in(result.err, "robust along path condot + 0.1 kinetic, adam 0.01");
  expect_in(result.err, "  kinetic ");
  result_free(&result);
  snprintf(whole, sizeof whole, "%s/whole.safetensors", scratch());
  same_files(whole, out);
} END_TEST

/* Of the last row of a log with both terms: what stands in its columns. */
static void last_row(const char *path, double *loss, double *kinetic, double *jacobian) {
  size_t length;
  char *text = read_text(path, &length);
  ck_assert_ptr_nonnull(text);
  ck_assert_msg(strncmp(text, "iteration,loss,validation,rate,norm,seconds,kinetic,jacobian\n", 61) == 0, "%.100s", text);
  text[length - 1] = 0;
  const char *row = strrchr(text, '\n') + 1;
  ck_assert_msg(sscanf(row, "%*d,%lf,,%*f,%*f,%*f,%lf,%lf", loss, kinetic, jacobian) == 3, "%s", row);
  free(text);
}

START_TEST(the_log_and_the_last_line_tell_terms_apart_from_the_loss) {
  static const char *const more[] = {"", "--jacobian-norm hutchinson", "--loss likelihood", "--loss likelihood --trace hutchinson --probes 2",
                                     "--loss likelihood --solver dopri5 --rtol 1e-3 --jacobian-norm hutchinson"};
  char log[600];
  double loss, kinetic, jacobian, light;
  make_losses("batch 200  iterations 10");
  snprintf(log, sizeof log, "%s/log.csv", scratch());
  for (int heavy = 0; heavy < 2; heavy++) {
    Result result = flowc("train %s --flow f --data %s -o %s --log %s --kinetic %s --jacobian 0.01 %s", model, data, out, log, heavy ? "50" : "0.01", more[_i]);
    expect_code(result, 0);
    expect_in(result.err, heavy ? " + 50 kinetic + 0.01 jacobian (" : " + 0.01 kinetic + 0.01 jacobian (");
    expect_in(result.err, "  jacobian ");
    result_free(&result);
    if (heavy) light = loss;
    last_row(log, &loss, &kinetic, &jacobian);
    ck_assert(loss > 0 && loss < 10 && kinetic > 0 && jacobian > 0);    /* 50 kinetic is not in the loss */
  }
  ck_assert_double_lt(light, loss);
} END_TEST

START_TEST(a_log_of_lines_of_json_has_the_terms_by_name) {
  char more[700], log[600];
  size_t length;
  make("batch 64  iterations 2  jacobian 0.1");
  snprintf(log, sizeof log, "%s/log.jsonl", scratch());
  snprintf(more, sizeof more, "--log %s", log);
  train(more, 0);
  char *text = read_text(log, &length);
  ck_assert_ptr_nonnull(text);
  expect_in(text, ", \"jacobian\": ");
  ck_assert_ptr_null(strstr(text, "kinetic"));
  free(text);
} END_TEST

/* ---- what goes wrong -------------------------------------------------------------------------------------------------------- */

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
  REFUSED(1, "has no weights to train", "train %s/rotation.flow --data %s -o %s", examples(), data, out);
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
  REFUSED(2, "wants a number of steps", "train %s --data %s -o %s --solver rk4", scratch_file("adaptive.flow", text), data, out);
  REFUSED(2, "is for steps that adapt", "train %s --data %s -o %s --ltol 1e-3", model, data, out);
  REFUSED(2, "one or the other", "train %s --data %s -o %s --rtol 1e-3 --steps 4", model, data, out);
  REFUSED(2, "an exact trace has no probes", "train %s --data %s -o %s --trace exact --probes 2", model, data, out);
  REFUSED(2, "a whole number from 1", "train %s --data %s -o %s --probes 0", model, data, out);
  REFUSED(2, "a whole number from 1 to 64, not `65`", "train %s --data %s -o %s --probes 65", model, data, out);
  REFUSED(2, "from 1 to 64, not `auto`", "train %s --data %s -o %s --probes auto", model, data, out);
  REFUSED(2, "belongs to --loss likelihood", "train %s --data %s -o %s --loss flow_matching --probes 2", model, data, out);
  REFUSED(2, "belongs to --loss likelihood", "train %s --data %s -o %s --loss flow_matching --rtol 1e-3", model, data, out);
  snprintf(text, sizeof text, "%sflow f { source \"moons.npy\"  velocity v  solver rk4 steps 5  train { loss likelihood } }\n", network);
  REFUSED(1, "without density", "train %s --data %s -o %s", scratch_file("from_file.flow", text), data, out);
  ck_assert_ptr_null(read_text(out, NULL));
} END_TEST

START_TEST(numbers_that_are_not_finite_are_known_by_their_file_and_place) {
  char program[600];
  make("batch 64");
  snprintf(program, sizeof program, "%s", scratch_file("given.flow",
           "network v(t, x: [2], c: [2]) -> [2] = [t, x, c] |> linear 2\n"
           "flow f { source \"from.csv\"  velocity v  train { batch 2  iterations 2 } }\n"));
  scratch_file("from.csv", "1,2\n3,4\n");
  char three[600];
  snprintf(three, sizeof three, "%s", scratch_file("three.csv", "1,2\n3,4\n5,6\n"));
  REFUSED(1, "condition 'c': row 2, column 1 is inf; training needs finite numbers", "train %s --data %s -o %s -c c=%s", program, three, out,
          scratch_file("c.csv", "1,2\n3,4\n5,inf\n"));
  REFUSED(1, "condition 'c': row 0, column 0 is nan", "train %s --data %s -o %s -c c=nan,1", program, three, out);
  scratch_file("from.csv", "1,2\n3,nan\n");
  REFUSED(1, "the source: row 1, column 1 is nan", "train %s --data %s -o %s -c c=1,1", program, three, out);
  ck_assert_ptr_null(read_text(out, NULL));
} END_TEST

START_TEST(losses_and_terms_that_cannot_be_are_refused_with_what_there_is) {
  make_losses("batch 64  iterations 10");
  REFUSED(1, "did you mean `robust`?", "train %s --flow f --data %s -o %s --loss robsut", model, data, out);
  REFUSED(1, "there are: flow_matching, likelihood, and every `fn` of the file", "train %s --flow f --data %s -o %s --loss x", model, data, out);
  REFUSED(1, "a loss is a `fn` of the file, and `v` is a network", "train %s --flow f --data %s -o %s --loss v", model, data, out);
  REFUSED(1, "`constant` depends on no weight, and so trains nothing", "train %s --flow f --data %s -o %s --loss constant", model, data, out);
  REFUSED(2, "the weight of the kinetic term is -1", "train %s --flow f --data %s -o %s --kinetic -1", model, data, out);
  REFUSED(2, "--jacobian wants a number", "train %s --flow f --data %s -o %s --jacobian much", model, data, out);
  REFUSED(2, "--jacobian X is missing", "train %s --flow f --data %s -o %s --jacobian-norm exact", model, data, out);
  REFUSED(2, "--trace exact makes both so", "train %s --flow f --data %s -o %s --loss likelihood --trace hutchinson --jacobian 1 --jacobian-norm exact",
          model, data, out);
  REFUSED(2, "--trace belongs to --loss likelihood", "train %s --flow f --data %s -o %s --loss own --trace exact", model, data, out);
  REFUSED(1, "trains a layer that is no part of the velocity `v`", "train %s --data %s -o %s",
          scratch_file("other.flow", "network v(t, x: [2]) -> [2] = [t, x] |> linear 2\nnetwork w(t) -> [1] = [t] |> linear 1\n"
                                     "fn own(t, u: [2], target: [2]) = w(t)[0]*norm2(u - target)\n"
                                     "flow f { source normal(2)  velocity v  solver rk4 steps 4  train { loss own } }\n"),
          data, out);
  ck_assert_ptr_null(read_text(out, NULL));
} END_TEST

START_TEST(a_loss_that_is_not_a_number_keeps_the_weights_and_the_old_file) {
  char stopped[600];
  size_t length;
  make_losses("batch 64  iterations 50");
  train("--flow f --iterations 1", 0);
  keep("old.safetensors");
  char old[600];
  snprintf(old, sizeof old, "%s/old.safetensors", scratch());
  ck_assert_int_eq(link(old, out), 0);
  Result result = flowc("train %s --flow f --data %s -o %s --loss broken", model, data, out);
  expect_code(result, 3);
  expect_in(result.err, "iteration 1: the loss is nan");
  expect_in(result.err, "and the gradient of '");
  expect_in(result.err, "may help");
  result_free(&result);
  same_files(old, out);
  snprintf(stopped, sizeof stopped, "%s/w.stopped.safetensors", scratch());
  free(weights_at(stopped, &length));
  result = flowc("train %s --flow f --data %s -o %s --iterations 3 --weights %s", model, data, out, stopped);
  expect_code(result, 0);                               /* they are finite */
  result_free(&result);
} END_TEST

static Result train_on_a_small_disk(unsigned most) {
  return flowc_on_a_small_disk(most, "train %s --data %s -o %s --resume --checkpoint-every 5", model, data, out);
}

/* A file of the 746 weights has some 3.5 kB, a checkpoint with both moments some 10 kB. */
START_TEST(a_full_disk_costs_checkpoints_but_not_the_training_nor_what_was_there) {
  char checkpoint[600], whole[600];
  make("batch 64  iterations 30");
  train("--checkpoint-every 10", 0);
  keep("whole.safetensors");
  snprintf(whole, sizeof whole, "%s/whole.safetensors", scratch());
  snprintf(checkpoint, sizeof checkpoint, "%s/w.checkpoint.safetensors", scratch());
  remove_checkpoints();
  train("--iterations 10 --checkpoint-every 10", 0);
  unlink(out);
  Result result = train_on_a_small_disk(6000);
  expect_code(result, 0);
  expect_in(result.err, "no checkpoint was written, the training goes on");
  expect_in(result.err, strerror(EFBIG));
  result_free(&result);
  same_files(whole, out);
  result = train_on_a_small_disk(1000);
  expect_code(result, 4);
  expect_in(result.err, "w.safetensors: cannot write after 1000 bytes");
  result_free(&result);
  same_files(whole, out);               /* the old one */
  unlink(out);
  result = flowc("train %s --data %s -o %s --resume", model, data, out);        /* room again */
  expect_code(result, 0);
  expect_in(result.err, "goes on after iteration 10");
  result_free(&result);
  same_files(whole, out);
} END_TEST

START_TEST(a_folder_that_cannot_be_written_to_is_known_before_anything_is_computed) {
  char folder[600];
  make("batch 64  iterations 10");
  REFUSED(4, "nothing can be written there: Not a directory", "train %s --data %s -o %s/w.safetensors", model, data, data);
  snprintf(folder, sizeof folder, "%s/closed", scratch());
  ck_assert_int_eq(mkdir(folder, 0555), 0);
  if (geteuid() != 0) REFUSED(4, "nothing can be written there: Permission denied", "train %s --data %s -o %s/w.safetensors", model, data, folder);
  rmdir(folder);
} END_TEST

START_TEST(other_settings_are_not_resumed) {
  make("batch 64");
  train("--iterations 20 --checkpoint-every 10", 0);
  REFUSED(1, "`batch 64` there, `batch 65` here", "train %s --data %s -o %s --iterations 40 --batch 65 --resume", model, data, out);
} END_TEST

/* One constant of the network, then one of the loss. */
static const char changing[] = "network v(t, x: [2]) -> [2] = [t, %s * x] |> linear 8 |> tanh |> linear 2\n"
                               "fn near(t, x: [d], u: [d], target: [d]) = %s * norm2(u - target)\n"
                               "flow f {\n  source normal(2)\n  velocity v\n  train { loss near  batch 64 }\n}\n%s";

static void write_changing(const char *scale, const char *weight, const char *comment) {
  char text[1024];
  snprintf(text, sizeof text, changing, scale, weight, comment);
  snprintf(model, sizeof model, "%s", scratch_file("f.flow", text));
}

START_TEST(other_formulas_are_not_resumed_and_other_comments_are) {
  make("batch 64");
  write_changing("2", "0.5", "");
  train("--iterations 20 --checkpoint-every 10", 0);
  write_changing("3", "0.5", "");
  REFUSED(1, "other formulas of the velocity or its loss", "train %s --data %s -o %s --iterations 40 --resume", model, data, out);
  write_changing("2", "0.25", "");
  REFUSED(1, "other formulas of the velocity or its loss", "train %s --data %s -o %s --iterations 40 --resume", model, data, out);
  write_changing("2.0", "0.50", "# as before\n");
  train("--iterations 40 --resume", 0);
} END_TEST

/* As a program has it, and what it is changed to. */
static const struct { const char *from, *to; } sources[] = {
    {"source normal(2)", "source normal([0, 0], [[2, 0], [0, 1]])"},
    {"source normal(2)", "source uniform(-1, 1)"},
    {"source uniform(-1, 1)", "source uniform(-1, 2)"},
    {"density p(x: [2]) = -norm2(x)/2 - log(2*pi)\n  draw z ~ normal(2): z\n", "density p(x: [2]) = -norm2(x)/2 - log(2*pi)\n  draw z ~ normal(2): 2*z\n"}};

static void write_source(const char *source) {
  char text[1024];
  bool density = strncmp(source, "density", 7) == 0;
  snprintf(text, sizeof text, "%s%sflow f {\n  %s\n  velocity v\n  solver rk4 steps 4\n}\n", network, density ? source : "", density ? "source p" : source);
  snprintf(model, sizeof model, "%s", scratch_file("f.flow", text));
}

START_TEST(another_source_is_not_resumed) {
  make("batch 64");
  write_source(sources[_i].from);
  train("--iterations 20 --batch 64 --checkpoint-every 10", 0);
  train("--iterations 20 --batch 64 --resume", 0);
  write_source(sources[_i].to);
  REFUSED(1, "was made with other settings: `source ", "train %s --data %s -o %s --iterations 40 --batch 64 --resume", model, data, out);
} END_TEST

START_TEST(what_a_resumption_differs_in_is_said) {
  make("batch 64");
  train("--iterations 20 --checkpoint-every 10", 0);
  REFUSED(1, "`kinetic 0.5` here, and not there", "train %s --data %s -o %s --iterations 40 --kinetic 0.5 --resume", model, data, out);
  REFUSED(1, "`coupling independent` there, `coupling transport` here", "train %s --data %s -o %s --iterations 40 --coupling transport --resume", model, data, out);
  REFUSED(1, "has done 20 iterations, and 5 are asked for", "train %s --data %s -o %s --iterations 5 --resume", model, data, out);
  make("batch 64  initial zeros");
  REFUSED(1, "began with other weights", "train %s --data %s -o %s --iterations 40 --resume", model, data, out);
} END_TEST

START_TEST(a_label_without_a_row_is_known_before_anything_is_computed) {
  static const char text[] = "network v(t, x: [2], c) -> [2] = [t, x, c |> embedding 3 2 \"e\"] |> linear 8 \"a\" |> silu |> linear 2 \"b\"\n"
                             "flow f { source normal(2)  velocity v  train { batch 64  iterations 5 } }\n";
  char labels[600], column[2000 * 2 + 1];
  make("");
  snprintf(model, sizeof model, "%s", scratch_file("f.flow", text));
  for (int i = 0; i < 2000; i++) column[2 * i] = (char)('0' + i % 3), column[2 * i + 1] = '\n';
  column[4000] = 0;
  snprintf(labels, sizeof labels, "-c c=%s", scratch_file("labels.csv", column));
  train(labels, 0);
  column[2 * 1234] = '3';
  scratch_file("labels.csv", column);
  REFUSED(1, "row 1234: the label 3 is outside of a table of 3 rows, in the layer `e.weight`: labels are 0 to 2", "train %s --data %s -o %s %s", model, data, out, labels);
  REFUSED(1, "the label 0.5 is outside", "train %s --data %s -o %s -c c=0.5", model, data, out);
} END_TEST

START_TEST(an_output_that_is_a_folder_is_known_before_anything_is_computed) {
  char folder[600];
  make("batch 64  iterations 10");
  snprintf(folder, sizeof folder, "%s/folder.safetensors", scratch());
  ck_assert_int_eq(mkdir(folder, 0700), 0);
  REFUSED(4, "is a folder", "train %s --data %s -o %s", model, data, folder);
  ck_assert_int_eq(rmdir(folder), 0);           /* nothing was put there */
} END_TEST

/* An iteration of this takes a minute: the assignment of 6000 points, or a solve of 100,000 steps. */
static const char *const long_iterations[] = {"--batch 6000 --coupling transport", "--batch 1 --loss likelihood --steps 1000000"};

START_TEST(an_iteration_is_stopped_in_its_middle_and_the_run_goes_on_from_before_it) {
  char words[300], *argv[32];
  int count = 0, how;
  make("");
  remove_checkpoints();
  snprintf(words, sizeof words, "%s", long_iterations[_i]);
  const char *first[] = {FLOWC, "train", model, "--data", data, "-o", out, "--threads", "1", "-q"};
  for (size_t i = 0; i < sizeof first / sizeof *first; i++) argv[count++] = (char *)(uintptr_t)first[i];
  for (char *word = strtok(words, " "); word; word = strtok(NULL, " ")) argv[count++] = word;
  argv[count] = NULL;
  pid_t child = fork();
  if (child == 0) {
    ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
    execv(FLOWC, argv);
    _exit(127);
  }
  usleep(1500000);
  ck_assert_int_eq(kill(child, SIGINT), 0);
  alarm(30);                    /* under a sanitizer an interval between two questions is long */
  ck_assert_int_eq(waitpid(child, &how, 0), child);
  alarm(0);
  ck_assert_msg(WIFEXITED(how) && WEXITSTATUS(how) == 4, "it ended with %d", how);
  snprintf(words, sizeof words, "%s/w.checkpoint.safetensors", scratch());
  free(weights_at(words, &(size_t){0}));
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
  tcase_add_loop_test(tcase, the_likelihood_grows_and_the_file_depends_on_neither_threads_nor_stops, 0, SOLVES);
  tcase_add_test(tcase, what_the_likelihood_is_computed_by_is_printed);
  tcase_add_test(tcase, a_state_of_many_numbers_has_its_trace_estimated);
  tcase_add_test(tcase, a_solve_that_does_not_arrive_stops_with_its_row_and_keeps_the_weights);
  tcase_add_test(tcase, flow_matching_as_a_loss_of_the_program_trains_the_same_file);
  tcase_add_test(tcase, a_loss_of_the_block_or_of_the_command_line_is_trained_and_resumed);
  tcase_add_loop_test(tcase, the_log_and_the_last_line_tell_terms_apart_from_the_loss, 0, 5);
  tcase_add_test(tcase, a_log_of_lines_of_json_has_the_terms_by_name);
  tcase_add_test(tcase, numbers_that_are_not_finite_are_known_by_their_file_and_place);
  tcase_add_test(tcase, losses_and_terms_that_cannot_be_are_refused_with_what_there_is);
  tcase_add_test(tcase, a_loss_that_is_not_a_number_keeps_the_weights_and_the_old_file);
  tcase_add_test(tcase, a_full_disk_costs_checkpoints_but_not_the_training_nor_what_was_there);
  tcase_add_test(tcase, a_folder_that_cannot_be_written_to_is_known_before_anything_is_computed);
  tcase_add_test(tcase, a_likelihood_that_cannot_be_differentiated_is_refused);
  tcase_add_test(tcase, what_goes_wrong_is_said_before_anything_is_computed);
  tcase_add_test(tcase, other_settings_are_not_resumed);
  tcase_add_test(tcase, other_formulas_are_not_resumed_and_other_comments_are);
  tcase_add_loop_test(tcase, another_source_is_not_resumed, 0, sizeof sources / sizeof *sources);
  tcase_add_test(tcase, what_a_resumption_differs_in_is_said);
  tcase_add_test(tcase, a_label_without_a_row_is_known_before_anything_is_computed);
  tcase_add_test(tcase, an_output_that_is_a_folder_is_known_before_anything_is_computed);
  tcase_add_loop_test(tcase, an_iteration_is_stopped_in_its_middle_and_the_run_goes_on_from_before_it, 0, 2);
  tcase_add_test(tcase, a_loss_that_overflows_stops_with_the_iteration_and_advice);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
