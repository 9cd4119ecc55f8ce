/* SPDX-License-Identifier: Apache-2.0 */
/* check_library_threads.c -- one compiled model, many threads, each with threads of its own inside.  `scripts/tsan` runs it
 * under ThreadSanitizer, to which watched_model.h makes the compiled code's memory visible. */
#include "run_suite.h"
#include "sanitized.h"
#include "../cli/user.h"
#include "library_file.h"
#include "watched_model.h"
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CALLERS = 16, CALLS = 100, COUNT = 140, TIMES = 3 };

/* All that a call can write. */
typedef struct Results {
  float x[COUNT][2], path[TIMES][COUNT][2], velocity[COUNT][2], jvp[COUNT][2], divergence[COUNT];
  double log_p[COUNT];
  uint8_t status[COUNT];
} Results;

typedef struct Work {
  const flowrt_model *model;
  int threads;                  /* inside a call */
  float from[COUNT][2];
  Results expected;
} Work;

static flowrt_request request_of(Results *to, int threads) {
  return (flowrt_request){.size = sizeof(flowrt_request), .count = COUNT, .threads = threads, .seed = 7, .method = "midpoint", .steps = 2, .x = to->x, .status = to->status};
}

/* ---- the calls -------------------------------------------------------------------------------------------------------------- */

static flow_status draw(const Work *w, Results *to, int threads, flow_error *error) {
  flowrt_request request = request_of(to, threads);
  request.log_p = to->log_p;
  return flowrt_sample(w->model, &request, error);
}

static flow_status draw_adaptively(const Work *w, Results *to, int threads, flow_error *error) {
  flowrt_request request = request_of(to, threads);
  request.method = NULL;
  request.steps = 0;
  request.rtol = 1e-2;
  return flowrt_sample(w->model, &request, error);
}

static flow_status measure(const Work *w, Results *to, int threads, flow_error *error) {
  flowrt_request request = request_of(to, threads);
  request.from = w->from;
  request.log_p = to->log_p;
  return flowrt_log_prob(w->model, &request, error);
}

static flow_status follow(const Work *w, Results *to, int threads, flow_error *error) {
  static const double time[TIMES] = {0, 0.3, 1};
  flowrt_request request = request_of(to, threads);
  return flowrt_trajectory(w->model, &request, time, TIMES, to->path, NULL, error);
}

static flow_status evaluate(const Work *w, Results *to, int threads, flow_error *error) {
  static const double time = 0.25;
  flowrt_points points = {.size = sizeof points, .count = COUNT, .threads = threads, .t = &time, .times = 1, .x = w->from, .direction = w->from,
                          .velocity = to->velocity, .jvp = to->jvp, .divergence = to->divergence};
  return flowrt_evaluate(w->model, &points, error);
}

static flow_status solve_prepared(const Work *w, Results *to, int threads, flow_error *error) {
  flowrt_solver *solver;
  flowrt_request request = request_of(to, threads);
  flow_status status = flowrt_prepare(w->model, &request, 0, &solver, error);
  for (int i = 0; !status && i < 3; i++) status = flowrt_solve(solver, &request, error);
  flowrt_solver_close(solver);
  return status;
}

static flow_status few(const Work *w, Results *to, int threads, flow_error *error) {
  flowrt_request request = request_of(to, threads);
  request.count = 3;
  return flowrt_sample(w->model, &request, error);
}

typedef flow_status Call(const Work *work, Results *to, int threads, flow_error *error);
static Call *const kind[] = {draw, draw_adaptively, measure, follow, evaluate, solve_prepared, few};
enum { KINDS = sizeof kind / sizeof *kind };

/* ---- the threads ------------------------------------------------------------------------------------------------------------- */

typedef struct Caller {
  const Work *work;
  Results results[KINDS];
  flow_status status;
  flow_error error;
  pthread_t thread;
} Caller;

static void *call_often(void *user) {
  Caller *caller = user;
  for (int i = 0; i < CALLS && !caller->status; i++)
    caller->status = kind[i % KINDS](caller->work, &caller->results[i % KINDS], caller->work->threads, &caller->error);
  return NULL;
}

static flowrt_model *open_watched(const flowrt_model *model) {
  flow_error error = {{0}};
  flowrt_model *watched;
  ck_assert_msg(flowrt_open_export(watched_export(flowrt_exported(model)), NULL, &watched, &error) == FLOW_OK, "%s", error.text);
  return watched;
}

static void expect_all_alike(const Work *work, const Caller *callers) {
  flow_error error = {{0}};
  for (int k = 0; k < KINDS; k++) {
    Results *alone = calloc(1, sizeof *alone);
    ck_assert_msg(kind[k](work, alone, 1, &error) == FLOW_OK, "%s", error.text);
    for (int i = 0; i < CALLERS; i++)
      ck_assert_msg(memcmp(alone, &callers[i].results[k], sizeof *alone) == 0, "caller %d, call %d: other bits than on one thread", i, k);
    free(alone);
  }
}

