/* SPDX-License-Identifier: Apache-2.0 */
/* emit_library.c -- parts and data become one module, and the module a file. */
#include "emit_library.h"
#include <llvm-c/Linker.h>
#include <string.h>
#include "emit_module.h"
#include "machine.h"

typedef struct Library {
  const EmitLibrary *what;
  Arena arena;
  jmp_buf out_of_memory;
  LLVMContextRef context;
  LLVMModuleRef module;
  LLVMTargetMachineRef machine;
  Val (*entry)[EMIT_ENTRIES];   /* [parts]: functions of the module */
  Val *datum;                   /* [data] */
} Library;

static const char *const entry_name[EMIT_ENTRIES] = {
    [EMIT_EVAL] = "flow_eval", [EMIT_EVAL_LANE] = "flow_eval_lane", [EMIT_STEP] = "flow_step", [EMIT_ATTEMPT] = "flow_attempt",
    [EMIT_TIMES] = "flow_times", [EMIT_COND] = "flow_cond", [EMIT_DERIVE] = "flow_derive"};

bool emit_part_has(const EmitPart *part, EmitEntry entry) {
  const TileSection *section = part->program->section;
  if (part->options.entries == 0) return false;
  switch (entry) {
  case EMIT_EVAL: return part->options.entries & FLOW_ENTRY_EVAL;
  case EMIT_EVAL_LANE: return part->options.entries & FLOW_ENTRY_EVAL_LANE;
  case EMIT_STEP: return part->options.entries & FLOW_ENTRY_STEP;
  case EMIT_ATTEMPT: return part->options.entries & FLOW_ENTRY_ATTEMPT;
  case EMIT_TIMES: return section[TILE_TIMES].output_rows > 0;
  case EMIT_COND: return section[TILE_COND].output_rows > 0;
  case EMIT_DERIVE: return section[TILE_DERIVE].output_rows > 0;
  case EMIT_ENTRIES: break;
  }
  return false;
}

/* ---- parts --------------------------------------------------------------------------------------------------------------- */

static const char *entry_label(Library *l, uint32_t part, EmitEntry entry) {
  return arena_format(&l->arena, "%s_%s_%u", entry_name[entry] + strlen("flow_"),
                      l->what->part[part].options.cpu == FLOW_CPU_V4 ? "v4" : "v3", part);
}

/* Its functions know their CPU, and nothing compares their addresses; its entries get names that no other part has. */
static void mark(Library *l, uint32_t part, LLVMModuleRef module) {
  static const char key[] = "target-cpu";
  const char *cpu = emit_cpu_name(l->what->part[part].options.cpu);
  LLVMAttributeRef target =
      LLVMCreateStringAttribute(l->context, key, (unsigned)strlen(key), cpu, (unsigned)strlen(cpu));
  for (Val f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f))
    if (!LLVMIsDeclaration(f)) {
      LLVMAddAttributeAtIndex(f, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, target);
      LLVMSetUnnamedAddress(f, LLVMGlobalUnnamedAddr);
    }
  for (int e = 0; e < EMIT_ENTRIES; e++) {
    Val function = LLVMGetNamedFunction(module, entry_name[e]);
    if (!function) continue;
    const char *label = entry_label(l, part, (EmitEntry)e);
    LLVMSetValueName2(function, label, strlen(label));
    LLVMSetVisibility(function, LLVMHiddenVisibility);
  }
}

static flow_status add_part(Library *l, uint32_t part, flow_error *error) {
  const EmitPart *from = &l->what->part[part];
  if (from->options.entries == 0) return FLOW_OK;
  Emit emit;
  emit_module(&emit, &l->arena, l->context, from->program, &from->options);
  LLVMDisposeBuilder(emit.ll.builder);
  emit_machine_prepare(l->machine, emit.ll.module);
  mark(l, part, emit.ll.module);
  if (LLVMLinkModules2(l->module, emit.ll.module)) return flow_fail(error, FLOW_INTERNAL, "the parts of the library do not fit together");
  for (int e = 0; e < EMIT_ENTRIES; e++) {
    if (!emit_part_has(from, (EmitEntry)e)) continue;
    l->entry[part][e] = LLVMGetNamedFunction(l->module, entry_label(l, part, (EmitEntry)e));
    LLVMSetLinkage(l->entry[part][e], LLVMInternalLinkage);
  }
  return FLOW_OK;
}

/* ---- data ---------------------------------------------------------------------------------------------------------------- */

static Val bytes_of(const Library *l, const EmitDatum *datum, size_t from, size_t to) {
  return LLVMConstStringInContext2(l->context, (const char *)datum->bytes + from, to - from, 1);
}

