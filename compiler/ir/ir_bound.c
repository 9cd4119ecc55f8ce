/* SPDX-License-Identifier: Apache-2.0 */
/* ir_bound.c -- how far the model's arithmetic may be from the real numbers, followed through one evaluation.
 *
 * Beside each element stands a bound e of the error that f, executed in the given precision, may have made in it, if
 * the elements of inputs and weights are exact.  With u = 2^-24 or 2^-53, and d the error that the operands' errors
 * make (|df/da| ea + |df/db| eb, taken at the worst end of the interval, not at its middle),
 *
 *     correctly rounded operations   e = d + u (|v| + d)
 *     functions of elementary.h      e = d + 2u ulp (|v| + d), with the ulp that elementary.def states
 *     sums                           the same, step by step, in the order in which they are executed
 *
 * A constant has the error u|c|, unless it is short enough to have been meant (0.5, 3): it is a rounded decimal.
 *
 * Undecided, e = INFINITY: where a comparison, a floor or a sign could go the other way within the operands' errors, a
 * divisor or an argument of log, sqrt, tan, pow come within their error of the end of the domain, or the value leaves
 * the range of the precision.  max and min need no such rule: they stretch no distance.
 *
 * Values are computed in f64 by the interpreter's evaluators, so for precision 8 they carry an error themselves, within
 * the same bound.  Before freeze, softmax and its kind are bounded as the interpreter evaluates them. */
#include <float.h>
#include <math.h>
#include <string.h>
#include "ir_run.h"
#include "ir_walk.h"

typedef struct Unit { int precision; double u, least, most; } Unit;     /* least: half the least subnormal */

/* A value and the bound of its error. */
typedef struct Near { double v, e; } Near;

/* Errors in ulp of the elementary functions, [0] for f32, [1] for f64; 0: correctly rounded or exact. */
static const double ulps[IR_OP_COUNT][2] = {
#define ELEMENTARY(name, operands, ulp_f32, ulp_f64, domain) [IR_##name] = {ulp_f32, ulp_f64},
#include "elementary.def"
#undef ELEMENTARY
};

static Unit unit_of(int precision) {
  if (precision == 4) return (Unit){4, 0x1p-24, 0x1p-150, FLT_MAX};
  return (Unit){8, 0x1p-53, DBL_TRUE_MIN, DBL_MAX};
}

/* The error after rounding a value that was off by d before. */
static double rounded(const Unit *unit, double v, double d) { return d + unit->u * (fabs(v) + d) + unit->least; }

/* The same after a function that is off by up to `ulps` units in the last place; an ulp is at most 2u|v|. */
static double approximated(const Unit *unit, IrOp op, double v, double d) {
  return d + 2 * unit->u * ulps[op][unit->precision == 8] * (fabs(v) + d) + 2 * unit->least;
}

/* ---- what the operands' errors make of a value v ---------------------------------------------------------------- */
static double of_product(Near a, Near b) { return fabs(a.v) * b.e + fabs(b.v) * a.e + a.e * b.e; }

static double of_quotient(Near a, Near b, double v) {
  if (b.e == 0) return b.v == 0 ? (a.e == 0 ? 0 : INFINITY) : a.e / fabs(b.v);
  return fabs(b.v) <= b.e ? INFINITY : (a.e + fabs(v) * b.e) / (fabs(b.v) - b.e);
}

static double of_sqrt(Near a, double v) {
  if (a.e == 0) return 0;
  return a.v <= a.e ? INFINITY : a.e / (v + sqrt(a.v - a.e));
}

/* log(x) with x = a: -log(1 - e/x) is the longer of the two sides. */
static double of_log(Near a) {
  if (a.e == 0) return 0;
  return a.v <= a.e ? INFINITY : -log1p(-a.e / a.v);
}

static double of_tan(Near a) {
  double c = fabs(cos(a.v));
  if (a.e == 0) return 0;
  return c <= a.e ? INFINITY : a.e / ((c - a.e) * (c - a.e));
}

