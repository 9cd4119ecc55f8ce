/* SPDX-License-Identifier: Apache-2.0 */
/* derive_vjp.c -- cotangents, from the value backward.
 *
 * Every node of the stretch that depends on the variable collects the sum of what its users hand it, users in descending
 * order, and hands its own operands the transpose of its derivative.
 *
 * GUARDS.  A branch of an `if` that is not taken is handed zeros, and so is what max or min does not take; zero times an
 * infinite derivative would be NaN (log at 0, exp where it overflows).  So behind a choice zero times what is not finite is
 * zero, down to the next sum.  Other products stay, whose cotangent may be zero by chance and has a derivative itself. */
#include <string.h>
#include "derive_parts.h"

typedef struct Backward {
  IrFunction *f;
  Ref from, variable, made;     /* made: the first node of the derivative */
  bool *active;                 /* [stretch]: depends on the variable */
  bool *guarded;                /* [stretch]: stands in a branch, see above */
  Ref *cotangent;               /* [stretch]; IR_NONE: 0 */
  Ref variables;                /* the variable's own */
  WeightGradients *weights;     /* NULL: weights are constants */
  bool no_room;
} Backward;

static bool is_active(const Backward *b, Ref r) { return r == b->variable || (b->weights && b->f->node[r].op == IR_weight) || (r >= b->from && b->active[r - b->from]); }

static void give_weight(Backward *b, Ref weight, Ref cotangent) {
  WeightGradients *all = b->weights;
  Arena *arena = b->f->arena;
  all->value = arena_grow(arena, all->value, all->count, all->count + 1, sizeof *all->value);
  all->slot = arena_grow(arena, all->slot, all->count, all->count + 1, sizeof *all->slot);
  all->value[all->count] = cotangent;
  all->slot[all->count++] = b->f->node[weight].slot;
}

static void give(Backward *b, Ref to, Ref cotangent, Span at) {
  if (!is_active(b, to)) return;
  if (cotangent == IR_NONE) {           /* from derive_scatter */
    b->no_room = true;
    return;
  }
  if (b->weights && b->f->node[to].op == IR_weight) {
    give_weight(b, to, cotangent);
    return;
  }
  Ref *sum = to == b->variable ? &b->variables : &b->cotangent[to - b->from];
  *sum = *sum == IR_NONE ? cotangent : ir_two(b->f, IR_add, *sum, cotangent, at);
}

static bool is_guarded(const Backward *b, Ref r) { return r != b->variable && r >= b->from && b->guarded[r - b->from]; }
static void guard(Backward *b, Ref r) {
  if (r != b->variable && r >= b->from && b->f->node[r].op != IR_weight) b->guarded[r - b->from] = true;
}

/* partial * c; with a guard before it, zero where c is and the product is no number. */
static Ref product(Backward *b, Ref r, Ref partial, Ref c, Span at) {
  IrFunction *f = b->f;
  if (partial == IR_NONE) return c;
  Ref whole = ir_two(f, IR_mul, partial, c, at);
  if (!is_guarded(b, r)) return whole;
  Ref none = derive_like(f, c, 0), no_number = ir_two(f, IR_not_equal, whole, whole, at);
  Ref untaken = ir_two(f, IR_and, ir_two(f, IR_equal, c, none, at), no_number, at);
  return ir_three(f, IR_select, untaken, none, whole, at);
}

/* ---- elementwise ---------------------------------------------------------------------------------------------------- */

static void each(Backward *b, Ref r, Ref c) {
  IrFunction *f = b->f;
  const IrNode node = f->node[r];
  double known;
  for (uint32_t i = 0; i < node.args; i++) {
    if (!is_active(b, node.arg[i])) continue;
    if (is_guarded(b, r)) guard(b, node.arg[i]);
    Ref partial = derive_partial(f, r, i);
    bool minus = partial != IR_NONE && ir_known(f, partial, &known) && known == -1;
    give(b, node.arg[i], minus ? ir_one(f, IR_neg, c, node.at) : product(b, r, partial, c, node.at), node.at);
  }
}

