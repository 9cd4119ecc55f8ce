/* SPDX-License-Identifier: Apache-2.0 */
/* check_library_calls.c -- the calls of flow/flow.h: what they answer, refuse, allocate, and leave as it was. */
#include "run_suite.h"
#include "sanitized.h"
#include "../cli/user.h"
#include "library_file.h"
#include <errno.h>
#include <fenv.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xmmintrin.h>

extern char **environ;

static flowrt_model *moons(void) { return open_library(compile_to(model_named("moons_elu"), "moons.so", ""), 0); }

static flowrt_model *probed_moons(void) { return open_library(compile_to(model_named("moons_elu"), "probed.so", "--probes 2"), 0); }

#define expect_status(call, wanted, error)                                                                             \
  do {                                                                                                                 \
    flow_status got = (call);                                                                                          \
    ck_assert_msg(got == (wanted), "status %d, `%s`", got, (error).text);                                              \
  } while (0)

/* ---- memory: every malloc of the process is counted ------------------------------------------------------------------------- */

#if UNDER_ADDRESS_SANITIZER || UNDER_THREAD_SANITIZER
static unsigned long allocations(void) { return 0; }
#else
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *old, size_t size);
void *memalign(size_t alignment, size_t size);
void *aligned_alloc(size_t alignment, size_t size);
int posix_memalign(void **memory, size_t alignment, size_t size);
static atomic_ulong allocated;
static unsigned long allocations(void) { return allocated; }
void *malloc(size_t size) {
  allocated++;
  return __libc_malloc(size);
}
void *calloc(size_t count, size_t size) {
  allocated++;
  return __libc_calloc(count, size);
}
void *realloc(void *old, size_t size) {
  allocated++;
  return __libc_realloc(old, size);
}
void *memalign(size_t alignment, size_t size) {
  allocated++;
  return __libc_memalign(alignment, size);
}
void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void **memory, size_t alignment, size_t size) {
  *memory = memalign(alignment, size);
  return *memory ? 0 : ENOMEM;
}
#endif

typedef struct Prepared { const char *name; flowrt_request how; int log_prob; } Prepared;
static const Prepared prepared[] = {
    {"fixed steps", {.count = 1, .threads = 1, .method = "midpoint", .steps = 10}, 0},
    {"a few fixed steps of many samples", {.count = 200, .threads = 1, .method = "rk4", .steps = 3}, 0},
    {"adaptive steps", {.count = 40, .threads = 1, .rtol = 1e-4}, 0},
    {"log p", {.count = 3, .threads = 1, .steps = 10}, 1},
    {"log p by adaptive steps", {.count = 3, .threads = 1, .rtol = 1e-4}, 1},
    {"log p by probes", {.count = 3, .threads = 1, .steps = 10, .probes = 5}, 1},
    {"log p by probes to a target", {.count = 3, .threads = 1, .steps = 10, .target = 0.3, .probes = 30}, 1},
};

/* Seeds differ, and counts do; what comes out is what flowrt_sample gives. */
START_TEST(a_prepared_solve_allocates_nothing_and_gives_the_same_bits) {
  const Prepared *p = &prepared[_i];
  static float data[200][2], x[200][2], y[200][2];
  static double log_p[200], other[200];
  flow_error error = {{0}};
  flowrt_model *model = probed_moons();
  flowrt_solver *solver;
  flowrt_request request = p->how;
  request.size = sizeof request;
  request.x = x;
  for (int i = 0; i < 200; i++) data[i][0] = 0.01f * (float)i, data[i][1] = 0.5f;
  if (p->log_prob) request.from = data, request.log_p = log_p;
  expect_status(flowrt_prepare(model, &request, p->log_prob, &solver, &error), FLOW_OK, error);
  unsigned long during = 0;     /* Check itself allocates */
  for (uint64_t round = 0; round < 20; round++) {
    request.seed = round;
    request.count = p->how.count - round % 2 * (p->how.count / 2);
    unsigned long before = allocations();
    flow_status status = flowrt_solve(solver, &request, &error);
    during += allocations() - before;
    expect_status(status, FLOW_OK, error);
  }
  ck_assert_uint_eq(during, 0);
  flowrt_request again = request;
  again.x = y;
  again.log_p = p->log_prob ? other : NULL;
  expect_status(p->log_prob ? flowrt_log_prob(model, &again, &error) : flowrt_sample(model, &again, &error), FLOW_OK, error);
  ck_assert_int_eq(memcmp(x, y, (size_t)request.count * sizeof *x), 0);
  if (p->log_prob) ck_assert_int_eq(memcmp(log_p, other, (size_t)request.count * sizeof *log_p), 0);
  request.count = p->how.count + 1;
  expect_status(flowrt_solve(solver, &request, &error), FLOW_BAD_CALL, error);
  flowrt_solver_close(solver);
  flowrt_close(model);
}
END_TEST

