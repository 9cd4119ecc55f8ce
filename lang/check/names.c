/* SPDX-License-Identifier: Apache-2.0 */
/* names.c -- the top-level scope and the stack of local names over it. */
#include <string.h>
#include "checker.h"

enum { BUCKETS = 4096 };

Symbol *symbol_of(Checker *c, const char *name) {
  if (!c->bucket) c->bucket = arena_array(c->arena, BUCKETS, sizeof *c->bucket);
  uint32_t hash = 2166136261u;                      /* FNV-1a */
  for (const char *p = name; *p; p++) hash = (hash ^ (unsigned char)*p) * 16777619u;
  Symbol **bucket = &c->bucket[hash % BUCKETS];
  for (Symbol *s = *bucket; s; s = s->next)
    if (strcmp(s->name, name) == 0) return s;
  Symbol *s = arena_alloc(c->arena, sizeof *s);
  *s = (Symbol){.name = name, .next = *bucket};
  return *bucket = s;
}

/* ---- locals ---- */
Binding *local_of(const Checker *c, const Symbol *symbol) {
  return symbol->local && symbol->local->frame == c->frame ? symbol->local : NULL;
}

Binding *bind_name(Checker *c, BoundKind kind, const char *name, Span at) {
  Symbol *symbol = symbol_of(c, name);
  Binding *b = arena_alloc(c->arena, sizeof *b);
  *b = (Binding){.kind = kind, .symbol = symbol, .hidden = symbol->local, .below = c->top, .frame = c->frame, .at = at};
  symbol->local = b;
  return c->top = b;
}

void unbind(Checker *c, Binding *until) {
  for (; c->top != until; c->top = c->top->below) c->top->symbol->local = c->top->hidden;
}

uint32_t new_frame(Checker *c) {
  return c->frame++;
}

/* ---- definitions ---- */
static bool has_name(const Ast *ast) {
  switch (ast->kind) {
  case AST_LET: case AST_DIM: case AST_FN: case AST_FIELD: case AST_NETWORK: case AST_MAP: case AST_DENSITY: case AST_FLOW:
    return ast->name && *ast->name != '?';          /* that is the parser's word for a name that it could not read */
  default:
    return false;
  }
}

static void refuse_second(Checker *c, Definition *earlier, const Ast *ast) {
  Diag *diag = report(c, E0202, ast->name_at, "`%s` is defined twice", ast->name);
  note(c, diag, earlier->ast->name_at, "the first definition is here");
  earlier->broken = true;
}

/* Flows have a scope of their own: a flow may have the name of its velocity. */
static const char *scope_name(Checker *c, const Ast *ast) {
  return ast->kind == AST_FLOW ? arena_format(c->arena, "flow %s", ast->name) : ast->name;
}

Definition *define_hidden(Checker *c, const char *name, const Ast *ast) {
  Definition *d = arena_alloc(c->arena, sizeof *d);
  *d = (Definition){.symbol = symbol_of(c, name), .ast = ast, .hidden = true};
  d->symbol->definition = d;
  c->last = c->last->next = d;
  return d;
}

void gather_names(Checker *c, const AstFile *file, bool prelude) {
  for (size_t i = 0; file && i < file->definitions.count; i++) {
    const Ast *ast = file->definitions.at[i];
    if (!ast) continue;
    if (ast->kind == AST_ERROR) c->lost_definition = true;
    if (!has_name(ast)) continue;
    Symbol *symbol = symbol_of(c, scope_name(c, ast));
    if (symbol->definition && !symbol->definition->prelude) {
      refuse_second(c, symbol->definition, ast);
      continue;
    }
    Definition *d = arena_alloc(c->arena, sizeof *d);
    *d = (Definition){.symbol = symbol, .ast = ast, .prelude = prelude};
    symbol->definition = d;                         /* the user's hides the prelude's */
    if (c->last) c->last->next = d; else c->first = d;
    c->last = d;
  }
}

const char *definition_kind(const Ast *ast) {
  switch (ast->kind) {
  case AST_LET: return "a constant";
  case AST_DIM: return "a size";
  case AST_FN: return "a function";
  case AST_FIELD: return "a field";
  case AST_NETWORK: return "a network";
  case AST_MAP: return "a map";
  case AST_DENSITY: return "a density";
  case AST_CHECK: return "a check";
  default: return "a flow";
  }
}

bool is_size_name(const Checker *c, const Symbol *symbol, Span at) {
  const Definition *d = symbol->definition;
  return d && d->ast->kind == AST_DIM && (d->prelude || !in_prelude(c, at));
}

bool is_function(const Ast *ast) {
  switch (ast->kind) {
  case AST_FN: case AST_NETWORK: case AST_MAP: case AST_DENSITY: return true;
  case AST_FIELD: case AST_CHECK: return ast->has_parameters;
  default: return false;
  }
}

