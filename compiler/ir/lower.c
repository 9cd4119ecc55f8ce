/* SPDX-License-Identifier: Apache-2.0 */
/* lower.c -- from a checked program to one IR function: calls are inlined, loops become axes (lower.h says how).
 *
 *   needs   a TypedFunction; for ir_lower one with a field's signature: t, state, conditions
 *   leaves  verified IR that means real arithmetic; folding, contraction and the forms of softmax come later
 *
 * Literals that cross into a parameter are pinned: the arithmetic on them is then that of the model's precision, as it
 * would be for a value that comes at run time; and the time of a field is a time even if it is a literal. */
#include "lower.h"

/* LANGUAGE section 2. */
enum { MOST_NODES = 1 << 20 };
static const int64_t MOST_WORK = (int64_t)1 << 36;

void lower_too_large(Lowering *l, Span at, const char *what) {
  if (!l->failed) diag_error(l->diagnostics, LOWER_TOO_LARGE, at, "the program is too large: %s", what);
  l->failed = true;
}

static void refuse_nodes(Lowering *l, Span at) {
  if (l->f->nodes > MOST_NODES) lower_too_large(l, at, "it has more than 2^20 operations once its calls are inlined");
}

/* ---- the stacks --------------------------------------------------------------------------------------------------- */
static void push_task(Lowering *l, const Typed *node, Frame *frame) {
  Task *task = l->spare;
  if (task) l->spare = task->below;
  else task = arena_alloc(l->f->arena, sizeof *task);
  *task = (Task){.node = node, .frame = frame, .below = l->top};
  l->top = task;
}

static void pop_task(Lowering *l) {
  Task *task = l->top;
  l->top = task->below;
  task->below = l->spare;
  l->spare = task;
}

static void push_value(Lowering *l, Value v) {
  if (l->values == l->value_room) {
    uint32_t room = l->value_room ? 2 * l->value_room : 64;
    l->value = arena_grow(l->f->arena, l->value, l->values, room, sizeof *l->value);
    l->value_room = room;
  }
  l->value[l->values++] = v;
}

/* The task is done: its operands leave the stack of results and `v` takes their place. */
static void finish(Lowering *l, Value v) {
  l->values -= l->top->done;
  pop_task(l);
  push_value(l, v);
}

/* ---- frames ------------------------------------------------------------------------------------------------------- */
static Frame *new_frame(Lowering *l, const TypedFunction *function, Scope *scope) {
  Frame *frame = arena_alloc(l->f->arena, sizeof *frame);
  *frame = (Frame){.function = function, .scope = scope};
  if (!function) return frame;
  frame->argument = arena_array(l->f->arena, function->parameters + 1, sizeof(Value));
  frame->let = arena_array(l->f->arena, function->lets + 1, sizeof(Value));
  return frame;
}

static void open_loop(Lowering *l, Frame *frame, const Typed *e) {
  if (e->slot >= frame->loop_ids) {
    uint32_t ids = e->slot + 8;
    frame->open_as = arena_grow(l->f->arena, frame->open_as, frame->loop_ids, ids, sizeof *frame->open_as);
    frame->loop_ids = ids;
  }
  if (l->opened == l->open_room) {
    uint32_t room = l->open_room + 32;
    l->open = arena_grow(l->f->arena, l->open, l->open_room, room, sizeof *l->open);
    l->open_room = room;
  }
  frame->open_as[e->slot] = l->opened;
  l->open[l->opened++] = e->count;
}

/* ---- parameters --------------------------------------------------------------------------------------------------- */
/* t of a field, a map or a density, and of a network that may be a field, comes first and is a scalar before something
 * with a shape. */
static bool is_time(const TypedFunction *callee, uint32_t slot) {
  AstKind kind = callee->definition->kind;
  return kind != AST_FN && kind != AST_CHECK && slot == 0 && callee->parameters >= 2 && callee->parameter[0].rank == 0 &&
         callee->parameter[1].rank > 0;
}

static Value as_argument(Lowering *l, const TypedFunction *callee, uint32_t slot, Value v, Span at) {
  const IrNode *node = &l->f->node[v.ref];
  uint8_t mask = node->mask;
  if (is_time(callee, slot)) mask |= IR_TIMES;
  bool literal = node->mask == 0 && node->op != IR_pin && !node->truth;
  if (mask == node->mask && !literal) return v;
  IrNode pin = {.op = IR_pin, .mask = mask, .args = 1, .arg = &v.ref, .shape = node->shape, .at = at};
  v.ref = ir_append(l->f, &pin);
  return v;
}

/* ---- one task ----------------------------------------------------------------------------------------------------- */
static void enter_callee(Lowering *l, Task *task) {
  const Typed *e = task->node;
  const TypedFunction *callee = e->callee;
  Value *arg = l->value + l->values - e->args;
  task->callee = new_frame(l, callee, lower_enter_scope(l, task->frame, e));
  for (uint32_t i = 0; i < callee->parameters; i++) arg[i] = as_argument(l, callee, i, arg[i], e->at);
  if (e->kind == TYPED_DERIVATIVE) task->stretch = lower_begin_derivative(l, e, arg);
  for (uint32_t i = 0; i < callee->parameters; i++) task->callee->argument[i] = arg[i];
}

