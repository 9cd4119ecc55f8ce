/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_ir.c -- whatever the text, the parser answers; what it accepts prints to a text that reads back as the same.
 * The passes that need no freezing are run as well: they may rely on the verifier alone. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ir.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *print(const IrFunction *f) {
  char *text = NULL;
  size_t length;
  FILE *to = open_memstream(&text, &length);
  if (!to) return NULL;
  ir_print(f, to);
  fclose(to);
  return text;
}

static void demand(bool holds, const char *what) {
  if (holds) return;
  fprintf(stderr, "fuzz_ir: %s\n", what);
  abort();
}

/* The functions whose folding takes long are left alone: the bounds of the verifier are those of a program. */
static bool is_small(const IrFunction *f) {
  int64_t elements = 0;
  for (Ref i = 0; i < f->nodes; i++) elements += shape_count(&f->node[i].shape);
  return elements < 1 << 16;
}

static void passes(IrFunction *f) {
  if (!is_small(f)) return;
  ir_fold(f, 8);
  demand(!ir_verify(f), "ir_fold leaves what does not verify");
  ir_same(f);
  demand(!ir_verify(f), "ir_same leaves what does not verify");
  demand(!ir_verify(ir_sweep(f)), "ir_sweep leaves what does not verify");
}

static void read_and_print(Arena *arena, const char *text) {
  const char *wrong;
  IrFunction *f = ir_parse(arena, text, &wrong);
  demand(!f == (wrong != NULL), "either a function or a sentence");
  if (!f) return;
  char *first = print(f);
  IrFunction *again = first ? ir_parse(arena, first, &wrong) : NULL;
  demand(again != NULL, "what was printed does not read back");
  char *second = print(again);
  demand(second && strcmp(first, second) == 0, "what was printed reads back as something else");
  free(first);
  free(second);
  passes(f);
}

/* Out of memory ends this text, as it ends a compilation. */
static void guarded(Arena *arena, const uint8_t *data, size_t size) {
  jmp_buf no_memory;
  arena->on_no_memory = &no_memory;
  if (!setjmp(no_memory)) read_and_print(arena, arena_text(arena, (const char *)data, size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Arena arena;
  arena_init(&arena, &flow_standard_allocator, NULL);
  guarded(&arena, data, size);
  arena_free(&arena);
  return 0;
}

#ifndef FLOW_FUZZ
int main(int count, char **file) {
  static uint8_t bytes[1 << 20];
  for (int i = 1; i < count; i++) {
    FILE *from = fopen(file[i], "rb");
    if (!from) {
      perror(file[i]);
      return EXIT_FAILURE;
    }
    size_t size = fread(bytes, 1, sizeof bytes, from);
    fclose(from);
    LLVMFuzzerTestOneInput(bytes, size);
  }
  printf("%d files replayed\n", count - 1);
  return EXIT_SUCCESS;
}
#endif
