/* SPDX-License-Identifier: Apache-2.0 */
/* check_model.c -- checks of a model's tables, the level for a processor, weights blobs, conditions. */
#include "cpu.h"
#include "double.h"
#include "model.h"
#include "rounding.h"
#include "run.h"
#include "suite.h"
#include <math.h>

/* A 10 x 3 matrix "w" in numbers that f32 cannot hold. */
typedef struct Matrix {
  double value[30];
  FlowTensor tensor;
  FlowTensors file;
  flow_weight weight;
  flow_pack piece;
  flow_model model;
  FlowBlob blob;
  flow_error error;
} Matrix;

static void matrix_open(Matrix *m, uint32_t precision) {
  memset(m, 0, sizeof *m);
  for (int i = 0; i < 30; i++) m->value[i] = i + 1.0 / 3;
  m->tensor = (FlowTensor){.name = "w", .type = FLOW_TYPE_F64, .rank = 2, .dim = {10, 3}, .count = 30, .data = m->value};
  m->file = (FlowTensors){.allocator = flow_standard_allocator, .count = 1, .tensor = &m->tensor};
  m->weight = (flow_weight){"w", 2, {10, 3}};
  m->piece = (flow_pack){.row_stride = 3, .column_stride = 1, .rows = 10, .columns = 3};
  m->model = *double_model(DOUBLE_rotation, precision == FLOW_F32 ? DOUBLE_f32_8 : DOUBLE_f64_8);
  m->model.weights = m->model.packs = 1;
  m->model.weight = &m->weight;
  m->model.pack = &m->piece;
  m->model.blob_bytes = 1024;
}

static flow_status matrix_pack(Matrix *m) {
  flow_blob_free(&m->blob);
  return flow_model_pack(&flow_standard_allocator, &m->model, &m->file, "w.safetensors", &m->blob, &m->error);
}

START_TEST(rows_are_packed_in_c_order_and_rounded_once) {
  Matrix m;
  matrix_open(&m, FLOW_F32);
  m.piece.at = 64;
  m.blob.allocator = flow_standard_allocator;
  ck_assert_int_eq(matrix_pack(&m), FLOW_OK);
  ck_assert_uint_eq((uintptr_t)m.blob.data % 64, 0);
  const float *to = (const float *)m.blob.data + 16;
  for (int i = 0; i < 30; i++) ck_assert(to[i] == (float)m.value[i]);
  for (int i = 0; i < 16; i++) ck_assert(((const float *)m.blob.data)[i] == 0 && to[30 + i] == 0);
  flow_blob_free(&m.blob);
}
END_TEST

START_TEST(panels_of_eight_rows_are_padded_with_zeros) {
  Matrix m;
  matrix_open(&m, FLOW_F64);
  m.blob.allocator = flow_standard_allocator;
  m.piece.layout = FLOW_PACK_PANELS;
  ck_assert_int_eq(matrix_pack(&m), FLOW_OK);
  const double *to = m.blob.data;
  for (int row = 0; row < 16; row++)
    for (int column = 0; column < 3; column++)
      ck_assert(to[row / 8 * 24 + column * 8 + row % 8] == (row < 10 ? m.value[3 * row + column] : 0));
  flow_blob_free(&m.blob);
}
END_TEST

START_TEST(a_piece_may_be_a_transposed_slice_in_any_direction) {
  Matrix m;
  matrix_open(&m, FLOW_F64);
  m.blob.allocator = flow_standard_allocator;
  m.piece = (flow_pack){.offset = 29, .row_stride = -1, .column_stride = -3, .rows = 2, .columns = 4};
  ck_assert_int_eq(matrix_pack(&m), FLOW_OK);
  for (int row = 0; row < 2; row++)
    for (int column = 0; column < 4; column++)
      ck_assert(((const double *)m.blob.data)[row * 4 + column] == m.value[29 - row - 3 * column]);
  flow_blob_free(&m.blob);
}
END_TEST

START_TEST(half_precision_weights_are_exact) {
  static const uint16_t half[30] = {0x3c00, 0xc000, 0x3555, 0x0001}, brain[30] = {0x3f80, 0xc000, 0x3eab, 0x0001};
  Matrix m;
  matrix_open(&m, FLOW_F32);
  m.blob.allocator = flow_standard_allocator;
  m.tensor.type = FLOW_TYPE_F16;
  m.tensor.data = half;
  ck_assert_int_eq(matrix_pack(&m), FLOW_OK);
  const float *to = m.blob.data;
  ck_assert(to[0] == 1 && to[1] == -2 && to[2] == 0x1.554p-2f && to[3] == 0x1p-24f);
  m.tensor.type = FLOW_TYPE_BF16;
  m.tensor.data = brain;
  ck_assert_int_eq(matrix_pack(&m), FLOW_OK);
  to = m.blob.data;
  ck_assert(to[0] == 1 && to[1] == -2 && to[2] == 0x1.56p-2f && to[3] == 0x1p-133f);
  flow_blob_free(&m.blob);
}
END_TEST

