/* SPDX-License-Identifier: Apache-2.0 */
/* freeze.c -- the arithmetic becomes final.
 *   needs   verified, unfrozen IR
 *   keeps   the value as real numbers, within the rounding of the operations below
 *   leaves  frozen IR: correctly rounded operations, the functions of elementary.h, reductions and chains in the order of
 *           ir.h; dead nodes, for ir_sweep
 *
 * What is decided here, and by the expression and its masks alone, so that a value has the same bits wherever it stands:
 *   products   a + b*c, b*c + a and a - b*c become one fma; also where the product has other uses.
 *   quotients  x/u with u depending on less than x is x*(1/u), at most one ulp more; not in mod, which must be exact.
 *   powers     small whole exponents by squaring, halves by the square root, else pow.
 *   softmax    e_k = 2^((l_k - max l) log2 e), never subnormal, times the reciprocal of the sum; log2 e goes into a factor of
 *              l that depends on less.  A mean over a softmax is summed first and divided once.
 *   linear     a contraction over a concat has one chain for each class of parts: weights, t, conditions, both, state; the
 *              first class starts from the bias, the classes are added in this order, and their sum starts the chain of the
 *              state.  So what does not depend on the state can be computed once for all samples.
 *   logdet     the sum of the logarithms of the pivots' sizes.
 *   max, min   a constant stands first, so that one instruction keeps NaN. */
#include <math.h>
#include "freeze.h"

static const double log2_e = 0x1.71547652b82fep0;

typedef struct Freeze { IrFunction *to; } Freeze;

IrOperand freeze_operand(const IrNode *node, int which) {
  return (IrOperand){node->arg[which], which ? node->map_b : node->map};
}

/* ---- little words ------------------------------------------------------------------------------------------------------- */

static uint8_t mask_of(const IrFunction *f, Ref r) { return f->node[r].mask; }
/* Can a be computed once where b cannot?  Its mask is a proper part of b's, or b alone has the state in it. */
static bool depends_on_less(const IrFunction *f, Ref a, Ref b) {
  uint8_t x = mask_of(f, a), y = mask_of(f, b);
  return (x != y && (x & y) == x) || (!(x & IR_STATE) && (y & IR_STATE));
}

static Ref number_like(IrFunction *f, Ref like, double value) {
  Shape shape = f->node[like].shape;
  return ir_number(f, &shape, value, f->node[like].at);
}

static bool is_product(const IrFunction *f, Ref r) { return f->node[r].op == IR_mul; }
static Ref factor_of(const IrFunction *f, Ref r, int i) { return f->node[r].arg[i]; }

/* op(base), viewed as r views base: work on what is repeated is done once. */
static Ref below_view(IrFunction *f, Ref r, Ref (*work)(IrFunction *f, Ref base)) {
  IrNode node = f->node[r];
  if (node.op != IR_view) return work(f, r);
  Ref base = below_view(f, node.arg[0], work);
  return ir_view_flat(f, base, &node.shape, &node.map, node.at);
}

/* A number that is known and counts as one: not the time of a call u(0.5, x), whose bits are those of t = 0.5. */
static bool is_literal(const IrFunction *f, Ref r, double *value) { return mask_of(f, r) == 0 && ir_known(f, r, value); }

static Ref reciprocal(IrFunction *f, Ref r) { return ir_two(f, IR_div, number_like(f, r, 1), r, f->node[r].at); }
static Ref times_log2_e(IrFunction *f, Ref r) { return ir_two(f, IR_mul, r, number_like(f, r, log2_e), f->node[r].at); }

static Ref negate_base(IrFunction *f, Ref r) { return ir_one(f, IR_neg, r, f->node[r].at); }
static Ref negated(IrFunction *f, Ref r) { return below_view(f, r, negate_base); }

/* ---- sums, products, quotients -------------------------------------------------------------------------------------------- */

/* b + (a contraction without a start): the chain starts from b, unless that would make the chain depend on more. */
static Ref start_chain(IrFunction *f, Ref chain, Ref start) {
  IrNode node = f->node[chain];
  if (node.op != IR_contract || node.args > 2 || (mask_of(f, start) & ~node.mask)) return IR_NONE;
  Ref arg[] = {node.arg[0], node.arg[1], start};
  node.args = 3, node.arg = arg, node.mask = 0;
  return ir_append(f, &node);
}

