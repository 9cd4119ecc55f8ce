/* SPDX-License-Identifier: Apache-2.0 */
/* derive_jvp.c -- tangents, from the variable forward.
 *
 * The tangents of a value are kept as factor * base (derive_parts.h): an elementwise operation changes the factor alone, as
 * long as its operands have one base, so that act'(z) is one node for all directions and is applied once, in front of the
 * next contraction.  Before the first contraction the base is a matrix of units that is never made: there a contraction
 * takes columns of its weights (derive_contract.c). */
#include <string.h>
#include "derive_parts.h"

static const Tangent zero = {.kind = TANGENT_ZERO, .factor = IR_NONE, .base = IR_NONE};

Tangent tangent_dense(Ref base) { return (Tangent){.kind = TANGENT_DENSE, .factor = IR_NONE, .base = base}; }

Tangent forward_of(const Forward *d, Ref r) {
  if (r == d->variable) return d->seed;
  return r >= d->from && r < d->end ? d->tangent[r - d->from] : zero;
}

/* ---- shapes with the axis of directions ------------------------------------------------------------------------------- */

Shape forward_shape(const Forward *d, const Shape *shape) {
  if (!d->lead) return *shape;
  Shape lifted = {.rank = shape->rank + 1, .dim = {d->directions}};
  for (uint32_t k = 0; k < shape->rank; k++) lifted.dim[k + 1] = shape->dim[k];
  return lifted;
}

Ref forward_lift(Forward *d, Ref r) {
  if (!d->lead) return r;
  Shape own = d->f->node[r].shape, shape = forward_shape(d, &own);
  IrIndex index = {.base = {0}};
  for (uint32_t a = 0; a < own.rank; a++) index.step[a][a + 1] = 1;
  return ir_view(d->f, r, &shape, &index, d->f->node[r].at);
}

/* ---- the parts of a tangent --------------------------------------------------------------------------------------------- */

static bool is_known(const IrFunction *f, Ref r, double value) {
  double known;
  return r != IR_NONE && ir_known(f, r, &known) && known == value;
}

static Ref base_node(Forward *d, const Tangent *t, const Shape *shape, Span at) {
  return t->kind == TANGENT_UNITS ? derive_units(d->f, d->directions, shape, t->at, t->step, at) : t->base;
}

Ref forward_dense(Forward *d, const Tangent *t, const Shape *shape, Span at) {
  Ref base = base_node(d, t, shape, at);
  if (t->factor == IR_NONE) return base;
  if (is_known(d->f, t->factor, -1)) return ir_one(d->f, IR_neg, base, at);
  return ir_two(d->f, IR_mul, forward_lift(d, t->factor), base, at);
}

static bool same_base(const Tangent *a, const Tangent *b, uint32_t rank) {
  if (a->kind != b->kind || a->base != b->base) return false;
  return a->kind == TANGENT_DENSE || (a->at == b->at && memcmp(a->step, b->step, rank * sizeof *a->step) == 0);
}

static Ref factor_or_one(Forward *d, const Tangent *t, const Shape *shape, Span at) {
  return t->factor == IR_NONE ? ir_number(d->f, shape, 1, at) : t->factor;
}

Tangent tangent_add(Forward *d, const Tangent *a, const Tangent *b, const Shape *shape, Span at) {
  if (a->kind == TANGENT_ZERO) return *b;
  if (b->kind == TANGENT_ZERO) return *a;
  if (same_base(a, b, shape->rank)) {
    Tangent sum = *a;
    sum.factor = ir_two(d->f, IR_add, factor_or_one(d, a, shape, at), factor_or_one(d, b, shape, at), at);
    return sum;
  }
  Ref x = forward_dense(d, a, shape, at);
  if (is_known(d->f, b->factor, -1)) return tangent_dense(ir_two(d->f, IR_sub, x, base_node(d, b, shape, at), at));
  return tangent_dense(ir_two(d->f, IR_add, x, forward_dense(d, b, shape, at), at));
}

static Tangent scaled(Forward *d, const Tangent *t, Ref by, Span at) {
  Tangent s = *t;
  if (by == IR_NONE) return s;
  s.factor = s.factor == IR_NONE ? by : is_known(d->f, by, -1) ? ir_one(d->f, IR_neg, s.factor, at) : ir_two(d->f, IR_mul, by, s.factor, at);
  return s;
}

/* ---- elementwise ------------------------------------------------------------------------------------------------------------ */

