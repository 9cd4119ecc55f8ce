/* SPDX-License-Identifier: Apache-2.0 */
/* clause.c -- the clauses of a flow, one reader each (clauses.def). */
#include <math.h>
#include <string.h>
#include "clause.h"

/* ---- numbers that are known now ---- */
/* Element `i` of a constant; a scalar counts for every element. */
static bool evaluate(Checker *c, const Typed *e, int64_t i, uint32_t depth, double *number) {
  double a = 0, b = 0;
  if (depth == 0 || !spend(c, e->at)) return false;
  if (e->kind >= TYPED_NEGATE && e->kind <= TYPED_POWER) {
    if (!evaluate(c, e->arg[0], i, depth - 1, &a)) return false;
    if (e->args == 2 && !evaluate(c, e->arg[1], i, depth - 1, &b)) return false;
  }
  switch (e->kind) {
  case TYPED_NUMBER: *number = e->number; return true;
  case TYPED_GLOBAL: return evaluate(c, e->global->value, i, depth - 1, number);
  case TYPED_NEGATE: *number = -a; return true;
  case TYPED_ADD: *number = a + b; return true;
  case TYPED_SUBTRACT: *number = a - b; return true;
  case TYPED_MULTIPLY: *number = a * b; return true;
  case TYPED_DIVIDE: *number = a / b; return true;
  case TYPED_POWER: *number = pow(a, b); return true;
  case TYPED_CONCAT:
    for (uint32_t k = 0; k < e->args; k++) {
      int64_t length = e->arg[k]->shape.rank ? e->arg[k]->shape.dim[0] : 1;
      if (i < length) return evaluate(c, e->arg[k], i, depth - 1, number);
      i -= length;
    }
    return false;
  default: return false;
  }
}

static bool constant_number(Checker *c, const Typed *e, int64_t i, double *number) {
  c->reported = false;
  if (evaluate(c, e, i, AST_MOST_NESTING, number) && isfinite(*number)) return true;
  if (!c->reported) report(c, E0504, e->at, "a number is needed here that is finite and made of numbers, `pi` and constants with + - * / ^");
  return false;
}

static Typed *constant_of_clause(FlowReader *r, const Ast *ast) {
  return resolve_value(r->c, r->definition, ast) ? check_number(r->c, ast) : NULL;
}

static bool malformed(FlowReader *r, const Ast *clause, const char *form) {
  Diag *diag = report(r->c, E0504, clause->at, "`%s` is written `%s`", clause->name, form);
  help(r->c, diag, "what stands here is `%s`", text_of(r->c, clause->at));
  return false;
}

static bool is_word(const Ast *ast, const char *word) { return ast && ast->kind == AST_NAME && strcmp(ast->name, word) == 0; }
static bool is_text(const Ast *ast) { return ast && ast->kind == AST_STRING && ast->text; }

/* ---- source ---- */
static bool read_normal(FlowReader *r, const Ast *call) {
  Checker *c = r->c;
  if (call->items.count == 2) {
    report(c, E0212, call->at, "a normal distribution with a mean and a covariance is not in this version of flowc; `normal(d)` has mean 0 and variance 1");
    return false;
  }
  if (call->items.count != 1) {
    report(c, E0505, call->at, "`normal` takes the number of dimensions, as in `normal(2)`");
    return false;
  }
  r->flow->source = SOURCE_NORMAL;
  return resolve_value(c, r->definition, call->items.at[0]) && extent_of(c, call->items.at[0], &r->flow->dim);
}

static bool read_uniform(FlowReader *r, const Ast *call) {
  Checker *c = r->c;
  if (call->items.count != 2) {
    report(c, E0505, call->at, "`uniform` takes the least and the greatest values, as in `uniform([0, 0], [1, 1])`");
    return false;
  }
  Typed *low = constant_of_clause(r, call->items.at[0]), *high = constant_of_clause(r, call->items.at[1]);
  if (!low || !high) return false;
  if (low->shape.rank > 1 || !shape_same(&low->shape, &high->shape)) {
    Diag *diag = report(c, E0505, call->at, "the bounds of `uniform` are two vectors of one length, or two numbers for every dimension, but these are %s and %s",
                        shape_text(c->arena, &low->shape), shape_text(c->arena, &high->shape));
    note_origins(c, diag, low, high);
    return false;
  }
  r->flow->source = SOURCE_UNIFORM;
  r->flow->dim = low->shape.rank ? low->shape.dim[0] : 0;         /* 0: as many as the state has */
  r->low = low;
  r->high = high;
  return true;
}

