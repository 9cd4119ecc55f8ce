/* SPDX-License-Identifier: Apache-2.0 */
/* emit_lanes.c -- STRAIGHT, LOOP and LOOKUP statements: lane by lane arithmetic. */
#include <math.h>
#include "emit_parts.h"

/* Functions worth emitting in place even in straight code: they are what cheap fields spend their time in. */
static bool is_short(IrOp op) { return op == IR_exp2n || op == IR_sigmoid; }

Val emit_each(Emit *e, Ref node, Val *operand, bool in_loop) {
  const IrNode *n = &e->f->node[node];
  bool constant[3] = {false, false, false};
  for (uint32_t i = 0; i < n->args && i < 3; i++) {
    Ref base = n->arg[i];
    while (e->f->node[base].op == IR_view) base = e->f->node[base].arg[0];
    constant[i] = emit_is_number(e, base);
  }
  if (ll_is_elementary(n->op)) return ll_elementary(&e->ll, n->op, operand, in_loop || is_short(n->op));
  return ll_op(&e->ll, n->op, operand, constant);
}

static LLLoop vector_loop(Emit *e) {
  LLLoop loop = ll_loop(&e->ll, ll_int(&e->ll, 0), e->vectors, 1);
  e->lane_bytes = ll_imul(&e->ll, loop.i, (int64_t)e->ll.lanes * e->ll.precision);
  return loop;
}

/* ---- reductions ---------------------------------------------------------------------------------------------------- */

static Val combine(Emit *e, IrOp op, Val a, Val b) {
  Val operand[] = {a, b};
  const bool number[] = {op == IR_reduce_top, false};   /* a NaN may be lost: then one instruction does */
  IrOp each = op == IR_reduce_sum ? IR_add : op == IR_reduce_min ? IR_min : IR_max;
  return ll_op(&e->ll, each, operand, number);
}

enum { PARTIALS = 8, CHAIN_MOST = 15 };

/* ((p0+p4)+(p2+p6)) + ((p1+p5)+(p3+p7)) */
static Val join_partials(Emit *e, IrOp op, Val *p) {
  for (int width = PARTIALS / 2; width; width /= 2)
    for (int i = 0; i < width; i++) p[i] = combine(e, op, p[i], p[i + width]);
  return p[0];
}

/* The order of ir.h over values that are all there. */
static Val reduce_values(Emit *e, IrOp op, Val *value, int64_t n) {
  if (n <= CHAIN_MOST) {
    Val sum = value[0];
    for (int64_t i = 1; i < n; i++) sum = combine(e, op, sum, value[i]);
    return sum;
  }
  Val partial[PARTIALS];
  for (int64_t i = 0; i < n; i++)
    partial[i % PARTIALS] = i < PARTIALS ? value[i] : combine(e, op, partial[i % PARTIALS], value[i]);
  return join_partials(e, op, partial);
}

/* ---- STRAIGHT -------------------------------------------------------------------------------------------------------- */

typedef struct Straight {
  Emit *e;
  Val **value;                  /* [nodes][elements]: computed here, or loaded once */
} Straight;

static Val read_element(Straight *s, const TileAccess *access, const int64_t *index, uint32_t axes) {
  int64_t element = access->map.offset;
  for (uint32_t k = 0; k < axes; k++) element += access->map.stride[k] * index[k];
  Val **values = &s->value[access->base];
  if (!*values)
    *values = arena_array(s->e->arena, (size_t)shape_count(&s->e->f->node[access->base].shape), sizeof(Val));
  if (!(*values)[element]) (*values)[element] = emit_load(s->e, access->base, ll_int(&s->e->ll, element));
  return (*values)[element];
}

static bool next_index(const int64_t *extent, uint32_t axes, int64_t *index) {
  for (uint32_t k = axes; k-- > 0;) {
    if (++index[k] < extent[k]) return true;
    index[k] = 0;
  }
  return false;
}

static Val straight_reduce(Straight *s, const IrNode *node, const TileOp *op, int64_t *index) {
  const Shape *over = &s->e->f->node[node->arg[0]].shape;
  int64_t n = over->dim[over->rank - 1];
  Val *value = arena_array(s->e->arena, (size_t)n, sizeof *value);
  for (int64_t i = 0; i < n; i++) {
    index[over->rank - 1] = i;
    value[i] = read_element(s, &op->operand[0], index, over->rank);
  }
  return reduce_values(s->e, node->op, value, n);
}

