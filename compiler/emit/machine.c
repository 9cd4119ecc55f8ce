/* SPDX-License-Identifier: Apache-2.0 */
/* machine.c -- a module becomes bytes for one kind of CPU.
 *
 * No passes are run, but the one by which one of the equal functions of a library's parts is left: the code is emitted in its
 * final form, and the code generator alone costs 10 to 20 ms where an optimiser would add 30 for nothing.  CPU names come from the table below and never from a user or from the host's own
 * name (a masked model would mislead): LLVM ends the process on a name that it does not know. */
#include <llvm-c/Analysis.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <llvm-c/Transforms/PassBuilder.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include "emit_module.h"
#include "machine.h"

const char *emit_cpu_name(int cpu) { return cpu == FLOW_CPU_V4 ? "x86-64-v4" : "x86-64-v3"; }

const char *emit_llvm_version(void) { return LLVM_VERSION_TEXT; }

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static void register_target(void) {
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmPrinter();
}

/* LLVM's list of targets is the process's, and filling it is not safe on two threads: one may find the target half made. */
void emit_register_target(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, register_target);
}

LLVMTargetMachineRef emit_machine_open(int cpu, bool quick, flow_error *error) {
  static const char triple[] = "x86_64-unknown-linux-gnu";
  LLVMTargetRef target;
  char *message = NULL;
  emit_register_target();
  if (LLVMGetTargetFromTriple(triple, &target, &message)) {
    flow_fail(error, FLOW_INTERNAL, "LLVM has no target for %s: %s", triple, message);
    LLVMDisposeMessage(message);
    return NULL;
  }
  LLVMCodeGenOptLevel level = quick ? LLVMCodeGenLevelNone : LLVMCodeGenLevelDefault;
  return LLVMCreateTargetMachine(target, triple, emit_cpu_name(cpu), "", level, LLVMRelocPIC, LLVMCodeModelDefault);
}

void emit_machine_prepare(LLVMTargetMachineRef machine, LLVMModuleRef module) {
  LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(machine);
  LLVMSetModuleDataLayout(module, layout);
  LLVMDisposeTargetData(layout);
  char *triple = LLVMGetTargetMachineTriple(machine);
  LLVMSetTarget(module, triple);
  LLVMDisposeMessage(triple);
}

typedef struct Build {
  Arena arena;
  jmp_buf out_of_memory;
  LLVMContextRef context;
  LLVMTargetMachineRef machine;
  Emit emit;
} Build;

static void close_build(Build *b) {
  if (b->emit.ll.builder) LLVMDisposeBuilder(b->emit.ll.builder);
  if (b->emit.ll.module) LLVMDisposeModule(b->emit.ll.module);
  if (b->machine) LLVMDisposeTargetMachine(b->machine);
  if (b->context) LLVMContextDispose(b->context);
  arena_free(&b->arena);
}

flow_status emit_machine_verify(LLVMModuleRef module, flow_error *error) {
  char *message = NULL;
  bool broken = LLVMVerifyModule(module, LLVMReturnStatusAction, &message);
  flow_status status = broken ? flow_fail(error, FLOW_INTERNAL, "the emitted module is malformed: %s", message) : FLOW_OK;
  LLVMDisposeMessage(message);
  return status;
}

static flow_status open_build(Build *b, const TileProgram *program, const EmitOptions *options, flow_error *error) {
  arena_init(&b->arena, &flow_standard_allocator, &b->out_of_memory);
  if (setjmp(b->out_of_memory)) return flow_fail(error, FLOW_NO_MEMORY, "out of memory while emitting code");
  b->machine = emit_machine_open(options->cpu, options->quick, error);
  if (!b->machine) return FLOW_INTERNAL;
  b->context = LLVMContextCreate();
  emit_module(&b->emit, &b->arena, b->context, program, options);
  emit_machine_prepare(b->machine, b->emit.ll.module);
  return emit_machine_verify(b->emit.ll.module, error);
}

flow_status emit_machine_merge(LLVMTargetMachineRef machine, LLVMModuleRef module, flow_error *error) {
  LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
  LLVMErrorRef wrong = LLVMRunPasses(module, "mergefunc", machine, options);
  LLVMDisposePassBuilderOptions(options);
  if (!wrong) return FLOW_OK;
  char *message = LLVMGetErrorMessage(wrong);
  flow_fail(error, FLOW_INTERNAL, "LLVM could not merge functions: %s", message);
  LLVMDisposeErrorMessage(message);
  return FLOW_INTERNAL;
}

flow_status emit_machine_generate(LLVMTargetMachineRef machine, LLVMModuleRef module, LLVMCodeGenFileType type,
                                  LLVMMemoryBufferRef *buffer, flow_error *error) {
  char *message = NULL;
  if (!LLVMTargetMachineEmitToMemoryBuffer(machine, module, type, &message, buffer)) return FLOW_OK;
  flow_fail(error, FLOW_INTERNAL, "LLVM could not generate code: %s", message);
  LLVMDisposeMessage(message);
  return FLOW_INTERNAL;
}

flow_status emit_object(const TileProgram *program, const EmitOptions *options, EmitObject *object, flow_error *error) {
  Build build = {.context = NULL};
  LLVMMemoryBufferRef buffer = NULL;
  double start = now_ms();
  *object = (EmitObject){.bytes = NULL};
  flow_status status = open_build(&build, program, options, error);
  object->emit_ms = now_ms() - start;
  if (!status) status = emit_machine_generate(build.machine, build.emit.ll.module, LLVMObjectFile, &buffer, error);
  object->codegen_ms = now_ms() - start - object->emit_ms;
  if (!status) {
    object->llvm = buffer;
    object->bytes = (void *)(uintptr_t)LLVMGetBufferStart(buffer);
    object->size = LLVMGetBufferSize(buffer);
  }
  close_build(&build);
  return status;
}

void emit_object_free(EmitObject *object) {
  if (object->llvm) LLVMDisposeMemoryBuffer(object->llvm);
  *object = (EmitObject){.bytes = NULL};
}

flow_status emit_text(const TileProgram *program, const EmitOptions *options, bool assembly, FILE *to, flow_error *error) {
  Build build = {.context = NULL};
  flow_status status = open_build(&build, program, options, error);
  LLVMMemoryBufferRef buffer = NULL;
  if (!status && assembly) status = emit_machine_generate(build.machine, build.emit.ll.module, LLVMAssemblyFile, &buffer, error);
  if (!status && buffer) {
    fwrite(LLVMGetBufferStart(buffer), 1, LLVMGetBufferSize(buffer), to);
    LLVMDisposeMemoryBuffer(buffer);
  } else if (!status) {
    char *text = LLVMPrintModuleToString(build.emit.ll.module);
    fputs(text, to);
    LLVMDisposeMessage(text);
  }
  close_build(&build);
  return status;
}