bool fill_bounds(FlowReader *r) {
  Checker *c = r->c;
  TypedFlow *flow = r->flow;
  flow->uniform_low = arena_array(c->arena, (size_t)flow->dim, sizeof(double));
  flow->uniform_high = arena_array(c->arena, (size_t)flow->dim, sizeof(double));
  for (int64_t i = 0; i < flow->dim; i++) {
    double *low = &flow->uniform_low[i], *high = &flow->uniform_high[i];
    if (!constant_number(c, r->low, i, low) || !constant_number(c, r->high, i, high)) return false;
    if (*low < *high) continue;
    report(c, E0505, r->high->at, "the greatest value of dimension %lld, %g, is not above the least, %g", (long long)i, *high, *low);
    return false;
  }
  return true;
}

static bool read_source(FlowReader *r, const Ast *clause) {
  Checker *c = r->c;
  const Ast *value = clause->items.count == 1 ? clause->items.at[0] : NULL;
  if (!value) return malformed(r, clause, "source normal(2)` or `source \"file.npy\"");
  r->source_at = value->at;
  if (is_text(value) && *value->text) {
    r->flow->source = SOURCE_FILE;
    r->flow->source_path = value->text;
    return true;
  }
  const char *name = value->kind == AST_NAME ? value->name
                     : value->kind == AST_CALL && value->function && value->function->kind == AST_NAME ? value->function->name : NULL;
  if (!name) return malformed(r, clause, "source normal(2)` or `source \"file.npy\"");
  Definition *d = symbol_of(c, name)->definition;
  if (d && d->ast->kind == AST_DENSITY) {
    report(c, E0212, value->at, "a density as the source is not in this version of flowc");
    return false;
  }
  if (value->kind == AST_CALL && strcmp(name, "normal") == 0) return read_normal(r, value);
  if (value->kind == AST_CALL && strcmp(name, "uniform") == 0) return read_uniform(r, value);
  static const char *const source[] = {"normal", "uniform"};
  const char *near = diag_nearest(name, source, 2);
  Diag *diag = report(c, E0505, value->at, "a source is `normal(d)`, `uniform(low, high)` or the name of a file in quotes, and this is none");
  if (near) help(c, diag, "did you mean `%s`?", strcmp(near, "normal") == 0 ? "normal(2)" : "uniform(low, high)");
  return false;
}

/* ---- velocity ---- */
static bool read_velocity(FlowReader *r, const Ast *clause) {
  Checker *c = r->c;
  const Ast *value = clause->items.count == 1 ? clause->items.at[0] : NULL;
  if (!value) return malformed(r, clause, "velocity u");
  r->velocity_at = value->at;
  if (value->kind == AST_VELOCITY_OF) {
    report(c, E0212, clause->at, "`velocity of` a map is not in this version of flowc");
    return false;
  }
  if (value->kind != AST_NAME) return malformed(r, clause, "velocity u");
  Definition *d = symbol_of(c, value->name)->definition;
  if (!d) {
    report_unknown(c, value->name, value->at);
    return false;
  }
  if (d->broken || d->ast->kind == AST_ERROR) return false;
  if (d->ast->kind == AST_FIELD && !d->ast->has_parameters) {
    report(c, E0212, value->at, "`%s` is the velocity of a map, which is not in this version of flowc", value->name);
    return false;
  }
  r->velocity = d;
  return true;
}

