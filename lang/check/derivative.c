/* SPDX-License-Identifier: Apache-2.0 */
/* derivative.c -- operators on a definition: div(f)(t, x), jvp(f)(t, x; v) and their kin (derivatives.def), and
 * inverse(psi)(t, y).
 *
 * Their words may begin with a blank: expand.c writes them so, and no name of the file can then stand for them. */
#include <string.h>
#include "checker.h"

static const struct { const char *word, *form; bool vector; } row[] = {
#define DERIVATIVE(KIND, word, vector, form, help) [DERIVATIVE_##KIND] = {#word, form, vector},
#include "derivatives.def"
#undef DERIVATIVE
};

static const char *word_of(const Ast *call) { return call->function->name + (call->function->name[0] == ' '); }
static bool is_inverse(const Ast *call) { return strcmp(word_of(call), "inverse") == 0; }
static const char *form_of(const Ast *call) {
  DerivativeKind kind;
  return derivative_of(word_of(call), &kind) ? row[kind].form : "inverse(f)(t, y)";
}

bool is_operator(Checker *c, const Ast *call) {
  if (call->kind != AST_CALL || !call->function || call->function->kind != AST_NAME) return false;
  const Symbol *symbol = symbol_of(c, call->function->name);
  DerivativeKind kind;
  return !local_of(c, symbol) && !symbol->definition && (is_inverse(call) || derivative_of(word_of(call), &kind));
}

int differentiated(const Ast *definition, DerivativeKind kind) {
  int tensors = 0;
  for (size_t i = 0; i < definition->items.count; i++) {
    const Ast *p = definition->items.at[i];
    if (p->is_dim) continue;
    if (kind == DERIVATIVE_DDT) return i == 0 && !p->has_shape ? 0 : -1;
    if (p->has_shape) return tensors;
    tensors++;
  }
  return kind != DERIVATIVE_DDT && tensors == 1 ? 0 : -1;
}

/* ---- names --------------------------------------------------------------------------------------------------------- */
void refuse_operator_value(Checker *c, const Ast *call) {
  const Ast *inner = call->items.count == 1 ? call->items.at[0] : NULL;
  Diag *diag;
  if (inner && inner->kind == AST_CALL && inner->function && inner->function->kind == AST_NAME && inner->items.count && inner->items.at[0]) {
    Span arguments = {inner->items.at[0]->at.from, inner->at.to};
    diag = report(c, E0213, inner->at, "`%s` takes the name of a definition, and this is its value", word_of(call));
    help(c, diag, "the arguments follow: `%s(%s)(%s`", word_of(call), inner->function->name, text_of(c, arguments));
    fix(c, diag, call->at, "%s(%s)(%s", word_of(call), inner->function->name, text_of(c, arguments));
    return;
  }
  diag = report(c, E0213, call->at, "`%s` of a definition is a function, and a value is needed here", word_of(call));
  help(c, diag, "call it: `%s`", form_of(call));
}

static Definition *refuse_operand(Checker *c, const Ast *call, Span at, const char *found) {
  Diag *diag = report(c, E0213, at, "`%s` takes the name of a definition, and this is %s", word_of(call), found);
  help(c, diag, "define a `fn` or a `field` of it, `f`, and write `%s`", form_of(call));
  return NULL;
}

/* The definition that the operator is applied to; NULL, and reported, where it is none. */
static Definition *operand_of(Checker *c, const Ast *call) {
  const Ast *name = call->items.count == 1 && !call->extra.count ? call->items.at[0] : NULL;
  if (!name || name->kind != AST_NAME) {
    if (call->items.count == 1 && (!call->items.at[0] || call->items.at[0]->kind == AST_ERROR)) c->reported = true;
    else refuse_operand(c, call, call->at, call->items.count == 1 ? "an expression" : "none");
    return NULL;
  }
  Symbol *symbol = symbol_of(c, name->name);
  Builtin builtin;
  if (local_of(c, symbol)) return refuse_operand(c, call, name->at, "a value");
  if (!symbol->definition && (builtin_of(name->name, &builtin) || is_layer_word(name->name)))
    return refuse_operand(c, call, name->at, "built in");
  if (!symbol->definition) {
    if (c->quiet == 0) report_unknown(c, name->name, name->at);
    else c->reported = true;
    return NULL;
  }
  const Ast *d = symbol->definition->ast;
  if (d->kind == AST_LET || d->kind == AST_DIM) return refuse_operand(c, call, name->at, definition_kind(d));
  if (is_function(d)) return symbol->definition;
  c->reported = true;
  return NULL;
}

