/* SPDX-License-Identifier: Apache-2.0 */
/* machine.h -- the code generator for one kind of CPU; for the files of this folder that make bytes. */
#ifndef FLOW_EMIT_MACHINE_H
#define FLOW_EMIT_MACHINE_H
#include <llvm-c/TargetMachine.h>
#include "emit.h"

/* The name that LLVM knows a CPU by. */
const char *emit_cpu_name(int cpu);
/* Before LLVM is asked for a target; any number of times, from any thread. */
void emit_register_target(void);
/* NULL and a message where LLVM was built without x86.  `quick`: see EmitOptions. */
LLVMTargetMachineRef emit_machine_open(int cpu, bool quick, flow_error *error);
/* Sets the module's triple and layout to the machine's. */
void emit_machine_prepare(LLVMTargetMachineRef machine, LLVMModuleRef module);
flow_status emit_machine_verify(LLVMModuleRef module, flow_error *error);
/* Of functions that are equal, instruction by instruction, one is left. */
flow_status emit_machine_merge(LLVMTargetMachineRef machine, LLVMModuleRef module, flow_error *error);
flow_status emit_machine_generate(LLVMTargetMachineRef machine, LLVMModuleRef module, LLVMCodeGenFileType type,
                                  LLVMMemoryBufferRef *buffer, flow_error *error);

#endif
