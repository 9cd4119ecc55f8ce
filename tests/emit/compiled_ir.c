/* SPDX-License-Identifier: Apache-2.0 */
#include "compiled_ir.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "cpu.h"

static void put(const CompiledIr *c, char *buffer, int64_t at, double value) {
  if (c->precision == 4) ((float *)buffer)[at] = (float)value;
  else ((double *)buffer)[at] = value;
}

static double get(const CompiledIr *c, const char *buffer, int64_t at) {
  return c->precision == 4 ? (double)((const float *)buffer)[at] : ((const double *)buffer)[at];
}

static char *aligned(size_t bytes) {
  char *memory = aligned_alloc(64, (bytes + 127) / 64 * 64);
  ck_assert_ptr_nonnull(memory);
  memset(memory, 0, (bytes + 127) / 64 * 64);
  return memory;
}

/* What the derive section computes, row after row. */
static double *derived_values(CompiledIr *c) {
  int64_t rows = c->tile->section[TILE_DERIVE].output_rows;
  char *lanes = aligned((size_t)(rows + 1) * c->level.lanes * (size_t)c->precision);
  double *value = calloc((size_t)rows + 1, sizeof *value);
  flow_call call = {.size = sizeof call, .lanes = c->level.quantum, .weights = c->blob, .u = lanes};
  if (c->level.derive) c->level.derive(&call);
  for (int64_t r = 0; r < rows; r++) value[r] = get(c, lanes, r * c->level.lanes);
  free(lanes);
  return value;
}

/* The blob as flow/model.h describes it, element by element: first what the file has, then what is derived from it. */
static void fill_pieces(CompiledIr *c, const double *derived) {
  for (uint32_t i = 0; i < c->tile->packs; i++) {
    const flow_pack *p = &c->tile->pack[i];
    if ((p->weight == FLOW_PACK_DERIVED) != (derived != NULL)) continue;
    const double *tensor = derived ? derived : c->weight[p->weight];
    for (uint64_t r = 0; r < p->rows; r++)
      for (uint64_t k = 0; k < p->columns; k++) {
        int64_t from = p->offset + (int64_t)r * p->row_stride + (int64_t)k * p->column_stride;
        uint64_t panel = r / 8 * p->columns * 8 + k * 8 + r % 8, plain = r * p->columns + k;
        put(c, c->blob + p->at, (int64_t)(p->layout == FLOW_PACK_PANELS ? panel : plain), tensor[from]);
      }
  }
}

static void fill_blob(CompiledIr *c) {
  c->blob = aligned(c->tile->blob_bytes);
  fill_pieces(c, NULL);
  double *derived = derived_values(c);
  fill_pieces(c, derived);
  free(derived);
}

CompiledIr *compile_ir(Arena *arena, IrFunction *frozen, int precision, int schedule, unsigned entries, double **weight) {
  CompiledIr *c = calloc(1, sizeof *c);
  flow_error error;
  EmitObject object;
  int cpu = (int)flow_cpu_level();
  bool rows = schedule == ONE_LANE || schedule == ONE_LANE_QUICK;
  EmitOptions options = {.cpu = cpu, .schedule = rows ? cpu : schedule, .entries = entries, .rows = rows, .quick = schedule == ONE_LANE_QUICK};
  *c = (CompiledIr){.arena = arena, .f = frozen, .precision = precision, .weight = weight};
  c->tile = tile_build(arena, frozen, precision);
  ck_assert_msg(!emit_object(c->tile, &options, &object, &error), "%s", error.text);
  c->level = emit_level(c->tile, &options);
  ck_assert_msg(!emit_into_process(&object, c->tile, entries, &c->level, &c->code, &error), "%s", error.text);
  emit_object_free(&object);
  fill_blob(c);
  c->scratch = aligned(c->level.scratch_bytes + 16 * c->level.stage_bytes);
  return c;
}

void free_compiled_ir(CompiledIr *c) {
  emit_unload(c->code);
  free(c->blob);
  free(c->scratch);
  free(c);
}

static char *lane_rows(const CompiledIr *c, int64_t rows) {
  return aligned((size_t)(rows + 1) * c->level.lanes * (size_t)c->precision);
}

static char *fill_rows(const CompiledIr *c, int64_t rows, uint32_t live, uint32_t lanes, double *const *value) {
  char *buffer = lane_rows(c, rows);
  for (int64_t r = 0; r < rows; r++)
    for (uint32_t i = 0; i < lanes; i++) put(c, buffer, r * c->level.lanes + i, value[i < live ? i : live - 1][r]);
  return buffer;
}

static char *one_row(const CompiledIr *c, const char *lanes, int64_t rows) {
  char *row = aligned((size_t)rows * 8);
  for (int64_t r = 0; r < rows; r++) put(c, row, r, get(c, lanes, r * c->level.lanes));
  return row;
}

void run_compiled_ir(CompiledIr *c, uint32_t live, bool lane_times, double *const *state, const double *time,
                     double *const *condition, double **result) {
  uint32_t lanes = (live + c->level.quantum - 1) / c->level.quantum * c->level.quantum;
  const TileProgram *tile = c->tile;
  flow_call call = {.size = sizeof call, .lanes = lanes, .weights = c->blob, .scratch = c->scratch};
  double **t = calloc(lanes, sizeof *t);
  for (uint32_t i = 0; i < lanes; i++) t[i] = (double *)(uintptr_t)&time[lane_times ? (i < live ? i : live - 1) : 0];
  char *t_row = fill_rows(c, 1, lanes, lanes, t), *x = fill_rows(c, tile->dim, live, lanes, state);
  char *conditions = fill_rows(c, tile->condition_rows, live, lanes, condition);
  char *times = lane_rows(c, tile->section[TILE_TIMES].output_rows), *cond = lane_rows(c, tile->section[TILE_COND].output_rows);
  char *u = lane_rows(c, tile->dim + tile->extras), *row = NULL;
  call.t = t_row, call.conditions = conditions;
  if (c->level.times) call.u = times, c->level.times(&call);
  if (c->level.cond) call.u = cond, c->level.cond(&call);
  if (!lane_times) row = one_row(c, times, tile->section[TILE_TIMES].output_rows);
  call.x = x, call.u = u, call.cond = cond, call.times = lane_times ? times : row;
  (lane_times ? c->level.eval_lane : c->level.eval)(&call);
  for (uint32_t i = 0; i < live; i++)
    for (int64_t r = 0; r < tile->dim + tile->extras; r++) result[i][r] = get(c, u, r * c->level.lanes + i);
  free(t), free(t_row), free(x), free(conditions), free(times), free(cond), free(u), free(row);
}
