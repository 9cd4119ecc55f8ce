/* SPDX-License-Identifier: Apache-2.0 */
/* compile.c -- flowc MODEL.flow -o MODEL.so: the program, and once more with each thing that it computes beside. */
#include "compile_verb.h"
#include "cpu.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
  LEVELS_ALL, LEVELS_NATIVE, LEVELS_V3, LEVELS_V4 /* the words of --cpu */
};
static const uint64_t most_embedded = UINT64_C(64) << 20; /* bytes of weights, where --weights does not say */

/* --weights embed, load, embed=FILE, load=FILE. */
static flow_status take_binding(Compile *c, const char **file, bool *said, flow_error *error) {
  const char *text = text_of(c->run, OPTION_binding);
  *file = NULL;
  *said = text != NULL;
  if (!text) return FLOW_OK;
  size_t length = strcspn(text, "=");
  c->embed = length == 5 && strncmp(text, "embed", 5) == 0;
  if (!c->embed && !(length == 4 && strncmp(text, "load", 4) == 0))
    return flow_fail(error, FLOW_BAD_CALL, "--weights %s: say embed or load, and the file after an equals sign: embed=%s", text, text);
  *file = text[length] ? text + length + 1 : NULL;
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
  how.extras = aot_extras(computes, flow ? flow->dim : 0);
  how.as_velocity = computes != FLOW_COMPUTES_JUMP;
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
    return status == FLOW_BAD_PROGRAM ? FLOW_OK : status;
  }
  c->variant[index] = (AotVariant){.compiled = c->compiled[index], .computes = computes};
  c->library.variants++;
  return c->embed ? pack(c, index, error) : FLOW_OK;
}

static uint64_t weight_bytes(const Compile *c) {
  const IrFunction *ir = flow_compiled_ir(c->program.compiled, false);
  uint64_t numbers = 0;
  for (uint32_t i = 0; i < ir->weights; i++) numbers += (uint64_t)shape_count(&ir->weight[i].shape);
  return numbers * (c->run->line->value[OPTION_precision].choice ? FLOW_F64 : FLOW_F32);
}

static flow_status add_variants(Compile *c, bool said, flow_error *error) {
  if (!said) c->embed = weight_bytes(c) < most_embedded;
  if (!program_has_weights(&c->program)) c->embed = true;
  c->compiled[0] = c->program.compiled;
  const TypedFlow *flow = flow_compiled_flow(c->program.compiled);
  flow_status status = add_variant(c, FLOW_COMPUTES_VELOCITY, error);
  if (!status && flow && flow->dim <= AOT_MOST_EXACT) status = add_variant(c, FLOW_COMPUTES_LOG_P, error);
  if (!status) status = add_variant(c, FLOW_COMPUTES_JVP, error);
  if (!status && flow && flow->map) status = add_variant(c, FLOW_COMPUTES_JUMP, error);
  return status;
}

/* What `flowc sample` can do with this flow and its library cannot. */
static void tell_limits(const Compile *c) {
  const TypedFlow *flow = flow_compiled_flow(c->program.compiled);
  if (!flow) return;
  if (flow->source == SOURCE_DENSITY)
    warn(&c->run->terminal, "the library cannot draw from the density `%s`, nor evaluate it: it has no log p, and starting points are handed to it",
         flow->density->name);
  if (flow->source == SOURCE_FILE) warn(&c->run->terminal, "the points of %s are not in the library: starting points are handed to it", flow->source_path);
  if (flow->dim > AOT_MOST_EXACT)
    warn(&c->run->terminal, "a state has %" PRId64 " numbers: the library has no log p, whose exact trace is for up to %d", flow->dim, AOT_MOST_EXACT);
}

static void report(const Compile *c, const char *path) {
  bool measured = c->library.variants > 1 && c->variant[1].computes == FLOW_COMPUTES_LOG_P;
  if (has(c->run, OPTION_quiet)) return;
  tell_limits(c);
  fprintf(stderr, "%s: samples%s; weights %s\n", path, measured ? " and log-densities" : "",
          !program_has_weights(&c->program) ? "none" : c->embed ? "inside" : "to be loaded");
  if (strcmp(strrchr(path, '.'), ".so") == 0)
    fprintf(stderr, "in Python:  import flowrt; m = flowrt.load(\"%s\"); x = m.sample(1000, seed=1)\nin C:       its header tells\n", path);
}

static int compile(Compile *c, const char *path) {
  flow_error error = {{0}};
  const char *file;
  bool said;
  flow_status status = take_binding(c, &file, &said, &error);
  if (!status) status = compile_check_output(path, &error);
  if (status) return failed(c->run, status, &error);
  choose_cpus(c);
  int code = program_open(c->run, c->run->line->operand[0], &c->program);
  if (code) return code;
  if (file && !(c->program.weights_path = strdup(file))) status = FLOW_NO_MEMORY;
  if (!flow_compiled_function(c->program.compiled)) status = flow_fail(&error, FLOW_BAD_CALL, "%s has no flow and no field", c->program.path);
  if (status) return failed(c->run, status, &error);
  code = program_bind(c->run, &c->program);
  if (code) return code;
  c->library.variant = c->variant;
  status = add_variants(c, said, &error);
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
  for (uint32_t i = 0; i < COMPILE_MOST_VARIANTS; i++) {
    if (c.blob[i].data) flow_blob_free(&c.blob[i]);
    if (i) flow_compiled_free(c.compiled[i]);
  }
  program_close(&c.program);
  return code;
}
