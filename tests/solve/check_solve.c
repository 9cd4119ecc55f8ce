/* SPDX-License-Identifier: Apache-2.0 */
/* check_solve.c -- fixed-step solves: the bits of a sample, failures, memory, cancelling, the rounding mode. */
#include "run.h"
#include "suite.h"
#include <math.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

static int is_f32(const Run *run) { return run->what.model->precision == FLOW_F32; }

/* The reference: sample by sample, by scalar code. */
static void reference(const Run *run, uint64_t sample, void *x) {
  const FlowSampling *what = &run->what;
  FlowTile tile = {x, what->model->dim, what->model->precision, 1, 1, 1};
  flow_source_fill(what->source, (FlowRandom){what->seed, what->stream}, sample, &tile);
  double c[2] = {run->condition_value[0], run->condition_value[1]};
  if (is_f32(run))
    double_solve_f32(run->field, what->tableau, what->steps, what->t0, what->t1, run->condition_value, x);
  else
    double_solve_f64(run->field, what->tableau, what->steps, what->t0, what->t1, c, x);
}

static void assert_like_reference(const Run *run) {
  _Alignas(64) char x[DOUBLE_MOST_DIM * sizeof(double)];
  ck_assert_uint_eq(run->out.count, run->what.end - run->what.first);
  for (uint64_t i = 0; i < run->out.count; i++) {
    reference(run, run->what.first + i, x);
    ck_assert_mem_eq(run->out.value + i * run->out.row, x, run->out.row);
    ck_assert_uint_eq(run->out.status[i], FLOW_SAMPLE_OK);
  }
}

static void assert_same_rows(const Run *whole, const Run *part) {
  const char *from = whole->out.value + (part->what.first - whole->what.first) * whole->out.row;
  ck_assert_uint_eq(part->out.count, part->what.end - part->what.first);
  ck_assert_mem_eq(part->out.value, from, part->out.count * part->out.row);
}

START_TEST(every_field_method_and_configuration_is_the_reference_bit_for_bit) {
  for (DoubleField field = 0; field < DOUBLE_FIELD_COUNT; field++)
    for (DoubleConfiguration configuration = 0; configuration < DOUBLE_CONFIGURATION_COUNT; configuration++)
      for (size_t method = 0; method < flow_tableau_count(); method++) {
        Run run;
        run_open(&run, field, configuration, 53);
        run.what.tableau = flow_tableau_at(method);
        run.what.steps = 7;
        run.what.t0 = 0.1;
        run.what.t1 = 1.3;
        ck_assert_int_eq(run_collect(&run, NULL), FLOW_OK);
        assert_like_reference(&run);
        ck_assert_uint_eq(run.summary.evaluations, 7 * run.what.tableau->stages);
        run_close(&run);
      }
}
END_TEST

START_TEST(backward_solves_are_the_reference_too) {
  Run run;
  run_open(&run, DOUBLE_driven, DOUBLE_f32_24, 30);
  run.what.t0 = 1;
  run.what.t1 = -0.5;
  ck_assert_int_eq(run_collect(&run, NULL), FLOW_OK);
  assert_like_reference(&run);
  run_close(&run);
}
END_TEST

START_TEST(any_number_of_samples_gives_the_same_samples) {
  Run whole;
  run_open(&whole, DOUBLE_driven, DOUBLE_f32_48, 200);
  ck_assert_int_eq(run_collect(&whole, NULL), FLOW_OK);
  for (uint64_t count = 1; count <= 200; count++) {
    Run run;
    run_open(&run, DOUBLE_driven, (DoubleConfiguration)(count % 3), count);
    ck_assert_int_eq(run_collect(&run, NULL), FLOW_OK);
    assert_same_rows(&whole, &run);
    ck_assert_uint_eq(run.summary.samples, count);
    run_close(&run);
  }
  run_close(&whole);
}
END_TEST

