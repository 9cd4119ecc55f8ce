/* SPDX-License-Identifier: Apache-2.0 */
/* predict.c -- `predicts noise|data|score` along a `path`: the velocity that such a network stands for.
 *
 * A path is x_s = alpha(s) x1 + sigma(s) x0, s = 0 at the source and 1 at the data, and its velocity for given ends
 * dx_s/ds = alpha' x1 + sigma' x0.  Who knows x0 or x1 on the average, given x_s, knows the velocity on the average:
 *
 *     noise  e = E[x0 | x]      x1 = (x - sigma e) / alpha      u = (alpha'/alpha) x + (sigma' - alpha' sigma/alpha) e
 *     data   d = E[x1 | x]      x0 = (x - alpha d) / sigma      u = (sigma'/sigma) x + (alpha' - sigma' alpha/sigma) d
 *     score  q = grad log p_s   e = -sigma q, x0 standard normal (Tweedie's formula)
 *
 * and dx/dt = u ds/dt.  In a flow with `time a -> b`, s is t for 0 <= a < b <= 1 and 1 - t for 0 <= b < a <= 1, so that a
 * time may stop short of an end at which something is divided by 0; in any other unit s = (t - a)/(b - a).
 *
 * The paths are functions of the prelude; alpha' and sigma' are ddt of them. */
#include <math.h>
#include <string.h>
#include "clause.h"
#include "constant.h"
#include "synthetic.h"

/* ---- clauses --------------------------------------------------------------------------------------------------------- */
static const char *const prediction[] = {"velocity", "noise", "data", "score"};
static const char *const path_name[] = {"condot", "vp", "cosine"};

static bool refuse_word(FlowReader *r, const Ast *clause, const Ast *value, const char *const *word, size_t words, const char *form) {
  Checker *c = r->c;
  const char *near = value && value->kind == AST_NAME ? diag_nearest(value->name, word, words) : NULL;
  if (!near) return malformed(r, clause, form);
  Diag *diag = report(c, E0504, value->at, "`%s` knows no `%s`", clause->name, value->name);
  help(c, diag, "did you mean `%s`?", near);
  fix(c, diag, value->at, "%s", near);
  return false;
}

bool read_predicts(FlowReader *r, const Ast *clause) {
  const Ast *value = clause->items.count == 1 ? clause->items.at[0] : NULL;
  for (uint32_t i = 0; value && i < sizeof prediction / sizeof *prediction; i++) {
    if (!is_word(value, prediction[i])) continue;
    r->predicts = (Prediction)i;
    return true;
  }
  return refuse_word(r, clause, value, prediction, sizeof prediction / sizeof *prediction, "predicts velocity`, `noise`, `data` or `score");
}

static Definition *schedule(FlowReader *r, const Ast *name) {
  Checker *c = r->c;
  Definition *d = name->kind == AST_NAME ? symbol_of(c, name->name)->definition : NULL;
  if (name->kind == AST_NAME && !d) {
    report_unknown(c, name->name, name->at);
    return NULL;
  }
  if (d && (d->broken || (is_function(d->ast) && !is_whole(d->ast)))) return NULL;
  if (d && d->ast->kind == AST_FN && d->ast->items.count == 1 && differentiated(d->ast, DERIVATIVE_DDT) == 0) return d;
  Diag *diag = report(c, E0512, name->at, "a path is made of two functions of one number, alpha and sigma, and this is %s",
                      d ? definition_kind(d->ast) : "an expression");
  help(c, diag, "define `fn alpha(s) = s` and `fn sigma(s) = 1 - s`, and write `path linear(alpha, sigma)`");
  return NULL;
}