/* ---- weights, skip ---- */
static bool read_weights(FlowReader *r, const Ast *clause) {
  const AstList *v = &clause->items;
  bool plain = v->count == 1 && is_text(v->at[0]);
  bool prefixed = v->count == 3 && is_text(v->at[0]) && is_word(v->at[1], "prefix") && is_text(v->at[2]);
  if ((!plain && !prefixed) || !*v->at[0]->text) return malformed(r, clause, "weights \"file.safetensors\"` or `weights \"file.safetensors\" prefix \"net.\"");
  r->flow->weights = v->at[0]->text;
  r->flow->weights_at = v->at[0]->at;
  if (prefixed) r->flow->prefix = v->at[2]->text;
  return true;
}

static bool read_skip(FlowReader *r, const Ast *clause) {
  const AstList *v = &clause->items;
  bool good = v->count > 0;
  for (size_t i = 0; i < v->count; i++) good = good && is_text(v->at[i]);
  if (!good) return malformed(r, clause, "skip \"time.freqs\"");
  r->flow->skip = arena_array(r->c->arena, v->count, sizeof *r->flow->skip);
  for (size_t i = 0; i < v->count; i++) r->flow->skip[i] = v->at[i]->text;
  r->flow->skips = (uint32_t)v->count;
  return true;
}

/* ---- solver, time ---- */
static bool known_solver(FlowReader *r, const Ast *name) {
  Checker *c = r->c;
  const CheckOptions *o = &c->options;
  const char *list = "";
  for (uint32_t i = 0; i < o->solvers; i++) {
    if (strcmp(o->solver[i], name->name) == 0) return true;
    list = arena_format(c->arena, "%s%s%s", list, i ? ", " : "", o->solver[i]);
  }
  Diag *diag = report(c, E0508, name->at, "there is no solver `%s`", name->name);
  const char *near = diag_nearest(name->name, o->solver, o->solvers);
  if (near) {
    help(c, diag, "did you mean `%s`?", near);
    fix(c, diag, name->at, "%s", near);
  } else {
    help(c, diag, "there are: %s", list);
  }
  return false;
}

static bool read_solver(FlowReader *r, const Ast *clause) {
  Checker *c = r->c;
  const AstList *v = &clause->items;
  if (v->count == 0 || !v->at[0] || v->at[0]->kind != AST_NAME) return malformed(r, clause, "solver midpoint steps 100");
  if (!known_solver(r, v->at[0])) return false;
  r->flow->solver = v->at[0]->name;
  r->flow->solver_at = clause->at;
  if (v->count == 1) {
    Diag *diag = report(c, E0504, clause->at, "how many steps?");
    help(c, diag, "`solver %s steps 100`", r->flow->solver);
    return false;
  }
  if (v->count != 3 || !is_word(v->at[1], "steps") || !v->at[2]) return malformed(r, clause, "solver midpoint steps 100");
  if (!resolve_value(c, r->definition, v->at[2]) || !size_of(c, v->at[2], &r->flow->steps)) return false;
  if (r->flow->steps >= 1 && r->flow->steps <= MOST_FLOW_STEPS) return true;
  report(c, E0504, v->at[2]->at, "a solve takes 1 to %d steps, and this is %lld", MOST_FLOW_STEPS, (long long)r->flow->steps);
  return false;
}

static bool read_time(FlowReader *r, const Ast *clause) {
  Checker *c = r->c;
  const AstList *v = &clause->items;
  if (v->count != 3 || !v->at[0] || !is_word(v->at[1], "->") || !v->at[2]) return malformed(r, clause, "time 0 -> 1");
  double *end[2] = {&r->flow->time_from, &r->flow->time_to};
  for (int i = 0; i < 2; i++) {
    Typed *typed = constant_of_clause(r, v->at[2 * i]);
    if (!typed) return false;
    if (typed->shape.rank > 0) {
      report(c, E0509, typed->at, "a time is a scalar, and this is %s", shape_text(c->arena, &typed->shape));
      return false;
    }
    if (!constant_number(c, typed, 0, end[i])) return false;
  }
  if (r->flow->time_from != r->flow->time_to) return true;
  report(c, E0509, clause->at, "the time at the source and at the data is the same, %g: nothing would move", r->flow->time_from);
  return false;
}

/* ---- the table ---- */
const ClauseRow clause_row[CLAUSE_COUNT] = {
#define CLAUSE(word, values, help) {#word, values, read_##word},
#include "clauses.def"
#undef CLAUSE
};
