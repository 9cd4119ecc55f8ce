/* SPDX-License-Identifier: Apache-2.0 */
/* loss.c -- `loss my_loss`: a `fn` of the file as what training makes small.
 *
 *     fn huber(u: [2], target: [2]) = sum k: (sqrt(1 + (u[k] - target[k])^2) - 1)
 *
 * It names what it needs of a sample (loss_inputs.def, and the conditions of the velocity) in any order, and gives a scalar.  It stands
 * beside a field in what it may call: networks, each being *the* network of its name, so that div(v)(t, x) is that of the velocity's
 * own weights; and so may the `fn`s that it calls.  Behind it stands a hidden function, by the velocity v(t, x, c):
 *
 *     (t, x, c, target, x0, ..) =
 *       let u = v(t, x, c)
 *       huber(u, target)
 *
 * The `let` comes first also where the loss does not ask for u: the weights then have the velocity's order. */
#include <string.h>
#include "clause.h"
#include "synthetic.h"

static const char *const own_loss[] = {
#define LOSS(name, text) #name,
#include "losses.def"
#undef LOSS
};
enum { OWN_LOSSES = sizeof own_loss / sizeof *own_loss };

static bool is_own(const char *name) {
  for (int i = 0; i < OWN_LOSSES; i++)
    if (strcmp(name, own_loss[i]) == 0) return true;
  return false;
}

/* ---- what may call networks -------------------------------------------------------------------------------------------- */
static void permit_called(Checker *c, const Ast *ast);

static void permit_all(Checker *c, const AstList *list) {
  for (size_t i = 0; i < list->count; i++)
    if (list->at[i]) permit_called(c, list->at[i]);
}

/* A name that is a local one at its place permits too much, and harms nothing: who calls what is looked at again. */
static void permit(Checker *c, const char *name) {
  Definition *d = symbol_of(c, name)->definition;
  if (!d || d->of_loss || d->prelude || d->ast->kind != AST_FN) return;
  d->of_loss = true;
  permit_all(c, &d->ast->lets);
  if (d->ast->body) permit_called(c, d->ast->body);
}

static void permit_called(Checker *c, const Ast *ast) {
  if (ast->name && (ast->kind == AST_NAME || ast->kind == AST_STAGE)) permit(c, ast->name);
  if (ast->function) permit_called(c, ast->function);
  if (ast->body) permit_called(c, ast->body);
  permit_all(c, &ast->items);
  permit_all(c, &ast->extra);
}

static void permit_clause(Checker *c, const Ast *clause) {
  const Ast *value = clause->items.count ? clause->items.at[0] : NULL;
  if (strcmp(clause->name, "loss") == 0 && value && value->kind == AST_NAME && !is_own(value->name)) permit(c, value->name);
}

void permit_losses(Checker *c) {
  if (c->options.loss) permit(c, c->options.loss);
  for (Definition *d = c->first; d; d = d->next)
    for (size_t i = 0; d->ast->kind == AST_FLOW && i < d->ast->items.count; i++) {
      const Ast *block = d->ast->items.at[i];
      for (size_t k = 0; block && block->kind == AST_CLAUSE && k < block->extra.count; k++)
        if (block->extra.at[k] && block->extra.at[k]->kind == AST_CLAUSE) permit_clause(c, block->extra.at[k]);
    }
}

/* ---- the name ------------------------------------------------------------------------------------------------------------ */
static void refuse_unknown(Checker *c, const char *name, Span at) {
  size_t count = OWN_LOSSES;
  for (const Definition *d = c->first; d; d = d->next) count++;
  const char **known = arena_array(c->arena, count, sizeof *known);
  count = 0;
  for (int i = 0; i < OWN_LOSSES; i++) known[count++] = own_loss[i];
  for (const Definition *d = c->first; d; d = d->next)
    if (d->ast->kind == AST_FN && !d->prelude && !d->hidden) known[count++] = d->ast->name;
  const char *near = diag_nearest(name, known, count);
  if (!near && c->lost_definition) return;          /* it may be what the syntax error swallowed */
  Diag *diag = report(c, E0504, at, "`loss` knows no `%s`", name);
  if (near) {
    help(c, diag, "did you mean `%s`?", near);
    if (strcmp(text_of(c, at), name) == 0) fix(c, diag, at, "%s", near);        /* not of the command line */
    return;
  }
  help(c, diag, "there are: flow_matching, likelihood, and every `fn` of the file that gives a scalar");
}

/* NULL, and reported: nothing of this name is a loss. */
static Definition *loss_called(Checker *c, const char *name, Span at) {
  Definition *d = symbol_of(c, name)->definition;
  if (!d) return refuse_unknown(c, name, at), NULL;
  if (d->broken || (is_function(d->ast) && !is_whole(d->ast))) return NULL;
  if (d->ast->kind == AST_FN && !d->prelude) return d;
  Diag *diag = report(c, E0513, at, "a loss is a `fn` of the file, and `%s` is %s", name, d->prelude ? "the library's" : definition_kind(d->ast));
  if (!d->prelude) note(c, diag, d->ast->name_at, "`%s` is defined here", name);
  help(c, diag, "it may call networks: `fn my_loss(u: [2], target: [2]) = norm2(u - target)`");
  return NULL;
}