bool begins_with_time(const Ast *ast) {
  if (ast->kind == AST_FN || ast->kind == AST_CHECK || ast->items.count < 2) return false;
  const Ast *t = ast->items.at[0], *state = ast->items.at[1];
  return t && state && !t->has_shape && !t->is_dim && state->has_shape;
}

bool is_field_signature(const Ast *ast) {
  return (ast->kind == AST_FIELD || ast->kind == AST_NETWORK) && begins_with_time(ast);
}

bool may_call_networks(const Definition *d) {
  return d && (d->of_loss || (d->ast->kind != AST_FN && d->ast->kind != AST_LET && d->ast->kind != AST_DENSITY));
}

/* ---- words of the language that are not reserved ---- */
static const char *const builtin_name[] = {
#define BUILTIN(name, least, most, rule, help) #name,
#include "builtins.def"
#undef BUILTIN
};

bool builtin_of(const char *name, Builtin *builtin) {
  name += *name == ' ';                             /* synthetic.h */
  for (int i = 0; i < BUILTIN_COUNT; i++)
    if (strcmp(name, builtin_name[i]) == 0) {
      *builtin = (Builtin)i;
      return true;
    }
  return false;
}

static const char *const layer_word[] = {"linear", "layer_norm", "embedding", "param"};
static const char *const derivative_word[] = {
#define DERIVATIVE(KIND, word, vector, form, help) [DERIVATIVE_##KIND] = #word,
#include "derivatives.def"
#undef DERIVATIVE
};

static bool among(const char *name, const char *const *list, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (strcmp(name, list[i]) == 0) return true;
  return false;
}

bool is_layer_word(const char *name) { return among(name, layer_word, sizeof layer_word / sizeof *layer_word); }
bool derivative_of(const char *name, DerivativeKind *kind) {
  for (size_t i = 0; i < sizeof derivative_word / sizeof *derivative_word; i++)
    if (strcmp(name, derivative_word[i]) == 0) {
      *kind = (DerivativeKind)i;
      return true;
    }
  return false;
}

/* ---- names that nobody knows ---- */
static size_t visible_names(Checker *c, const char ***names) {
  size_t derivatives = sizeof derivative_word / sizeof *derivative_word;
  size_t count = BUILTIN_COUNT + sizeof layer_word / sizeof *layer_word + derivatives + 3;
  for (const Binding *b = c->top; b && b->frame == c->frame; b = b->below) count++;
  for (const Definition *d = c->first; d; d = d->next) count++;
  const char **list = arena_array(c->arena, count, sizeof *list);
  size_t n = 0;
  for (const Binding *b = c->top; b && b->frame == c->frame; b = b->below) list[n++] = b->symbol->name;
  for (const Definition *d = c->first; d; d = d->next)
    if (d->ast->kind != AST_FLOW && !d->hidden) list[n++] = d->symbol->name;
  for (int i = 0; i < BUILTIN_COUNT; i++) list[n++] = builtin_name[i];
  for (size_t i = 0; i < sizeof layer_word / sizeof *layer_word; i++) list[n++] = layer_word[i];
  for (size_t i = 0; i < derivatives; i++) list[n++] = derivative_word[i];
  list[n++] = "pi";
  list[n++] = "repeat";
  list[n++] = "inverse";
  *names = list;
  return n;
}

/* Flows stand in a scope of their own, and are no values. */
static bool report_flow(Checker *c, const char *name, Span at) {
  const Definition *flow = symbol_of(c, arena_format(c->arena, "flow %s", name))->definition;
  if (!flow) return false;
  Diag *diag = report(c, E0206, at, "`%s` is a flow, which is sampled: it is no value and no field", name);
  note(c, diag, flow->ast->name_at, "`%s` is defined here", name);
  for (size_t i = 0; i < flow->ast->items.count; i++) {
    const Ast *clause = flow->ast->items.at[i];
    bool velocity = clause && clause->kind == AST_CLAUSE && strcmp(clause->name, "velocity") == 0;
    const Ast *field = velocity && clause->items.count == 1 ? clause->items.at[0] : NULL;
    if (field && field->kind == AST_NAME) help(c, diag, "its velocity is `%s`", field->name);
  }
  return true;
}

const char *nearest_name(Checker *c, const char *name) {
  const char **names = NULL;
  if (c->diagnostics->errors >= DIAG_MOST) return NULL;
  size_t count = visible_names(c, &names);
  return diag_nearest(name, names, count);
}

void report_unknown(Checker *c, const char *name, Span at) {
  if (report_flow(c, name, at)) return;
  const char *near = nearest_name(c, name);
  if (!near && c->lost_definition) return;          /* it may be what the syntax error swallowed */
  Diag *diag = report(c, E0201, at, "nothing is called `%s` here", name);
  if (!near) return;
  help(c, diag, "did you mean `%s`?", near);
  fix(c, diag, at, "%s", near);
}