static void choice(Backward *b, Ref r, Ref c) {
  IrFunction *f = b->f;
  const IrNode node = f->node[r];
  Ref first = node.arg[node.op == IR_select ? 1 : 0], second = node.arg[node.op == IR_select ? 2 : 1];
  bool one = is_active(b, first), two = is_active(b, second);
  if (!one && !two) return;
  guard(b, first), guard(b, second);
  Ref truth = derive_chosen(f, r, one, two), none = derive_like(f, c, 0);
  if (one) give(b, first, ir_three(f, IR_select, truth, c, none, node.at), node.at);
  if (two) give(b, second, ir_three(f, IR_select, truth, none, c, node.at), node.at);
}

/* ---- layout ---------------------------------------------------------------------------------------------------------- */

static void concat(Backward *b, Ref r, Ref c) {
  IrFunction *f = b->f;
  const IrNode node = f->node[r];
  int64_t start = 0, stride[FLOW_MOST_RANK];
  ir_strides(&node.shape, stride);
  for (uint32_t i = 0; i < node.args; i++) {
    Shape part = f->node[node.arg[i]].shape;
    if (is_guarded(b, r)) guard(b, node.arg[i]);
    IrMap map = {start * stride[node.axis], {0}};
    memcpy(map.stride, stride, node.shape.rank * sizeof *stride);
    start += part.dim[node.axis];
    if (is_active(b, node.arg[i])) give(b, node.arg[i], derive_pull(f, b->made, c, &part, &map, node.at), node.at);
  }
}

/* The transpose of a row's lookup: a table's row gets what was asked of it; written with units of the label. */
static void lookup(Backward *b, Ref r, Ref c) {
  IrFunction *f = b->f;
  const IrNode node = f->node[r];
  if (!is_active(b, node.arg[0])) return;
  Shape table = f->node[node.arg[0]].shape, labels = f->node[node.arg[1]].shape;
  int64_t rows = table.dim[0], n = table.dim[1], count = shape_count(&labels);
  double *number = arena_array(f->arena, (size_t)rows, sizeof *number);
  for (int64_t k = 0; k < rows; k++) number[k] = (double)k;
  Shape flat = {1, {count}}, grid = {2, {count, rows}}, column = {1, {rows}}, lines = {2, {count, n}};
  Ref label = ir_view_flat(f, node.arg[1], &flat, &(IrMap){0, {1}}, node.at);
  Ref here = ir_view_flat(f, label, &grid, &(IrMap){0, {1, 0}}, node.at);
  Ref row = ir_view_flat(f, ir_data(f, &column, number, node.at), &grid, &(IrMap){0, {0, 1}}, node.at);
  Ref same = ir_two(f, IR_equal, here, row, node.at);
  Ref units = ir_three(f, IR_select, same, derive_like(f, here, 1), derive_like(f, here, 0), node.at);
  Ref given = ir_view_flat(f, c, &lines, &(IrMap){0, {n, 1}}, node.at);
  IrOperand u = {units, {0, {1, 0, rows}}}, g = {given, {0, {0, 1, n}}};
  give(b, node.arg[0], ir_contract(f, &table, 1, &count, u, g, IR_NONE, node.at), node.at);
}

/* ---- sums ------------------------------------------------------------------------------------------------------------- */

static Ref spread_last(Backward *b, Ref c, const Shape *shape, Span at) { return ir_repeat_last(b->f, c, shape, at); }