/* Its draws and its log p need memory of each thread, which is the solver's. */
START_TEST(a_prepared_solve_from_a_density_allocates_nothing) {
  const char *text = "density p(x: [2]) = -norm2(x)/2\n  draw k ~ choice(3), z ~ normal(2): z + [k, 1]\nfield u(t, x: [2]) = x\n"
                     "flow f { source p  velocity u  solver rk4 steps 3 }\n";
  float x[30][2], y[30][2];
  double log_p[30];
  flow_error error = {{0}};
  flowrt_model *model = open_library(compile_text("density", text, ""), 0);
  flowrt_solver *solver;
  flowrt_request request = {.size = sizeof request, .count = 30, .threads = 1, .x = x, .log_p = log_p};
  expect_status(flowrt_prepare(model, &request, 0, &solver, &error), FLOW_OK, error);
  unsigned long before = allocations(), failed = 0;
  for (request.seed = 0; request.seed < 20; request.seed++) failed += flowrt_solve(solver, &request, &error) != FLOW_OK;
  ck_assert_uint_eq(allocations() - before, 0);
  ck_assert_uint_eq(failed, 0);
  request.seed = 19;
  request.x = y;
  expect_status(flowrt_sample(model, &request, &error), FLOW_OK, error);
  ck_assert_int_eq(memcmp(x, y, sizeof x), 0);
  flowrt_solver_close(solver);
  flowrt_close(model);
}
END_TEST

/* The larger the state, the more log p and its kind need. */
START_TEST(a_prepared_solve_may_be_asked_for_what_it_was_not_prepared_with) {
  enum { DIM = 24, COUNT = 100 };
  static float x[COUNT][DIM], data[COUNT][DIM];
  static double log_p[COUNT];
  uint8_t status[COUNT];
  const char *text = "field u(t, x: [24]) = tanh(x) + t\nflow f { source normal(24)  velocity u  solver rk4 steps 3 }\n";
  flow_error error = {{0}};
  flowrt_model *model = open_library(compile_text("wishes", text, ""), 0);
  for (int log_prob = 0; log_prob < 2; log_prob++) {
    flowrt_solver *solver;
    flowrt_request request = {.size = sizeof request, .count = COUNT, .threads = 1, .x = x};
    if (log_prob) request.from = data, request.x = NULL, request.log_p = log_p, request.status = status;
    expect_status(flowrt_prepare(model, &request, log_prob, &solver, &error), FLOW_OK, error);
    flowrt_request more = request, less = request;
    more.x = x, more.log_p = log_p, more.status = status;
    less.log_p = NULL, less.status = NULL, less.x = log_prob ? x : NULL;
    unsigned long before = allocations();
    flow_status first = flowrt_solve(solver, &more, &error), second = flowrt_solve(solver, &less, &error);
    unsigned long during = allocations() - before;
    expect_status(first, FLOW_OK, error);
    expect_status(second, FLOW_OK, error);
    ck_assert_uint_eq(during, 0);
    flowrt_solver_close(solver);
  }
  flowrt_close(model);
}
END_TEST

/* Both, for the child has none of the helpers that the parent's threads have. */
START_TEST(a_forked_process_solves_too) {
  float x[1000][2], y[1000][2];
  flow_error error = {{0}};
  flowrt_model *model = open_library(compile_to(model_named("mixture2"), "forked.so", ""), 0);
  flowrt_request request = {.size = sizeof request, .count = 1000, .threads = 3, .method = "rk4", .steps = 3, .x = x};
  expect_status(flowrt_sample(model, &request, &error), FLOW_OK, error);
  request.x = y;
  pid_t child = fork();
  ck_assert_int_ge(child, 0);
  if (child == 0) {
    alarm(20);
    _exit(flowrt_sample(model, &request, &error) == FLOW_OK && memcmp(x, y, sizeof x) == 0 ? 0 : 1);
  }
  int how;
  ck_assert_int_eq(waitpid(child, &how, 0), child);
  ck_assert_msg(WIFEXITED(how) && WEXITSTATUS(how) == 0, "the child ended with %d", how);
  expect_status(flowrt_sample(model, &request, &error), FLOW_OK, error);
  flowrt_close(model);
}
END_TEST