static Val straight_contract(Straight *s, const IrNode *node, const TileOp *op, int64_t *index) {
  uint32_t rank = node->shape.rank, axes = rank + node->sums;
  Val sum = node->args > 2 ? read_element(s, &op->operand[2], index, rank) : ll_number(&s->e->ll, 0);
  for (uint32_t k = rank; k < axes; k++) index[k] = 0;
  do {
    Val a = read_element(s, &op->operand[0], index, axes), b = read_element(s, &op->operand[1], index, axes);
    sum = ll_fma(&s->e->ll, a, b, sum);
  } while (next_index(node->extent, node->sums, index + rank));
  return sum;
}

static Val straight_concat(Straight *s, const IrNode *node, const TileOp *op, int64_t *index) {
  int64_t inner[IR_MOST_AXES];
  uint32_t rank = node->shape.rank, part = 0;
  for (uint32_t k = 0; k < rank; k++) inner[k] = index[k];
  for (;; part++) {
    int64_t size = s->e->f->node[node->arg[part]].shape.dim[node->axis];
    if (inner[node->axis] < size) break;
    inner[node->axis] -= size;
  }
  return read_element(s, &op->operand[part], inner, rank);
}

static Val straight_element(Straight *s, const TileOp *op, int64_t *index) {
  const IrNode *node = &s->e->f->node[op->node];
  if (node->op == IR_contract) return straight_contract(s, node, op, index);
  if (node->op == IR_concat) return straight_concat(s, node, op, index);
  if (ir_op_class[node->op] == IR_SUM) return straight_reduce(s, node, op, index);
  Val operand[3];
  for (uint32_t i = 0; i < node->args; i++) operand[i] = read_element(s, &op->operand[i], index, node->shape.rank);
  return emit_each(s->e, op->node, operand, false);
}

void emit_straight(Emit *e, const TileStatement *statement) {
  Straight s = {e, arena_array(e->arena, e->f->nodes, sizeof(Val *))};
  LLLoop loop = vector_loop(e);
  for (uint32_t i = 0; i < statement->ops; i++) {
    const TileOp *op = &statement->op[i];
    const Shape *shape = &e->f->node[op->node].shape;
    Val *value = arena_array(e->arena, (size_t)shape_count(shape), sizeof *value);
    int64_t index[IR_MOST_AXES] = {0}, element = 0;
    do {
      int64_t at[IR_MOST_AXES];
      for (uint32_t k = 0; k < IR_MOST_AXES; k++) at[k] = index[k];
      value[element] = straight_element(&s, op, at);
      if (op->stored) emit_store(e, op->node, ll_int(&e->ll, element), value[element]);
      element++;
    } while (next_index(shape->dim, shape->rank, index));
    s.value[op->node] = value;
  }
  ll_loop_end(&e->ll, &loop);
}

/* ---- LOOP -------------------------------------------------------------------------------------------------------------- */

static Val load_at(Emit *e, const TileAccess *access, Val *index, uint32_t axes) {
  return emit_load(e, access->base, emit_element(e, access, index, axes));
}

static Val loop_contract_axes(Emit *e, const IrNode *node, const TileOp *op, Val *index, uint32_t axis, Val sum) {
  uint32_t rank = node->shape.rank;
  if (axis == node->sums) {
    Val a = load_at(e, &op->operand[0], index, rank + axis), b = load_at(e, &op->operand[1], index, rank + axis);
    return ll_fma(&e->ll, a, b, sum);
  }
  if (node->extent[axis] == 1) {
    index[rank + axis] = ll_int(&e->ll, 0);
    return loop_contract_axes(e, node, op, index, axis + 1, sum);
  }
  LLLoop loop = ll_loop(&e->ll, ll_int(&e->ll, 0), ll_int(&e->ll, node->extent[axis]), 1);
  Val carried = ll_carry(&e->ll, &loop, sum);
  index[rank + axis] = loop.i;
  loop.next[0] = loop_contract_axes(e, node, op, index, axis + 1, carried);
  ll_loop_end(&e->ll, &loop);
  return loop.next[0];
}

static Val loop_contract(Emit *e, const IrNode *node, const TileOp *op, Val *index) {
  Val start = node->args > 2 ? load_at(e, &op->operand[2], index, node->shape.rank) : ll_number(&e->ll, 0);
  return loop_contract_axes(e, node, op, index, 0, start);
}