START_TEST(a_missing_tensor_and_a_wrong_shape_are_named) {
  Matrix m;
  matrix_open(&m, FLOW_F32);
  m.blob.allocator = flow_standard_allocator;
  m.weight.dim[1] = 4;
  ck_assert_int_eq(matrix_pack(&m), FLOW_BAD_INPUT);
  ck_assert_str_eq(m.error.text, "w.safetensors: tensor 'w' has shape [10, 3]; the model needs [10, 4]");
  m.weight.name = "net.0.weight";
  ck_assert_int_eq(matrix_pack(&m), FLOW_BAD_INPUT);
  ck_assert_str_eq(m.error.text, "w.safetensors: there is no tensor 'net.0.weight'; the model needs it, with shape [10, 4]");
  ck_assert_int_eq(flow_model_pack(&flow_standard_allocator, &m.model, NULL, NULL, &m.blob, &m.error), FLOW_BAD_INPUT);
  ck_assert_words(m.error, "the weights: there is no tensor");
  ck_assert_ptr_null(m.blob.data);
}
END_TEST

START_TEST(pieces_that_reach_outside_are_refused) {
  static const flow_pack piece[] = {
      {.row_stride = 3, .column_stride = 1, .rows = 11, .columns = 3},
      {.offset = -1, .row_stride = 3, .column_stride = 1, .rows = 10, .columns = 3},
      {.row_stride = -3, .column_stride = 1, .rows = 10, .columns = 3},
      {.row_stride = INT64_MAX, .column_stride = 1, .rows = 10, .columns = 3},
      {.row_stride = 0, .column_stride = 0, .rows = UINT64_MAX, .columns = 3},
      {.row_stride = 3, .column_stride = 1, .rows = 10, .columns = 3, .at = 1000},
      {.row_stride = 3, .column_stride = 1, .rows = 10, .columns = 3, .at = 2},
      {.row_stride = 3, .column_stride = 1, .rows = 10, .columns = 3, .at = UINT64_MAX - 3},
      {.row_stride = 3, .column_stride = 1, .rows = 10, .columns = 3, .weight = 1},
      {.row_stride = 3, .column_stride = 1, .rows = 10, .columns = 3, .layout = 2},
  };
  for (size_t i = 0; i < sizeof piece / sizeof piece[0]; i++) {
    Matrix m;
    matrix_open(&m, FLOW_F32);
    m.blob.allocator = flow_standard_allocator;
    m.piece = piece[i];
    ck_assert_int_eq(matrix_pack(&m), FLOW_BAD_INPUT);
    ck_assert_words(m.error, "piece 0 of its weights");
  }
}
END_TEST

START_TEST(a_blob_that_memory_cannot_hold_is_a_status) {
  Matrix m;
  matrix_open(&m, FLOW_F32);
  Failing failing;
  FlowAllocator allocator = failing_allocator(&failing);
  failing.fail_at = 1;
  ck_assert_int_eq(flow_model_pack(&allocator, &m.model, &m.file, NULL, &m.blob, &m.error), FLOW_NO_MEMORY);
  failing.fail_at = 0;
  m.model.blob_bytes = UINT64_MAX;
  ck_assert_int_eq(flow_model_pack(&allocator, &m.model, &m.file, NULL, &m.blob, &m.error), FLOW_NO_MEMORY);
  ck_assert_uint_eq(failing.in_use, 0);
}
END_TEST

START_TEST(models_whose_numbers_make_no_sense_are_refused) {
  const flow_model *good = double_model(DOUBLE_driven, DOUBLE_f32_8);
  ck_assert_int_eq(flow_model_check(good, NULL), FLOW_OK);
  for (int fault = 0; fault < 9; fault++) {
    flow_model model = *good;
    flow_level level = good->level[0];
    flow_condition condition[2] = {good->condition[0], good->condition[1]};
    model.level = &level;
    model.condition = condition;
    switch (fault) {
    case 0: model.abi++; break;
    case 1: model.size = 8; break;
    case 2: model.precision = 2; break;
    case 3: model.dim = 0; break;
    case 4: level.lanes = 9; break;
    case 5: level.quantum = 0; break;
    case 6: level.times = NULL; break;
    case 7: condition[1].row = UINT64_MAX; break;
    case 8: model.cond_rows = UINT64_MAX / 8; break;
    }
    flow_error error;
    ck_assert_msg(flow_model_check(&model, &error) == FLOW_BAD_INPUT, "fault %d", fault);
  }
}
END_TEST

