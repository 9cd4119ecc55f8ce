/* SPDX-License-Identifier: Apache-2.0 */
/* claims.c -- what the program's `check` lines say, at the points that are drawn for them (LANGUAGE: checks).
 *
 *   left == right           |left - right| <= 1e-9 (1 + |left| + |right|) for each element
 *   left < right, ...       at every point and element, without tolerance; what is shown is the least margin
 *   continuity(p, u)        the residual is held like an equality, relative to 1 + the sum of its terms' absolute values:
 *                           |d log p/dt + div u + u . grad log p| <= 1e-9 (1 + |d log p/dt| + |div u| + |u . grad log p|)
 *
 * A value that is not a number, or is infinite on one side alone, fails. */
#include <math.h>
#include "verify_parts.h"

static const double equal_bound = 1e-9;
enum { MOST_TERMS = 4 };        /* of a residual */

typedef struct Claim {
  const TypedCheck *check;
  PointNames names;
  double *number;               /* of the point */
  const double **input;
  Function left, right, term[MOST_TERMS];
  uint32_t terms;
  double *l, *r, size;          /* results; the sum of the terms' absolute values */
  VerifyLine *line;
} Claim;

/* ---- names and words -------------------------------------------------------------------------------------------------------- */

static PointNames names_of(Verify *v, const TypedCheck *check) {
  bool *is_time = arena_array(&v->arena, check->names + 1u, sizeof *is_time);
  for (uint32_t n = 0; n < check->names; n++) is_time[n] = check->role[n] == ROLE_TIME;
  return (PointNames){check->names, check->right->parameter_name, check->right->parameter, is_time};
}

/* As it is written, on one line. */
static const char *written(Verify *v, Span at) {
  const Source *source = source_of(v->diagnostics.sources, at);
  char *text = arena_text(&v->arena, source->text + (at.from - source->base), at.to - at.from), *to = text;
  for (const char *from = text; *from; from++) {
    bool blank = *from == ' ' || *from == '\n' || *from == '\r' || *from == '\t';
    if (!blank) *to++ = *from;
    else if (to > text && to[-1] != ' ') *to++ = ' ';
  }
  *to = 0;
  return text;
}

/* ---- the terms of a residual ---------------------------------------------------------------------------------------------------- */

/* The checker made the residual as a sum: its terms are functions of the same names. */
static bool add_terms(Verify *v, Claim *claim, const TypedFunction *whole, Typed *e) {
  if (e->kind == TYPED_ADD) {
    for (uint32_t i = 0; i < e->args; i++)
      if (!add_terms(v, claim, whole, e->arg[i])) return false;
    return true;
  }
  if (claim->terms == MOST_TERMS) return false;
  TypedFunction term = *whole;
  term.result = e;
  Function *f = &claim->term[claim->terms++];
  *f = function_lower(v, &term, FLOW_NO_EXTRAS);
  return f->ir != NULL;
}

/* ---- one point -------------------------------------------------------------------------------------------------------------------- */

/* How far the claim is from true: above the bound it fails. */
static double violation(const Claim *claim, double l, double r) {
  bool finite = isfinite(l) && isfinite(r);
  switch (claim->check->kind) {
  case CHECK_LESS: case CHECK_LESS_EQUAL: return isnan(l) || isnan(r) ? INFINITY : l == r ? 0 : l - r;
  case CHECK_GREATER: case CHECK_GREATER_EQUAL: return isnan(l) || isnan(r) ? INFINITY : l == r ? 0 : r - l;
  case CHECK_NOT_EQUAL: return -fabs(l - r);
  default: break;
  }
  if (l == r) return 0;
  if (!finite || !isfinite(claim->size)) return INFINITY;
  if (claim->check->kind == CHECK_CONTINUITY) return fabs(l) / (1 + claim->size);
  return fabs(l - r) / (1 + fabs(l) + fabs(r));
}

static bool holds(const Claim *claim, double amount) {
  switch (claim->check->kind) {
  case CHECK_LESS: case CHECK_GREATER: case CHECK_NOT_EQUAL: return amount < 0;
  case CHECK_LESS_EQUAL: case CHECK_GREATER_EQUAL: return amount <= 0;
  default: return amount <= equal_bound;
  }
}