static double of_pow(Near a, Near b, double v) {
  if (a.e == 0 && b.e == 0) return 0;
  double log_error = of_log(a);
  if (a.v <= 0) return INFINITY;
  return fabs(v) * expm1(fabs(b.v) * log_error + b.e * (fabs(log(a.v)) + log_error));
}

static double floor_error(Near a) { return floor(a.v - a.e) == floor(a.v + a.e) ? 0 : INFINITY; }

static double compare_error(Near a, Near b) {
  double e = a.e + b.e;
  return e > 0 && !(fabs(a.v - b.v) > e) ? INFINITY : 0;
}

/* The mean value theorem with the larger of the slopes at hand: `slope` at a.v, growing at most by e^(rate e). */
static double steepest(double most, double slope, double rate, double e) {
  return fmin(most * e, slope * exp(rate * e) * e);
}

static double of_function(IrOp op, Near a, Near b, double v) {
  switch (op) {
  case IR_exp: return v * expm1(a.e);
  case IR_exp2n: return v * expm1(a.e * 0.6931471805599454);    /* ln 2, rounded up */
  case IR_expm1: return exp(a.v) * expm1(a.e);
  case IR_log: return of_log(a);
  case IR_log1p: return of_log((Near){1 + a.v, a.e});
  case IR_sigmoid: return steepest(0.25, v * (1 - v), 1, a.e);
  case IR_tanh: return steepest(1, fmax(0, 1 - v * v), 2, a.e);
  case IR_erf: return 1.1283791670955128 * a.e;                 /* 2/sqrt(pi), rounded up */
  case IR_tan: return of_tan(a);
  case IR_pow: return of_pow(a, b, v);
  default: return a.e;                                          /* sin, cos, atan: slope at most 1 */
  }
}

/* ---- elementwise ------------------------------------------------------------------------------------------------ */
/* What sigmoid and exp2n may lose where the result is below the normal numbers (elementary.def). */
static double lost_below(const Unit *unit, IrOp op) {
  if (op != IR_sigmoid && op != IR_exp2n) return 0;
  return unit->precision == 4 ? FLT_MIN : DBL_MIN;
}

static double mod_error(const Unit *unit, Near a, Near b) {
  Near q = {a.v / b.v, 0};
  q.e = rounded(unit, q.v, of_quotient(a, b, q.v));
  Near whole = {floor(q.v), floor_error(q)};
  Near product = {b.v * whole.v, 0};
  product.e = rounded(unit, product.v, of_product(b, whole));
  return rounded(unit, a.v - product.v, a.e + product.e);
}

static double element_error(const Unit *unit, IrOp op, double v, Near a, Near b, Near c) {
  switch (op) {
  case IR_neg: case IR_abs: case IR_pin: case IR_variable: case IR_hold: return a.e;
  case IR_add: case IR_sub: return rounded(unit, v, a.e + b.e);
  case IR_mul: return rounded(unit, v, of_product(a, b));
  case IR_div: return rounded(unit, v, of_quotient(a, b, v));
  case IR_fma: return rounded(unit, v, of_product(a, b) + c.e);
  case IR_sqrt: return rounded(unit, v, of_sqrt(a, v));
  case IR_floor: return floor_error(a);
  case IR_max: case IR_min: return fmax(a.e, b.e);
  case IR_mod: return mod_error(unit, a, b);
  case IR_sign: return compare_error(a, (Near){0, 0});
  case IR_found: return a.e + compare_error(c, (Near){1e-10, 0});
  case IR_select: return a.e > 0 ? INFINITY : a.v != 0 ? b.e : c.e;
  case IR_less: case IR_less_equal: case IR_equal: case IR_not_equal: return compare_error(a, b);
  case IR_and: case IR_or: return a.e + b.e;
  case IR_not: return a.e;
  default: return approximated(unit, op, v, of_function(op, a, b, v)) + lost_below(unit, op);
  }
}

