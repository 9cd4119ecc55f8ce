/* SPDX-License-Identifier: Apache-2.0 */
/* compiled.h -- what a compilation has made so far; for the files of this folder. */
#ifndef FLOW_COMPILED_H
#define FLOW_COMPILED_H
#include "check_program.h"
#include "compile.h"
#include "emit.h"

struct FlowCompiled {
  Arena arena;
  jmp_buf no_memory;
  SourceMap sources;
  Diagnostics diagnostics;
  FlowCompileOptions options;
  const AstFile *file;
  TypedProgram *program;
  const TypedFlow *flow, *filled_by; /* filled_by: whose weights fill the layers of `function` */
  const char *no_weights, *no_prefix; /* why it is nobody's; why not even where the file is given */
  TypedFunction *function;
  IrFunction *source, *frozen;
  TileProgram *tile;
  EmitObject object;
  EmitCode *code;
  flow_level level;
  flow_model model;
  FlowCompileCost cost;
};

/* compile_front.c: text to frozen IR.  Errors go to the diagnostics, or to `error` where the command line is wrong. */
flow_status compile_front(FlowCompiled *c, const char *name, const char *text, size_t length, flow_error *error);
/* compile_map.c: the function of a flow that is given by a map. */
TypedFunction *compile_jump(FlowCompiled *c);
TypedFunction *compile_path(FlowCompiled *c);
/* compile_function.c: a general function in the form of a velocity, in `arena`. */
IrFunction *compile_as_velocity(Arena *arena, const IrFunction *from);
/* compile_density.c: a density of the program as the flow's source. */
struct FlowSource;
flow_status compile_density_source(FlowCompiled *c, struct FlowSource *source, flow_error *error);
double compile_clock_ms(void);
/* The tile program, made when first asked for. */
TileProgram *compile_tile(FlowCompiled *c);
EmitOptions compile_emit_options(const FlowCompiled *c, unsigned entries);

#endif
