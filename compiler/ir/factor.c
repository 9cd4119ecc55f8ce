/* SPDX-License-Identifier: Apache-2.0 */
/* factor.c -- what does not vary with k leaves a mean over k.
 *   needs   verified, unfrozen IR, swept
 *   keeps   the value as real numbers: the weights of a softmax add up to 1
 *   leaves  dead nodes, for ir_sweep
 *
 *     sum_k softmax(l)_k (A + B_1 v1_k + B_2 v2_k + ...)  =  A + B_1 sum_k softmax(l)_k v1_k + ...      A, B free of k
 *
 * The summand is taken apart as an affine form in its k-varying atoms, through +, -, *, / and negation.  For a mixture of
 * Gaussians, sum_k w_k (mu_k + a (x - t mu_k)) becomes a x + (1 - a t) sum_k w_k mu_k: two multiplications fewer for each
 * component and dimension, and an error at most twice as large, which does not grow where all components are moved.
 * Nothing else is multiplied out: |x - c|^2 stays as it is. */
#include "build.h"
#include "freeze.h"

/* A summand is a graph whose paths may be many more than its nodes: only so many steps are taken. */
enum { MOST_ATOMS = 4, MOST_STEPS = 256 };

/* Over the index space of a product summed along `axis`: constant part and terms; IR_NONE is 0 for the constant part
 * and 1 for a factor.  The parts have the product's shape without the axis. */
typedef struct Affine {
  Ref constant;
  uint32_t atoms;
  Ref atom[MOST_ATOMS], factor[MOST_ATOMS];
} Affine;

typedef struct Factor {
  IrFunction *f;
  uint32_t axis;                /* summed, of the summand's own shape */
  uint32_t steps;
} Factor;

/* ---- free of k ------------------------------------------------------------------------------------------------------- */

static bool is_free(Factor *x, Ref r) {
  double known;
  if (x->steps++ > MOST_STEPS) return false;
  const IrNode *node = &x->f->node[r];
  if (node->op == IR_view && node->map.stride[x->axis] == 0) return true;
  if (ir_known(x->f, r, &known)) return true;
  if (ir_op_class[node->op] != IR_EACH) return false;
  for (uint32_t i = 0; i < node->args; i++)
    if (!is_free(x, node->arg[i])) return false;
  return true;
}

/* A value that is free of k, without the axis. */
static Ref without_axis(const Factor *x, Ref r) {
  IrFunction *f = x->f;
  Shape shape = f->node[r].shape;
  IrIndex index = {.base = {0}};
  for (uint32_t a = 0, j = 0; a < shape.rank; a++)
    if (a != x->axis) index.step[a][j++] = 1;
  for (uint32_t a = x->axis; a + 1 < shape.rank; a++) shape.dim[a] = shape.dim[a + 1];
  shape.dim[--shape.rank] = 0;
  return ir_view(f, r, &shape, &index, f->node[r].at);
}

/* ---- sums and products of parts, IR_NONE standing for 0 and for 1 ------------------------------------------------------ */

static Ref plus(const Factor *x, Ref a, Ref b, Span at) {
  return a == IR_NONE ? b : b == IR_NONE ? a : ir_two(x->f, IR_add, a, b, at);
}
static Ref times(const Factor *x, Ref a, Ref b, Span at) {
  return a == IR_NONE ? b : b == IR_NONE ? a : ir_two(x->f, IR_mul, a, b, at);
}

static Ref one(const Factor *x, Ref like) {
  Shape shape = x->f->node[like].shape;
  return without_axis(x, ir_number(x->f, &shape, 1, x->f->node[like].at));
}

static bool add_term(const Factor *x, Affine *sum, Ref atom, Ref factor) {
  Span at = x->f->node[atom].at;
  for (uint32_t i = 0; i < sum->atoms; i++)
    if (sum->atom[i] == atom) {
      Ref old = sum->factor[i] == IR_NONE ? one(x, atom) : sum->factor[i];
      sum->factor[i] = plus(x, old, factor == IR_NONE ? one(x, atom) : factor, at);
      return true;
    }
  if (sum->atoms == MOST_ATOMS) return false;
  sum->atom[sum->atoms] = atom;
  sum->factor[sum->atoms++] = factor;
  return true;
}

/* ---- the affine form ------------------------------------------------------------------------------------------------------ */

