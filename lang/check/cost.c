/* SPDX-License-Identifier: Apache-2.0 */
/* cost.c -- how much a program would do, counted before any of it is done.
 *
 * Sixty functions that each call the one before twice are a short file and 2^60 calls.  So a function's operations are
 * counted with those of its callees, and its work, the elements that one evaluation computes, with the turns of the loops
 * that a value depends on: what does not depend on a counter is computed once.  Both counts are from above.
 *
 * A derivative is the function and, for each of its operations, at most five more, which compute a tangent or a cotangent:
 * 6 times the operations.  Each direction costs at most four times the function's work (a product of two needs two products
 * and a sum), so that the work is 1 + 4 n times that of the function, n being 1, or for `div` the size of the state. */
#include "checker.h"

enum { DERIVATIVE_OPERATIONS = 6 };

/* Counters that a value depends on, ascending.  A value of more axes than a node may have is refused by the lowering, so
 * that nothing is lost where a list is full. */
typedef struct Loops { uint32_t count, loop[FLOW_MOST_RANK]; } Loops;
struct CostVisit { const Typed *node; uint32_t next; Loops loops; };
typedef struct CostVisit Visit;
typedef struct Count {
  Checker *c;
  size_t depth;
  int64_t *extent;              /* by the loop's id */
  uint32_t extents;
  uint64_t operations, work;
} Count;

static uint64_t plus(uint64_t a, uint64_t b) { return __builtin_add_overflow(a, b, &a) ? UINT64_MAX : a; }
static uint64_t times(uint64_t a, uint64_t b) { return __builtin_mul_overflow(a, b, &a) ? UINT64_MAX : a; }

static void add_loop(Loops *to, uint32_t loop) {
  for (uint32_t i = 0; i < to->count; i++)
    if (to->loop[i] == loop) return;
  if (to->count < FLOW_MOST_RANK) to->loop[to->count++] = loop;
}

static void remove_loop(Loops *from, uint32_t loop) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < from->count; i++)
    if (from->loop[i] != loop) from->loop[kept++] = from->loop[i];
  from->count = kept;
}

static uint64_t turns(const Count *count, const Loops *loops) {
  uint64_t n = 1;
  for (uint32_t i = 0; i < loops->count; i++) n = times(n, (uint64_t)count->extent[loops->loop[i]]);
  return n;
}

static void push(Count *count, const Typed *node) {
  Checker *c = count->c;
  if (count->depth == c->visit_room) {
    size_t room = c->visit_room ? 2 * c->visit_room : 64;
    c->visit = arena_grow(c->arena, c->visit, c->visit_room, room, sizeof *c->visit);
    c->visit_room = room;
  }
  c->visit[count->depth++] = (Visit){.node = node};
  if (node->kind == TYPED_FOR || node->kind == TYPED_REDUCE) count->extent[node->slot] = node->count;
}

/* Numbers that one node computes, its operands known. */
static uint64_t own_work(const Typed *node) {
  uint64_t elements = (uint64_t)shape_elements(&node->shape);
  switch (node->kind) {
  case TYPED_MATMUL: return times(elements, (uint64_t)node->arg[1]->shape.dim[0]);
  case TYPED_REDUCE: return times(elements, (uint64_t)node->count);
  case TYPED_BUILTIN:
    if (node->builtin == BUILTIN_solve || node->builtin == BUILTIN_logdet)      /* each of n columns passes through the rest */
      return times((uint64_t)node->arg[0]->shape.dim[0], plus(elements, (uint64_t)shape_elements(&node->arg[0]->shape)));
    return plus(elements, (uint64_t)shape_elements(&node->arg[0]->shape));
  case TYPED_LAYER:
    return node->layer == LAYER_LINEAR ? times(elements, (uint64_t)node->arg[0]->shape.dim[0]) : elements;
  default: return elements;
  }
}

static uint64_t work_of_derivative(const Typed *node) {
  uint64_t n = node->derivative == DERIVATIVE_DIV ? (uint64_t)shape_elements(&node->callee->parameter[node->slot]) : 1;
  return 1 + 4 * n;
}

static void finish(Count *count, Visit *visit) {
  const Typed *node = visit->node;
  if (node->kind == TYPED_LOOP) add_loop(&visit->loops, node->slot);
  if (node->kind == TYPED_INDEX)
    for (uint32_t axis = 0; axis < node->arg[0]->shape.rank; axis++)
      for (uint32_t i = 0; i < node->index[axis].terms; i++) add_loop(&visit->loops, node->index[axis].variable[i]);
  if (node->kind == TYPED_FOR || node->kind == TYPED_REDUCE) remove_loop(&visit->loops, node->slot);   /* counted by own_work */
  uint64_t operations = 1, work = own_work(node);
  if (node->kind == TYPED_CALL || node->kind == TYPED_DERIVATIVE) {
    const Instance *callee = (const Instance *)node->callee;
    bool derivative = node->kind == TYPED_DERIVATIVE;
    operations = plus(operations, times(derivative ? DERIVATIVE_OPERATIONS : 1, callee->operations));
    work = plus(work, times(derivative ? work_of_derivative(node) : 1, callee->work));
  }
  count->operations = plus(count->operations, operations);
  count->work = plus(count->work, times(work, turns(count, &visit->loops)));
}

static bool within_bounds(const Count *count) { return count->operations <= MOST_OPERATIONS && count->work <= MOST_WORK; }

static void walk(Count *count, const Typed *root) {
  push(count, root);
  while (count->depth > 0 && within_bounds(count)) {
    Visit *visit = &count->c->visit[count->depth - 1];
    if (visit->next < visit->node->args) {
      push(count, visit->node->arg[visit->next++]);
      continue;
    }
    finish(count, visit);
    Loops loops = visit->loops;
    if (--count->depth > 0)
      for (uint32_t i = 0; i < loops.count; i++) add_loop(&count->c->visit[count->depth - 1].loops, loops.loop[i]);
  }
  count->depth = 0;
}

static bool accept(const Count *count, Span at, const char *name) {
  if (within_bounds(count)) return true;
  if (count->operations > MOST_OPERATIONS)
    report(count->c, E0313, at, "`%s` has more than 2^20 operations once its calls are inlined", name);
  else
    report(count->c, E0313, at, "one evaluation of `%s` computes more than 2^36 numbers", name);
  return false;
}

bool count_cost(Checker *c, Instance *instance) {
  TypedFunction *f = &instance->function;
  Count count = {.c = c, .extent = arena_array(c->arena, f->loops + 1u, sizeof(int64_t))};
  for (uint32_t i = 0; i < f->lets; i++) walk(&count, f->let[i]);
  walk(&count, f->result);
  instance->operations = count.operations;
  instance->work = count.work;
  return accept(&count, f->definition->name_at, f->name);
}

/* Every constant is computed once, so that all together have the bounds of one function. */
bool count_constant(Checker *c, const TypedLet *constant, uint32_t loops, Span at) {
  Count count = {.c = c, .extent = arena_array(c->arena, loops + 1u, sizeof(int64_t))};
  count.operations = c->constant_operations;
  count.work = c->constant_work;
  walk(&count, constant->value);
  if (!accept(&count, at, constant->name)) return false;
  c->constant_operations = count.operations;
  c->constant_work = count.work;
  return true;
}