bool read_path(FlowReader *r, const Ast *clause) {
  Checker *c = r->c;
  const Ast *value = clause->items.count == 1 ? clause->items.at[0] : NULL;
  static const char form[] = "path condot`, `vp`, `cosine` or `linear(alpha, sigma)";
  if (value && value->kind == AST_CALL && is_word(value->function, "linear")) {
    if (value->items.count != 2 || value->extra.count) return malformed(r, clause, form);
    r->alpha = schedule(r, value->items.at[0]);
    r->sigma = schedule(r, value->items.at[1]);
    return r->alpha && r->sigma;
  }
  for (size_t i = 0; value && i < sizeof path_name / sizeof *path_name; i++) {
    if (!is_word(value, path_name[i])) continue;
    r->alpha = of_prelude(c, arena_format(c->arena, "%s_alpha", path_name[i]));
    r->sigma = of_prelude(c, arena_format(c->arena, "%s_sigma", path_name[i]));
    r->steep = strcmp(path_name[i], "vp") == 0;
    return r->alpha && r->sigma;
  }
  return refuse_word(r, clause, value, path_name, sizeof path_name / sizeof *path_name, form);
}

/* ---- the time of the path ----------------------------------------------------------------------------------------------- */
static bool in_unit(const TypedFlow *flow) {
  return fmin(flow->time_from, flow->time_to) >= 0 && fmax(flow->time_from, flow->time_to) <= 1;
}

/* s = offset + rate t */
static double rate_of(const TypedFlow *flow) {
  double span = flow->time_to - flow->time_from;
  return in_unit(flow) ? (span > 0 ? 1 : -1) : 1 / span;
}

static double offset_of(const TypedFlow *flow) {
  double rate = rate_of(flow);
  return in_unit(flow) ? (rate > 0 ? 0 : 1) : -flow->time_from * rate;
}

void note_path(FlowReader *r) {
  TypedFlow *flow = r->flow;
  const Ast *clause = r->clause[CLAUSE_path], *value = clause && clause->items.count ? clause->items.at[0] : NULL;
  if (value) flow->path = value->kind == AST_NAME ? value->name : "linear";
  flow->predicts = r->predicts != PREDICTS_VELOCITY;
  flow->path_from = flow->predicts ? offset_of(flow) + rate_of(flow) * flow->time_from : 0;
  flow->path_to = flow->predicts ? offset_of(flow) + rate_of(flow) * flow->time_to : 1;
}

/* ---- ends ------------------------------------------------------------------------------------------------------------------ */
static bool value_of_path(FlowReader *r, Definition *part, double s, double *value) {
  Checker *c = r->c;
  Ast *call = synthetic_call(c, alias_of(c, part), r->predicts_at);
  append_item(c, &call->items, synthetic_number(c, s, r->predicts_at));
  Typed *typed = check_number(c, call);
  return typed && constant_number(c, typed, 0, value);
}

static bool refuse_end(FlowReader *r, bool data, const char *why) {
  const TypedFlow *flow = r->flow;
  double a = flow->time_from, b = flow->time_to, rate = rate_of(flow);
  Diag *diag = report(r->c, E0512, r->predicts_at, "a velocity from `%s` %s at the %s, t = %g", prediction[r->predicts], why, data ? "data" : "source", data ? b : a);
  if (in_unit(flow)) help(r->c, diag, "stop short of it: `time %g -> %g`", data ? a : a + 0.001 * rate, data ? b - 0.001 * rate : b);
  else help(r->c, diag, "make a field of it whose time lies between 0 and 1, `%s(%g*t, x)`, and let that stop short of the end",
            r->velocity->ast->name, fmax(fabs(a), fabs(b)));
  return false;
}

static bool ends_are_finite(FlowReader *r) {
  const TypedFlow *flow = r->flow;
  bool by_sigma = r->predicts == PREDICTS_DATA;
  for (int data = 0; data < 2; data++) {
    double alpha, sigma, s = offset_of(flow) + rate_of(flow) * (data ? flow->time_to : flow->time_from);
    if (!value_of_path(r, r->alpha, s, &alpha) || !value_of_path(r, r->sigma, s, &sigma)) return false;
    if (fabs(by_sigma ? sigma : alpha) < 1e-9)      /* cos(pi/2) is 6e-17 */
      return refuse_end(r, data, by_sigma ? "divides by sigma, which is 0" : "divides by alpha, which is 0");
    if (r->steep && fabs(sigma) < 1e-9) return refuse_end(r, data, "along `path vp` has an infinite sigma'");
  }
  return true;
}