typedef struct Counted { size_t bytes, pieces; } Counted;
static void *counted_resize(void *user, void *old, size_t old_size, size_t new_size) {
  Counted *counted = user;
  counted->bytes += new_size - old_size;
  counted->pieces += (old == NULL && new_size) - (old != NULL && new_size == 0);
  if (new_size) return realloc(old, new_size);
  free(old);
  return NULL;
}

START_TEST(the_callers_allocator_gets_everything_back) {
  Counted counted = {0, 0};
  flowrt_allocator allocator = {counted_resize, &counted};
  flow_error error = {{0}};
  flowrt_model *model;
  float x[100][2];
  flowrt_options options = {.size = sizeof options, .allocator = &allocator, .weights_path = weights_of(model_named("moons_elu"))};
  expect_status(flowrt_open(compile_to(model_named("moons_elu"), "counted.so", ""), &options, &model, &error), FLOW_OK, error);
  ck_assert_uint_gt(counted.bytes, 0);
  flowrt_request request = {.size = sizeof request, .count = 100, .steps = 3, .x = x};
  expect_status(flowrt_sample(model, &request, &error), FLOW_OK, error);
  flowrt_close(model);
  ck_assert_uint_eq(counted.bytes, 0);
  ck_assert_uint_eq(counted.pieces, 0);
}
END_TEST

static void *fail_later(void *user, void *old, size_t old_size, size_t new_size) {
  (void)old_size;
  int *left = user;
  if (new_size && --*left < 0) return NULL;
  if (new_size) return realloc(old, new_size);
  free(old);
  return NULL;
}

START_TEST(without_memory_every_call_says_so) {
  const char *path = compile_to(model_named("moons_elu"), "poor.so", "");
  flow_status status = FLOW_NO_MEMORY;
  for (int room = 0; status == FLOW_NO_MEMORY; room++) {
    int left = room;
    flowrt_allocator allocator = {fail_later, &left};
    flow_error error = {{0}};
    flowrt_model *model;
    float x[3][2];
    double log_p[3];
    flowrt_options options = {.size = sizeof options, .allocator = &allocator, .weights_path = weights_of(model_named("moons_elu"))};
    status = flowrt_open(path, &options, &model, &error);
    flowrt_request request = {.size = sizeof request, .count = 3, .threads = 1, .steps = 2, .x = x, .log_p = log_p};
    if (!status) status = flowrt_sample(model, &request, &error);
    ck_assert_msg(status == FLOW_OK || status == FLOW_NO_MEMORY, "status %d, `%s`", status, error.text);
    flowrt_close(model);
    ck_assert_int_lt(room, 1000);
  }
}
END_TEST

/* ---- what is refused ------------------------------------------------------------------------------------------------------------- */

START_TEST(requests_that_make_no_sense_are_refused_with_a_reason) {
  static double log_p;
  static const struct Wrong { flowrt_request request; const char *words; } wrong[] = {
      {{.size = 0, .count = 1}, "sizeof(flowrt_request)"},
      {{.size = sizeof(flowrt_request) + 8, .count = 1}, "newer library"},
      {{.size = sizeof(flowrt_request), .count = 1, .threads = -1}, "threads"},
      {{.size = sizeof(flowrt_request), .count = 1, .method = "rk5"}, "no solver `rk5`"},
      {{.size = sizeof(flowrt_request), .count = 1, .method = "rk4", .rtol = 1e-3}, "no estimate"},
      {{.size = sizeof(flowrt_request), .count = 1, .steps = 3, .rtol = 1e-3}, "one or the other"},
      {{.size = sizeof(flowrt_request), .count = 1, .rtol = -1}, "rtol"},
      {{.size = sizeof(flowrt_request), .count = 2, .first = UINT64_MAX}, "beyond"},
      {{.size = sizeof(flowrt_request), .count = 1, .log_p = &log_p, .probes = 2, .probe = 7}, "FLOWRT_GAUSSIAN"},
      {{.size = sizeof(flowrt_request), .count = 1, .log_p = &log_p, .target = NAN}, "standard error"},
      {{.size = sizeof(flowrt_request), .count = 1, .log_p = &log_p, .target = 0.1}, "for flowrt_log_prob"},
      {{.size = sizeof(flowrt_request), .count = 1, .log_p = &log_p, .probes = UINT32_MAX}, "random numbers"},
  };
  flowrt_model *model = probed_moons();
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    flow_error error = {{0}};
    flow_status status = flowrt_sample(model, &wrong[i].request, &error);
    ck_assert_msg(status == FLOW_BAD_CALL && strstr(error.text, wrong[i].words), "%zu: status %d, `%s`", i, status, error.text);
  }
  flow_error error = {{0}};
  flowrt_request request = {.size = sizeof request, .count = 1};
  expect_status(flowrt_log_prob(model, &request, &error), FLOW_BAD_CALL, error);
  expect_in(error.text, "from");
  expect_status(flowrt_sample(model, NULL, &error), FLOW_BAD_CALL, error);
  flowrt_close(model);
  flowrt_close(NULL);
}
END_TEST

