/* SPDX-License-Identifier: Apache-2.0 */
/* resolve.c -- every name of every definition, whatever the shapes: is it known, is it the right kind of thing, has the
 * call the right number of arguments, is every `let` used.  A definition that nothing calls is checked here alone. */
#include <string.h>
#include "checker.h"

typedef struct Resolver { Checker *c; Definition *self; } Resolver;

static void resolve(Resolver *r, const Ast *ast);

static void resolve_all(Resolver *r, const AstList *list) {
  for (size_t i = 0; i < list->count; i++)
    if (list->at[i]) resolve(r, list->at[i]);
}

void refuse_network(Checker *c, const Ast *caller, const char *name, Span at) {
  const char *kind = caller ? definition_kind(caller) : "a constant";
  Diag *diag = report(c, E0207, at, "`%s` has weights, and %s cannot call it", name, kind);
  if (!caller) return;
  note(c, diag, caller->name_at, "`%s` is defined here", caller->name);
  if (caller->kind != AST_FN) return;
  help(c, diag, "make `%s` a `network`, or a `field`", caller->name);
  help(c, diag, "a loss may: where it is one, `train { loss %s }` in a flow says so", caller->name);
}

void mention(Checker *c, Definition *d, Definition *to, Span at) {
  if (d->mentions == d->mention_room) {
    uint32_t room = d->mention_room ? 2 * d->mention_room : 8;
    d->mention = arena_grow(c->arena, d->mention, d->mention_room, room, sizeof *d->mention);
    d->mention_room = room;
  }
  d->mention[d->mentions++] = (struct Mention){to, at};
}

/* One message for a name in one definition: its second use has the same cause. */
static void unknown(Resolver *r, const char *name, Span at) {
  Symbol *symbol = symbol_of(r->c, name);
  if (symbol->unknown_in == r->self) return;
  symbol->unknown_in = r->self;
  report_unknown(r->c, name, at);
}

/* ---- a name as a value ---- */
static void resolve_name(Resolver *r, const Ast *ast) {
  Checker *c = r->c;
  Symbol *symbol = symbol_of(c, ast->name);
  Binding *local = local_of(c, symbol);
  Builtin builtin;
  if (local) {
    local->used = true;
  } else if (symbol->definition) {
    const Ast *d = symbol->definition->ast;
    mention(c, r->self, symbol->definition, ast->at);
    if (d->kind == AST_LET || d->kind == AST_DIM || d->kind == AST_ERROR) return;
    Diag *diag = report(c, E0206, ast->at, "`%s` is %s, and a value is needed here", ast->name, definition_kind(d));
    note(c, diag, d->name_at, "`%s` is defined here", ast->name);
    if (is_function(d)) help(c, diag, "call it: `%s(%s)`", ast->name, d->items.count ? "..." : "");
  } else if (builtin_of(ast->name, &builtin) || is_layer_word(ast->name)) {
    Diag *diag = report(c, E0206, ast->at, "`%s` is a function, and a value is needed here", ast->name);
    help(c, diag, "call it: `%s(...)`", ast->name);
  } else if (strcmp(ast->name, "pi") != 0) {
    unknown(r, ast->name, ast->at);
  }
}

/* ---- calls ---- */
static const char *plural(size_t n) { return n == 1 ? "" : "s"; }

void refuse_count(Checker *c, const char *name, Span at, size_t got, const Ast *definition, size_t least, size_t most) {
  Diag *diag;
  if (least == most)
    diag = report(c, E0205, at, "`%s` takes %zu argument%s, but %zu %s given", name, most, plural(most), got, got == 1 ? "is" : "are");
  else
    diag = report(c, E0205, at, "`%s` takes %zu to %zu arguments, but %zu %s given", name, least, most, got, got == 1 ? "is" : "are");
  if (definition && !in_prelude(c, definition->name_at)) note(c, diag, definition->name_at, "`%s` is defined here", definition->name);
}

static void resolve_builtin_call(Checker *c, const char *name, Span at, size_t args, Builtin builtin) {
  static const struct { size_t least, most; } count[] = {
#define BUILTIN(name, least, most, rule, help) {least, most},
#include "builtins.def"
#undef BUILTIN
  };
  if (args < count[builtin].least || args > count[builtin].most)
    refuse_count(c, name, at, args, NULL, count[builtin].least, count[builtin].most);
}