static Tangent each(Forward *d, Ref r) {
  const IrNode node = d->f->node[r];
  Tangent sum = zero;
  for (uint32_t i = 0; i < node.args; i++) {
    Tangent of = forward_of(d, node.arg[i]);
    if (of.kind == TANGENT_ZERO) continue;
    Tangent term = scaled(d, &of, derive_partial(d->f, r, i), node.at);
    sum = tangent_add(d, &sum, &term, &node.shape, node.at);
  }
  return sum;
}

enum { MOST_LOOKED_AT = 64 };
/* Is this a base that a factor 0 makes zero: the directions, what a sum gave (as in derive_vjp.c), or made of such without a
 * product?  Others may be infinite where a branch is not taken. */
static bool is_tame(const Forward *d, Ref base, int *looked_at) {
  if (base == d->seed.base) return true;
  if (++*looked_at > MOST_LOOKED_AT) return false;
  const IrNode *node = &d->f->node[base];
  if (node->op == IR_contract || ir_op_class[node->op] == IR_LEAF) return true;
  if (node->op != IR_view && node->op != IR_concat && node->op != IR_add && node->op != IR_sub && node->op != IR_neg) return false;
  for (uint32_t i = 0; i < node->args; i++)
    if (!is_tame(d, node->arg[i], looked_at)) return false;
  return true;
}

/* Truth ? a : b of tangents that are written out. */
static Tangent chosen_dense(Forward *d, const IrNode *node, Ref truth, const Tangent *a, const Tangent *b) {
  IrFunction *f = d->f;
  Shape whole = forward_shape(d, &node->shape);
  Ref x = a->kind == TANGENT_ZERO ? ir_number(f, &whole, 0, node->at) : forward_dense(d, a, &node->shape, node->at);
  Ref y = b->kind == TANGENT_ZERO ? ir_number(f, &whole, 0, node->at) : forward_dense(d, b, &node->shape, node->at);
  return tangent_dense(ir_three(f, IR_select, forward_lift(d, truth), x, y, node->at));
}

/* Truth ? a : b, where a zero tangent is a factor 0. */
static Tangent chosen(Forward *d, Ref r, Ref truth, const Tangent *a, const Tangent *b) {
  IrFunction *f = d->f;
  const IrNode node = f->node[r];
  int looked_at = 0;
  bool one_base = a->kind == TANGENT_ZERO || b->kind == TANGENT_ZERO || same_base(a, b, node.shape.rank);
  Tangent t = a->kind == TANGENT_ZERO ? *b : *a;
  if (!one_base || (t.kind == TANGENT_DENSE && !is_tame(d, t.base, &looked_at))) return chosen_dense(d, &node, truth, a, b);
  Ref none = derive_like(f, r, 0);
  Ref x = a->kind == TANGENT_ZERO ? none : factor_or_one(d, a, &node.shape, node.at);
  Ref y = b->kind == TANGENT_ZERO ? none : factor_or_one(d, b, &node.shape, node.at);
  t.factor = ir_three(f, IR_select, truth, x, y, node.at);
  return t;
}

static Tangent choice(Forward *d, Ref r) {
  const IrNode node = d->f->node[r];
  uint32_t first = node.op == IR_select ? 1 : 0;
  Tangent a = forward_of(d, node.arg[first]), b = forward_of(d, node.arg[first + 1]);
  if (a.kind == TANGENT_ZERO && b.kind == TANGENT_ZERO) return zero;
  Ref truth = derive_chosen(d->f, r, a.kind != TANGENT_ZERO, b.kind != TANGENT_ZERO);
  return chosen(d, r, truth, &a, &b);
}

/* ---- layout ------------------------------------------------------------------------------------------------------------------- */

/* The units of a view: index of the operand as an affine function of the view's. */
static bool view_units(const Forward *d, const IrNode *node, Tangent *t) {
  const Shape *of = &d->f->node[node->arg[0]].shape;
  int64_t stride[FLOW_MOST_RANK], at = t->at, step[FLOW_MOST_RANK] = {0};
  IrIndex index;
  if (ir_index_of_map(&node->map, node->shape.rank, node->shape.dim, of, &index)) {
    for (uint32_t a = 0; a < of->rank; a++) {
      at += t->step[a] * index.base[a];
      for (uint32_t j = 0; j < node->shape.rank; j++) step[j] += t->step[a] * index.step[a][j];
    }
  } else {              /* a reshape: the same if the units follow the flat order */
    ir_strides(of, stride);
    int64_t scale = of->rank ? t->step[of->rank - 1] : 0;
    for (uint32_t a = 0; a < of->rank; a++)
      if (of->dim[a] > 1 && t->step[a] != scale * stride[a]) return false;
    at += scale * node->map.offset;
    for (uint32_t j = 0; j < node->shape.rank; j++) step[j] = scale * node->map.stride[j];
  }
  t->at = at;
  memcpy(t->step, step, sizeof step);
  return true;
}