static Ref freeze_add(IrFunction *f, Ref a, Ref b, Span at) {
  if (is_product(f, b)) return ir_three(f, IR_fma, factor_of(f, b, 0), factor_of(f, b, 1), a, at);
  if (is_product(f, a)) return ir_three(f, IR_fma, factor_of(f, a, 0), factor_of(f, a, 1), b, at);
  Ref chain = start_chain(f, b, a);
  if (chain == IR_NONE) chain = start_chain(f, a, b);
  return chain == IR_NONE ? ir_two(f, IR_add, a, b, at) : chain;
}

/* Negation is exact, so that each of these is one rounding of a - b. */
static Ref freeze_sub(IrFunction *f, Ref a, Ref b, Span at) {
  if (is_product(f, b)) return ir_three(f, IR_fma, negated(f, factor_of(f, b, 0)), factor_of(f, b, 1), a, at);
  if (is_product(f, a)) return ir_three(f, IR_fma, factor_of(f, a, 0), factor_of(f, a, 1), negated(f, b), at);
  return ir_two(f, IR_sub, a, b, at);
}

/* A sign in front of a factor goes to the one that depends on less: -n * c is n * -c, exactly. */
static Ref freeze_mul(IrFunction *f, Ref a, Ref b, Span at) {
  if (f->node[a].op == IR_neg && depends_on_less(f, b, a)) return ir_two(f, IR_mul, f->node[a].arg[0], negated(f, b), at);
  if (f->node[b].op == IR_neg && depends_on_less(f, a, b)) return ir_two(f, IR_mul, negated(f, a), f->node[b].arg[0], at);
  return ir_two(f, IR_mul, a, b, at);
}

static Ref freeze_div(IrFunction *f, Ref a, Ref b, Span at) {
  if (!depends_on_less(f, b, a)) return ir_two(f, IR_div, a, b, at);
  return freeze_mul(f, a, below_view(f, b, reciprocal), at);
}

/* x^n from the leading digit of n down: square, and multiply by x where the digit is 1. */
static Ref whole_power(IrFunction *f, Ref x, unsigned n, Span at) {
  unsigned digit = 1;
  while (digit <= n / 2) digit *= 2;
  Ref power = x;
  while (digit /= 2) {
    power = ir_two(f, IR_mul, power, power, at);
    if (n & digit) power = ir_two(f, IR_mul, power, x, at);
  }
  return power;
}

enum { MOST_WHOLE_POWER = 64 };
static Ref freeze_pow(IrFunction *f, Ref x, Ref y, Span at) {
  double n;
  if (!is_literal(f, y, &n) || !(fabs(n) <= MOST_WHOLE_POWER)) return ir_two(f, IR_pow, x, y, at);
  if (n == 0.5) return ir_one(f, IR_sqrt, x, at);
  if (n != floor(n)) return ir_two(f, IR_pow, x, y, at);
  if (n == 0) return number_like(f, x, 1);
  Ref power = whole_power(f, x, (unsigned)fabs(n), at);
  return n > 0 ? power : reciprocal(f, power);
}

/* Divided, whatever b depends on: 49 * (1/49) is below 1, and mod(49, 49) is 0. */
static Ref freeze_mod(IrFunction *f, Ref a, Ref b, Span at) {
  Ref whole = ir_one(f, IR_floor, ir_two(f, IR_div, a, b, at), at);
  return ir_three(f, IR_fma, ir_one(f, IR_neg, whole, at), b, a, at);
}

/* 1, -1, or a itself, which is then a zero or NaN. */
static Ref freeze_sign(IrFunction *f, Ref a, Span at) {
  Ref zero = number_like(f, a, 0);
  Ref below = ir_three(f, IR_select, ir_two(f, IR_less, a, zero, at), number_like(f, a, -1), a, at);
  return ir_three(f, IR_select, ir_two(f, IR_less, zero, a, at), number_like(f, a, 1), below, at);
}

static Ref freeze_extreme(IrFunction *f, IrOp op, Ref a, Ref b, Span at) {
  double known;
  return is_literal(f, b, &known) && !is_literal(f, a, &known) ? ir_two(f, op, b, a, at) : ir_two(f, op, a, b, at);
}

/* ---- the last axis at once -------------------------------------------------------------------------------------------------- */

