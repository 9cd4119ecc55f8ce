/* SPDX-License-Identifier: Apache-2.0 */
/* compile_emit.c -- the stages as text, for --emit. */
#include <string.h>
#include "ast_print.h"
#include "compiled.h"

static flow_status emit_stage(FlowCompiled *c, const char *stage, unsigned entries, FILE *to, flow_error *error) {
  if (!strcmp(stage, "ast")) {
    fputs(ast_print(&c->arena, c->file), to);
    return FLOW_OK;
  }
  if (!c->frozen) return flow_fail(error, FLOW_BAD_CALL, "there is no field to show");
  if (!strcmp(stage, "ir")) {
    ir_print(c->source, to);
  } else if (!strcmp(stage, "frozen")) {
    ir_print(c->frozen, to);
  } else if (!strcmp(stage, "tile")) {
    tile_print(compile_tile(c), to);
  } else if (!strcmp(stage, "llvm") || !strcmp(stage, "asm")) {
    EmitOptions options = compile_emit_options(c, entries);
    return emit_text(compile_tile(c), &options, stage[0] == 'a', to, error);
  } else {
    return flow_fail(error, FLOW_BAD_CALL, "there is no stage `%s`; there are ast, ir, frozen, tile, llvm and asm", stage);
  }
  return FLOW_OK;
}

flow_status flow_compiled_emit(FlowCompiled *c, const char *stage, unsigned entries, FILE *to, flow_error *error) {
  if (setjmp(c->no_memory)) return flow_fail(error, FLOW_NO_MEMORY, "out of memory while printing");
  return emit_stage(c, stage, entries, to, error);
}
