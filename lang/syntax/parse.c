/* SPDX-License-Identifier: Apache-2.0 */
/* parse.c -- runs the automaton.  Its stack is not in the arena, so the arena's jump is caught, the stack freed, and
 * the jump goes on. */
#include "parse.h"
#include "build.h"
#include "lexer_errors.h"
#include "syntax_parser.h"

enum { MOST_TEXT = 16 * 1024 * 1024 };

static bool can_read(Diagnostics *diagnostics, const Source *source) {
  if (source->length <= MOST_TEXT) return text_is_utf8(diagnostics, source);
  diag_error(diagnostics, E0116, (Span){source->base, source->base}, "the file is longer than %d bytes", MOST_TEXT);
  return false;
}

static void run(Parse *parse, flow_yypstate *state) {
  jmp_buf *outer = parse->arena->on_no_memory, here;
  parse->arena->on_no_memory = &here;
  if (setjmp(here) == 0) {
    flow_run_parser(parse, state);
    parse->arena->on_no_memory = outer;
    flow_yypstate_delete(state);
    return;
  }
  parse->arena->on_no_memory = outer;
  flow_yypstate_delete(state);
  longjmp(*outer, 1);
}

AstFile *flow_parse(SourceMap *map, Arena *arena, Diagnostics *diagnostics, const Source *source, bool *incomplete) {
  (void)map;
  if (incomplete) *incomplete = false;
  if (!can_read(diagnostics, source)) return NULL;
  size_t errors_before = diagnostics->errors;
  Parse *parse = arena_alloc(arena, sizeof *parse);
  parse->arena = arena;
  parse->diagnostics = diagnostics;
  parse->errors_before = errors_before;
  parse->file = arena_alloc(arena, sizeof *parse->file);
  lines_open(&parse->lines, arena, diagnostics, source);
  flow_yypstate *state = flow_yypstate_new();
  if (!state) longjmp(*arena->on_no_memory, 1);
  run(parse, state);
  if (incomplete) *incomplete = parse->incomplete || parse->lines.incomplete;
  return parse->file;
}