static Ref view_lifted(Forward *d, Ref base, const IrNode *node) {
  Shape shape = forward_shape(d, &node->shape);
  IrMap map = node->map;
  if (d->lead) {
    map.stride[0] = shape_count(&d->f->node[node->arg[0]].shape);
    for (uint32_t j = 0; j < node->shape.rank; j++) map.stride[j + 1] = node->map.stride[j];
  }
  return ir_view_flat(d->f, base, &shape, &map, node->at);
}

static Tangent view(Forward *d, Ref r) {
  IrNode node = d->f->node[r];
  Tangent t = forward_of(d, node.arg[0]);
  if (t.kind == TANGENT_ZERO) return zero;
  if (t.kind == TANGENT_UNITS && !view_units(d, &node, &t)) {
    Shape of = d->f->node[node.arg[0]].shape;
    t = tangent_dense(forward_dense(d, &t, &of, node.at));
  }
  if (t.factor != IR_NONE) t.factor = ir_view_flat(d->f, t.factor, &node.shape, &node.map, node.at);
  if (t.kind == TANGENT_DENSE) t.base = view_lifted(d, t.base, &node);
  return t;
}

/* Do the units of all parts that are not zero follow one affine function of the concat's index? */
static bool concat_units(const Forward *d, const IrNode *node, Tangent *all) {
  int64_t start = 0, length[2] = {0, 0}, from[2] = {0, 0};
  uint32_t axis = node->axis, parts = 0;
  Tangent seen[2];
  for (uint32_t i = 0; i < node->args; i++) {         /* the step along the axis, from a long part or from two */
    Tangent t = forward_of(d, node->arg[i]);
    int64_t n = d->f->node[node->arg[i]].shape.dim[axis];
    if (t.kind == TANGENT_DENSE) return false;
    if (t.kind == TANGENT_UNITS && (parts < 2 || n > 1)) {
      uint32_t place = parts < 2 ? parts : 1;
      if (n > 1 && length[0] > 1) place = 1;
      seen[place] = t, length[place] = n, from[place] = start;
      parts++;
    }
    start += n;
  }
  if (!parts) return false;
  *all = seen[0];
  int64_t step = seen[0].step[axis];
  if (length[0] == 1 && parts > 1) {
    int64_t apart = from[1] - from[0], rise = seen[1].at - seen[0].at;
    step = length[1] > 1 ? seen[1].step[axis] : rise % apart == 0 ? rise / apart : 0;
  } else if (length[0] == 1) {
    step = 0;
  }
  all->step[axis] = step;
  all->at = seen[0].at - step * from[0];
  start = 0;
  for (uint32_t i = 0; i < node->args; i++) {
    Tangent t = forward_of(d, node->arg[i]);
    int64_t n = d->f->node[node->arg[i]].shape.dim[axis];
    if (t.kind == TANGENT_UNITS) {
      if (t.at != all->at + step * start || (n > 1 && t.step[axis] != step)) return false;
      for (uint32_t a = 0; a < node->shape.rank; a++)
        if (a != axis && node->shape.dim[a] > 1 && t.step[a] != all->step[a]) return false;
    }
    start += n;
  }
  return true;
}

static Tangent concat(Forward *d, Ref r) {
  IrFunction *f = d->f;
  const IrNode node = f->node[r];
  Ref *part = arena_array(f->arena, node.args, sizeof *part);
  Tangent all = zero;
  bool any = false, plain = true;
  for (uint32_t i = 0; i < node.args; i++) {
    Tangent t = forward_of(d, node.arg[i]);
    any = any || t.kind != TANGENT_ZERO;
    plain = plain && t.kind != TANGENT_ZERO && t.factor == IR_NONE;
  }
  if (!any) return zero;
  bool units = concat_units(d, &node, &all);
  for (uint32_t i = 0; i < node.args; i++) {
    Tangent t = forward_of(d, node.arg[i]);
    Shape own = f->node[node.arg[i]].shape, shape = units ? own : forward_shape(d, &own);
    part[i] = t.kind == TANGENT_ZERO ? ir_number(f, &shape, 0, node.at)
              : units ? factor_or_one(d, &t, &own, node.at) : forward_dense(d, &t, &own, node.at);
  }
  if (!units) return tangent_dense(ir_concat(f, node.axis + d->lead, part, node.args, node.at));
  all.factor = plain ? IR_NONE : ir_concat(f, node.axis, part, node.args, node.at);
  return all;
}