/* Runs of bytes, addresses between them. */
static Val contents(Library *l, const EmitDatum *datum) {
  Val *field = arena_array(&l->arena, 2 * datum->places + 1, sizeof *field);
  unsigned fields = 0;
  size_t at = 0;
  for (size_t i = 0; i < datum->places; i++) {
    const EmitPlace *place = &datum->place[i];
    if (place->at > at) field[fields++] = bytes_of(l, datum, at, place->at);
    field[fields++] = place->datum >= 0 ? l->datum[place->datum] : l->entry[place->part][place->entry];
    at = place->at + sizeof(void *);
  }
  if (at < datum->size) field[fields++] = bytes_of(l, datum, at, datum->size);
  return LLVMConstStructInContext(l->context, field, fields, 1);
}

static void add_datum(Library *l, uint32_t index) {
  const EmitDatum *datum = &l->what->datum[index];
  Val value = contents(l, datum);
  Val global = l->datum[index] = LLVMAddGlobal(l->module, LLVMTypeOf(value), datum->label);
  LLVMSetInitializer(global, value);
  LLVMSetGlobalConstant(global, 1);
  LLVMSetLinkage(global, LLVMInternalLinkage);
  LLVMSetAlignment(global, (unsigned)datum->align);
}

static void add_getter(Library *l, LLVMBuilderRef builder, const char *name) {
  LLVMTypeRef type = LLVMFunctionType(LLVMPointerTypeInContext(l->context, 0), NULL, 0, 0);
  Val function = LLVMAddFunction(l->module, name, type);
  LLVMPositionBuilderAtEnd(builder, LLVMAppendBasicBlockInContext(l->context, function, ""));
  LLVMBuildRet(builder, l->datum[0]);
}

/* ---- the file ------------------------------------------------------------------------------------------------------------- */

static flow_status build(Library *l, flow_error *error) {
  arena_init(&l->arena, &flow_standard_allocator, &l->out_of_memory);
  if (setjmp(l->out_of_memory)) return flow_fail(error, FLOW_NO_MEMORY, "out of memory while emitting a library");
  l->machine = emit_machine_open(FLOW_CPU_V3, false, error);
  if (!l->machine) return FLOW_INTERNAL;
  l->context = LLVMContextCreate();
  l->module = LLVMModuleCreateWithNameInContext(l->what->name, l->context);
  emit_machine_prepare(l->machine, l->module);
  l->entry = arena_array(&l->arena, l->what->parts, sizeof *l->entry);
  l->datum = arena_array(&l->arena, l->what->data, sizeof *l->datum);
  flow_status status = FLOW_OK;
  for (uint32_t i = 0; !status && i < l->what->parts; i++) status = add_part(l, i, error);
  if (status) return status;
  for (uint32_t i = l->what->data; i-- > 0;) add_datum(l, i);
  LLVMBuilderRef builder = LLVMCreateBuilderInContext(l->context);
  for (uint32_t i = 0; i < l->what->getters; i++) add_getter(l, builder, l->what->getter[i]);
  LLVMDisposeBuilder(builder);
  flow_status merged = emit_machine_merge(l->machine, l->module, error);
  return merged ? merged : emit_machine_verify(l->module, error);
}

static flow_status write_form(Library *l, EmitForm form, LLVMMemoryBufferRef *buffer, flow_error *error) {
  if (form != EMIT_LLVM)
    return emit_machine_generate(l->machine, l->module, form == EMIT_OBJECT ? LLVMObjectFile : LLVMAssemblyFile, buffer, error);
  char *text = LLVMPrintModuleToString(l->module);
  *buffer = LLVMCreateMemoryBufferWithMemoryRangeCopy(text, strlen(text), l->what->name);
  LLVMDisposeMessage(text);
  return FLOW_OK;
}

flow_status emit_library(const EmitLibrary *library, EmitForm form, EmitObject *object, flow_error *error) {
  Library l = {.what = library};
  LLVMMemoryBufferRef buffer = NULL;
  *object = (EmitObject){.bytes = NULL};
  flow_status status = build(&l, error);
  if (!status) status = write_form(&l, form, &buffer, error);
  if (!status)
    *object = (EmitObject){.bytes = (void *)(uintptr_t)LLVMGetBufferStart(buffer), .size = LLVMGetBufferSize(buffer), .llvm = buffer};
  if (l.module) LLVMDisposeModule(l.module);
  if (l.machine) LLVMDisposeTargetMachine(l.machine);
  if (l.context) LLVMContextDispose(l.context);
  arena_free(&l.arena);
  return status;
}
