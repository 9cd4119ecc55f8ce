/* SPDX-License-Identifier: Apache-2.0 */
/* check_programs.c -- random programs as text, through the whole compiler: machine code and interpreter, the same bits.
 *
 * Seeds turn through f32 and f64, both vector widths and one lane, one time for all lanes and a time per lane, 1 to 200 lanes.
 * Compiled twice, for two halves of the seeds, so that both cores have work; 2,000 in all, fewer under a sanitizer. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "check_program.h"
#include "compiled_ir.h"
#include "parse.h"
#include "random_flow.h"
#include "run_suite.h"
#include "sanitized.h"

enum { SEEDS_A_TEST = UNDER_ADDRESS_SANITIZER || UNDER_THREAD_SANITIZER ? 10 : 100 };
enum { TESTS = 10, MOST_LANES = 256, MOST_CONDITIONS = 4 };

static Arena arena;
static jmp_buf no_memory;

static IrFunction *lowered(const char *text, uint64_t seed) {
  SourceMap *sources = arena_alloc(&arena, sizeof *sources);
  Diagnostics *diagnostics = arena_alloc(&arena, sizeof *diagnostics);
  *sources = (SourceMap){.arena = &arena};
  *diagnostics = (Diagnostics){.arena = &arena, .sources = sources};
  const Source *prelude_source = source_add(sources, "<prelude>", flow_prelude_text, flow_prelude_length);
  const Source *source = source_add(sources, "random.flow", text, strlen(text));
  AstFile *prelude = flow_parse(sources, &arena, diagnostics, prelude_source, NULL);
  AstFile *file = flow_parse(sources, &arena, diagnostics, source, NULL);
  TypedProgram *program = flow_check(&arena, diagnostics, prelude, file, NULL);
  TypedFunction *u = NULL;
  for (uint32_t i = 0; i < program->fields; i++)
    if (!strcmp(program->field[i]->name, "u")) u = program->field[i];
  if (diagnostics->errors) diag_print(diagnostics, stderr, false);
  ck_assert_msg(!diagnostics->errors && u, "seed %llu is no program", (unsigned long long)seed);
  IrFunction *f = ir_lower(&arena, u, "", diagnostics);
  ck_assert_msg(f && !diagnostics->errors, "seed %llu cannot be lowered", (unsigned long long)seed);
  return f;
}

/* Numbers about 1, some negative, exact in f32. */
static double *numbers(uint64_t seed, int64_t count, double scale) {
  double *number = arena_array(&arena, (size_t)count + 1, sizeof *number);
  uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;
  for (int64_t i = 0; i < count; i++) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    number[i] = (float)(scale * ((double)(state >> 11) / 4503599627370496.0 - 1));
  }
  return number;
}

static void interpret(const IrFunction *f, int precision, double **weight, double t, double *const *input, double *result) {
  const double *wide[2 + MOST_CONDITIONS] = {&t};
  float tf = (float)t, *narrow[2 + MOST_CONDITIONS] = {&tf}, **wf = arena_array(&arena, f->weights + 1, sizeof *wf);
  for (uint32_t k = 1; k < f->inputs; k++) wide[k] = input[k];
  if (precision == 8) {
    ck_assert(ir_run_f64(f, wide, (const double *const *)weight, result));
    return;
  }
  for (uint32_t k = 1; k < f->inputs; k++) {
    int64_t count = shape_count(&f->input[k].shape);
    narrow[k] = arena_array(&arena, (size_t)count + 1, sizeof(float));
    for (int64_t i = 0; i < count; i++) narrow[k][i] = (float)input[k][i];
  }
  for (uint32_t k = 0; k < f->weights; k++) {
    int64_t count = shape_count(&f->weight[k].shape);
    wf[k] = arena_array(&arena, (size_t)count + 1, sizeof(float));
    for (int64_t i = 0; i < count; i++) wf[k][i] = (float)weight[k][i];
  }
  int64_t dim = shape_count(&f->input[1].shape);
  float *u = arena_array(&arena, (size_t)dim + 1, sizeof *u);
  ck_assert(ir_run_f32(f, (const float *const *)narrow, (const float *const *)wf, u));
  for (int64_t i = 0; i < dim; i++) result[i] = u[i];
}

static bool same_bits(double a, double b) { return (isnan(a) && isnan(b)) || !memcmp(&a, &b, sizeof a); }