/* A table that depends on the variable: the directions stand beside the columns while the rows are looked up. */
static Tangent lookup(Forward *d, Ref r) {
  IrFunction *f = d->f;
  const IrNode node = f->node[r];
  Tangent t = forward_of(d, node.arg[0]);
  if (t.kind == TANGENT_ZERO) return zero;
  Shape table = f->node[node.arg[0]].shape;
  Ref dense = forward_dense(d, &t, &table, node.at);
  int64_t m = d->lead ? d->directions : 1, rows = table.dim[0], n = table.dim[1];
  Shape wide = {.rank = 2, .dim = {rows, m * n}}, split = {.rank = 3, .dim = {rows, m, n}};
  IrMap map = {0, {n, rows * n, 1}};
  dense = ir_view_flat(f, ir_view_flat(f, dense, &split, &map, node.at), &wide, &(IrMap){0, {m * n, 1}}, node.at);
  IrNode look = node;
  Ref arg[] = {dense, node.arg[1]};
  look.arg = arg;
  look.mask = 0;
  look.shape.dim[look.shape.rank - 1] = m * n;
  Ref found = ir_append(f, &look);
  Shape shape = forward_shape(d, &node.shape);
  IrMap back = {0, {0}};
  int64_t stride = m * n;
  for (uint32_t k = node.shape.rank - 1; k-- > 0; stride *= node.shape.dim[k]) back.stride[k + d->lead] = stride;
  back.stride[shape.rank - 1] = 1;
  if (d->lead) back.stride[0] = n;
  return tangent_dense(ir_view_flat(f, found, &shape, &back, node.at));
}

/* ---- the last axis ----------------------------------------------------------------------------------------------------------------- */

/* Takes away along the last axis: v - s, s without it. */
static Ref less_last(Forward *d, Ref v, Ref s, Span at) {
  Shape shape = d->f->node[v].shape;
  return ir_two(d->f, IR_sub, v, ir_repeat_last(d->f, s, &shape, at), at);
}

/* y (v - sum y v) */
static Tangent softmax(Forward *d, Ref r) {
  const IrNode node = d->f->node[r];
  Tangent of = forward_of(d, node.arg[0]);
  if (of.kind == TANGENT_ZERO) return zero;
  Tangent mean = forward_sum_last(d, r, node.arg[0], &of, node.at);
  Shape outer = node.shape;
  outer.dim[--outer.rank] = 0;
  Ref v = forward_dense(d, &of, &node.shape, node.at);
  if (mean.kind != TANGENT_ZERO) v = less_last(d, v, forward_dense(d, &mean, &outer, node.at), node.at);
  return (Tangent){.kind = TANGENT_DENSE, .factor = r, .base = v};
}

static Tangent logsumexp(Forward *d, Ref r) {
  const IrNode node = d->f->node[r];
  Tangent of = forward_of(d, node.arg[0]);
  if (of.kind == TANGENT_ZERO) return zero;
  return forward_sum_last(d, ir_one(d->f, IR_softmax, node.arg[0], node.at), node.arg[0], &of, node.at);
}

/* r (v - mean v - y mean(y v)), r = 1 / sqrt(variance + eps) */
static Tangent standardize(Forward *d, Ref r) {
  IrFunction *f = d->f;
  const IrNode node = f->node[r];
  Tangent of = forward_of(d, node.arg[0]);
  if (of.kind == TANGENT_ZERO) return zero;
  Ref scale = ir_repeat_last(f, derive_standard_scale(f, r), &node.shape, node.at);
  Ref v = forward_dense(d, &of, &node.shape, node.at);
  Shape whole = f->node[v].shape;
  Ref sum = derive_sum_last(f, v, IR_NONE, node.at), along = derive_sum_last(f, forward_lift(d, r), v, node.at);
  Ref share = derive_like(f, sum, 1.0 / (double)node.shape.dim[node.shape.rank - 1]);
  Ref centred = less_last(d, v, ir_two(f, IR_mul, sum, share, node.at), node.at);
  Ref slope = ir_repeat_last(f, ir_two(f, IR_mul, along, share, node.at), &whole, node.at);
  Ref rest = ir_two(f, IR_sub, centred, ir_two(f, IR_mul, slope, forward_lift(d, r), node.at), node.at);
  return (Tangent){.kind = TANGENT_DENSE, .factor = scale, .base = rest};
}