bool read_loss(FlowReader *r, const Ast *clause, TypedTrain *train) {
  const Ast *value = clause->items.at[0];
  if (value->kind != AST_NAME) return malformed(r, clause, "loss flow_matching`, `likelihood` or the name of a `fn");
  train->loss = value->name;
  train->loss_at = value->at;
  return is_own(value->name) || loss_called(r->c, value->name, value->at);
}

/* ---- its arguments --------------------------------------------------------------------------------------------------------- */
enum { NUMBERS_ONE, NUMBERS_STATE };
typedef struct Part { const char *name; int numbers; } Part;
static const Part part[] = {
#define LOSS_PART(name, numbers, text) {#name, NUMBERS_##numbers},
#include "loss_inputs.def"
};
static const char *const given[] = {
#define LOSS_GIVEN(name, text) #name,
#include "loss_inputs.def"
};
enum { PARTS = sizeof part / sizeof *part, GIVEN = sizeof given / sizeof *given };

typedef struct Asked {
  FlowReader *r;
  Definition *loss;
  Span at;
  const AstList *of_velocity;   /* its parameters */
  const char **name;            /* [arguments]: what each is in the hidden function */
  Shape *shape;
  uint32_t parts;
} Asked;

static const Shape *state_of(const Asked *a) { return &a->r->flow->velocity->parameter[1]; }
static Shape part_shape(const Asked *a, int i) { return part[i].numbers == NUMBERS_STATE ? *state_of(a) : shape_scalar(); }
static const char *part_name(Checker *c, int i) { return arena_format(c->arena, " %s", part[i].name); }

static size_t condition_called(const Asked *a, const char *name) {
  size_t i = 2;
  while (i < a->of_velocity->count && strcmp(a->of_velocity->at[i]->name, name) != 0) i++;
  return i;
}

static bool refuse_argument(const Asked *a, const Ast *parameter) {
  Checker *c = a->r->c;
  size_t count = a->of_velocity->count, known = 0;
  const char **name = arena_array(c->arena, GIVEN + PARTS + count, sizeof *name), *list = "";
  for (int i = 0; i < GIVEN; i++) name[known++] = given[i];
  for (int i = 0; i < PARTS; i++) name[known++] = part[i].name;
  for (size_t i = 2; i < count; i++) name[known++] = a->of_velocity->at[i]->name;
  for (size_t i = 0; i < known; i++) list = arena_format(c->arena, "%s%s%s", list, i ? ", " : "", name[i]);
  Diag *diag = report(c, E0513, parameter->name_at, "a loss cannot ask for `%s`", parameter->name);
  note(c, diag, a->at, "`%s` is a loss here", a->loss->ast->name);
  const char *near = diag_nearest(parameter->name, name, known);
  if (near) help(c, diag, "did you mean `%s`?", near);
  help(c, diag, "there are: %s", list);
  return false;
}

/* A part, which a condition of the same name would make doubtful. */
static bool ask_for_part(Asked *a, const Ast *parameter, int i, size_t at) {
  Checker *c = a->r->c;
  size_t condition = condition_called(a, parameter->name);
  if (condition < a->of_velocity->count) {
    Diag *diag = report(c, E0513, parameter->name_at, "`%s` of a loss is a part of the sample, and the velocity has a condition of that name", parameter->name);
    note(c, diag, a->of_velocity->at[condition]->at, "the condition is declared here");
    help(c, diag, "give the condition another name");
    return false;
  }
  a->parts |= 1u << i;
  a->name[at] = part_name(c, i);
  a->shape[at] = part_shape(a, i);
  return true;
}

static bool ask_for(Asked *a, const Ast *parameter, size_t at) {
  Checker *c = a->r->c;
  const char *name = parameter->name;
  const TypedFunction *velocity = a->r->flow->velocity;
  if (parameter->is_dim) {
    Diag *diag = report(c, E0513, parameter->name_at, "a loss takes what belongs to a sample, and `%s` is a size", name);
    help(c, diag, "a name in a shape is bound by what the loss is given: `fn my_loss(u: [d], target: [d])`");
    return false;
  }
  for (int i = 0; i < PARTS; i++)
    if (strcmp(name, part[i].name) == 0) return ask_for_part(a, parameter, i, at);
  size_t condition = condition_called(a, name);
  size_t which = strcmp(name, "t") == 0 ? 0 : strcmp(name, "x") == 0 ? 1 : condition;
  bool is_velocity = strcmp(name, "u") == 0;
  if (which == a->of_velocity->count && !is_velocity) return refuse_argument(a, parameter);
  a->name[at] = is_velocity ? " u" : a->of_velocity->at[which]->name;
  a->shape[at] = is_velocity ? *state_of(a) : velocity->parameter[which];
  return true;
}