/* l log2 e, in a factor of l that depends on less where there is one. */
static Ref in_base_two(IrFunction *f, Ref l) {
  IrNode node = f->node[l];
  if (node.op != IR_mul) return times_log2_e(f, l);
  int small = depends_on_less(f, node.arg[0], node.arg[1]) ? 0 : depends_on_less(f, node.arg[1], node.arg[0]) ? 1 : -1;
  if (small < 0) return times_log2_e(f, l);
  Ref scaled = below_view(f, node.arg[small], times_log2_e);
  return small ? ir_two(f, IR_mul, node.arg[0], scaled, node.at) : ir_two(f, IR_mul, scaled, node.arg[1], node.at);
}

typedef struct Softmax { Ref exponential, sum; } Softmax;    /* e_k, and their sum without the last axis */

static Softmax open_softmax(IrFunction *f, Ref l, Span at) {
  Shape shape = f->node[l].shape;
  Ref scaled = in_base_two(f, l), most = ir_reduce(f, IR_reduce_top, scaled, at);
  Ref below = ir_two(f, IR_sub, scaled, ir_repeat_last(f, most, &shape, at), at);
  Ref e = ir_one(f, IR_exp2n, below, at);
  return (Softmax){e, ir_reduce(f, IR_reduce_sum, e, at)};
}

static Ref freeze_softmax(IrFunction *f, Ref l, Span at) {
  Shape shape = f->node[l].shape;
  Softmax s = open_softmax(f, l, at);
  return ir_two(f, IR_mul, s.exponential, ir_repeat_last(f, reciprocal(f, s.sum), &shape, at), at);
}

/* max l + log sum e^(l - max l) */
static Ref freeze_logsumexp(IrFunction *f, Ref l, Span at) {
  Shape shape = f->node[l].shape;
  Ref most = ir_reduce(f, IR_reduce_max, l, at);
  Ref below = ir_two(f, IR_sub, l, ir_repeat_last(f, most, &shape, at), at);
  Ref e = ir_one(f, IR_exp2n, times_log2_e(f, below), at);
  return ir_two(f, IR_add, most, ir_one(f, IR_log, ir_reduce(f, IR_reduce_sum, e, at), at), at);
}

/* Mean, then centred squares, as one chain. */
static Ref freeze_standardize(IrFunction *f, Ref a, double eps, Span at) {
  Shape whole = f->node[a].shape, outer = whole;
  int64_t n = whole.dim[whole.rank - 1], stride[FLOW_MOST_RANK];
  outer.dim[--outer.rank] = 0;
  Ref share = ir_number(f, &outer, 1.0 / (double)n, at);
  Ref mean = ir_two(f, IR_mul, ir_reduce(f, IR_reduce_sum, a, at), share, at);
  Ref centred = ir_two(f, IR_sub, a, ir_repeat_last(f, mean, &whole, at), at);
  ir_strides(&whole, stride);
  IrOperand operand = {centred, {0}};
  for (uint32_t k = 0; k < whole.rank; k++) operand.map.stride[k] = stride[k];
  Ref squares = ir_contract(f, &outer, 1, &n, operand, operand, IR_NONE, at);
  Ref variance = ir_three(f, IR_fma, squares, share, ir_number(f, &outer, eps, at), at);
  Ref scale = reciprocal(f, ir_one(f, IR_sqrt, variance, at));
  return ir_two(f, IR_mul, centred, ir_repeat_last(f, scale, &whole, at), at);
}

/* log |pivot_0| + log |pivot_1| + ... */
static Ref freeze_logdet(IrFunction *f, Ref a, Span at) {
  IrNode pivots = {.op = IR_pivots, .args = 1, .arg = &a, .shape = f->node[a].shape, .at = at};
  pivots.shape.dim[--pivots.shape.rank] = 0;
  Ref size = ir_one(f, IR_abs, ir_append(f, &pivots), at);
  return ir_reduce(f, IR_reduce_sum, ir_one(f, IR_log, size, at), at);
}

/* ---- contractions --------------------------------------------------------------------------------------------------------------- */