START_TEST(a_processor_has_the_level_of_all_its_bits) {
  const FlowCpuBits v4 = {UINT32_MAX, UINT32_MAX, UINT32_MAX, 0xe7};
  ck_assert_uint_eq(flow_cpu_level_of(&v4), FLOW_CPU_V4);
  FlowCpuBits bits = v4;
  bits.xcr0 = 0x07;                                     /* an operating system that does not save zmm */
  ck_assert_uint_eq(flow_cpu_level_of(&bits), FLOW_CPU_V3);
  bits.xcr0 = 0x03;                                     /* nor ymm */
  ck_assert_uint_eq(flow_cpu_level_of(&bits), 0);
  bits = v4;
  bits.leaf7_ebx &= ~(UINT32_C(1) << 31);               /* no AVX512VL */
  ck_assert_uint_eq(flow_cpu_level_of(&bits), FLOW_CPU_V3);
  bits = v4;
  bits.leaf1_ecx &= ~(UINT32_C(1) << 12);               /* no FMA */
  ck_assert_uint_eq(flow_cpu_level_of(&bits), 0);
  bits = v4;
  bits.extended1_ecx = 0;                               /* no LZCNT */
  ck_assert_uint_eq(flow_cpu_level_of(&bits), 0);
}
END_TEST

START_TEST(the_best_level_is_taken_or_the_one_asked_for) {
  uint32_t has = flow_cpu_level();
  flow_level both[2] = {double_model(DOUBLE_cubic, DOUBLE_f32_48)->level[0], double_model(DOUBLE_cubic, DOUBLE_f32_24)->level[0]};
  both[0].cpu = FLOW_CPU_V4;
  flow_model model = *double_model(DOUBLE_cubic, DOUBLE_f32_8);
  model.level = both;
  model.levels = 2;
  const flow_level *level;
  flow_error error;
  if (has == 0) {
    ck_assert_int_eq(flow_model_level(&model, 0, &level, &error), FLOW_BAD_CALL);
    ck_assert_words(error, "below x86-64-v3");
    return;
  }
  ck_assert_int_eq(flow_model_level(&model, 0, &level, &error), FLOW_OK);
  ck_assert_ptr_eq(level, has == FLOW_CPU_V4 ? &both[0] : &both[1]);
  ck_assert_int_eq(flow_model_level(&model, FLOW_CPU_V3, &level, &error), FLOW_OK);
  ck_assert_ptr_eq(level, &both[1]);
  ck_assert_int_eq(flow_model_level(&model, has + 1, &level, &error), FLOW_BAD_CALL);
  ck_assert_words(error, "was asked for; this processor has");
  model.levels = 0;
  ck_assert_int_eq(flow_model_level(&model, 0, &level, &error), FLOW_BAD_CALL);
  ck_assert_words(error, "holds no code for");
  ck_assert_ptr_null(level);
}
END_TEST

START_TEST(conditions_of_another_size_are_refused_with_words) {
  const flow_model *model = double_model(DOUBLE_driven, DOUBLE_f32_8);
  float value[6] = {0};
  FlowTensor one = {.name = "", .type = FLOW_TYPE_F32, .count = 1, .data = value};
  FlowTensor five = {.name = "", .type = FLOW_TYPE_F32, .rank = 1, .dim = {5}, .count = 5, .data = value};
  FlowTensor pairs = {.name = "", .type = FLOW_TYPE_F32, .rank = 2, .dim = {3, 2}, .count = 6, .data = value};
  flow_error error;
  ck_assert_int_eq(flow_conditions_check(model, (const FlowTensor[]){one, five}, 0, 5, &error), FLOW_OK);
  ck_assert_int_eq(flow_conditions_check(model, (const FlowTensor[]){one, five}, 3, 6, &error), FLOW_BAD_INPUT);
  ck_assert_str_eq(error.text, "condition 'second' has 5 rows; samples 3 to 5 were asked for");
  ck_assert_int_eq(flow_conditions_check(model, (const FlowTensor[]){pairs, one}, 0, 3, &error), FLOW_BAD_INPUT);
  ck_assert_words(error, "condition 'first': 6 numbers were given; it takes 1 for all samples");
}
END_TEST

TEST_MAIN("model", rows_are_packed_in_c_order_and_rounded_once, panels_of_eight_rows_are_padded_with_zeros,
          a_piece_may_be_a_transposed_slice_in_any_direction, half_precision_weights_are_exact,
          a_missing_tensor_and_a_wrong_shape_are_named, pieces_that_reach_outside_are_refused,
          a_blob_that_memory_cannot_hold_is_a_status, models_whose_numbers_make_no_sense_are_refused,
          a_processor_has_the_level_of_all_its_bits, the_best_level_is_taken_or_the_one_asked_for,
          conditions_of_another_size_are_refused_with_words)
