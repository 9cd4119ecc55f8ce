/* SPDX-License-Identifier: Apache-2.0 */
/* check_transcripts.c -- golden transcripts: what stands behind `flow> ` and `  ... ` is typed, and the rest is what must come of it.
 * They are the files of transcripts/, and the blocks of docs/tour.md, which are one session. */
#include <check.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "session.h"
#include "run_suite.h"

typedef struct Transcript {
  char *input, *output;
} Transcript;

/* Parts a text into what is typed and what comes; with `fenced` only lines between ``` and ``` count. */
static Transcript read_transcript(char *text, bool fenced) {
  size_t room = strlen(text) + 2;
  Transcript t = {calloc(room, 1), calloc(room, 1)};
  bool inside = !fenced;
  char *rest = text;
  for (char *line; (line = strsep(&rest, "\n"));) {
    bool fence = fenced && strncmp(line, "```", 3) == 0;
    if (fence) inside = !inside && strcmp(line, "```flow-session") == 0;
    if (fence || !inside || (!rest && !*line)) continue;
    bool typed = strncmp(line, "flow> ", 6) == 0 || strncmp(line, "  ... ", 6) == 0;
    strcat(typed ? t.input : t.output, typed ? line + 6 : line);
    strcat(typed ? t.input : t.output, "\n");
  }
  return t;
}

static void check_text(const char *path, bool fenced) {
  char *text = read_text(path, NULL);
  ck_assert_msg(text != NULL, "%s", path);
  Transcript t = read_transcript(text, fenced);
  Result result = session(t.input);
  ck_assert_msg(*t.input != 0, "%s has no input", path);
  ck_assert_msg(strcmp(result.out, t.output) == 0, "%s: expected\n%s\n---- but there came\n%s", path, t.output, result.out);
  result_free(&result);
  free(t.input), free(t.output), free(text);
}

START_TEST(the_transcripts_are_what_happens) {
  struct dirent **file;
  int count = scandir(TESTS_DIR "/repl/transcripts", &file, NULL, alphasort), checked = 0;
  ck_assert_int_ge(count, 0);
  for (int i = 0; i < count; i++) {
    char path[600];
    snprintf(path, sizeof path, "%s/repl/transcripts/%s", TESTS_DIR, file[i]->d_name);
    if (strstr(file[i]->d_name, ".txt")) check_text(path, false), checked++;
    free(file[i]);
  }
  free(file);
  ck_assert_int_ge(checked, 4);
}
END_TEST

START_TEST(every_block_of_the_tour_is_what_happens) { check_text(TESTS_DIR "/../docs/tour.md", true); }
END_TEST

int main(void) {
  Suite *suite = suite_create("transcripts");
  TCase *tcase = tcase_create("transcripts");
  tcase_set_timeout(tcase, 300);
  tcase_add_test(tcase, the_transcripts_are_what_happens);
  tcase_add_test(tcase, every_block_of_the_tour_is_what_happens);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
