/* SPDX-License-Identifier: Apache-2.0 */
/* flowc_library.c -- flow/flowc.h: text in memory becomes the struct that a compiled library exports, its code in this process. */
#include "flow/flowc.h"
#include "library.h"
#include "model.h"
#include "rounding.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct flowc_program {
  flowc_options options;
  AotWishes wishes;
  FlowTensors tensors;
  bool has_tensors;
  char *messages;               /* of open_memstream */
  size_t messages_size;
  uint32_t variants;
  FlowCompiled *compiled[AOT_MOST_VARIANTS];
  FlowBlob blob[AOT_MOST_VARIANTS];
  flow_variant variant[AOT_MOST_VARIANTS];
  AotDensity density;
  FlowBytes description;
  flow_export exported;
};

/* ---- variants -------------------------------------------------------------------------------------------------------------- */

static FlowCompileOptions options_for(const flowc_program *p, uint32_t computes, const TypedFlow *flow) {
  FlowCompileOptions how = flow_compile_defaults();
  how.precision = p->options.precision == FLOW_F64 ? FLOW_F64 : FLOW_F32;
  how.flow = p->options.flow;
  how.need_flow = true;
  aot_compile_options(computes, flow, &p->wishes, &how);
  return how;
}

static void keep_messages(flowc_program *p, const FlowCompiled *compiled) {
  FILE *to = open_memstream(&p->messages, &p->messages_size);
  if (!to) return;
  diag_print(flow_compiled_diagnostics(compiled), to, false);
  fclose(to);
}

/* A failure that has left its words in the diagnostics, the first of them. */
static void tell_first(const flowc_program *p, const FlowCompiled *compiled, flow_status status, flow_error *error) {
  const Diagnostics *all = flow_compiled_diagnostics(compiled);
  if (error->text[0]) return;
  size_t first = 0;
  while (first < all->count && all->list[first].level != DIAG_ERROR) first++;
  if (first < all->count) flow_fail(error, status, "%s: %s", p->options.name, all->list[first].text);
}

static flow_status need_weights(const flowc_program *p, const FlowCompiled *compiled, flow_error *error) {
  const IrFunction *ir = flow_compiled_ir(compiled, false);
  if (!ir || ir->weights == 0 || p->has_tensors) return FLOW_OK;
  return flow_fail(error, FLOW_BAD_CALL, "%s: the network has layers; hand their weights in with the options", p->options.name);
}

static flow_status load(flowc_program *p, uint32_t index, uint32_t computes, flow_error *error) {
  FlowCompiled *compiled = p->compiled[index];
  flow_status status = need_weights(p, compiled, error);
  if (!status && p->has_tensors) status = flow_compiled_bind(compiled, &p->tensors, error);
  if (!status) status = flow_compiled_link(compiled, aot_entries(computes), error);
  const flow_model *model = status ? NULL : flow_compiled_model(compiled);
  if (!status) status = flow_model_pack(&flow_standard_allocator, model, p->has_tensors ? &p->tensors : NULL, "the weights", &p->blob[index], error);
  p->variant[index] = (flow_variant){.computes = computes, .probes = computes == FLOW_COMPUTES_PROBES && model ? model->extras : 0, .model = model,
                                      .blob = p->blob[index].data};
  return status;
}

/* The first one tells what is wrong with the text.  Of the others, one that cannot be is left out. */
static flow_status add(flowc_program *p, const char *text, size_t length, uint32_t computes, flow_error *error) {
  uint32_t index = p->variants;
  const TypedFlow *flow = index ? flow_compiled_flow(p->compiled[0]) : NULL;
  FlowCompileOptions how = options_for(p, computes, flow);
  flow_status status = flow_compile(&flow_standard_allocator, p->options.name, text, length, &how, &p->compiled[index], error);
  if (!status) status = load(p, index, computes, error);
  if (index == 0 && p->compiled[0]) keep_messages(p, p->compiled[0]);
  if (status && status != FLOW_BAD_PROGRAM && p->compiled[index]) tell_first(p, p->compiled[index], status, error);
  if (!status) p->variants++;
  if (!status || index == 0) return status;
  if (p->blob[index].data) flow_blob_free(&p->blob[index]);
  flow_compiled_free(p->compiled[index]);
  p->compiled[index] = NULL;
  return status == FLOW_BAD_PROGRAM && !aot_asked_for(computes, &p->wishes) ? FLOW_OK : status;
}

static flow_status add_all(flowc_program *p, const char *text, size_t length, flow_error *error) {
  uint32_t computes[AOT_MOST_VARIANTS];
  flow_status status = add(p, text, length, FLOW_COMPUTES_VELOCITY, error);
  uint32_t count = status ? 0 : aot_choose(flow_compiled_flow(p->compiled[0]), &p->wishes, computes);
  for (uint32_t i = 1; !status && i < count; i++) status = add(p, text, length, computes[i], error);
  return status;
}