static Definition *inverse_of(Checker *c, const Ast *call, Definition *map) {
  const Ast *name = call->items.at[0];
  Definition *inverse = map->ast->kind == AST_MAP ? inverse_of_map(c, map, call->at) : NULL;
  if (inverse) return inverse;
  if (map->ast->kind != AST_MAP) {
    Diag *diag = report(c, E0213, name->at, "`inverse` takes the name of a map, and `%s` is %s", map->ast->name, definition_kind(map->ast));
    note(c, diag, map->ast->name_at, "`%s` is defined here", map->ast->name);
    return NULL;
  }
  if (!is_whole(map->ast) || !begins_with_time(map->ast)) {
    c->reported = true;
    return NULL;
  }
  Diag *diag = report(c, E0218, name->at, "`%s` has no line `inverse(t, y) = ...`, and Newton's method is for a state of one axis", map->ast->name);
  note(c, diag, map->ast->name_at, "`%s` is defined here", map->ast->name);
  return NULL;
}

/* What is called in the end: f, or the inverse of psi. */
static Definition *callee_of(Checker *c, const Ast *call) {
  Definition *definition = operand_of(c, call);
  return definition && is_inverse(call) ? inverse_of(c, call, definition) : definition;
}

static bool count_vectors(Checker *c, const Ast *ast) {
  DerivativeKind kind;
  size_t want = derivative_of(word_of(ast->function), &kind) && row[kind].vector ? 1 : 0;
  if (ast->extra.count == want) return true;
  Span at = ast->extra.count > want ? ast->extra.at[want]->at : ast->at;
  Diag *diag = ast->extra.count > want
                 ? report(c, E0214, at, "`%s` takes %s behind a `;`", word_of(ast->function), want ? "one vector" : "nothing")
                 : report(c, E0214, at, "`%s` takes the vector that the Jacobian is multiplied by behind a `;`", word_of(ast->function));
  help(c, diag, "it is written `%s`", form_of(ast->function));
  return false;
}

bool resolve_operator(Checker *c, Definition *in, const Ast *ast) {
  Definition *callee = callee_of(c, ast->function);
  if (!callee) return true;
  const Ast *d = callee->ast;
  mention(c, in, callee, ast->function->at);
  if (!count_vectors(c, ast)) return true;
  if (ast->items.count != d->items.count) refuse_count(c, text_of(c, ast->function->at), ast->function->at, ast->items.count, d, d->items.count, d->items.count);
  else if (d->kind == AST_NETWORK && !may_call_networks(in)) refuse_network(c, in->ast, d->name, ast->function->at);
  return true;
}

/* ---- shapes -------------------------------------------------------------------------------------------------------- */
static Typed *refuse_slot(Checker *c, const Ast *ast, const Ast *definition, DerivativeKind kind) {
  Diag *diag = kind == DERIVATIVE_DDT
                 ? report(c, E0321, ast->function->at, "`ddt` differentiates in the first parameter, and that of `%s` is no scalar", definition->name)
                 : report(c, E0321, ast->function->at, "`%s` differentiates in the first parameter that has a shape, and `%s` has none",
                          row[kind].word, definition->name);
  note(c, diag, definition->name_at, "`%s` is defined here", definition->name);
  if (kind != DERIVATIVE_DDT && definition->items.count > 1) help(c, diag, "a function of several numbers is one of a vector: `fn f(v: [2])`");
  return NULL;
}

static bool result_fits(Checker *c, const Ast *ast, const Instance *instance, DerivativeKind kind, const Shape *in) {
  const TypedFunction *f = &instance->function;
  const Shape *out = &f->result->shape;
  Diag *diag;
  if (kind == DERIVATIVE_DIV && !shape_same(in, out))
    diag = report(c, E0322, ast->function->at, "`div` is the sum of a Jacobian's diagonal, but `%s` takes %s and gives %s", f->name,
                  shape_text(c->arena, in), shape_text(c->arena, out));
  else if (kind == DERIVATIVE_GRAD && out->rank > 0)
    diag = report(c, E0322, ast->function->at, "`grad` is of a scalar, but `%s` gives %s", f->name, shape_text(c->arena, out));
  else
    return true;
  note(c, diag, f->result->at, "the result is here");
  if (kind == DERIVATIVE_DIV && out->rank == 0) help(c, diag, "the gradient of a scalar is `grad(%s)`", f->name);
  if (kind == DERIVATIVE_GRAD) help(c, diag, "products with the Jacobian are `jvp(%s)(...; v)` and `vjp(%s)(...; w)`", f->name, f->name);
  return false;
}

