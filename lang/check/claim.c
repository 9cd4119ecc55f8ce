/* SPDX-License-Identifier: Apache-2.0 */
/* claim.c -- checks: what is claimed, which names are left open, and with which shapes they are drawn.
 *
 * Both sides of a comparison become functions of the free names.  continuity(p, u) is the comparison
 *
 *     ddt(p)(t, x) + div(u)(t, x) + jvp(p)(t, x; u(t, x)) == 0          d log p/dt + div u + u . grad log p = 0
 *
 * and the surface that a flux goes through is read here; the rest of both is left to whoever evaluates. */
#include <string.h>
#include "claim.h"
#include "constant.h"

/* ---- free names -------------------------------------------------------------------------------------------------------- */
typedef struct Bound { const char *name; const struct Bound *outer; } Bound;
/* How a name is used.  A callee that is unknown is an error by itself; `is_any` says nothing of a shape. */
typedef struct Use { Definition *callee; uint32_t item; bool is_result, is_number, is_any; struct Use *next; } Use;
typedef struct Collector { Checker *c; Claim *claim; } Collector;

static void collect(Collector *k, const Ast *ast, const Bound *bound);

static FreeName *known_name(const Claim *claim, const char *name) {
  for (uint32_t i = 0; i < claim->names; i++)
    if (strcmp(claim->name[i].name, name) == 0) return &claim->name[i];
  return NULL;
}

static FreeName *add_name(Checker *c, Claim *claim, const char *name, Span at) {
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
  if (known) return known;
  if (symbol_of(k->c, ast->name)->definition || builtin_of(ast->name, &builtin) || is_layer_word(ast->name) || strcmp(ast->name, "pi") == 0) return NULL;
  return add_name(k->c, k->claim, ast->name, ast->at);
}

static void use_name(Collector *k, FreeName *name, Use use) {
  Use *one = arena_alloc(k->c->arena, sizeof *one);
  *one = use;
  if (name->last_use) name->last_use->next = one;
  else name->use = one;
  name->last_use = one;
  const Ast *d = use.callee ? use.callee->ast : NULL;
  if (d && !use.is_result && use.item == 0 && begins_with_time(d)) name->is_time = true;
}

static void collect_argument(Collector *k, const Ast *ast, const Bound *bound, Use use) {
  FreeName *name = free_name(k, ast, bound);
  if (name && !use.is_any) use_name(k, name, use);
  else if (ast) collect(k, ast, bound);
}