static void resolve_definition_call(Resolver *r, const char *name, Span at, size_t args, Definition *d) {
  Checker *c = r->c;
  mention(c, r->self, d, at);
  if (d->ast->kind == AST_ERROR) return;
  if (d->ast->kind == AST_LET || d->ast->kind == AST_DIM) {
    Diag *diag = report(c, E0206, at, "`%s` is %s and cannot be called", name, definition_kind(d->ast));
    note(c, diag, d->ast->name_at, "`%s` is defined here", name);
    if (args == 1) help(c, diag, "to multiply, write `%s * (...)`; to take an element, `%s[...]`", name, name);
  } else if (!is_function(d->ast)) {
    d->broken = true;                               /* expand.c has said what is wrong with it */
  } else if (args != d->ast->items.count) {
    refuse_count(c, name, at, args, d->ast, d->ast->items.count, d->ast->items.count);
  } else if (d->ast->kind == AST_NETWORK && !may_call_networks(r->self)) {
    refuse_network(c, r->self->ast, name, at);
  }
}

static void resolve_callee(Resolver *r, const char *name, Span at, size_t args) {
  Checker *c = r->c;
  Symbol *symbol = symbol_of(c, name);
  Binding *local = local_of(c, symbol);
  Builtin builtin;
  if (local) {
    local->used = true;
    Diag *diag = report(c, E0206, at, "`%s` is a value and cannot be called", name);
    note(c, diag, local->at, "`%s` is named here", name);
    if (args == 1) help(c, diag, "to multiply, write `%s * (...)`; to take an element, `%s[...]`", name, name);
  } else if (symbol->definition) {
    resolve_definition_call(r, name, at, args, symbol->definition);
  } else if (builtin_of(name, &builtin)) {
    resolve_builtin_call(c, name, at, args, builtin);
  } else if (!is_layer_word(name)) {
    unknown(r, name, at);
  } else if (r->self->ast->kind != AST_NETWORK) {
    Diag *diag = report(c, E0401, at, "`%s` owns weights, and only a `network` may have layers: this is %s", name, definition_kind(r->self->ast));
    note(c, diag, r->self->ast->name_at, "`%s` is defined here", r->self->ast->name);
  }
}

/* Words that mean something at one place of a check (claim.c). */
static bool stands_in_a_check(Checker *c, const char *name) {
  static const char *const word[] = {
#define CLAIM_WORD(word, form, help) #word,
#include "claim_words.def"
#undef CLAIM_WORD
  };
  for (size_t i = 0; i < sizeof word / sizeof *word; i++)
    if (strcmp(name, word[i]) == 0) return !symbol_of(c, name)->definition && !local_of(c, symbol_of(c, name));
  return false;
}

static void resolve_call(Resolver *r, const Ast *ast) {
  Checker *c = r->c;
  const Ast *f = ast->function;
  if (f && f->kind == AST_CALL && is_operator(c, f)) {
    if (!resolve_operator(c, r->self, ast)) return;
    resolve_all(r, &ast->extra);
  } else if (f && f->kind == AST_NAME && is_operator(c, ast)) {
    refuse_operator_value(c, ast);
    return;
  } else if (f && f->kind == AST_NAME && is_search_word(f->name)) {
    resolve_all(r, &ast->items);
    return;
  } else if (f && f->kind == AST_NAME && stands_in_a_check(c, f->name)) {
    Diag *diag = report(c, E0216, f->at, "`%s` is no function: it is a part of some checks, at one place", f->name);
    help(c, diag, "`check continuity(p, u)`, `check flux(u, region) == e` or `check mass(p, u, region)`; a region is `ball(center, radius)` or `box(low, high)`");
    return;
  } else if (f && f->kind == AST_NAME) {
    resolve_callee(r, f->name, f->at, ast->items.count);
    if (ast->extra.count) report(c, E0214, ast->extra.at[0]->at, "an argument behind `;` belongs to `jvp(f)` and `vjp(f)`, and this is a call of `%s`", f->name);
  } else if (f && f->kind == AST_CALL) {
    report(c, E0206, f->at, "what a call gives is a value and cannot be called");
    return;
  } else if (f && f->kind == AST_VELOCITY_OF) {
    resolve(r, f);
    return;
  } else if (f && f->kind != AST_ERROR) {
    report(c, E0206, f->at, "only a name can be called");
    return;
  }
  resolve_all(r, &ast->items);
}