int freeze_softmax_operand(const IrFunction *f, const IrNode *node) {
  if (node->sums != 1) return -1;
  for (int i = 0; i < 2; i++) {
    IrOperand operand = freeze_operand(node, i);
    int64_t extent[IR_MOST_AXES];
    for (uint32_t k = 0; k < node->shape.rank; k++) extent[k] = node->shape.dim[k];
    extent[node->shape.rank] = node->extent[0];
    operand = ir_see_through(f, operand, node->shape.rank + 1, extent);
    const IrNode *of = &f->node[operand.ref];
    if (of->op == IR_softmax && operand.map.stride[node->shape.rank] == 1 && of->shape.dim[of->shape.rank - 1] == node->extent[0])
      return i;
  }
  return -1;
}

/* The sum of a softmax's exponentials as the contraction's outputs see it: its own index without the last axis. */
static Ref sum_for_outputs(IrFunction *f, const IrNode *node, const IrNode *softmax, const IrOperand *operand, Ref sum) {
  int64_t n = softmax->shape.dim[softmax->shape.rank - 1];
  IrMap map = {operand->map.offset / n, {0}};
  for (uint32_t k = 0; k < node->shape.rank; k++) map.stride[k] = operand->map.stride[k] / n;
  Shape shape = node->shape;
  return ir_view_flat(f, sum, &shape, &map, node->at);
}

/* sum_k e_k v_k, then once times 1 / sum_k e_k, then the start.  `softmax` is the old node that `operand` reads. */
static Ref mean_over_softmax(IrFunction *f, const IrNode *node, int weights, const IrNode *softmax, Ref logits, IrOperand operand) {
  Softmax s = open_softmax(f, logits, softmax->at);
  IrOperand e = {s.exponential, operand.map}, v = freeze_operand(node, 1 - weights);
  Ref sum = weights ? ir_contract(f, &node->shape, 1, node->extent, v, e, IR_NONE, node->at)
                    : ir_contract(f, &node->shape, 1, node->extent, e, v, IR_NONE, node->at);
  Ref share = sum_for_outputs(f, node, softmax, &operand, reciprocal(f, s.sum));
  if (node->args > 2) return ir_three(f, IR_fma, sum, share, node->arg[2], node->at);
  return ir_two(f, IR_mul, sum, share, node->at);
}

typedef enum { CLASS_WEIGHTS, CLASS_TIMES, CLASS_CONDITIONS, CLASS_MIXED, CLASS_STATE } PartClass;
static PartClass class_of(uint8_t mask) {
  if (mask & IR_STATE) return CLASS_STATE;
  if ((mask & IR_TIMES) && (mask & IR_CONDITIONS)) return CLASS_MIXED;
  return mask & IR_CONDITIONS ? CLASS_CONDITIONS : mask & IR_TIMES ? CLASS_TIMES : CLASS_WEIGHTS;
}

/* The operand that is a whole vector put together of parts, summed from end to end; -1 where neither is. */
static int parts_operand(const IrFunction *f, const IrNode *node) {
  if (node->sums != 1) return -1;
  for (int i = 0; i < 2; i++) {
    IrOperand operand = freeze_operand(node, i);
    const IrNode *of = &f->node[operand.ref];
    bool apart = true;
    for (uint32_t k = 0; k < node->shape.rank; k++) apart = apart && (operand.map.stride[k] == 0 || node->shape.dim[k] == 1);
    if (of->op == IR_concat && of->shape.rank == 1 && apart && operand.map.offset == 0 && operand.map.stride[node->shape.rank] == 1 &&
        of->shape.dim[0] == node->extent[0])
      return i;
  }
  return -1;
}

/* One part of the parts' operand against the matching columns of the other one. */
static Ref part_chain(IrFunction *f, const IrNode *node, int which, Ref part, int64_t start, Ref init) {
  int64_t length = f->node[part].shape.dim[0];
  IrOperand piece = {part, {0}}, other = freeze_operand(node, 1 - which);
  piece.map.stride[node->shape.rank] = 1;
  other.map.offset += start * other.map.stride[node->shape.rank];
  IrOperand a = which ? other : piece, b = which ? piece : other;
  return ir_contract(f, &node->shape, 1, &length, a, b, init, node->at);
}

