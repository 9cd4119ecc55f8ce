/* SPDX-License-Identifier: Apache-2.0 */
/* schedule.c -- the computed nodes of one section, grouped into statements (the rules stand in tile.h). */
#include <string.h>
#include "tile_plan.h"

typedef struct Schedule {
  TilePlan *plan;
  IrFunction *f;
  TileSectionId section;
  bool products;                /* the section has MMs */
  bool *pending;                /* [nodes]: of this section, not yet in a statement */
  bool *group;                  /* [nodes]: of the group that is being split */
  uint32_t *statement_of;       /* [nodes]: number of the statement, from 1 */
  TileStatement *statement;
  uint32_t statements, room;
} Schedule;

static bool is_there(const Schedule *s, Ref base) { return !s->pending[base]; }

static bool operands_ready(const Schedule *s, Ref ref, const bool *also) {
  for (uint32_t i = 0; i < s->f->node[ref].args; i++) {
    Ref base = s->plan->operand[ref][i].base;
    if (!is_there(s, base) && !(also && also[base])) return false;
  }
  return true;
}

static TileStatement *open_statement(Schedule *s, TileKind kind) {
  if (s->statements == s->room) {
    uint32_t room = s->room ? 2 * s->room : 16;
    s->statement = arena_grow(s->plan->program->arena, s->statement, s->room, room, sizeof *s->statement);
    s->room = room;
  }
  TileStatement *statement = &s->statement[s->statements++];
  *statement = (TileStatement){.kind = kind};
  return statement;
}

static void add_op(Schedule *s, TileStatement *statement, Ref ref) {
  statement->op = arena_grow(s->plan->program->arena, statement->op, statement->ops, statement->ops + 1, sizeof(TileOp));
  statement->op[statement->ops++] = (TileOp){.node = ref, .operand = s->plan->operand[ref]};
  s->pending[ref] = false;
  s->statement_of[ref] = s->statements;
}

/* ---- MM and its epilogue ------------------------------------------------------------------------------------------ */

static bool same_count(const IrFunction *f, Ref ref, const Shape *space) {
  const Shape *shape = &f->node[ref].shape;
  return shape->rank == space->rank && shape_equal(shape, space);
}

static bool is_elementwise(const IrNode *node) {
  IrClass class = ir_op_class[node->op];
  return class == IR_EACH || class == IR_COMPARE || class == IR_LOGIC;
}

/* In the epilogue of statement number `own` a node may read rows of the block at the same row, and anything else that
 * was there before. */
static bool fits_epilogue(const Schedule *s, const TileStatement *mm, Ref ref, uint32_t own) {
  const IrNode *node = &s->f->node[ref];
  if (!s->pending[ref] || !is_elementwise(node) || !same_count(s->f, ref, &mm->space)) return false;
  bool depends = false;
  for (uint32_t i = 0; i < node->args; i++) {
    const TileAccess *access = &s->plan->operand[ref][i];
    if (!is_there(s, access->base)) return false;
    if (s->statement_of[access->base] != own) continue;
    if (!tile_is_identity(s->f, access, &mm->space)) return false;
    depends = true;
  }
  return depends;
}

static void schedule_mm(Schedule *s, Ref ref, int weights) {
  const IrNode *node = &s->f->node[ref];
  TileStatement *mm = open_statement(s, TILE_MM);
  uint32_t row = node->shape.rank - 1;
  mm->space = node->shape;
  mm->copies = row ? node->shape.dim[0] : 1;
  mm->rows = node->shape.dim[row];
  mm->columns = node->extent[0];
  mm->lanes_operand = (uint32_t)(1 - weights);
  s->plan->program->has_mm = true;
  add_op(s, mm, ref);
  uint32_t externals = 2;       /* the start and the block itself; each further node may read `args` and write one more */
  for (Ref next = ref + 1; next < s->f->nodes; next++) {
    if (!fits_epilogue(s, mm, next, s->statements)) continue;
    if ((externals += 1 + s->f->node[next].args) > TILE_MOST_EXTERNAL) return;
    add_op(s, mm, next);
  }
}

/* ---- what is not an MM ---------------------------------------------------------------------------------------------- */

/* A concat is looped over part by part, so it is a LOOP of its own; a reduction is looped over its result. */
static bool fits_loop(const Schedule *s, const TileStatement *loop, Ref ref, uint32_t own) {
  const IrNode *node = &s->f->node[ref];
  if (!same_count(s->f, ref, &loop->space)) return false;
  if (loop->ops && (node->op == IR_concat || s->f->node[loop->op[0].node].op == IR_concat)) return false;
  bool inner = ir_op_class[node->op] == IR_SUM || node->op == IR_concat || node->op == IR_view;
  for (uint32_t i = 0; i < node->args; i++) {
    const TileAccess *access = &s->plan->operand[ref][i];
    if (!is_there(s, access->base)) return false;
    bool same = s->statement_of[access->base] == own;
    if (same && (inner || !tile_is_identity(s->f, access, &loop->space))) return false;
  }
  return true;
}

/* A statement of its own, neither unrolled nor looped with others. */
static bool stands_alone(const Schedule *s, Ref ref) {
  return s->f->node[ref].op == IR_lookup || ir_op_class[s->f->node[ref].op] == IR_MATRIX;
}

static bool is_rare(const Schedule *s) { return s->section != TILE_SAMPLE && s->section != TILE_QUIET; }

/* Beside products, which take the time, less code matters more than speed. */
static int64_t straight_most(const Schedule *s) {
  return is_rare(s) ? TILE_RARE_STRAIGHT_MOST : s->products ? TILE_PRODUCT_STRAIGHT_MOST : TILE_STRAIGHT_MOST;
}