static void refuse_velocity_value(Checker *c, const Ast *ast) {
  Diag *diag = report(c, E0213, ast->at, "`velocity of %s` is a field, and a value is needed here", ast->name);
  help(c, diag, "define `field w = velocity of %s`, and call `w(t, x)`", ast->name);
}

static void resolve_pipe(Resolver *r, const Ast *ast) {
  if (ast->items.at[0]) resolve(r, ast->items.at[0]);
  for (size_t i = 1; i < ast->items.count; i++) {
    const Ast *stage = ast->items.at[i];
    if (!stage || stage->kind != AST_STAGE) continue;
    if (stage->extent) resolve(r, stage->extent);
    resolve_callee(r, stage->name, stage->name_at, stage->items.count + 1);
    resolve_all(r, &stage->items);
  }
}

/* ---- loops ---- */
static void resolve_loop(Resolver *r, const Ast *ast) {
  Checker *c = r->c;
  if (ast->extent) resolve(r, ast->extent);
  Binding *before = c->top;
  bind_name(c, BOUND_LOOP, ast->name, ast->name_at);
  if (ast->body) resolve(r, ast->body);
  unbind(c, before);
}

static void resolve(Resolver *r, const Ast *ast) {
  switch (ast->kind) {
  case AST_NAME: resolve_name(r, ast); break;
  case AST_CALL: resolve_call(r, ast); break;
  case AST_PIPE: resolve_pipe(r, ast); break;
  case AST_FOR: resolve_loop(r, ast); break;
  case AST_VELOCITY_OF: refuse_velocity_value(r->c, ast); break;
  case AST_STRING: report(r->c, E0206, ast->at, "a text in quotes is no number: it can only name a layer or a file"); break;
  case AST_ERROR: break;
  default: resolve_all(r, &ast->items); break;
  }
}

/* ---- definitions ---- */
static void check_used(Checker *c, const Ast *definition, const Binding *let, size_t i) {
  if (let->used || let->symbol->name[0] == ' ') return;          /* a blank: nobody wrote it (synthetic.h) */
  const Ast *next = i + 1 < definition->lets.count ? NULL : definition->body;
  char begins = next ? char_at(c, next->at.from) : '\0';
  if (next && next->parenthesised) begins = '(';
  if (begins == '-' || begins == '(' || begins == '[') {
    Diag *diag = report(c, E0204, let->at, "nothing uses `%s`, and the next line begins with `%c`: it is a line of its own", let->symbol->name, begins);
    note(c, diag, (Span){next->at.from, next->at.from + 1}, "this does not continue the `let`");
    help(c, diag, "to continue a line, end it with an operator or open a bracket; or leave the `let` out");
    return;
  }
  report_warning(c, W0201, let->at, "nothing uses `%s`", let->symbol->name);
}

static void resolve_parameters(Resolver *r, const Ast *definition) {
  Checker *c = r->c;
  Binding *before = c->top;
  for (size_t i = 0; i < definition->items.count; i++) {
    const Ast *p = definition->items.at[i];
    if (!p || p->kind != AST_PARAMETER) continue;
    Binding *same = local_of(c, symbol_of(c, p->name));
    if (same && same->kind == BOUND_PARAMETER && same != before) {
      Diag *diag = report(c, E0202, p->name_at, "two parameters are called `%s`", p->name);
      note(c, diag, same->at, "the first one is here");
      r->self->broken = true;
    }
    bind_name(c, BOUND_PARAMETER, p->name, p->name_at);
  }
}

/* `let n = 3` and then `x: [n]`: the shape takes any length, which is surely not what was meant. */
static void warn_of_real_size(Checker *c, const Ast *let, Span at) {
  const Ast *value = let->kind == AST_LET ? let->body : NULL;
  bool whole = value && value->kind == AST_NUMBER && value->number >= 1 && value->number <= (double)MOST_ELEMENTS &&
               value->number == (double)(int64_t)value->number;
  if (!whole) return;
  Diag *diag = report_warning(c, W0301, at, "this `%s` is any length that a call brings, not the `let` of that name: a `let` is no size", let->name);
  note(c, diag, let->name_at, "`%s` is a real number", let->name);
  help(c, diag, "a size that has a name is a `dim`");
  fix(c, diag, let->at, "dim %s = %s", let->name, text_of(c, value->at));
}

