/* SPDX-License-Identifier: Apache-2.0 */
/* gradient.c -- what a training function adds to the gradients of its weights (ir/gradients.c, tile.h).
 *
 * A contribution that is a product of two vectors, one for the rows and one for the columns of a matrix, is never made: its
 * vectors are what the statement reads.  Any other is computed like a value and added up.  The sums of a weight are lines of
 * features; the features are its columns, or its rows where those fill vectors with less waste. */
#include "build.h"
#include "tile_plan.h"

enum { FEATURES_AT_ONCE = 16 };         /* lines of sums are padded to so many numbers, at every vector width */

static int64_t padded(int64_t n) { return (n + FEATURES_AT_ONCE - 1) / FEATURES_AT_ONCE * FEATURES_AT_ONCE; }

/* ---- where the sums are ------------------------------------------------------------------------------------------------- */

static void place_sums(TileProgram *p, uint32_t slot, const Shape *shape) {
  flow_gradient *g = &p->gradient[slot];
  if (g->rows) return;
  bool matrix = shape->rank == 2;
  int64_t rows = matrix ? shape->dim[0] : 1, columns = matrix ? shape->dim[1] : shape_count(shape);
  bool turned = columns * padded(rows) < rows * padded(columns);
  int64_t pitch = padded(turned ? rows : columns), lines = turned ? columns : rows;
  *g = (flow_gradient){.at = p->gradient_bytes, .rows = (uint64_t)rows, .columns = (uint64_t)columns,
                       .row_step = turned ? 1 : pitch, .column_step = turned ? pitch : 1};
  p->gradient_bytes += (uint64_t)(lines * pitch * p->precision + 63) / 64 * 64;
}

/* ---- one contribution ------------------------------------------------------------------------------------------------------ */

/* In lanes where the sample section reads it. */
static bool in_lanes(const IrFunction *f, Ref base) {
  const IrNode *node = &f->node[base];
  return !tile_is_leaf(node) ? (node->mask & ~IR_WEIGHTS) != 0 : node->op == IR_input && node->slot > 0;
}

/* Axes (row, column) to (line, feature). */
static TileAccess turned_access(TileAccess access, bool turned) {
  if (!turned) return access;
  int64_t row = access.map.stride[0];
  access.map.stride[0] = access.map.stride[1];
  access.map.stride[1] = row;
  return access;
}

/* The vectors of a product; false: it is none, or they are not both in lanes. */
static bool find_vectors(const IrFunction *f, Ref product, TileAccess *rows, TileAccess *columns) {
  const IrNode *node = &f->node[product];
  if (node->op != IR_mul || node->shape.rank != 2) return false;
  IrMap map = tile_identity(&node->shape);
  TileAccess side[2];
  for (int i = 0; i < 2; i++) {
    side[i] = tile_access(f, node->arg[i], &map, node->shape.dim, 2);
    for (int k = 0; k < 2; k++)
      if (node->shape.dim[k] == 1) side[i].map.stride[k] = 0;
    if (!in_lanes(f, side[i].base)) return false;
  }
  int first = side[0].map.stride[1] == 0 && side[1].map.stride[0] == 0 ? 0 : 1;
  if (side[first].map.stride[1] || side[1 - first].map.stride[0]) return false;
  *rows = side[first], *columns = side[1 - first];
  return true;
}

static TileStatement contribution(TilePlan *plan, Ref part, uint32_t slot) {
  IrFunction *f = plan->f;
  const flow_gradient *g = &plan->program->gradient[slot];
  bool turned = g->column_step != 1;
  int64_t extent[] = {(int64_t)g->rows, (int64_t)g->columns};
  TileStatement s = {.kind = TILE_GRADIENT, .sums = g->at, .pitch = (uint64_t)(turned ? g->column_step : g->row_step),
                     .lines = turned ? extent[1] : extent[0], .features = turned ? extent[0] : extent[1]};
  IrMap map = {0, {extent[1], 1}};
  TileAccess whole = tile_access(f, part, &map, extent, 2), rows, columns;
  Shape space = {.rank = 2, .dim = {extent[0], extent[1]}};
  s.space = space;
  s.work_rows = padded(s.features);
  if (tile_is_identity(f, &whole, &space) && find_vectors(f, whole.base, &rows, &columns)) {
    s.left = turned_access(turned ? columns : rows, turned);
    s.right = turned_access(turned ? rows : columns, turned);
    return s;
  }
  if (!in_lanes(f, whole.base) || tile_is_leaf(&f->node[whole.base]))
    whole = (TileAccess){tile_append_copy(plan, part, IR_STATE), map};
  s.left.base = IR_NONE;
  s.right = turned_access(whole, turned);
  return s;
}

/* ---- all of them --------------------------------------------------------------------------------------------------------------- */

void tile_find_gradients(TilePlan *plan) {
  TileProgram *p = plan->program;
  IrFunction *f = plan->f;
  IrNode result = f->node[f->result];
  p->gradient = arena_array(p->arena, f->weights + 1, sizeof *p->gradient);
  plan->gradient = arena_array(p->arena, f->contributions, sizeof *plan->gradient);
  plan->gradients = f->contributions;
  for (uint32_t i = 0; i < f->contributions; i++) {
    place_sums(p, f->contribution[i], &f->weight[f->contribution[i]].shape);
    plan->gradient[i] = contribution(plan, result.arg[i + 1 + f->state_gradient], f->contribution[i]);
  }
}

/* At the end of the section, in the order of the contributions: a weight's sums take them in this order. */
void tile_schedule_gradients(TilePlan *plan) {
  TileSection *section = &plan->program->section[TILE_SAMPLE];
  if (!plan->gradients) return;
  TileStatement *all = arena_array(plan->program->arena, section->statements + plan->gradients, sizeof *all);
  for (uint32_t k = 0; k < section->statements; k++) all[k] = section->statement[k];
  for (uint32_t i = 0; i < plan->gradients; i++) all[section->statements + i] = plan->gradient[i];
  section->statement = all;
  section->statements += plan->gradients;
}
