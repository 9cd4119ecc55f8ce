/* SPDX-License-Identifier: Apache-2.0 */
/* compile.c -- the stages as calls (compile.h): what each makes stands in FlowCompiled. */
#include "compile.h"
#include <string.h>
#include "bind.h"
#include "compiled.h"
#include "cpu.h"
#include "tableau.h"

FlowCompileOptions flow_compile_defaults(void) {
  return (FlowCompileOptions){.precision = FLOW_F32, .solver = flow_tableau_names()};
}

const char *flow_compiler_version(void) { return "flowc " FLOWC_VERSION " (LLVM " FLOWC_LLVM ")"; }

/* Every entry that allocates from the arena begins so: where memory runs out the arena comes back here. */
#define ON_NO_MEMORY(c) \
  if (setjmp((c)->no_memory)) return flow_fail(error, FLOW_NO_MEMORY, "out of memory while compiling")

static flow_status run_front(FlowCompiled *c, const char *name, const char *text, size_t length, flow_error *error) {
  ON_NO_MEMORY(c);
  return compile_front(c, name, text, length, error);
}

flow_status flow_compile(const FlowAllocator *allocator, const char *name, const char *text, size_t length,
                         const FlowCompileOptions *options, FlowCompiled **compiled, flow_error *error) {
  FlowCompiled *c = *compiled = flow_alloc(allocator, sizeof *c);
  if (!c) return flow_fail(error, FLOW_NO_MEMORY, "out of memory while compiling");
  c->options = *options;
  if (!c->options.precision) c->options.precision = FLOW_F32;
  if (!c->options.solver) c->options.solver = flow_tableau_names();
  arena_init(&c->arena, allocator, &c->no_memory);
  c->sources.arena = &c->arena;
  c->diagnostics = (Diagnostics){.arena = &c->arena, .sources = &c->sources};
  if (error) error->text[0] = 0;
  return run_front(c, name, text, length, error);
}

void flow_compiled_free(FlowCompiled *compiled) {
  if (!compiled) return;
  FlowAllocator allocator = *compiled->arena.allocator;
  emit_unload(compiled->code);
  emit_object_free(&compiled->object);
  arena_free(&compiled->arena);
  flow_free(&allocator, compiled, sizeof *compiled);
}

const Diagnostics *flow_compiled_diagnostics(const FlowCompiled *c) { return &c->diagnostics; }
const TypedProgram *flow_compiled_program(const FlowCompiled *c) { return c->program; }
const TypedFlow *flow_compiled_flow(const FlowCompiled *c) { return c->flow; }
const TypedFlow *flow_compiled_filled_by(const FlowCompiled *c, const char **why) {
  if (why) *why = c->no_weights;
  return c->no_weights ? NULL : c->filled_by;
}
const TypedFunction *flow_compiled_function(const FlowCompiled *c) { return c->function; }
const IrFunction *flow_compiled_ir(const FlowCompiled *c, bool frozen) { return frozen ? c->frozen : c->source; }
const char *flow_compiled_trace(const FlowCompiled *c) { return c->options.extras == FLOW_LOG_P && c->frozen ? c->frozen->trace : NULL; }
FlowCompileCost flow_compiled_cost(const FlowCompiled *c) { return c->cost; }
const flow_model *flow_compiled_model(const FlowCompiled *c) { return c->model.abi ? &c->model : NULL; }

flow_status flow_compiled_smoothness(FlowCompiled *c, IrSmoothness *smoothness, flow_error *error) {
  ON_NO_MEMORY(c);
  if (!c->source) return flow_fail(error, FLOW_BAD_CALL, "there is no field to look at");
  *smoothness = ir_smoothness(c->source);
  return FLOW_OK;
}

/* ---- weights ------------------------------------------------------------------------------------------------------------ */

flow_status flow_compiled_bind(FlowCompiled *c, const FlowTensors *tensors, flow_error *error) {
  ON_NO_MEMORY(c);
  const TypedFlow *flow = c->filled_by;
  if (c->no_prefix) return flow_fail(error, FLOW_BAD_CALL, "%s", c->no_prefix);
  if (flow) ir_bind_check_skips(tensors, flow->prefix, flow->skip, flow->skip_at, flow->skips, &c->diagnostics);
  flow_status status = ir_bind(c->source, tensors, flow ? flow->prefix : "", flow ? flow->skip : NULL, flow ? flow->skips : 0,
                               &c->diagnostics, error);
  if (status) return status;
  memcpy(c->frozen->weight, c->source->weight, c->source->weights * sizeof *c->source->weight);
  return FLOW_OK;
}

/* ---- the model ----------------------------------------------------------------------------------------------------------- */

