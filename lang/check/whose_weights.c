/* SPDX-License-Identifier: Apache-2.0 */
#include "whose_weights.h"
#include <string.h>

/* ---- what a function reaches ------------------------------------------------------------------------------------------ */

/* The functions that are reached, and the definitions of those that have layers; both once. */
typedef struct Reach {
  Arena *arena;
  const TypedFunction **function;
  size_t functions, function_room;
  const Ast **network;
  size_t networks, network_room;
  const Typed **open; /* values yet to be looked at */
  size_t opened, open_room;
} Reach;

static void *with_room(Reach *r, void *list, size_t count, size_t *room) {
  if (count < *room) return list;
  size_t more = *room ? 2 * *room : 16;
  list = arena_grow(r->arena, list, count, more, sizeof(void *));
  *room = more;
  return list;
}

static void open_value(Reach *r, const Typed *value) {
  if (!value) return;
  r->open = with_room(r, r->open, r->opened, &r->open_room);
  r->open[r->opened++] = value;
}

static void add_function(Reach *r, const TypedFunction *function) {
  if (!function) return;
  for (size_t i = 0; i < r->functions; i++)
    if (r->function[i] == function) return;
  r->function = with_room(r, r->function, r->functions, &r->function_room);
  r->function[r->functions++] = function;
}

static bool has_network(const Reach *r, const Ast *network) {
  for (size_t i = 0; i < r->networks; i++)
    if (r->network[i] == network) return true;
  return false;
}

static void add_network(Reach *r, const Ast *network) {
  if (has_network(r, network)) return;
  r->network = with_room(r, r->network, r->networks, &r->network_room);
  r->network[r->networks++] = network;
}

/* In the order in which it is written: the last that is opened is looked at first. */
static void look_at(Reach *r, const TypedFunction *function) {
  open_value(r, function->result);
  for (uint32_t i = function->lets; i-- > 0;) open_value(r, function->let[i]);
  while (r->opened) {
    const Typed *value = r->open[--r->opened];
    if (value->kind == TYPED_LAYER) add_network(r, function->definition);
    add_function(r, value->callee);
    for (uint32_t i = value->args; i-- > 0;) open_value(r, value->arg[i]);
  }
}

static Reach reach(Arena *arena, const TypedFunction *const *from, size_t count) {
  Reach r = {.arena = arena};
  for (size_t i = 0; i < count; i++) add_function(&r, from[i]);
  for (size_t i = 0; i < r.functions; i++) look_at(&r, r.function[i]);
  return r;
}

/* ---- whose ---------------------------------------------------------------------------------------------------------------- */

typedef struct Choosing {
  Arena *arena;
  const TypedProgram *program;
  const Reach *of_flow;  /* of each flow */
  Reach needed;
  const WhoseQuestion *question;
} Choosing;

static bool names_weights(const Choosing *c, const TypedFlow *flow) { return c->question->file_given || flow->weights != NULL; }

static bool same_folder(const Choosing *c, const TypedFlow *a, const TypedFlow *b) {
  const FlowFolders *folders = &c->question->folders;
  return !folders->beside || strcmp(folders->beside(folders->of, a->name), folders->beside(folders->of, b->name)) == 0;
}

static bool same_weights(const Choosing *c, const TypedFlow *a, const TypedFlow *b) {
  if (strcmp(a->prefix, b->prefix) != 0) return false;
  if (c->question->file_given || !a->weights || !b->weights) return c->question->file_given || a->weights == b->weights;
  return strcmp(a->weights, b->weights) == 0 && same_folder(c, a, b);
}

static const TypedFlow *flow_of(const Choosing *c, size_t f) { return &c->program->flow[f]; }

static bool uses(const Choosing *c, const TypedFlow *flow, const Ast *network) {
  return has_network(&c->of_flow[flow - c->program->flow], network);
}

/* The first flow of the same weights that uses the network. */
static const TypedFlow *user_among(const Choosing *c, const TypedFlow *flow, const Ast *network) {
  for (size_t f = 0; f < c->program->flows; f++)
    if (same_weights(c, flow_of(c, f), flow) && uses(c, flow_of(c, f), network)) return flow_of(c, f);
  return NULL;
}

/* Do this flow's weights fill all that is needed? */
static bool serves(const Choosing *c, const TypedFlow *flow) {
  for (size_t n = 0; n < c->needed.networks; n++)
    if (!user_among(c, flow, c->needed.network[n])) return false;
  return true;
}

static const TypedFlow *any_user(const Choosing *c, const Ast *network) {
  for (int named = 1; named >= 0; named--)
    for (size_t f = 0; f < c->program->flows; f++)
      if (uses(c, flow_of(c, f), network) && names_weights(c, flow_of(c, f)) >= named) return flow_of(c, f);
  return NULL;
}