/* The first interface's fields keep their places, and what came after them is not read of a program that does not have it. */
_Static_assert(offsetof(flowrt_request, summary) == 136 && offsetof(flowrt_points, jvp) == 72 && offsetof(flowrt_options, allocator) == 32 &&
                   offsetof(flow_export, plan) == 96 && sizeof(flow_variant) == 24 && sizeof(flow_level) == 104 && sizeof(flow_model) == 136,
               "a field of the binary interface has moved");
START_TEST(an_older_programs_structs_are_taken) {
  float x[3][2], y[3][2], u[3][2];
  double log_p[3], t = 0.5;
  flow_error error = {{0}};
  flowrt_model *model;
  flowrt_options options;
  memset(&options, 0xff, sizeof options);
  memset(&options, 0, offsetof(flowrt_options, source_path));
  options.size = offsetof(flowrt_options, source_path);
  expect_status(flowrt_open(compile_to(model_named("moons_elu"), "moons.so", ""), &options, &model, &error), FLOW_OK, error);
  flowrt_request request, whole = {.size = sizeof whole, .count = 3, .x = y};
  memset(&request, 0xff, sizeof request);
  memset(&request, 0, offsetof(flowrt_request, probes));
  request.size = offsetof(flowrt_request, probes);
  request.count = 3;
  request.x = x;
  request.log_p = log_p;
  expect_status(flowrt_sample(model, &request, &error), FLOW_OK, error);
  expect_status(flowrt_sample(model, &whole, &error), FLOW_OK, error);
  ck_assert_int_eq(memcmp(x, y, sizeof x), 0);
  flowrt_points points;
  memset(&points, 0xff, sizeof points);
  memset(&points, 0, offsetof(flowrt_points, vjp));
  points.size = offsetof(flowrt_points, vjp);
  points.count = 3;
  points.t = &t;
  points.times = 1;
  points.x = x;
  points.velocity = u;
  expect_status(flowrt_evaluate(model, &points, &error), FLOW_OK, error);
  flowrt_close(model);
}
END_TEST

START_TEST(nothing_comes_of_nothing) {
  float none[1][2];
  double t = 0.5;
  flow_error error = {{0}};
  flowrt_model *model = moons();
  flowrt_request request = {.size = sizeof request, .x = none, .from = none};
  flowrt_points points = {.size = sizeof points, .t = &t, .times = 1, .x = none, .velocity = none};
  expect_status(flowrt_sample(model, &request, &error), FLOW_OK, error);
  expect_status(flowrt_log_prob(model, &request, &error), FLOW_OK, error);
  expect_status(flowrt_trajectory(model, &request, &t, 1, none, NULL, &error), FLOW_OK, error);
  request.rtol = 1e-3;
  expect_status(flowrt_sample(model, &request, &error), FLOW_OK, error);
  expect_status(flowrt_trajectory(model, &request, &t, 1, none, NULL, &error), FLOW_OK, error);
  expect_status(flowrt_evaluate(model, &points, &error), FLOW_OK, error);
  flowrt_close(model);
}
END_TEST

