/* SPDX-License-Identifier: Apache-2.0 */
/* check_derive.c -- derivatives against differences, against each other and against formulas. */
#include "ir_suite.h"
#include <float.h>
#include <string.h>
#include "derive.h"
#include "random_ir.h"

enum { RANDOM = 1000 };

/* ---- evaluation ------------------------------------------------------------------------------------------------------- */

typedef struct Point {
  uint64_t seed;
  const double *input[8], *weight[8];
} Point;

static Point point_of(const IrFunction *f, uint64_t seed) {
  Point p = {.seed = seed};
  for (uint32_t i = 0; i < f->inputs; i++) p.input[i] = random_ir_numbers(ir_arena(), seed * 10 + i, f->input[i].shape);
  for (uint32_t i = 0; i < f->weights; i++) p.weight[i] = random_ir_numbers(ir_arena(), seed * 10 + 5 + i, f->weight[i].shape);
  return p;
}

static int64_t result_count(const IrFunction *f) { return shape_count(&f->node[f->result].shape); }

static const double *values(const IrFunction *f, const Point *p) {
  double *result = arena_array(ir_arena(), (size_t)result_count(f), sizeof *result);
  ck_assert(ir_run_f64(f, p->input, p->weight, result));
  return result;
}

static IrFunction *verified(IrFunction *f, const char *what, uint64_t seed) {
  const char *wrong = ir_verify(f);
  ck_assert_msg(!wrong, "seed %llu, %s: %s", (unsigned long long)seed, what, wrong ? wrong : "");
  return f;
}

/* The extras of f at p, the last condition being `given` (NULL: there is none). */
static const double *extras(IrFunction *f, IrExtras which, uint32_t probes, const Point *p, const double *given) {
  IrFunction *g = verified(ir_with_extras(f, which, probes), "with extras", p->seed);
  Point q = *p;
  if (given) q.input[g->inputs - 1] = given;
  const double *plain = values(f, p), *all = values(g, &q);
  int64_t n = shape_count(&f->input[1].shape);
  for (int64_t i = 0; i < n; i++)
    ck_assert_msg(ir_equal_bits(plain[i], all[i]), "seed %llu: extras change the value", (unsigned long long)p->seed);
  return all + n;
}

static double *numbers(uint64_t seed, int64_t n) {
  return random_ir_numbers(ir_arena(), seed, (Shape){.rank = 1, .dim = {n}});
}

static IrFunction *smooth(uint64_t seed) {
  RandomIrOptions options = {.nodes = 25, .most_size = seed % 4 ? 9 : 33, .tame = true, .no_truth_steps = true};
  return random_ir(ir_arena(), seed, &options);
}

/* ---- against differences ------------------------------------------------------------------------------------------------- */

static const double *moved(const IrFunction *f, const Point *p, const double *v, double h) {
  int64_t n = shape_count(&f->input[1].shape);
  double *x = arena_array(ir_arena(), (size_t)n, sizeof *x);
  for (int64_t i = 0; i < n; i++) x[i] = p->input[1][i] + h * v[i];
  Point q = *p;
  q.input[1] = x;
  return values(f, &q);
}

static double central(const IrFunction *f, const Point *p, const double *v, int64_t i, double h) {
  return (moved(f, p, v, h)[i] - moved(f, p, v, -h)[i]) / (2 * h);
}

/* Two steps that agree to the tolerance see no kink of max, abs or a branch between them; what they then say is right to their
 * own difference times 4/3 (error h^2) and to the rounding of the values, 1e-16 |u| / h, here 1e-10. */
START_TEST(the_forward_derivative_is_that_of_differences) {
  int64_t compared = 0, kinks = 0;
  for (uint64_t seed = 0; seed < RANDOM; seed++) {
    IrFunction *f = smooth(seed);
    Point p = point_of(f, seed);
    int64_t n = shape_count(&f->input[1].shape);
    const double *v = numbers(seed + 77, n), *jv = extras(f, IR_JVP, 0, &p, v);
    for (int64_t i = 0; i < n; i++) {
      double far = central(f, &p, v, i, 2e-5), near = central(f, &p, v, i, 1e-5), size = 1 + fabs(far) + fabs(values(f, &p)[i]);
      if (!isfinite(far) || !isfinite(near) || !isfinite(jv[i])) continue;
      compared++;
      if (fabs(far - near) > 1e-6 * size) {
        kinks++;
        continue;
      }
      ck_assert_msg(fabs(jv[i] - near) <= 1e-6 * size, "seed %llu element %lld: %.12g, differences say %.12g and %.12g\n%s",
                    (unsigned long long)seed, (long long)i, jv[i], far, near, ir_text(f));
    }
  }
  ck_assert_int_ge(compared, RANDOM);
  ck_assert_int_le(kinks * 25, compared);       /* at most 4 % of the elements are not compared */
} END_TEST