/* A value beside the numbers is certain only if nothing led to it by an error; one beyond the precision never is. */
static double settled(const Unit *unit, double v, double e, double operands) {
  if (!isfinite(v)) return operands > 0 ? INFINITY : 0;
  return isnan(e) || fabs(v) + e > unit->most ? INFINITY : e;
}

static Near near_one(const Unit *unit, IrOp op, double v, Near a, Near b, Near c) {
  return (Near){v, settled(unit, v, element_error(unit, op, v, a, b, c), a.e + b.e + c.e)};
}

/* ---- one evaluation --------------------------------------------------------------------------------------------- */
typedef struct Run {
  const IrFunction *f;
  Unit unit;
  const double **value, **error;        /* by node */
  const double **arg;                   /* room for an operand list */
} Run;

static Near element(const Run *run, const IrNode *node, uint32_t j, int64_t at) {
  if (j >= node->args) return (Near){0, 0};
  return (Near){run->value[node->arg[j]][at], run->error[node->arg[j]][at]};
}

static void elements(const Run *run, const IrNode *node, const double *v, double *e) {
  const int64_t count = shape_count(&node->shape);
  for (int64_t i = 0; i < count; i++) {
    Near a = element(run, node, 0, i), b = element(run, node, 1, i), c = element(run, node, 2, i);
    e[i] = near_one(&run->unit, node->op, v[i], a, b, c).e;
  }
}

/* Short numbers stand for themselves; others for a decimal, or a folded value, that was rounded to them. */
static void constants(const Run *run, const IrNode *node, double *e) {
  const int64_t count = shape_count(&node->shape);
  for (int64_t i = 0; i < count; i++) {
    double scaled = fabs(node->data[i]) * 1024;
    bool short_enough = !isfinite(scaled) || (scaled < 0x1p24 && scaled == floor(scaled));
    e[i] = short_enough ? 0 : run->unit.u * fabs(node->data[i]) + run->unit.least;
  }
}

/* Errors move as the elements do.  A label that is not exact may name another row. */
static void layout(const Run *run, const IrNode *node, double *e) {
  for (uint32_t j = 0; j < node->args; j++) run->arg[j] = run->error[node->arg[j]];
  if (node->op == IR_lookup) run->arg[1] = run->value[node->arg[1]];
  (void)ir_evaluate_f64(run->f, node, run->arg, e);     /* fails for matrices only */
  if (node->op != IR_lookup) return;
  const int64_t count = shape_count(&node->shape), row = node->shape.dim[node->shape.rank - 1];
  for (int64_t i = 0; i < count; i++) {
    if (isnan(e[i])) e[i] = 0;          /* outside the table: NaN, and no doubt about it */
    if (run->error[node->arg[1]][i / row] > 0) e[i] = INFINITY;
  }
}

/* ---- sums, in the order of ir.h --------------------------------------------------------------------------------- */
static Near join(const Unit *unit, IrOp op, Near a, Near b) {
  if (op == IR_reduce_max) return (Near){a.v > b.v || a.v != a.v ? a.v : b.v, fmax(a.e, b.e)};
  if (op == IR_reduce_top) return (Near){a.v > b.v ? a.v : b.v, fmax(a.e, b.e)};
  if (op == IR_reduce_min) return (Near){a.v < b.v || a.v != a.v ? a.v : b.v, fmax(a.e, b.e)};
  return near_one(unit, IR_add, a.v + b.v, a, b, (Near){0, 0});
}

static Near chain(const Unit *unit, IrOp op, const double *v, const double *e, int64_t first, int64_t step, int64_t n) {
  Near sum = {v[first], e[first]};
  for (int64_t i = first + step; i < n; i += step) sum = join(unit, op, sum, (Near){v[i], e[i]});
  return sum;
}

static Near reduce(const Unit *unit, IrOp op, const double *v, const double *e, int64_t n) {
  if (n < 16) return chain(unit, op, v, e, 0, 1, n);
  Near p[8];
  for (int i = 0; i < 8; i++) p[i] = chain(unit, op, v, e, i, 8, n);
  Near even = join(unit, op, join(unit, op, p[0], p[4]), join(unit, op, p[2], p[6]));
  Near odd = join(unit, op, join(unit, op, p[1], p[5]), join(unit, op, p[3], p[7]));
  return join(unit, op, even, odd);
}

