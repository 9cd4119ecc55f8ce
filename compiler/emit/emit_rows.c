/* SPDX-License-Identifier: Apache-2.0 */
/* emit_rows.c -- code for one sample at a time: a vector holds eight elements of one value, not eight samples.
 *
 * With one lane a row of lanes is one number, so that every value is an array of numbers side by side, and everything that is
 * emitted for lanes works as it is, one number at a time.  Here is what makes it fast: a layer keeps eight outputs of each of
 * several panels in registers and runs over the inputs, and loops over elements take eight of them a turn.  Panels, chains and
 * operations are the same, and so are the bits.
 *
 * A chain of a layer waits four cycles for each of its inputs, and so does an activation for each of its operations. Where one layer
 * reads nothing but another's results, the two wait together: as soon as eight outputs are finished, the next layer's chains take them,
 * while the activation of the eight after them is under way. */
#include "emit_parts.h"

enum { WIDE = TILE_PANEL, MOST_PANELS = EMIT_MOST_PANELS };

/* The words for eight numbers, at the place where the builder is. */
static LL wide_of(const Emit *e) {
  LL wide = e->ll;
  wide.lanes = WIDE;
  wide.vector = LLVMVectorType(wide.real, WIDE);
  wide.integers = LLVMVectorType(wide.integer, WIDE);
  wide.truths = LLVMVectorType(wide.i1, WIDE);
  for (int op = 0; op < IR_OP_COUNT; op++) wide.elementary[op] = NULL;
  return wide;
}

/* ---- eight elements of a value ------------------------------------------------------------------------------------------ */

static Val load_run(LL *wide, Val pointer) {
  Val value = LLVMBuildLoad2(wide->builder, wide->vector, pointer, "");
  LLVMSetAlignment(value, (unsigned)wide->precision);
  return value;
}

static Val scalar_at(LL *wide, Val pointer) {
  Val value = LLVMBuildLoad2(wide->builder, wide->real, pointer, "");
  LLVMSetAlignment(value, (unsigned)wide->precision);
  return value;
}

/* Elements first, first + step, ...: as a vector; only `count` of them are there, the others are zero. */
static Val load_elements(Emit *e, LL *wide, Ref base, Val first, int64_t step, unsigned count) {
  const IrNode *node = &e->f->node[base];
  Val value;
  if (step == 0 && node->op == IR_constant && LLVMIsAConstantInt(first)) {
    value = ll_number(wide, node->data[LLVMConstIntGetSExtValue(first)]);
  } else if (step == 0) {
    value = ll_load_scalar(wide, emit_address(e, base, first));
  } else if (step == 1 && count == WIDE) {
    value = load_run(wide, emit_address(e, base, first));
  } else {
    value = LLVMConstNull(wide->vector);
    for (unsigned i = 0; i < count; i++) {
      Val element = scalar_at(wide, emit_address(e, base, ll_iadd(wide, first, ll_int(wide, (int64_t)i * step))));
      value = LLVMBuildInsertElement(wide->builder, value, element, LLVMConstInt(wide->i32, i, 0), "");
    }
  }
  return node->truth ? LLVMBuildFCmp(wide->builder, LLVMRealUNE, value, ll_number(wide, 0), "") : value;
}

static void store_elements(Emit *e, LL *wide, Ref node, Val first, unsigned count, Val value) {
  if (e->f->node[node].truth) value = ll_select(wide, value, ll_number(wide, 1), ll_number(wide, 0));
  if (count == WIDE) {
    LLVMSetAlignment(LLVMBuildStore(wide->builder, value, emit_address(e, node, first)), (unsigned)wide->precision);
    return;
  }
  for (unsigned i = 0; i < count; i++) {
    Val element = LLVMBuildExtractElement(wide->builder, value, LLVMConstInt(wide->i32, i, 0), "");
    Val store = LLVMBuildStore(wide->builder, element, emit_address(e, node, ll_iadd(wide, first, ll_int(wide, i))));
    LLVMSetAlignment(store, (unsigned)wide->precision);
  }
}

/* One elementwise operation on eight elements. */
static Val each_wide(Emit *e, LL *wide, Ref node, Val *operand) {
  LL narrow = e->ll;
  e->ll = *wide;
  Val value = emit_each(e, node, operand, true);
  e->ll = narrow;
  return value;
}

/* ---- layers ------------------------------------------------------------------------------------------------------------------ */

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
  return load_elements(l->e, l->wide, start->base, element_of(l, start, row), step_of(l, start), count);
}

