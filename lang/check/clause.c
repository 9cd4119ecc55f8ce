/* SPDX-License-Identifier: Apache-2.0 */
/* clause.c -- the clauses of a flow, one reader each (clauses.def). */
#include <math.h>
#include <string.h>
#include "clause.h"
#include "constant.h"

Typed *constant_of_clause(FlowReader *r, const Ast *ast) {
  return resolve_value(r->c, r->definition, ast) ? check_number(r->c, ast) : NULL;
}

bool malformed(FlowReader *r, const Ast *clause, const char *form) {
  Diag *diag = report(r->c, E0504, clause->at, "`%s` is written `%s`", clause->name, form);
  help(r->c, diag, "what stands here is `%s`", text_of(r->c, clause->at));
  r->lost_clause = true;                            /* its values may be the words of another */
  return false;
}

bool is_word(const Ast *ast, const char *word) { return ast && ast->kind == AST_NAME && strcmp(ast->name, word) == 0; }
bool is_text(const Ast *ast) { return ast && ast->kind == AST_STRING && ast->text; }

/* ---- words inside a clause ---- */
static const char *const value_word[] = {"steps", "rtol", "atol", "spacing", "prefix"};

bool clause_value_word(const char *word) {
  return diag_nearest(word, value_word, sizeof value_word / sizeof *value_word) != NULL;
}

/* `solver rk4 stpes 20`: the word is none of those that may stand there, perhaps one of them misspelt. */
static bool refuse_value_word(FlowReader *r, const Ast *clause, const Ast *ast, const char *const *word, size_t words, const char *form) {
  const char *near = ast && ast->kind == AST_NAME ? diag_nearest(ast->name, word, words) : NULL;
  if (!near) return malformed(r, clause, form);
  Diag *diag = report(r->c, E0504, ast->at, "`%s` has no word `%s`", clause->name, ast->name);
  help(r->c, diag, "did you mean `%s`?", near);
  fix(r->c, diag, ast->at, "%s", near);
  return false;
}

static bool expect_word(FlowReader *r, const Ast *clause, const Ast *ast, const char *word, const char *form) {
  return is_word(ast, word) || refuse_value_word(r, clause, ast, &word, 1, form);
}

/* ---- velocity ---- */
static bool read_velocity(FlowReader *r, const Ast *clause) {
  Checker *c = r->c;
  const Ast *value = clause->items.count == 1 ? clause->items.at[0] : NULL;
  if (!value) return malformed(r, clause, "velocity u");
  r->velocity_at = value->at;
  if (value->kind == AST_VELOCITY_OF) {
    r->velocity = symbol_of(c, velocity_name(c, value->name))->definition;
    r->lost_clause = r->lost_clause || !r->velocity || r->velocity->broken;      /* a map needs no solver */
    return r->velocity && !r->velocity->broken;     /* else expand.c has said why not */
  }
  if (value->kind != AST_NAME) return malformed(r, clause, "velocity u");
  Definition *d = symbol_of(c, value->name)->definition;
  if (!d) {
    report_unknown(c, value->name, value->at);
    return false;
  }
  if (d->broken || d->ast->kind == AST_ERROR) return false;
  r->velocity = d;
  return true;
}

