/* SPDX-License-Identifier: Apache-2.0 */
/* flow.c -- a flow: its clauses, each once, none missing; and its velocity for the size that the source gives. */
#include <string.h>
#include "clause.h"

/* ---- a field for a state ---- */
/* The shape in a declaration, where it needs no size variable. */
bool declared_shape(Checker *c, const Ast *parameter, Shape *shape) {
  bool reported = c->reported, good = parameter->sizes.count <= FLOW_MOST_RANK;
  *shape = (Shape){.rank = (uint32_t)parameter->sizes.count};
  c->quiet++;
  for (uint32_t i = 0; good && i < shape->rank; i++) good = extent_of(c, parameter->sizes.at[i], &shape->dim[i]);
  c->quiet--;
  c->reported = reported;
  return good;
}

bool shape_known(Checker *c, const Ast *definition) {
  uint32_t old = new_frame(c);
  bool good = is_whole(definition);
  Shape shape;
  for (size_t i = 0; good && i < definition->items.count; i++)
    good = !definition->items.at[i]->is_dim && declared_shape(c, definition->items.at[i], &shape);
  c->frame = old;
  return good;
}

Instance *declared_instance(Checker *c, Definition *definition) {
  const Ast *ast = definition->ast;
  Shape *key = arena_array(c->arena, ast->items.count + 1, sizeof *key);
  Span *at = arena_array(c->arena, ast->items.count + 1, sizeof *at);
  for (size_t i = 0; i < ast->items.count; i++) {
    declared_shape(c, ast->items.at[i], &key[i]);
    at[i] = ast->items.at[i]->at;
  }
  Trail *trail = c->trail;
  c->trail = NULL;
  Instance *instance = instance_of(c, definition, key, at, ast->name_at);
  c->trail = trail;
  return instance;
}

static bool unknown_size(Checker *c, const Ast *parameter, Span at, const char *what) {
  Diag *diag = report(c, E0507, at, "the size of `%s` is not known here", parameter->name);
  note(c, diag, parameter->at, "it is declared as `%s`", text_of(c, parameter->at));
  help(c, diag, "%s", what);
  return false;
}

static bool state_shape(Checker *c, const Ast *parameter, const Shape *state, Span state_at, Shape *key) {
  if (state && (state->rank != 1 || parameter->sizes.count == 1)) {
    *key = *state;
    return true;
  }
  if (!declared_shape(c, parameter, key))
    return unknown_size(c, parameter, state_at, state ? "a state of several axes has its sizes in its declaration, since a source gives only their product"
                                                      : "write numbers or `dim`s in the declaration, or use a source of known size");
  if (!state || shape_elements(key) == state->dim[0]) return true;
  Diag *diag = report(c, E0507, state_at, "the source has %lld numbers, and a state %s has %lld", (long long)state->dim[0],
                      shape_text(c->arena, key), (long long)shape_elements(key));
  note(c, diag, parameter->at, "the state is declared here");
  return false;
}

static bool refuse_velocity(Checker *c, const Ast *ast, Span at) {
  Diag *diag = report(c, E0506, at, "a velocity is a field, `(t, x: [n], ...)` to the shape of x, and `%s` is %s%s", ast->name,
                      definition_kind(ast), ast->kind == AST_NETWORK ? " with other arguments" : "");
  note(c, diag, ast->name_at, "`%s` is defined here", ast->name);
  if (ast->kind == AST_MAP) {
    help(c, diag, "the field that moves points as the map does is `velocity of %s`", ast->name);
    fix(c, diag, at, "of %s", ast->name);
  }
  return false;
}

/* The shapes of conditions: as given, or as declared, where the sizes of the state may have names by now. */
static bool condition_shapes(Checker *c, const Ast *ast, const Shape *condition, uint32_t conditions, Span at, Shape *key) {
  const AstList *sizes = &ast->items.at[1]->sizes;
  uint32_t old = new_frame(c);
  Binding *before = c->top;
  bool good = true;
  for (size_t k = 0; k < sizes->count && k < key[1].rank; k++)
    if (sizes->at[k]->kind == AST_NAME) bind_variable(c, sizes->at[k], key[1].dim[k]);
  for (size_t i = 2; i < ast->items.count; i++) {
    const Ast *p = ast->items.at[i];
    if (i - 2 < conditions) key[i] = condition[i - 2];
    else if (p->is_dim || !declared_shape(c, p, &key[i]))
      good = unknown_size(c, p, at, "what a velocity takes besides t and the state is given when the flow runs, so its size stands in its declaration");
  }
  unbind(c, before);
  c->frame = old;
  return good;
}