START_TEST(threads_batches_and_tiles_do_not_change_a_bit) {
  Run whole;
  run_open(&whole, DOUBLE_linear, DOUBLE_f64_48, 3000);
  ck_assert_int_eq(run_collect(&whole, NULL), FLOW_OK);
  static const uint64_t batch[] = {1, 7, 64, 1000};
  for (int threads = 1; threads <= 3; threads++)
    for (int b = 0; b < 4; b++)
      for (uint64_t first = b == 0 ? 2900 : 0; first < 3000; first += batch[b]) {
        Run run;
        run_open(&run, DOUBLE_linear, (DoubleConfiguration)(DOUBLE_f64_8 + threads - 1), 0);
        run.what.threads = threads;
        run.what.first = first;
        run.what.end = first + batch[b] < 3000 ? first + batch[b] : 3000;
        ck_assert_int_eq(run_collect(&run, NULL), FLOW_OK);
        assert_same_rows(&whole, &run);
        run_close(&run);
      }
  run_close(&whole);
}
END_TEST

START_TEST(samples_of_the_highest_indices_are_solved_like_any_other) {
  Run run;
  run_open(&run, DOUBLE_rotation, DOUBLE_f32_8, 0);
  run.what.first = UINT64_MAX - 21;
  run.what.end = UINT64_MAX;
  ck_assert_int_eq(run_collect(&run, NULL), FLOW_OK);
  assert_like_reference(&run);
  run_close(&run);
}
END_TEST

START_TEST(windows_of_stage_times_give_the_same_bits) {
  Run whole;
  run_open(&whole, DOUBLE_driven, DOUBLE_f32_8, 700);
  whole.what.steps = 101;
  ck_assert_int_eq(run_collect(&whole, NULL), FLOW_OK);
  for (size_t method = 0; method < flow_tableau_count(); method++)
    for (size_t bytes = 1; bytes < 3000; bytes = 3 * bytes + 60) {
      Run once, run;
      run_open(&once, DOUBLE_driven, DOUBLE_f32_8, 700);
      run_open(&run, DOUBLE_driven, DOUBLE_f32_8, 700);
      once.what.steps = run.what.steps = 101;
      once.what.tableau = run.what.tableau = flow_tableau_at(method);
      run.what.times_bytes = bytes;
      ck_assert_int_eq(run_collect(&once, NULL), FLOW_OK);
      ck_assert_int_eq(run_collect(&run, NULL), FLOW_OK);
      assert_same_rows(&once, &run);
      if (run.what.tableau == whole.what.tableau) assert_same_rows(&whole, &run);
      run_close(&once);
      run_close(&run);
    }
  run_close(&whole);
}
END_TEST

START_TEST(conditions_of_each_sample_are_those_of_its_row) {
  float row[60];
  for (int i = 0; i < 60; i++) row[i] = 0.1f * (float)i - 2;
  Run all;
  run_open(&all, DOUBLE_driven, DOUBLE_f32_24, 60);
  all.condition[0] = (FlowTensor){.name = "", .type = FLOW_TYPE_F32, .rank = 2, .dim = {60, 1}, .count = 60, .data = row};
  ck_assert_int_eq(run_collect(&all, NULL), FLOW_OK);
  for (uint64_t i = 0; i < 60; i++) {
    Run one;
    run_open(&one, DOUBLE_driven, DOUBLE_f32_8, i + 1);
    one.what.first = i;
    one.condition_value[0] = row[i];
    ck_assert_int_eq(run_collect(&one, NULL), FLOW_OK);
    assert_same_rows(&all, &one);
    run_close(&one);
  }
  run_close(&all);
}
END_TEST