static bool is_large(const Schedule *s, Ref ref, bool all_small) {
  int64_t small = is_rare(s) ? TILE_RARE_SMALL_NODE : TILE_SMALL_NODE;
  return !all_small && (tile_cost(s->f, ref) > small || stands_alone(s, ref));
}

static void schedule_straight(Schedule *s, Ref first, bool all_small) {
  TileStatement *straight = open_statement(s, TILE_STRAIGHT);
  int64_t cost = 0;
  for (Ref r = first; r < s->f->nodes; r++) {
    if (!s->group[r] || !s->pending[r] || is_large(s, r, all_small) || !operands_ready(s, r, NULL)) continue;
    if (stands_alone(s, r)) continue;
    if (cost && (cost += tile_cost(s->f, r)) > straight_most(s)) return;
    cost = cost ? cost : tile_cost(s->f, r);
    add_op(s, straight, r);
  }
}

static void schedule_loop(Schedule *s, Ref first) {
  TileStatement *loop = open_statement(s, TILE_LOOP);
  loop->space = s->f->node[first].shape;
  for (Ref r = first; r < s->f->nodes; r++) {
    if (!s->group[r] || !s->pending[r] || stands_alone(s, r)) continue;
    if (r != first && !is_large(s, r, false)) continue;
    if (fits_loop(s, loop, r, s->statements)) add_op(s, loop, r);
  }
}

/* Splits the group: small nodes unrolled together, large ones in loops of one index space. */
static void schedule_group(Schedule *s) {
  int64_t total = 0;
  for (Ref r = 0; r < s->f->nodes; r++)
    if (s->group[r]) total += stands_alone(s, r) ? straight_most(s) + 1 : tile_cost(s->f, r);
  bool all_small = total <= straight_most(s);
  for (;;) {
    Ref first = 0;
    while (first < s->f->nodes && !(s->group[first] && s->pending[first] && operands_ready(s, first, NULL))) first++;
    if (first == s->f->nodes) return;
    if (stands_alone(s, first)) {
      TileStatement *alone = open_statement(s, s->f->node[first].op == IR_lookup ? TILE_LOOKUP : TILE_MATRIX);
      alone->space = s->f->node[first].shape;
      if (alone->kind == TILE_MATRIX) alone->work_rows = tile_matrix_rows(s->f, first);
      add_op(s, alone, first);
    } else if (is_large(s, first, all_small)) {
      schedule_loop(s, first);
    } else {
      schedule_straight(s, first, all_small);
    }
  }
}

/* ---- the section ---------------------------------------------------------------------------------------------------- */

/* A large value that stands behind the next product is left for later: it may wait, and its memory with it. */
static bool can_wait(const Schedule *s, Ref ref, Ref product) {
  return ref > product && shape_count(&s->f->node[ref].shape) > TILE_LATER;
}

/* Everything but MMs that is ready, or becomes so within the group. */
static bool find_group(Schedule *s) {
  bool any = false;
  Ref product = 0;
  while (product < s->f->nodes && !(s->pending[product] && tile_mm_weights(s->plan, product) >= 0)) product++;
  memset(s->group, 0, s->f->nodes * sizeof *s->group);
  for (Ref r = 0; r < s->f->nodes; r++)
    if (s->pending[r] && tile_mm_weights(s->plan, r) < 0 && !can_wait(s, r, product) && operands_ready(s, r, s->group))
      any = s->group[r] = true;
  return any;
}

static void mark_stored(Schedule *s) {
  TilePlan *plan = s->plan;
  bool *stored = arena_array(plan->program->arena, s->f->nodes, sizeof(bool));
  for (Ref r = 0; r < s->f->nodes; r++) {
    if (!tile_computes(plan, r, s->section)) continue;
    if (plan->exported[r]) stored[r] = true;
    for (uint32_t i = 0; i < s->f->node[r].args; i++) {
      Ref base = plan->operand[r][i].base;
      if (s->statement_of[base] != s->statement_of[r]) stored[base] = true;
    }
  }
  for (uint32_t i = 0; i < plan->gradients; i++) {
    if (plan->gradient[i].left.base != IR_NONE) stored[plan->gradient[i].left.base] = true;
    stored[plan->gradient[i].right.base] = true;
  }
  for (uint32_t k = 0; k < s->statements; k++)
    for (uint32_t i = 0; i < s->statement[k].ops; i++) s->statement[k].op[i].stored = stored[s->statement[k].op[i].node];
}

void tile_schedule(TilePlan *plan, TileSectionId section) {
  Arena *arena = plan->program->arena;
  uint32_t nodes = plan->f->nodes;
  Schedule s = {.plan = plan, .f = plan->f, .section = section, .pending = arena_array(arena, nodes, sizeof(bool)),
                .group = arena_array(arena, nodes, sizeof(bool)), .statement_of = arena_array(arena, nodes, sizeof(uint32_t))};
  TileSection *out = &plan->program->section[section];
  for (Ref r = 0; r < nodes; r++) {
    s.pending[r] = tile_computes(plan, r, section);
    s.products = s.products || (s.pending[r] && tile_mm_weights(plan, r) >= 0);
    if (s.pending[r] && plan->f->node[r].op == IR_contract) out->multiply_adds += (uint64_t)tile_cost(plan->f, r);
  }
  for (;;) {
    if (find_group(&s)) {
      schedule_group(&s);
      continue;
    }
    Ref next = 0;
    while (next < nodes && !(s.pending[next] && operands_ready(&s, next, NULL))) next++;
    if (next == nodes) break;
    schedule_mm(&s, next, tile_mm_weights(plan, next));
  }
  mark_stored(&s);
  out->statements = s.statements;
  out->statement = s.statement;
}
