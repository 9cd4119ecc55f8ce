/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_front.c -- bytes -> parse -> check -> lower -> optimise.  What must hold of any bytes:
 *   every error has its place in the text or the prelude, and prints as text and as JSON;
 *   a program without errors lowers to a function that verifies, or to an error that says why not;
 *   what is small enough to optimise at once verifies afterwards too.
 * Memory is bounded, so that a short text that asks for much is found. */
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "check_program.h"
#include "derive.h"
#include "ir.h"
#include "parse.h"

enum { MOST_BYTES = 1 << 29, SMALL = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "fuzz_front: %s\n", what);
  abort();
}

/* ---- bounded memory ---- */
static void *resize(void *user, void *old, size_t old_size, size_t new_size) {
  size_t *used = user;
  if (new_size > old_size && *used + (new_size - old_size) > MOST_BYTES) return NULL;
  void *memory = flow_standard_allocator.resize(NULL, old, old_size, new_size);
  if (memory || !new_size) *used += new_size - old_size;
  return memory;
}

/* ---- what was reported ---- */
static void check_places(const Diagnostics *diagnostics) {
  for (size_t i = 0; i < diagnostics->count; i++) {
    Span at = diagnostics->list[i].at;
    const Source *source = source_of(diagnostics->sources, at);
    must(source && at.from <= at.to && at.to <= source->base + source->length, "a place outside the text");
    must(diagnostics->list[i].text && *diagnostics->list[i].text, "an error without words");
  }
}

static void print(const Diagnostics *diagnostics) {
  char *text = NULL;
  size_t length;
  FILE *to = open_memstream(&text, &length);
  if (!to) return;
  diag_print(diagnostics, to, true);
  fclose(to);
  must(diagnostics->count == 0 || length > 0, "errors that print as nothing");
  free(text);
  must(diag_json(diagnostics) != NULL, "errors that are no JSON");
}

/* ---- what was checked ---- */
static bool is_small(const IrFunction *f) {
  int64_t elements = 0;
  for (Ref i = 0; i < f->nodes; i++) elements += shape_count(&f->node[i].shape);
  return f->nodes < SMALL / 16 && elements < SMALL;
}

/* Nothing is lowered once there is an error. */
static void accept(IrFunction *f, const Diagnostics *diagnostics) {
  must(f || diagnostics->errors > 0, "no function, and no error");
  if (!f || diagnostics->errors) return;
  must(!ir_verify(f), "what was lowered does not verify");
  if (is_small(f)) must(!ir_verify(ir_optimise(f, 4)), "what was optimised does not verify");
}

static void lower_velocity(Arena *arena, Diagnostics *diagnostics, const TypedFunction *function, const char *prefix) {
  if (!diagnostics->errors) accept(ir_lower(arena, function, prefix, diagnostics), diagnostics);
}

static void lower_other(Arena *arena, Diagnostics *diagnostics, const TypedFunction *function) {
  if (!diagnostics->errors && function) accept(ir_lower_function(arena, function, "", diagnostics), diagnostics);
}

/* And its gradients by all weights, which may be too large for it. */
static void lower_loss(Arena *arena, Diagnostics *diagnostics, const TypedLoss *loss, const char *prefix) {
  if (diagnostics->errors || !loss) return;
  IrFunction *f = ir_lower_loss(arena, loss->function, prefix, diagnostics);
  accept(f, diagnostics);
  if (!f || diagnostics->errors || !is_small(f)) return;
  IrFunction *gradients = ir_with_gradients(f, IR_OF_PROGRAM, 0, &(IrTerms){0.5, 0.25, true});
  if (gradients) accept(gradients, diagnostics);
}

static void lower(Arena *arena, Diagnostics *diagnostics, const TypedProgram *program) {
  for (uint32_t i = 0; i < program->fields; i++) lower_velocity(arena, diagnostics, program->field[i], "");
  for (uint32_t i = 0; i < program->flows; i++)
    lower_velocity(arena, diagnostics, program->flow[i].velocity, program->flow[i].prefix);
  for (uint32_t i = 0; i < program->flows; i++) lower_loss(arena, diagnostics, program->flow[i].loss, program->flow[i].prefix);
  for (uint32_t i = 0; i < program->densities; i++) {
    lower_other(arena, diagnostics, program->density[i].function);
    lower_other(arena, diagnostics, program->density[i].result);
  }
  for (uint32_t i = 0; i < program->maps; i++) {
    lower_other(arena, diagnostics, program->map[i].function);
    lower_other(arena, diagnostics, program->map[i].inverse);
  }
  for (uint32_t i = 0; i < program->checks; i++) {
    lower_other(arena, diagnostics, program->check[i].left);
    lower_other(arena, diagnostics, program->check[i].right);
  }
}

static void run(Arena *arena, const uint8_t *data, size_t size) {
  SourceMap sources = {.arena = arena};
  Diagnostics diagnostics = {.arena = arena, .sources = &sources};
  const Source *library = source_add(&sources, "<prelude>", flow_prelude_text, flow_prelude_length);
  const Source *source = source_add(&sources, "input.flow", (const char *)data, size);
  if (!library || !source) return;
  AstFile *prelude = flow_parse(&sources, arena, &diagnostics, library, NULL);
  AstFile *file = flow_parse(&sources, arena, &diagnostics, source, NULL);
  must(file || diagnostics.errors > 0, "no tree, and no error");
  if (file) {
    TypedProgram *program = flow_check(arena, &diagnostics, prelude, file, NULL);
    must(program != NULL, "no program");
    if (!diagnostics.errors) lower(arena, &diagnostics, program);
  }
  check_places(&diagnostics);
  print(&diagnostics);
}

/* Out of memory ends this text, as it ends a compilation. */
static void guarded(Arena *arena, const FlowAllocator *allocator, const uint8_t *data, size_t size) {
  jmp_buf no_memory;
  arena_init(arena, allocator, &no_memory);
  if (!setjmp(no_memory)) run(arena, data, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static Arena arena;           /* not of the frame that the jump returns to */
  size_t used = 0;
  const FlowAllocator allocator = {resize, &used};
  guarded(&arena, &allocator, data, size);
  arena_free(&arena);
  must(used == 0, "memory that is not given back");
  return 0;
}
