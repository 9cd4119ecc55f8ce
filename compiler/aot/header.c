/* SPDX-License-Identifier: Apache-2.0 */
/* header.c -- MODEL.h: the model's sizes as macros, and how to call it. */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include "tables.h"

typedef struct Header {
  AotBuild build;
  const char *file, *symbol, *macro;
} Header;

static const char *upper(Arena *arena, const char *text) {
  char *to = arena_text(arena, text, strlen(text));
  for (char *c = to; *c; c++) *c = (char)toupper((unsigned char)*c);
  return to;
}

static const char *conditions(Header *h) {
  const flow_model *model = &h->build.model[0];
  const char *text = "";
  for (uint32_t i = 0; i < model->conditions; i++)
    text = arena_format(&h->build.arena, "%s#define %s_CONDITION_%" PRIu32 "_SIZE %" PRIu64 "  /* %s */\n", text, h->macro, i,
                        model->condition[i].size, model->condition[i].name);
  return text;
}

/* The lines of the example that fill in the conditions, and what the request then has. */
static const char *condition_lines(Header *h, const char *number) {
  const flow_model *model = &h->build.model[0];
  const char *arrays = "", *list = "";
  for (uint32_t i = 0; i < model->conditions; i++) {
    arrays = arena_format(&h->build.arena, "%s *   %s c%" PRIu32 "[%s_CONDITION_%" PRIu32 "_SIZE] = {0};\n", arrays, number, i, h->macro, i);
    list = arena_format(&h->build.arena, "%s%s{c%" PRIu32 ", 1}", list, i ? ", " : "", i);
  }
  return model->conditions ? arena_format(&h->build.arena, "%s *   flowrt_array condition[] = {%s};\n", arrays, list) : "";
}

/* What whoever opens the library has to name. */
static const char *needed_files(Header *h) {
  const AotLibrary *what = h->build.what;
  const TypedFlow *flow = flow_compiled_flow(what->variant[0].compiled);
  bool points = flow && flow->source == SOURCE_FILE && !what->rows;
  return arena_format(&h->build.arena, "%s%s", what->variant[0].blob ? "" : ", .weights_path = \"WEIGHTS.safetensors\"",
                      points ? ", .source_path = \"POINTS.npy\"" : "");
}

static const char *render(Header *h) {
  Arena *arena = &h->build.arena;
  const flow_model *model = &h->build.model[0];
  h->symbol = h->build.what->symbol;
  h->macro = upper(arena, h->symbol);
  const char *number = model->precision == FLOW_F32 ? "float" : "double";
  const flow_rows *rows = h->build.what->rows;
  uint64_t count = rows && rows->rows < 1000 ? rows->rows : 1000;
  return arena_format(
      arena,
      "/* %s.h -- the flow `%s`, compiled by %s.\n"
      " *\n"
      " *   cc main.c %s.o $(pkg-config --cflags --libs flowrt)     or, without linking it: flowrt_open(\"./%s.so\", ...)\n"
      " *\n"
      " *   #include <flow/flow.h>\n"
      " *   #include \"%s.h\"\n"
      " *   flow_error error;\n"
      " *   flowrt_model *model;\n"
      " *   flowrt_options options = {.size = sizeof options%s};\n"
      " *   %s x[%" PRIu64 " * %s_DIM];\n"
      "%s"
      " *   flowrt_request request = {.size = sizeof request, .count = %" PRIu64 ", .seed = 1, .x = x%s};\n"
      " *   if (flowrt_open_export(flow_export_%s(), &options, &model, &error) || flowrt_sample(model, &request, &error))\n"
      " *     fprintf(stderr, \"%%s\\n\", error.text);\n"
      " *   flowrt_close(model);\n"
      " */\n"
      "#ifndef %s_FLOW_H\n#define %s_FLOW_H\n#include <flow/export.h>\n"
      "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n"
      "#define %s_DIM %" PRIu32 "          /* numbers of a state */\n"
      "typedef %s %s_number;\n"
      "#define %s_CONDITIONS %" PRIu32 "\n%s"
      "#define %s_BLOB_BYTES %" PRIu64 "   /* of the weights as the velocity's code reads them */\n\n"
      "/* The one symbol of this model; constant, callable from any thread. */\n"
      "const flow_export *flow_export_%s(void);\n\n"
      "#ifdef __cplusplus\n}\n#endif\n#endif\n",
      h->file, aot_name(h->build.what), flow_compiler_version(), h->file, h->file, h->file, needed_files(h), number, count, h->macro,
      condition_lines(h, number), count, model->conditions ? ", .condition = condition" : "", h->symbol, h->macro, h->macro, h->macro, model->dim, number, h->symbol, h->macro, model->conditions, conditions(h), h->macro, model->blob_bytes,
      h->symbol);
}

static flow_status build(Header *h, FlowBytes *text, flow_error *error) {
  AotBuild *b = &h->build;
  arena_init(&b->arena, &flow_standard_allocator, &b->out_of_memory);
  if (setjmp(b->out_of_memory)) return flow_fail(error, FLOW_NO_MEMORY, "out of memory while writing a header");
  flow_status status = aot_schedule(b, error);
  if (status) return status;
  const char *rendered = render(h);
  text->size = strlen(rendered);
  text->data = flow_alloc(&flow_standard_allocator, text->size);
  if (!text->data) return flow_fail(error, FLOW_NO_MEMORY, "out of memory while writing a header");
  memcpy(text->data, rendered, text->size);
  return FLOW_OK;
}

flow_status aot_header(const AotLibrary *library, const char *file, FlowBytes *text, flow_error *error) {
  Header h = {.build.what = library, .file = file};
  *text = (FlowBytes){NULL, 0};
  flow_status status = build(&h, text, error);
  arena_free(&h.build.arena);
  return status;
}
