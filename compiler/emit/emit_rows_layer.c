/* SPDX-License-Identifier: Apache-2.0 */
/* emit_rows_layer.c -- a layer for one sample: eight outputs of each of several panels stay in registers while its inputs pass.
 *
 * A chain of a layer waits four cycles for each of its inputs, and so does an activation for each of its operations. Where one layer
 * reads nothing but another's results, the two wait together: as soon as eight outputs are finished, the next layer's chains take them,
 * while the activation of the eight after them is under way. */
#include "emit_rows.h"

enum { MOST_PANELS = EMIT_MOST_PANELS };

typedef struct Layer {
  Emit *e;
  LL *wide;
  const TileStatement *mm;
  Val copy, block;
} Layer;

/* The element that an access reads at (copy, row). */
static Val element_of(const Layer *l, const TileAccess *access, Val row) {
  LL *ll = &l->e->ll;
  uint32_t axis = l->mm->space.rank - 1;
  Val element = ll_iadd(ll, ll_int(ll, access->map.offset), ll_imul(ll, row, access->map.stride[axis]));
  return axis ? ll_iadd(ll, element, ll_imul(ll, l->copy, access->map.stride[0])) : element;
}

static int64_t step_of(const Layer *l, const TileAccess *access) { return access->map.stride[l->mm->space.rank - 1]; }

static Val own_element(const Layer *l, Val row) {
  LL *ll = &l->e->ll;
  return l->mm->copies == 1 ? row : ll_iadd(ll, ll_imul(ll, l->copy, l->mm->rows), row);
}

static Val start_of(const Layer *l, Val row, unsigned count) {
  const IrNode *node = &l->e->f->node[l->mm->op[0].node];
  if (node->args < 3) return ll_number(l->wide, 0);
  const TileAccess *start = &l->mm->op[0].operand[2];
  return emit_rows_load(l->e, l->wide, start->base, element_of(l, start, row), step_of(l, start), count);
}

/* One column: its product with the input of that number, added to the chains of `panels` panels from `weights` on. */
static void run_column(const Layer *l, Val weights, Val input, Val column, int panels, const Val *acc, Val *next) {
  LL *ll = &l->e->ll;
  int64_t column_bytes = (int64_t)WIDE * ll->precision, panel_bytes = l->mm->columns * column_bytes;
  Val number = ll_load_scalar(l->wide, ll_at(ll, input, ll_imul(ll, column, ll->precision))), at = ll_at(ll, weights, ll_imul(ll, column, column_bytes));
  for (int p = 0; p < panels; p++) next[p] = ll_fma(l->wide, emit_rows_run(l->wide, ll_at(ll, at, ll_int(ll, p * panel_bytes))), number, acc[p]);
}

static Val weights_of(const Layer *l, Val first) {
  LL *ll = &l->e->ll;
  int64_t panel_bytes = l->mm->columns * (int64_t)WIDE * ll->precision;
  return ll_at(ll, l->e->base[BASE_WEIGHTS], ll_iadd(ll, ll_int(ll, (int64_t)l->mm->panels), ll_imul(ll, first, panel_bytes)));
}

/* Its inputs lie side by side. */
static Val input_of(const Layer *l) {
  const TileAccess *x = &l->mm->op[0].operand[l->mm->lanes_operand];
  return emit_address(l->e, x->base, element_of(l, &(TileAccess){x->base, x->map}, ll_int(&l->e->ll, 0)));
}

/* acc[p] over all columns: eight outputs of panel first + p. */
static void run_columns(const Layer *l, Val first, int panels, Val *acc) {
  LL *ll = &l->e->ll;
  Val weights = weights_of(l, first), input = input_of(l);
  LLLoop loop = ll_loop(ll, ll_int(ll, 0), ll_int(ll, l->mm->columns), 1);
  for (int p = 0; p < panels; p++) acc[p] = ll_carry(ll, &loop, acc[p]);
  run_column(l, weights, input, loop.i, panels, acc, loop.next);
  ll_loop_end(ll, &loop);
  for (int p = 0; p < panels; p++) acc[p] = loop.next[p];
}

