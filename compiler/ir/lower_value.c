/* SPDX-License-Identifier: Apache-2.0 */
/* lower_value.c -- how values over loops meet, and what indexing, joining and summing make of them. */
#include "lower.h"

/* ---- shapes ------------------------------------------------------------------------------------------------------ */
static Shape own_shape(const Lowering *l, const Value *v) {
  const Shape *whole = &l->f->node[v->ref].shape;
  Shape own = {.rank = whole->rank - v->loops};
  for (uint32_t a = 0; a < own.rank; a++) own.dim[a] = whole->dim[v->loops + a];
  return own;
}

uint32_t lower_own_rank(const Lowering *l, const Value *v) { return l->f->node[v->ref].shape.rank - v->loops; }

bool lower_shape(Lowering *l, const Value *loops, const Shape *own, Span at, Shape *shape) {
  *shape = (Shape){0};
  if (loops->loops + own->rank > FLOW_MOST_RANK) {
    lower_too_large(l, at, "a value has more than 6 axes, those of the loops around it counted");
    return false;
  }
  int64_t count = 1;
  for (uint32_t i = 0; i < loops->loops; i++) shape->dim[shape->rank++] = l->open[loops->loop[i]];
  for (uint32_t a = 0; a < own->rank; a++) shape->dim[shape->rank++] = own->dim[a];
  for (uint32_t a = 0; a < shape->rank; a++)
    if (__builtin_mul_overflow(count, shape->dim[a], &count) || count > (int64_t)1 << 36) {
      lower_too_large(l, at, "a value has more than 2^36 elements, one for each turn of the loops around it");
      return false;
    }
  return true;
}

void lower_add_loops(Lowering *l, Value *to, const Value *from) {
  for (uint32_t i = 0; i < from->loops; i++) {
    uint32_t at = 0;
    while (at < to->loops && to->loop[at] < from->loop[i]) at++;
    if (at < to->loops && to->loop[at] == from->loop[i]) continue;
    if (to->loops == FLOW_MOST_RANK) {
      lower_too_large(l, l->top ? l->top->node->at : (Span){0}, "a value depends on more than 6 loops");
      return;
    }
    for (uint32_t j = to->loops++; j > at; j--) to->loop[j] = to->loop[j - 1];
    to->loop[at] = from->loop[i];
  }
}

/* Adds to `index` that v's loop axes follow those of `over`. */
static void follow_loops(IrIndex *index, const Value *v, const Value *over) {
  for (uint32_t i = 0; i < v->loops; i++)
    for (uint32_t j = 0; j < over->loops; j++)
      if (over->loop[j] == v->loop[i]) index->step[i][j] = 1;
}

Ref lower_spread(Lowering *l, const Value *v, const Value *over, const Shape *own, Span at) {
  Shape shape;
  if (!lower_shape(l, over, own, at, &shape)) return v->ref;
  IrIndex index = {0};
  uint32_t rank = lower_own_rank(l, v);
  follow_loops(&index, v, over);
  for (uint32_t a = 0; a < rank; a++) index.step[v->loops + a][over->loops + a] = 1;
  return ir_view(l->f, v->ref, &shape, &index, at);
}

/* ---- elementwise -------------------------------------------------------------------------------------------------- */
Value lower_each(Lowering *l, IrOp op, uint32_t args, const Value *arg, const Shape *own, Span at) {
  Value over = {0};
  for (uint32_t i = 0; i < args; i++) lower_add_loops(l, &over, &arg[i]);
  Ref ref[3];
  for (uint32_t i = 0; i < args; i++) ref[i] = lower_spread(l, &arg[i], &over, own, at);
  if (l->failed) return arg[0];
  over.ref = args == 1   ? ir_one(l->f, op, ref[0], at)
             : args == 2 ? ir_two(l->f, op, ref[0], ref[1], at)
                         : ir_three(l->f, op, ref[0], ref[1], ref[2], at);
  return over;
}

Value lower_number(Lowering *l, double number, Span at) {
  Shape scalar = {0};
  return (Value){.ref = ir_data(l->f, &scalar, &number, at)};
}

Value lower_counter(Lowering *l, uint32_t loop, Span at) {
  Shape shape = {.rank = 1, .dim = {l->open[loop]}};
  double *data = arena_array(l->f->arena, (size_t)shape.dim[0], sizeof *data);
  for (int64_t i = 0; i < shape.dim[0]; i++) data[i] = (double)i;
  return (Value){.ref = ir_data(l->f, &shape, data, at), .loops = 1, .loop = {loop}};
}

