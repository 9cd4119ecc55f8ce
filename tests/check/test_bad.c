/* SPDX-License-Identifier: Apache-2.0 */
/* test_bad.c -- programs that must be refused: one error each, at its place, in its words.
 *
 * Among them are programs of a few lines that would call a function 2^60 times or make a value of 10^9 elements; that this
 * test ends is what it says of those. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "checking.h"

#define BAD TESTS_DIR "/bad/flow_check"
#define MESSAGES TESTS_DIR "/check/messages.txt"

static void has_its_error(const char *name, const char *text, size_t length) {
  char code[16];
  unsigned line, column;
  ck_assert_msg(sscanf(text, "# expect: %15s %u:%u", code, &line, &column) == 3, "%s does not say what to expect", name);
  check_bytes(name, text, length);
  ck_assert_msg(run.diagnostics.errors == 1, "%s: %zu errors\n%s", name, run.diagnostics.errors, said());
  const Diag *diag = &run.diagnostics.list[0];
  Place place = source_place(&run.map, diag->at.from);
  bool right = strcmp(diag_code_name(diag->code), code) == 0 && place.line == line && place.column == column;
  ck_assert_msg(right, "%s: expected %s %u:%u\n%s", name, code, line, column, said());
}

START_TEST(every_bad_file_has_its_error_at_its_place) { ck_assert_int_ge(for_each_program(BAD, has_its_error), 130); } END_TEST

/* ---- words ---- */
static char *messages;

static void has_its_words(const char *name, const char *text, size_t length) {
  char *head, *next;
  ck_assert_int_gt(asprintf(&head, "== %s\n", name), 0);
  char *found = strstr(messages, head);
  ck_assert_msg(found != NULL, "messages.txt has nothing for %s", name);
  found += strlen(head);
  next = strstr(found, "\n== ");
  char *expected = strndup(found, next ? (size_t)(next - found) + 1 : strlen(found));
  check_bytes(name, text, length);
  ck_assert_msg(strcmp(said(), expected) == 0, "%s says\n%sand should say\n%s", name, said(), expected);
  free(expected);
  free(head);
}

static FILE *new_messages;

static void write_words(const char *name, const char *text, size_t length) {
  check_bytes(name, text, length);
  fprintf(new_messages, "== %s\n%s", name, said());
}

START_TEST(every_message_is_worded_as_it_was) {
  size_t length;
  if (getenv("NEW_MESSAGES")) {
    new_messages = fopen(MESSAGES, "w");
    ck_assert_ptr_nonnull(new_messages);
    for_each_program(BAD, write_words);
    fclose(new_messages);
  }
  messages = read_text(MESSAGES, &length);
  for_each_program(BAD, has_its_words);
  free(messages);
} END_TEST

/* ---- none forgotten ---- */
static bool seen[DIAG_CODE_COUNT];

static void see(const char *name, const char *text, size_t length) {
  (void)length;
  char code[16] = "";
  DiagCode found;
  sscanf(text, "# expect: %15s", code);
  ck_assert_msg(diag_find_code(code, &found), "%s expects the unknown %s", name, code);
  seen[found] = true;
}

START_TEST(every_error_of_the_checker_has_a_bad_file) {
  for_each_program(BAD, see);
  for (int i = 0; i < DIAG_CODE_COUNT; i++) {
    const char *code = diag_code_name((DiagCode)i);
    bool mine = strncmp(code, "E02", 3) >= 0 && strncmp(code, "E06", 3) < 0;
    ck_assert_msg(seen[i] || !mine, "nothing shows %s", code);
  }
} END_TEST

void add_bad_tests(TCase *tcase) {
  tcase_add_test(tcase, every_bad_file_has_its_error_at_its_place);
  tcase_add_test(tcase, every_message_is_worded_as_it_was);
  tcase_add_test(tcase, every_error_of_the_checker_has_a_bad_file);
}