TypedFunction *field_instance(Checker *c, Definition *definition, const Shape *state, Span state_at,
                              const Shape *condition, uint32_t conditions, Span at) {
  const Ast *ast = definition->ast;
  if (definition->broken || !is_whole(ast)) return NULL;
  if (!is_function(ast) || !is_field_signature(ast)) {
    refuse_velocity(c, ast, at);
    return NULL;
  }
  size_t count = ast->items.count;
  Shape *key = arena_array(c->arena, count, sizeof *key);
  Span *argument_at = arena_array(c->arena, count, sizeof *argument_at);
  argument_at[0] = at;
  argument_at[1] = state_at;
  bool good = state_shape(c, ast->items.at[1], state, state_at, &key[1]);
  for (size_t i = 2; i < count; i++) argument_at[i] = at;
  good = good && condition_shapes(c, ast, condition, conditions, at, key);
  Instance *instance = good ? instance_of(c, definition, key, argument_at, at) : NULL;
  if (!instance) return NULL;
  const Typed *result = instance->function.result;
  if (shape_same(&result->shape, &key[1])) return &instance->function;
  Diag *diag = report(c, E0506, at, "a velocity has the shape of the state, but `%s` gives %s for a state %s", ast->name,
                      shape_text(c->arena, &result->shape), shape_text(c->arena, &key[1]));
  note(c, diag, result->at, "the result is here");
  return NULL;
}

/* ---- clauses ---- */
/* Those that stand in the block of `train`. */
static const char *const later_clause[] = {"loss", "data", "optimiser", "optimizer", "batch"};

enum { LATER_CLAUSES = sizeof later_clause / sizeof *later_clause };

/* The clause that a misspelt word surely means; NULL where that is not sure. */
static const char *likely_clause(const char *name) {
  const char *word[CLAUSE_COUNT + LATER_CLAUSES];
  for (int i = 0; i < CLAUSE_COUNT; i++) word[i] = clause_row[i].word;
  for (int i = 0; i < LATER_CLAUSES; i++) word[CLAUSE_COUNT + i] = later_clause[i];
  return diag_nearest(name, word, sizeof word / sizeof *word);
}

static void suggest_clause(Checker *c, Diag *diag, const char *near, Span at) {
  help(c, diag, "did you mean `%s`?", near);
  fix(c, diag, at, "%s", near);
}

/* One cause, one error: the clause that was meant, or any where that is not known, is not missing as well. */
static void refuse_clause(FlowReader *r, const Ast *clause) {
  Checker *c = r->c;
  const char *list = "";
  r->lost_clause = true;
  for (int i = 0; i < LATER_CLAUSES; i++)
    if (strcmp(clause->name, later_clause[i]) == 0) {
      Diag *diag = report(c, E0501, clause->name_at, "a flow has no clause `%s`", clause->name);
      help(c, diag, "how a flow is trained stands in a block of its own: `train { %s .. }`", clause->name);
      return;
    }
  Diag *diag = report(c, E0501, clause->name_at, "a flow has no clause `%s`", clause->name);
  const char *near = likely_clause(clause->name);
  if (near) {
    suggest_clause(c, diag, near, clause->name_at);
    return;
  }
  for (int i = 0; i < CLAUSE_COUNT; i++) list = arena_format(c->arena, "%s%s%s", list, i ? ", " : "", clause_row[i].word);
  help(c, diag, "it has: %s", list);
}

/* `velocity u  sovler rk4 steps 20` on one line: the misspelt word began no clause and so became a value of the one before,
 * which ends there.  A name that the program has is what it says, and so is one that belongs to the word before it. */
static void cut_misspelt(FlowReader *r, Ast *clause) {
  static const char *const takes_a_name[] = {"steps", "spacing", "prefix", "->"};
  for (size_t i = 1; i < clause->items.count; i++) {
    const Ast *value = clause->items.at[i], *before = clause->items.at[i - 1];
    if (!value || value->kind != AST_NAME || strcmp(value->name, "->") == 0) continue;
    bool taken = symbol_of(r->c, value->name)->definition != NULL;
    for (size_t k = 0; k < sizeof takes_a_name / sizeof *takes_a_name; k++)
      taken = taken || (before && before->kind == AST_NAME && strcmp(before->name, takes_a_name[k]) == 0);
    const char *near = taken || clause_value_word(value->name) ? NULL : likely_clause(value->name);
    if (!near) continue;
    suggest_clause(r->c, report(r->c, E0501, value->at, "a flow has no clause `%s`", value->name), near, value->at);
    r->lost_clause = true;
    clause->items.count = i;
    clause->at.to = before ? before->at.to : clause->at.to;
    return;
  }
}