/* ---- indexing ----------------------------------------------------------------------------------------------------- */
Value lower_index(Lowering *l, const Frame *frame, const Typed *e, const Value *arg) {
  uint32_t rank = lower_own_rank(l, arg), slices = 0;
  Value over = *arg;
  for (uint32_t a = 0; a < rank; a++)
    for (uint32_t i = 0; i < e->index[a].terms; i++)
      lower_add_loops(l, &over, &(Value){.loops = 1, .loop = {frame->open_as[e->index[a].variable[i]]}});
  Shape shape;
  if (l->failed || !lower_shape(l, &over, &e->shape, e->at, &shape)) return *arg;
  IrIndex index = {0};
  follow_loops(&index, arg, &over);
  for (uint32_t a = 0; a < rank; a++) {
    const TypedIndex *chosen = &e->index[a];
    index.base[arg->loops + a] = chosen->base;
    for (uint32_t i = 0; i < chosen->terms; i++)
      for (uint32_t j = 0; j < over.loops; j++)
        if (over.loop[j] == frame->open_as[chosen->variable[i]]) index.step[arg->loops + a][j] += chosen->scale[i];
    if (chosen->length >= 0) index.step[arg->loops + a][over.loops + slices++] = 1;
  }
  over.ref = ir_view(l->f, arg->ref, &shape, &index, e->at);
  return over;
}

/* ---- joining ------------------------------------------------------------------------------------------------------ */
/* `v` spread over the loops, with one more own axis of length 1 in front if `grow`. */
static Ref as_part(Lowering *l, const Value *v, const Value *over, bool grow, Span at) {
  Shape own = own_shape(l, v), shape;
  if (grow) {
    if (own.rank == FLOW_MOST_RANK) {
      lower_too_large(l, at, "a value has more than 6 axes");
      return v->ref;
    }
    for (uint32_t a = own.rank++; a > 0; a--) own.dim[a] = own.dim[a - 1];
    own.dim[0] = 1;
  }
  if (!lower_shape(l, over, &own, at, &shape)) return v->ref;
  IrIndex index = {0};
  follow_loops(&index, v, over);
  for (uint32_t a = 0; a + grow < own.rank; a++) index.step[v->loops + a][over->loops + a + grow] = 1;
  return ir_view(l->f, v->ref, &shape, &index, at);
}

static Value join(Lowering *l, const Typed *e, const Value *arg, bool stack) {
  Value over = {0};
  for (uint32_t i = 0; i < e->args; i++) lower_add_loops(l, &over, &arg[i]);
  if (l->failed) return arg[0];
  Ref *part = arena_array(l->f->arena, e->args, sizeof *part);
  for (uint32_t i = 0; i < e->args; i++)
    part[i] = as_part(l, &arg[i], &over, stack || lower_own_rank(l, &arg[i]) == 0, e->at);
  if (l->failed) return arg[0];
  over.ref = ir_concat(l->f, over.loops, part, e->args, e->at);
  return over;
}

Value lower_concat(Lowering *l, const Typed *e, const Value *arg) { return join(l, e, arg, false); }
Value lower_stack(Lowering *l, const Typed *e, const Value *arg) { return join(l, e, arg, true); }

/* ---- closing a loop ------------------------------------------------------------------------------------------------ */
static bool depends_on(const Value *v, uint32_t loop) {
  return v->loops > 0 && v->loop[v->loops - 1] == loop; /* the innermost open loop is the last */
}

static Value without_loop(const Value *v, uint32_t loop) {
  Value rest = *v;
  if (depends_on(v, loop)) rest.loops--;
  return rest;
}

Value lower_for(Lowering *l, uint32_t loop, const Typed *e, const Value *body) {
  if (depends_on(body, loop)) return without_loop(body, loop); /* its axis stands where the value's first axis is */
  Shape shape;
  if (!lower_shape(l, body, &e->shape, e->at, &shape)) return *body;
  IrIndex index = {0};
  Value result = *body;
  for (uint32_t a = 0; a < l->f->node[body->ref].shape.rank; a++) index.step[a][a < body->loops ? a : a + 1] = 1;
  result.ref = ir_view(l->f, body->ref, &shape, &index, e->at);
  return result;
}

/* The summed axis of a node stands at `axis`: its position after it has moved behind all others. */
static IrIndex moved_last(uint32_t rank, uint32_t axis) {
  IrIndex index = {0};
  for (uint32_t a = 0; a < rank; a++) index.step[a][a == axis ? rank - 1 : a < axis ? a : a - 1] = 1;
  return index;
}