/* One column: its product with the input of that number, added to the chains of `panels` panels from `weights` on. */
static void run_column(const Layer *l, Val weights, Val input, Val column, int panels, const Val *acc, Val *next) {
  LL *ll = &l->e->ll;
  int64_t column_bytes = (int64_t)WIDE * ll->precision, panel_bytes = l->mm->columns * column_bytes;
  Val number = ll_load_scalar(l->wide, ll_at(ll, input, ll_imul(ll, column, ll->precision))), at = ll_at(ll, weights, ll_imul(ll, column, column_bytes));
  for (int p = 0; p < panels; p++) next[p] = ll_fma(l->wide, load_run(l->wide, ll_at(ll, at, ll_int(ll, p * panel_bytes))), number, acc[p]);
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

/* The value of a node among the statement's first ops, or NULL: it is in memory. */
static Val computed(const TileStatement *statement, const Val *value, uint32_t ops, Ref node) {
  Val found = NULL;
  for (uint32_t k = 0; k < ops; k++)
    if (statement->op[k].node == node) found = value[k];
  return found;
}

/* The epilogue on eight rows, `count` of them there. */
static void finish_rows(const Layer *l, Val row, unsigned count, Val block) {
  Emit *e = l->e;
  const TileStatement *mm = l->mm;
  Val *value = arena_array(e->arena, mm->ops, sizeof *value);
  value[0] = block;
  if (mm->op[0].stored) store_elements(e, l->wide, mm->op[0].node, own_element(l, row), count, block);
  for (uint32_t i = 1; i < mm->ops; i++) {
    const TileOp *op = &mm->op[i];
    const IrNode *node = &e->f->node[op->node];
    Val operand[3];
    for (uint32_t a = 0; a < node->args; a++) {
      const TileAccess *access = &op->operand[a];
      operand[a] = computed(mm, value, i, access->base);
      if (!operand[a]) operand[a] = load_elements(e, l->wide, access->base, element_of(l, access, row), step_of(l, access), count);
    }
    value[i] = each_wide(e, l->wide, op->node, operand);
    if (op->stored) store_elements(e, l->wide, op->node, own_element(l, row), count, value[i]);
  }
}

/* ---- a layer that the next one follows closely --------------------------------------------------------------------------------- */

static int panels_of(const TileStatement *mm) { return (int)((mm->rows + WIDE - 1) / WIDE); }

static bool makes(const TileStatement *mm, Ref node) {
  for (uint32_t i = 0; i < mm->ops; i++)
    if (mm->op[i].node == node) return true;
  return false;
}

static bool stores(const TileStatement *mm, Ref node) {
  for (uint32_t i = 0; i < mm->ops; i++)
    if (mm->op[i].node == node) return mm->op[i].stored;
  return false;
}

/* Does `next` read all outputs of mm, in their order, and nothing else of it before its chains end? */
static bool follows(const Emit *e, const TileStatement *mm, const TileStatement *next) {
  bool whole = mm->copies == 1 && mm->rows % WIDE == 0 && mm->rows > WIDE && panels_of(mm) <= MOST_PANELS;
  if (!whole || next->kind != TILE_MM || next->copies != 1 || panels_of(next) > MOST_PANELS || next->columns != mm->rows) return false;
  const TileAccess *x = &next->op[0].operand[next->lanes_operand], *start = &next->op[0].operand[2];
  uint32_t summed = e->f->node[next->op[0].node].shape.rank;
  bool starts = e->f->node[next->op[0].node].args > 2;
  return stores(mm, x->base) && x->map.offset == 0 && x->map.stride[summed] == 1 && !(starts && makes(mm, start->base));
}

static const TileStatement *follower_of(const Emit *e, const TileStatement *mm) {
  const TileSection *section = &e->program->section[e->section];
  bool last = mm + 1 == section->statement + section->statements;
  return !last && !e->quick && follows(e, mm, mm + 1) ? mm + 1 : NULL;
}

/* Rows of panel `panel` that are there. */
static unsigned rows_at(const TileStatement *mm, int panel) {
  int64_t left = mm->rows - (int64_t)panel * WIDE;
  return left < WIDE ? (unsigned)left : WIDE;
}

static void start_panels(const Layer *l, Val first, int panels, Val *acc) {
  LL *ll = &l->e->ll;
  for (int p = 0; p < panels; p++)
    acc[p] = start_of(l, ll_imul(ll, ll_iadd(ll, first, ll_int(ll, p)), WIDE), rows_at(l->mm, p));
}

/* The layer that follows, as it takes one panel after the other. */
typedef struct Follower { Layer layer; int chains; Val weights, input, sum[MOST_PANELS]; } Follower;

static Follower begin_follower(const Layer *l, const TileStatement *next) {
  Follower f = {.layer = {l->e, l->wide, next, ll_int(&l->e->ll, 0), l->block}, .chains = panels_of(next)};
  f.weights = weights_of(&f.layer, f.layer.copy);
  f.input = input_of(&f.layer);
  start_panels(&f.layer, f.layer.copy, f.chains, f.sum);
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

/* The eight columns from `first` on, two a turn. */
static void take_panel(Follower *f, Val first) {
  LL *ll = &f->layer.e->ll;
  LLLoop loop = ll_loop(ll, ll_int(ll, 0), ll_int(ll, WIDE), 2);
  carry_sums(f, &loop);
  for (int k = 0; k < 2; k++) {
    Val column = ll_iadd(ll, ll_iadd(ll, first, ll_int(ll, k)), loop.i);
    run_column(&f->layer, f->weights, f->input, column, f->chains, f->sum, f->sum);
  }
  end_sums(f, &loop);
}

static void finish_panel(const Layer *l, Val first, Val panel) {
  LL *ll = &l->e->ll;
  Val block = load_run(l->wide, ll_at(ll, l->block, ll_imul(ll, panel, (int64_t)WIDE * ll->precision)));
  finish_rows(l, ll_imul(ll, ll_iadd(ll, first, panel), WIDE), WIDE, block);
}

/* Panel p is finished before its predecessor is taken.  In the other order the chains, which wait for the panel just finished, would fill the
 * processor's queues, and the next activation would not begin before they end. */
static void finish_followed(const Layer *l, Follower *f, int panels) {
  LL *ll = &l->e->ll;
  Val zero = ll_int(ll, 0);
  finish_panel(l, zero, zero);
  LLLoop loop = ll_loop(ll, ll_int(ll, 1), ll_int(ll, panels), 1);
  carry_sums(f, &loop);
  finish_panel(l, zero, loop.i);
  take_panel(f, ll_imul(ll, ll_iadd(ll, loop.i, ll_int(ll, -1)), WIDE));
  end_sums(f, &loop);
  take_panel(f, ll_int(ll, (int64_t)(panels - 1) * WIDE));
}

/* The finished panels wait in `block` for the epilogue, which is a loop over them: a third of the code. */
static void finish_panels(const Layer *l, Val first, int panels, const Val *acc) {
  Emit *e = l->e;
  LL *ll = &e->ll;
  int64_t bytes = (int64_t)WIDE * ll->precision;
  for (int p = 0; p < panels; p++) LLVMSetAlignment(LLVMBuildStore(ll->builder, acc[p], ll_at(ll, l->block, ll_int(ll, p * bytes))), (unsigned)ll->precision);
  const TileStatement *next = follower_of(e, l->mm);
  if (next) {
    Follower follower = begin_follower(l, next);
    finish_followed(l, &follower, panels);
    for (int c = 0; c < follower.chains; c++) e->begun_sum[c] = follower.sum[c];
    e->begun = next;
    return;
  }
  LLLoop panel = ll_loop(ll, ll_int(ll, 0), ll_int(ll, panels), 1);
  finish_panel(l, first, panel.i);
  ll_loop_end(ll, &panel);
}

/* ---- all panels ------------------------------------------------------------------------------------------------------------------ */

static void some_panels(const Layer *l, Val first, int panels, unsigned count) {
  LL *ll = &l->e->ll;
  Val acc[MOST_PANELS];
  for (int p = 0; p < panels; p++) acc[p] = start_of(l, ll_imul(ll, ll_iadd(ll, first, ll_int(ll, p)), WIDE), count);
  run_columns(l, first, panels, acc);
  if (panels == 1)
    finish_rows(l, ll_imul(ll, first, WIDE), count, acc[0]);
  else
    finish_panels(l, first, panels, acc);
}

/* Its chains were run with the layer before. */
static void finish_begun(const Layer *l) {
  Emit *e = l->e;
  LL *ll = &e->ll;
  int whole = (int)(l->mm->rows / WIDE);
  Val acc[MOST_PANELS];
  for (int p = 0; p < panels_of(l->mm); p++) acc[p] = e->begun_sum[p];
  if (whole > 1) finish_panels(l, ll_int(ll, 0), whole, acc);
  if (whole == 1) finish_rows(l, ll_int(ll, 0), WIDE, acc[0]);
  if (l->mm->rows % WIDE) finish_rows(l, ll_int(ll, (int64_t)whole * WIDE), (unsigned)(l->mm->rows % WIDE), acc[whole]);
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
  int64_t whole = l->mm->rows / WIDE, groups = whole / MOST_PANELS, left = whole % MOST_PANELS;
  if (groups) {
    LLLoop group = ll_loop(ll, ll_int(ll, 0), ll_int(ll, groups), 1);
    some_panels(l, ll_imul(ll, group.i, MOST_PANELS), MOST_PANELS, WIDE);
    ll_loop_end(ll, &group);
  }
  if (left) some_panels(l, ll_int(ll, groups * MOST_PANELS), (int)left, WIDE);
  if (l->mm->rows % WIDE) some_panels(l, ll_int(ll, whole), 1, (unsigned)(l->mm->rows % WIDE));
}

void emit_mm_rows(Emit *e, const TileStatement *mm) {
  LL wide = wide_of(e), *ll = &e->ll;
  Layer l = {e, &wide, mm, ll_int(ll, 0), block_area(e, &wide)};
  e->lane_bytes = ll_int(ll, 0);
  if (e->begun == mm) {
    finish_begun(&l);
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

/* ---- loops ----------------------------------------------------------------------------------------------------------------------- */

bool emit_can_run_wide(const Emit *e, const TileStatement *loop) {
  if (e->level.lanes != 1 || loop->space.rank == 0 || loop->space.dim[loop->space.rank - 1] < WIDE) return false;
  for (uint32_t i = 0; i < loop->ops; i++) {
    IrOp operation = e->f->node[loop->op[i].node].op;
    IrClass class = ir_op_class[operation];
    if (operation != IR_contract && class != IR_EACH && class != IR_COMPARE && class != IR_LOGIC) return false;
  }
  return true;
}

static Val eight_of(Emit *e, LL *wide, const TileAccess *access, Val *index, uint32_t axes, uint32_t last) {
  return load_elements(e, wide, access->base, emit_element(e, access, index, axes), access->map.stride[last], WIDE);
}

/* Eight chains side by side, each the one that a single element has. */
static Val eight_sums(Emit *e, LL *wide, const IrNode *node, const TileOp *op, Val *index, uint32_t axis, Val sum) {
  uint32_t rank = node->shape.rank, last = rank - 1;
  LL *ll = &e->ll;
  if (axis == node->sums) {
    Val a = eight_of(e, wide, &op->operand[0], index, rank + axis, last), b = eight_of(e, wide, &op->operand[1], index, rank + axis, last);
    return ll_fma(wide, a, b, sum);
  }
  if (node->extent[axis] == 1) {
    index[rank + axis] = ll_int(ll, 0);
    return eight_sums(e, wide, node, op, index, axis + 1, sum);
  }
  LLLoop loop = ll_loop(ll, ll_int(ll, 0), ll_int(ll, node->extent[axis]), 1);
  Val carried = ll_carry(ll, &loop, sum);
  index[rank + axis] = loop.i;
  loop.next[0] = eight_sums(e, wide, node, op, index, axis + 1, carried);
  ll_loop_end(ll, &loop);
  return loop.next[0];
}

static Val eight_contracted(Emit *e, LL *wide, const IrNode *node, const TileOp *op, Val *index) {
  Val at[IR_MOST_AXES];
  for (uint32_t k = 0; k < IR_MOST_AXES; k++) at[k] = index[k];
  uint32_t rank = node->shape.rank;
  Val start = node->args > 2 ? eight_of(e, wide, &op->operand[2], at, rank, rank - 1) : ll_number(wide, 0);
  return eight_sums(e, wide, node, op, at, 0, start);
}

static Val eight_results(Emit *e, LL *wide, const TileStatement *loop, uint32_t i, Val *index, const Val *value) {
  const TileOp *op = &loop->op[i];
  const IrNode *node = &e->f->node[op->node];
  if (node->op == IR_contract) return eight_contracted(e, wide, node, op, index);
  Val operand[3];
  for (uint32_t a = 0; a < node->args; a++) {
    operand[a] = computed(loop, value, i, op->operand[a].base);
    if (!operand[a]) operand[a] = eight_of(e, wide, &op->operand[a], index, loop->space.rank, loop->space.rank - 1);
  }
  return each_wide(e, wide, op->node, operand);
}

/* Elements index[last] .. + 7 of the last axis. */
static void eight_points(Emit *e, LL *wide, const TileStatement *loop, Val *index) {
  uint32_t rank = loop->space.rank;
  TileAccess own = {0, tile_identity(&loop->space)};
  Val *value = arena_array(e->arena, loop->ops, sizeof *value), first = emit_element(e, &own, index, rank);
  for (uint32_t i = 0; i < loop->ops; i++) {
    value[i] = eight_results(e, wide, loop, i, index, value);
    if (loop->op[i].stored) store_elements(e, wide, loop->op[i].node, first, WIDE, value[i]);
  }
}

int64_t emit_wide_points(Emit *e, const TileStatement *loop, Val *index) {
  LL wide = wide_of(e), *ll = &e->ll;
  uint32_t last = loop->space.rank - 1;
  int64_t whole = loop->space.dim[last] / WIDE * WIDE;
  LLLoop eights = ll_loop(ll, ll_int(ll, 0), ll_int(ll, whole), WIDE);
  index[last] = eights.i;
  eight_points(e, &wide, loop, index);
  ll_loop_end(ll, &eights);
  return whole;
}
