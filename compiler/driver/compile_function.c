/* SPDX-License-Identifier: Apache-2.0 */
/* compile_function.c -- a general function in the form of a velocity: its inputs are views of one state, its result are extras. */
#include "compile_function.h"
#include "build.h"
#include "compiled.h"

static uint64_t numbers_of(const IrFunction *f) {
  uint64_t numbers = 0;
  for (uint32_t i = 0; i < f->inputs; i++) numbers += (uint64_t)shape_count(&f->input[i].shape);
  return numbers ? numbers : 1;
}

static Ref flat_view(IrFunction *f, Ref of, const Shape *shape, int64_t offset, Span at) {
  IrMap map = {.offset = offset};
  ir_strides(shape, map.stride);
  return ir_view_flat(f, of, shape, &map, at);
}

/* The nodes of `from` behind those of f, inputs being parts of `state`; the one that is its result. */
static Ref copy_nodes(IrFunction *f, const IrFunction *from, Ref state) {
  Arena *arena = f->arena;
  Ref *now = arena_array(arena, from->nodes, sizeof *now);
  int64_t *offset = arena_array(arena, from->inputs + 1u, sizeof *offset);
  for (uint32_t i = 0; i < from->inputs; i++) offset[i + 1] = offset[i] + shape_count(&from->input[i].shape);
  for (Ref i = 0; i <= from->result; i++) {
    IrNode node = from->node[i];
    if (node.op == IR_input) {
      now[i] = flat_view(f, state, &node.shape, offset[node.slot], node.at);
      continue;
    }
    node.mask = 0;              /* ir_append adds the operands' */
    if (node.args) node.arg = arena_array(arena, node.args, sizeof *node.arg);
    for (uint32_t j = 0; j < node.args; j++) node.arg[j] = now[from->node[i].arg[j]];
    now[i] = ir_append(f, &node);
  }
  return now[from->result];
}

/* A truth value as 0 or 1. */
static Ref in_numbers(IrFunction *f, Ref r) {
  IrNode node = f->node[r];
  if (!node.truth) return r;
  return ir_three(f, IR_select, r, ir_number(f, &node.shape, 1, node.at), ir_number(f, &node.shape, 0, node.at), node.at);
}

IrFunction *compile_as_velocity(Arena *arena, const IrFunction *from) {
  Shape state = {1, {(int64_t)numbers_of(from)}}, results = {1, {shape_count(&from->node[from->result].shape)}};
  Span at = from->node[from->result].at;
  IrFunction *f = ir_new(arena, from->name);
  f->frozen = from->frozen;
  ir_add_input(f, &(IrInput){"t", {0}, IR_TIMES});
  ir_add_input(f, &(IrInput){"x", state, IR_STATE});
  f->weights = from->weights;
  f->weight = from->weight;
  Ref x = ir_append(f, &(IrNode){.op = IR_input, .slot = 1, .shape = state, .at = at});
  Ref part[] = {ir_number(f, &state, 0, at), IR_NONE};
  part[1] = flat_view(f, in_numbers(f, copy_nodes(f, from, x)), &results, 0, at);
  f->result = ir_concat(f, 0, part, 2, at);
  return f;
}

static flow_status make(FlowCompiled *c, const IrFunction *f, flow_error *error) {
  if (setjmp(c->no_memory)) return flow_fail(error, FLOW_NO_MEMORY, "out of memory while compiling");
  c->function = arena_alloc(&c->arena, sizeof *c->function);
  c->function->name = f->name;
  c->source = compile_as_velocity(&c->arena, f);
  c->frozen = f->frozen ? ir_sweep(c->source) : ir_optimise(c->source, c->options.precision);
  return FLOW_OK;
}

flow_status flow_compile_function(const FlowAllocator *allocator, const IrFunction *f, const FlowCompileOptions *options,
                                  FlowCompiled **compiled, flow_error *error) {
  FlowCompiled *c = *compiled = flow_alloc(allocator, sizeof *c);
  if (!c) return flow_fail(error, FLOW_NO_MEMORY, "out of memory while compiling");
  c->options = *options;
  arena_init(&c->arena, allocator, &c->no_memory);
  c->sources.arena = &c->arena;
  c->diagnostics = (Diagnostics){.arena = &c->arena, .sources = &c->sources};
  return make(c, f, error);
}