/* ---- against each other ---------------------------------------------------------------------------------------------------- */

/* Both sides are sums of the same products in another order, each rounded some hundred times: 1e-12 of the sum of magnitudes. */
START_TEST(backward_is_the_transpose_of_forward) {
  for (uint64_t seed = 0; seed < RANDOM; seed++) {
    IrFunction *f = random_ir(ir_arena(), seed, &(RandomIrOptions){.nodes = 25, .most_size = seed % 4 ? 9 : 33, .tame = true});
    Point p = point_of(f, seed);
    int64_t n = shape_count(&f->input[1].shape);
    const double *v = numbers(seed + 77, n), *w = numbers(seed + 99, n);
    const double *jv = extras(f, IR_JVP, 0, &p, v), *wj = extras(f, IR_VJP, 0, &p, w);
    double left = 0, right = 0, size = 0;
    for (int64_t i = 0; i < n; i++) {
      left += w[i] * jv[i];
      right += wj[i] * v[i];
      size += fabs(w[i] * jv[i]) + fabs(wj[i] * v[i]);
    }
    if (!isfinite(left) || !isfinite(right)) continue;
    ck_assert_msg(fabs(left - right) <= 1e-12 * (size + 1), "seed %llu: w.Jv = %.17g, w'J.v = %.17g\n%s", (unsigned long long)seed, left,
                  right, ir_text(f));
  }
} END_TEST

/* The same function with its weights behind the state in one vector: views of that stand where state and weights stood. */
static IrFunction *weights_as_state(const IrFunction *f, Ref *state) {
  IrFunction *g = ir_new(ir_arena(), "weights as state");
  int64_t all = shape_count(&f->input[1].shape), offset[8] = {0};
  for (uint32_t k = 0; k < f->weights; k++) offset[k] = all, all += shape_count(&f->weight[k].shape);
  for (uint32_t i = 0; i < f->inputs; i++) {
    IrInput input = f->input[i];
    if (i == 1) input.shape = (Shape){.rank = 1, .dim = {all}};
    ir_add_input(g, &input);
  }
  Ref *now = arena_array(ir_arena(), f->nodes, sizeof *now);
  IrNode first = {.op = IR_input, .slot = 1, .shape = g->input[1].shape};
  *state = ir_append(g, &first);
  for (Ref r = 0; r < f->nodes; r++) {
    IrNode node = f->node[r];
    bool is_state = node.op == IR_input && node.slot == 1;
    if (is_state || node.op == IR_weight) {
      IrMap map = {is_state ? 0 : offset[node.slot], {0}};
      ir_strides(&node.shape, map.stride);
      now[r] = ir_view_flat(g, *state, &node.shape, &map, node.at);
      continue;
    }
    node.arg = arena_array(ir_arena(), node.args + 1, sizeof *node.arg);
    for (uint32_t i = 0; i < node.args; i++) node.arg[i] = now[f->node[r].arg[i]];
    node.mask = 0;
    now[r] = ir_append(g, &node);
  }
  g->result = now[f->result];
  g->general = true;
  return g;
}

/* w . du/dweights of the training function: contributions, added up for each weight, one weight after the other. */
static double *by_weights(IrFunction *f, const Point *p, const double *w, int64_t count) {
  IrFunction *g = ir_with_gradients(f, IR_ADJOINT, 0, &(IrTerms){.kinetic = 0});
  if (!g || g->contributions == 0) return NULL;
  Point q = *p;
  q.input[verified(g, "with gradients", p->seed)->inputs - 1] = w;
  const double *part = values(g, &q) + 1 + shape_count(&f->input[1].shape);
  double *sum = arena_array(ir_arena(), (size_t)count, sizeof *sum);
  for (uint32_t c = 0; c < g->contributions; c++) {
    int64_t offset = 0, numbers_of_one = shape_count(&f->weight[g->contribution[c]].shape);
    for (uint32_t k = 0; k < g->contribution[c]; k++) offset += shape_count(&f->weight[k].shape);
    for (int64_t i = 0; i < numbers_of_one; i++) sum[offset + i] += *part++;
  }
  return sum;
}

