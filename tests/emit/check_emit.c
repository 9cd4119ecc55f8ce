/* SPDX-License-Identifier: Apache-2.0 */
/* check_emit.c -- compiled code and the interpreter give the same bits. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "../ir/random_ir.h"
#include "compiled_ir.h"
#include "derive.h"
#include "run_suite.h"

static Arena arena;
static jmp_buf no_memory;
static void open_arena(void) {
  if (setjmp(no_memory)) ck_abort_msg("out of memory");
  arena_init(&arena, &flow_standard_allocator, &no_memory);
}
static void close_arena(void) { arena_free(&arena); }

enum { MOST_LANES = 256 };

static int64_t count_of(const IrFunction *f, uint32_t input) { return shape_count(&f->input[input].shape); }
static int64_t result_rows(const IrFunction *f) { return shape_count(&f->node[f->result].shape); }

/* One point through the interpreter, in the precision of the code; c: all conditions, one after the other. */
static void interpret(const IrFunction *f, int precision, double **weight, const double *t, const double *x, const double *c,
                      double *result) {
  enum { MOST = 4096 };
  const double *from[] = {t, x, c, c + (f->inputs > 3 ? count_of(f, 2) : 0)};
  if (precision == 8) {
    ck_assert(ir_run_f64(f, from, (const double *const *)weight, result));
    return;
  }
  static float rounded[4][MOST], u[MOST];
  float **wf = calloc(f->weights + 1, sizeof *wf);
  for (uint32_t k = 0; k < f->inputs; k++) {
    ck_assert_int_le(count_of(f, k), MOST);
    for (int64_t i = 0; i < count_of(f, k); i++) rounded[k][i] = (float)from[k][i];
  }
  for (uint32_t k = 0; k < f->weights; k++) {
    int64_t count = shape_count(&f->weight[k].shape);
    wf[k] = calloc((size_t)count, sizeof(float));
    for (int64_t i = 0; i < count; i++) wf[k][i] = (float)weight[k][i];
  }
  const float *input[] = {rounded[0], rounded[1], rounded[2], rounded[3]};
  ck_assert(ir_run_f32(f, input, (const float *const *)wf, u));
  for (int64_t i = 0; i < result_rows(f); i++) result[i] = u[i];
  for (uint32_t k = 0; k < f->weights; k++) free(wf[k]);
  free(wf);
}

static bool same_bits(double a, double b) { return (isnan(a) && isnan(b)) || !memcmp(&a, &b, sizeof a); }

static void compare(IrFunction *frozen, double **weight, uint64_t seed, int precision, int schedule, bool lane_times, uint32_t live) {
  unsigned entries = lane_times ? FLOW_ENTRY_EVAL_LANE : FLOW_ENTRY_EVAL;
  CompiledIr *c = compile_ir(&arena, frozen, precision, schedule, entries, weight);
  double *x[MOST_LANES], *cond[MOST_LANES], *u[MOST_LANES], t[MOST_LANES];
  if (live > c->level.lanes) live = c->level.lanes;
  int64_t dim = c->tile->dim, rows = result_rows(frozen), condition = c->tile->condition_rows;
  for (uint32_t i = 0; i < live; i++) {
    x[i] = random_ir_numbers(&arena, seed * 1000 + 3 * i, (Shape){1, {dim}});
    cond[i] = random_ir_numbers(&arena, seed * 1000 + 3 * i + 1, (Shape){1, {condition}});
    t[i] = *random_ir_numbers(&arena, seed * 1000 + 3 * i + 2, (Shape){0, {0}});
    u[i] = arena_array(&arena, (size_t)rows, sizeof(double));
  }
  run_compiled_ir(c, live, lane_times, x, t, cond, u);
  double *expected = arena_array(&arena, (size_t)rows, sizeof(double));
  for (uint32_t i = 0; i < live; i++) {
    interpret(frozen, precision, weight, &t[lane_times ? i : 0], x[i], cond[i], expected);
    for (int64_t k = 0; k < rows; k++)
      ck_assert_msg(same_bits(u[i][k], expected[k]), "seed %llu, f%d, v%d, %s, lane %u of %u, component %lld: compiled %a, interpreted %a",
                    (unsigned long long)seed, precision * 8, schedule, lane_times ? "times in lanes" : "one time", i, live, (long long)k,
                    u[i][k], expected[k]);
  }
  free_compiled_ir(c);
}

static double **random_weights(const IrFunction *f, uint64_t seed) {
  double **weight = arena_array(&arena, f->weights + 1, sizeof *weight);
  for (uint32_t k = 0; k < f->weights; k++) weight[k] = random_ir_numbers(&arena, seed * 77 + k, f->weight[k].shape);
  return weight;
}

/* Each seed is another function; precision, width, kind of times and lanes in use turn with it. */
static void compare_seed(uint64_t seed, const RandomIrOptions *options, IrExtras extras) {
  int precision = seed % 2 ? 4 : 8;
  IrFunction *source = random_ir(&arena, seed, options), *frozen;
  source = ir_with_extras(source, extras, 3);
  const char *wrong = ir_check_passes(source, precision, NULL, &frozen);
  ck_assert_msg(!wrong, "seed %llu: %s", (unsigned long long)seed, wrong ? wrong : "");
  double **weight = random_weights(frozen, seed);
  static const int schedule[] = {FLOW_CPU_V4, FLOW_CPU_V4, FLOW_CPU_V3, FLOW_CPU_V3, ONE_LANE, ONE_LANE, ONE_LANE_QUICK, ONE_LANE_QUICK};
  compare(frozen, weight, seed, precision, schedule[seed % 8], seed / 2 % 3 == 0, 1 + (uint32_t)(seed % 60));
}

enum { SEEDS_A_TEST = 100, TESTS = 6 };

START_TEST(small_random_functions_have_the_bits_of_the_interpreter) {
  for (int i = 0; i < SEEDS_A_TEST; i++) compare_seed((uint64_t)(_i * SEEDS_A_TEST + i), &(RandomIrOptions){.nodes = 30, .most_size = 9}, IR_NO_EXTRAS);
} END_TEST

START_TEST(large_random_functions_have_the_bits_of_the_interpreter) {
  for (int i = 0; i < 20; i++)
    compare_seed((uint64_t)(100000 + _i * 20 + i), &(RandomIrOptions){.nodes = 60, .most_size = 130, .most_elements = 2000, .tame = true},
                 IR_NO_EXTRAS);
} END_TEST

START_TEST(derivatives_of_random_functions_have_the_bits_of_the_interpreter) {
  static const IrExtras extras[] = {IR_LOG_P, IR_PROBES, IR_JVP, IR_VJP};
  for (int i = 0; i < 40; i++)
    compare_seed((uint64_t)(200000 + _i * 40 + i), &(RandomIrOptions){.nodes = 20, .most_size = i % 8 ? 9 : 40, .most_elements = 300},
                 extras[i % 4]);
} END_TEST

int main(void) {
  Suite *suite = suite_create("emit");
  TCase *tcase = tcase_create("random functions");
  tcase_set_timeout(tcase, 120);
  tcase_add_checked_fixture(tcase, open_arena, close_arena);
  tcase_add_loop_test(tcase, small_random_functions_have_the_bits_of_the_interpreter, 0, TESTS);
  tcase_add_loop_test(tcase, large_random_functions_have_the_bits_of_the_interpreter, 0, TESTS);
  tcase_add_loop_test(tcase, derivatives_of_random_functions_have_the_bits_of_the_interpreter, 0, TESTS);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