/* The epilogue on eight rows, `count` of them there. */
static void finish_rows(const Layer *l, Val row, unsigned count, Val block) {
  Emit *e = l->e;
  const TileStatement *mm = l->mm;
  Val *value = arena_array(e->arena, mm->ops, sizeof *value);
  value[0] = block;
  if (mm->op[0].stored) emit_rows_store(e, l->wide, mm->op[0].node, own_element(l, row), count, block);
  for (uint32_t i = 1; i < mm->ops; i++) {
    const TileOp *op = &mm->op[i];
    const IrNode *node = &e->f->node[op->node];
    Val operand[3];
    for (uint32_t a = 0; a < node->args; a++) {
      const TileAccess *access = &op->operand[a];
      operand[a] = emit_rows_computed(mm, value, i, access->base);
      if (!operand[a]) operand[a] = emit_rows_load(e, l->wide, access->base, element_of(l, access, row), step_of(l, access), count);
    }
    value[i] = emit_rows_each(e, l->wide, op->node, operand);
    if (op->stored) emit_rows_store(e, l->wide, op->node, own_element(l, row), count, value[i]);
  }
}

/* ---- panels at hand ---------------------------------------------------------------------------------------------------------------- */

/* At most MOST_PANELS panels of a layer, from `first` on; of the last one `tail` rows are there, if that is not 0. */
typedef struct Panels { Val first; int whole; unsigned tail; } Panels;

static int count_of(const Panels *p) { return p->whole + (p->tail > 0); }
static unsigned rows_at(const Panels *p, int panel) { return panel < p->whole ? WIDE : p->tail; }
static int panels_of(const TileStatement *mm) { return (int)((mm->rows + WIDE - 1) / WIDE); }

/* All of a layer that has no more. */
static Panels all_of(const Layer *l) {
  return (Panels){ll_int(&l->e->ll, 0), (int)(l->mm->rows / WIDE), (unsigned)(l->mm->rows % WIDE)};
}

static Val row_of(const Layer *l, const Panels *p, Val panel) { return ll_imul(&l->e->ll, ll_iadd(&l->e->ll, p->first, panel), WIDE); }

static void start_panels(const Layer *l, const Panels *p, Val *acc) {
  for (int k = 0; k < count_of(p); k++) acc[k] = start_of(l, row_of(l, p, ll_int(&l->e->ll, k)), rows_at(p, k));
}

/* The finished panels wait in `block` for the epilogue, which is a loop over them: a third of the code. */
static void put_panels(const Layer *l, const Panels *p, const Val *acc) {
  LL *ll = &l->e->ll;
  for (int k = 0; k < p->whole; k++)
    LLVMSetAlignment(LLVMBuildStore(ll->builder, acc[k], ll_at(ll, l->block, ll_int(ll, k * WIDE * (int64_t)ll->precision))), (unsigned)ll->precision);
}

static void finish_panel(const Layer *l, const Panels *p, Val panel) {
  LL *ll = &l->e->ll;
  Val block = emit_rows_run(l->wide, ll_at(ll, l->block, ll_imul(ll, panel, (int64_t)WIDE * ll->precision)));
  finish_rows(l, row_of(l, p, panel), WIDE, block);
}

static void finish_tail(const Layer *l, const Panels *p, const Val *acc) {
  if (p->tail) finish_rows(l, row_of(l, p, ll_int(&l->e->ll, p->whole)), p->tail, acc[p->whole]);
}

/* ---- a layer that the next one follows closely --------------------------------------------------------------------------------- */

/* The layer that follows, as it takes one panel after the other. */
typedef struct Follower { Layer layer; Panels panels; int chains; Val weights, input, sum[MOST_PANELS]; } Follower;