static const Ast *orphan(const Choosing *c) {
  for (size_t n = 0; n < c->needed.networks; n++)
    if (!any_user(c, c->needed.network[n])) return c->needed.network[n];
  return NULL;
}

/* ---- in words ----------------------------------------------------------------------------------------------------------- */

#define SAY_WHICH "say which with --flow NAME (`:set flow NAME` at the prompt)"

static WhoseWeights refuse_unused(const Choosing *c, const Ast *network) {
  return (WhoseWeights){.why = arena_format(c->arena, "no flow uses the network `%s`, so none says where its weights are; say whose it is to have with --flow NAME "
                                           "(`:set flow NAME` at the prompt), or a file with --weights FILE", network->name)};
}

static WhoseWeights refuse_several(const Choosing *c, const TypedFlow *one, const TypedFlow *other) {
  const TypedFlow *user = user_among(c, one, c->needed.network[0]), *second = user_among(c, other, c->needed.network[0]);
  if (user && second) one = user, other = second;
  return (WhoseWeights){.several = true, .why = arena_format(c->arena, "the flows `%s` and `%s` fill `%s` with different %s; " SAY_WHICH, one->name, other->name,
                                           c->needed.network[0]->name, c->question->file_given ? "prefixes" : "weights")};
}

/* A file that was asked for fills what no flow uses, under the prefix of the flows if they have but one. */
static WhoseWeights choose_unused(const Choosing *c, const TypedFlow *asked, const Ast *network) {
  if (asked) return (WhoseWeights){.flow = asked};
  if (!c->question->file_given) return refuse_unused(c, network);
  for (size_t f = 1; f < c->program->flows; f++)
    if (!same_weights(c, flow_of(c, 0), flow_of(c, f))) return refuse_several(c, flow_of(c, 0), flow_of(c, f));
  return (WhoseWeights){.flow = flow_of(c, 0)};
}

/* Some network is filled by a flow that does not fill another. */
static WhoseWeights refuse_mixed(const Choosing *c) {
  const Ast *first = c->needed.network[0], *second = first;
  const TypedFlow *one = any_user(c, first), *other = one;
  for (size_t n = 1; n < c->needed.networks && other == one; n++)
    if (!user_among(c, one, second = c->needed.network[n])) other = any_user(c, second);
  return (WhoseWeights){.several = true, .why = arena_format(c->arena, "`%s` has the weights of the flow `%s`, `%s` those of `%s`, and one value is computed with one set of weights; "
                                           "compute them apart (each side of a `check` has its own), or name a file that holds both with --weights FILE",
                                           first->name, one->name, second->name, other->name)};
}

/* ---- all ------------------------------------------------------------------------------------------------------------------ */

static WhoseWeights choose(const Choosing *c, const TypedFlow *asked) {
  const TypedFlow *found = NULL, *unnamed = NULL;
  if (asked && serves(c, asked)) return (WhoseWeights){.flow = asked};
  for (size_t f = 0; f < c->program->flows; f++) {
    const TypedFlow *flow = flow_of(c, f);
    if (!serves(c, flow)) continue;
    if (!names_weights(c, flow)) unnamed = unnamed ? unnamed : flow;
    else if (found && !same_weights(c, found, flow)) return refuse_several(c, found, flow);
    else if (!found) found = flow;
  }
  if (found || unnamed) return (WhoseWeights){.flow = found ? found : unnamed};
  const Ast *unused = orphan(c);
  return unused ? choose_unused(c, asked, unused) : refuse_mixed(c);
}

static const TypedFlow *flow_called(const TypedProgram *program, const char *name) {
  for (uint32_t f = 0; name && f < program->flows; f++)
    if (strcmp(program->flow[f].name, name) == 0) return &program->flow[f];
  return NULL;
}

static Reach reach_of_flow(Arena *arena, const TypedFlow *flow) {
  const TypedFunction *from[] = {flow->velocity, flow->map, flow->inverse};
  return reach(arena, from, 3);
}

WhoseWeights whose_weights(Arena *arena, const WhoseQuestion *question) {
  const TypedProgram *program = question->program;
  Choosing c = {.arena = arena, .program = program, .needed = reach(arena, &question->function, 1), .question = question};
  if (c.needed.networks == 0 || program->flows == 0) return (WhoseWeights){0};
  Reach *of_flow = arena_array(arena, program->flows, sizeof *of_flow);
  for (uint32_t f = 0; f < program->flows; f++) of_flow[f] = reach_of_flow(arena, &program->flow[f]);
  c.of_flow = of_flow;
  return choose(&c, flow_called(program, question->asked));
}