/* Arguments first, then the lets in order, then the result: each is a task in the callee's frame. */
static void step_call(Lowering *l, Task *task) {
  const TypedFunction *callee = task->node->callee;
  if (!task->callee) {
    enter_callee(l, task);
  } else {
    Value v = l->value[--l->values];
    if (task->lets_done == callee->lets) {
      finish(l, task->stretch ? lower_end_derivative(l, task->node, task->stretch, &v) : v);
      refuse_nodes(l, callee->result->at);
      return;
    }
    task->callee->let[task->lets_done++] = v;
  }
  push_task(l, task->lets_done < callee->lets ? callee->let[task->lets_done] : callee->result, task->callee);
}

/* A top-level `let` is lowered where it is first used, and outside all loops, since it depends on none. */
static void step_global(Lowering *l, Task *task) {
  bool is_new;
  const char *key = arena_format(l->f->arena, "%p", (const void *)task->node->global);
  if (task->callee) {
    Value v = l->value[--l->values];
    *name_entry(l->globals, key, v.ref, &is_new) = v.ref;
    finish(l, v);
    return;
  }
  uint32_t *known = name_entry(l->globals, key, IR_NONE, &is_new);
  if (*known != IR_NONE) {
    finish(l, (Value){.ref = *known});
    return;
  }
  task->callee = new_frame(l, NULL, NULL);
  push_task(l, task->node->global->value, task->callee);
}

static IrOp op_of(TypedKind kind) {
  switch (kind) {
  case TYPED_NEGATE: return IR_neg;
  case TYPED_HOLD: return IR_hold;
  case TYPED_FOUND: return IR_found;
  case TYPED_ADD: return IR_add;
  case TYPED_SUBTRACT: return IR_sub;
  case TYPED_MULTIPLY: return IR_mul;
  case TYPED_DIVIDE: return IR_div;
  case TYPED_POWER: return IR_pow;
  case TYPED_LESS: case TYPED_GREATER: return IR_less;
  case TYPED_LESS_EQUAL: case TYPED_GREATER_EQUAL: return IR_less_equal;
  case TYPED_EQUAL: return IR_equal;
  case TYPED_NOT_EQUAL: return IR_not_equal;
  case TYPED_AND: return IR_and;
  case TYPED_OR: return IR_or;
  case TYPED_NOT: return IR_not;
  default: return IR_select;
  }
}

static Value elementwise(Lowering *l, const Typed *e, const Value *arg) {
  bool turned = e->kind == TYPED_GREATER || e->kind == TYPED_GREATER_EQUAL; /* a > b is b < a */
  if (turned) return lower_each(l, op_of(e->kind), 2, (Value[]){arg[1], arg[0]}, &e->shape, e->at);
  return lower_each(l, op_of(e->kind), e->args, arg, &e->shape, e->at);
}

/* `and` and `or` have any number of operands. */
static Value logic_chain(Lowering *l, const Typed *e, const Value *arg) {
  Value all = arg[0];
  for (uint32_t i = 1; i < e->args; i++) all = lower_each(l, op_of(e->kind), 2, (Value[]){all, arg[i]}, &e->shape, e->at);
  return all;
}

static Value number(Lowering *l, const Typed *e) { return lower_number(l, e->number, e->at); }

/* All operands are there: what the node is. */
static Value combine(Lowering *l, Frame *frame, const Typed *e, const Value *arg) {
  switch (e->kind) {
  case TYPED_NUMBER: return number(l, e);
  case TYPED_PARAMETER: return frame->argument[e->slot];
  case TYPED_LET: return frame->let[e->slot];
  case TYPED_LOOP: return lower_counter(l, frame->open_as[e->slot], e->at);
  case TYPED_AND: case TYPED_OR: return logic_chain(l, e, arg);
  case TYPED_BUILTIN: return lower_builtin(l, e, arg);
  case TYPED_MATMUL: return lower_matmul(l, &arg[0], &arg[1], NULL, &e->shape, e->at);
  case TYPED_INDEX: return lower_index(l, frame, e, arg);
  case TYPED_CONCAT: return lower_concat(l, e, arg);
  case TYPED_STACK: return lower_stack(l, e, arg);
  case TYPED_FOR: return lower_for(l, --l->opened, e, arg);
  case TYPED_REDUCE: return lower_reduce(l, --l->opened, e, arg);
  case TYPED_LAYER: return lower_layer(l, frame, e, arg);
  default: return elementwise(l, e, arg);
  }
}

static void step(Lowering *l) {
  Task *task = l->top;
  const Typed *e = task->node;
  bool loops = e->kind == TYPED_FOR || e->kind == TYPED_REDUCE;
  if (loops && task->done == 0) open_loop(l, task->frame, e);
  if (task->done < e->args) {
    push_task(l, e->arg[task->done++], task->frame);
  } else if (e->kind == TYPED_CALL || e->kind == TYPED_DERIVATIVE) {
    step_call(l, task);
  } else if (e->kind == TYPED_GLOBAL) {
    step_global(l, task);
  } else {
    const Value *arg = e->args ? l->value + (l->values - e->args) : NULL;     /* no stack yet, no sum with it */
    finish(l, combine(l, task->frame, e, arg));
    refuse_nodes(l, e->at);
  }
}