/* What a call of this name does to its arguments. */
static Use use_of(Checker *c, const char *name, size_t arguments) {
  static const enum { EACH, REDUCE, EXTREME, LAST, DOT, ONE_HOT } rule[] = {
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
  if (callee && strcmp(word + (*word == ' '), "inverse") == 0) callee = callee->ast->kind == AST_MAP ? inverse_of_map(k->c, callee, f->at) : NULL;
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

static void refuse_loose_names(Checker *c, Claim *claim) {
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

/* ---- what is claimed ------------------------------------------------------------------------------------------------------ */
static Definition *side(Checker *c, const Claim *claim, const Ast *value, const AstList *parameters, const char *which) {
  Ast *f = synthetic(c, AST_CHECK, "check", value->at);
  f->has_parameters = true;
  f->items = *parameters;
  f->body = (Ast *)value;
  Definition *d = define_hidden(c, arena_format(c->arena, "check %u %s", value->at.from, which), f);
  d->broken = claim->broken;
  return d;
}

/* Left and right, NULL where there is none, as functions of what they leave open. */
static void make_sides(Checker *c, Claim *claim, const Ast *left, const Ast *right) {
  Collector k = {c, claim};
  collect(&k, left, NULL);
  collect(&k, right, NULL);
  if (claim->crowded) return;
  refuse_loose_names(c, claim);
  AstList parameters = {0};
  for (uint32_t i = 0; i < claim->names; i++)
    append_item(c, &parameters, synthetic(c, AST_PARAMETER, claim->name[i].name, claim->name[i].at));
  if (left) claim->left = side(c, claim, left, &parameters, "left");
  if (right) claim->right = side(c, claim, right, &parameters, "right");
}

static bool calls(Checker *c, const Ast *ast, const char *word) {
  return ast && ast->kind == AST_CALL && ast->function && ast->function->kind == AST_NAME && strcmp(ast->function->name, word) == 0 &&
         !symbol_of(c, word)->definition;
}

static Definition *named(Checker *c, const Ast *ast, bool density) {
  const char *what = density ? "a density" : "a field";
  if (!ast || ast->kind == AST_ERROR) return NULL;
  Definition *d = ast->kind == AST_NAME ? symbol_of(c, ast->name)->definition : NULL;
  if (ast->kind == AST_NAME && !d) {
    report_unknown(c, ast->name, ast->at);
    return NULL;
  }
  if (d && d->broken) return NULL;
  if (d && is_whole(d->ast) && (density ? d->ast->kind == AST_DENSITY : is_function(d->ast) && is_field_signature(d->ast))) return d;
  report(c, E0216, ast->at, "the name of %s is needed here, and this is %s", what, d ? definition_kind(d->ast) : "an expression");
  return NULL;
}

static bool expand_continuity(Checker *c, Claim *claim, const Ast *call) {
  if (call->items.count != 2 || call->extra.count) {
    report(c, E0216, call->at, "`continuity` is written `continuity(p, u)`, with a density and a field");
    return false;
  }
  Definition *p = named(c, call->items.at[0], true), *u = named(c, call->items.at[1], false);
  if (!p || !u) return false;
  const AstList *of = &u->ast->items;
  bool time = begins_with_time(p->ast);
  const char *pn = alias_of(c, p), *un = alias_of(c, u);
  for (size_t i = 0; i < of->count; i++) add_name(c, claim, of->at[i]->name, of->at[i]->name_at);
  Ast *ddt = synthetic_operator(c, " ddt", pn, call->at), *jvp = synthetic_operator(c, " jvp", pn, call->at);
  Ast *div = synthetic_operator(c, " div", un, call->at), *velocity = synthetic_call(c, un, call->at);
  append_names(c, &velocity->items, of, 0, of->count, call->at);
  append_names(c, &div->items, of, 0, of->count, call->at);
  append_names(c, &ddt->items, of, !time, 2, call->at);
  append_names(c, &jvp->items, of, !time, 2, call->at);
  append_item(c, &jvp->extra, velocity);
  Ast *residual = synthetic_two(c, div, AST_ADD, jvp);
  claim->kind = CHECK_CONTINUITY;
  make_sides(c, claim, time ? synthetic_two(c, residual, AST_ADD, ddt) : residual, synthetic_number(c, 0, call->at));
  return true;
}

static bool expand_flux(Checker *c, Claim *claim, const Ast *compare) {
  const Ast *call = compare->items.at[0], *region = call->items.count == 2 ? call->items.at[1] : NULL;
  bool box = calls(c, region, "box"), ball = calls(c, region, "ball");
  if ((!box && !ball) || region->items.count != 2 || call->extra.count) {
    report(c, E0216, call->at, "`flux` is written `flux(u, ball(center, radius))` or `flux(u, box(low, high))`");
    return false;
  }
  if (compare->ops[0] != AST_EQUAL) {
    report(c, E0216, compare->name_at, "a flux is claimed to be equal to something: `flux(...) == e`");
    return false;
  }
  claim->kind = CHECK_FLUX;
  claim->region = region;
  claim->field = named(c, call->items.at[0], false);
  claim->broken = !claim->field;
  make_sides(c, claim, NULL, compare->items.at[1]);
  return claim->field != NULL;
}

static const CheckKind kind_of[] = {
  [AST_LESS] = CHECK_LESS, [AST_LESS_EQUAL] = CHECK_LESS_EQUAL, [AST_GREATER] = CHECK_GREATER,
  [AST_GREATER_EQUAL] = CHECK_GREATER_EQUAL, [AST_EQUAL] = CHECK_EQUAL, [AST_NOT_EQUAL] = CHECK_NOT_EQUAL};

static void add_claim(Checker *c, Claim *claim) {
  if (c->last_claim) c->last_claim->next = claim;
  else c->claims = claim;
  c->last_claim = claim;
}

static void expand_body(Checker *c, const Ast *check, const Ast *body) {
  if (!body || body->kind == AST_ERROR) return;
  if (body->kind == AST_AND) {
    for (size_t i = 0; i < body->items.count; i++) expand_body(c, check, body->items.at[i]);
    return;
  }
  Claim *claim = arena_alloc(c->arena, sizeof *claim);
  *claim = (Claim){.text = check->text, .at = body->at, .op_at = body->at};
  bool compares = body->kind == AST_COMPARE, good = true;
  if (calls(c, body, "continuity")) {
    good = expand_continuity(c, claim, body);
  } else if (compares && calls(c, body->items.at[0], "flux")) {
    good = expand_flux(c, claim, body);
  } else if (compares) {
    claim->kind = kind_of[body->ops[0]];
    claim->op_at = body->name_at;
    make_sides(c, claim, body->items.at[0], body->items.at[1]);
  } else {
    Diag *diag = report(c, E0216, body->at, "a check claims something: a comparison, `continuity(p, u)`, or several of them joined by `and`");
    if (calls(c, body, "flux")) help(c, diag, "say what the flux is: `%s == 0`", text_of(c, body->at));
    return;
  }
  claim->broken = claim->broken || !good;
  add_claim(c, claim);
}

void expand_check(Checker *c, const Ast *check) { expand_body(c, check, check->body); }

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

static bool give_shape(Checker *c, const TypedProgram *program, const FreeName *name, Ast *parameter, Shape *shape) {
  for (const Use *use = name->use; use; use = use->next) {
    if (!shape_of_use(c, program, use, shape)) continue;
    parameter->has_shape = shape->rank > 0;
    for (uint32_t axis = 0; axis < shape->rank; axis++) {
      append_item(c, &parameter->sizes, synthetic_number(c, (double)shape->dim[axis], name->at));
    }
    return true;
  }
  if (c->diagnostics->errors > 0) return false;     /* the use is of something that is wrong */
  Diag *diag = report(c, E0215, name->at, "the size of `%s` is not known: there is nothing to draw it with", name->name);
  const Use *use = name->use;
  if (use && use->callee) note(c, diag, use->callee->ast->name_at, "`%s` takes any size", use->callee->ast->name);
  help(c, diag, "write the size in the declaration, as in `x: [2]`");
  return false;
}

static TypedFunction *type_side(Checker *c, const Claim *claim, Definition *definition, const Shape *key) {
  Span *at = arena_array(c->arena, claim->names + 1u, sizeof *at);
  for (uint32_t i = 0; i < claim->names; i++) at[i] = claim->name[i].at;
  Instance *instance = definition && !definition->broken ? instance_of(c, definition, key, at, definition->ast->name_at) : NULL;
  return instance ? &instance->function : NULL;
}

/* ---- the region of a flux --------------------------------------------------------------------------------------------------- */
static bool read_region(Checker *c, const Claim *claim, TypedCheck *check) {
  const Ast *region = claim->region;
  bool box = check->is_box = strcmp(region->function->name, "box") == 0;
  Typed *part[2];
  for (int i = 0; i < 2; i++)
    if (!resolve_value(c, claim->right, region->items.at[i]) || !(part[i] = check_number(c, region->items.at[i]))) return false;
  bool good = part[0]->shape.rank == 1 && (box ? shape_same(&part[0]->shape, &part[1]->shape) : part[1]->shape.rank == 0);
  if (!good) {
    report(c, E0216, region->at, box ? "a box is given by two vectors of one length, its least and its greatest corner, and these are %s and %s"
                                     : "a ball is given by a vector, its center, and a number, its radius, and these are %s and %s",
           shape_text(c->arena, &part[0]->shape), shape_text(c->arena, &part[1]->shape));
    return false;
  }
  check->dim = part[0]->shape.dim[0];
  check->low = constant_numbers(c, part[0], check->dim);
  check->high = check->low && box ? constant_numbers(c, part[1], check->dim) : NULL;
  if (!check->low || (box && !check->high) || (!box && !constant_number(c, part[1], 0, &check->radius))) return false;
  good = box || check->radius > 0;
  for (int64_t i = 0; box && i < check->dim; i++) good = good && check->low[i] < check->high[i];
  if (!good) report(c, E0216, part[1]->at, box ? "the greatest corner of a box lies above its least one in every direction" : "the radius of a ball is above 0");
  return good;
}

static bool type_flux(Checker *c, const Claim *claim, TypedCheck *check) {
  if (!read_region(c, claim, check)) return false;
  Shape state = {1, {check->dim}};
  check->field = field_instance(c, claim->field, &state, claim->region->items.at[0]->at, NULL, 0, claim->region->at);
  if (!check->field || !check->right || check->right->result->shape.rank == 0) return check->field && check->right;
  report(c, E0216, check->right->result->at, "a flux is a number, and this is %s", shape_text(c->arena, &check->right->result->shape));
  return false;
}

/* ---- all ---------------------------------------------------------------------------------------------------------------------- */
static bool type_claim(Checker *c, const TypedProgram *program, const Claim *claim, TypedCheck *check) {
  *check = (TypedCheck){.text = claim->text, .at = claim->at, .kind = claim->kind, .names = claim->names};
  Shape *key = arena_array(c->arena, claim->names + 1u, sizeof *key);
  check->role = arena_array(c->arena, claim->names + 1u, sizeof *check->role);
  for (uint32_t i = 0; i < claim->names; i++) {
    const FreeName *name = &claim->name[i];
    if (!give_shape(c, program, name, claim->right->ast->items.at[i], &key[i])) return false;
    check->role[i] = name->is_time && key[i].rank == 0 ? ROLE_TIME : ROLE_OTHER;
  }
  check->left = type_side(c, claim, claim->left, key);
  check->right = type_side(c, claim, claim->right, key);
  if (claim->kind == CHECK_FLUX) return type_flux(c, claim, check);
  if (!check->left || !check->right) return false;
  const Typed *left = check->left->result, *right = check->right->result;
  if (left->shape.rank == 0 || right->shape.rank == 0 || shape_same(&left->shape, &right->shape)) return true;
  refuse_shapes(c, text_of(c, claim->op_at), claim->op_at, left, right);
  return false;
}

void list_checks(Checker *c, TypedProgram *program) {
  uint32_t count = 0;
  for (const Claim *claim = c->claims; claim; claim = claim->next) count++;
  program->check = arena_array(c->arena, count + 1u, sizeof *program->check);
  for (const Claim *claim = c->claims; claim; claim = claim->next)
    if (!claim->broken && type_claim(c, program, claim, &program->check[program->checks])) program->checks++;
}
