/* SPDX-License-Identifier: Apache-2.0 */
/* tile.c -- which nodes are computed, in which section, and what their operands read once views are looked through. */
#include "build.h"
#include "tile_plan.h"

const char *const tile_section_name[TILE_SECTIONS] = {"derive", "times", "cond", "sample", "quiet"};

bool tile_is_leaf(const IrNode *node) { return ir_op_class[node->op] == IR_LEAF; }

static TileSectionId section_of_mask(uint8_t mask) {
  if (mask & IR_STATE) return TILE_SAMPLE;
  if (mask & IR_CONDITIONS) return mask & IR_TIMES ? TILE_SAMPLE : TILE_COND;
  return mask & IR_TIMES ? TILE_TIMES : TILE_DERIVE;
}

bool tile_computes(const TilePlan *plan, Ref ref, TileSectionId section) {
  if (section == TILE_QUIET) return plan->quiet[ref] && plan->section[ref] == TILE_SAMPLE;
  return plan->computed[ref] && plan->section[ref] == section;
}

int64_t tile_matrix_rows(const IrFunction *f, Ref ref) {
  const Shape *a = &f->node[f->node[ref].arg[0]].shape;
  return a->dim[a->rank - 1] * a->dim[a->rank - 1];
}

int64_t tile_cost(const IrFunction *f, Ref ref) {
  const IrNode *node = &f->node[ref];
  int64_t cost = shape_count(&node->shape);
  if (node->op == IR_contract)
    for (uint32_t k = 0; k < node->sums; k++) cost *= node->extent[k];
  else if (ir_op_class[node->op] == IR_SUM)
    cost = shape_count(&f->node[node->arg[0]].shape);
  return cost;
}

/* ---- operands -------------------------------------------------------------------------------------------------- */

/* Operand i of a node is read at this map, over the node's axes and then its summed axes. */
static IrMap operand_map(const IrFunction *f, const IrNode *node, uint32_t i) {
  if (node->op == IR_view) return node->map;
  if (node->op == IR_contract && i < 2) return i ? node->map_b : node->map;
  return tile_identity(&f->node[node->arg[i]].shape);
}

/* The index space of operand i, as extents. */
static uint32_t operand_space(const IrFunction *f, const IrNode *node, uint32_t i, int64_t *extent) {
  bool own = node->op == IR_concat || node->op == IR_lookup || ir_op_class[node->op] == IR_MATRIX || (ir_op_class[node->op] == IR_SUM && node->op != IR_contract);
  const Shape *shape = own ? &f->node[node->arg[i]].shape : &node->shape;
  uint32_t axes = shape->rank;
  for (uint32_t k = 0; k < axes; k++) extent[k] = shape->dim[k];
  if (node->op == IR_contract && i < 2)
    for (uint32_t k = 0; k < node->sums; k++) extent[axes++] = node->extent[k];
  return axes;
}

static void resolve_operands(TilePlan *plan, Ref ref) {
  IrFunction *f = plan->f;
  const IrNode *node = &f->node[ref];
  plan->operand[ref] = arena_array(plan->program->arena, node->args ? node->args : 1, sizeof(TileAccess));
  for (uint32_t i = 0; i < node->args; i++) {
    int64_t extent[IR_MOST_AXES];
    uint32_t axes = operand_space(f, node, i, extent);
    IrMap map = operand_map(f, node, i);
    plan->operand[ref][i] = tile_access(f, node->arg[i], &map, extent, axes);
  }
}

/* ---- sections ---------------------------------------------------------------------------------------------------- */

static void find_sections(TilePlan *plan) {
  for (Ref r = 0; r < plan->f->nodes; r++) plan->section[r] = (uint8_t)section_of_mask(plan->f->node[r].mask);
}

/* A node of our own at the end: a copy of `ref` that is not looked through, in the section of `mask`. */
Ref tile_append_copy(TilePlan *plan, Ref ref, uint8_t mask) {
  IrFunction *f = plan->f;
  IrNode copy = {.op = IR_view, .mask = mask, .args = 1, .arg = arena_array(plan->program->arena, 1, sizeof(Ref)),
                 .shape = f->node[ref].shape, .map = tile_identity(&f->node[ref].shape), .at = f->node[ref].at};
  copy.arg[0] = ref;
  return ir_append(f, &copy);
}