TileProgram *compile_tile(FlowCompiled *c) {
  if (c->tile) return c->tile;
  double start = compile_clock_ms();
  c->tile = tile_build(&c->arena, c->frozen, c->options.precision);
  _Static_assert((int)FLOW_COST_DERIVE == TILE_DERIVE && (int)FLOW_COST_TIMES == TILE_TIMES && (int)FLOW_COST_CONDITIONS == TILE_COND &&
                 (int)FLOW_COST_SAMPLE == TILE_SAMPLE && (int)FLOW_COST_QUIET == TILE_QUIET && (int)FLOW_COST_SECTIONS == TILE_SECTIONS,
                 "a cost for each section");
  for (int s = 0; s < TILE_SECTIONS; s++) c->cost.multiply_adds[s] = c->tile->section[s].multiply_adds;
  c->cost.schedule_ms = compile_clock_ms() - start;
  return c->tile;
}

EmitOptions compile_emit_options(const FlowCompiled *c, unsigned entries) {
  int cpu = c->options.cpu ? c->options.cpu : (int)flow_cpu_level();
  if (cpu != FLOW_CPU_V4) cpu = FLOW_CPU_V3;
  return (EmitOptions){.cpu = cpu, .schedule = c->options.schedule ? c->options.schedule : cpu, .entries = entries,
                       .rows = c->options.rows, .quick = c->options.quick};
}

static const flow_condition *describe_conditions(FlowCompiled *c) {
  uint32_t count = c->frozen->inputs - 2;
  flow_condition *condition = arena_array(&c->arena, count + 1, sizeof *condition);
  for (uint32_t i = 0; i < count; i++) {
    const IrInput *input = &c->frozen->input[i + 2];
    condition[i] = (flow_condition){input->name, (uint64_t)shape_count(&input->shape), (uint64_t)c->tile->condition_row[i + 2]};
  }
  return condition;
}

static const flow_weight *describe_weights(FlowCompiled *c) {
  flow_weight *weight = arena_array(&c->arena, c->frozen->weights + 1, sizeof *weight);
  for (uint32_t i = 0; i < c->frozen->weights; i++) {
    const IrWeight *from = &c->frozen->weight[i];
    weight[i] = (flow_weight){.name = from->name, .rank = from->shape.rank};
    for (uint32_t k = 0; k < from->shape.rank && k < 4; k++) weight[i].dim[k] = (uint64_t)from->shape.dim[k];
  }
  return weight;
}

static flow_model describe_model(FlowCompiled *c) {
  const TileProgram *tile = c->tile;
  return (flow_model){
      .abi = FLOW_MODEL_ABI, .size = sizeof(flow_model), .precision = (uint32_t)c->options.precision, .dim = (uint32_t)tile->dim,
      .conditions = c->frozen->inputs - 2, .weights = c->frozen->weights, .packs = tile->packs,
      .condition_rows = (uint64_t)tile->condition_rows, .times_rows = (uint64_t)tile->section[TILE_TIMES].output_rows,
      .cond_rows = (uint64_t)tile->section[TILE_COND].output_rows, .blob_bytes = tile->blob_bytes,
      .name = c->flow ? c->flow->name : c->function->name, .condition = describe_conditions(c), .weight = describe_weights(c),
      .pack = tile->pack, .extras = tile->gradient ? 0 : (uint32_t)tile->extras, .jump = tile->jump,
      .derived_rows = (uint64_t)tile->section[TILE_DERIVE].output_rows, .gradient = tile->gradient,
      .gradient_bytes = tile->gradient_bytes};
}

static flow_status schedule(FlowCompiled *c, flow_error *error) {
  if (!c->frozen) return flow_fail(error, FLOW_BAD_CALL, "there is no field to compile");
  for (uint32_t i = 0; i < c->frozen->weights; i++)
    if (!c->frozen->weight[i].name) return flow_fail(error, FLOW_BAD_CALL, "the layers have no weights yet");
  compile_tile(c);
  return FLOW_OK;
}

flow_status flow_compiled_measure(FlowCompiled *c, flow_error *error) {
  ON_NO_MEMORY(c);
  if (c->frozen) compile_tile(c);
  return FLOW_OK;
}

flow_status flow_compiled_schedule(FlowCompiled *c, const TileProgram **tile, flow_model *model, flow_error *error) {
  ON_NO_MEMORY(c);
  flow_status status = schedule(c, error);
  if (status) return status;
  *tile = c->tile;
  *model = describe_model(c);
  return FLOW_OK;
}

flow_status flow_compiled_link(FlowCompiled *c, unsigned entries, flow_error *error) {
  ON_NO_MEMORY(c);
  flow_status status = schedule(c, error);
  if (status) return status;
  EmitOptions options = compile_emit_options(c, entries);
  emit_unload(c->code);
  emit_object_free(&c->object);
  c->code = NULL;
  status = emit_object(c->tile, &options, &c->object, error);
  if (status) return status;
  double start = compile_clock_ms();
  c->level = emit_level(c->tile, &options);
  status = emit_into_process(&c->object, c->tile, entries, &c->level, &c->code, error);
  c->cost.emit_ms = c->object.emit_ms;
  c->cost.codegen_ms = c->object.codegen_ms;
  c->cost.object_bytes = c->object.size;
  c->cost.load_ms = compile_clock_ms() - start;
  if (!status) {
    c->model = describe_model(c);
    c->model.level = &c->level;
    c->model.levels = 1;
  }
  return status;
}
