/* SPDX-License-Identifier: Apache-2.0 */
/* claim.c -- checks: what is claimed, which names are left open, and with which shapes they are drawn.
 *
 * Both sides of a comparison become functions of the free names.  continuity(p, u) is the comparison
 *
 *     ddt(p)(t, x) + div(u)(t, x) + jvp(p)(t, x; u(t, x)) == 0          d log p/dt + div u + u . grad log p = 0
 *
 * mass(p, u, region) becomes [p(t, x), ddt(p)(t, x)] and u(t, x); the region of a mass or a flux is read here, and the
 * integrals are left to whoever evaluates. */
#include <string.h>
#include "claim.h"
#include "constant.h"

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
  collect_names(c, claim, left);
  collect_names(c, claim, right);
  if (claim->crowded) return;
  if (claim->field) take_as_time(c, claim, claim->field);
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

/* A density and a field that moves it: p and u of `name(p, u, ..)`.  The claim's names are u's parameters. */
typedef struct Moved { Definition *p, *u; const AstList *of; bool time; } Moved;

static bool read_moved(Checker *c, Claim *claim, const Ast *call, Moved *moved) {
  Definition *p = named(c, call->items.at[0], true), *u = named(c, call->items.at[1], false);
  if (!p || !u) return false;
  *moved = (Moved){p, u, &u->ast->items, begins_with_time(p->ast)};
  if (!moved->time && p->ast->items.count > 1) return false;   /* that is no density: resolve.c says so */
  if (p->ast->items.count > 2) {
    const char *name = p->ast->name;
    Diag *diag = report(c, E0216, call->items.at[0]->at, "`%s` takes more than the time and the state: what `%s` moves is `%s(x)` or `%s(t, x)`", name,
                        u->ast->name, name, name);
    note(c, diag, p->ast->name_at, "`%s` is defined here", name);
    return false;
  }
  for (size_t i = 0; i < moved->of->count; i++) add_name(c, claim, moved->of->at[i]->name, moved->of->at[i]->name_at);
  return true;
}

/* The call with all names, or, of p, with those that it has. */
static Ast *of_names(Checker *c, Ast *call, const Moved *moved, bool density) {
  append_names(c, &call->items, moved->of, density && !moved->time, density ? 2 : moved->of->count, call->at);
  return call;
}

static Ast *operator_on(Checker *c, const char *operator_, const Moved *moved, bool density, Span at) {
  return of_names(c, synthetic_operator(c, operator_, alias_of(c, density ? moved->p : moved->u), at), moved, density);
}

static Ast *call_of(Checker *c, const Moved *moved, bool density, Span at) {
  return of_names(c, synthetic_call(c, alias_of(c, density ? moved->p : moved->u), at), moved, density);
}

static bool expand_continuity(Checker *c, Claim *claim, const Ast *call) {
  Moved moved;
  if (call->items.count != 2 || call->extra.count) {
    report(c, E0216, call->at, "`continuity` is written `continuity(p, u)`, with a density and a field");
    return false;
  }
  if (!read_moved(c, claim, call, &moved)) return false;
  Ast *ddt = operator_on(c, " ddt", &moved, true, call->at), *jvp = operator_on(c, " jvp", &moved, true, call->at);
  Ast *div = operator_on(c, " div", &moved, false, call->at);
  append_item(c, &jvp->extra, call_of(c, &moved, false, call->at));
  Ast *residual = synthetic_two(c, div, AST_ADD, jvp);
  claim->kind = CHECK_CONTINUITY;
  make_sides(c, claim, moved.time ? synthetic_two(c, residual, AST_ADD, ddt) : residual, synthetic_number(c, 0, call->at));
  return true;
}

/* The last of so many arguments, if it is a region. */
static const Ast *region_of(Checker *c, const Ast *call, size_t arguments) {
  const Ast *region = call->items.count == arguments && !call->extra.count ? call->items.at[arguments - 1] : NULL;
  bool is_region = calls(c, region, "box") || calls(c, region, "ball");
  return is_region && region->items.count == 2 ? region : NULL;
}

