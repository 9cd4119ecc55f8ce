/* SPDX-License-Identifier: Apache-2.0 */
/* check_attempt.c -- the compiled attempt and the one in C have the same bits, whatever the width of vectors. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "../ir/random_ir.h"
#include "adaptive_attempt.h"
#include "adaptive_method.h"
#include "compiled_ir.h"
#include "run_suite.h"

static Arena arena;
static jmp_buf no_memory;
static void open_arena(void) {
  if (setjmp(no_memory)) ck_abort_msg("out of memory");
  arena_init(&arena, &flow_standard_allocator, &no_memory);
}
static void close_arena(void) { arena_free(&arena); }

enum { ATTEMPTS = 4 };

/* A tile of samples and what an attempt of it reads and writes. */
typedef struct Tile {
  const CompiledIr *code;
  flow_model model;
  char *x, *k, *lane, *conditions, *cond, *scratch;
  size_t row;
  uint32_t lanes;
} Tile;

static void put(const Tile *tile, char *rows, int64_t row, uint32_t lane, double value) {
  char *to = rows + (size_t)row * tile->row + (size_t)lane * (size_t)tile->code->precision;
  float narrow = (float)value;
  if (tile->code->precision == 4) memcpy(to, &narrow, 4);
  else memcpy(to, &value, 8);
}

static double get(const Tile *tile, const char *rows, int64_t row, uint32_t lane) {
  const char *from = rows + (size_t)row * tile->row + (size_t)lane * (size_t)tile->code->precision;
  float narrow;
  double value;
  if (tile->code->precision == 4) return memcpy(&narrow, from, 4), (double)narrow;
  return memcpy(&value, from, 8), value;
}

static char *zeroed(size_t bytes) {
  bytes = (bytes + 127) / 64 * 64;
  return memset(aligned_alloc(64, bytes), 0, bytes);
}

static flow_call call_of(const Tile *tile, const FlowMethod *method) {
  return (flow_call){.size = sizeof(flow_call), .lanes = tile->lanes, .weights = tile->code->blob, .conditions = tile->conditions,
                     .cond = tile->cond, .x = tile->x, .k = tile->k, .lane = tile->lane, .scratch = tile->scratch,
                     .method = &method->data};
}

/* Random states, conditions and steps (some 0, some long, some backwards); k_0 is the velocity. */
static Tile open_tile(const CompiledIr *code, uint32_t lanes, const FlowMethod *method, uint64_t seed) {
  const TileProgram *program = code->tile;
  Tile tile = {.code = code, .lanes = lanes, .row = (size_t)code->level.lanes * (size_t)code->precision,
               .model = {.precision = (uint32_t)code->precision, .dim = (uint32_t)program->dim,
                         .times_rows = (uint64_t)program->section[TILE_TIMES].output_rows}};
  size_t plain, scratch = (size_t)code->level.attempt_bytes;
  ck_assert(flow_attempt_bytes(&tile.model, &code->level, &plain));
  tile.x = zeroed((size_t)code->level.stage_bytes), tile.k = zeroed(flow_attempt_stage_bytes(&code->level) * method->data.stages);
  tile.lane = zeroed(FLOW_LANE_ROWS * tile.row);
  tile.conditions = zeroed((size_t)program->condition_rows * tile.row);
  tile.cond = zeroed((size_t)program->section[TILE_COND].output_rows * tile.row);
  tile.scratch = zeroed(plain > scratch ? plain : scratch);
  for (uint32_t i = 0; i < tile.lanes; i++) {
    double *x = random_ir_numbers(&arena, seed * 100 + i, (Shape){1, {program->dim}});
    double *c = random_ir_numbers(&arena, seed * 100 + i + 50, (Shape){1, {program->condition_rows}});
    for (int64_t r = 0; r < program->dim; r++) put(&tile, tile.x, r, i, x[r]);
    for (int64_t r = 0; r < program->condition_rows; r++) put(&tile, tile.conditions, r, i, c[r]);
    put(&tile, tile.lane, FLOW_LANE_TIME, i, 0.01 * i);
    put(&tile, tile.lane, FLOW_LANE_STEP, i, i % 7 == 0 ? 0 : 0.003 * i * (i % 5 ? 1 : 20));
    put(&tile, tile.lane, FLOW_LANE_CEILING, i, i % 3 ? method->log_most : 0);
    put(&tile, tile.lane, FLOW_LANE_MEMORY, i, -0.3 * i);
  }
  flow_call call = call_of(&tile, method);
  call.u = tile.cond;
  if (code->level.cond) code->level.cond(&call);
  char *times = zeroed(tile.model.times_rows * tile.row), *scratch_of_section = zeroed(code->level.scratch_bytes);
  call.t = tile.lane, call.u = times, call.scratch = scratch_of_section;
  if (code->level.times) code->level.times(&call);
  call.times = times, call.u = tile.k;
  code->level.eval_lane(&call);
  free(times), free(scratch_of_section);
  return tile;
}

static void close_tile(Tile *tile) {
  free(tile->x), free(tile->k), free(tile->lane), free(tile->conditions), free(tile->cond), free(tile->scratch);
}

static bool same_bits(double a, double b) { return (isnan(a) && isnan(b)) || !memcmp(&a, &b, sizeof a); }