/* of'[A(o, k)] += c[o] * other[B(o, k)]: over the axes that A steps along, summed over the others, then scattered. */
static void contract_side(Backward *b, const IrNode *node, int side, Ref c) {
  IrFunction *f = b->f;
  const IrMap *to = side ? &node->map_b : &node->map, *from = side ? &node->map : &node->map_b;
  Shape own = f->node[node->arg[side]].shape, space = {.rank = 0};
  int64_t stride[FLOW_MOST_RANK], extent[IR_MOST_AXES], all[IR_MOST_AXES];
  uint32_t axes = node->shape.rank, place[IR_MOST_AXES], sums = 0, kept = 0;
  ir_strides(&node->shape, stride);
  for (uint32_t j = 0; j < axes; j++) all[j] = node->shape.dim[j];
  for (uint32_t k = 0; k < node->sums; k++) all[axes++] = node->extent[k];
  for (uint32_t j = 0; j < axes; j++) kept += to->stride[j] != 0;
  if (kept > FLOW_MOST_RANK) {
    b->no_room = true;
    return;
  }
  IrMap given = {0, {0}}, other = {from->offset, {0}}, scatter = {to->offset, {0}};
  for (uint32_t j = 0, next = 0; j < axes; j++) {
    bool keeps = to->stride[j] != 0;
    place[j] = keeps ? next++ : kept + sums;
    if (keeps) {
      space.dim[space.rank++] = all[j];
      scatter.stride[place[j]] = to->stride[j];
    } else {
      extent[sums++] = all[j];
    }
    other.stride[place[j]] = from->stride[j];
    if (j < node->shape.rank) given.stride[place[j]] = stride[j];
  }
  IrOperand x = {c, given}, y = {node->arg[1 - side], other};
  Ref product;
  if (sums) {
    product = side ? ir_contract(f, &space, sums, extent, y, x, IR_NONE, node->at)
                   : ir_contract(f, &space, sums, extent, x, y, IR_NONE, node->at);
  } else {
    Ref p = ir_view_flat(f, x.ref, &space, &x.map, node->at), q = ir_view_flat(f, y.ref, &space, &y.map, node->at);
    product = ir_two(f, IR_mul, p, q, node->at);
  }
  give(b, node->arg[side], derive_scatter(f, product, &scatter, &own, node->at), node->at);
}

static void contract(Backward *b, Ref r, Ref c) {
  const IrNode node = b->f->node[r];
  for (int side = 0; side < 2; side++)
    if (is_active(b, node.arg[side])) contract_side(b, &node, side, c);
  if (node.args > 2) give(b, node.arg[2], c, node.at);
}

static void reduced(Backward *b, Ref r, Ref c) {
  const IrNode node = b->f->node[r];
  Shape shape = b->f->node[node.arg[0]].shape;
  Ref spread = spread_last(b, c, &shape, node.at);
  Ref shares = node.op == IR_reduce_sum ? IR_NONE : derive_shares(b->f, r);
  if (node.op != IR_reduce_sum) guard(b, node.arg[0]);
  give(b, node.arg[0], derive_times(b->f, shares, spread, node.at), node.at);
}

/* y (c - sum y c): the Jacobian of a softmax is its own transpose. */
static void softmax(Backward *b, Ref r, Ref c) {
  IrFunction *f = b->f;
  const IrNode node = f->node[r];
  Ref mean = spread_last(b, derive_sum_last(f, r, c, node.at), &node.shape, node.at);
  give(b, node.arg[0], ir_two(f, IR_mul, r, ir_two(f, IR_sub, c, mean, node.at), node.at), node.at);
}

static void logsumexp(Backward *b, Ref r, Ref c) {
  IrFunction *f = b->f;
  const IrNode node = f->node[r];
  Shape shape = f->node[node.arg[0]].shape;
  Ref weights = ir_one(f, IR_softmax, node.arg[0], node.at);
  give(b, node.arg[0], ir_two(f, IR_mul, weights, spread_last(b, c, &shape, node.at), node.at), node.at);
}

/* r (c - mean c - y mean(y c)): so is that of standardize. */
static void standardize(Backward *b, Ref r, Ref c) {
  IrFunction *f = b->f;
  const IrNode node = f->node[r];
  Ref scale = spread_last(b, derive_standard_scale(f, r), &node.shape, node.at);
  Ref sum = derive_sum_last(f, c, IR_NONE, node.at), along = derive_sum_last(f, r, c, node.at);
  Ref share = derive_like(f, sum, 1.0 / (double)node.shape.dim[node.shape.rank - 1]);
  Ref mean = spread_last(b, ir_two(f, IR_mul, sum, share, node.at), &node.shape, node.at);
  Ref slope = spread_last(b, ir_two(f, IR_mul, along, share, node.at), &node.shape, node.at);
  Ref rest = ir_two(f, IR_sub, ir_two(f, IR_sub, c, mean, node.at), ir_two(f, IR_mul, slope, r, node.at), node.at);
  give(b, node.arg[0], ir_two(f, IR_mul, scale, rest, node.at), node.at);
}

