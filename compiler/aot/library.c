/* SPDX-License-Identifier: Apache-2.0 */
#include "library.h"
#include <ctype.h>
#include <string.h>
#include "tables.h"

static size_t put_letter(char *to, char c, bool first) {
  bool letter = isalpha((unsigned char)c) || c == '_' || (isdigit((unsigned char)c) && !first);
  if (letter)
    *to = c;
  else
    snprintf(to, 4, "x%02X", (unsigned char)c);
  return letter ? 1 : 3;
}

flow_status aot_symbol(const char *path, FlowBytes *symbol, flow_error *error) {
  const char *slash = strrchr(path, '/'), *from = slash ? slash + 1 : path, *dot = strrchr(from, '.');
  size_t length = dot ? (size_t)(dot - from) : strlen(from), size = 0;
  *symbol = (FlowBytes){flow_alloc(&flow_standard_allocator, 3 * length + 2), 3 * length + 2};
  if (!symbol->data) return flow_fail(error, FLOW_NO_MEMORY, "out of memory while naming a library");
  for (size_t i = 0; i < length; i++) size += put_letter((char *)symbol->data + size, from[i], i == 0);
  symbol->data[size] = 0;
  return FLOW_OK;
}

/* ---- parts ----------------------------------------------------------------------------------------------------------------- */

/* The object files of variants and CPUs share a tile program, but for the blob they are each their own. */
static void add_parts(AotBuild *b, const TileProgram *tile, uint32_t computes) {
  uint32_t cpus = b->what->cpu_count;
  for (uint32_t l = 0; l < AOT_WIDTHS * cpus; l++) {
    int cpu = b->what->cpus[l % cpus];
    bool rows = l >= cpus, made = !rows || aot_is_for_few(computes);
    b->part[b->parts++] = (EmitPart){tile, {.cpu = cpu, .schedule = cpu, .entries = made ? aot_entries(computes) : 0, .rows = rows}};
  }
}

/* A function that is evaluated one sample at a time. */
static flow_status add_function(AotBuild *b, FlowCompiled *compiled, flow_error *error) {
  const TileProgram *tile = NULL;
  uint32_t index = b->models++;
  b->first_part[index] = b->parts;
  flow_status status = flow_compiled_schedule(compiled, &tile, &b->model[index], error);
  for (uint32_t i = 0; !status && i < b->what->cpu_count; i++) {
    int cpu = b->what->cpus[i];
    b->part[b->parts++] = (EmitPart){tile, {.cpu = cpu, .schedule = cpu, .entries = FLOW_ENTRY_EVAL, .rows = true}};
  }
  return status;
}

flow_status aot_schedule(AotBuild *b, flow_error *error) {
  const AotLibrary *what = b->what;
  b->part = arena_array(&b->arena, (size_t)AOT_MOST_MODELS * what->cpu_count * AOT_WIDTHS, sizeof *b->part);
  flow_status status = FLOW_OK;
  for (uint32_t v = 0; !status && v < what->variants; v++) {
    const TileProgram *tile = NULL;
    b->first_part[v] = b->parts;
    status = flow_compiled_schedule(what->variant[v].compiled, &tile, &b->model[b->models++], error);
    if (!status) add_parts(b, tile, what->variant[v].computes);
  }
  if (!status && what->density) status = add_function(b, what->density->make, error);
  if (!status && what->density) status = add_function(b, what->density->log_p, error);
  return status;
}

/* ---- files ------------------------------------------------------------------------------------------------------------------ */

static flow_status build(AotBuild *b, EmitForm form, EmitObject *object, flow_error *error) {
  arena_init(&b->arena, &flow_standard_allocator, &b->out_of_memory);
  if (setjmp(b->out_of_memory)) return flow_fail(error, FLOW_NO_MEMORY, "out of memory while making a library");
  b->image.arena = &b->arena;
  flow_status status = aot_schedule(b, error);
  if (status) return status;
  aot_tables(b);
  const char *name = aot_name(b->what);
  const char *getter[] = {arena_format(&b->arena, "flow_export_%s", b->what->symbol), FLOW_EXPORT_SYMBOL};
  EmitLibrary library = {.name = name, .part = b->part, .parts = b->parts, .datum = b->image.datum,
                         .data = b->image.data, .getter = getter, .getters = b->what->shared ? 2 : 1};
  return emit_library(&library, form, object, error);
}

flow_status aot_compile(const AotLibrary *library, EmitForm form, EmitObject *object, flow_error *error) {
  AotBuild b = {.what = library};
  *object = (EmitObject){.bytes = NULL};
  flow_status status = build(&b, form, object, error);
  arena_free(&b.arena);
  return status;
}

static flow_status describe(AotBuild *b, FlowBytes *text, flow_error *error) {
  arena_init(&b->arena, &flow_standard_allocator, &b->out_of_memory);
  if (setjmp(b->out_of_memory)) return flow_fail(error, FLOW_NO_MEMORY, "out of memory while describing a library");
  flow_status status = aot_schedule(b, error);
  if (status) return status;
  const char *made = aot_describe(b);
  text->size = strlen(made) + 1;
  text->data = flow_alloc(&flow_standard_allocator, text->size);
  if (!text->data) return flow_fail(error, FLOW_NO_MEMORY, "out of memory while describing a library");
  memcpy(text->data, made, text->size);
  return FLOW_OK;
}

flow_status aot_description(const AotLibrary *library, FlowBytes *text, flow_error *error) {
  AotBuild b = {.what = library};
  *text = (FlowBytes){NULL, 0};
  flow_status status = describe(&b, text, error);
  arena_free(&b.arena);
  return status;
}