/* sum += scale * r; false where r is not worth taking apart. */
static bool gather(Factor *x, Affine *sum, Ref r, Ref scale) {
  IrFunction *f = x->f;
  IrNode node = f->node[r];
  if (x->steps > MOST_STEPS) return false;
  if (is_free(x, r)) {
    sum->constant = plus(x, sum->constant, times(x, scale, without_axis(x, r), node.at), node.at);
    return true;
  }
  Ref minus = IR_NONE;
  if (node.op == IR_neg || node.op == IR_sub)
    minus = ir_one(f, IR_neg, scale == IR_NONE ? one(x, r) : scale, node.at);
  switch (node.op) {
  case IR_neg: return gather(x, sum, node.arg[0], minus);
  case IR_add:
    return gather(x, sum, node.arg[0], scale) && gather(x, sum, node.arg[1], scale);
  case IR_sub: return gather(x, sum, node.arg[0], scale) && gather(x, sum, node.arg[1], minus);
  case IR_mul:
    for (int i = 0; i < 2; i++)
      if (is_free(x, node.arg[i])) {
        Ref factor = times(x, scale, without_axis(x, node.arg[i]), node.at);
        return gather(x, sum, node.arg[1 - i], factor);
      }
    return add_term(x, sum, r, scale);
  case IR_div:
    if (!is_free(x, node.arg[1])) return add_term(x, sum, r, scale);
    Ref divisor = without_axis(x, node.arg[1]);
    Ref divided = ir_two(f, IR_div, scale == IR_NONE ? one(x, r) : scale, divisor, node.at);
    return gather(x, sum, node.arg[0], divided);
  default: return add_term(x, sum, r, scale);
  }
}

/* ---- the contraction --------------------------------------------------------------------------------------------------------- */

/* The summand read as a value of shape ++ summed axis: where the map is a plain reordering of its axes with k among them. */
static bool summand_axes(const IrFunction *f, const IrNode *node, Ref summand, const IrMap *map, uint32_t *axis) {
  const Shape *shape = &f->node[summand].shape;
  int64_t stride[FLOW_MOST_RANK];
  if (shape->rank != node->shape.rank + 1 || map->offset) return false;
  ir_strides(shape, stride);
  uint32_t k = 0;
  for (*axis = shape->rank; k < shape->rank; k++)
    if (stride[k] == map->stride[node->shape.rank] && shape->dim[k] == node->extent[0]) *axis = k;
  if (*axis == shape->rank) return false;
  for (uint32_t o = 0, a = 0; o < node->shape.rank; o++, a++) {
    if (a == *axis) a++;
    if (shape->dim[a] != node->shape.dim[o] || (shape->dim[a] > 1 && map->stride[o] != stride[a])) return false;
  }
  return true;
}

static Ref factored(IrFunction *f, const IrNode *node, int weights) {
  IrOperand softmax = freeze_operand(node, weights), summand = freeze_operand(node, 1 - weights);
  Factor x = {.f = f};
  if (!summand_axes(f, node, summand.ref, &summand.map, &x.axis)) return IR_NONE;
  Affine sum = {.constant = IR_NONE};
  if (!gather(&x, &sum, summand.ref, IR_NONE)) return IR_NONE;
  if (sum.constant == IR_NONE && sum.atoms == 1 && sum.factor[0] == IR_NONE) return IR_NONE;
  Ref total = sum.constant;
  for (uint32_t i = 0; i < sum.atoms; i++) {
    IrOperand atom = {sum.atom[i], summand.map};
    Ref mean = ir_contract(f, &node->shape, 1, node->extent, softmax, atom, IR_NONE, node->at);
    total = plus(&x, total, times(&x, sum.factor[i], mean, node->at), node->at);
  }
  if (node->args > 2) total = plus(&x, node->arg[2], total, node->at);
  return total;
}

void ir_factor(IrFunction *f) {
  uint32_t nodes = f->nodes;
  IrFunction to = {.arena = f->arena, .inputs = f->inputs, .input = f->input, .weights = f->weights, .weight = f->weight};
  Ref *now = arena_array(f->arena, nodes, sizeof *now);
  for (Ref i = 0; i < nodes; i++) {
    IrNode node = f->node[i];
    Ref *arg = arena_array(f->arena, node.args + 1, sizeof *arg);
    for (uint32_t j = 0; j < node.args; j++) arg[j] = now[node.arg[j]];
    node.arg = arg;
    int weights = node.op == IR_contract ? freeze_softmax_operand(&to, &node) : -1;
    now[i] = weights < 0 ? IR_NONE : factored(&to, &node, weights);
    if (now[i] == IR_NONE) now[i] = ir_append(&to, &node);
  }
  f->node = to.node, f->nodes = to.nodes, f->room = to.room;
  f->result = now[f->result];
}