/* ---- weights, skip ---- */
static bool read_weights(FlowReader *r, const Ast *clause) {
  const AstList *v = &clause->items;
  static const char form[] = "weights \"file.safetensors\"` or `weights \"file.safetensors\" prefix \"net.\"";
  bool plain = v->count == 1 && is_text(v->at[0]);
  bool prefixed = v->count == 3 && is_text(v->at[0]) && is_text(v->at[2]);
  if ((!plain && !prefixed) || !*v->at[0]->text) return malformed(r, clause, form);
  if (prefixed && !expect_word(r, clause, v->at[1], "prefix", form)) return false;
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
  r->flow->skip_at = arena_array(r->c->arena, v->count, sizeof *r->flow->skip_at);
  for (size_t i = 0; i < v->count; i++) {
    r->flow->skip[i] = v->at[i]->text;
    r->flow->skip_at[i] = v->at[i]->at;
  }
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

static bool read_power(FlowReader *r, const Ast *value) {
  Checker *c = r->c;
  Typed *power = constant_of_clause(r, value);
  if (!power) return false;
  if (power->shape.rank > 0) {
    report(c, E0504, power->at, "a power is a scalar, and this is %s", shape_text(c->arena, &power->shape));
    return false;
  }
  if (!constant_number(c, power, 0, &r->flow->spacing_power)) return false;
  if (r->flow->spacing_power > 0 && isfinite(r->flow->spacing_power)) return true;
  Diag *diag = report(c, E0504, power->at, "the power of a spacing is above 0, and this is %g", r->flow->spacing_power);
  help(c, diag, "above 1 the steps at the source are the shorter ones, below 1 those at the data");
  return false;
}

/* What stands behind `solver NAME steps N`: spacing equal, spacing cosine, spacing power P. */
static bool read_spacing(FlowReader *r, const Ast *clause) {
  static const char *const rule[] = {[SPACING_EQUAL] = "equal", [SPACING_COSINE] = "cosine", [SPACING_POWER] = "power"};
  static const char *const form = "solver rk4 steps 50 spacing cosine` or `solver rk4 steps 50 spacing power 2";
  enum { RULES = sizeof rule / sizeof *rule };
  Checker *c = r->c;
  const AstList *v = &clause->items;
  if (!expect_word(r, clause, v->at[3], "spacing", form)) return false;
  const Ast *name = v->count > 4 ? v->at[4] : NULL;
  if (!name || name->kind != AST_NAME) return malformed(r, clause, form);
  int found = 0;
  while (found < RULES && strcmp(rule[found], name->name) != 0) found++;
  if (found == RULES) {
    const char *near = diag_nearest(name->name, rule, RULES);
    Diag *diag = report(c, E0504, name->at, "there is no spacing `%s`", name->name);
    if (near) fix(c, diag, name->at, "%s", near);
    else help(c, diag, "there are: equal, cosine, power");
    return false;
  }
  r->flow->spacing = (StepSpacing)found;
  if (v->count != (found == SPACING_POWER ? 6u : 5u)) return malformed(r, clause, form);
  return found != SPACING_POWER || read_power(r, v->at[5]);
}

/* Does the solver estimate its error? */
static bool may_adapt(const FlowReader *r) {
  const CheckOptions *o = &r->c->options;
  for (uint32_t i = 0; i < o->adaptives; i++)
    if (strcmp(o->adaptive[i], r->flow->solver) == 0) return true;
  return false;
}

static bool read_tolerance(FlowReader *r, const Ast *value, double *tolerance) {
  Checker *c = r->c;
  Typed *typed = constant_of_clause(r, value);
  if (!typed) return false;
  if (typed->shape.rank > 0) {
    report(c, E0504, typed->at, "a tolerance is a scalar, and this is %s", shape_text(c->arena, &typed->shape));
    return false;
  }
  if (!constant_number(c, typed, 0, tolerance)) return false;
  if (*tolerance > 0 && *tolerance < 1) return true;
  report(c, E0504, typed->at, "a tolerance is above 0 and below 1, and this is %g", *tolerance);
  return false;
}

/* solver NAME rtol X atol Y: one of them or both, in any order. */
static bool read_tolerances(FlowReader *r, const Ast *clause) {
  static const char *const form = "solver dopri5 rtol 1e-5 atol 1e-5";
  Checker *c = r->c;
  const AstList *v = &clause->items;
  if (!may_adapt(r)) {
    Diag *diag = report(c, E0504, clause->at, "`%s` has no estimate of its error and cannot keep to a tolerance", r->flow->solver);
    help(c, diag, "`%s`, or `solver %s steps 100`", form, r->flow->solver);
    return false;
  }
  for (uint32_t i = 1; i < v->count; i += 2) {
    bool relative = is_word(v->at[i], "rtol");
    double *tolerance = relative ? &r->flow->rtol : &r->flow->atol;
    if (!relative && !is_word(v->at[i], "atol")) return refuse_value_word(r, clause, v->at[i], (const char *[]){"rtol", "atol"}, 2, form);
    if (i + 1 == v->count || !v->at[i + 1] || *tolerance != 0) return malformed(r, clause, form);
    if (!read_tolerance(r, v->at[i + 1], tolerance)) return false;
  }
  return true;
}

static bool read_solver(FlowReader *r, const Ast *clause) {
  Checker *c = r->c;
  const AstList *v = &clause->items;
  if (v->count == 0 || !v->at[0] || v->at[0]->kind != AST_NAME || is_word(v->at[0], "steps"))
    return malformed(r, clause, "solver midpoint steps 100");
  if (!known_solver(r, v->at[0])) return false;
  r->flow->solver = v->at[0]->name;
  r->flow->solver_at = clause->at;
  if (v->count == 1 && may_adapt(r)) return true;
  if (v->count > 1 && (is_word(v->at[1], "rtol") || is_word(v->at[1], "atol"))) return read_tolerances(r, clause);
  if (v->count == 1) {
    Diag *diag = report(c, E0504, clause->at, "how many steps?");
    help(c, diag, "`solver %s steps 100`", r->flow->solver);
    return false;
  }
  if (v->count == 2 && v->at[1] && v->at[1]->kind == AST_NUMBER) {
    Diag *diag = report(c, E0504, v->at[1]->at, "a number of steps stands behind the word `steps`");
    fix(c, diag, v->at[1]->at, "steps %s", text_of(c, v->at[1]->at));
    return false;
  }
  if (v->count < 3 || !v->at[2]) return malformed(r, clause, "solver midpoint steps 100");
  if (!is_word(v->at[1], "steps"))
    return refuse_value_word(r, clause, v->at[1], (const char *[]){"steps", "rtol", "atol"}, 3, "solver midpoint steps 100");
  if (!resolve_value(c, r->definition, v->at[2]) || !size_of(c, v->at[2], &r->flow->steps)) return false;
  if (r->flow->steps >= 1 && r->flow->steps <= MOST_FLOW_STEPS) return v->count == 3 || read_spacing(r, clause);
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