static bool expand_mass(Checker *c, Claim *claim, const Ast *call) {
  Moved moved;
  claim->kind = CHECK_MASS;
  claim->region = region_of(c, call, 3);
  if (!claim->region) {
    report(c, E0216, call->at, "`mass` is written `mass(p, u, ball(center, radius))` or `mass(p, u, box(low, high))`, with a density and a field");
    return false;
  }
  if (!read_moved(c, claim, call, &moved)) return false;
  Ast *both = synthetic(c, AST_BRACKET, NULL, call->at);
  append_item(c, &both->items, call_of(c, &moved, true, call->at));
  append_item(c, &both->items, moved.time ? operator_on(c, " ddt", &moved, true, call->at) : synthetic_number(c, 0, call->at));
  make_sides(c, claim, both, call_of(c, &moved, false, call->at));
  return true;
}

static bool expand_flux(Checker *c, Claim *claim, const Ast *compare) {
  const Ast *call = compare->items.at[0], *region = region_of(c, call, 2);
  if (!region) {
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
  } else if (calls(c, body, "mass")) {
    good = expand_mass(c, claim, body);
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
static TypedFunction *type_side(Checker *c, const Claim *claim, Definition *definition, const Shape *key) {
  Span *at = arena_array(c->arena, claim->names + 1u, sizeof *at);
  for (uint32_t i = 0; i < claim->names; i++) at[i] = claim->name[i].at;
  Instance *instance = definition && !definition->broken ? instance_of(c, definition, key, at, definition->ast->name_at) : NULL;
  return instance ? &instance->function : NULL;
}

/* ---- the region of a flux or a mass --------------------------------------------------------------------------------------------------- */
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
/* The right side's declaration is made from the shape, and is the left side's too.  The state of a mass is of its region's size. */
static bool shape_of_name(Checker *c, const TypedProgram *program, const Claim *claim, uint32_t i, const TypedCheck *check, Shape *shape) {
  Ast *parameter = claim->right->ast->items.at[i];
  if (claim->kind != CHECK_MASS || i != 1) return give_shape(c, program, &claim->name[i], parameter, shape);
  *shape = (Shape){1, {check->dim}};
  declare_shape(c, parameter, shape, claim->region->at);
  return true;
}

static bool type_claim(Checker *c, const TypedProgram *program, const Claim *claim, TypedCheck *check) {
  *check = (TypedCheck){.text = claim->text, .at = claim->at, .kind = claim->kind, .names = claim->names};
  if (claim->kind == CHECK_MASS && !read_region(c, claim, check)) return false;
  Shape *key = arena_array(c->arena, claim->names + 1u, sizeof *key);
  check->role = arena_array(c->arena, claim->names + 1u, sizeof *check->role);
  for (uint32_t i = 0; i < claim->names; i++) {
    const FreeName *name = &claim->name[i];
    if (!shape_of_name(c, program, claim, i, check, &key[i])) return false;
    check->role[i] = is_time(name) && key[i].rank == 0 ? ROLE_TIME : ROLE_OTHER;
  }
  check->left = type_side(c, claim, claim->left, key);
  check->right = type_side(c, claim, claim->right, key);
  if (claim->kind == CHECK_FLUX) return type_flux(c, claim, check);
  if (!check->left || !check->right) return false;
  if (claim->kind == CHECK_MASS) return true;
  const Typed *left = check->left->result, *right = check->right->result;
  if (left->shape.rank == 0 || right->shape.rank == 0 || shape_same(&left->shape, &right->shape)) return true;
  refuse_shapes(c, text_of(c, claim->op_at), claim->op_at, left, right);
  return false;
}

void list_checks(Checker *c, TypedProgram *program) {
  uint32_t count = 0;
  for (const Claim *claim = c->claims; claim; claim = claim->next) count++;
  program->check = arena_array(c->arena, count + 1u, sizeof *program->check);
  if (count) find_times(c);
  for (const Claim *claim = c->claims; claim; claim = claim->next)
    if (!claim->broken && type_claim(c, program, claim, &program->check[program->checks])) program->checks++;
}
