/* SPDX-License-Identifier: Apache-2.0 */
/* check_run.c -- the interpreter as a whole: memory, and what it reads. */
#include "ir_suite.h"
#include <string.h>
#include "random_ir.h"

/* ---- an allocator that fails once, and counts what is in use ---------------------------------------------------- */
typedef struct Scarce { long until_failure; size_t in_use; } Scarce;

static void *scarce_resize(void *user, void *old, size_t old_size, size_t new_size) {
  Scarce *scarce = user;
  if (new_size && scarce->until_failure-- == 0) return NULL;
  scarce->in_use += new_size;
  scarce->in_use -= old_size;
  return flow_standard_allocator.resize(NULL, old, old_size, new_size);
}

typedef bool Runner(const IrFunction *f);

static bool run_f64(const IrFunction *f) {
  double x[3] = {0}, result[3];
  return ir_run_f64(f, (const double *const[]){x, x, x}, (const double *const[]){(double[6]){0}}, result);
}
static bool run_f32(const IrFunction *f) {
  float x[3] = {0}, result[3];
  return ir_run_f32(f, (const float *const[]){x, x, x}, (const float *const[]){(float[6]){0}}, result);
}
static bool run_bound(const IrFunction *f) {
  double x[3] = {0}, result[3], bound[3];
  return ir_run_bound(f, 4, (const double *const[]){x, x, x}, (const double *const[]){(double[6]){0}}, result, bound);
}
static Runner *const runner[] = {run_f64, run_f32, run_bound};

START_TEST(where_memory_runs_out_the_answer_is_false_and_nothing_is_lost) {
  IrFunction *f = ir_of(3, "%0 = input 1 [3] s\n%1 = weight 0 [3, 2] w\n%2 = reduce_sum %1 [3] w\n"
                           "%3 = add %0 %2 [3] sw\n"
                           "%4 = tanh %3 [3] sw\nresult %4\n");
  Scarce scarce = {0};
  FlowAllocator allocator = {scarce_resize, &scarce};
  Arena arena = *f->arena;
  arena.allocator = &allocator;
  f->arena = &arena;
  long n = -1;
  do {
    scarce.until_failure = ++n;
    ck_assert(n < 20);
  } while (!runner[_i](f) && scarce.in_use == 0);
  ck_assert_uint_eq(scarce.in_use, 0);
  ck_assert(n >= 5);    /* three tables and three values, each failed once */
  f->arena = ir_arena();
} END_TEST

START_TEST(nodes_after_the_result_are_not_evaluated) {
  IrFunction *f = ir_of(2, "%0 = input 1 [2] s\n%1 = weight 0 [3, 2] w\nresult %0\n");
  double result[2];
  ck_assert(ir_run_f64(f, (const double *const[]){NULL, (double[]){3, 4}, NULL}, NULL, result));
  ck_assert(result[0] == 3 && result[1] == 4);
} END_TEST

START_TEST(a_run_is_a_function_of_its_arguments) {
  IrFunction *f = random_ir(ir_arena(), 7, &(RandomIrOptions){.nodes = 60});
  const double *input[3], *weight[4];
  size_t count = (size_t)shape_count(&f->input[1].shape);
  double *first = arena_array(ir_arena(), count, sizeof *first);
  double *second = arena_array(ir_arena(), count, sizeof *second);
  for (uint32_t i = 0; i < f->inputs; i++) input[i] = random_ir_numbers(ir_arena(), i, f->input[i].shape);
  for (uint32_t i = 0; i < f->weights; i++) weight[i] = random_ir_numbers(ir_arena(), 5 + i, f->weight[i].shape);
  ck_assert(ir_run_f64(f, input, weight, first) && ir_run_f64(f, input, weight, second));
  ck_assert_mem_eq(first, second, count * sizeof *first);
} END_TEST

void add_run_tests(TCase *tcase) {
  tcase_add_loop_test(tcase, where_memory_runs_out_the_answer_is_false_and_nothing_is_lost, 0, 3);
  tcase_add_test(tcase, nodes_after_the_result_are_not_evaluated);
  tcase_add_test(tcase, a_run_is_a_function_of_its_arguments);
}