/* ---- the struct -------------------------------------------------------------------------------------------------------------- */

static flow_status describe(flowc_program *p, flow_error *error) {
  AotVariant variant[AOT_MOST_VARIANTS];
  for (uint32_t i = 0; i < p->variants; i++) variant[i] = (AotVariant){p->compiled[i], p->variant[i].computes, p->blob[i].data};
  AotLibrary library = {.variant = variant, .variants = p->variants, .cpu_count = 1};
  const flow_model *model = p->variant[0].model;
  library.cpus[0] = (int)model->level[0].cpu;
  flow_status status = aot_description(&library, &p->description, error);
  if (status) return status;
  aot_fill_export(p->compiled[0], model, &p->exported);
  p->exported.name = model->name;
  p->exported.maker = flow_compiler_version();
  p->exported.description = (const char *)p->description.data;
  p->exported.variant = p->variant;
  p->exported.variants = p->variants;
  if (p->density.of.size) p->exported.density = &p->density.of;
  return FLOW_OK;
}

static flow_status read_weights(flowc_program *p, flow_error *error) {
  const flowc_options *o = &p->options;
  if (o->weights_path && o->weights) return flow_fail(error, FLOW_BAD_CALL, "weights from a path and from memory: one or the other");
  flow_status status = FLOW_OK;
  if (o->weights_path) status = flow_tensors_read(&flow_standard_allocator, o->weights_path, &p->tensors, error);
  if (o->weights) status = flow_tensors_parse(&flow_standard_allocator, "the weights.safetensors", o->weights, o->weights_bytes, &p->tensors, error);
  p->has_tensors = !status && (o->weights_path || o->weights);
  return status;
}

static flow_status take_options(flowc_program *p, const flowc_options *options, flow_error *error) {
  if (options && (options->size < 2 * sizeof options->size || options->size > sizeof *options))
    return flow_fail(error, FLOW_BAD_CALL, "flowc_options of %u bytes; this library knows %zu: set .size = sizeof(flowc_options)", options->size, sizeof *options);
  if (options) memcpy(&p->options, options, options->size);
  if (p->options.precision != 0 && p->options.precision != FLOW_F32 && p->options.precision != FLOW_F64)
    return flow_fail(error, FLOW_BAD_CALL, "numbers of %u bytes; FLOW_F32 (4) and FLOW_F64 (8) are known", p->options.precision);
  p->wishes = (AotWishes){.probes = p->options.probes, .vjp = p->options.vjp != 0};
  if (!p->options.name) p->options.name = "<text>";
  return FLOW_OK;
}

/* ---- the door ---------------------------------------------------------------------------------------------------------------- */

static flow_status compile(const char *text, size_t length, const flowc_options *options, flowc_program **program, flow_error *error) {
  flowc_program *p = flow_alloc(&flow_standard_allocator, sizeof *p);
  if (!p) return flow_fail(error, FLOW_NO_MEMORY, "out of memory while compiling");
  flow_status status = take_options(p, options, error);
  if (!status) status = read_weights(p, error);
  if (!status) status = add_all(p, text, length, error);
  if (!status) status = aot_density_open(p->compiled[0], &p->density, error);
  if (!status) status = describe(p, error);
  if (status == FLOW_BAD_PROGRAM && !error->text[0]) flow_fail(error, status, "%s: the program has errors", p->options.name);
  if (status && status != FLOW_BAD_PROGRAM) {
    flowc_close(p);
    return status;
  }
  *program = p;
  return status;
}

/* Literals are read and folded as all of flow's numbers are, whatever the mode of the caller. */
flow_status flowc_compile(const char *text, size_t length, const flowc_options *options, flowc_program **program, flow_error *error) {
  flow_error own;
  if (!error) error = &own;
  error->text[0] = 0;
  *program = NULL;
  FlowRounding callers = flow_rounding_enter();
  flow_status status = compile(text, length, options, program, error);
  flow_rounding_leave(callers);
  return status;
}

const char *flowc_messages(const flowc_program *program) { return program && program->messages ? program->messages : ""; }
const flow_export *flowc_exported(const flowc_program *program) { return program->exported.abi ? &program->exported : NULL; }
const char *flowc_version(void) { return flow_compiler_version(); }

void flowc_close(flowc_program *program) {
  if (!program) return;
  for (uint32_t i = 0; i < AOT_MOST_VARIANTS; i++) {
    if (program->blob[i].data) flow_blob_free(&program->blob[i]);
    flow_compiled_free(program->compiled[i]);
  }
  aot_density_close(&program->density);
  if (program->has_tensors) flow_tensors_free(&program->tensors);
  flow_bytes_free(&flow_standard_allocator, &program->description);
  free(program->messages);
  flow_free(&flow_standard_allocator, program, sizeof *program);
}