/* Truth ? a : 0 */
static Ref taken_of(Forward *d, Ref truth, Ref a, Span at) { return ir_three(d->f, IR_select, truth, a, derive_like(d->f, a, 0), at); }

/* A greatest or least element: of those that are not taken nothing is left, be their tangents infinite. */
static Tangent extreme(Forward *d, Ref r, const Tangent *of) {
  IrFunction *f = d->f;
  const IrNode node = f->node[r];
  Shape whole = f->node[node.arg[0]].shape;
  Ref shares = derive_shares(f, r), taken = ir_two(f, IR_not_equal, shares, derive_like(f, shares, 0), node.at);
  Tangent t = *of;
  if (t.kind == TANGENT_UNITS) {
    if (t.factor != IR_NONE) t.factor = taken_of(d, taken, t.factor, node.at);
    return forward_sum_last(d, shares, node.arg[0], &t, node.at);
  }
  Ref v = taken_of(d, forward_lift(d, taken), forward_dense(d, &t, &whole, node.at), node.at);
  return tangent_dense(derive_sum_last(f, forward_lift(d, shares), v, node.at));
}

static Tangent reduced(Forward *d, Ref r) {
  const IrNode node = d->f->node[r];
  Tangent of = forward_of(d, node.arg[0]);
  if (of.kind == TANGENT_ZERO) return zero;
  return node.op == IR_reduce_sum ? forward_sum_last(d, IR_NONE, node.arg[0], &of, node.at) : extreme(d, r, &of);
}

/* ---- the stretch ------------------------------------------------------------------------------------------------------------------------ */

static Tangent tangent_of(Forward *d, Ref r) {
  IrOp op = d->f->node[r].op;
  switch (op) {
  case IR_view: return view(d, r);
  case IR_concat: return concat(d, r);
  case IR_lookup: return lookup(d, r);
  case IR_contract: return forward_contract(d, r);
  case IR_reduce_sum: case IR_reduce_max: case IR_reduce_min: case IR_reduce_top: return reduced(d, r);
  case IR_softmax: return softmax(d, r);
  case IR_logsumexp: return logsumexp(d, r);
  case IR_standardize: return standardize(d, r);
  case IR_solve: return forward_solve(d, r);
  case IR_logdet: return forward_logdet(d, r);
  default: break;
  }
  if (ir_op_class[op] == IR_LEAF || derive_is_flat(op)) return zero;
  return derive_is_choice(op) ? choice(d, r) : each(d, r);
}

/* The axis of directions must find room in every node. */
static bool has_room(const Forward *d) {
  for (Ref r = d->from; r < d->end && d->lead; r++) {
    const IrNode *node = &d->f->node[r];
    if (node->shape.rank >= FLOW_MOST_RANK || (node->op == IR_contract && node->shape.rank + node->sums >= IR_MOST_AXES)) return false;
  }
  return true;
}

bool forward_run(Forward *d, Ref value, Tangent *tangent) {
  d->end = value + 1 > d->from ? value + 1 : d->from;
  if (!has_room(d)) return false;
  d->tangent = arena_array(d->f->arena, d->end - d->from + 1, sizeof *d->tangent);
  for (Ref r = d->from; r < d->end; r++) d->tangent[r - d->from] = zero;
  for (Ref r = d->from; r < d->end; r++) d->tangent[r - d->from] = r == d->variable ? d->seed : tangent_of(d, r);
  *tangent = forward_of(d, value);
  return true;
}

Ref ir_variable(IrFunction *f, Ref of, Span at) {
  IrNode node = {.op = IR_variable, .args = 1, .arg = &of, .shape = f->node[of].shape, .at = at};
  return ir_append(f, &node);
}

Ref ir_jvp(IrFunction *f, Ref from, Ref value, Ref variable, Ref direction, Span at) {
  Shape shape = f->node[value].shape;
  bool lead = f->node[direction].shape.rank > f->node[variable].shape.rank;
  Forward d = {.f = f, .from = from, .variable = variable, .lead = lead, .seed = tangent_dense(direction),
               .directions = lead ? f->node[direction].shape.dim[0] : 1};
  Tangent t;
  if (!forward_run(&d, value, &t)) return IR_NONE;
  if (t.kind != TANGENT_ZERO) return forward_dense(&d, &t, &shape, at);
  Shape whole = forward_shape(&d, &shape);
  return ir_number(f, &whole, 0, at);
}