START_TEST(a_sample_that_is_no_number_is_counted_and_its_neighbours_keep_their_bits) {
  float rows[64][3], good[64][3];
  for (int i = 0; i < 64; i++)
    for (int c = 0; c < 3; c++) rows[i][c] = good[i][c] = (float)(i - 30) / (float)(c + 3);
  rows[17][1] = NAN;
  rows[40][0] = INFINITY;
  rows[63][0] = 3e38f, rows[63][1] = rows[63][2] = -3e38f;      /* A x overflows */
  FlowTensor tensor = {.name = "", .type = FLOW_TYPE_F32, .rank = 2, .dim = {64, 3}, .count = 192, .data = rows};
  Run run, clean;
  run_open(&run, DOUBLE_linear, DOUBLE_f32_24, 64);
  run_open(&clean, DOUBLE_linear, DOUBLE_f32_24, 64);
  run.source = clean.source = (FlowSource){.kind = FLOW_SOURCE_TENSOR, .dim = 3, .tensor = &tensor};
  run.what.t1 = clean.what.t1 = 12;
  ck_assert_int_eq(run_collect(&run, NULL), FLOW_OK);
  tensor.data = good;
  ck_assert_int_eq(run_collect(&clean, NULL), FLOW_OK);
  for (uint64_t i = 0; i < 64; i++) {
    int bad = i == 17 || i == 40 || i == 63;
    ck_assert_uint_eq(run.out.status[i], !bad ? FLOW_SAMPLE_OK : i == 63 ? FLOW_SAMPLE_NON_FINITE : FLOW_SAMPLE_BAD_START);
    if (!bad) ck_assert_mem_eq(run.out.value + i * run.out.row, clean.out.value + i * clean.out.row, run.out.row);
  }
  ck_assert_uint_eq(run.summary.failed, 3);
  ck_assert_uint_eq(run.summary.first_failed, 17);
  ck_assert_uint_eq(run.summary.by_status[FLOW_SAMPLE_BAD_START], 2);
  ck_assert_uint_eq(run.summary.by_status[FLOW_SAMPLE_NON_FINITE], 1);
  ck_assert_uint_eq(run.summary.by_status[FLOW_SAMPLE_OK], 61);
  ck_assert_uint_eq(clean.summary.failed, 0);
  flow_error error;
  ck_assert_int_eq(flow_summary_status(&run.summary, &error), FLOW_FAILED_SAMPLES);
  ck_assert_words(error, "3 of 64 samples failed; the first is sample 17");
  ck_assert_int_eq(flow_summary_status(&clean.summary, &error), FLOW_OK);
  run_close(&run);
  run_close(&clean);
}
END_TEST

START_TEST(f64_runs_see_the_points_of_f32_runs) {
  Run narrow, wide;
  run_open(&narrow, DOUBLE_rotation, DOUBLE_f32_8, 100);
  run_open(&wide, DOUBLE_rotation, DOUBLE_f64_8, 100);
  ck_assert_int_eq(run_collect(&narrow, NULL), FLOW_OK);
  ck_assert_int_eq(run_collect(&wide, NULL), FLOW_OK);
  for (int i = 0; i < 200; i++)         /* 10 steps of 4 stages, each rounding numbers below 6 once or twice */
    ck_assert_double_eq_tol((double)((const float *)(void *)narrow.out.value)[i], ((const double *)(void *)wide.out.value)[i], 1e-5);
  run_close(&narrow);
  run_close(&wide);
}
END_TEST

START_TEST(an_empty_range_delivers_nothing) {
  Run run;
  run_open(&run, DOUBLE_linear, DOUBLE_f32_8, 5);
  run.what.first = 5;
  ck_assert_int_eq(run_collect(&run, NULL), FLOW_OK);
  ck_assert_uint_eq(run.out.calls, 0);
  ck_assert_uint_eq(run.summary.samples, 0);
  run_close(&run);
}
END_TEST

START_TEST(memory_does_not_grow_with_the_number_of_samples) {
  size_t peak[2];
  for (int i = 0; i < 2; i++) {
    Failing failing;
    FlowAllocator allocator = failing_allocator(&failing);
    Run run;
    run_open(&run, DOUBLE_cubic, DOUBLE_f32_8, i ? 100000 : 2000);
    run.what.allocator = &allocator;
    run.what.steps = 1;
    ck_assert_int_eq(run_collect(&run, NULL), FLOW_OK);
    ck_assert_uint_eq(failing.in_use, 0);
    peak[i] = failing.peak;
    run_close(&run);
  }
  ck_assert_uint_eq(peak[0], peak[1]);
}
END_TEST

