/* SPDX-License-Identifier: Apache-2.0 */
/* homes.c -- where values live: rows of the sections' output buffers, scratch rows by lifetimes, pieces of the blob. */
#include "tile_plan.h"

/* ---- the weights blob ----------------------------------------------------------------------------------------------- */

static uint64_t add_pack(TileProgram *p, flow_pack pack) {
  for (uint32_t i = 0; i < p->packs; i++) {
    const flow_pack *old = &p->pack[i];
    if (old->weight == pack.weight && old->layout == pack.layout && old->offset == pack.offset && old->rows == pack.rows &&
        old->columns == pack.columns && old->row_stride == pack.row_stride && old->column_stride == pack.column_stride)
      return old->at;
  }
  uint64_t stored_rows = pack.layout == FLOW_PACK_PANELS ? (pack.rows + TILE_PANEL - 1) / TILE_PANEL * TILE_PANEL : pack.rows;
  pack.at = p->blob_bytes;
  p->blob_bytes += (stored_rows * pack.columns * (uint64_t)p->precision + 63) / 64 * 64;
  p->pack = arena_grow(p->arena, p->pack, p->packs, p->packs + 1, sizeof *p->pack);
  p->pack[p->packs++] = pack;
  return pack.at;
}

/* What is computed in the derive section and read elsewhere is packed from there as a weight is from its file. */
static bool is_derived(const TilePlan *plan, Ref base) { return plan->computed[base] && plan->section[base] == TILE_DERIVE; }

/* A piece of `base`, whose element 0 is the tensor's, or the derived values', number `first`. */
static flow_pack piece_of(const TilePlan *plan, Ref base, int64_t *first) {
  bool derived = is_derived(plan, base);
  *first = derived ? plan->program->place[base][TILE_DERIVE].at : 0;
  return (flow_pack){.weight = derived ? FLOW_PACK_DERIVED : plan->f->node[base].slot};
}

static uint64_t pack_rows(TilePlan *plan, Ref base) {
  int64_t first;
  flow_pack piece = piece_of(plan, base, &first);
  piece.layout = FLOW_PACK_ROWS, piece.offset = first, piece.row_stride = piece.column_stride = 1;
  piece.rows = (uint64_t)shape_count(&plan->f->node[base].shape), piece.columns = 1;
  return add_pack(plan->program, piece);
}

static uint64_t pack_panels(TilePlan *plan, const TileStatement *mm, const TileAccess *weights) {
  int64_t first;
  flow_pack piece = piece_of(plan, weights->base, &first);
  uint32_t row = mm->space.rank - 1;
  piece.layout = FLOW_PACK_PANELS, piece.offset = first + weights->map.offset;
  piece.row_stride = weights->map.stride[row], piece.column_stride = weights->map.stride[row + 1];
  piece.rows = (uint64_t)mm->rows, piece.columns = (uint64_t)mm->columns;
  return add_pack(plan->program, piece);
}

static void pack_statement(TilePlan *plan, TileSectionId section, TileStatement *statement) {
  TileProgram *p = plan->program;
  for (uint32_t i = 0; i < statement->ops; i++) {
    const TileOp *op = &statement->op[i];
    for (uint32_t k = 0; k < plan->f->node[op->node].args; k++) {
      Ref base = op->operand[k].base;
      bool derived = is_derived(plan, base);
      if (plan->f->node[base].op != IR_weight && (!derived || section == TILE_DERIVE)) continue;
      if (statement->kind == TILE_MM && i == 0 && k == 1 - statement->lanes_operand) {
        statement->panels = pack_panels(plan, statement, &op->operand[k]);
        continue;
      }
      TilePlace place = {HOME_WEIGHTS, (int64_t)pack_rows(plan, base)};
      for (int s = derived ? TILE_DERIVE + 1 : 0; s < TILE_SECTIONS; s++) p->place[base][s] = place;
    }
  }
}

/* ---- scratch rows ----------------------------------------------------------------------------------------------------- */

typedef struct Live { int64_t from, to; uint32_t last; } Live;

/* The lowest gap of `rows` rows among what is live at statement `now`. */
static int64_t first_fit(const Live *live, uint32_t count, uint32_t now, int64_t floor, int64_t rows) {
  int64_t at = floor;
  for (bool moved = true; moved;) {
    moved = false;
    for (uint32_t i = 0; i < count; i++)
      if (live[i].last >= now && at < live[i].to && live[i].from < at + rows) at = live[i].to, moved = true;
  }
  return at;
}