/* ---- the velocity ------------------------------------------------------------------------------------------------------------ */
static Ast *name(FlowReader *r, const char *text) { return synthetic_name(r->c, text, r->predicts_at); }
static Ast *number(FlowReader *r, double value) { return synthetic_number(r->c, value, r->predicts_at); }
static Ast *times(FlowReader *r, Ast *left, Ast *right) { return synthetic_two(r->c, left, AST_MULTIPLY, right); }

static Ast *of_s(FlowReader *r, Definition *part, bool derivative) {
  const char *alias = alias_of(r->c, part);
  Ast *call = derivative ? synthetic_operator(r->c, " ddt", alias, r->predicts_at) : synthetic_call(r->c, alias, r->predicts_at);
  append_item(r->c, &call->items, name(r, " s"));
  return call;
}

/* With g the part that is divided by and h the other: rate * ((g'/g) x + (h' - g' h/g) prediction), times -sigma for a score. */
static Ast *velocity(FlowReader *r) {
  Checker *c = r->c;
  const Ast *network = r->velocity->ast;
  const AstList *items = &network->items;
  bool data = r->predicts == PREDICTS_DATA;
  Definition *g = data ? r->sigma : r->alpha, *h = data ? r->alpha : r->sigma;
  Ast *field = synthetic(c, AST_FIELD, network->name, r->predicts_at), *said = synthetic_call(c, alias_of(c, r->velocity), r->predicts_at);
  field->has_parameters = true;
  field->items = *items;
  append_names(c, &said->items, items, 0, items->count, r->predicts_at);
  double rate = rate_of(r->flow);
  append_let(c, field, " s", synthetic_two(c, number(r, offset_of(r->flow)), AST_ADD, times(r, number(r, rate), name(r, items->at[0]->name))));
  append_let(c, field, " g", of_s(r, g, false));
  append_let(c, field, " h", of_s(r, h, false));
  append_let(c, field, " a", synthetic_two(c, of_s(r, g, true), AST_DIVIDE, name(r, " g")));
  append_let(c, field, " b", synthetic_two(c, of_s(r, h, true), AST_SUBTRACT, times(r, name(r, " a"), name(r, " h"))));
  Ast *b = r->predicts == PREDICTS_SCORE ? times(r, times(r, number(r, -rate), name(r, " h")), name(r, " b")) : times(r, number(r, rate), name(r, " b"));
  append_let(c, field, " c", b);
  Ast *state = times(r, times(r, number(r, rate), name(r, " a")), name(r, items->at[1]->name));
  field->body = synthetic_two(c, state, AST_ADD, times(r, name(r, " c"), said));
  return field;
}

static bool fits_together(FlowReader *r) {
  Checker *c = r->c;
  Diag *diag;
  if (r->velocity->map) {
    report(c, E0512, r->predicts_at, "`%s` is the velocity of a map, and this calls it the %s", r->velocity->ast->name, prediction[r->predicts]);
    return false;
  }
  if (!r->clause[CLAUSE_path]) {
    diag = report(c, E0512, r->predicts_at, "what a network says of the %s becomes a velocity along a path, and `%s` has none", prediction[r->predicts], r->flow->name);
    help(c, diag, "add the path that it was trained along, for example `path condot`");
    return false;
  }
  if (r->predicts != PREDICTS_SCORE || r->flow->source == SOURCE_NORMAL) return r->alpha && r->sigma;
  diag = report(c, E0512, r->predicts_at, "a score becomes a velocity where the source is `normal(d)`, and this one is another");
  note(c, diag, r->source_at, "the source is here");
  return false;
}

bool convert_prediction(FlowReader *r) {
  if (r->predicts == PREDICTS_VELOCITY) return true;
  r->predicts_at = r->clause[CLAUSE_predicts]->at;
  if (!fits_together(r) || !ends_are_finite(r)) return false;
  Definition *d = define_hidden(r->c, arena_format(r->c->arena, "velocity in %s", r->flow->name), velocity(r));
  resolve_definition(r->c, d);
  r->velocity = d;
  return true;
}
