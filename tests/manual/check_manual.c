/* SPDX-License-Identifier: Apache-2.0 */
/* check_manual.c -- every program of the manual is one: it is clean and lowers, or gives just what it announces; and
 * nothing that the language has is missing from the manual. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "check_program.h"
#include "ir.h"
#include "manual.h"
#include "parse.h"
#include "run_suite.h"
#include "tableau.h"

static Manual manual;
static Arena arena;
static jmp_buf no_memory;

/* ---- programs ---------------------------------------------------------------------------------------------------- */
static int by_place(const void *left, const void *right) {
  const Diag *a = left, *b = right;
  return (a->at.from > b->at.from) - (a->at.from < b->at.from);
}

static void expect_codes(const Block *block, const Diagnostics *diagnostics) {
  char codes[1024] = "";
  if (diagnostics->count) qsort(diagnostics->list, diagnostics->count, sizeof *diagnostics->list, by_place);
  for (size_t i = 0; i < diagnostics->count && strlen(codes) < 1000; i++)
    sprintf(codes + strlen(codes), "%s%s", i ? " " : "", diag_code_name(diagnostics->list[i].code));
  if (strcmp(codes, block->codes) != 0) diag_print(diagnostics, stderr, false);
  ck_assert_msg(strcmp(codes, block->codes) == 0, "line %d: the program gives `%s`, not `%s`", block->line, codes, block->codes);
}

static void expect_message(const Block *block, const Diagnostics *diagnostics) {
  char *said = NULL;
  size_t length;
  FILE *to = open_memstream(&said, &length);
  diag_print(diagnostics, to, false);
  fclose(to);
  bool same = length == block->message_length && memcmp(said, block->message, length) == 0;
  ck_assert_msg(same, "line %d: what is said is\n%s", block->line, said);
  free(said);
}

static void expect_lowered(const Block *block, Diagnostics *diagnostics, IrFunction *f) {
  if (diagnostics->errors) diag_print(diagnostics, stderr, false);
  ck_assert_msg(f && !diagnostics->errors && !ir_verify(f), "line %d: the program does not lower", block->line);
}

static void lower(const Block *block, Diagnostics *diagnostics, const TypedProgram *program) {
  for (uint32_t i = 0; i < program->fields; i++)
    expect_lowered(block, diagnostics, ir_lower(&arena, program->field[i], "", diagnostics));
  for (uint32_t i = 0; i < program->flows; i++)
    expect_lowered(block, diagnostics, ir_lower(&arena, program->flow[i].velocity, program->flow[i].prefix, diagnostics));
  for (uint32_t i = 0; i < program->densities; i++)
    expect_lowered(block, diagnostics, ir_lower_function(&arena, program->density[i].function, "", diagnostics));
  for (uint32_t i = 0; i < program->maps; i++)
    expect_lowered(block, diagnostics, ir_lower_function(&arena, program->map[i].function, "", diagnostics));
}

/* The solvers of the runtime; adaptive: those with an estimate of their error. */
static CheckOptions solvers(const char **adaptive) {
  CheckOptions options = {.solver = flow_tableau_names(), .adaptive = adaptive};
  for (; options.solver[options.solvers]; options.solvers++) {
    const FlowTableau *tableau = flow_tableau_find(options.solver[options.solvers]);
    if (tableau && tableau->error[0].order) adaptive[options.adaptives++] = options.solver[options.solvers];
  }
  return options;
}

START_TEST(a_program_of_the_manual_does_what_it_says) {
  const Block *block = &manual.block[_i];
  if (setjmp(no_memory)) ck_abort_msg("out of memory");
  arena_init(&arena, &flow_standard_allocator, &no_memory);
  SourceMap sources = {.arena = &arena};
  Diagnostics diagnostics = {.arena = &arena, .sources = &sources};
  const Source *library = source_add(&sources, "<prelude>", flow_prelude_text, flow_prelude_length);
  const Source *source = source_add(&sources, "model.flow", block->text, block->length);
  AstFile *prelude = flow_parse(&sources, &arena, &diagnostics, library, NULL);
  AstFile *file = flow_parse(&sources, &arena, &diagnostics, source, NULL);
  CheckOptions options = solvers(arena_array(&arena, flow_tableau_count(), sizeof(char *)));
  TypedProgram *program = file ? flow_check(&arena, &diagnostics, prelude, file, &options) : NULL;
  expect_codes(block, &diagnostics);
  if (block->message) expect_message(block, &diagnostics);
  if (program && !diagnostics.errors) lower(block, &diagnostics, program);
  arena_free(&arena);
} END_TEST

/* ---- words ------------------------------------------------------------------------------------------------------- */
static const char *const word[] = {
#define BUILTIN(name, least, most, rule, help) #name,
#include "builtins.def"
#undef BUILTIN
#define CLAUSE(name, values, help) #name,
#include "clauses.def"
#undef CLAUSE
#define DERIVATIVE(KIND, name, vector, form, help) #name,
#include "derivatives.def"
#undef DERIVATIVE
#define KEYWORD(spelling, token, help) spelling,
#include "keywords.def"
#undef KEYWORD
};
START_TEST(a_word_of_the_language_is_in_the_manual) {
  ck_assert_msg(manual_mentions(&manual, word[_i]), "the manual does not mention `%s`", word[_i]);
} END_TEST

START_TEST(every_solver_is_in_the_manual) {
  for (const char *const *name = flow_tableau_names(); *name; name++)
    ck_assert_msg(manual_mentions(&manual, *name), "the manual does not mention `%s`", *name);
} END_TEST

START_TEST(every_function_of_the_prelude_is_in_the_manual) {
  if (setjmp(no_memory)) ck_abort_msg("out of memory");
  arena_init(&arena, &flow_standard_allocator, &no_memory);
  SourceMap sources = {.arena = &arena};
  Diagnostics diagnostics = {.arena = &arena, .sources = &sources};
  AstFile *prelude = flow_parse(&sources, &arena, &diagnostics,
                                source_add(&sources, "<prelude>", flow_prelude_text, flow_prelude_length), NULL);
  ck_assert_uint_ge(prelude->definitions.count, 10);
  for (size_t i = 0; i < prelude->definitions.count; i++) {
    const char *name = prelude->definitions.at[i]->name;
    ck_assert_msg(manual_mentions(&manual, name), "the manual does not mention `%s`", name);
  }
  arena_free(&arena);
} END_TEST

START_TEST(the_manual_is_whole) {
  ck_assert_msg(manual.text != NULL, MANUAL " cannot be read, or a fence in it does not end");
  ck_assert_int_ge(manual.blocks, 40);
  ck_assert_int_lt(manual.blocks, MOST_BLOCKS);
} END_TEST

int main(void) {
  if (!manual_read(MANUAL, &manual)) manual.blocks = 0;
  Suite *suite = suite_create("manual");
  TCase *tcase = tcase_create("programs and words");
  tcase_add_test(tcase, the_manual_is_whole);
  tcase_add_loop_test(tcase, a_program_of_the_manual_does_what_it_says, 0, manual.blocks);
  tcase_add_loop_test(tcase, a_word_of_the_language_is_in_the_manual, 0, sizeof word / sizeof *word);
  tcase_add_test(tcase, every_solver_is_in_the_manual);
  tcase_add_test(tcase, every_function_of_the_prelude_is_in_the_manual);
  suite_add_tcase(suite, tcase);
  int status = run_suite(suite);
  manual_free(&manual);
  return status;
}