/* A bare name in a parameter's shape is a size variable unless a `dim` has it; inside an expression it must be known,
 * which the end of the list decides: `fn f(x: [2*n], y: [n])`. */
static void bind_size_variables(Resolver *r, const Ast *definition) {
  Checker *c = r->c;
  for (size_t i = 0; i < definition->items.count; i++) {
    const Ast *p = definition->items.at[i];
    for (size_t k = 0; p && k < p->sizes.count; k++) {
      const Ast *size = p->sizes.at[k];
      if (!size || size->kind != AST_NAME) continue;
      Symbol *symbol = symbol_of(c, size->name);
      if (local_of(c, symbol)) continue;
      if (is_size_name(c, symbol, size->at)) continue;
      if (symbol->definition && !in_prelude(c, size->at)) warn_of_real_size(c, symbol->definition->ast, size->at);
      bind_name(c, BOUND_SIZE, size->name, size->at);
    }
  }
  for (size_t i = 0; i < definition->items.count; i++)
    if (definition->items.at[i]) resolve_all(r, &definition->items.at[i]->sizes);
}

static void refuse_signature(Checker *c, const Ast *ast) {
  if (ast->kind == AST_DENSITY) {
    report(c, E0208, ast->name_at, "a density takes the state, which has a shape, or the time, a scalar, before it: `%s(x: [n])` or `%s(t, x: [n])`", ast->name, ast->name);
    return;
  }
  Diag *diag = report(c, E0208, ast->name_at, "%s takes the time, a scalar, and then the state, which has a shape: `%s(t, x: [n])`", definition_kind(ast), ast->name);
  if (ast->items.count >= 2 && !ast->items.at[1]->has_shape)
    help(c, diag, "a state of one dimension is `%s: [1]`", ast->items.at[1]->name);
  if (ast->kind == AST_FIELD) help(c, diag, "a function of anything else is a `fn`");
}

static void check_signature(Checker *c, Definition *d) {
  const Ast *ast = d->ast;
  if ((ast->kind != AST_FIELD && ast->kind != AST_MAP && ast->kind != AST_DENSITY) || !ast->has_parameters || begins_with_time(ast) || d->broken) return;
  for (size_t i = 0; i < ast->items.count; i++)
    if (!ast->items.at[i] || ast->items.at[i]->kind != AST_PARAMETER) return;
  if (ast->kind == AST_DENSITY && ast->items.count == 1 && ast->items.at[0]->has_shape) return;
  refuse_signature(c, ast);
  d->broken = true;
}

static void resolve_function(Resolver *r, const Ast *ast) {
  Checker *c = r->c;
  uint32_t old = new_frame(c);
  Binding *before = c->top;
  check_signature(c, r->self);
  resolve_parameters(r, ast);
  bind_size_variables(r, ast);
  resolve_all(r, &ast->sizes);
  Binding **let = arena_array(c->arena, ast->lets.count + 1, sizeof(Binding *));
  for (size_t i = 0; i < ast->lets.count; i++) {
    const Ast *l = ast->lets.at[i];
    if (!l || l->kind != AST_LET) continue;
    if (l->body) resolve(r, l->body);
    let[i] = bind_name(c, BOUND_LET, l->name, l->name_at);
  }
  if (ast->body) resolve(r, ast->body);
  bool whole = ast->body && ast->body->kind != AST_ERROR;
  for (size_t i = 0; i < ast->lets.count && whole; i++)
    if (let[i]) check_used(c, ast, let[i], i);
  unbind(c, before);
  c->frame = old;
}

void resolve_definition(Checker *c, Definition *d) {
  Resolver r = {c, d};
  if (d->ast->kind == AST_LET || d->ast->kind == AST_DIM) {
    uint32_t old = new_frame(c);
    if (d->ast->body) resolve(&r, d->ast->body);
    c->frame = old;
  } else if (is_function(d->ast)) {
    resolve_function(&r, d->ast);
  }
}

void resolve_names(Checker *c) {
  for (Definition *d = c->first; d; d = d->next)
    if (d->symbol->definition == d) resolve_definition(c, d);   /* else hidden by the user's own */
}

bool resolve_value(Checker *c, Definition *in, const Ast *ast) {
  if (!ast) return false;
  c->reported = false;
  resolve(&(Resolver){c, in}, ast);
  return !c->reported;
}