/* Every operation, on weights, states and both: the two sum the same products in other orders. */
START_TEST(the_gradient_by_weights_is_that_by_a_state_that_holds_them) {
  bool met[IR_OP_COUNT] = {false};
  for (uint64_t seed = 0; seed < RANDOM; seed++) {
    IrFunction *f = random_ir(ir_arena(), seed, &(RandomIrOptions){.nodes = 25, .most_size = seed % 4 ? 9 : 33, .tame = true});
    Point p = point_of(f, seed), q = p;
    Ref state;
    IrFunction *g = weights_as_state(f, &state);
    int64_t n = shape_count(&f->input[1].shape), all = shape_count(&g->input[1].shape);
    const double *w = numbers(seed + 99, n), *by_weight = by_weights(f, &p, w, all - n);
    if (!by_weight) continue;
    double *x = arena_array(ir_arena(), (size_t)all, sizeof *x), *at = x + n;
    memcpy(x, p.input[1], (size_t)n * sizeof *x);
    for (uint32_t k = 0; k < f->weights; at += shape_count(&f->weight[k++].shape))
      memcpy(at, p.weight[k], (size_t)shape_count(&f->weight[k].shape) * sizeof *x);
    q.input[1] = x;
    g->result = ir_vjp(g, 0, g->result, state, ir_data(g, &f->input[1].shape, w, (Span){0}), (Span){0});
    if (g->result == IR_NONE) continue;
    const double *by_state = values(verified(g, "weights as state", seed), &q);
    double size = 1;
    for (int64_t i = 0; i < all; i++) size += fabs(by_state[i]);
    if (!isfinite(size)) continue;
    for (Ref r = 0; r < f->nodes; r++) met[f->node[r].op] = met[f->node[r].op] || f->node[r].mask & IR_WEIGHTS;
    for (int64_t i = n; i < all; i++)
      ck_assert_msg(fabs(by_state[i] - by_weight[i - n]) <= 1e-12 * size, "seed %llu weight %lld: %.17g as a state, %.17g as a weight\n%s",
                    (unsigned long long)seed, (long long)(i - n), by_state[i], by_weight[i - n], ir_text(f));
  }
  for (int op = 0; op < IR_OP_COUNT; op++)      /* a pin is of constants */
    ck_assert_msg(met[op] || op == IR_constant || op == IR_input || op == IR_pin, "no weight was met behind %s", ir_op_name[op]);
} END_TEST

static const double *unit(int64_t n, int64_t i) {
  double *e = arena_array(ir_arena(), (size_t)n, sizeof *e);
  e[i] = 1;
  return e;
}

START_TEST(the_divergence_is_the_trace_of_the_jacobian) {
  for (uint64_t seed = 0; seed < RANDOM; seed++) {
    IrFunction *f = random_ir(ir_arena(), seed, &(RandomIrOptions){.nodes = 25, .most_size = 9, .tame = true});
    Point p = point_of(f, seed);
    int64_t n = shape_count(&f->input[1].shape);
    double trace = 0, size = 1, rate = extras(f, IR_LOG_P, 0, &p, NULL)[0];
    for (int64_t i = 0; i < n; i++) {
      const double *column = extras(f, IR_JVP, 0, &p, unit(n, i));
      trace += column[i];
      for (int64_t k = 0; k < n; k++) size += fabs(column[k]);
    }
    if (!isfinite(trace)) continue;
    ck_assert_msg(fabs(trace + rate) <= 1e-12 * size, "seed %llu: trace %.17g, divergence %.17g\n%s", (unsigned long long)seed, trace,
                  -rate, ir_text(f));
  }
} END_TEST

