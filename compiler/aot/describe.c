/* SPDX-License-Identifier: Apache-2.0 */
/* describe.c -- what a library says of itself: one line of JSON that begins with AOT_DESCRIPTION_MARK. */
#include <inttypes.h>
#include <string.h>
#include "tables.h"

const char *aot_name(const AotLibrary *library) {
  const FlowCompiled *compiled = library->variant[0].compiled;
  const TypedFlow *flow = flow_compiled_flow(compiled);
  return flow ? flow->name : flow_compiled_function(compiled)->name;
}

/* A string of JSON: quotes, backslashes and control characters are escaped. */
static const char *quoted(Arena *arena, const char *text) {
  char *to = arena_alloc(arena, 6 * strlen(text) + 3), *at = to;
  *at++ = '"';
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    if (c == '"' || c == '\\') *at++ = '\\';
    if (c >= 32)
      *at++ = (char)c;
    else
      at += snprintf(at, 7, "\\u%04x", c);
  }
  *at = '"';
  return to;
}

static const char *list_conditions(AotBuild *b) {
  const flow_model *model = &b->model[0];
  const char *list = "";
  for (uint32_t i = 0; i < model->conditions; i++)
    list = arena_format(&b->arena, "%s%s{\"name\": %s, \"size\": %" PRIu64 "}", list, i ? ", " : "",
                        quoted(&b->arena, model->condition[i].name), model->condition[i].size);
  return list;
}

static const char *list_weights(AotBuild *b) {
  const flow_model *model = &b->model[0];
  const char *list = "";
  for (uint32_t i = 0; i < model->weights; i++) {
    const char *shape = "";
    for (uint32_t k = 0; k < model->weight[i].rank; k++)
      shape = arena_format(&b->arena, "%s%s%" PRIu64, shape, k ? ", " : "", model->weight[i].dim[k]);
    list = arena_format(&b->arena, "%s%s{\"name\": %s, \"shape\": [%s]}", list, i ? ", " : "",
                        quoted(&b->arena, model->weight[i].name), shape);
  }
  return list;
}

static const char *list_computed(AotBuild *b) {
  const char *list = "";
  for (uint32_t i = 0; i < b->what->variants; i++)
    list = arena_format(&b->arena, "%s%s\"%s\"", list, i ? ", " : "", aot_word(b->what->variant[i].computes));
  return list;
}

static uint32_t probes_of(const AotBuild *b) {
  for (uint32_t i = 0; i < b->what->variants; i++)
    if (b->what->variant[i].computes == FLOW_COMPUTES_PROBES) return b->model[i].extras;
  return 0;
}

static const char *list_cpus(AotBuild *b) {
  const char *list = "";
  for (uint32_t i = 0; i < b->what->cpu_count; i++)
    list = arena_format(&b->arena, "%s%s\"x86-64-v%d\"", list, i ? ", " : "", b->what->cpus[i]);
  return list;
}

static const char *describe_solver(AotBuild *b, const TypedFlow *flow) {
  if (!flow) return "null";
  const char *name = flow->solver ? flow->solver : "dopri5";
  if (flow->steps > 0) return arena_format(&b->arena, "{\"name\": \"%s\", \"steps\": %" PRId64 "}", name, flow->steps);
  return arena_format(&b->arena, "{\"name\": \"%s\", \"rtol\": %.17g, \"atol\": %.17g}", name, flow->rtol, flow->atol);
}

static const char *source_word(const TypedFlow *flow) {
  static const char *const word[] = {[SOURCE_NORMAL] = "\"normal\"", [SOURCE_UNIFORM] = "\"uniform\"", [SOURCE_FILE] = "\"file\"",
                                     [SOURCE_GAUSSIAN] = "\"gaussian\"", [SOURCE_DENSITY] = "\"density\""};
  return flow ? word[flow->source] : "null";
}

const char *aot_describe(AotBuild *b) {
  const TypedFlow *flow = flow_compiled_flow(b->what->variant[0].compiled);
  const flow_model *model = &b->model[0];
  return arena_format(&b->arena,
                      AOT_DESCRIPTION_MARK ", \"name\": %s, \"maker\": %s, \"abi\": [%u, %u], \"dim\": %u, \"precision\": \"%s\", "
                      "\"conditions\": [%s], \"source\": %s, \"rows\": %" PRIu64 ", \"time\": [%.17g, %.17g], "
                      "\"solver\": %s, \"computes\": [%s], \"probes\": %u, \"cpu\": [%s], \"weights\": [%s], \"embedded\": %s}",
                      quoted(&b->arena, aot_name(b->what)), quoted(&b->arena, flow_compiler_version()), FLOW_EXPORT_ABI,
                      FLOW_MODEL_ABI, model->dim, model->precision == FLOW_F32 ? "f32" : "f64", list_conditions(b), source_word(flow),
                      b->what->rows ? b->what->rows->rows : 0, flow ? flow->time_from : 0.0, flow ? flow->time_to : 1.0,
                      describe_solver(b, flow), list_computed(b), probes_of(b), list_cpus(b), list_weights(b), b->what->variant[0].blob ? "true" : "false");
}

const char *aot_find_description(const void *bytes, size_t size) {
  static const char mark[] = AOT_DESCRIPTION_MARK ", \"name\": ";
  const char *from = bytes ? memmem(bytes, size, mark, sizeof mark - 1) : NULL;
  return from && memchr(from, 0, size - (size_t)(from - (const char *)bytes)) ? from : NULL;
}