static void place_scratch(TilePlan *plan, TileSectionId id) {
  TileProgram *p = plan->program;
  TileSection *section = &p->section[id];
  uint32_t *last = arena_array(p->arena, plan->f->nodes, sizeof *last), stored = 0, live_count = 0;
  bool has_mm = false;
  for (uint32_t k = 0; k < section->statements; k++) {
    const TileStatement *statement = &section->statement[k];
    has_mm = has_mm || statement->kind == TILE_MM;
    for (uint32_t i = 0; i < statement->ops; i++) {
      stored += statement->op[i].stored;
      for (uint32_t a = 0; a < plan->f->node[statement->op[i].node].args; a++) last[statement->op[i].operand[a].base] = k;
    }
    if (statement->kind == TILE_GRADIENT) {
      last[statement->right.base] = k;
      if (statement->left.base != IR_NONE) last[statement->left.base] = k;
    }
  }
  int64_t floor = section->scratch_rows = has_mm ? TILE_PANEL : 0;       /* the block between an MM and its epilogue */
  Live *live = arena_array(p->arena, stored + section->statements + 1, sizeof *live);
  for (uint32_t k = 0; k < section->statements; k++) {
    TileStatement *statement = &section->statement[k];
    int64_t work = statement->work_rows;
    if (work) {
      statement->work = first_fit(live, live_count, k, floor, work);
      live[live_count++] = (Live){statement->work, statement->work + work, k};
      if (statement->work + work > section->scratch_rows) section->scratch_rows = statement->work + work;
    }
    for (uint32_t i = 0; i < statement->ops; i++) {
      const TileOp *op = &statement->op[i];
      if (!op->stored || plan->exported[op->node]) continue;
      int64_t rows = shape_count(&plan->f->node[op->node].shape), at = first_fit(live, live_count, k, floor, rows);
      live[live_count++] = (Live){at, at + rows, last[op->node] > k ? last[op->node] : k};
      p->place[op->node][id] = (TilePlace){HOME_SCRATCH, at};
      if (at + rows > section->scratch_rows) section->scratch_rows = at + rows;
    }
  }
}

/* ---- all places -------------------------------------------------------------------------------------------------------- */

static void place_leaves(TilePlan *plan) {
  TileProgram *p = plan->program;
  p->condition_row = arena_array(p->arena, plan->f->inputs, sizeof(int64_t));
  for (uint32_t i = 2; i < plan->f->inputs; i++) {
    p->condition_row[i] = p->condition_rows;
    p->condition_rows += shape_count(&plan->f->input[i].shape);
  }
  for (Ref r = 0; r < plan->f->nodes; r++) {
    const IrNode *node = &plan->f->node[r];
    TilePlace place = {HOME_NOWHERE, 0};
    if (node->op == IR_constant) place = (TilePlace){HOME_CONSTANT, 0};
    if (node->op == IR_weight) continue;        /* pack_statement knows */
    if (node->op == IR_input)
      place = node->slot == 0 ? (TilePlace){HOME_TIME, 0}
              : node->slot == 1 ? (TilePlace){HOME_STATE, 0} : (TilePlace){HOME_CONDITIONS, p->condition_row[node->slot]};
    if (tile_is_leaf(node))
      for (int s = 0; s < TILE_SECTIONS; s++) p->place[r][s] = place;
  }
}

/* All that the derive section stores it writes to its buffer, which lasts as long as the packing: no scratch for it. */
static void place_derived(TilePlan *plan) {
  TileSection *section = &plan->program->section[TILE_DERIVE];
  for (uint32_t k = 0; k < section->statements; k++) {
    section->statement[k].work = section->output_rows;
    section->output_rows += section->statement[k].work_rows;
    for (uint32_t i = 0; i < section->statement[k].ops; i++) {
      const TileOp *op = &section->statement[k].op[i];
      if (!op->stored) continue;
      plan->program->place[op->node][TILE_DERIVE] = (TilePlace){HOME_OUTPUT, section->output_rows};
      section->output_rows += shape_count(&plan->f->node[op->node].shape);
    }
  }
}

static void place_exports(TilePlan *plan) {
  TileProgram *p = plan->program;
  for (uint32_t i = 0; i < plan->results; i++)
    for (int s = TILE_SAMPLE; s <= TILE_QUIET; s++) p->place[plan->result[i]][s] = (TilePlace){HOME_OUTPUT, i == 0 ? 0 : p->gradient ? 1 : p->dim};
  p->section[TILE_SAMPLE].output_rows = p->dim + p->extras;
  for (Ref r = 0; r < plan->f->nodes; r++) {
    uint8_t s = plan->section[r];
    if (!plan->exported[r] || (s != TILE_TIMES && s != TILE_COND)) continue;
    TileSection *section = &p->section[s];
    p->place[r][s] = (TilePlace){HOME_OUTPUT, section->output_rows};
    TilePlace seen = {s == TILE_TIMES ? HOME_TIMES : HOME_COND, section->output_rows};
    p->place[r][TILE_SAMPLE] = p->place[r][TILE_QUIET] = seen;
    section->output_rows += shape_count(&plan->f->node[r].shape);
  }
}

void tile_place_all(TilePlan *plan) {
  TileProgram *p = plan->program;
  p->place = arena_array(p->arena, plan->f->nodes, sizeof *p->place);
  place_derived(plan);
  for (int s = 0; s < TILE_SECTIONS; s++)
    for (uint32_t k = 0; k < p->section[s].statements; k++) pack_statement(plan, (TileSectionId)s, &p->section[s].statement[k]);
  place_leaves(plan);
  place_exports(plan);
  for (int s = TILE_TIMES; s < TILE_SECTIONS; s++) place_scratch(plan, (TileSectionId)s);
}