START_TEST(many_directions_at_once_are_each_direction_alone) {
  for (uint64_t seed = 0; seed < RANDOM / 2; seed++) {
    IrFunction *f = random_ir(ir_arena(), seed, &(RandomIrOptions){.nodes = 25, .most_size = 9, .tame = true});
    Point p = point_of(f, seed);
    int64_t n = shape_count(&f->input[1].shape);
    const double *e = numbers(seed + 55, 3 * n), *rate = extras(f, IR_PROBES, 3, &p, e);
    for (int j = 0; j < 3; j++) {
      const double *jv = extras(f, IR_JVP, 0, &p, e + j * n);
      double product = 0, size = 1;
      for (int64_t i = 0; i < n; i++) product += e[j * n + i] * jv[i], size += fabs(jv[i]);
      if (!isfinite(product)) continue;
      ck_assert_msg(fabs(product + rate[j]) <= 1e-12 * size, "seed %llu probe %d: %.17g and %.17g", (unsigned long long)seed, j, product,
                    -rate[j]);
    }
  }
} END_TEST

/* Frozen arithmetic is another order of the same sums: compared as real numbers, at the scale of the Jacobian's rows. */
START_TEST(the_passes_keep_what_a_derivative_means) {
  for (uint64_t seed = 0; seed < RANDOM / 2; seed++) {
    IrFunction *f = smooth(seed), *frozen;
    Point p = point_of(f, seed);
    int64_t n = shape_count(&f->input[1].shape);
    IrFunction *g = verified(ir_with_extras(f, IR_LOG_P, 0), "with extras", seed);
    const double *before = values(g, &p);
    const char *wrong = ir_check_passes(g, 8, NULL, &frozen);
    ck_assert_msg(!wrong, "seed %llu: %s", (unsigned long long)seed, wrong ? wrong : "");
    const double *after = values(frozen, &p);
    if (!isfinite(before[n]) || !isfinite(after[n])) continue;
    ck_assert_msg(fabs(before[n] - after[n]) <= 1e-9 * (1 + fabs(before[n])), "seed %llu: %.17g became %.17g", (unsigned long long)seed,
                  before[n], after[n]);
  }
} END_TEST

/* ---- formulas ---------------------------------------------------------------------------------------------------------------- */

static double rate_at(IrFunction *f, const double *x) {
  IrFunction *g = verified(ir_with_extras(f, IR_LOG_P, 0), "with extras", 0);
  static const double t = 0.25, c[] = {10, 20}, w[] = {1, 2, 3, 4, 5, 6};
  double *result = arena_array(ir_arena(), (size_t)result_count(g), sizeof *result);
  ck_assert(ir_run_f64(g, (const double *const[]){&t, x, c}, (const double *const[]){w}, result));
  return result[result_count(g) - 1];
}

START_TEST(a_rotation_has_the_divergence_zero_and_no_arithmetic_for_it) {
  IrFunction *f = ir_of(2, "%0 = input 1 [2] s\n%1 = view %0 [1] s offset 1 strides 1\n%2 = view %0 [1] s offset 0 strides 1\n"
                           "%3 = neg %1 [1] s\n%4 = concat %3 %2 [2] s axis 0\nresult %4\n");
  ck_assert(rate_at(f, (double[]){3, 5}) == 0);
  IrFunction *g = ir_optimise(ir_with_extras(f, IR_LOG_P, 0), 8);
  for (Ref r = 0; r < g->nodes; r++) ck_assert(ir_op_class[g->node[r].op] != IR_SUM);
} END_TEST

START_TEST(an_elementwise_field_has_the_sum_of_its_derivatives) {
  IrFunction *f = ir_of(3, "%0 = input 1 [3] s\n%1 = sin %0 [3] s\nresult %1\n");
  ck_assert_double_eq_tol(rate_at(f, (double[]){1, 2, 3}), -(cos(1) + cos(2) + cos(3)), 1e-15);
  IrFunction *g = ir_optimise(ir_with_extras(f, IR_LOG_P, 0), 8);
  for (Ref r = 0; r < g->nodes; r++) ck_assert_int_le(shape_count(&g->node[r].shape), 4);      /* a diagonal, no matrix */
} END_TEST

/* log and its derivative at 0 stand in a branch that is not taken, as does an exponential that overflows. */
START_TEST(a_branch_that_is_not_taken_has_no_part_in_a_derivative) {
  IrFunction *f = ir_of(3, "%0 = input 1 [3] s\n%1 = constant [] - data 0\n%2 = view %1 [3] - offset 0 strides 0\n"
                           "%3 = less %2 %0 truth [3] s\n%4 = log %0 [3] s\n%5 = select %3 %4 %2 [3] s\n"
                           "%6 = exp %0 [3] s\n%7 = select %3 %0 %6 [3] s\n%8 = add %5 %7 [3] s\nresult %8\n");
  static const double t = 0.25, c[] = {10, 20}, w[] = {1, 2, 3, 4, 5, 6}, v[] = {1, 1, 1};
  Point p = {.input = {&t, (double[]){0, 1000, -1}, c}, .weight = {w}};
  const double expected[] = {1, 1e-3 + 1, exp(-1)};
  const double *jv = extras(f, IR_JVP, 0, &p, v), *wj = extras(f, IR_VJP, 0, &p, v);
  for (int i = 0; i < 3; i++) {
    ck_assert_double_eq_tol(jv[i], expected[i], 1e-15);
    ck_assert_double_eq_tol(wj[i], expected[i], 1e-15);
  }
} END_TEST

