/* SPDX-License-Identifier: Apache-2.0 */
/* jit.c -- machine code into this process, by ORC's LLJIT.  The linker maps pages writable, then executable, never both. */
#include <llvm-c/Core.h>
#include <llvm-c/Error.h>
#include <llvm-c/LLJIT.h>
#include <llvm-c/Orc.h>
#include <llvm-c/Target.h>
#include <stdlib.h>
#include <time.h>
#include "emit.h"
#include "machine.h"

struct EmitCode { LLVMOrcLLJITRef jit; };

static flow_status fail(flow_error *error, LLVMErrorRef wrong) {
  char *message = LLVMGetErrorMessage(wrong);
  flow_fail(error, FLOW_INTERNAL, "the compiled code could not be loaded: %s", message);
  LLVMDisposeErrorMessage(message);
  return FLOW_INTERNAL;
}

typedef struct Wanted { const char *name; flow_entry **entry; bool there; } Wanted;

static flow_status look_up(EmitCode *code, const Wanted *wanted, flow_error *error) {
  LLVMOrcExecutorAddress address = 0;
  *wanted->entry = NULL;
  if (!wanted->there) return FLOW_OK;
  LLVMErrorRef wrong = LLVMOrcLLJITLookup(code->jit, &address, wanted->name);
  if (wrong) return fail(error, wrong);
  *wanted->entry = (flow_entry *)(uintptr_t)address;
  return FLOW_OK;
}

static flow_status add(EmitCode *code, const EmitObject *object, flow_error *error) {
  LLVMErrorRef wrong = LLVMOrcCreateLLJIT(&code->jit, NULL);
  if (wrong) return fail(error, wrong);
  LLVMMemoryBufferRef copy = LLVMCreateMemoryBufferWithMemoryRangeCopy(object->bytes, object->size, "model");
  wrong = LLVMOrcLLJITAddObjectFile(code->jit, LLVMOrcLLJITGetMainJITDylib(code->jit), copy);
  return wrong ? fail(error, wrong) : FLOW_OK;
}

flow_status emit_into_process(const EmitObject *object, const TileProgram *program, unsigned entries, flow_level *level, EmitCode **code,
                              flow_error *error) {
  const Wanted wanted[] = {
      {"flow_eval", &level->eval, entries & FLOW_ENTRY_EVAL},
      {"flow_eval_lane", &level->eval_lane, entries & FLOW_ENTRY_EVAL_LANE},
      {"flow_step", &level->step, entries & FLOW_ENTRY_STEP},
      {"flow_attempt", &level->attempt, entries & FLOW_ENTRY_ATTEMPT},
      {"flow_gradient", &level->gradient, entries & FLOW_ENTRY_GRADIENT},
      {"flow_derive", &level->derive, program->section[TILE_DERIVE].output_rows > 0},
      {"flow_times", &level->times, program->section[TILE_TIMES].output_rows > 0},
      {"flow_cond", &level->cond, program->section[TILE_COND].output_rows > 0},
  };
  *code = calloc(1, sizeof **code);
  if (!*code) return flow_fail(error, FLOW_NO_MEMORY, "out of memory while loading code");
  emit_register_target();
  flow_status status = add(*code, object, error);
  for (size_t i = 0; !status && i < sizeof wanted / sizeof *wanted; i++) status = look_up(*code, &wanted[i], error);
  if (status) {
    emit_unload(*code);
    *code = NULL;
  }
  return status;
}

void emit_unload(EmitCode *code) {
  if (!code) return;
  if (code->jit) {
    LLVMErrorRef wrong = LLVMOrcDisposeLLJIT(code->jit);
    if (wrong) LLVMConsumeError(wrong);
  }
  free(code);
}