/* A starting point that is not finite fails alone. */
START_TEST(a_sample_that_fails_has_a_status_and_its_neighbours_are_right) {
  flowrt_model *model = moons();
  float from[3][2] = {{0.1f, 0.2f}, {NAN, 0}, {-1, 1}}, x[3][2], alone[2];
  uint8_t status[3];
  flowrt_summary summary;
  flow_error error = {{0}};
  flowrt_request request = {.size = sizeof request, .count = 3, .from = from, .x = x, .status = status, .summary = &summary};
  expect_status(flowrt_sample(model, &request, &error), FLOW_FAILED_SAMPLES, error);
  ck_assert_uint_eq(status[0], 0);
  ck_assert_uint_ne(status[1], 0);
  ck_assert_uint_eq(status[2], 0);
  ck_assert_uint_eq(summary.failed, 1);
  ck_assert_uint_eq(summary.first_failed, 1);
  expect_in(flowrt_status_text(status[1]), "not a number");
  request = (flowrt_request){.size = sizeof request, .count = 1, .from = from[2], .x = alone};
  expect_status(flowrt_sample(model, &request, &error), FLOW_OK, error);
  ck_assert_int_eq(memcmp(alone, x[2], sizeof alone), 0);
  flowrt_close(model);
}
END_TEST

static int stop(void *user, uint64_t done, uint64_t total) {
  (void)done, (void)total;
  return ++*(int *)user >= 2;
}

START_TEST(a_solve_can_be_stopped) {
  flowrt_model *model = moons();
  flow_error error = {{0}};
  int calls = 0;
  flowrt_request request = {.size = sizeof request, .count = 100000, .progress = stop, .user = &calls};
  expect_status(flowrt_sample(model, &request, &error), FLOW_CANCELLED, error);
  ck_assert_int_eq(calls, 2);
  flowrt_close(model);
}
END_TEST

/* ---- the host --------------------------------------------------------------------------------------------------------------------- */

START_TEST(a_model_leaves_the_host_as_it_was) {
  char **variables = environ, locale[64];
  struct sigaction before[32], after;
  snprintf(locale, sizeof locale, "%s", setlocale(LC_ALL, NULL));
  for (int s = 1; s < 32; s++) sigaction(s, NULL, &before[s]);
  const unsigned strange = 0x1f80 | 0x8040 | 0x6000;    /* flush to zero, denormals are zero, round towards zero */
  float x[10][2], y[10][2];
  flow_error error = {{0}};
  const char *path = compile_to(model_named("moons_elu"), "host.so", "");
  unsigned usual = _mm_getcsr();
  _mm_setcsr(strange);
  flowrt_model *model;
  flow_status opened = flowrt_open(path, NULL, &model, &error);
  flowrt_request request = {.size = sizeof request, .count = 10, .x = x};
  flow_status sampled = opened ? opened : flowrt_sample(model, &request, &error);
  unsigned left = _mm_getcsr();
  _mm_setcsr(usual);
  ck_assert_int_eq(sampled, FLOW_OK);
  ck_assert_uint_eq(left & ~0x3fu, strange);
  request.x = y;
  expect_status(flowrt_sample(model, &request, &error), FLOW_OK, error);
  ck_assert_int_eq(memcmp(x, y, sizeof x), 0);
  ck_assert_ptr_eq(environ, variables);
  ck_assert_str_eq(setlocale(LC_ALL, NULL), locale);
  for (int s = 1; s < 32; s++) {
    sigaction(s, NULL, &after);
    ck_assert_ptr_eq((void *)(uintptr_t)after.sa_handler, (void *)(uintptr_t)before[s].sa_handler);
  }
  flowrt_close(model);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("calls of libflowrt");
  TCase *tests = tcase_create("calls");
  tcase_set_timeout(tests, 120);
  tcase_add_loop_test(tests, a_prepared_solve_allocates_nothing_and_gives_the_same_bits, 0, sizeof prepared / sizeof *prepared);
  tcase_add_test(tests, a_prepared_solve_from_a_density_allocates_nothing);
  tcase_add_test(tests, a_prepared_solve_may_be_asked_for_what_it_was_not_prepared_with);
  tcase_add_test(tests, a_forked_process_solves_too);
  tcase_add_test(tests, the_callers_allocator_gets_everything_back);
  tcase_add_test(tests, without_memory_every_call_says_so);
  tcase_add_test(tests, requests_that_make_no_sense_are_refused_with_a_reason);
  tcase_add_test(tests, an_older_programs_structs_are_taken);
  tcase_add_test(tests, nothing_comes_of_nothing);
  tcase_add_test(tests, a_sample_that_fails_has_a_status_and_its_neighbours_are_right);
  tcase_add_test(tests, a_solve_can_be_stopped);
  tcase_add_test(tests, a_model_leaves_the_host_as_it_was);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
