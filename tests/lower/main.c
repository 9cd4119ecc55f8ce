/* SPDX-License-Identifier: Apache-2.0 */
/* main.c -- runs the tests of the lowering, of freezing and of binding. */
#include <stdlib.h>
#include "lower_suite.h"
#include "parse.h"
#include "run_suite.h"

/* ---- the arena of the running test ------------------------------------------------------------------------------ */
static Arena arena;
static SourceMap sources;
static Diagnostics diagnostics;

Arena *test_arena(void) { return &arena; }
Diagnostics *test_diagnostics(void) { return &diagnostics; }

/* A test that finds no memory has failed; so the arena never has to jump. */
static void *resize_or_fail(void *user, void *old, size_t old_size, size_t new_size) {
  void *memory = flow_standard_allocator.resize(user, old, old_size, new_size);
  if (!memory && new_size) ck_abort_msg("out of memory");
  return memory;
}

static void start_anew(void) {
  static const FlowAllocator allocator = {resize_or_fail, NULL};
  arena_init(&arena, &allocator, NULL);
  sources = (SourceMap){.arena = &arena};
  diagnostics = (Diagnostics){.arena = &arena, .sources = &sources};
}
static void close_arena(void) { arena_free(&arena); }

/* ---- text ------------------------------------------------------------------------------------------------------- */
static char *kept(char *text, size_t length) {
  char *copy = arena_text(&arena, text, length);
  free(text);
  return copy;
}

char *ir_text(const IrFunction *f) {
  char *text;
  size_t length;
  FILE *to = open_memstream(&text, &length);
  ir_print(f, to);
  fclose(to);
  return kept(text, length);
}

char *diagnostics_text(void) {
  char *text;
  size_t length;
  FILE *to = open_memstream(&text, &length);
  diag_print(&diagnostics, to, false);
  fclose(to);
  return kept(text, length);
}

void expect_text(const char *found, const char *expected) {
  ck_assert_msg(strcmp(found, expected) == 0, "found:\n%s\nexpected:\n%s", found, expected);
}

/* ---- programs --------------------------------------------------------------------------------------------------- */
TypedProgram *checked_program(const char *program) {
  sources.count = 0;
  diagnostics = (Diagnostics){.arena = &arena, .sources = &sources};
  const Source *prelude = source_add(&sources, "<prelude>", flow_prelude_text, flow_prelude_length);
  const Source *source = source_add(&sources, "test.flow", program, strlen(program));
  AstFile *library = flow_parse(&sources, &arena, &diagnostics, prelude, NULL);
  AstFile *file = flow_parse(&sources, &arena, &diagnostics, source, NULL);
  return flow_check(&arena, &diagnostics, library, file, NULL);
}

/* NULL where the program has errors; they are in `diagnostics`. */
static TypedFunction *checked(const char *program, const char *name) {
  TypedProgram *typed = checked_program(program);
  return diagnostics.errors ? NULL : flow_check_instance(typed, name, NULL, NULL, 0);
}

IrFunction *lowered_as(const char *program, const char *name, const char *prefix) {
  TypedFunction *function = checked(program, name);
  ck_assert_msg(function && !diagnostics.errors, "the program has errors:\n%s\n%s", program, diagnostics_text());
  IrFunction *f = ir_lower(&arena, function, prefix, &diagnostics);
  if (!f) return NULL;
  const char *wrong = ir_verify(f);
  ck_assert_msg(!wrong, "%s\n%s", wrong, ir_text(f));
  return f;
}

IrFunction *lowered(const char *program) {
  IrFunction *f = lowered_as(program, "u", "");
  ck_assert_msg(f != NULL, "%s", diagnostics_text());
  return f;
}

IrFunction *frozen(const char *program) {
  IrFunction *result, *f = lowered(program);
  const char *wrong = ir_check_passes(f, 8, NULL, &result);
  ck_assert_msg(!wrong, "%s\n%s", wrong, ir_text(f));
  return result;
}

void expect_too_large(const char *program) {
  TypedFunction *function = checked(program, "u");
  bool refused = !function || !ir_lower(&arena, function, "", &diagnostics);
  ck_assert_msg(refused && strstr(diagnostics_text(), "more than"), "%s", diagnostics_text());
}