START_TEST(stage_times_never_take_more_memory_than_allowed) {
  Failing failing;
  FlowAllocator allocator = failing_allocator(&failing);
  Run run;
  run_open(&run, DOUBLE_driven, DOUBLE_f32_8, 1);
  run.what.allocator = &allocator;
  run.what.steps = 200000;              /* 400001 rows of 64 bytes, 25 MB */
  run.what.times_bytes = 1 << 20;
  ck_assert_int_eq(run_collect(&run, NULL), FLOW_OK);
  ck_assert_uint_lt(failing.peak, (1 << 20) + 100000);
  run_close(&run);
}
END_TEST

START_TEST(every_allocation_may_fail_and_nothing_leaks) {
  for (uint64_t n = 1;; n++) {
    Failing failing;
    FlowAllocator allocator = failing_allocator(&failing);
    failing.fail_at = n;
    Run run;
    flow_error error = {""};
    run_open(&run, DOUBLE_driven, DOUBLE_f32_8, 100);
    run.what.allocator = &allocator;
    run.what.threads = 2;
    flow_status status = run_collect(&run, &error);
    ck_assert_uint_eq(failing.in_use, 0);
    if (failing.calls >= n) {
      ck_assert_int_eq(status, FLOW_NO_MEMORY);
      ck_assert_words(error, "out of memory");
    }
    run_close(&run);
    if (failing.calls >= n) continue;
    ck_assert_int_eq(status, FLOW_OK);
    ck_assert_uint_gt(n, 5);
    break;
  }
}
END_TEST

START_TEST(progress_stops_a_solve_between_chunks) {
  Run run;
  flow_error error;
  Failing failing;
  FlowAllocator allocator = failing_allocator(&failing);
  run_open(&run, DOUBLE_linear, DOUBLE_f32_8, 10000);
  run.what.allocator = &allocator;
  run.out.stop_after = 500;
  ck_assert_int_eq(run_collect(&run, &error), FLOW_CANCELLED);
  ck_assert_words(error, "stopped on request");
  ck_assert_uint_eq(run.out.count, run.summary.samples);
  ck_assert_uint_ge(run.out.count, 400);
  ck_assert_uint_lt(run.out.count, 2000);
  ck_assert_uint_eq(failing.in_use, 0);
  run_close(&run);
}
END_TEST

START_TEST(progress_stops_a_long_solve_of_few_samples) {
  Run run;
  run_open(&run, DOUBLE_driven, DOUBLE_f32_8, 8);
  run.what.steps = 20000;
  run.out.stop_after = 4;
  ck_assert_int_eq(run_collect(&run, NULL), FLOW_CANCELLED);
  ck_assert_uint_eq(run.out.count, 0);
  ck_assert_uint_eq(run.out.last_done, 4);
  run_close(&run);
}
END_TEST

START_TEST(the_answer_of_the_sink_stops_a_solve) {
  Run run;
  flow_error error;
  run_open(&run, DOUBLE_linear, DOUBLE_f32_8, 100);
  run.out.answer = FLOW_BAD_FILE;
  ck_assert_int_eq(run_collect(&run, &error), FLOW_BAD_FILE);
  ck_assert_str_eq(error.text, "the sink is full");
  run_close(&run);
}
END_TEST

static int refusing(const flow_call *call) {
  (void)call;
  return -42;
}

START_TEST(a_refusal_of_the_model_is_a_defect_with_a_name) {
  Run run;
  flow_error error;
  run_open(&run, DOUBLE_linear, DOUBLE_f32_8, 100);
  flow_level level = *run.what.level;
  level.step = refusing;
  run.what.level = &level;
  ck_assert_int_eq(run_collect(&run, &error), FLOW_INTERNAL);
  ck_assert_words(error, "its function 'step' refused the call (-42)");
  run_close(&run);
}
END_TEST