static bool vector_fits(Checker *c, const TypedFunction *f, DerivativeKind kind, uint32_t slot, const Typed *vector) {
  const Shape *want = kind == DERIVATIVE_JVP ? &f->parameter[slot] : &f->result->shape;
  if (shape_same(&vector->shape, want)) return true;
  Diag *diag = kind == DERIVATIVE_JVP
                 ? report(c, E0303, vector->at, "`jvp(%s)` takes a direction of the shape of `%s`, %s, and this is %s", f->name,
                          f->parameter_name[slot], shape_text(c->arena, want), shape_text(c->arena, &vector->shape))
                 : report(c, E0303, vector->at, "`vjp(%s)` takes a vector of the shape of the result, %s, and this is %s", f->name,
                          shape_text(c->arena, want), shape_text(c->arena, &vector->shape));
  note_origins(c, diag, vector, vector);
  return false;
}

static Shape shape_of(const TypedFunction *f, DerivativeKind kind, uint32_t slot) {
  switch (kind) {
  case DERIVATIVE_DIV: return shape_scalar();
  case DERIVATIVE_VJP: case DERIVATIVE_GRAD: return f->parameter[slot];
  default: return f->result->shape;
  }
}

static Typed *make_derivative(Checker *c, const Ast *ast, const Call *call, Definition *definition, DerivativeKind kind) {
  int slot = differentiated(definition->ast, kind);
  if (slot < 0) return refuse_slot(c, ast, definition->ast, kind);
  Arguments a;
  bool good = check_arguments(c, call, definition->ast, &a);
  Typed *vector = row[kind].vector ? check_number(c, ast->extra.at[0]) : NULL;
  Instance *instance = good ? instance_of(c, definition, a.key, a.at, call->at) : NULL;
  if (!instance || (row[kind].vector && !vector) || !owns_its_weights(c, call, instance)) return NULL;
  TypedFunction *f = &instance->function;
  if (!result_fits(c, ast, instance, kind, &f->parameter[slot])) return NULL;
  if (vector && !vector_fits(c, f, kind, (uint32_t)slot, vector)) return NULL;
  Shape shape = shape_of(f, kind, (uint32_t)slot);
  Typed *typed = new_typed(c, TYPED_DERIVATIVE, shape, call->at, f->parameters + (vector != NULL));
  uint32_t n = 0;
  for (size_t i = 0; i < a.count; i++)
    if (a.arg[i]) typed->arg[n++] = a.arg[i];
  if (vector) typed->arg[n] = vector;
  typed->derivative = kind;
  typed->callee = f;
  typed->slot = (uint32_t)slot;
  typed->label = call->label;
  return typed;
}

Typed *check_operator(Checker *c, const Ast *ast) {
  const Ast *operator_ = ast->function;
  bool reported = c->reported;
  c->quiet++;                                       /* resolve.c has reported what is wrong with the names */
  Definition *definition = callee_of(c, operator_);
  c->quiet--;
  c->reported = reported;
  Call call = {.name = definition ? definition->ast->name : "", .at = ast->at, .name_at = operator_->at,
               .arg = (const Ast *const *)ast->items.at, .args = ast->items.count, .label = ast->label, .label_at = ast->label_at};
  DerivativeKind kind;
  bool derivative = derivative_of(word_of(operator_), &kind);
  if (!definition || definition->broken || !is_whole(definition->ast) || definition->ast->items.count != ast->items.count ||
      ast->extra.count != (derivative && row[kind].vector)) {
    c->reported = true;
    return NULL;
  }
  if (ast->no_bias) {
    report(c, E0405, ast->at, "`no bias` belongs to `linear`, and this is `%s`", word_of(operator_));
    return NULL;
  }
  return derivative ? make_derivative(c, ast, &call, definition, kind) : call_definition(c, &call, definition);
}
