/* SPDX-License-Identifier: Apache-2.0 */
/* emit_rows.c -- code for one sample at a time: a vector holds eight elements of one value, not eight samples.
 *
 * With one lane a row of lanes is one number, so that every value is an array of numbers side by side, and everything that is
 * emitted for lanes works as it is, one number at a time.  Here is what makes it fast: a layer keeps eight outputs of each of
 * several panels in registers and runs over the inputs, and loops over elements take eight of them a turn.  Panels, chains and
 * operations are the same, and so are the bits.  Layers are in emit_rows_layer.c. */
#include "emit_rows.h"

/* The words for eight numbers, at the place where the builder is. */
LL emit_rows_words(const Emit *e) {
  LL wide = e->ll;
  wide.lanes = WIDE;
  wide.vector = LLVMVectorType(wide.real, WIDE);
  wide.integers = LLVMVectorType(wide.integer, WIDE);
  wide.truths = LLVMVectorType(wide.i1, WIDE);
  for (int op = 0; op < IR_OP_COUNT; op++) wide.elementary[op] = NULL;
  return wide;
}

/* ---- eight elements of a value ------------------------------------------------------------------------------------------ */

Val emit_rows_run(LL *wide, Val pointer) {
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
Val emit_rows_load(Emit *e, LL *wide, Ref base, Val first, int64_t step, unsigned count) {
  const IrNode *node = &e->f->node[base];
  Val value;
  if (step == 0 && node->op == IR_constant && LLVMIsAConstantInt(first)) {
    value = ll_number(wide, node->data[LLVMConstIntGetSExtValue(first)]);
  } else if (step == 0) {
    value = ll_load_scalar(wide, emit_address(e, base, first));
  } else if (step == 1 && count == WIDE) {
    value = emit_rows_run(wide, emit_address(e, base, first));
  } else {
    value = LLVMConstNull(wide->vector);
    for (unsigned i = 0; i < count; i++) {
      Val element = scalar_at(wide, emit_address(e, base, ll_iadd(wide, first, ll_int(wide, (int64_t)i * step))));
      value = LLVMBuildInsertElement(wide->builder, value, element, LLVMConstInt(wide->i32, i, 0), "");
    }
  }
  return node->truth ? LLVMBuildFCmp(wide->builder, LLVMRealUNE, value, ll_number(wide, 0), "") : value;
}

void emit_rows_store(Emit *e, LL *wide, Ref node, Val first, unsigned count, Val value) {
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
Val emit_rows_each(Emit *e, LL *wide, Ref node, Val *operand) {
  LL narrow = e->ll;
  e->ll = *wide;
  Val value = emit_each(e, node, operand, true);
  e->ll = narrow;
  return value;
}

/* The value of a node among the statement's first ops, or NULL: it is in memory. */
Val emit_rows_computed(const TileStatement *statement, const Val *value, uint32_t ops, Ref node) {
  Val found = NULL;
  for (uint32_t k = 0; k < ops; k++)
    if (statement->op[k].node == node) found = value[k];
  return found;
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
  return emit_rows_load(e, wide, access->base, emit_element(e, access, index, axes), access->map.stride[last], WIDE);
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
    operand[a] = emit_rows_computed(loop, value, i, op->operand[a].base);
    if (!operand[a]) operand[a] = eight_of(e, wide, &op->operand[a], index, loop->space.rank, loop->space.rank - 1);
  }
  return emit_rows_each(e, wide, op->node, operand);
}

/* Elements index[last] .. + 7 of the last axis. */
static void eight_points(Emit *e, LL *wide, const TileStatement *loop, Val *index) {
  uint32_t rank = loop->space.rank;
  TileAccess own = {0, tile_identity(&loop->space)};
  Val *value = arena_array(e->arena, loop->ops, sizeof *value), first = emit_element(e, &own, index, rank);
  for (uint32_t i = 0; i < loop->ops; i++) {
    value[i] = eight_results(e, wide, loop, i, index, value);
    if (loop->op[i].stored) emit_rows_store(e, wide, loop->op[i].node, first, WIDE, value[i]);
  }
}

int64_t emit_wide_points(Emit *e, const TileStatement *loop, Val *index) {
  LL wide = emit_rows_words(e), *ll = &e->ll;
  uint32_t last = loop->space.rank - 1;
  int64_t whole = loop->space.dim[last] / WIDE * WIDE;
  LLLoop eights = ll_loop(ll, ll_int(ll, 0), ll_int(ll, whole), WIDE);
  index[last] = eights.i;
  eight_points(e, &wide, loop, index);
  ll_loop_end(ll, &eights);
  return whole;
}