static void contract(const Run *run, const IrNode *node, double *e) {
  int64_t extent[IR_MOST_AXES], index[IR_MOST_AXES] = {0};
  const uint32_t axes = ir_contract_space(node, extent);
  const int64_t count = shape_count(&node->shape), terms = ir_contract_terms(node);
  for (int64_t o = 0; o < count; o++) {
    Near sum = element(run, node, 2, o);
    for (int64_t k = 0; k < terms; k++) {
      Near a = element(run, node, 0, ir_map_at(&node->map, axes, index));
      Near b = element(run, node, 1, ir_map_at(&node->map_b, axes, index));
      sum = near_one(&run->unit, IR_fma, fma(a.v, b.v, sum.v), a, b, sum);
      ir_next_point(axes, extent, index);
    }
    e[o] = sum.e;
  }
}

/* ---- the last axis at once, as ir_run.inc evaluates it ---------------------------------------------------------- */
static Near two(const Unit *unit, IrOp op, double v, Near a, Near b) {
  return near_one(unit, op, v, a, b, (Near){0, 0});
}
static Near one(const Unit *unit, IrOp op, double v, Near a) { return two(unit, op, v, a, (Near){0, 0}); }

/* Sum of exp(x - largest), and each term's error in e where that is wanted. */
static Near exponentials(const Unit *unit, const double *v, const double *e, int64_t n, Near most, double *each) {
  Near sum = {0, 0};
  for (int64_t i = 0; i < n; i++) {
    Near shifted = two(unit, IR_sub, v[i] - most.v, (Near){v[i], e[i]}, most);
    Near power = one(unit, IR_exp, exp(shifted.v), shifted);
    if (each) each[i] = power.e;
    sum = join(unit, IR_reduce_sum, sum, power);
  }
  return sum;
}

static void softmax(const Unit *unit, const double *v, const double *e, int64_t n, double *out) {
  Near most = reduce(unit, IR_reduce_max, v, e, n);
  Near sum = exponentials(unit, v, e, n, most, out);
  for (int64_t i = 0; i < n; i++) {
    Near power = {exp(v[i] - most.v), out[i]};
    out[i] = two(unit, IR_div, power.v / sum.v, power, sum).e;
  }
}

static double logsumexp(const Unit *unit, const double *v, const double *e, int64_t n) {
  Near most = reduce(unit, IR_reduce_max, v, e, n);
  Near sum = exponentials(unit, v, e, n, most, NULL);
  Near power = one(unit, IR_log, log(sum.v), sum);
  return two(unit, IR_add, most.v + power.v, most, power).e;
}

static void standardize(const Unit *unit, const double *v, const double *e, int64_t n, double eps, double *out) {
  Near length = {(double)n, 0}, sum = reduce(unit, IR_reduce_sum, v, e, n), squares = {0, 0};
  Near mean = two(unit, IR_div, sum.v / length.v, sum, length);
  for (int64_t i = 0; i < n; i++) {
    Near centred = two(unit, IR_sub, v[i] - mean.v, (Near){v[i], e[i]}, mean);
    squares = near_one(unit, IR_fma, squares.v + centred.v * centred.v, centred, centred, squares);
    out[i] = centred.e;
  }
  Near variance = two(unit, IR_div, squares.v / length.v, squares, length);
  variance = two(unit, IR_add, variance.v + eps, variance, (Near){eps, unit->u * eps});
  Near deviation = one(unit, IR_sqrt, sqrt(variance.v), variance);
  for (int64_t i = 0; i < n; i++) {
    Near centred = {v[i] - mean.v, out[i]};
    out[i] = two(unit, IR_div, centred.v / deviation.v, centred, deviation).e;
  }
}

