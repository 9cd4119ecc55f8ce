/* SPDX-License-Identifier: Apache-2.0 */
/* free_name.c -- the names that a check leaves open: where they are arguments, and the shape that they have from there. */
#include <string.h>
#include "claim.h"

typedef struct Bound { const char *name; const struct Bound *outer; } Bound;
/* How a name is used.  A callee that is unknown is an error by itself; `is_any` says nothing of a shape. */
typedef struct Use { Definition *callee; uint32_t item; bool is_result, is_number, is_any; struct Use *next; } Use;
typedef struct Collector { Checker *c; Claim *claim; bool known_only; } Collector;      /* known_only: of names that the claim has */

static void collect(Collector *k, const Ast *ast, const Bound *bound);

static FreeName *known_name(const Claim *claim, const char *name) {
  for (uint32_t i = 0; i < claim->names; i++)
    if (strcmp(claim->name[i].name, name) == 0) return &claim->name[i];
  return NULL;
}

FreeName *add_name(Checker *c, Claim *claim, const char *name, Span at) {
  if (!claim->name) claim->name = arena_array(c->arena, MOST_FREE_NAMES, sizeof *claim->name);
  if (claim->names == MOST_FREE_NAMES) {
    if (!claim->crowded) report(c, E0215, at, "a check leaves at most %d names open", MOST_FREE_NAMES);
    claim->crowded = claim->broken = true;
    return NULL;
  }
  claim->name[claim->names] = (FreeName){.name = name, .at = at};
  return &claim->name[claim->names++];
}

static FreeName *free_name(Collector *k, const Ast *ast, const Bound *bound) {
  Builtin builtin;
  if (!ast || ast->kind != AST_NAME) return NULL;
  for (; bound; bound = bound->outer)
    if (strcmp(bound->name, ast->name) == 0) return NULL;
  FreeName *known = known_name(k->claim, ast->name);
  if (known || k->known_only) return known;
  if (symbol_of(k->c, ast->name)->definition || builtin_of(ast->name, &builtin) || is_layer_word(ast->name) || strcmp(ast->name, "pi") == 0) return NULL;
  return add_name(k->c, k->claim, ast->name, ast->at);
}

static void use_name(Collector *k, FreeName *name, Use use) {
  Use *one = arena_alloc(k->c->arena, sizeof *one);
  *one = use;
  if (name->last_use) name->last_use->next = one;
  else name->use = one;
  name->last_use = one;
}

static void collect_argument(Collector *k, const Ast *ast, const Bound *bound, Use use) {
  FreeName *name = free_name(k, ast, bound);
  if (name && !use.is_any) use_name(k, name, use);
  else if (ast) collect(k, ast, bound);
}

/* What a call of this name does to its arguments. */
static Use use_of(Checker *c, const char *name, size_t arguments) {
  static const enum { EACH, REDUCE, EXTREME, LAST, DOT, SOLVE, LOGDET, ONE_HOT } rule[] = {
#define BUILTIN(name, least, most, rule, help) rule,
#include "builtins.def"
#undef BUILTIN
  };
  Symbol *symbol = symbol_of(c, name);
  Builtin builtin;
  if (symbol->definition) return (Use){.callee = symbol->definition};
  if (is_layer_word(name)) return (Use){.is_any = true};
  if (!builtin_of(name, &builtin)) return (Use){0};
  bool number = rule[builtin] == EACH || (rule[builtin] == EXTREME && arguments == 2);
  return (Use){.is_number = number, .is_any = !number};
}

static void collect_arguments(Collector *k, const AstList *list, size_t first, Use use, const Bound *bound) {
  for (size_t i = first; i < list->count; i++) {
    use.item = (uint32_t)(i - first);
    collect_argument(k, list->at[i], bound, use);
  }
}

static void collect_vector(Collector *k, const Ast *ast, Definition *callee, const Bound *bound) {
  DerivativeKind kind;
  const char *word = ast->function->function->name;
  if (!derivative_of(word + (*word == ' '), &kind) || !ast->extra.count) return;
  int slot = callee && is_whole(callee->ast) ? differentiated(callee->ast, kind) : -1;
  uint32_t item = 0, tensors = 0;
  for (; slot >= 0 && item < callee->ast->items.count; item++)
    if (!callee->ast->items.at[item]->is_dim && tensors++ == (uint32_t)slot) break;
  collect_argument(k, ast->extra.at[0], bound, (Use){.callee = slot < 0 ? NULL : callee, .item = item, .is_result = kind == DERIVATIVE_VJP});
}

