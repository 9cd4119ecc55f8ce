/* SPDX-License-Identifier: Apache-2.0 */
/* source.c -- the clause `source`: a distribution, a density with a draw line, or a file. */
#include <math.h>
#include <string.h>
#include "clause.h"
#include "density.h"

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
      report(c, E0510, at, "a covariance is symmetric, but its element [%lld, %lld] is %g and [%lld, %lld] is %g", (long long)i,
             (long long)j, s[i * d + j], (long long)j, (long long)i, s[j * d + i]);
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
  Diag *diag = report(c, E0510, spread->at, "the covariance of a mean %s is a matrix [%lld, %lld], and this is %s", shape_text(c->arena, &mean->shape),
                      (long long)mean->shape.dim[0], (long long)mean->shape.dim[0], shape_text(c->arena, &spread->shape));
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

static void suggest_source(Checker *c, Diag *diag, const char *name, Span at) {
  size_t count = 2;
  if (c->diagnostics->errors >= DIAG_MOST) return;
  for (const Definition *d = c->first; d; d = d->next) count += d->ast->kind == AST_DENSITY;
  const char **source = arena_array(c->arena, count, sizeof *source);
  source[0] = "normal";
  source[1] = "uniform";
  size_t n = 2;
  for (const Definition *d = c->first; d; d = d->next)
    if (d->ast->kind == AST_DENSITY) source[n++] = d->ast->name;
  const char *near = diag_nearest(name, source, count);
  if (!near) return;
  bool normal = strcmp(near, "normal") == 0, uniform = strcmp(near, "uniform") == 0;
  help(c, diag, "did you mean `%s`?", normal ? "normal(2)" : uniform ? "uniform(low, high)" : near);
  if (!normal && !uniform) fix(c, diag, at, "%s", near);
}

bool read_source(FlowReader *r, const Ast *clause) {
  Checker *c = r->c;
  const Ast *value = clause->items.count == 1 ? clause->items.at[0] : NULL;
  if (!value) return malformed(r, clause, "source normal(2)` or `source \"file.npy\"");
  r->source_at = value->at;
  if (is_text(value) && *value->text) {
    r->flow->source = SOURCE_FILE;
    r->flow->source_path = value->text;
    r->flow->source_at = value->at;
    return true;
  }
  const char *name = value->kind == AST_NAME ? value->name
                     : value->kind == AST_CALL && value->function && value->function->kind == AST_NAME ? value->function->name : NULL;
  if (!name) return malformed(r, clause, "source normal(2)` or `source \"file.npy\"");
  Definition *d = symbol_of(c, name)->definition;
  if (d && d->ast->kind == AST_DENSITY && value->kind == AST_NAME) return read_density(r, d, value->at);
  if (value->kind == AST_CALL && strcmp(name, "normal") == 0) return read_normal(r, value);
  if (value->kind == AST_CALL && strcmp(name, "uniform") == 0) return read_uniform(r, value);
  Diag *diag = report(c, E0505, value->at, "a source is `normal(d)`, `uniform(low, high)`, a density or the name of a file in quotes, and this is none");
  if (d) note(c, diag, d->ast->name_at, "`%s` is %s", name, definition_kind(d->ast));
  else suggest_source(c, diag, name, value->at);
  return false;
}