START_TEST(calls_that_make_no_sense_are_refused_with_words) {
  Run run;
  flow_error error;
  run_open(&run, DOUBLE_driven, DOUBLE_f32_8, 10);
  run.what.first = 11;
  ck_assert_int_eq(run_collect(&run, &error), FLOW_BAD_CALL);
  ck_assert_words(error, "the range ends before it begins");
  run.what.first = 0;
  run.what.steps = 0;
  ck_assert_int_eq(run_collect(&run, &error), FLOW_BAD_CALL);
  ck_assert_words(error, "0 steps");
  run.what.steps = 1;
  run.what.condition = NULL;
  ck_assert_int_eq(run_collect(&run, &error), FLOW_BAD_INPUT);
  ck_assert_words(error, "condition 'first' has no value");
  run.what.condition = run.condition;
  flow_level level = *run.what.level;
  level.step = NULL;
  run.what.level = &level;
  ck_assert_int_eq(run_collect(&run, &error), FLOW_BAD_CALL);
  ck_assert_words(error, "without its solver step");
  run_close(&run);
}
END_TEST

#if defined(__x86_64__)
static int mode_is_default(const flow_call *call) {
  (void)call;
  return (_mm_getcsr() & 0xffc0) == 0x1f80 ? 0 : -1;
}

START_TEST(every_thread_computes_in_the_default_mode_and_the_caller_gets_its_own_back) {
  const unsigned flush_and_up = 0x1f80 | 0x8040 | 0x4000;       /* FTZ, DAZ, round up */
  Run plain, run;
  float tiny[3] = {0x1p-140f, -0x1p-135f, 0x1p-127f};
  FlowTensor tensor = {.name = "", .type = FLOW_TYPE_F32, .rank = 2, .dim = {1, 3}, .count = 3, .data = tiny};
  run_open(&plain, DOUBLE_linear, DOUBLE_f32_8, 1);
  run_open(&run, DOUBLE_linear, DOUBLE_f32_8, 1);
  plain.source = run.source = (FlowSource){.kind = FLOW_SOURCE_TENSOR, .dim = 3, .tensor = &tensor};
  ck_assert_int_eq(run_collect(&plain, NULL), FLOW_OK);
  _mm_setcsr(flush_and_up);
  flow_status status = run_collect(&run, NULL);
  unsigned after = _mm_getcsr();
  _mm_setcsr(0x1f80);
  ck_assert_int_eq(status, FLOW_OK);
  ck_assert_uint_eq(after, flush_and_up);
  assert_same_rows(&plain, &run);
  run_close(&plain);
  run_close(&run);
  run_open(&run, DOUBLE_rotation, DOUBLE_f32_8, 5000);
  flow_level level = *run.what.level;
  level.step = mode_is_default;
  run.what.level = &level;
  run.what.threads = 3;
  _mm_setcsr(flush_and_up);
  status = run_collect(&run, NULL);
  _mm_setcsr(0x1f80);
  ck_assert_int_eq(status, FLOW_OK);
  run_close(&run);
}
END_TEST
#else
START_TEST(every_thread_computes_in_the_default_mode_and_the_caller_gets_its_own_back) {}
END_TEST
#endif

TEST_MAIN("solve", every_field_method_and_configuration_is_the_reference_bit_for_bit, backward_solves_are_the_reference_too,
          any_number_of_samples_gives_the_same_samples, threads_batches_and_tiles_do_not_change_a_bit,
          samples_of_the_highest_indices_are_solved_like_any_other, windows_of_stage_times_give_the_same_bits,
          conditions_of_each_sample_are_those_of_its_row,
          a_sample_that_is_no_number_is_counted_and_its_neighbours_keep_their_bits, f64_runs_see_the_points_of_f32_runs,
          an_empty_range_delivers_nothing, memory_does_not_grow_with_the_number_of_samples,
          stage_times_never_take_more_memory_than_allowed, every_allocation_may_fail_and_nothing_leaks,
          progress_stops_a_solve_between_chunks, progress_stops_a_long_solve_of_few_samples, the_answer_of_the_sink_stops_a_solve,
          a_refusal_of_the_model_is_a_defect_with_a_name, calls_that_make_no_sense_are_refused_with_words,
          every_thread_computes_in_the_default_mode_and_the_caller_gets_its_own_back)