/* All conditions of a point end to end, as the conditions buffer has them. */
static double *joined(const IrFunction *f, double *const *input) {
  int64_t rows = 0;
  for (uint32_t k = 2; k < f->inputs; k++) rows += shape_count(&f->input[k].shape);
  double *all = arena_array(&arena, (size_t)rows + 1, sizeof *all);
  for (uint32_t k = 2, at = 0; k < f->inputs; k++) {
    int64_t count = shape_count(&f->input[k].shape);
    memcpy(all + at, input[k], (size_t)count * sizeof *all);
    at += (uint32_t)count;
  }
  return all;
}

/* Code for one sample at a time runs point by point. */
static void run(CompiledIr *c, uint32_t live, bool lane_times, double *const *x, const double *t, double *const *condition, double **u) {
  if (c->level.lanes > 1) {
    run_compiled_ir(c, live, lane_times, x, t, condition, u);
    return;
  }
  for (uint32_t i = 0; i < live; i++) run_compiled_ir(c, 1, lane_times, &x[i], &t[lane_times ? i : 0], &condition[i], &u[i]);
}

static void compare_seed(uint64_t seed) {
  static const int schedules[] = {FLOW_CPU_V4, FLOW_CPU_V3, ONE_LANE};
  int precision = seed % 2 ? 4 : 8, schedule = schedules[seed / 2 % 3];
  bool lane_times = seed / 6 % 3 == 0;
  RandomFlowOptions options = {.width = seed % 10 == 0 ? 130 : 0, .tame = seed % 5 != 0};
  const char *text = random_flow(&arena, seed, &options), *wrong;
  IrFunction *f;
  wrong = ir_check_passes(lowered(text, seed), precision, NULL, &f);
  ck_assert_msg(!wrong, "seed %llu: %s\n%s", (unsigned long long)seed, wrong ? wrong : "", text);
  double **weight = arena_array(&arena, f->weights + 1, sizeof *weight);
  for (uint32_t k = 0; k < f->weights; k++) weight[k] = numbers(seed + 31 * k, shape_count(&f->weight[k].shape), 0.5);
  unsigned entries = lane_times ? FLOW_ENTRY_EVAL_LANE : FLOW_ENTRY_EVAL;
  CompiledIr *c = compile_ir(&arena, f, precision, schedule, entries, weight);
  uint32_t live = 1 + (uint32_t)(seed * 7 % 200);
  if (live > c->level.lanes) live = c->level.lanes > 1 ? c->level.lanes : 4;
  double *x[MOST_LANES], *condition[MOST_LANES], *u[MOST_LANES], t[MOST_LANES], *input[MOST_LANES][2 + MOST_CONDITIONS];
  for (uint32_t i = 0; i < live; i++) {
    for (uint32_t k = 1; k < f->inputs; k++) input[i][k] = numbers(seed * 1009 + i * 11 + k, shape_count(&f->input[k].shape), 2);
    x[i] = input[i][1], condition[i] = joined(f, input[i]);
    t[i] = fabs(*numbers(seed * 31 + i, 1, 1));
    u[i] = arena_array(&arena, (size_t)c->tile->dim + 1, sizeof(double));
  }
  run(c, live, lane_times, x, t, condition, u);
  double *expected = arena_array(&arena, (size_t)c->tile->dim + 1, sizeof *expected);
  for (uint32_t i = 0; i < live; i += live > 8 ? live / 8 : 1) {       /* the interpreter is slow: eight lanes of a tile */
    interpret(f, precision, weight, t[lane_times ? i : 0], input[i], expected);
    for (int64_t k = 0; k < c->tile->dim; k++)
      ck_assert_msg(same_bits(u[i][k], expected[k]), "seed %llu, f%d, v%d, %s, lane %u of %u, component %lld: compiled %a, interpreted %a\n%s",
                    (unsigned long long)seed, precision * 8, schedule, lane_times ? "times in lanes" : "one time", i, live, (long long)k,
                    u[i][k], expected[k], text);
  }
  free_compiled_ir(c);
}

static void try_seed(uint64_t seed) {
  if (setjmp(no_memory)) ck_abort_msg("out of memory");
  arena_init(&arena, &flow_standard_allocator, &no_memory);
  compare_seed(seed);
  arena_free(&arena);
}

START_TEST(random_programs_have_the_bits_of_the_interpreter) {
  for (int i = 0; i < SEEDS_A_TEST; i++) try_seed((uint64_t)((FIRST_TEST + _i) * SEEDS_A_TEST + i));
} END_TEST

int main(void) {
  Suite *suite = suite_create("programs");
  TCase *tcase = tcase_create("random programs");
  tcase_set_timeout(tcase, 200);
  tcase_add_loop_test(tcase, random_programs_have_the_bits_of_the_interpreter, 0, TESTS);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
