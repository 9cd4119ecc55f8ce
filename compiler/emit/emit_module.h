/* SPDX-License-Identifier: Apache-2.0 */
/* emit_module.h -- a program as an LLVM module, before any target is chosen; for machine.c. */
#ifndef FLOW_EMIT_MODULE_H
#define FLOW_EMIT_MODULE_H
#include "emit_parts.h"

/* The module, context and builder are the caller's to dispose of. */
void emit_module(Emit *e, Arena *arena, LLVMContextRef context, const TileProgram *program, const EmitOptions *options);

#endif