static void assert_same_rows(const Tile *a, const char *rows_a, const Tile *b, const char *rows_b, int64_t rows, const char *what,
                             uint64_t seed) {
  for (int64_t r = 0; r < rows; r++)
    for (uint32_t i = 0; i < a->lanes; i++) {
      double one = get(a, rows_a, r, i), other = get(b, rows_b, r, i);
      ck_assert_msg(same_bits(one, other), "seed %llu, %s, row %lld, lane %u: %a and %a", (unsigned long long)seed, what, (long long)r, i,
                    one, other);
    }
}

static void assert_same(const Tile *a, const Tile *b, uint64_t seed) {
  assert_same_rows(a, a->lane, b, b->lane, FLOW_LANE_ROWS, "numbers of lanes", seed);
  assert_same_rows(a, a->x, b, b->x, a->code->tile->dim, "x", seed);
  assert_same_rows(a, a->k, b, b->k, a->code->tile->dim, "k_0", seed);
}

static FlowMethod *method_of(uint64_t seed, int precision) {
  static const char *const name[] = {"dopri5", "dop853", "bosh3", "tsit5"};
  FlowMethod *method = arena_alloc(&arena, sizeof *method);
  FlowTolerance tolerance = {1e-3, 1e-2, 1e-3};
  ck_assert(!flow_method_make(method, flow_tableau_find(name[seed / 2 % 4]), (uint32_t)precision, 0, tolerance, 0, 0.9, NULL));
  return method;
}

/* The same attempts three times: compiled for v3 and v4, and in C on the code for v3. */
static void compare_seed(uint64_t seed, const RandomIrOptions *options, uint64_t *accepted, uint64_t *rejected) {
  int precision = seed % 2 ? 4 : 8;
  const unsigned entries = FLOW_ENTRY_EVAL_LANE | FLOW_ENTRY_ATTEMPT;
  IrFunction *source = random_ir(&arena, seed, options), *frozen;
  const char *wrong = ir_check_passes(source, precision, NULL, &frozen);
  ck_assert_msg(!wrong, "seed %llu: %s", (unsigned long long)seed, wrong ? wrong : "");
  double **weight = arena_array(&arena, frozen->weights + 1, sizeof *weight);
  for (uint32_t k = 0; k < frozen->weights; k++) weight[k] = random_ir_numbers(&arena, seed * 77 + k, frozen->weight[k].shape);
  CompiledIr *v3 = compile_ir(&arena, frozen, precision, FLOW_CPU_V3, entries, weight);
  CompiledIr *v4 = compile_ir(&arena, frozen, precision, FLOW_CPU_V4, entries, weight);
  uint32_t lanes = (v3->level.lanes < v4->level.lanes ? v3 : v4)->level.lanes / v4->level.quantum * v4->level.quantum;
  FlowMethod *method = method_of(seed, precision);
  Tile narrow = open_tile(v3, lanes, method, seed), wide = open_tile(v4, lanes, method, seed), plain = open_tile(v3, lanes, method, seed);
  assert_same(&narrow, &wide, seed);
  for (int i = 0; i < ATTEMPTS; i++) {
    flow_call a = call_of(&narrow, method), b = call_of(&wide, method), c = call_of(&plain, method);
    ck_assert_int_eq(v3->level.attempt(&a), 0);
    ck_assert_int_eq(v4->level.attempt(&b), 0);
    ck_assert_int_eq(flow_attempt(&plain.model, &v3->level, &c), 0);
    assert_same(&narrow, &plain, seed);
    assert_same(&narrow, &wide, seed);
    for (uint32_t lane = 0; lane < lanes; lane++) *(get(&narrow, narrow.lane, FLOW_LANE_ERROR, lane) <= 1 ? accepted : rejected) += 1;
  }
  close_tile(&narrow), close_tile(&wide), close_tile(&plain);
  free_compiled_ir(v3), free_compiled_ir(v4);
}

START_TEST(attempts_of_small_functions_have_the_bits_of_those_in_c) {
  uint64_t accepted = 0, rejected = 0;
  for (uint64_t seed = 0; seed < 40; seed++) compare_seed(seed, &(RandomIrOptions){.nodes = 20, .most_size = 5, .tame = true}, &accepted, &rejected);
  ck_assert_uint_gt(accepted, 100);     /* the steps are such that both happen */
  ck_assert_uint_gt(rejected, 100);
} END_TEST

START_TEST(attempts_of_large_functions_have_the_bits_of_those_in_c) {
  uint64_t accepted = 0, rejected = 0;
  for (uint64_t seed = 1000; seed < 1008; seed++)
    compare_seed(seed, &(RandomIrOptions){.nodes = 40, .most_size = 70, .most_elements = 1000, .tame = true}, &accepted, &rejected);
  ck_assert_uint_gt(accepted, 0);
} END_TEST

int main(void) {
  Suite *suite = suite_create("attempt");
  TCase *tcase = tcase_create("random functions");
  tcase_set_timeout(tcase, 120);
  tcase_add_checked_fixture(tcase, open_arena, close_arena);
  tcase_add_test(tcase, attempts_of_small_functions_have_the_bits_of_those_in_c);
  tcase_add_test(tcase, attempts_of_large_functions_have_the_bits_of_those_in_c);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
