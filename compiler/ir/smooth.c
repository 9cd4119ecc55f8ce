/* SPDX-License-Identifier: Apache-2.0 */
/* smooth.c -- where branches of a function meet, and in how many derivatives they agree.
 *
 * For each switch (abs, max, min, sign, a comparison) let s be its operand less the value at which it switches.  Everything
 * that is made of the operand elementwise is a function of s; other values are taken as numbers at random, so that what agrees,
 * agrees for all of them.  Both sides of s = 0 are followed as Taylor series up to the values that leave the elementwise world:
 * operands of contractions, of true views, the result.  There the coefficients of the two sides are compared:
 *
 *     elu        s           | s + s^2/2 + ..                 the first two agree: C1
 *     softplus   s + log1p(exp(-s)) | log1p(exp(s))           all agree: smooth, though each `if` in it is not
 *
 *   needs   verified IR, frozen or not */
#include "smooth.h"
#include "build.h"
#include "series.h"
#include <math.h>
#include <stdint.h>

enum { TRIALS = 3, MOST_ARGS = 3 };
/* nodes times switches: beyond it every switch counts as it stands */
static const uint64_t most_work = 20 * 1000 * 1000;

typedef struct Smooth {
  const IrFunction *f;
  Ref from;                     /* the switch's operand */
  bool *moves;                  /* [nodes] depends on s elementwise */
  bool *leaves;                 /* [nodes] is used by something that is not elementwise */
  Series *side[2];              /* [nodes] left and right of s = 0 */
  int trial;
} Smooth;

static bool is_elementwise(const IrNode *node) {
  IrClass class = ir_op_class[node->op];
  return class == IR_EACH || class == IR_COMPARE || class == IR_LOGIC;
}

/* Below views that repeat one number. */
static Ref below_views(const IrFunction *f, Ref r) {
  while (f->node[r].op == IR_view && shape_count(&f->node[f->node[r].arg[0]].shape) == 1) r = f->node[r].arg[0];
  return r;
}

/* A number for a value that does not move: what it is, or one that is made of its own number. */
static Series value_of(const Smooth *s, Ref r) {
  double known;
  while (s->f->node[r].op == IR_pin) r = s->f->node[r].arg[0];
  if (ir_known(s->f, r, &known)) return series_number(known);
  uint64_t bits = ((uint64_t)r + 1) * 0x9e3779b97f4a7c15u + (uint64_t)(s->trial + 1) * 0xbf58476d1ce4e5b9u;
  bits = (bits ^ (bits >> 29)) * 0x94d049bb133111ebu;
  double u = (double)(bits >> 11) * 0x1p-53;
  if (s->f->node[r].truth) return series_number(u < 0.5);
  static const double first[TRIALS] = {0.25, 0.05, -1.5}, last[TRIALS] = {2, 0.95, 1.5};
  return series_number(first[s->trial] + (last[s->trial] - first[s->trial]) * u);
}

/* ---- along s ---------------------------------------------------------------------------------------------------------- */

static void mark_moving(Smooth *s) {
  const IrFunction *f = s->f;
  for (Ref i = s->from; i < f->nodes; i++) s->moves[i] = false;
  s->moves[s->from] = true;
  for (Ref i = s->from + 1; i < f->nodes; i++)
    for (uint32_t j = 0; is_elementwise(&f->node[i]) && j < f->node[i].args; j++) {
      Ref arg = below_views(f, f->node[i].arg[j]);
      if (arg >= s->from && s->moves[arg]) s->moves[i] = true;
    }
}

static void follow(Smooth *s, double threshold) {
  const IrFunction *f = s->f;
  for (int side = 0; side < 2; side++) s->side[side][s->from] = (Series){{threshold, 1}};
  for (Ref i = s->from + 1; i < f->nodes; i++)
    for (int side = 0; s->moves[i] && side < 2; side++) {
      Series arg[MOST_ARGS];
      for (uint32_t j = 0; j < f->node[i].args; j++) {
        Ref r = below_views(f, f->node[i].arg[j]);
        arg[j] = r >= s->from && s->moves[r] ? s->side[side][r] : value_of(s, r);
      }
      s->side[side][i] = series_each(f->node[i].op, arg, side ? 1 : -1);
    }
}

static bool is_finite(const Series *a) {
  double total = 0;
  for (int k = 0; k < SERIES_TERMS; k++) total += a->c[k];
  return isfinite(total);
}

static IrSmoothness agreement(const Series *a, const Series *b) {
  for (int k = 0; k < SERIES_TERMS; k++)
    if (!(fabs(a->c[k] - b->c[k]) <= 1e-9 * (1 + fabs(a->c[k]) + fabs(b->c[k])))) return k == 0 ? IR_JUMPS : k == 1 ? IR_C0 : IR_C1;
  return IR_SMOOTH;
}

/* Over all values that leave: false where neither side is a number.  One side without is the end of a domain. */
static bool compare_sides(const Smooth *s, IrSmoothness *least) {
  for (Ref i = s->from; i < s->f->nodes; i++) {
    if (!s->moves[i] || !s->leaves[i] || s->f->node[i].truth) continue;
    const Series *left = &s->side[0][i], *right = &s->side[1][i];
    bool finite[2] = {is_finite(left), is_finite(right)};
    if (!finite[0] && !finite[1]) return false;
    if (!finite[0] || !finite[1]) continue;
    IrSmoothness here = agreement(left, right);
    if (here < *least) *least = here;
  }
  return true;
}