static bool makes(const TileStatement *mm, Ref node, bool stored) {
  for (uint32_t i = 0; i < mm->ops; i++)
    if (mm->op[i].node == node) return mm->op[i].stored || !stored;
  return false;
}

/* Does `next` read all outputs of mm, in their order, and nothing else of it before its chains end? */
static bool follows(const Emit *e, const TileStatement *mm, const TileStatement *next) {
  bool whole = mm->copies == 1 && mm->rows > WIDE && panels_of(mm) <= MOST_PANELS;
  if (!whole || next->kind != TILE_MM || next->copies != 1 || panels_of(next) > MOST_PANELS || next->columns != mm->rows) return false;
  const TileAccess *x = &next->op[0].operand[next->lanes_operand], *start = &next->op[0].operand[2];
  uint32_t summed = e->f->node[next->op[0].node].shape.rank;
  bool starts = e->f->node[next->op[0].node].args > 2;
  return makes(mm, x->base, true) && x->map.offset == 0 && x->map.stride[summed] == 1 && !(starts && makes(mm, start->base, false));
}

static const TileStatement *follower_of(const Emit *e, const TileStatement *mm) {
  const TileSection *section = &e->program->section[e->section];
  bool last = mm + 1 == section->statement + section->statements;
  return !last && !e->quick && follows(e, mm, mm + 1) ? mm + 1 : NULL;
}

static Follower begin_follower(const Layer *l, const TileStatement *next) {
  Follower f = {.layer = {l->e, l->wide, next, ll_int(&l->e->ll, 0), l->block}};
  f.panels = all_of(&f.layer);
  f.chains = count_of(&f.panels);
  f.weights = weights_of(&f.layer, f.panels.first);
  f.input = input_of(&f.layer);
  start_panels(&f.layer, &f.panels, f.sum);
  return f;
}

/* The chains through the body of a loop: before it and behind it. */
static void carry_sums(Follower *f, LLLoop *loop) {
  for (int c = 0; c < f->chains; c++) f->sum[c] = ll_carry(&f->layer.e->ll, loop, f->sum[c]);
}
static void end_sums(Follower *f, LLLoop *loop) {
  for (int c = 0; c < f->chains; c++) loop->next[c] = f->sum[c];
  ll_loop_end(&f->layer.e->ll, loop);
  for (int c = 0; c < f->chains; c++) f->sum[c] = loop->next[c];
}

static void take_column(Follower *f, Val column) {
  run_column(&f->layer, f->weights, f->input, column, f->chains, f->sum, f->sum);
}

/* The eight columns from `first` on, two a turn. */
static void take_panel(Follower *f, Val first) {
  LL *ll = &f->layer.e->ll;
  LLLoop loop = ll_loop(ll, ll_int(ll, 0), ll_int(ll, WIDE), 2);
  carry_sums(f, &loop);
  for (int k = 0; k < 2; k++) take_column(f, ll_iadd(ll, ll_iadd(ll, first, ll_int(ll, k)), loop.i));
  end_sums(f, &loop);
}

/* Panel p is finished before its predecessor is taken.  In the other order the chains, which wait for the panel just finished, would fill the
 * processor's queues, and the next activation would not begin before they end. */
static void finish_followed(const Layer *l, const Panels *p, const Val *acc, Follower *f) {
  LL *ll = &l->e->ll;
  finish_panel(l, p, ll_int(ll, 0));
  if (p->whole > 1) {
    LLLoop loop = ll_loop(ll, ll_int(ll, 1), ll_int(ll, p->whole), 1);
    carry_sums(f, &loop);
    finish_panel(l, p, loop.i);
    take_panel(f, ll_imul(ll, ll_iadd(ll, loop.i, ll_int(ll, -1)), WIDE));
    end_sums(f, &loop);
  }
  finish_tail(l, p, acc);
  take_panel(f, ll_int(ll, (int64_t)(p->whole - 1) * WIDE));
  for (unsigned k = 0; k < p->tail; k++) take_column(f, ll_int(ll, (int64_t)p->whole * WIDE + k));
}