/* What a claim asks for is made; what a function asks for is there by then. */
static Definition *inverse_of(Collector *k, Definition *map, Span at) {
  if (map->ast->kind != AST_MAP) return NULL;
  return k->known_only ? map->inverse : inverse_of_map(k->c, map, at);
}

static void collect_call(Collector *k, const Ast *ast, const Bound *bound) {
  const Ast *f = ast->function;
  if (f && f->kind == AST_NAME) {
    collect_arguments(k, &ast->items, 0, use_of(k->c, f->name, ast->items.count), bound);
    return;
  }
  if (!f || !is_operator(k->c, f)) return;
  const Ast *operand = f->items.count == 1 ? f->items.at[0] : NULL;
  Definition *callee = operand && operand->kind == AST_NAME ? symbol_of(k->c, operand->name)->definition : NULL;
  const char *word = f->function->name;
  if (callee && strcmp(word + (*word == ' '), "inverse") == 0) callee = inverse_of(k, callee, f->at);
  if (callee && !is_function(callee->ast)) callee = NULL;
  collect_arguments(k, &ast->items, 0, (Use){.callee = callee}, bound);
  collect_vector(k, ast, callee, bound);
}

static void collect_pipe(Collector *k, const Ast *ast, const Bound *bound) {
  for (size_t i = 0; i < ast->items.count; i++) {
    const Ast *stage = ast->items.at[i];
    if (i == 0) {
      const Ast *next = ast->items.count > 1 ? ast->items.at[1] : NULL;
      Use use = next && next->kind == AST_STAGE ? use_of(k->c, next->name, next->items.count + 1) : (Use){.is_any = true};
      collect_argument(k, stage, bound, use);
    } else if (stage && stage->kind == AST_STAGE) {
      Use use = use_of(k->c, stage->name, stage->items.count + 1);
      for (size_t j = 0; j < stage->items.count; j++) {
        use.item = (uint32_t)j + 1;
        collect_argument(k, stage->items.at[j], bound, use);
      }
    }
  }
}

static void collect(Collector *k, const Ast *ast, const Bound *bound) {
  if (!ast) return;
  Bound inner = {ast->name, bound};
  switch (ast->kind) {
  case AST_NAME: free_name(k, ast, bound); return;
  case AST_CALL: collect_call(k, ast, bound); return;
  case AST_PIPE: collect_pipe(k, ast, bound); return;
  case AST_FOR:
    collect(k, ast->extent, bound);
    collect(k, ast->body, &inner);
    return;
  default:
    for (size_t i = 0; i < ast->items.count; i++) collect(k, ast->items.at[i], bound);
  }
}

void collect_names(Checker *c, Claim *claim, const Ast *ast) { collect(&(Collector){.c = c, .claim = claim}, ast, NULL); }

void take_as_time(Checker *c, Claim *claim, Definition *field) {
  const Ast *t = field->ast->items.at[0];
  FreeName *name = known_name(claim, t->name);
  if (name && !name->use) use_name(&(Collector){.c = c, .claim = claim}, name, (Use){.callee = field});
}

void refuse_loose_names(Checker *c, Claim *claim) {
  for (uint32_t i = 0; i < claim->names; i++) {
    const FreeName *name = &claim->name[i];
    bool drawn = false;
    for (const Use *use = name->use; use; use = use->next) {
      drawn = drawn || use->callee || use->is_number;
      if (!use->callee && !use->is_number) claim->broken = true;        /* the callee is unknown: that is reported */
    }
    if (drawn) continue;
    bool silent = claim->broken && name->use;
    claim->broken = true;
    if (silent || c->lost_definition) continue;
    const char *near = nearest_name(c, name->name);
    Diag *diag = report(c, E0215, name->at, "nothing is called `%s`, and it is not the whole argument of a call: no shape is known to draw it with", name->name);
    if (near) help(c, diag, "did you mean `%s`?", near);
    else help(c, diag, "a name that a check leaves open stands somewhere alone as an argument, like x in `u(t, x)`");
  }
}

/* ---- times -------------------------------------------------------------------------------------------------------------- */
static bool is_called_t(const char *name) { return strcmp(name, "t") == 0; }