/* ---- switches --------------------------------------------------------------------------------------------------------- */

/* What is certain of a node that does not depend smoothly on the state, without a look at what is made of it. */
static IrSmoothness alone(const IrFunction *f, const IrNode *node) {
  bool of_state = false;
  for (uint32_t j = 0; j < node->args; j++) of_state = of_state || f->node[node->arg[j]].mask & IR_STATE;
  bool of_itself = ir_op_class[node->op] == IR_COMPARE && node->arg[0] == node->arg[1];  /* asks for a number */
  if (!of_state || of_itself) return IR_SMOOTH;
  switch (node->op) {
  case IR_abs: case IR_max: case IR_min: case IR_reduce_max: case IR_reduce_min: return IR_C0;
  case IR_lookup: return f->node[node->arg[1]].mask & IR_STATE ? IR_JUMPS : IR_SMOOTH;
  case IR_floor: case IR_mod: case IR_sign: return IR_JUMPS;
  default: return ir_op_class[node->op] == IR_COMPARE ? IR_JUMPS : IR_SMOOTH;
  }
}

static bool can_be_followed(const IrNode *node) {
  return ir_op_class[node->op] == IR_COMPARE || node->op == IR_abs || node->op == IR_max || node->op == IR_min || node->op == IR_sign;
}

/* The switch at node `at`, given what it is alone. */
static IrSmoothness look_around(Smooth *s, Ref at, IrSmoothness raw) {
  const IrFunction *f = s->f;
  const IrNode *node = &f->node[at];
  bool second = node->args == 2 && !(f->node[node->arg[0]].mask & IR_STATE);
  s->from = below_views(f, node->arg[second]);
  Ref other = node->args == 2 ? below_views(f, node->arg[!second]) : IR_NONE;
  mark_moving(s);
  if (other != IR_NONE && other >= s->from && s->moves[other]) return raw;      /* both sides of the comparison move */
  IrSmoothness least = IR_SMOOTH;
  int decided = 0;
  for (s->trial = 0; s->trial < TRIALS; s->trial++) {
    follow(s, other == IR_NONE ? 0 : value_of(s, other).c[0]);
    decided += compare_sides(s, &least);
  }
  return decided ? least : raw;
}

static void mark_leaving(Smooth *s) {
  const IrFunction *f = s->f;
  s->leaves[f->result] = true;
  for (Ref i = 0; i < f->nodes; i++)
    for (uint32_t j = 0; !is_elementwise(&f->node[i]) && j < f->node[i].args; j++) {
      bool repeats = f->node[i].op == IR_view && shape_count(&f->node[f->node[i].arg[j]].shape) == 1;
      if (!repeats) s->leaves[below_views(f, f->node[i].arg[j])] = true;
    }
  s->leaves[below_views(f, f->result)] = true;
}

static const char *const smoothness_text[] = {[IR_JUMPS] = "jumps", [IR_C0] = "C0", [IR_C1] = "C1", [IR_SMOOTH] = "smooth"};
const char *ir_smoothness_text(IrSmoothness smoothness) { return smoothness_text[smoothness]; }

static const char *const smoothness_words[] = {
    [IR_JUMPS] = "jumps", [IR_C0] = "has slopes that jump", [IR_C1] = "has second derivatives that jump", [IR_SMOOTH] = "is smooth"};
const char *ir_smoothness_words(IrSmoothness smoothness) { return smoothness_words[smoothness]; }

/* An inverse that Newton's method found becomes a state of its own: how it was sought says nothing.  It is as smooth as the map,
 * which stays in what `found` asks of it. */
static IrFunction *without_searches(IrFunction *original) {
  IrFunction *f = ir_sweep(original);
  for (Ref i = 0; i < f->nodes; i++) {
    IrNode *x = f->node[i].op == IR_found ? &f->node[f->node[i].arg[0]] : NULL;
    if (x && x->mask & IR_STATE) *x = (IrNode){.op = IR_input, .slot = 1, .shape = x->shape, .mask = IR_STATE, .at = x->at};
  }
  return ir_sweep(f);
}

IrSmoothness ir_smoothness(IrFunction *original) {
  IrFunction *f = without_searches(original);
  if (!f->frozen) ir_fold(f, 8);
  ir_same(f);
  f = ir_sweep(f);
  Smooth s = {.f = f, .moves = arena_array(f->arena, f->nodes, sizeof *s.moves), .leaves = arena_array(f->arena, f->nodes, sizeof *s.leaves),
              .side = {arena_array(f->arena, f->nodes, sizeof(Series)), arena_array(f->arena, f->nodes, sizeof(Series))}};
  mark_leaving(&s);
  IrSmoothness least = IR_SMOOTH;
  uint64_t work = 0;
  for (Ref i = 0; i < f->nodes && least > IR_JUMPS; i++) {
    IrSmoothness here = alone(f, &f->node[i]);
    if (here >= least) continue;
    work += f->nodes;
    if (can_be_followed(&f->node[i]) && work <= most_work) here = look_around(&s, i, here);
    if (here < least) least = here;
  }
  return least;
}
