/* SPDX-License-Identifier: Apache-2.0 */
/* main.c -- runs the tests of the IR. */
#include <stdlib.h>
#include <string.h>
#include "ir_suite.h"
#include "run_suite.h"

/* ---- the arena of the running test ------------------------------------------------------------------------------ */
static Arena arena;

Arena *ir_arena(void) { return &arena; }

/* A test that finds no memory has failed; so the arena never has to jump. */
static void *resize_or_fail(void *user, void *old, size_t old_size, size_t new_size) {
  void *memory = flow_standard_allocator.resize(user, old, old_size, new_size);
  if (!memory && new_size) ck_abort_msg("out of memory");
  return memory;
}

static void open_arena(void) {
  static const FlowAllocator allocator = {resize_or_fail, NULL};
  arena_init(&arena, &allocator, NULL);
}
static void close_arena(void) { arena_free(&arena); }

/* ---- functions as text ------------------------------------------------------------------------------------------ */
IrFunction *ir_of_text(const char *text) {
  const char *wrong;
  IrFunction *f = ir_parse(&arena, text, &wrong);
  ck_assert_msg(f != NULL, "%s", wrong ? wrong : "");
  return f;
}

IrFunction *ir_of(int64_t d, const char *nodes) {
  return ir_of_text(arena_format(&arena,
                                 "function \"f\"\ninput \"t\" [] t\ninput \"x\" [%lld] s\ninput \"c\" [2] c\n"
                                 "weight \"W\" [3, 2] scope \"\" part - layer 0\n%s",
                                 (long long)d, nodes));
}

const char *ir_refusal(const char *text) {
  const char *wrong;
  ck_assert_msg(!ir_parse(&arena, text, &wrong), "this was accepted:\n%s", text);
  ck_assert_ptr_nonnull(wrong);
  return wrong;
}

char *ir_text(const IrFunction *f) {
  char *text;
  size_t length;
  FILE *to = open_memstream(&text, &length);
  ck_assert_ptr_nonnull(to);
  ir_print(f, to);
  fclose(to);
  char *copy = arena_text(&arena, text, length);
  free(text);
  return copy;
}

/* ---- values ----------------------------------------------------------------------------------------------------- */
const double *ir_values(const IrFunction *f, const double *x) {
  static const double t = 0.25, c[] = {10, 20}, w[] = {1, 2, 3, 4, 5, 6};
  double *result = arena_array(&arena, (size_t)shape_count(&f->input[1].shape), sizeof *result);
  ck_assert(ir_run_f64(f, (const double *const[]){&t, x, c}, (const double *const[]){w}, result));
  return result;
}

const float *ir_values_f32(const IrFunction *f, const float *x) {
  static const float t = 0.25f, c[] = {10, 20}, w[] = {1, 2, 3, 4, 5, 6};
  float *result = arena_array(&arena, (size_t)shape_count(&f->input[1].shape), sizeof *result);
  ck_assert(ir_run_f32(f, (const float *const[]){&t, x, c}, (const float *const[]){w}, result));
  return result;
}

bool ir_equal_bits(double a, double b) { return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0; }

void ir_expect(const IrFunction *f, const double *x, const double *expected) {
  const double *value = ir_values(f, x);
  for (int64_t i = 0; i < shape_count(&f->input[1].shape); i++)
    ck_assert_msg(ir_equal_bits(value[i], expected[i]), "element %lld is %.17g, expected %.17g\n"
                                                        "%s", (long long)i, value[i],
                  expected[i], ir_text(f));
}

/* ---- all suites ------------------------------------------------------------------------------------------------- */
static void add_suite(Suite *suite, const char *name, void (*add)(TCase *)) {
  TCase *made = tcase_create(name);
  tcase_add_checked_fixture(made, open_arena, close_arena);
  tcase_set_timeout(made, 60);
  add(made);
  suite_add_tcase(suite, made);
}

int main(void) {
  Suite *suite = suite_create("ir");
#define X(name) add_suite(suite, #name, add_##name##_tests);
  IR_SUITES(X)
#undef X
  return run_suite(suite);
}
