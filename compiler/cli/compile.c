/* SPDX-License-Identifier: Apache-2.0 */
/* compile.c -- flowc MODEL.flow -o MODEL.so: the program, and once more with each thing that it computes beside. */
#include "compile_verb.h"
#include "cpu.h"
#include "trace.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
  LEVELS_ALL, LEVELS_NATIVE, LEVELS_V3, LEVELS_V4 /* the words of --cpu */
};

static flow_status take_binding(const Run *run, OptionId option, CompileBinding *binding, flow_error *error) {
  const char *text = text_of(run, option);
  *binding = (CompileBinding){.said = text != NULL};
  if (!text) return FLOW_OK;
  size_t length = strcspn(text, "=");
  binding->embed = length == 5 && strncmp(text, "embed", 5) == 0;
  if (!binding->embed && !(length == 4 && strncmp(text, "load", 4) == 0))
    return flow_fail(error, FLOW_BAD_CALL, "--%s %s: say embed or load, and the file after an equals sign: embed=%s", options[option].name, text, text);
  binding->file = text[length] ? text + length + 1 : NULL;
  return FLOW_OK;
}

static void choose_cpus(Compile *c) {
  int levels = c->run->line->value[OPTION_levels].choice, native = (int)flow_cpu_level();
  AotLibrary *library = &c->library;
  if (levels == LEVELS_NATIVE) levels = native == FLOW_CPU_V4 ? LEVELS_V4 : LEVELS_V3;
  if (levels != LEVELS_V3) library->cpus[library->cpu_count++] = FLOW_CPU_V4;
  if (levels != LEVELS_V4) library->cpus[library->cpu_count++] = FLOW_CPU_V3;
}

/* The same text with extras; a variant that cannot be is left out. */
static flow_status compile_variant(Compile *c, uint32_t computes, FlowCompiled **compiled, flow_error *error) {
  FlowCompileOptions how = program_options(c->run);
  const TypedFlow *flow = flow_compiled_flow(c->program.compiled);
  aot_compile_options(computes, flow, &c->wishes, &how);
  const FlowBytes *text = &c->program.text;
  flow_status status = flow_compile(&flow_standard_allocator, c->program.path, text->data ? (const char *)text->data : "", text->size,
                                    &how, compiled, error);
  if (!status && program_has_weights(&c->program)) status = flow_compiled_bind(*compiled, &c->program.tensors, error);
  return status;
}

/* Packs the weights as this variant reads them; what it derives from them is computed by the code for this machine. */
static flow_status pack(Compile *c, uint32_t index, flow_error *error) {
  flow_status status = flow_compiled_link(c->compiled[index], 0, error);
  if (!status)
    status = flow_model_pack(&flow_standard_allocator, flow_compiled_model(c->compiled[index]),
                             c->program.has_tensors ? &c->program.tensors : NULL, c->program.weights_path, &c->blob[index], error);
  c->variant[index].blob = c->blob[index].data;
  return status;
}

static flow_status add_variant(Compile *c, uint32_t computes, flow_error *error) {
  uint32_t index = c->library.variants;
  flow_status status = index ? compile_variant(c, computes, &c->compiled[index], error) : FLOW_OK;
  if (status && index) {
    flow_compiled_free(c->compiled[index]);
    c->compiled[index] = NULL;
    return status == FLOW_BAD_PROGRAM && !aot_asked_for(computes, &c->wishes) ? FLOW_OK : status;
  }
  c->variant[index] = (AotVariant){.compiled = c->compiled[index], .computes = computes};
  c->library.variants++;
  return c->weights.embed ? pack(c, index, error) : FLOW_OK;
}

static uint64_t weight_bytes(const Compile *c) {
  const IrFunction *ir = flow_compiled_ir(c->program.compiled, false);
  uint64_t numbers = 0;
  for (uint32_t i = 0; i < ir->weights; i++) numbers += (uint64_t)shape_count(&ir->weight[i].shape);
  return numbers * (c->run->line->value[OPTION_precision].choice ? FLOW_F64 : FLOW_F32);
}

static flow_status add_variants(Compile *c, flow_error *error) {
  if (!c->weights.said) c->weights.embed = weight_bytes(c) < COMPILE_MOST_EMBEDDED;
  if (!program_has_weights(&c->program)) c->weights.embed = true;
  c->compiled[0] = c->program.compiled;
  uint32_t computes[AOT_MOST_VARIANTS], count = aot_choose(flow_compiled_flow(c->program.compiled), &c->wishes, computes);
  flow_status status = FLOW_OK;
  for (uint32_t i = 0; !status && i < count; i++) status = add_variant(c, computes[i], error);
  return status;
}

static flow_status add_source(Compile *c, flow_error *error) {
  if (!flow_compiled_flow(c->program.compiled)) return compile_points(c, error);
  flow_status status = aot_density_open(c->program.compiled, &c->density, error);
  if (c->density.of.size) c->library.density = &c->density;
  return status ? status : compile_points(c, error);
}