/* Reductions and the operations on the last axis: row by row. */
static void rows(const Run *run, const IrNode *node, double *out) {
  const Shape *from = &run->f->node[node->arg[0]].shape;
  const int64_t n = from->dim[from->rank - 1], count = shape_count(from) / n;
  for (int64_t i = 0; i < count; i++) {
    const double *v = run->value[node->arg[0]] + i * n, *e = run->error[node->arg[0]] + i * n;
    switch (node->op) {
    case IR_softmax: softmax(&run->unit, v, e, n, out + i * n); break;
    case IR_standardize: standardize(&run->unit, v, e, n, node->number, out + i * n); break;
    case IR_logsumexp: out[i] = logsumexp(&run->unit, v, e, n); break;
    default: out[i] = reduce(&run->unit, node->op, v, e, n).e;
    }
  }
}

/* ---- nodes ------------------------------------------------------------------------------------------------------ */
static void errors_of(const Run *run, const IrNode *node, const double *v, double *e) {
  switch (ir_op_class[node->op]) {
  case IR_LEAF: if (node->op == IR_constant) constants(run, node, e); break;
  case IR_LAYOUT: layout(run, node, e); break;
  case IR_SUM: case IR_WHOLE:
    if (node->op == IR_contract) contract(run, node, e);
    else rows(run, node, e);
    break;
  case IR_MATRIX:               /* as far off as the matrix is near a singular one, which nothing here knows */
    for (int64_t i = 0; i < shape_count(&node->shape); i++) e[i] = INFINITY;
    break;
  default: elements(run, node, v, e);
  }
}

/* Allocates and fills value and error of node i: one block, values first. */
static bool fill_node(const Run *run, Ref i, const double *const *input, const double *const *weight) {
  const IrNode *node = &run->f->node[i];
  const size_t count = (size_t)shape_count(&node->shape);
  double *block = flow_alloc_array(run->f->arena->allocator, 2 * count, sizeof *block);
  if (!block) return false;
  run->value[i] = block;
  run->error[i] = block + count;
  if (node->op == IR_input || node->op == IR_weight) {
    memcpy(block, node->op == IR_input ? input[node->slot] : weight[node->slot], count * sizeof *block);
    return true;
  }
  for (uint32_t j = 0; j < node->args; j++) run->arg[j] = run->value[node->arg[j]];
  if (!ir_evaluate_f64(run->f, node, run->arg, block)) {
    flow_free(run->f->arena->allocator, block, 2 * count * sizeof *block);
    run->value[i] = NULL;
    return false;
  }
  errors_of(run, node, block, block + count);
  return true;
}

static bool fill(const Run *run, const double *const *input, const double *const *weight) {
  for (Ref i = 0; i <= run->f->result; i++)
    if (!fill_node(run, i, input, weight)) return false;
  return true;
}

bool ir_run_bound(const IrFunction *f, int precision, const double *const *input, const double *const *weight,
                  double *result, double *bound) {
  const FlowAllocator *allocator = f->arena->allocator;
  const size_t args = ir_most_args(f), nodes = f->nodes;
  Run run = {.f = f, .unit = unit_of(precision)};
  run.value = flow_alloc_array(allocator, nodes, sizeof *run.value);
  run.error = flow_alloc_array(allocator, nodes, sizeof *run.error);
  run.arg = flow_alloc_array(allocator, args, sizeof *run.arg);
  const bool done = run.value && run.error && run.arg && fill(&run, input, weight);
  if (done) {
    const size_t bytes = (size_t)shape_count(&f->node[f->result].shape) * sizeof *result;
    memcpy(result, run.value[f->result], bytes);
    memcpy(bound, run.error[f->result], bytes);
  }
  for (Ref i = 0; run.value && i < nodes; i++)
    flow_free(allocator, (void *)(uintptr_t)run.value[i], 2 * (size_t)shape_count(&f->node[i].shape) * sizeof *result);
  flow_free(allocator, run.arg, args * sizeof *run.arg);
  flow_free(allocator, run.error, nodes * sizeof *run.error);
  flow_free(allocator, run.value, nodes * sizeof *run.value);
  return done;
}
