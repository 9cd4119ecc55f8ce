/* SPDX-License-Identifier: Apache-2.0 */
/* clause.c -- the clauses of a flow, one reader each (clauses.def). */
#include <math.h>
#include <string.h>
#include "clause.h"
#include "density.h"

static Typed *constant_of_clause(FlowReader *r, const Ast *ast) {
  return resolve_value(r->c, r->definition, ast) ? check_number(r->c, ast) : NULL;
}

static bool malformed(FlowReader *r, const Ast *clause, const char *form) {
  Diag *diag = report(r->c, E0504, clause->at, "`%s` is written `%s`", clause->name, form);
  help(r->c, diag, "what stands here is `%s`", text_of(r->c, clause->at));
  r->lost_clause = true;                            /* its values may be the words of another */
  return false;
}

static bool is_word(const Ast *ast, const char *word) { return ast && ast->kind == AST_NAME && strcmp(ast->name, word) == 0; }
static bool is_text(const Ast *ast) { return ast && ast->kind == AST_STRING && ast->text; }

/* ---- words inside a clause ---- */
static const char *const value_word[] = {"steps", "spacing", "prefix"};

bool clause_value_word(const char *word) {
  return diag_nearest(word, value_word, sizeof value_word / sizeof *value_word) != NULL;
}

/* `solver rk4 stpes 20`: true where the word is the wanted one; else false, and reported if it is that one misspelt. */
static bool expect_word(FlowReader *r, const Ast *clause, const Ast *ast, const char *word, const char *form) {
  if (is_word(ast, word)) return true;
  if (!ast || ast->kind != AST_NAME || !diag_nearest(ast->name, &word, 1)) return malformed(r, clause, form);
  Diag *diag = report(r->c, E0504, ast->at, "`%s` has no word `%s`", clause->name, ast->name);
  help(r->c, diag, "did you mean `%s`?", word);
  fix(r->c, diag, ast->at, "%s", word);
  return false;
}

/* ---- source ---- */
/* Cholesky: the lower triangular L with L L' = S; false where a pivot is not above the rounding errors of those before. */
static bool factorise(const double *s, double *l, int64_t d) {
  for (int64_t i = 0; i < d; i++)
    for (int64_t j = 0; j <= i; j++) {
      double sum = s[i * d + j];
      for (int64_t k = 0; k < j; k++) sum -= l[i * d + k] * l[j * d + k];
      if (i != j) l[i * d + j] = sum / l[j * d + j];
      else if (sum > 1e-14 * s[i * d + i]) l[i * d + i] = sqrt(sum);
      else return false;
    }
  return true;
}

static bool symmetric(Checker *c, const double *s, int64_t d, Span at) {
  for (int64_t i = 0; i < d; i++)
    for (int64_t j = 0; j < i; j++) {
      if (fabs(s[i * d + j] - s[j * d + i]) <= 1e-12 * (fabs(s[i * d + j]) + fabs(s[j * d + i]))) continue;
      report(c, E0510, at, "a covariance is symmetric, but its element [%lld, %lld] is %g and [%lld, %lld] is %g", (long long)i, (long long)j, s[i * d + j], (long long)j, (long long)i, s[j * d + i]);
      return false;
    }
  return true;
}

static bool refuse_spread(Checker *c, const Typed *mean, const Typed *spread) {
  if (spread->shape.rank == 0) {
    Diag *diag = report(c, E0510, spread->at, "a number as the spread of `normal` could be a variance or a deviation: give the covariance matrix");
    help(c, diag, "its diagonal holds the variances, the squares of the deviations: `[[s^2, 0], [0, s^2]]`");
    return false;
  }
  Diag *diag = report(c, E0510, spread->at, "the covariance of a mean %s is a matrix [%lld, %lld], and this is %s", shape_text(c->arena, &mean->shape), (long long)mean->shape.dim[0], (long long)mean->shape.dim[0], shape_text(c->arena, &spread->shape));
  note_origins(c, diag, mean, spread);
  return false;
}

