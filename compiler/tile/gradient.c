/* SPDX-License-Identifier: Apache-2.0 */
/* gradient.c -- what a training function adds to the gradients of its weights (ir/gradients.c, tile.h).
 *
 * A contribution that is a product of two vectors, one for the rows and one for the columns of a matrix, is never made: its
 * vectors are what the statement reads.  A sum of such products over an axis (the directions of a divergence) is as many statements, one
 * after the other.  Any other is computed like a value and added up.  The sums of a weight are lines of
 * features; the features are its columns, or its rows where those fill vectors with less waste. */
#include "build.h"
#include "tile_plan.h"

enum {
  FEATURES_AT_ONCE = 16,                /* lines of sums are padded to so many numbers, at every vector width */
  MOST_PRODUCTS = 64                    /* in one contribution: a sum over directions, each of which is a statement */
};

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

/* What side i of product k reads at (row, column): elements as they are, or of a contraction its summed axis at k. */
static TileAccess side_of(const IrFunction *f, const IrNode *node, int i, int64_t k) {
  IrMap map = tile_identity(&node->shape);
  if (node->op == IR_contract) {
    const IrMap *own = i ? &node->map_b : &node->map;
    map = (IrMap){own->offset + k * own->stride[2], {own->stride[0], own->stride[1]}};
  }
  TileAccess side = tile_access(f, node->arg[i], &map, node->shape.dim, 2);
  for (int axis = 0; axis < 2; axis++)
    if (node->shape.dim[axis] == 1) side.map.stride[axis] = 0;
  return side;
}

/* The vectors of a product, or of product k of a contraction; false: it is none, or they are not both in lanes. */
static bool find_vectors(const IrFunction *f, Ref product, int64_t k, TileAccess *rows, TileAccess *columns) {
  const IrNode *node = &f->node[product];
  bool sum = node->op == IR_contract && node->args == 2 && node->sums == 1 && node->extent[0] <= MOST_PRODUCTS;
  if ((node->op != IR_mul && !sum) || node->shape.rank != 2) return false;
  TileAccess side[2];
  for (int i = 0; i < 2; i++) {
    side[i] = side_of(f, node, i, k);
    if (!in_lanes(f, side[i].base)) return false;
  }
  int first = side[0].map.stride[1] == 0 && side[1].map.stride[0] == 0 ? 0 : 1;
  if (side[first].map.stride[1] || side[1 - first].map.stride[0]) return false;
  *rows = side[first], *columns = side[1 - first];
  return true;
}

/* A contribution as (row, column) of its weight. */
static TileAccess whole_of(const IrFunction *f, const flow_gradient *g, Ref part) {
  int64_t extent[] = {(int64_t)g->rows, (int64_t)g->columns};
  IrMap map = {0, {extent[1], 1}};
  return tile_access(f, part, &map, extent, 2);
}

/* Of how many products it is the sum, each a statement; 1 where it is none. */
static uint32_t products_of(const IrFunction *f, const flow_gradient *g, Ref part) {
  TileAccess whole = whole_of(f, g, part), rows, columns;
  Shape space = {.rank = 2, .dim = {(int64_t)g->rows, (int64_t)g->columns}};
  const IrNode *node = &f->node[whole.base];
  bool sum = node->op == IR_contract && tile_is_identity(f, &whole, &space) && find_vectors(f, whole.base, 0, &rows, &columns);
  return sum ? (uint32_t)node->extent[0] : 1;
}

static TileStatement contribution(TilePlan *plan, Ref part, uint32_t slot, int64_t k) {
  IrFunction *f = plan->f;
  const flow_gradient *g = &plan->program->gradient[slot];
  bool turned = g->column_step != 1;
  int64_t extent[] = {(int64_t)g->rows, (int64_t)g->columns};
  TileStatement s = {.kind = TILE_GRADIENT, .sums = g->at, .pitch = (uint64_t)(turned ? g->column_step : g->row_step),
                     .lines = turned ? extent[1] : extent[0], .features = turned ? extent[0] : extent[1]};
  IrMap map = {0, {extent[1], 1}};
  TileAccess whole = whole_of(f, g, part), rows, columns;
  Shape space = {.rank = 2, .dim = {extent[0], extent[1]}};
  s.space = space;
  s.work_rows = padded(s.features);
  if (tile_is_identity(f, &whole, &space) && find_vectors(f, whole.base, k, &rows, &columns)) {
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
  const Ref *part = result.arg + 1 + f->state_gradient;
  uint32_t statements = 0;
  for (uint32_t i = 0; i < f->contributions; i++) {
    place_sums(p, f->contribution[i], &f->weight[f->contribution[i]].shape);
    statements += products_of(f, &p->gradient[f->contribution[i]], part[i]);
  }
  plan->gradient = arena_array(p->arena, statements, sizeof *plan->gradient);
  for (uint32_t i = 0; i < f->contributions; i++) {
    uint32_t products = products_of(f, &p->gradient[f->contribution[i]], part[i]);
    for (uint32_t k = 0; k < products; k++) plan->gradient[plan->gradients++] = contribution(plan, part[i], f->contribution[i], k);
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