static Ref contract_by_class(IrFunction *f, const IrNode *node, int which) {
  IrNode parts = f->node[node->arg[which]];
  Ref total = node->args > 2 ? node->arg[2] : IR_NONE;
  bool first = true;
  for (int class = CLASS_WEIGHTS; class <= CLASS_STATE; class++) {
    Ref chain = first || class == CLASS_STATE ? total : IR_NONE;
    bool any = false;
    int64_t start = 0;
    for (uint32_t i = 0; i < parts.args; i++) {
      if ((int)class_of(mask_of(f, parts.arg[i])) == class) {
        chain = part_chain(f, node, which, parts.arg[i], start, chain);
        any = true;
      }
      start += f->node[parts.arg[i]].shape.dim[0];
    }
    if (!any) continue;
    total = first || class == CLASS_STATE ? chain : ir_two(f, IR_add, total, chain, node->at);
    first = false;
  }
  return total;
}

static bool one_class(const IrFunction *f, const IrNode *parts) {
  for (uint32_t i = 1; i < parts->args; i++)
    if (class_of(mask_of(f, parts->arg[i])) != class_of(mask_of(f, parts->arg[0]))) return false;
  return true;
}

/* `old` is the function before; its softmaxes are looked for there, since here they are gone. */
static Ref freeze_contract(IrFunction *f, const IrFunction *old, const IrNode *was, const IrNode *node, const Ref *now) {
  int softmax = freeze_softmax_operand(old, was);
  if (softmax >= 0) {
    int64_t extent[IR_MOST_AXES];
    for (uint32_t k = 0; k < was->shape.rank; k++) extent[k] = was->shape.dim[k];
    extent[was->shape.rank] = was->extent[0];
    IrOperand operand = ir_see_through(old, freeze_operand(was, softmax), was->shape.rank + 1, extent);
    const IrNode *of = &old->node[operand.ref];
    return mean_over_softmax(f, node, softmax, of, now[of->arg[0]], operand);
  }
  int parts = parts_operand(f, node);
  if (parts >= 0 && !one_class(f, &f->node[node->arg[parts]])) return contract_by_class(f, node, parts);
  return ir_append(f, node);
}

/* ---- the pass ------------------------------------------------------------------------------------------------------------------------ */

/* What was pinned keeps the pin's mask (a literal time counts as a time), for the decisions above; views inherit that. */
static Ref freeze_pin(IrFunction *f, Ref pinned, uint8_t mask) {
  IrNode node = f->node[pinned];
  node.mask |= mask;
  return ir_append(f, &node);
}

static Ref freeze_node(IrFunction *f, const IrFunction *old, const IrNode *was, const IrNode *node, const Ref *now) {
  const Ref a = node->args > 0 ? node->arg[0] : IR_NONE, b = node->args > 1 ? node->arg[1] : IR_NONE;
  switch (node->op) {
  case IR_add: return freeze_add(f, a, b, node->at);
  case IR_sub: return freeze_sub(f, a, b, node->at);
  case IR_mul: return freeze_mul(f, a, b, node->at);
  case IR_div: return freeze_div(f, a, b, node->at);
  case IR_pow: return freeze_pow(f, a, b, node->at);
  case IR_mod: return freeze_mod(f, a, b, node->at);
  case IR_sign: return freeze_sign(f, a, node->at);
  case IR_max: case IR_min: return freeze_extreme(f, node->op, a, b, node->at);
  case IR_softmax: return freeze_softmax(f, a, node->at);
  case IR_logsumexp: return freeze_logsumexp(f, a, node->at);
  case IR_logdet: return freeze_logdet(f, a, node->at);
  case IR_standardize: return freeze_standardize(f, a, node->number, node->at);
  case IR_contract: return freeze_contract(f, old, was, node, now);
  case IR_pin: return freeze_pin(f, a, was->mask);
  default: return ir_append(f, node);
  }
}

void ir_freeze(IrFunction *f) {
  IrFunction to = {.arena = f->arena, .inputs = f->inputs, .input = f->input, .weights = f->weights, .weight = f->weight};
  Ref *now = arena_array(f->arena, f->nodes, sizeof *now);
  for (Ref i = 0; i < f->nodes; i++) {
    const IrNode *was = &f->node[i];
    IrNode node = *was;
    Ref *arg = arena_array(f->arena, node.args + 1, sizeof *arg);
    for (uint32_t j = 0; j < node.args; j++) arg[j] = now[node.arg[j]];
    node.arg = arg;
    now[i] = freeze_node(&to, f, was, &node, now);
  }
  f->node = to.node, f->nodes = to.nodes, f->room = to.room;
  f->result = now[f->result];
  f->frozen = true;
}