/* ---- the order of a trace ------------------------------------------------------------------------------------------------------- */

/* d -> widths... -> d with tanh between, as the lowering makes it. */
static IrFunction *network(int64_t d, const int64_t *width, int layers) {
  IrFunction *f = ir_new(ir_arena(), "net");
  IrInput input[] = {{"t", {0}, IR_TIMES}, {"x", {.rank = 1, .dim = {d}}, IR_STATE}};
  ir_add_input(f, &input[0]);
  IrNode node = {.op = IR_input, .slot = ir_add_input(f, &input[1]), .shape = input[1].shape};
  Ref h = ir_append(f, &node);
  int64_t from = d;
  for (int k = 0; k < layers; k++) {
    int64_t to = k + 1 < layers ? width[k] : d;
    IrWeight weight = {.scope = "", .part = "weight", .layer = (uint32_t)k, .shape = {.rank = 2, .dim = {to, from}}};
    IrNode matrix = {.op = IR_weight, .slot = ir_add_weight(f, &weight), .shape = weight.shape};
    Shape out = {.rank = 1, .dim = {to}};
    Ref w = ir_append(f, &matrix);
    h = ir_contract(f, &out, 1, &from, (IrOperand){w, {0, {from, 1}}}, (IrOperand){h, {0, {0, 1}}}, IR_NONE, (Span){0});
    if (k + 1 < layers) h = ir_one(f, IR_tanh, h, (Span){0});
    from = to;
  }
  f->result = h;
  return f;
}

/* Multiply-adds that are not of the weights alone. */
static int64_t work_of(const IrFunction *f) {
  int64_t work = 0;
  for (Ref r = 0; r < f->nodes; r++) {
    const IrNode *n = &f->node[r];
    if (n->op != IR_contract || !(n->mask & ~IR_WEIGHTS)) continue;
    int64_t terms = shape_count(&n->shape);
    for (uint32_t k = 0; k < n->sums; k++) terms *= n->extent[k];
    work += terms;
  }
  return work;
}

/* Velocity, then the trace: h; h*h + h; tangents of the middle layer for each of d directions and the last one's diagonal. */
START_TEST(the_trace_of_a_network_costs_what_its_depth_asks_for) {
  enum { D = 8, H = 32 };
  static const int64_t width[] = {H, H, H};
  static const int64_t velocity[] = {0, D * D, 2 * D * H, 2 * D * H + H * H, 2 * D * H + 2 * H * H};
  static const int64_t trace[] = {0, 0, H, H * H + H, D * 2 * H * H + D * H};
  for (int layers = 1; layers <= 4; layers++) {
    IrFunction *f = network(D, width, layers), *g = ir_optimise(ir_with_extras(f, IR_LOG_P, 0), 8);
    static const char *const how[] = {"", "constant", "one hidden", "two hidden", "8 tangents"};
    ck_assert_msg(!strncmp(g->trace, how[layers], strlen(how[layers])), "%d layers: %s", layers, g->trace);
    ck_assert_msg(work_of(g) == velocity[layers] + trace[layers], "%d layers: %lld multiply-adds, %lld are right", layers,
                  (long long)work_of(g), (long long)(velocity[layers] + trace[layers]));
    Point p = point_of(f, (uint64_t)layers);
    double rate = extras(f, IR_LOG_P, 0, &p, NULL)[0], sum = 0, size = 1;
    for (int64_t i = 0; i < D; i++) {
      sum += extras(f, IR_JVP, 0, &p, unit(D, i))[i];
      size += fabs(sum);
    }
    ck_assert_double_eq_tol(-rate, sum, 1e-13 * size);
  }
} END_TEST