/* Eight partial results side by side, the loop over whole eights, then what is left over. */
static Val loop_reduce(Emit *e, const IrNode *node, const TileOp *op, Val *index) {
  LL *ll = &e->ll;
  const Shape *over = &e->f->node[node->arg[0]].shape;
  uint32_t last = over->rank - 1;
  int64_t n = over->dim[last], whole = n / PARTIALS * PARTIALS;
  Val partial[CHAIN_MOST + 1];
#define ELEMENT(i) (index[last] = (i), load_at(e, &op->operand[0], index, over->rank))
  if (n <= CHAIN_MOST) {
    for (int64_t i = 0; i < n; i++) partial[i] = ELEMENT(ll_int(ll, i));
    return reduce_values(e, node->op, partial, n);
  }
  for (int p = 0; p < PARTIALS; p++) partial[p] = ELEMENT(ll_int(ll, p));
  if (whole > PARTIALS) {
    LLLoop loop = ll_loop(ll, ll_int(ll, PARTIALS), ll_int(ll, whole), PARTIALS);
    for (int p = 0; p < PARTIALS; p++) ll_carry(ll, &loop, partial[p]);
    for (int p = 0; p < PARTIALS; p++)
      loop.next[p] = combine(e, node->op, loop.phi[p], ELEMENT(ll_iadd(ll, loop.i, ll_int(ll, p))));
    ll_loop_end(ll, &loop);
    for (int p = 0; p < PARTIALS; p++) partial[p] = loop.next[p];
  }
  for (int64_t i = whole; i < n; i++) partial[i - whole] = combine(e, node->op, partial[i - whole], ELEMENT(ll_int(ll, i)));
#undef ELEMENT
  return join_partials(e, node->op, partial);
}

static Val loop_point(Emit *e, const TileStatement *statement, const TileOp *op, Val *index, Val *value) {
  const IrNode *node = &e->f->node[op->node];
  if (node->op == IR_contract) return loop_contract(e, node, op, index);
  if (ir_op_class[node->op] == IR_SUM) return loop_reduce(e, node, op, index);
  Val operand[3];
  for (uint32_t i = 0; i < node->args; i++) {
    operand[i] = NULL;
    for (uint32_t k = 0; &statement->op[k] < op; k++)
      if (statement->op[k].node == op->operand[i].base) operand[i] = value[k];
    if (!operand[i]) operand[i] = load_at(e, &op->operand[i], index, node->shape.rank);
  }
  return emit_each(e, op->node, operand, true);
}

static void loop_body(Emit *e, const TileStatement *statement, Val *index) {
  Val *value = arena_array(e->arena, statement->ops, sizeof *value);
  TileAccess own = {0, tile_identity(&statement->space)};
  for (uint32_t i = 0; i < statement->ops; i++) {
    Val at[IR_MOST_AXES];
    for (uint32_t k = 0; k < IR_MOST_AXES; k++) at[k] = index[k];
    value[i] = loop_point(e, statement, &statement->op[i], at, value);
    if (statement->op[i].stored)
      emit_store(e, statement->op[i].node, emit_element(e, &own, index, statement->space.rank), value[i]);
  }
}

static void loop_axes(Emit *e, const TileStatement *statement, Val *index, uint32_t axis) {
  if (axis == statement->space.rank) {
    loop_body(e, statement, index);
    return;
  }
  int64_t from = axis + 1 == statement->space.rank && emit_can_run_wide(e, statement) ? emit_wide_points(e, statement, index) : 0;
  if (from == statement->space.dim[axis]) return;
  LLLoop loop = ll_loop(&e->ll, ll_int(&e->ll, from), ll_int(&e->ll, statement->space.dim[axis]), 1);
  index[axis] = loop.i;
  loop_axes(e, statement, index, axis + 1);
  ll_loop_end(&e->ll, &loop);
}

/* Part after part: element index[] of the part goes to index[] + start along the axis. */
static void concat_part(Emit *e, const TileOp *op, uint32_t part, int64_t start, Val *index, uint32_t axis) {
  const IrNode *node = &e->f->node[op->node];
  const Shape *shape = &e->f->node[node->arg[part]].shape;
  if (axis == shape->rank) {
    TileAccess own = {op->node, tile_identity(&node->shape)};
    own.map.offset = start * own.map.stride[node->axis];
    Val value = load_at(e, &op->operand[part], index, axis);
    emit_store(e, op->node, emit_element(e, &own, index, axis), value);
    return;
  }
  LLLoop loop = ll_loop(&e->ll, ll_int(&e->ll, 0), ll_int(&e->ll, shape->dim[axis]), 1);
  index[axis] = loop.i;
  concat_part(e, op, part, start, index, axis + 1);
  ll_loop_end(&e->ll, &loop);
}