static bool ask(Asked *a) {
  Checker *c = a->r->c;
  const AstList *items = &a->loss->ast->items;
  bool good = true;
  a->name = arena_array(c->arena, items->count + 1, sizeof *a->name);
  a->shape = arena_array(c->arena, items->count + 1, sizeof *a->shape);
  for (size_t i = 0; i < items->count; i++) good = ask_for(a, items->at[i], i) && good;
  return good;
}

/* Is it a scalar of shapes like these? */
static bool fits(const Asked *a) {
  Checker *c = a->r->c;
  size_t count = a->loss->ast->items.count;
  Span *at = arena_array(c->arena, count + 1, sizeof *at);
  for (size_t i = 0; i < count; i++) at[i] = a->at;
  Instance *instance = instance_of(c, a->loss, a->shape, at, a->at);
  if (!instance) return false;
  const Typed *result = instance->function.result;
  if (result->shape.rank == 0) return true;
  Diag *diag = report(c, E0513, result->at, "a loss gives a scalar, and `%s` gives %s", a->loss->ast->name, shape_text(c->arena, &result->shape));
  note(c, diag, a->at, "`%s` is a loss here", a->loss->ast->name);
  if (result->shape.rank == 1) help(c, diag, "`sum(..)` and `mean(..)` of a vector are scalars, `norm2(..)` is the sum of its squares");
  return false;
}

/* ---- the hidden function ---------------------------------------------------------------------------------------------------- */
/* What alias_of gives, but different for definitions that stand behind one name (predict.c). */
static Ast *call_of(Checker *c, Definition *d, Span at) {
  const char *name = arena_format(c->arena, "  %s", d->symbol->name);
  symbol_of(c, name)->definition = d;
  return synthetic_call(c, name, at);
}

static void add_part(const Asked *a, Ast *f, int i) {
  Checker *c = a->r->c;
  Shape shape = part_shape(a, i);
  Ast *parameter = synthetic(c, AST_PARAMETER, part_name(c, i), a->at);
  declare_shape(c, parameter, &shape, a->at);
  append_item(c, &f->items, parameter);
}

static Definition *hidden_function(const Asked *a) {
  FlowReader *r = a->r;
  Checker *c = r->c;
  Ast *f = synthetic(c, AST_FN, a->loss->ast->name, a->at), *u = call_of(c, r->velocity, a->at), *body = call_of(c, a->loss, a->at);
  f->has_parameters = true;
  for (size_t i = 0; i < a->of_velocity->count; i++) append_item(c, &f->items, a->of_velocity->at[i]);
  for (int i = 0; i < PARTS; i++)
    if (a->parts >> i & 1) add_part(a, f, i);
  append_names(c, &u->items, a->of_velocity, 0, a->of_velocity->count, a->at);
  append_let(c, f, " u", u);
  for (size_t i = 0; i < a->loss->ast->items.count; i++) append_item(c, &body->items, synthetic_name(c, a->name[i], a->at));
  f->body = body;
  Definition *d = define_hidden(c, arena_format(c->arena, "loss in %s", r->flow->name), f);
  d->of_loss = true;
  resolve_definition(c, d);
  return d;
}

static TypedFunction *type_hidden(const Asked *a, Definition *d) {
  Checker *c = a->r->c;
  const TypedFunction *velocity = a->r->flow->velocity;
  size_t count = d->ast->items.count, n = velocity->parameters;
  Shape *key = arena_array(c->arena, count + 1, sizeof *key);
  Span *at = arena_array(c->arena, count + 1, sizeof *at);
  for (size_t i = 0; i < count; i++) at[i] = a->at;
  memcpy(key, velocity->parameter, n * sizeof *key);
  for (int i = 0; i < PARTS; i++)
    if (a->parts >> i & 1) key[n++] = part_shape(a, i);
  Instance *instance = instance_of(c, d, key, at, a->at);
  return instance ? &instance->function : NULL;
}

bool make_loss(FlowReader *r) {
  Checker *c = r->c;
  TypedFlow *flow = r->flow;
  const CheckOptions *o = &c->options;
  bool asked = o->loss && (!o->loss_of || strcmp(o->loss_of, flow->name) == 0);
  const char *name = asked ? o->loss : flow->train ? flow->train->loss : NULL;
  if (!name || is_own(name)) return true;
  Asked a = {.r = r, .at = asked ? flow->at : flow->train->loss_at, .of_velocity = &r->velocity->ast->items};
  a.loss = loss_called(c, name, a.at);
  if (!a.loss || !ask(&a) || !fits(&a)) return false;
  TypedLoss *loss = arena_alloc(c->arena, sizeof *loss);
  *loss = (TypedLoss){.name = a.loss->ast->name, .at = a.at, .function = type_hidden(&a, hidden_function(&a)), .parts = a.parts};
  flow->loss = loss;
  return loss->function != NULL;
}