static void solved(Backward *b, Ref r, Ref c) {
  const IrNode node = b->f->node[r];
  Ref right = backward_solve_b(b->f, r, c);
  if (is_active(b, node.arg[0])) give(b, node.arg[0], backward_solve_a(b->f, r, right), node.at);
  give(b, node.arg[1], right, node.at);
}

/* ---- the stretch ------------------------------------------------------------------------------------------------------------ */

static void hand_down(Backward *b, Ref r, Ref c) {
  const IrNode node = b->f->node[r];
  switch (node.op) {
  case IR_view: {
    if (is_guarded(b, r)) guard(b, node.arg[0]);
    Shape own = b->f->node[node.arg[0]].shape;
    give(b, node.arg[0], derive_scatter(b->f, c, &node.map, &own, node.at), node.at);
    return;
  }
  case IR_concat: concat(b, r, c); return;
  case IR_lookup: lookup(b, r, c); return;
  case IR_contract: contract(b, r, c); return;
  case IR_reduce_sum: case IR_reduce_max: case IR_reduce_min: case IR_reduce_top: reduced(b, r, c); return;
  case IR_softmax: softmax(b, r, c); return;
  case IR_logsumexp: logsumexp(b, r, c); return;
  case IR_standardize: standardize(b, r, c); return;
  case IR_solve: solved(b, r, c); return;
  case IR_logdet: give(b, node.arg[0], backward_logdet(b->f, r, c), node.at); return;
  default: break;
  }
  if (ir_op_class[node.op] == IR_LEAF || derive_is_flat(node.op)) return;
  if (derive_is_choice(node.op)) choice(b, r, c);
  else each(b, r, c);
}

static void find_active(Backward *b, Ref end) {
  for (Ref r = b->from; r < end; r++) {
    const IrNode *node = &b->f->node[r];
    bool flat = derive_is_flat(node->op);
    for (uint32_t i = 0; i < node->args && !flat && r != b->variable; i++)
      if (is_active(b, node->arg[i]) && !b->f->node[node->arg[i]].truth) b->active[r - b->from] = true;
  }
}

/* Everything from `value` back to b->from. */
static void run(Backward *b, Ref value, Ref w, Span at) {
  IrFunction *f = b->f;
  Ref end = value + 1 > b->from ? value + 1 : b->from;
  b->made = f->nodes;
  b->active = arena_array(f->arena, end - b->from + 1, sizeof *b->active);
  b->guarded = arena_array(f->arena, end - b->from + 1, sizeof *b->guarded);
  b->cotangent = arena_array(f->arena, end - b->from + 1, sizeof *b->cotangent);
  b->variables = IR_NONE;
  for (Ref r = b->from; r < end; r++) b->cotangent[r - b->from] = IR_NONE;
  find_active(b, end);
  give(b, value, w, at);
  for (Ref r = end; r-- > b->from;)
    if (r != b->variable && b->cotangent[r - b->from] != IR_NONE) hand_down(b, r, b->cotangent[r - b->from]);
}

Ref ir_vjp(IrFunction *f, Ref from, Ref value, Ref variable, Ref w, Span at) {
  Backward b = {.f = f, .from = from, .variable = variable};
  run(&b, value, w, at);
  if (b.no_room) return IR_NONE;
  return b.variables == IR_NONE ? derive_like(f, variable, 0) : b.variables;
}

bool derive_weight_gradients(IrFunction *f, Ref value, Ref state, Ref w, WeightGradients *gradients) {
  *gradients = (WeightGradients){0};
  Backward b = {.f = f, .from = 0, .variable = state, .weights = gradients};
  run(&b, value, w, f->node[value].at);
  gradients->state = b.variables == IR_NONE && state != IR_NONE ? derive_like(f, state, 0) : b.variables;
  return !b.no_room;
}
