/* SPDX-License-Identifier: Apache-2.0 */
/* lower_builtin.c -- the functions that the language has without a definition, as operations of the IR.
 *
 * Most are an elementwise operation of the same name; the rest are small formulas. */
#include "lower.h"

typedef Value Rule(Lowering *l, const Typed *e, const Value *arg);

static const Shape scalar = {0};

static Shape vector_of(const Lowering *l, const Value *v) {
  const Shape *whole = &l->f->node[v->ref].shape;
  return (Shape){.rank = 1, .dim = {whole->dim[whole->rank - 1]}};
}

static Value last_axis(Lowering *l, IrOp op, const Value *v, Span at) {
  Value result = *v;
  result.ref = ir_reduce(l->f, op, v->ref, at);
  return result;
}

static Value lower_sum(Lowering *l, const Typed *e, const Value *v) { return last_axis(l, IR_reduce_sum, v, e->at); }
static Value lower_logsumexp(Lowering *l, const Typed *e, const Value *v) { return last_axis(l, IR_logsumexp, v, e->at); }

static Value lower_mean(Lowering *l, const Typed *e, const Value *v) {
  Value count = lower_number(l, (double)vector_of(l, v).dim[0], e->at);
  Value total = lower_sum(l, e, v);
  return lower_each(l, IR_div, 2, (Value[]){total, count}, &scalar, e->at);
}

static Value extreme(Lowering *l, IrOp of_two, IrOp of_all, const Typed *e, const Value *arg) {
  return e->args == 2 ? lower_each(l, of_two, 2, arg, &e->shape, e->at) : last_axis(l, of_all, arg, e->at);
}
static Value lower_max(Lowering *l, const Typed *e, const Value *arg) { return extreme(l, IR_max, IR_reduce_max, e, arg); }
static Value lower_min(Lowering *l, const Typed *e, const Value *arg) { return extreme(l, IR_min, IR_reduce_min, e, arg); }

static Value lower_softmax(Lowering *l, const Typed *e, const Value *v) {
  Value result = *v;
  result.ref = ir_one(l->f, IR_softmax, v->ref, e->at);
  return result;
}

Value lower_standardize(Lowering *l, const Value *v, double eps, Span at) {
  Ref arg = v->ref;
  IrNode node = {.op = IR_standardize, .args = 1, .arg = &arg, .shape = l->f->node[arg].shape, .number = eps, .at = at};
  Value result = *v;
  result.ref = ir_append(l->f, &node);
  return result;
}

static Value lower_plain_standardize(Lowering *l, const Typed *e, const Value *v) {
  return lower_standardize(l, v, 1e-5, e->at);
}

static Value lower_norm2(Lowering *l, const Typed *e, const Value *v) { return lower_dot(l, v, v, e->at); }
static Value lower_product(Lowering *l, const Typed *e, const Value *arg) { return lower_dot(l, &arg[0], &arg[1], e->at); }

static Value lower_norm(Lowering *l, const Typed *e, const Value *v) {
  Value square = lower_dot(l, v, v, e->at);
  return lower_each(l, IR_sqrt, 1, &square, &scalar, e->at);
}

static Value matrix(Lowering *l, IrOp op, const Typed *e, const Value *arg) {
  Value over = arg[0];
  Ref ref[2] = {0};
  if (e->args == 2) lower_add_loops(l, &over, &arg[1]);
  for (uint32_t i = 0; i < e->args; i++) ref[i] = lower_spread(l, &arg[i], &over, &e->arg[i]->shape, e->at);
  IrNode node = {.op = op, .args = e->args, .arg = ref, .at = e->at};
  if (l->failed || !lower_shape(l, &over, &e->shape, e->at, &node.shape)) return arg[0];
  over.ref = ir_append(l->f, &node);
  return over;
}
static Value lower_solve(Lowering *l, const Typed *e, const Value *arg) { return matrix(l, IR_solve, e, arg); }
static Value lower_logdet(Lowering *l, const Typed *e, const Value *arg) { return matrix(l, IR_logdet, e, arg); }

/* select(i = 0 1 2 .., 1, 0) */
static Value lower_one_hot(Lowering *l, const Typed *e, const Value *arg) {
  double *number = arena_array(l->f->arena, (size_t)e->shape.dim[0], sizeof *number);
  for (int64_t i = 0; i < e->shape.dim[0]; i++) number[i] = (double)i;
  Value counter = {.ref = ir_data(l->f, &e->shape, number, e->at)};
  Value hit = lower_each(l, IR_equal, 2, (Value[]){counter, arg[0]}, &e->shape, e->at);
  Value choice[3] = {hit, lower_number(l, 1, e->at), lower_number(l, 0, e->at)};
  return lower_each(l, IR_select, 3, choice, &e->shape, e->at);
}

/* One row per builtin: an operation of the IR, or a rule. */
#define EACH(name) [BUILTIN_##name] = {IR_##name, NULL}
#define RULE(name, rule) [BUILTIN_##name] = {IR_OP_COUNT, rule}
static const struct { IrOp op; Rule *rule; } builtin[BUILTIN_COUNT] = {
    EACH(exp),   EACH(log),  EACH(log1p), EACH(expm1), EACH(sqrt), EACH(sin),   EACH(cos), EACH(tan),
    EACH(atan),  EACH(tanh), EACH(erf),   EACH(abs),   EACH(pow),  EACH(floor), EACH(mod), EACH(sign),
    EACH(sigmoid),
    RULE(min, lower_min),          RULE(max, lower_max),
    RULE(sum, lower_sum),          RULE(mean, lower_mean),
    RULE(softmax, lower_softmax),  RULE(logsumexp, lower_logsumexp),
    RULE(norm2, lower_norm2),      RULE(norm, lower_norm),
    RULE(dot, lower_product),      RULE(standardize, lower_plain_standardize),
    RULE(one_hot, lower_one_hot),  RULE(solve, lower_solve),
    RULE(logdet, lower_logdet),
};

Value lower_builtin(Lowering *l, const Typed *e, const Value *arg) {
  if (builtin[e->builtin].rule) return builtin[e->builtin].rule(l, e, arg);
  return lower_each(l, builtin[e->builtin].op, e->args, arg, &e->shape, e->at);
}
