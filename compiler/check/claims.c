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
enum {
  MOST_TERMS = 4,               /* of a residual */
  BATCH = 250,                  /* points at once, ... */
  BATCH_NUMBERS = 1 << 20,      /* ... and numbers in them, or in their results */
  INTERPRETED = 200000000       /* scalar operations: about a second; beyond, compiled code in the interpreter's place */
};

/* A side or a term: its results at the point in question, and where compiled code makes them, those of a batch. */
typedef struct Part { Function function; double *result, *batch; } Part;

typedef struct Claim {
  const TypedCheck *check;
  PointNames names;
  uint64_t many;                /* points in a batch */
  double *batch;                /* [many] points */
  double *number;               /* of the point in question */
  const double **input;         /* its names */
  Part part[2 + MOST_TERMS];    /* left, right, terms */
  uint32_t parts;
  double size;                  /* the sum of the terms' absolute values */
  VerifyLine *line;
} Claim;

/* ---- names and words -------------------------------------------------------------------------------------------------------- */

static PointNames names_of(Verify *v, const TypedCheck *check) {
  bool *is_time = arena_array(&v->arena, check->names + 1u, sizeof *is_time);
  for (uint32_t n = 0; n < check->names; n++) is_time[n] = check->role[n] == ROLE_TIME;
  int64_t *label = arena_array(&v->arena, check->names + 1u, sizeof *label);
  return (PointNames){check->names, check->right->parameter_name, check->right->parameter, is_time, label};
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
  if (claim->parts == 2 + MOST_TERMS) return false;
  TypedFunction term = *whole;
  term.result = e;
  Function *f = &claim->part[claim->parts++].function;
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

/* The batch that begins at `point`, of which so many are wanted. */
static void begin_batch(Verify *v, Claim *claim, uint64_t point, uint64_t points) {
  uint64_t count = points - point < claim->many ? points - point : claim->many, row = point_numbers(&claim->names);
  for (uint64_t i = 0; i < count; i++) draw_point(v, &claim->names, STREAM_CLAIMS, point + i, claim->batch + i * row);
  for (uint32_t p = 0; p < claim->parts; p++) {
    Part *part = &claim->part[p];
    if (part->batch && !function_run_rows(v, &part->function, claim->batch, count, part->batch)) part->batch = NULL;
  }
}

static void evaluate(Verify *v, Claim *claim, uint64_t place) {
  claim->number = claim->batch + place * point_numbers(&claim->names);
  point_inputs(&claim->names, claim->number, claim->input);
  claim->size = 0;
  for (uint32_t p = 0; p < claim->parts; p++) {
    Part *part = &claim->part[p];
    if (part->batch) part->result = part->batch + place * part->function.results;
    else function_run(v, &part->function, claim->input, part->result);
    if (p >= 2) claim->size += fabs(part->result[0]);
  }
}

static void judge(Verify *v, Claim *claim, uint64_t place) {
  VerifyLine *line = claim->line;
  const Part *left = &claim->part[0], *right = &claim->part[1];
  uint64_t ls = left->function.results, rs = right->function.results, count = ls > rs ? ls : rs;
  double worst_here = -INFINITY;
  evaluate(v, claim, place);
  for (uint64_t e = 0; e < count; e++) {
    double l = left->result[ls > 1 ? e : 0], r = right->result[rs > 1 ? e : 0], amount = violation(claim, l, r);
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

static void make_room(Verify *v, Claim *claim, uint64_t points) {
  uint64_t cost = 0, row = point_numbers(&claim->names);
  uint64_t widest = row ? row : 1;
  for (uint32_t p = 0; p < claim->parts; p++) {
    const Function *f = &claim->part[p].function;
    cost += function_cost(f);
    if (f->results > widest) widest = f->results;
  }
  claim->many = BATCH_NUMBERS / widest < BATCH ? BATCH_NUMBERS / widest : BATCH;
  if (claim->many == 0) claim->many = 1;
  claim->batch = new_rows(v, claim->many, row ? row : 1);
  claim->input = arena_array(&v->arena, claim->names.names + 1u, sizeof *claim->input);
  for (uint32_t p = 0; p < claim->parts; p++) {
    Part *part = &claim->part[p];
    part->result = new_rows(v, 1, part->function.results);
    if (cost > INTERPRETED / points) part->batch = new_rows(v, claim->many, part->function.results);
  }
}

static bool prepare(Verify *v, Claim *claim, const char *what) {
  const TypedCheck *check = claim->check;
  claim->names = names_of(v, check);
  Function *left = &claim->part[0].function, *right = &claim->part[1].function;
  *left = function_lower(v, check->left, FLOW_NO_EXTRAS);
  *right = function_lower(v, check->right, FLOW_NO_EXTRAS);
  claim->parts = 2;
  if (!left->ir || !right->ir) {
    verify_cannot(v, what, left->ir ? right : left)->at = check->at;
    return false;
  }
  find_labels(left->lowered, claim->names.label);
  find_labels(right->lowered, claim->names.label);
  if (check->kind == CHECK_CONTINUITY && !add_terms(v, claim, check->left, check->left->result)) claim->parts = 2;
  return true;
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
  if (check->kind == CHECK_FLUX || check->kind == CHECK_MASS) {
    if (check->kind == CHECK_FLUX) verify_flux(v, check, what);
    else verify_mass(v, check, what);
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
  make_room(v, &claim, points);
  verify_expect(v, points);
  for (uint64_t i = 0; i < points && verify_step(v, 0); i++) {
    if (i % claim.many == 0) begin_batch(v, &claim, i, points);
    judge(v, &claim, i % claim.many);
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
