/* SPDX-License-Identifier: Apache-2.0 */
/* random_ir.c -- see random_ir.h.  Each step draws an operation and operands among the nodes that are there; where
 * shapes have to agree, a random view makes them agree.
 *
 * Nothing draws twice in one expression: C leaves the order open, and a seed is to mean the same under every compiler. */
#include "random_ir.h"
#include <string.h>

typedef struct Draw {
  IrFunction *f;
  RandomIrOptions options;
  uint64_t state;
} Draw;

/* ---- random numbers (splitmix64) -------------------------------------------------------------------------------- */
static uint64_t next(uint64_t *state) {
  uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

/* from .. to, both included. */
static int64_t between(Draw *d, int64_t from, int64_t to) {
  return from + (int64_t)(next(&d->state) % (uint64_t)(to - from + 1));
}
static bool one_in(Draw *d, int64_t n) { return between(d, 1, n) == 1; }
static double unit_number(uint64_t *state) { return ((double)(next(state) >> 44) - 0x1p19) * 0x1p-19; }

double *random_ir_numbers(Arena *arena, uint64_t seed, Shape shape) {
  int64_t count = shape_count(&shape);
  double *number = arena_array(arena, (size_t)count, sizeof *number);
  uint64_t state = seed ^ UINT64_C(0x6a09e667f3bcc908);
  for (int64_t i = 0; i < count; i++) number[i] = unit_number(&state);
  return number;
}

/* ---- shapes and nodes ------------------------------------------------------------------------------------------- */
/* Lengths at which something changes: the vector, the panel, the eight partial sums. */
static int64_t length(Draw *d) {
  static const int64_t special[] = {1, 2, 3, 7, 8, 9, 15, 16, 17, 64, 65, 130};
  int64_t n = one_in(d, 2) ? special[between(d, 0, 11)] : between(d, 1, d->options.most_size);
  return n > d->options.most_size ? d->options.most_size : n;
}

static Shape shape_of_rank(Draw *d, uint32_t rank) {
  Shape shape = {.rank = rank};
  int64_t room = d->options.most_elements;
  for (uint32_t k = 0; k < rank; k++) {
    int64_t n = length(d);
    shape.dim[k] = n > room ? room : n;
    room /= shape.dim[k];
  }
  return shape;
}
static Shape any_shape(Draw *d) { return shape_of_rank(d, (uint32_t)between(d, 0, 3)); }

static Ref add(Draw *d, IrNode node, uint32_t args, const Ref *arg) {
  node.args = args;
  node.arg = (Ref *)(uintptr_t)arg;     /* ir_append copies the list */
  node.at = (Span){d->f->nodes, d->f->nodes + 1};
  return ir_append(d->f, &node);
}

static Ref each(Draw *d, IrOp op, uint32_t args, const Ref *arg) {
  IrNode node = {.op = op, .shape = d->f->node[arg[0]].shape};
  node.truth = ir_op_class[op] == IR_COMPARE || ir_op_class[op] == IR_LOGIC;
  if (op == IR_select) node.truth = d->f->node[arg[1]].truth;
  return add(d, node, args, arg);
}
static Ref one(Draw *d, IrOp op, Ref a) { return each(d, op, 1, &a); }
static Ref two(Draw *d, IrOp op, Ref a, Ref b) { return each(d, op, 2, (Ref[]){a, b}); }

static Ref number(Draw *d, Shape shape, double value) {
  int64_t count = shape_count(&shape);
  double *data = arena_array(d->f->arena, (size_t)count, sizeof *data);
  for (int64_t i = 0; i < count; i++) data[i] = value;
  return add(d, (IrNode){.op = IR_constant, .shape = shape, .data = data}, 0, NULL);
}

static Ref any_constant(Draw *d) {
  Shape shape = any_shape(d);
  return number(d, shape, unit_number(&d->state));
}

/* ---- views ------------------------------------------------------------------------------------------------------ */
/* A random map of the space that stays among `count` elements; broadcasts, slices, reversals and worse. */
static IrMap any_map(Draw *d, uint32_t axes, const int64_t *extent, int64_t count) {
  IrMap map = {0};
  int64_t room = count - 1;
  for (uint32_t k = axes; k-- > 0;) {
    if (extent[k] == 1) continue;
    int64_t most = room / (extent[k] - 1), stride = one_in(d, 3) ? between(d, 0, most) : most > 0;
    room -= stride * (extent[k] - 1);
    map.stride[k] = stride;
    if (one_in(d, 5)) {
      map.offset += stride * (extent[k] - 1);
      map.stride[k] = -stride;
    }
  }
  map.offset += one_in(d, 2) ? between(d, 0, room) : 0;
  return map;
}

static Ref view(Draw *d, Ref of, Shape shape) {
  const IrNode *from = &d->f->node[of];
  IrNode node = {.op = IR_view, .truth = from->truth, .shape = shape};
  node.map = any_map(d, shape.rank, shape.dim, shape_count(&from->shape));
  return add(d, node, 1, &of);
}

static Ref fit(Draw *d, Ref r, Shape shape) { return shape_equal(&d->f->node[r].shape, &shape) ? r : view(d, r, shape); }

/* A node of the kind asked for; recent ones are likelier, so that chains grow deep. */
static Ref any(Draw *d, bool truth) {
  for (;;) {
    int64_t last = d->f->nodes - 1;
    Ref r = (Ref)(one_in(d, 2) ? between(d, last > 8 ? last - 8 : 0, last) : between(d, 0, last));
    if (d->f->node[r].truth == truth) return r;
    if (!truth) continue;
    Ref a = any(d, false), b = fit(d, any(d, false), d->f->node[a].shape);
    if (d->options.no_truth_steps) {    /* a truth that no rounding can turn: t is in [-1, 1] */
      a = number(d, (Shape){0}, 2);
      b = 0;
    }
    return two(d, IR_less, a, b);
  }
}
static Ref any_number(Draw *d) { return any(d, false); }
static Ref like(Draw *d, Ref r, bool truth) { return fit(d, any(d, truth), d->f->node[r].shape); }

/* ---- arguments in the domain ------------------------------------------------------------------------------------ */
static Ref bounded(Draw *d, Ref a) { return d->options.tame ? one(d, IR_tanh, a) : a; }
static Ref positive(Draw *d, Ref a) {
  if (!d->options.tame) return a;
  a = one(d, IR_abs, a);
  Ref half = number(d, d->f->node[a].shape, 0.5);
  return two(d, IR_add, a, half);
}

/* ---- one random step per class ---------------------------------------------------------------------------------- */
static Ref power(Draw *d, Ref a) {
  static const double exponent[] = {2, 0.5, -1, 3, 1.5};
  Ref b = one_in(d, 2) ? number(d, d->f->node[a].shape, exponent[between(d, 0, 4)]) : bounded(d, like(d, a, false));
  Ref base = positive(d, bounded(d, a));
  return two(d, IR_pow, base, b);
}

static Ref choice(Draw *d, Ref a) {
  Ref condition = like(d, a, true), other = like(d, a, false);
  return each(d, IR_select, 3, (Ref[]){condition, a, other});
}

static Ref step_each(Draw *d, IrOp op) {
  Ref a = any_number(d);
  switch (op) {
  case IR_exp2n: return one(d, op, one(d, IR_neg, one(d, IR_abs, a)));
  case IR_exp: case IR_expm1: case IR_tan: case IR_mul: case IR_fma: a = bounded(d, a); break;
  case IR_sqrt: case IR_log: case IR_log1p: a = positive(d, a); break;
  case IR_div: case IR_mod: return two(d, op, a, positive(d, like(d, a, false)));
  case IR_pow: return power(d, a);
  case IR_pin: return one(d, op, any_constant(d));
  case IR_select: return choice(d, a);
  default: break;
  }
  Ref arg[3] = {a};
  uint32_t args = (uint32_t)ir_op_operands[op];
  for (uint32_t j = 1; j < args; j++) arg[j] = like(d, a, false);
  if (op == IR_found && d->options.tame) arg[2] = one(d, IR_neg, one(d, IR_abs, arg[2]));
  return each(d, op, args, arg);
}

static Ref step_logic(Draw *d, IrOp op) {
  Ref a = any(d, true);
  return op == IR_not ? one(d, op, a) : two(d, op, a, like(d, a, true));
}

static Ref step_concat(Draw *d) {
  Ref arg[4] = {any_number(d)};
  IrNode node = {.op = IR_concat, .shape = d->f->node[arg[0]].shape};
  uint32_t args = (uint32_t)between(d, 1, 4);
  if (node.shape.rank == 0) node.shape = (Shape){1, {1}};
  arg[0] = fit(d, arg[0], node.shape);
  node.axis = (uint32_t)between(d, 0, node.shape.rank - 1);
  for (uint32_t j = 1; j < args; j++) {
    Shape part = node.shape;
    part.dim[node.axis] = between(d, 1, 3);
    arg[j] = fit(d, any_number(d), part);
  }
  int64_t total = 0;
  for (uint32_t j = 0; j < args; j++) total += d->f->node[arg[j]].shape.dim[node.axis];
  node.shape.dim[node.axis] = total;
  return add(d, node, args, arg);
}

/* label = floor(0.99 K |tanh a|): always a row.  Untamed, labels are what comes. */
static Ref step_lookup(Draw *d) {
  Ref table = any_number(d), label = any_number(d);
  table = fit(d, table, shape_of_rank(d, 2));
  const Shape *labels = &d->f->node[label].shape, *rows = &d->f->node[table].shape;
  if (labels->rank > 2 || shape_count(labels) * rows->dim[1] > d->options.most_elements) label = fit(d, label, (Shape){0});
  Shape shape = d->f->node[label].shape;
  double most = 0.99 * (double)d->f->node[table].shape.dim[0];
  if (d->options.no_truth_steps) label = number(d, shape, (double)between(d, 0, d->f->node[table].shape.dim[0] - 1));
  else if (d->options.tame) {
    label = one(d, IR_abs, one(d, IR_tanh, label));
    Ref scale = number(d, shape, most);
    label = one(d, IR_floor, two(d, IR_mul, label, scale));
  }
  IrNode node = {.op = IR_lookup, .shape = shape};
  node.shape.dim[node.shape.rank++] = d->f->node[table].shape.dim[1];
  return add(d, node, 2, (Ref[]){table, label});
}

static Ref scaled(Draw *d, Ref r, int64_t terms) {
  if (!d->options.tame) return r;
  return two(d, IR_mul, r, number(d, d->f->node[r].shape, 1.0 / (double)terms));
}

static Ref with_last_axis(Draw *d) {
  Ref a = any_number(d);
  uint32_t rank = (uint32_t)between(d, 1, 3);
  return d->f->node[a].shape.rank ? a : fit(d, a, shape_of_rank(d, rank));
}

static Ref step_reduce(Draw *d, IrOp op) {
  Ref a = with_last_axis(d);
  IrNode node = {.op = op, .shape = d->f->node[a].shape};
  int64_t n = node.shape.dim[--node.shape.rank];
  Ref r = add(d, node, 1, &a);
  return op == IR_reduce_sum ? scaled(d, r, n) : r;
}

static Ref step_contract(Draw *d) {
  IrNode node = {.op = IR_contract, .shape = shape_of_rank(d, (uint32_t)between(d, 0, 2))};
  int64_t extent[IR_MOST_AXES], terms = 1;
  uint32_t axes = 0;
  for (uint32_t k = 0; k < node.shape.rank; k++) extent[axes++] = node.shape.dim[k];
  for (node.sums = (uint32_t)between(d, 0, 2); axes < node.shape.rank + node.sums; axes++) {
    extent[axes] = length(d);
    node.extent[axes - node.shape.rank] = extent[axes];
    terms *= extent[axes];
  }
  Ref arg[3] = {any_number(d)};
  arg[1] = any_number(d);
  node.map = any_map(d, axes, extent, shape_count(&d->f->node[arg[0]].shape));
  node.map_b = any_map(d, axes, extent, shape_count(&d->f->node[arg[1]].shape));
  bool init = one_in(d, 2);
  if (init) arg[2] = fit(d, any_number(d), node.shape);
  return scaled(d, bounded(d, add(d, node, init ? 3 : 2, arg)), init ? 1 : terms);
}

static Ref step_whole(Draw *d, IrOp op) {
  if (op == IR_logsumexp) return step_reduce(d, op);
  Ref a = with_last_axis(d);
  return add(d, (IrNode){.op = op, .shape = d->f->node[a].shape, .number = op == IR_standardize ? 0.125 : 0}, 1, &a);
}

/* A matrix with a heavy diagonal, so that its inverse is moderate. */
static Ref step_matrix(Draw *d, IrOp op) {
  Shape shape = shape_of_rank(d, (uint32_t)between(d, 0, 1)), right, units = {.rank = 2};
  int64_t n = between(d, 1, 9), room = d->options.most_elements / (shape.rank ? shape.dim[0] : 1);
  while (n > 1 && n * n > room) n--;
  if (n * n > room) shape.dim[0] = 1;
  right = shape;
  shape.dim[shape.rank] = shape.dim[shape.rank + 1] = units.dim[0] = units.dim[1] = n;
  shape.rank += 2;
  double data[81] = {0};
  for (int64_t i = 0; i < n; i++) data[i * n + i] = (double)n + 3;
  IrMap map = {0, {0}};
  map.stride[shape.rank - 2] = n, map.stride[shape.rank - 1] = 1;
  double *copy = arena_array(d->f->arena, (size_t)(n * n), sizeof *copy);
  memcpy(copy, data, (size_t)(n * n) * sizeof *copy);
  Ref diagonal = add(d, (IrNode){.op = IR_constant, .shape = units, .data = copy}, 0, NULL);
  diagonal = add(d, (IrNode){.op = IR_view, .shape = shape, .map = map}, 1, &diagonal);
  Ref arg[2] = {two(d, IR_add, bounded(d, fit(d, any_number(d), shape)), diagonal)};
  right.dim[right.rank++] = n;
  if (op == IR_solve && one_in(d, 2)) right.dim[right.rank++] = between(d, 1, 3);
  if (op == IR_logdet) right.rank--;
  IrNode node = {.op = op, .shape = right};
  if (op == IR_solve) arg[1] = fit(d, any_number(d), right);
  return add(d, node, op == IR_solve ? 2 : 1, arg);
}

static bool jumps(IrOp op) {
  if (op == IR_hold || op == IR_found || op == IR_pivots) return true;            /* not made to be differentiated */
  return op == IR_floor || op == IR_mod || op == IR_sign || ir_op_class[op] == IR_COMPARE;
}

static Ref step(Draw *d) {
  IrOp op = (IrOp)between(d, 0, IR_OP_COUNT - 1);
  if (d->options.no_truth_steps && jumps(op)) op = IR_add;
  if (d->options.no_matrices && ir_op_class[op] == IR_MATRIX) op = IR_mul;
  switch (ir_op_class[op]) {
  case IR_EACH: return step_each(d, op);
  case IR_COMPARE: {
    Ref a = any_number(d);
    return two(d, op, a, like(d, a, false));
  }
  case IR_LOGIC: return step_logic(d, op);
  case IR_WHOLE: return step_whole(d, op);
  case IR_MATRIX: return step_matrix(d, op);
  case IR_SUM: return op == IR_contract ? step_contract(d) : step_reduce(d, op);
  case IR_LAYOUT:
    if (op == IR_view) {
      Ref of = any(d, one_in(d, 6));
      return view(d, of, any_shape(d));
    }
    return op == IR_concat ? step_concat(d) : step_lookup(d);
  default: return any_constant(d);
  }
}

/* ---- the function ----------------------------------------------------------------------------------------------- */
static void inputs(Draw *d) {
  IrFunction *f = d->f;
  ir_add_input(f, &(IrInput){"t", {0}, IR_TIMES});
  ir_add_input(f, &(IrInput){"x", shape_of_rank(d, 1), IR_STATE});
  ir_add_input(f, &(IrInput){"c", shape_of_rank(d, f->input[1].shape.dim[0] % 2), IR_CONDITIONS});
  for (uint32_t i = 0; i < 3; i++) add(d, (IrNode){.op = IR_input, .slot = i, .shape = f->input[i].shape}, 0, NULL);
}

static void weights(Draw *d) {
  static const char *const name[] = {"net.0.weight", "net.0.bias", "net.2.weight", "net.2.bias"};
  uint32_t count = (uint32_t)between(d, 0, 4);
  for (uint32_t i = 0; i < count; i++) {
    IrWeight weight = {.name = name[i], .scope = "net.", .part = i % 2 ? "bias" : "weight", .layer = i / 2};
    weight.labelled = true;
    weight.shape = shape_of_rank(d, i % 2 ? 1 : 2);
    ir_add_weight(d->f, &weight);
    add(d, (IrNode){.op = IR_weight, .slot = i, .shape = weight.shape}, 0, NULL);
  }
}

/* The result reads several late values, so that little is dead. */
static void result(Draw *d) {
  Shape state = d->f->input[1].shape;
  Ref sum = fit(d, any_number(d), state);
  for (int i = 0; i < 6; i++) sum = two(d, i % 2 ? IR_add : IR_sub, sum, bounded(d, fit(d, any_number(d), state)));
  d->f->result = sum;
}

IrFunction *random_ir(Arena *arena, uint64_t seed, const RandomIrOptions *options) {
  Draw d = {.f = ir_new(arena, "random"), .options = *options, .state = seed};
  if (!d.options.nodes) d.options.nodes = 40;
  if (!d.options.most_size) d.options.most_size = 20;
  if (!d.options.most_elements) d.options.most_elements = 600;
  inputs(&d);
  weights(&d);
  for (uint32_t i = 0; i < d.options.nodes; i++) step(&d);
  result(&d);
  return d.f;
}