void emit_loop(Emit *e, const TileStatement *statement) {
  Val index[IR_MOST_AXES] = {0};
  LLLoop loop = vector_loop(e);
  const IrNode *first = &e->f->node[statement->op[0].node];
  if (first->op == IR_concat) {
    int64_t start = 0;
    for (uint32_t part = 0; part < first->args; part++) {
      concat_part(e, &statement->op[0], part, start, index, 0);
      start += e->f->node[first->arg[part]].shape.dim[first->axis];
    }
  } else {
    loop_axes(e, statement, index, 0);
  }
  ll_loop_end(&e->ll, &loop);
}

/* ---- LOOKUP ---------------------------------------------------------------------------------------------------------------- */

static Val scalar_load(Emit *e, Ref base, Val element) {
  Val value = LLVMBuildLoad2(e->ll.builder, e->ll.real, emit_address(e, base, element), "");
  LLVMSetAlignment(value, (unsigned)e->ll.precision);
  return value;
}

/* The row number in a lane, 0 where the label is no whole number in 0..rows-1; *good says which. */
static Val label_row(Emit *e, Val label, int64_t rows, Val *good) {
  LL *ll = &e->ll;
  Val zero = LLVMConstReal(ll->real, 0), end = LLVMConstReal(ll->real, (double)rows);
  Val inside = LLVMBuildAnd(ll->builder, LLVMBuildFCmp(ll->builder, LLVMRealOGE, label, zero, ""),
                            LLVMBuildFCmp(ll->builder, LLVMRealOLT, label, end, ""), "");
  Val row = LLVMBuildFPToSI(ll->builder, LLVMBuildSelect(ll->builder, inside, label, zero, ""), ll->i64, "");
  Val back = LLVMBuildSIToFP(ll->builder, row, ll->real, "");
  *good = LLVMBuildAnd(ll->builder, inside, LLVMBuildFCmp(ll->builder, LLVMRealOEQ, back, label, ""), "");
  return row;
}

/* Lane after lane: a label differs from lane to lane, so there is nothing to vectorise but the copy of a row. */
void emit_lookup(Emit *e, const TileStatement *statement) {
  LL *ll = &e->ll;
  const TileOp *op = &statement->op[0];
  const IrNode *node = &e->f->node[op->node], *table = &e->f->node[node->arg[0]];
  int64_t rows = table->shape.dim[0], width = table->shape.dim[1], labels = shape_count(&node->shape) / width;
  Val lanes = ll_imul(ll, e->vectors, ll->lanes), nan = LLVMConstReal(ll->real, NAN);
  LLLoop lane = ll_loop(ll, ll_int(ll, 0), lanes, 1);
  e->lane_bytes = ll_imul(ll, lane.i, ll->precision);
  LLLoop each = ll_loop(ll, ll_int(ll, 0), ll_int(ll, labels), 1);
  Val index[IR_MOST_AXES] = {0}, good, rest = each.i;
  const Shape *label_shape = &e->f->node[node->arg[1]].shape;
  for (uint32_t k = label_shape->rank; k-- > 0;) {
    Val size = ll_int(ll, label_shape->dim[k]);
    index[k] = LLVMBuildURem(ll->builder, rest, size, "");
    rest = LLVMBuildUDiv(ll->builder, rest, size, "");
  }
  Val label = scalar_load(e, op->operand[1].base, emit_element(e, &op->operand[1], index, label_shape->rank));
  Val row = label_row(e, label, rows, &good);
  LLLoop column = ll_loop(ll, ll_int(ll, 0), ll_int(ll, width), 1);
  Val at[IR_MOST_AXES] = {row, column.i};
  Val value = scalar_load(e, op->operand[0].base, emit_element(e, &op->operand[0], at, 2));
  Val out = ll_iadd(ll, ll_imul(ll, each.i, width), column.i);
  Val store = LLVMBuildStore(ll->builder, LLVMBuildSelect(ll->builder, good, value, nan, ""), emit_address(e, op->node, out));
  LLVMSetAlignment(store, (unsigned)ll->precision);
  ll_loop_end(ll, &column);
  ll_loop_end(ll, &each);
  ll_loop_end(ll, &lane);
}