/* A result must be a computed node of the sample section, element i in row i of its own. */
static Ref result_node(TilePlan *plan, Ref value) {
  IrFunction *f = plan->f;
  const Shape *shape = &f->node[value].shape;
  IrMap map = tile_identity(shape);
  TileAccess access = tile_access(f, value, &map, shape->dim, shape->rank);
  const IrNode *base = &f->node[access.base];
  bool direct = !tile_is_leaf(base) && section_of_mask(base->mask) == TILE_SAMPLE && tile_is_identity(f, &access, shape);
  return direct ? access.base : tile_append_copy(plan, value, IR_STATE);
}

/* The velocity and its extras are the two parts of one vector (ir_with_extras); each is written where it belongs. */
static void find_results(TilePlan *plan) {
  IrFunction *f = plan->f;
  IrNode result = f->node[f->result];
  TileProgram *p = plan->program;
  plan->results = 1;
  if (f->contributions) {
    p->extras = 1;              /* the loss, and behind it the gradient by the state, and rates */
    plan->result[0] = result_node(plan, result.arg[0]);
    if (f->state_gradient) plan->result[plan->results++] = result_node(plan, result.arg[1]);
    tile_find_gradients(plan);
    return;
  }
  p->extras = shape_count(&result.shape) - p->dim;
  if (p->extras == 0) {
    plan->result[0] = result_node(plan, f->result);
    return;
  }
  plan->results = 2;
  for (int i = 0; i < 2; i++) {
    bool is_part = result.op == IR_concat && result.args == 2 && shape_count(&f->node[result.arg[0]].shape) == p->dim;
    Shape shape = {.rank = 1, .dim = {i ? p->extras : p->dim}};
    IrMap map = {i ? p->dim : 0, {1}};
    Ref part = is_part ? result.arg[i] : ir_view_flat(f, f->result, &shape, &map, result.at);
    plan->result[i] = result_node(plan, part);
  }
  if (plan->result[0] == plan->result[1]) plan->result[1] = tile_append_copy(plan, plan->result[1], IR_STATE);
}

static bool is_time(const IrFunction *f, Ref ref) { return f->node[ref].op == IR_input && f->node[ref].slot == 0; }

/* A value that a gradient statement, at the end of the sample section, reads. */
static void need(TilePlan *plan, Ref base) {
  if (base == IR_NONE || tile_is_leaf(&plan->f->node[base])) return;
  plan->computed[base] = true;
  if (plan->section[base] != TILE_SAMPLE) plan->exported[base] = true;
}

/* From the results backwards: marks what is computed and what crosses a section.  Reading t outside the times section
 * reads a copy of it that the times section exports. */
static void find_computed(TilePlan *plan, Ref time_copy) {
  IrFunction *f = plan->f;
  for (uint32_t i = 0; i < plan->results; i++) plan->computed[plan->result[i]] = plan->exported[plan->result[i]] = true;
  for (uint32_t i = 0; i < plan->gradients; i++) {
    need(plan, plan->gradient[i].left.base);
    need(plan, plan->gradient[i].right.base);
  }
  for (Ref r = f->nodes; r-- > 0;) {
    if (!plan->computed[r] || r == time_copy) continue;
    resolve_operands(plan, r);
    for (uint32_t i = 0; i < f->node[r].args; i++) {
      Ref *base = &plan->operand[r][i].base;
      if (is_time(f, *base) && plan->section[r] != TILE_TIMES) *base = time_copy;
      if (tile_is_leaf(&f->node[*base])) continue;
      plan->computed[*base] = true;
      if (plan->section[*base] != plan->section[r]) plan->exported[*base] = true;
    }
  }
  if (time_copy != IR_NONE && plan->computed[time_copy]) resolve_operands(plan, time_copy);
}