/* ---- all panels ------------------------------------------------------------------------------------------------------------------ */

/* Chains that have ended: the epilogue of their panels.  `all`: there are no others. */
static void finish(const Layer *l, const Panels *p, const Val *acc, bool all) {
  Emit *e = l->e;
  LL *ll = &e->ll;
  const TileStatement *next = all ? follower_of(e, l->mm) : NULL;
  if (p->whole > 1 || next) put_panels(l, p, acc);
  if (next) {
    Follower follower = begin_follower(l, next);
    finish_followed(l, p, acc, &follower);
    for (int c = 0; c < follower.chains; c++) e->begun_sum[c] = follower.sum[c];
    e->begun = next;
    return;
  }
  if (p->whole == 1) finish_rows(l, row_of(l, p, ll_int(ll, 0)), WIDE, acc[0]);
  if (p->whole > 1) {
    LLLoop panel = ll_loop(ll, ll_int(ll, 0), ll_int(ll, p->whole), 1);
    finish_panel(l, p, panel.i);
    ll_loop_end(ll, &panel);
  }
  finish_tail(l, p, acc);
}

static void some_panels(const Layer *l, const Panels *p, bool all) {
  Val acc[MOST_PANELS];
  start_panels(l, p, acc);
  run_columns(l, p->first, count_of(p), acc);
  finish(l, p, acc, all);
}

/* Room on the stack for the panels of a block, made where the function begins. */
static Val block_area(Emit *e, LL *wide) {
  LLVMBasicBlockRef here = LLVMGetInsertBlock(wide->builder), entry = LLVMGetEntryBasicBlock(e->ll.function);
  LLVMPositionBuilder(wide->builder, entry, LLVMGetFirstInstruction(entry));
  Val block = LLVMBuildArrayAlloca(wide->builder, wide->vector, LLVMConstInt(wide->i32, MOST_PANELS, 0), "");
  LLVMPositionBuilderAtEnd(wide->builder, here);
  return block;
}

static void all_panels(const Layer *l) {
  LL *ll = &l->e->ll;
  int64_t groups = l->mm->rows / (MOST_PANELS * WIDE), left = l->mm->rows % (MOST_PANELS * WIDE);
  bool all = panels_of(l->mm) <= MOST_PANELS;
  if (groups && all) {
    some_panels(l, &(Panels){ll_int(ll, 0), MOST_PANELS, 0}, true);
  } else if (groups) {
    LLLoop group = ll_loop(ll, ll_int(ll, 0), ll_int(ll, groups), 1);
    some_panels(l, &(Panels){ll_imul(ll, group.i, MOST_PANELS), MOST_PANELS, 0}, false);
    ll_loop_end(ll, &group);
  }
  if (left) some_panels(l, &(Panels){ll_int(ll, groups * MOST_PANELS), (int)(left / WIDE), (unsigned)(left % WIDE)}, all);
}

void emit_mm_rows(Emit *e, const TileStatement *mm) {
  LL wide = emit_rows_words(e), *ll = &e->ll;
  Layer l = {e, &wide, mm, ll_int(ll, 0), block_area(e, &wide)};
  e->lane_bytes = ll_int(ll, 0);
  if (e->begun == mm) {         /* its chains were run with the layer before */
    Panels all = all_of(&l);
    Val acc[MOST_PANELS];
    for (int p = 0; p < count_of(&all); p++) acc[p] = e->begun_sum[p];
    finish(&l, &all, acc, true);
    return;
  }
  if (mm->copies == 1) {
    all_panels(&l);
    return;
  }
  LLLoop loop = ll_loop(ll, ll_int(ll, 0), ll_int(ll, mm->copies), 1);
  l.copy = loop.i;
  all_panels(&l);
  ll_loop_end(ll, &loop);
}