static void evaluate(Verify *v, Claim *claim) {
  function_run(v, &claim->left, claim->input, claim->l);
  function_run(v, &claim->right, claim->input, claim->r);
  claim->size = 0;
  for (uint32_t i = 0; i < claim->terms; i++) {
    double term;
    function_run(v, &claim->term[i], claim->input, &term);
    claim->size += fabs(term);
  }
}

static void judge(Verify *v, Claim *claim, uint64_t point) {
  VerifyLine *line = claim->line;
  uint64_t ls = claim->left.results, rs = claim->right.results, count = ls > rs ? ls : rs;
  double worst_here = -INFINITY;
  draw_point(v, &claim->names, STREAM_CLAIMS, point, claim->number);
  evaluate(v, claim);
  for (uint64_t e = 0; e < count; e++) {
    double l = claim->l[ls > 1 ? e : 0], r = claim->r[rs > 1 ? e : 0], amount = violation(claim, l, r);
    if (amount > worst_here) worst_here = amount;
    if (line->has_sides && amount <= line->worst) continue;
    line->worst = amount;
    line->has_sides = true;
    line->left = l;
    line->right = r;
    line->element = count > 1 ? (int64_t)e : -1;
    keep_point(v, &claim->names, claim->number, line);
  }
  line->points++;
  line->failed += !holds(claim, worst_here);
}

/* ---- one claim ---------------------------------------------------------------------------------------------------------------------- */

static bool prepare(Verify *v, Claim *claim, const char *what) {
  const TypedCheck *check = claim->check;
  claim->names = names_of(v, check);
  claim->number = arena_array(&v->arena, (size_t)point_numbers(&claim->names) + 1, sizeof *claim->number);
  claim->input = arena_array(&v->arena, check->names + 1u, sizeof *claim->input);
  point_inputs(&claim->names, claim->number, claim->input);
  claim->left = function_lower(v, check->left, FLOW_NO_EXTRAS);
  claim->right = function_lower(v, check->right, FLOW_NO_EXTRAS);
  bool good = claim->left.ir && claim->right.ir;
  const char *why = claim->left.ir ? claim->right.why : claim->left.why;
  if (good && check->kind == CHECK_CONTINUITY && !add_terms(v, claim, check->left, check->left->result)) claim->terms = 0;
  if (good) {
    claim->l = arena_array(&v->arena, (size_t)claim->left.results + 1, sizeof(double));
    claim->r = arena_array(&v->arena, (size_t)claim->right.results + 1, sizeof(double));
    return true;
  }
  verify_skip(v, what, why)->at = check->at;
  return false;
}

static const char *reason_of(CheckKind kind) {
  switch (kind) {
  case CHECK_EQUAL: return "relative";
  case CHECK_CONTINUITY: return "relative to its terms";
  default: return "without tolerance";
  }
}

static void check_claim(Verify *v, const TypedCheck *check) {
  const char *what = check->text ? check->text : written(v, check->at);
  if (check->kind == CHECK_FLUX) {
    verify_flux(v, check, what);
    return;
  }
  Claim claim = {.check = check};
  if (!prepare(v, &claim, what)) return;
  VerifyLine *line = claim.line = verify_line(v, what);
  line->at = check->at;
  line->reason = reason_of(check->kind);
  bool equality = check->kind == CHECK_EQUAL || check->kind == CHECK_CONTINUITY;
  line->measure = equality ? VERIFY_RELATIVE : VERIFY_MARGIN;
  line->bound = equality ? equal_bound : 0;
  uint64_t points = check->names ? v->options.points : 1;       /* constants are the same everywhere */
  verify_expect(v, points);
  for (uint64_t i = 0; i < points && verify_step(v, 0); i++) {
    judge(v, &claim, i);
    verify_step(v, 1);
  }
  line->verdict = line->failed ? VERIFY_FAIL : VERIFY_PASS;
  if (!equality) line->worst = 0 - line->worst;
}

flow_status verify_claims(Verify *v, flow_error *error) {
  VERIFY_ON_NO_MEMORY(v);
  for (uint32_t i = 0; i < v->program->checks && !v->cancelled; i++) check_claim(v, &v->program->check[i]);
  return v->cancelled ? flow_fail(error, FLOW_CANCELLED, "stopped") : FLOW_OK;
}
