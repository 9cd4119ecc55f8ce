/* SPDX-License-Identifier: Apache-2.0 */
/* emit.h -- tile program in, machine code out.
 *
 *   LLVMContextRef and all that stay inside this folder: the door is made of bytes and of flow_level.
 *
 * The last, thin step: the tile program has decided everything, so emission cannot fail on a user's input.  For a
 * program and a vector width one module is made:
 *   sample        internal; one evaluation, times broadcast (and once more with times per lane, for eval_lane)
 *   quiet         the same without what only the extras need, for stages of a step that ask for no rates
 *   flow_eval, flow_eval_lane, flow_derive, flow_times, flow_cond     the entries of flow/model.h around the sections
 *   flow_step     a loop over stages around `sample`: the tableau is data, so its size does not depend on the solver
 *   mm...         one micro-kernel per (rows in registers, vectors, start, parity of columns, epilogue), shared by layers */
#ifndef FLOW_EMIT_H
#define FLOW_EMIT_H
#include <stdio.h>
#include "flow/model.h"
#include "flow/status.h"
#include "tile.h"

typedef struct EmitOptions {
  int cpu;                      /* FLOW_CPU_V3 or FLOW_CPU_V4: the instructions that may be used */
  int schedule;                 /* the vector width of that level; normally == cpu.  v4 on v3 splits registers: same bits */
  unsigned entries;             /* of FLOW_ENTRY_... */
  bool rows;                    /* one lane: for one sample, or a few (emit_rows.c) */
  bool quick;                   /* made in a quarter of the time, and slower: for code that runs once; the same bits */
} EmitOptions;

/* Machine code of a module as an ELF object. */
typedef struct EmitObject { void *bytes; size_t size; double emit_ms, codegen_ms; void *llvm; } EmitObject;

flow_status emit_object(const TileProgram *program, const EmitOptions *options, EmitObject *object, flow_error *error);
void emit_object_free(EmitObject *object);
/* "llvm" or "asm" as text. */
flow_status emit_text(const TileProgram *program, const EmitOptions *options, bool assembly, FILE *to, flow_error *error);

/* The numbers of flow_level that follow from the schedule; function pointers NULL. */
flow_level emit_level(const TileProgram *program, const EmitOptions *options);

/* Code loaded into this process.  Pages are never writable and executable at once. */
typedef struct EmitCode EmitCode;
flow_status emit_into_process(const EmitObject *object, const TileProgram *program, unsigned entries, flow_level *level, EmitCode **code,
                              flow_error *error);
void emit_unload(EmitCode *code);

const char *emit_llvm_version(void);

#endif