/* What the velocity alone needs. */
static void find_quiet(TilePlan *plan) {
  if (plan->results < 2 || plan->program->gradient) return;
  plan->quiet[plan->result[0]] = true;
  for (Ref r = plan->f->nodes; r-- > 0;)
    for (uint32_t i = 0; plan->quiet[r] && i < plan->f->node[r].args; i++) {
      Ref base = plan->operand[r][i].base;
      if (!tile_is_leaf(&plan->f->node[base])) plan->quiet[base] = true;
    }
}

/* ---- MM ------------------------------------------------------------------------------------------------------------ */

/* In the blob: a weight, or a value derived from weights, which later sections read there. */
static bool is_weights(const TilePlan *plan, const TileAccess *access, TileSectionId reader) {
  if (plan->f->node[access->base].op == IR_weight) return true;
  return reader != TILE_DERIVE && plan->computed[access->base] && plan->section[access->base] == TILE_DERIVE;
}

/* Panels hold an [rows, columns] slice of a weight with any steps; the lanes run along one axis with step 1. */
int tile_mm_weights(const TilePlan *plan, Ref ref) {
  const IrNode *node = &plan->f->node[ref];
  TileSectionId section = plan->section[ref];
  uint32_t row = node->shape.rank - 1, k = node->shape.rank;
  if (node->op != IR_contract || (node->shape.rank != 1 && node->shape.rank != 2) || node->sums != 1) return -1;
  int64_t least = section == TILE_SAMPLE ? 2 * TILE_PANEL : TILE_RARE_MM, rows = node->shape.dim[row];
  if (section == TILE_DERIVE || rows * node->extent[0] < least) return -1;
  for (int w = 0; w < 2; w++) {
    const TileAccess *weights = &plan->operand[ref][w], *lanes = &plan->operand[ref][1 - w];
    if (!is_weights(plan, weights, section) || is_weights(plan, lanes, section) || plan->f->node[lanes->base].op == IR_constant)
      continue;
    bool for_all_rows = lanes->map.stride[row] == 0 || rows == 1;
    bool for_all_copies = row == 0 || weights->map.stride[0] == 0 || node->shape.dim[0] == 1;
    bool side_by_side = lanes->map.stride[k] == 1 || node->extent[0] == 1;
    if (for_all_rows && for_all_copies && side_by_side) return w;
  }
  return -1;
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

TileProgram *tile_build(Arena *arena, IrFunction *frozen, int precision) {
  TileProgram *program = arena_alloc(arena, sizeof *program);
  *program = (TileProgram){.arena = arena, .ir = frozen, .precision = precision, .jump = frozen->jump};
  program->dim = shape_count(&frozen->input[1].shape);
  TilePlan plan = {.program = program, .f = frozen};
  find_results(&plan);
  Ref time = 0;
  while (time < frozen->nodes && !is_time(frozen, time)) time++;
  Ref time_copy = time < frozen->nodes ? tile_append_copy(&plan, time, IR_TIMES) : IR_NONE;
  uint32_t nodes = frozen->nodes;
  plan.section = arena_array(arena, nodes, 1);
  plan.computed = arena_array(arena, nodes, sizeof(bool));
  plan.quiet = arena_array(arena, nodes, sizeof(bool));
  plan.exported = arena_array(arena, nodes, sizeof(bool));
  plan.operand = arena_array(arena, nodes, sizeof *plan.operand);
  find_sections(&plan);
  find_computed(&plan, time_copy);
  find_quiet(&plan);
  for (int s = 0; s < TILE_SECTIONS; s++) tile_schedule(&plan, (TileSectionId)s);
  tile_schedule_gradients(&plan);
  tile_place_all(&plan);
  return program;
}

uint32_t tile_lanes(const TileProgram *program, uint32_t quantum) {
  if (program->gradient_bytes) return 3 * 64 / (uint32_t)program->precision;
  if (program->has_mm) return 3 * quantum;
  const int64_t l1_bytes = 24 * 1024;
  int64_t rows = program->section[TILE_SAMPLE].scratch_rows + 4 * (program->dim + program->extras);
  int64_t vectors = l1_bytes / (rows * (int64_t)quantum * program->precision);
  return quantum * (uint32_t)(vectors < 2 ? 2 : vectors > 16 ? 16 : vectors);
}