/* A network, and a source that is drawn by compiled code. */
static const char *library(bool density) {
  static const char text[] = "density p(x: [2]) = -norm2(x)/2\n  draw k ~ choice(3), z ~ normal(2): z + [k, 1]\nfield u(t, x: [2]) = [sin(x[1]), t*x[0]]\n"
                             "flow f { source p  velocity u  solver rk4 steps 3 }\n";
  return density ? compile_text("density", text, "") : compile_to(model_named("moons_elu"), "moons.so", "");
}

static const struct { bool density; int threads; } shared[] = {{false, 1}, {false, 3}, {true, 3}};

/* 16 threads, 100 calls each, with one and with three threads inside. */
START_TEST(threads_share_one_model) {
  flowrt_model *model = open_library(library(shared[_i].density), 0), *watched = open_watched(model);
  Work work = {.model = watched, .threads = shared[_i].threads};
  for (int i = 0; i < COUNT; i++) work.from[i][0] = 0.01f * (float)i - 0.5f, work.from[i][1] = 0.3f;
  Caller *callers = calloc(CALLERS, sizeof *callers);
  ck_assert_ptr_nonnull(callers);
  for (int i = 0; i < CALLERS; i++) {
    callers[i].work = &work;
    ck_assert_int_eq(pthread_create(&callers[i].thread, NULL, call_often, &callers[i]), 0);
  }
  for (int i = 0; i < CALLERS; i++) ck_assert_int_eq(pthread_join(callers[i].thread, NULL), 0);
  for (int i = 0; i < CALLERS; i++) ck_assert_msg(callers[i].status == FLOW_OK, "caller %d: %s", i, callers[i].error.text);
  ck_assert_uint_gt(watched_calls(), CALLERS * CALLS);
  expect_all_alike(&work, callers);
  free(callers);
  flowrt_close(watched);
  flowrt_close(model);
}
END_TEST

/* Models are opened, used and closed side by side: nothing is shared between them but the code. */
static void *open_and_close(void *user) {
  const char *path = user;
  flow_error error = {{0}};
  for (int i = 0; i < 10; i++) {
    float x[20][2];
    flowrt_model *model;
    flowrt_request request = {.size = sizeof request, .count = 20, .threads = 2, .steps = 2, .x = x};
    if (flowrt_open(path, NULL, &model, &error)) return user;
    flow_status status = flowrt_sample(model, &request, &error);
    flowrt_close(model);
    if (status) return user;
  }
  return NULL;
}

START_TEST(models_are_opened_and_closed_by_many_threads) {
  pthread_t thread[CALLERS];
  char path[512];
  snprintf(path, sizeof path, "%s", compile_to(model_named("moons_elu"), "opened.so", ""));
  for (int i = 0; i < CALLERS; i++) ck_assert_int_eq(pthread_create(&thread[i], NULL, open_and_close, path), 0);
  for (int i = 0; i < CALLERS; i++) {
    void *wrong;
    ck_assert_int_eq(pthread_join(thread[i], &wrong), 0);
    ck_assert_ptr_null(wrong);
  }
}
END_TEST

#if UNDER_THREAD_SANITIZER
/* What the test above would say if the runtime gave two threads one buffer. */
static void *evaluate_in(void *user) {
  ((const flow_level *)((void **)user)[0])->eval(((void **)user)[1]);
  return NULL;
}

START_TEST(two_calls_that_share_their_scratch_are_seen_to_race) {
  flowrt_model *model = open_library(compile_to(model_named("rotation"), "race.so", ""), 0);
  const flow_level *level = &watched_export(flowrt_exported(model))->variant[0].model->level[0];
  void *buffer = aligned_alloc(64, 1 << 16);
  flow_call call = {.size = sizeof call, .lanes = level->quantum, .x = buffer, .u = buffer, .scratch = buffer, .times = buffer};
  void *both[2] = {(void *)(uintptr_t)level, &call};
  pthread_t thread[2];
  ck_assert_uint_le(level->scratch_bytes, 1 << 16);
  memset(buffer, 0, 1 << 16);
  for (int i = 0; i < 2; i++) pthread_create(&thread[i], NULL, evaluate_in, both);
  for (int i = 0; i < 2; i++) pthread_join(thread[i], NULL);
  exit(0);
}
END_TEST
#endif

int main(void) {
  Suite *suite = suite_create("threads on libraries");
  TCase *tests = tcase_create("threads");
  tcase_set_timeout(tests, 240);
  tcase_add_loop_test(tests, threads_share_one_model, 0, sizeof shared / sizeof *shared);
  tcase_add_test(tests, models_are_opened_and_closed_by_many_threads);
#if UNDER_THREAD_SANITIZER
  tcase_add_exit_test(tests, two_calls_that_share_their_scratch_are_seen_to_race, 66);
#endif
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