/* A number called t, the first one of a field, a map or a density, or what is handed on to such a one. */
static bool takes_time(const Definition *d, uint32_t item) {
  const Ast *p = item < d->ast->items.count ? d->ast->items.at[item] : NULL;
  if (!p || p->is_dim || p->has_shape) return false;
  return is_called_t(p->name) || (item == 0 && begins_with_time(d->ast)) || (d->hands_time_on && d->hands_time_on[item]);
}

bool is_time(const FreeName *name) {
  bool time = is_called_t(name->name);
  for (const Use *use = name->use; use && !time; use = use->next) time = use->callee && !use->is_result && takes_time(use->callee, use->item);
  return time;
}

/* Looks at a function as at a claim that leaves its parameters open. */
static void find_times_of(Checker *c, Definition *d) {
  const AstList *items = &d->ast->items, *lets = &d->ast->lets;
  Claim claim = {.name = arena_array(c->arena, items->count + 1, sizeof *claim.name), .names = (uint32_t)items->count};
  for (size_t i = 0; i < items->count; i++) claim.name[i] = (FreeName){.name = items->at[i]->name, .at = items->at[i]->at};
  Collector k = {.c = c, .claim = &claim, .known_only = true};
  const Bound *bound = NULL;
  for (size_t i = 0; i < lets->count; i++) {
    if (!lets->at[i] || lets->at[i]->kind != AST_LET) continue;
    collect(&k, lets->at[i]->body, bound);
    Bound *inner = arena_alloc(c->arena, sizeof *inner);
    *inner = (Bound){lets->at[i]->name, bound};
    bound = inner;
  }
  collect(&k, d->ast->body, bound);
  bool *hands_on = arena_array(c->arena, items->count + 1, sizeof *hands_on);
  for (size_t i = 0; i < items->count; i++) hands_on[i] = is_time(&claim.name[i]);
  d->hands_time_on = hands_on;
}

/* Callees stand before their callers. */
void find_times(Checker *c) {
  for (size_t i = 0; i < c->definitions; i++) {
    Definition *d = c->order[i];
    if (is_function(d->ast) && is_whole(d->ast) && !d->broken && spend(c, d->ast->at)) find_times_of(c, d);
  }
}

/* ---- shapes ------------------------------------------------------------------------------------------------------------- */
/* A size that the declaration leaves open is that of a flow which the definition moves, else of any flow. */
static bool shape_in_flows(Checker *c, const TypedProgram *program, const Use *use, Shape *shape) {
  const Ast *d = use->callee->ast;
  for (uint32_t i = 0; i < program->flows && spend(c, d->at); i++) {
    const TypedFunction *velocity = program->flow[i].velocity;
    if (velocity->definition != d || use->item >= velocity->parameters) continue;
    *shape = velocity->parameter[use->item];
    return true;
  }
  bool state = d->items.at[use->item]->sizes.count == 1 && use->item == (begins_with_time(d) ? 1 : 0);
  if (!state || d->kind == AST_FN || !program->flows) return false;
  *shape = (Shape){1, {program->flow[0].dim}};
  return true;
}

static bool shape_of_use(Checker *c, const TypedProgram *program, const Use *use, Shape *shape) {
  *shape = (Shape){0};
  if (use->is_number) return true;
  const Ast *d = use->callee ? use->callee->ast : NULL;
  if (!d || !is_whole(d)) return false;
  if (use->is_result) {
    Instance *instance = shape_known(c, d) ? declared_instance(c, use->callee) : NULL;
    if (instance) *shape = instance->function.result->shape;
    return instance != NULL;
  }
  if (use->item >= d->items.count || d->items.at[use->item]->is_dim || !d->items.at[use->item]->has_shape) return true;
  uint32_t old = new_frame(c);
  bool known = declared_shape(c, d->items.at[use->item], shape);
  c->frame = old;
  return known || shape_in_flows(c, program, use, shape);
}

bool give_shape(Checker *c, const TypedProgram *program, const FreeName *name, Ast *parameter, Shape *shape) {
  for (const Use *use = name->use; use; use = use->next) {
    if (!shape_of_use(c, program, use, shape)) continue;
    declare_shape(c, parameter, shape, name->at);
    return true;
  }
  if (c->diagnostics->errors > 0) return false;     /* the use is of something that is wrong */
  Diag *diag = report(c, E0215, name->at, "the size of `%s` is not known: there is nothing to draw it with", name->name);
  const Use *use = name->use;
  if (use && use->callee) note(c, diag, use->callee->ast->name_at, "`%s` takes any size", use->callee->ast->name);
  help(c, diag, "write the size in the declaration, as in `x: [2]`");
  return false;
}