/* What `flowc sample` does with this flow on its own, and its library does not. */
static void tell_limits(const Compile *c) {
  const TypedFlow *flow = flow_compiled_flow(c->program.compiled);
  if (!flow) return;
  if (flow->source == SOURCE_FILE && !c->library.rows)
    warn(&c->run->terminal, "the points of %s are not in the library: who opens it names the file", flow->source_path);
  if (flow->dim > FLOW_MOST_EXACT && !flow->map)
    warn(&c->run->terminal, "a state has %" PRId64 " numbers: log p is estimated by probes, %u at a time (--probes K); its exact trace is for up to %d", flow->dim,
         c->wishes.probes ? c->wishes.probes : FLOW_STANDARD_PROBES, FLOW_MOST_EXACT);
}

/* A call in Python, with the names of what it needs. */
static void print_example(const Compile *c, FILE *to) {
  const IrFunction *ir = flow_compiled_ir(c->variant[0].compiled, false);
  fputs(flow_compiled_flow(c->program.compiled) ? "x = m.sample(1000, seed=1" : "u = m.velocity(0, x", to);
  for (uint32_t i = 2; ir && i < ir->inputs; i++) fprintf(to, "%s\"%s\": ...", i == 2 ? ", conditions={" : ", ", ir->input[i].name);
  fputs(ir && ir->inputs > 2 ? "})" : ")", to);
}

static void report(const Compile *c, const char *path) {
  const TypedFlow *flow = flow_compiled_flow(c->program.compiled);
  bool measured = false;
  for (uint32_t i = 0; flow && flow->source != SOURCE_FILE && i < c->library.variants; i++)
    measured = measured || c->variant[i].computes == FLOW_COMPUTES_LOG_P || c->variant[i].computes == FLOW_COMPUTES_PROBES;
  if (has(c->run, OPTION_quiet)) return;
  tell_limits(c);
  fprintf(stderr, "%s: %s%s; weights %s\n", path, flow ? "samples" : "the velocity", measured ? " and log-densities" : "",
          !program_has_weights(&c->program) ? "none" : c->weights.embed ? "inside" : "to be loaded");
  if (strcmp(strrchr(path, '.'), ".so") != 0) return;
  fprintf(stderr, "in Python:  import flowrt; m = flowrt.load(\"%s\"); ", path);
  print_example(c, stderr);
  fputs("\nin C:       its header tells\n", stderr);
}

static int compile(Compile *c, const char *path) {
  flow_error error = {{0}};
  flow_status status = take_binding(c->run, OPTION_binding, &c->weights, &error);
  if (!status) status = take_binding(c->run, OPTION_source_binding, &c->source, &error);
  if (!status) status = compile_check_output(path, &error);
  if (!status && has(c->run, OPTION_library_probes)) status = trace_take_count(VERB_compile, text_of(c->run, OPTION_library_probes), &c->wishes.probes, &error);
  if (status) return failed(c->run, status, &error);
  choose_cpus(c);
  c->wishes.vjp = has(c->run, OPTION_library_vjp);
  int code = program_open(c->run, c->run->line->operand[0], &c->program);
  if (code) return code;
  if (c->weights.file && !(c->program.weights_path = strdup(c->weights.file))) status = FLOW_NO_MEMORY;
  if (!flow_compiled_function(c->program.compiled)) status = flow_fail(&error, FLOW_BAD_CALL, "%s has no flow and no field", c->program.path);
  if (!status && c->wishes.probes && !flow_compiled_flow(c->program.compiled))
    status = flow_fail(&error, FLOW_BAD_CALL, "--probes is for log p, and %s has no flow", c->program.path);
  if (status) return failed(c->run, status, &error);
  code = program_bind(c->run, &c->program);
  if (code) return code;
  c->library.variant = c->variant;
  status = add_variants(c, &error);
  if (!status) status = add_source(c, &error);
  if (!status) status = compile_write(c, path, &error);
  if (status) return failed(c->run, status, &error);
  report(c, path);
  return 0;
}

int verb_compile(const Run *run) {
  Compile c = {.run = run};
  const char *path = text_of(run, OPTION_library);
  if (!path) {
    complain(&run->terminal, "say where to: flowc %s -o MODEL.so", run->line->operand[0]);
    return flow_status_exit_code(FLOW_BAD_CALL);
  }
  int code = compile(&c, path);
  for (uint32_t i = 0; i < AOT_MOST_VARIANTS; i++) {
    if (c.blob[i].data) flow_blob_free(&c.blob[i]);
    if (i) flow_compiled_free(c.compiled[i]);
  }
  aot_density_close(&c.density);
  compile_points_free(&c);
  program_close(&c.program);
  return code;
}