/* Two blocks of 64 directions and a rest. */
START_TEST(the_trace_of_a_wide_network_is_computed_in_blocks) {
  static const int64_t width[] = {12, 9, 11};
  IrFunction *f = network(150, width, 4), *g = ir_optimise(ir_with_extras(f, IR_LOG_P, 0), 8);
  ck_assert_str_eq(g->trace, "150 tangents through shared weights, 64 at a time, of the last step the diagonal alone");
  for (Ref r = 0; r < g->nodes; r++)
    ck_assert(!(g->node[r].mask & IR_STATE) || shape_count(&g->node[r].shape) <= 64 * 12);
  Point p = point_of(f, 5);
  double rate = extras(f, IR_LOG_P, 0, &p, NULL)[0], sum = 0, size = 1;
  for (int64_t i = 0; i < 150; i++) {
    sum += extras(f, IR_JVP, 0, &p, unit(150, i))[i];
    size += fabs(sum);
  }
  ck_assert_double_eq_tol(-rate, sum, 1e-13 * size);
} END_TEST

/* ---- tables -------------------------------------------------------------------------------------------------------------------- */

/* Each elementwise operation at points inside its domain: an operation without a row would have the derivative 1. */
START_TEST(every_elementwise_operation_has_its_derivative) {
  static const double x[][3] = {{-0.75, -0.5, 2}, {-0.3, 0.6, -1}};     /* exp2n wants arguments below 0 */
  for (int op = 0; op < IR_OP_COUNT; op++) {
    if (ir_op_class[op] != IR_EACH || op == IR_hold || op == IR_found) continue;     /* only in the hands of newton.c */
    char *operands = arena_format(ir_arena(), op == IR_select ? "%%5 %%2 %%3" : ir_op_operands[op] == 3 ? "%%1 %%2 %%3"
                                              : ir_op_operands[op] == 2 ? "%%1 %%2" : "%%1");
    bool positive = op == IR_sqrt || op == IR_log || op == IR_pow;
    IrFunction *f = ir_of(3, arena_format(ir_arena(),
        "%%0 = input 1 [3] s\n%%1 = view %%0 [1] s offset 0 strides 1\n%%2 = view %%0 [1] s offset 1 strides 1\n"
        "%%3 = view %%0 [1] s offset 2 strides 1\n%%4 = abs %%1 [1] s\n%%5 = less %%1 %%2 truth [1] s\n%%6 = %s %s [1] s\n"
        "%%7 = concat %%6 %%2 %%3 [3] s axis 0\nresult %%7\n", ir_op_name[op],
        positive ? op == IR_pow ? "%4 %2" : "%4" : operands));
    for (int k = 0; k < 2; k++) {
      static const double t = 0.25, c[] = {10, 20}, w[] = {1, 2, 3, 4, 5, 6}, v[] = {0.5, -0.7, 0.9};
      Point p = {.input = {&t, x[k], c}, .weight = {w}};
      double jv = extras(f, IR_JVP, 0, &p, v)[0], near = central(f, &p, v, 0, 1e-5);
      ck_assert_msg(fabs(jv - near) <= 1e-8 * (1 + fabs(near)), "%s: %.12g, differences say %.12g", ir_op_name[op], jv, near);
    }
  }
} END_TEST

void add_derive_tests(TCase *tcase) {
  tcase_add_test(tcase, the_forward_derivative_is_that_of_differences);
  tcase_add_test(tcase, backward_is_the_transpose_of_forward);
  tcase_add_test(tcase, the_gradient_by_weights_is_that_by_a_state_that_holds_them);
  tcase_add_test(tcase, the_divergence_is_the_trace_of_the_jacobian);
  tcase_add_test(tcase, many_directions_at_once_are_each_direction_alone);
  tcase_add_test(tcase, the_passes_keep_what_a_derivative_means);
  tcase_add_test(tcase, a_rotation_has_the_divergence_zero_and_no_arithmetic_for_it);
  tcase_add_test(tcase, an_elementwise_field_has_the_sum_of_its_derivatives);
  tcase_add_test(tcase, a_branch_that_is_not_taken_has_no_part_in_a_derivative);
  tcase_add_test(tcase, the_trace_of_a_network_costs_what_its_depth_asks_for);
  tcase_add_test(tcase, the_trace_of_a_wide_network_is_computed_in_blocks);
  tcase_add_test(tcase, every_elementwise_operation_has_its_derivative);
}