/* ---- the whole ---------------------------------------------------------------------------------------------------- */
/* A velocity's inputs are t, the state and conditions.  Of another function t is one where it begins with it, and all else
 * counts as a state. */
static void add_inputs(Lowering *l, Frame *frame, const TypedFunction *root, bool velocity) {
  IrFunction *f = l->f;
  for (uint32_t i = 0; i < root->parameters; i++) {
    bool time = velocity ? i == 0 : is_time(root, i);
    uint8_t mask = time ? IR_TIMES : velocity && i > 1 ? IR_CONDITIONS : IR_STATE;
    IrInput input = {root->parameter_name[i], root->parameter[i], mask};
    IrNode node = {.op = IR_input, .slot = ir_add_input(f, &input), .shape = input.shape, .at = root->result->at};
    frame->argument[i].ref = ir_append(f, &node);
  }
}

/* Operations of one evaluation of the node. */
static int64_t work_of(const IrNode *node) {
  int64_t work = shape_count(&node->shape);
  for (uint32_t k = 0; node->op == IR_contract && k < node->sums; k++)
    if (__builtin_mul_overflow(work, node->extent[k], &work)) return INT64_MAX;
  return work;
}

/* What the result needs must be of a size that can be computed; what it does not need is dropped after this. */
static void check_sizes(Lowering *l) {
  IrFunction *f = l->f;
  bool *live = arena_array(f->arena, f->nodes, sizeof *live);
  int64_t work = 0;
  live[f->result] = true;
  for (Ref r = f->nodes; r-- > 0 && !l->failed;) {
    if (!live[r]) continue;
    const IrNode *node = &f->node[r];
    for (uint32_t i = 0; i < node->args; i++) live[node->arg[i]] = true;
    if (shape_count(&node->shape) > IR_MOST_ELEMENTS)
      lower_too_large(l, node->at, "a value has more than 2^24 elements, one for each turn of the loops around it");
    if (__builtin_add_overflow(work, work_of(node), &work) || work > MOST_WORK)
      lower_too_large(l, node->at, "one evaluation takes more than 2^36 operations");
  }
}

/* The first `let` and the result behind it, as one vector. */
static Ref let_and_result(Lowering *l, const Frame *frame) {
  IrFunction *f = l->f;
  Ref part[] = {frame->let[0].ref, l->value[0].ref};
  for (int i = 0; i < 2; i++) {
    Shape flat = {.rank = 1, .dim = {shape_count(&f->node[part[i]].shape)}};
    part[i] = ir_view_flat(f, part[i], &flat, &(IrMap){0, {1}}, f->node[part[i]].at);
  }
  return ir_concat(f, 0, part, 2, f->node[part[1]].at);
}

typedef enum { LOWER_VELOCITY, LOWER_LOSS, LOWER_FUNCTION } LowerKind;

static IrFunction *lower(Arena *arena, const TypedFunction *root, const char *prefix, Diagnostics *diagnostics, LowerKind kind) {
  Lowering l = {.f = ir_new(arena, root->name), .diagnostics = diagnostics};
  bool velocity = kind != LOWER_FUNCTION;
  l.f->general = !velocity;
  l.globals = name_table(arena);
  l.slots = name_table(arena);
  l.instances = name_table(arena);
  Scope *scope = arena_alloc(arena, sizeof *scope);
  *scope = (Scope){prefix ? prefix : "", 0};
  Typed call = {.kind = TYPED_CALL, .callee = (TypedFunction *)root, .at = root->result->at};
  push_task(&l, &call, NULL);
  Frame *frame = l.top->callee = new_frame(&l, root, scope);
  add_inputs(&l, frame, root, velocity);
  push_task(&l, root->lets ? root->let[0] : root->result, frame);
  while (l.top && !l.failed) step(&l);
  if (l.failed) return NULL;
  l.f->result = kind == LOWER_LOSS ? let_and_result(&l, frame) : l.value[0].ref;
  check_sizes(&l);
  return l.failed ? NULL : ir_sweep(l.f);
}

IrFunction *ir_lower(Arena *arena, const TypedFunction *root, const char *prefix, Diagnostics *diagnostics) {
  return lower(arena, root, prefix, diagnostics, LOWER_VELOCITY);
}

IrFunction *ir_lower_loss(Arena *arena, const TypedFunction *loss, const char *prefix, Diagnostics *diagnostics) {
  return lower(arena, loss, prefix, diagnostics, LOWER_LOSS);
}

IrFunction *ir_lower_function(Arena *arena, const TypedFunction *root, const char *prefix, Diagnostics *diagnostics) {
  return lower(arena, root, prefix, diagnostics, LOWER_FUNCTION);
}
