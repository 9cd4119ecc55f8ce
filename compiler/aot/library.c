/* SPDX-License-Identifier: Apache-2.0 */
#include "library.h"
#include <ctype.h>
#include <string.h>
#include "tables.h"

const char *aot_symbol(Arena *arena, const char *name) {
  char *to = arena_alloc(arena, 3 * strlen(name) + 1), *at = to;
  for (; *name; name++)
    if (isalnum((unsigned char)*name) || *name == '_')
      *at++ = *name;
    else
      at += snprintf(at, 4, "x%02X", (unsigned char)*name);
  return to;
}

static flow_status build(AotBuild *b, EmitForm form, EmitObject *object, flow_error *error) {
  arena_init(&b->arena, &flow_standard_allocator, &b->out_of_memory);
  if (setjmp(b->out_of_memory)) return flow_fail(error, FLOW_NO_MEMORY, "out of memory while making a library");
  b->image.arena = &b->arena;
  flow_status status = aot_schedule(b, error);
  if (status) return status;
  aot_tables(b);
  const char *name = aot_name(b->what);
  const char *getter[] = {arena_format(&b->arena, "flow_export_%s", aot_symbol(&b->arena, name)), FLOW_EXPORT_SYMBOL};
  EmitLibrary library = {.name = name, .part = b->part, .parts = b->what->variants * b->what->cpu_count, .datum = b->image.datum,
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
