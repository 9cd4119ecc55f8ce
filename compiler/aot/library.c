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

unsigned aot_entries(uint32_t computes) {
  static const unsigned entries[] = {
      [FLOW_COMPUTES_VELOCITY] = FLOW_ENTRY_EVAL | FLOW_ENTRY_EVAL_LANE | FLOW_ENTRY_STEP | FLOW_ENTRY_ATTEMPT,
      [FLOW_COMPUTES_LOG_P] = FLOW_ENTRY_EVAL | FLOW_ENTRY_EVAL_LANE | FLOW_ENTRY_STEP | FLOW_ENTRY_ATTEMPT,
      [FLOW_COMPUTES_PROBES] = FLOW_ENTRY_EVAL_LANE | FLOW_ENTRY_STEP | FLOW_ENTRY_ATTEMPT,
      [FLOW_COMPUTES_JVP] = FLOW_ENTRY_EVAL | FLOW_ENTRY_EVAL_LANE,
      [FLOW_COMPUTES_JUMP] = FLOW_ENTRY_STEP};
  return entries[computes];
}

FlowExtras aot_extras(uint32_t computes, int64_t dim) {
  switch (computes) {
  case FLOW_COMPUTES_LOG_P: return FLOW_LOG_P;
  case FLOW_COMPUTES_PROBES: return FLOW_PROBES;
  case FLOW_COMPUTES_JVP: return FLOW_JVP;
  case FLOW_COMPUTES_JUMP: return dim <= AOT_MOST_EXACT ? FLOW_LOG_P : FLOW_NO_EXTRAS;
  default: return FLOW_NO_EXTRAS;
  }
}

static flow_status build(AotBuild *b, EmitForm form, EmitObject *object, flow_error *error) {
  arena_init(&b->arena, &flow_standard_allocator, &b->out_of_memory);
  if (setjmp(b->out_of_memory)) return flow_fail(error, FLOW_NO_MEMORY, "out of memory while making a library");
  b->image.arena = &b->arena;
  flow_status status = aot_schedule(b, error);
  if (status) return status;
  aot_tables(b);
  const char *name = aot_name(b->what);
  const char *getter[] = {arena_format(&b->arena, "flow_export_%s", b->what->symbol), FLOW_EXPORT_SYMBOL};
  EmitLibrary library = {.name = name, .part = b->part, .parts = b->what->variants * b->what->cpu_count * AOT_WIDTHS, .datum = b->image.datum,
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