static bool read_clause(FlowReader *r, const Ast *written) {
  Checker *c = r->c;
  Ast *clause = arena_alloc(c->arena, sizeof *clause);
  *clause = *written;
  cut_misspelt(r, clause);
  int row = 0;
  while (row < CLAUSE_COUNT && strcmp(clause_row[row].word, clause->name) != 0) row++;
  if (row == CLAUSE_COUNT) {
    refuse_clause(r, clause);
    return false;
  }
  const Ast *before = r->clause[row];
  if (before) {
    Diag *diag = report(c, E0502, clause->at, "a flow has one `%s`, and this is the second", clause->name);
    note(c, diag, before->at, "the first one is here");
    return false;
  }
  r->clause[row] = clause;
  for (size_t i = 0; i < clause->items.count; i++)
    if (!clause->items.at[i] || clause->items.at[i]->kind == AST_ERROR) return false;
  if (clause->extra.count && row != CLAUSE_train) {
    report(c, E0504, clause->at, "`%s` has no clauses of its own; it is written `%s %s`", clause->name, clause->name, clause_row[row].values);
    return false;
  }
  return clause_row[row].read(r, clause);
}

static bool has_clauses(FlowReader *r, const Ast *flow) {
  static const struct { int clause; const char *line; } needed[] = {
    {CLAUSE_source, "source normal(2)"}, {CLAUSE_velocity, "velocity u"}};
  bool good = true;
  for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
    if (r->clause[needed[i].clause]) continue;
    good = false;
    if (r->lost_clause) continue;                   /* it may be this one */
    Diag *diag = report(r->c, E0503, flow->name_at, "`%s` has no `%s`", flow->name, clause_row[needed[i].clause].word);
    help(r->c, diag, "add a line like `%s`", needed[i].line);
  }
  return good;
}

static void check_weights(FlowReader *r) {
  if (!r->flow->weights || r->flow->velocity->owns_weights) return;
  report_warning(r->c, W0501, r->flow->weights_at, "nothing reads these weights: `%s` has no layers", r->flow->velocity->name);
}

/* Where the velocity is that of a map, the map and its inverse for the same shapes. */
static bool find_map(FlowReader *r) {
  const TypedFunction *u = r->flow->velocity;
  Definition *map = r->velocity->map;
  Span *at = arena_array(r->c->arena, u->parameters + 1u, sizeof *at);
  for (uint32_t i = 0; i < u->parameters; i++) at[i] = r->velocity_at;
  Instance *forward = instance_of(r->c, map, u->parameter, at, r->velocity_at);
  Instance *back = instance_of(r->c, map->inverse, u->parameter, at, r->velocity_at);
  if (!forward || !back) return false;
  r->flow->map = &forward->function;
  r->flow->inverse = &back->function;
  return true;
}

bool check_flow(Checker *c, Definition *definition, TypedFlow *flow) {
  const Ast *ast = definition->ast;
  FlowReader r = {.c = c, .definition = definition, .flow = flow};
  *flow = (TypedFlow){.name = ast->name, .at = ast->name_at, .prefix = "", .time_to = 1};
  bool good = true;
  for (size_t i = 0; i < ast->items.count; i++) {
    const Ast *clause = ast->items.at[i];
    bool whole = clause && clause->kind == AST_CLAUSE;
    if (!whole) r.lost_clause = true;
    good = whole && read_clause(&r, clause) && good;
  }
  bool source = r.clause[CLAUSE_source] && (flow->dim > 0 || flow->source_path || r.low);
  good = has_clauses(&r, ast) && good;
  if (!source || !r.velocity) return false;
  Shape state = shape_vector(flow->dim);
  flow->velocity = field_instance(c, r.velocity, flow->dim ? &state : NULL, r.source_at, NULL, 0, r.velocity_at);
  if (!flow->velocity || !convert_prediction(&r)) return false;
  note_path(&r);
  if (r.predicts) flow->velocity = field_instance(c, r.velocity, &flow->velocity->parameter[1], r.source_at, NULL, 0, r.velocity_at);
  if (!flow->velocity) return false;
  if (r.velocity->map && !find_map(&r)) return false;
  flow->dim = shape_elements(&flow->velocity->parameter[1]);
  if (flow->source == SOURCE_UNIFORM && !fill_bounds(&r)) return false;
  check_weights(&r);
  return make_loss(&r) && good;
}