/* ---- values ----------------------------------------------------------------------------------------------------- */
/* Small numbers of both signs, none equal. */
double test_weight(uint32_t slot, int64_t element) { return sin(1 + 3.7 * slot + 0.61 * (double)element) / 2; }

static const double *const *inputs_of(const IrFunction *f, const double *t, const double *x, const double *c) {
  const double **input = arena_array(&arena, f->inputs, sizeof *input);
  input[0] = t;
  input[1] = x;
  for (uint32_t i = 2; i < f->inputs; i++) {
    input[i] = c;
    c += shape_count(&f->input[i].shape);
  }
  return input;
}

static const double *const *weights_of(const IrFunction *f) {
  const double **weight = arena_array(&arena, f->weights + 1, sizeof *weight);
  for (uint32_t i = 0; i < f->weights; i++) {
    int64_t count = shape_count(&f->weight[i].shape);
    double *elements = arena_array(&arena, (size_t)count, sizeof *elements);
    for (int64_t e = 0; e < count; e++) elements[e] = test_weight(i, e);
    weight[i] = elements;
  }
  return weight;
}

const double *value_of(const TypedFunction *function, const double *const *argument) {
  ck_assert_msg(!diagnostics.errors && function, "%s", diagnostics_text());
  IrFunction *f = ir_lower_function(&arena, function, "", &diagnostics);
  ck_assert_msg(f != NULL, "%s", diagnostics_text());
  const char *wrong = ir_verify(f);
  ck_assert_msg(!wrong, "%s\n%s", wrong, ir_text(f));
  double *result = arena_array(&arena, (size_t)shape_count(&function->result->shape), sizeof(double));
  ck_assert(ir_run_f64(f, argument, weights_of(f), result));
  return result;
}

static double *room_for_result(const IrFunction *f) {
  return arena_array(&arena, (size_t)shape_count(&f->input[1].shape), sizeof(double));
}

const double *value_at(const IrFunction *f, double t, const double *x, const double *c) {
  double *result = room_for_result(f);
  ck_assert(ir_run_f64(f, inputs_of(f, &t, x, c), weights_of(f), result));
  return result;
}

const double *value_and_bound(const IrFunction *f, double t, const double *x, const double *c, const double **bound) {
  double *result = room_for_result(f), *most = room_for_result(f);
  ck_assert(ir_run_bound(f, 8, inputs_of(f, &t, x, c), weights_of(f), result, most));
  *bound = most;
  return result;
}

static void expect_near(const IrFunction *f, const double *found, const double *expected, int d) {
  double largest = 1;
  for (int i = 0; i < d; i++) largest = fmax(largest, fabs(expected[i]));
  for (int i = 0; i < d; i++) /* a few hundred roundings of f64 */
    ck_assert_msg(fabs(found[i] - expected[i]) <= 1e-13 * largest, "element %d is %.17g, expected %.17g\n%s", i, found[i],
                  expected[i], ir_text(f));
}

void expect_value(const char *program, double t, const double *x, const double *c, const double *expected, int d) {
  IrFunction *f = lowered(program);
  ck_assert_int_eq((int)shape_count(&f->input[1].shape), d);
  expect_near(f, value_at(f, t, x, c), expected, d);
  f = frozen(program);
  expect_near(f, value_at(f, t, x, c), expected, d);
}

uint32_t count_ops(const IrFunction *f, IrOp op) {
  uint32_t count = 0;
  for (Ref r = 0; r < f->nodes; r++) count += f->node[r].op == op;
  return count;
}

/* ---- all suites ------------------------------------------------------------------------------------------------- */
static void add_suite(Suite *suite, const char *name, void (*add)(TCase *)) {
  TCase *made = tcase_create(name);
  tcase_add_checked_fixture(made, start_anew, close_arena);
  tcase_set_timeout(made, 60);
  add(made);
  suite_add_tcase(suite, made);
}

int main(void) {
  Suite *suite = suite_create("lower");
#define X(name) add_suite(suite, #name, add_##name##_tests);
  LOWER_SUITES(X)
#undef X
  return run_suite(suite);
}