/* sum over the axis of p*q: one contraction. */
static Ref contract_axis(Lowering *l, Ref product, uint32_t axis, Span at) {
  const IrNode *node = &l->f->node[product];
  Shape shape = {.rank = node->shape.rank - 1};
  for (uint32_t a = 0; a < shape.rank; a++) shape.dim[a] = node->shape.dim[a < axis ? a : a + 1];
  IrIndex index = moved_last(node->shape.rank, axis);
  IrMap map = ir_map_of_index(&index, &node->shape, node->shape.rank);
  IrOperand a = {node->arg[0], map}, b = {node->arg[1], map};
  return ir_contract(l->f, &shape, 1, &node->shape.dim[axis], a, b, IR_NONE, at);
}

static Ref reduce_axis(Lowering *l, IrOp op, Ref of, uint32_t axis, Span at) {
  Shape shape = l->f->node[of].shape;
  int64_t extent = shape.dim[axis];
  for (uint32_t a = axis; a + 1 < shape.rank; a++) shape.dim[a] = shape.dim[a + 1];
  shape.dim[shape.rank - 1] = extent;
  IrIndex index = moved_last(shape.rank, axis);
  return ir_reduce(l->f, op, ir_view(l->f, of, &shape, &index, at), at);
}

Value lower_reduce(Lowering *l, uint32_t loop, const Typed *e, const Value *body) {
  Value result = without_loop(body, loop);
  if (!depends_on(body, loop)) {
    if (e->reduce != AST_SUM) return result;
    Value times = lower_number(l, (double)e->count, e->at);
    return lower_each(l, IR_mul, 2, (Value[]){times, result}, &e->shape, e->at);
  }
  IrOp op = e->reduce == AST_SUM ? IR_reduce_sum : e->reduce == AST_MAX ? IR_reduce_max : IR_reduce_min;
  bool product = op == IR_reduce_sum && l->f->node[body->ref].op == IR_mul;
  result.ref = product ? contract_axis(l, body->ref, result.loops, e->at)
                       : reduce_axis(l, op, body->ref, result.loops, e->at);
  return result;
}

/* ---- contractions ------------------------------------------------------------------------------------------------- */
/* The operand's map for a contraction over the loops of `over`; its own axis a follows iteration axis own_axis[a]. */
static IrOperand operand(Lowering *l, const Value *v, const Value *over, const uint32_t *own_axis, uint32_t axes) {
  IrIndex index = {0};
  follow_loops(&index, v, over);
  for (uint32_t a = 0; a < lower_own_rank(l, v); a++) index.step[v->loops + a][own_axis[a]] = 1;
  return (IrOperand){v->ref, ir_map_of_index(&index, &l->f->node[v->ref].shape, axes)};
}

Value lower_matmul(Lowering *l, const Value *a, const Value *b, const Value *init, const Shape *own, Span at) {
  Value over = {0};
  lower_add_loops(l, &over, a);
  lower_add_loops(l, &over, b);
  if (init) lower_add_loops(l, &over, init);
  Shape shape;
  if (l->failed || !lower_shape(l, &over, own, at, &shape)) return *a;
  uint32_t a_rank = lower_own_rank(l, a), b_rank = lower_own_rank(l, b), axis_a[FLOW_MOST_RANK], axis_b[FLOW_MOST_RANK];
  int64_t summed = own_shape(l, a).dim[a_rank - 1];
  for (uint32_t i = 0; i < a_rank; i++) axis_a[i] = i + 1 < a_rank ? over.loops + i : shape.rank;
  for (uint32_t i = 0; i < b_rank; i++) axis_b[i] = i == 0 ? shape.rank : over.loops + a_rank - 1 + i - 1;
  IrOperand left = operand(l, a, &over, axis_a, shape.rank + 1), right = operand(l, b, &over, axis_b, shape.rank + 1);
  Ref start = init ? lower_spread(l, init, &over, own, at) : IR_NONE;
  if (l->failed) return *a;
  over.ref = ir_contract(l->f, &shape, 1, &summed, left, right, start, at);
  return over;
}

Value lower_dot(Lowering *l, const Value *a, const Value *b, Span at) {
  Value over = {0};
  lower_add_loops(l, &over, a);
  lower_add_loops(l, &over, b);
  Shape own = own_shape(l, a), scalar = {0}, shape;
  if (l->failed || !lower_shape(l, &over, &scalar, at, &shape)) return *a;
  uint32_t axis[FLOW_MOST_RANK];
  for (uint32_t i = 0; i < own.rank; i++) axis[i] = shape.rank + i;
  if (shape.rank + own.rank > IR_MOST_AXES) {
    lower_too_large(l, at, "a product is summed inside too many loops");
    return *a;
  }
  IrOperand left = operand(l, a, &over, axis, shape.rank + own.rank), right = operand(l, b, &over, axis, shape.rank + own.rank);
  over.ref = ir_contract(l->f, &shape, own.rank, own.dim, left, right, IR_NONE, at);
  return over;
}
