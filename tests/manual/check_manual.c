/* SPDX-License-Identifier: Apache-2.0 */
/* check_manual.c -- every program of the manual is one: it checks clean, or gives just the error that it announces. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "check_program.h"
#include "parse.h"
#include "read_file.h"

static Arena arena;
static jmp_buf no_memory;

static void check_block(const char *text, size_t length, int number) {
  SourceMap sources = {.arena = &arena};
  Diagnostics diagnostics = {.arena = &arena, .sources = &sources};
  const Source *prelude_source = source_add(&sources, "<prelude>", flow_prelude_text, flow_prelude_length);
  const Source *source = source_add(&sources, "manual.flow", text, length);
  AstFile *prelude = flow_parse(&sources, &arena, &diagnostics, prelude_source, NULL);
  AstFile *file = flow_parse(&sources, &arena, &diagnostics, source, NULL);
  if (!diagnostics.errors) flow_check(&arena, &diagnostics, prelude, file, NULL);
  const char *announced = strstr(source->text, "# error: ");
  if (diagnostics.errors && !announced) diag_print(&diagnostics, stderr, false);
  ck_assert_msg(diagnostics.errors == (announced ? 1 : 0), "block %d has %zu errors", number, diagnostics.errors);
  if (announced)
    ck_assert_msg(!strncmp(announced + strlen("# error: "), diag_code_name(diagnostics.list[0].code), 5), "block %d gives %s", number,
                  diag_code_name(diagnostics.list[0].code));
}

START_TEST(every_program_of_the_manual_does_what_it_says) {
  FlowBytes manual;
  flow_error error;
  ck_assert_msg(!flow_read_file(&flow_standard_allocator, MANUAL, 1 << 22, &manual, &error), "%s", error.text);
  if (setjmp(no_memory)) ck_abort_msg("out of memory");
  arena_init(&arena, &flow_standard_allocator, &no_memory);
  char *text = arena_text(&arena, (const char *)manual.data, manual.size);
  int blocks = 0;
  for (char *at = text; (at = strstr(at, "```flow\n"));) {
    char *from = at + strlen("```flow\n"), *to = strstr(from, "```");
    ck_assert_ptr_nonnull(to);
    check_block(from, (size_t)(to - from), ++blocks);
    at = to + 3;
  }
  ck_assert_int_ge(blocks, 5);
  arena_free(&arena);
  flow_bytes_free(&flow_standard_allocator, &manual);
} END_TEST

int main(void) {
  Suite *suite = suite_create("manual");
  TCase *tcase = tcase_create("programs");
  tcase_add_test(tcase, every_program_of_the_manual_does_what_it_says);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