static bool read_gaussian(FlowReader *r, const Ast *call) {
  Checker *c = r->c;
  TypedFlow *flow = r->flow;
  Typed *mean = constant_of_clause(r, call->items.at[0]), *spread = constant_of_clause(r, call->items.at[1]);
  if (!mean || !spread) return false;
  if (mean->shape.rank != 1) {
    report(c, E0505, mean->at, "the mean of `normal` is a vector, and this is %s", shape_text(c->arena, &mean->shape));
    return false;
  }
  int64_t d = mean->shape.dim[0];
  if (spread->shape.rank != 2 || spread->shape.dim[0] != d || spread->shape.dim[1] != d) return refuse_spread(c, mean, spread);
  flow->mean = constant_numbers(c, mean, d);
  flow->covariance = flow->mean ? constant_numbers(c, spread, d * d) : NULL;
  if (!flow->covariance || !symmetric(c, flow->covariance, d, spread->at)) return false;
  flow->factor = arena_array(c->arena, (size_t)(d * d), sizeof(double));
  if (!factorise(flow->covariance, flow->factor, d)) {
    report(c, E0510, spread->at, "this is no covariance: in some direction its variance is not above 0");
    return false;
  }
  flow->source = SOURCE_GAUSSIAN;
  flow->dim = d;
  return true;
}

static bool read_density(FlowReader *r, Definition *d, Span at) {
  Checker *c = r->c;
  const Ast *ast = d->ast;
  Shape state;
  if (d->broken || !is_whole(ast)) return false;
  Diag *diag = NULL;
  if (!d->draw) diag = report(c, E0511, at, "`%s` has no line `draw`, so nothing can be drawn from it", ast->name);
  else if (ast->items.count != 1u + begins_with_time(ast)) diag = report(c, E0511, at, "`%s` takes more than the time and the state, so it is no source by itself", ast->name);
  if (diag) {
    note(c, diag, ast->name_at, "`%s` is defined here", ast->name);
    if (!d->draw) help(c, diag, "a line like `draw z ~ normal(2): m + s*z` after it says how");
    return false;
  }
  const Ast *parameter = ast->items.at[ast->items.count - 1];
  uint32_t old = new_frame(c);
  bool known = declared_shape(c, parameter, &state);
  c->frame = old;
  if (!known) {
    diag = report(c, E0507, at, "the size of `%s` is not known here", parameter->name);
    note(c, diag, parameter->at, "it is declared as `%s`", text_of(c, parameter->at));
    help(c, diag, "a source fixes the size of the state, so a density that is one has numbers or `dim`s in its declaration");
    return false;
  }
  TypedDensity *density = arena_alloc(c->arena, sizeof *density);
  if (!type_density(c, d, &state, at, density)) return false;
  r->flow->source = SOURCE_DENSITY;
  r->flow->density = density;
  r->flow->dim = shape_elements(&state);
  return true;
}

static bool read_normal(FlowReader *r, const Ast *call) {
  Checker *c = r->c;
  if (call->items.count == 2) return read_gaussian(r, call);
  if (call->items.count != 1) {
    report(c, E0505, call->at, "`normal` takes the number of dimensions, as in `normal(2)`, or a mean and a covariance matrix");
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
  if (d && d->ast->kind == AST_DENSITY && value->kind == AST_NAME) return read_density(r, d, value->at);
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
    r->velocity = symbol_of(c, velocity_name(c, value->name))->definition;
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

static bool read_solver(FlowReader *r, const Ast *clause) {
  Checker *c = r->c;
  const AstList *v = &clause->items;
  if (v->count == 0 || !v->at[0] || v->at[0]->kind != AST_NAME || is_word(v->at[0], "steps"))
    return malformed(r, clause, "solver midpoint steps 100");
  if (!known_solver(r, v->at[0])) return false;
  r->flow->solver = v->at[0]->name;
  r->flow->solver_at = clause->at;
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
  if (!expect_word(r, clause, v->at[1], "steps", "solver midpoint steps 100")) return false;
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
