/* SPDX-License-Identifier: Apache-2.0 */
/* check_examples.c -- what the README of the examples shows is what flowc says: every transcript in examples/expected.
 *
 * A transcript is lines `$ flowc ...` and, below each, its standard output.  Words must be equal, a path by its last part.
 * Numbers may differ by 1e-5 (1 + |number|): on the examples f32 and f64 agree to 2e-6 of that, and whoever improves an
 * elementary function by an ulp shall not have to write transcripts anew. */
#include "run_suite.h"
#include "user.h"
#include <dirent.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const double tolerance = 1e-5;

enum { MOST = 64 };
static char names[MOST][64]; /* "moons" */
static int transcripts;

/* The names in a folder that end so, without their ending. */
static int list(const char *folder, const char *ending, char to[MOST][64]) {
  int count = 0;
  DIR *open = opendir(folder);
  for (struct dirent *entry; open && count < MOST && (entry = readdir(open));) {
    size_t length = strlen(entry->d_name), tail = strlen(ending);
    if (length <= tail || length >= 64 || strcmp(entry->d_name + length - tail, ending) != 0) continue;
    snprintf(to[count++], 64, "%.*s", (int)(length - tail), entry->d_name);
  }
  if (open) closedir(open);
  return count;
}

/* ---- comparing --------------------------------------------------------------------------------------------------- */

/* The next word or number, up to a blank, comma or line break, which is a word of its own. */
static size_t token(const char *text) {
  size_t length = strcspn(text, " ,\n");
  return length ? length : *text != 0;
}

static const char *last_part(const char *word) { return strrchr(word, '/') ? strrchr(word, '/') + 1 : word; }

static bool agree(const char *wanted, const char *got) {
  char *end_wanted, *end_got;
  double a = strtod(wanted, &end_wanted), b = strtod(got, &end_got);
  if (*wanted && *got && !*end_wanted && !*end_got) return fabs(a - b) <= tolerance * (1 + fabs(a));
  return strcmp(last_part(wanted), last_part(got)) == 0;
}

static void compare(const char *command, const char *wanted, const char *got) {
  for (int line = 1; *wanted || *got;) {
    char a[256], b[256];
    size_t n = token(wanted), m = token(got);
    snprintf(a, sizeof a, "%.*s", (int)n, wanted);
    snprintf(b, sizeof b, "%.*s", (int)m, got);
    ck_assert_msg(agree(a, b), "%s: line %d has `%s`, not `%s`", command, line, b, a);
    line += *wanted == '\n';
    wanted += n;
    got += m;
  }
}

/* ---- running ----------------------------------------------------------------------------------------------------- */

/* The command with `examples/` as the folder that this test knows. */
static Result perform(const char *command) {
  char line[2048] = "";
  for (const char *at = command; *at;) {
    size_t length = strcspn(at, " "), used = strlen(line);
    bool example = strncmp(at, "examples/", 9) == 0;
    snprintf(line + used, sizeof line - used, "%s%.*s ", example ? examples() : "", (int)(length - (example ? 8 : 0)),
             at + (example ? 8 : 0));
    at += length + (at[length] == ' ');
  }
  return flowc("%s", line);
}

START_TEST(an_example_gives_what_its_transcript_shows) {
  static const char prompt[] = "$ flowc ";
  char path[600];
  snprintf(path, sizeof path, "%s/expected/%s.txt", examples(), names[_i]);
  char *text = read_text(path, NULL);
  ck_assert_msg(text && strncmp(text, prompt, strlen(prompt)) == 0, "%s", path);
  for (char *at = text, *next; at; at = next) {
    char *command = at + strlen(prompt), *output = strchr(at, '\n');
    ck_assert_ptr_nonnull(output);
    *output++ = 0;
    char *end = strstr(output, "\n$ flowc ");
    next = end ? end + 1 : NULL;
    if (end) *end = 0;
    Result result = perform(command);
    expect_code(result, 0);
    if (next && result.out[0]) result.out[strlen(result.out) - 1] = 0; /* the line break that went with the next prompt */
    compare(command, output, result.out);
    result_free(&result);
  }
  free(text);
}
END_TEST

START_TEST(every_example_has_a_transcript) {
  char programs[MOST][64];
  int count = list(examples(), ".flow", programs);
  ck_assert_int_ge(count, 4);
  for (int i = 0; i < count; i++) {
    bool found = false;
    for (int k = 0; k < transcripts; k++) found = found || strcmp(programs[i], names[k]) == 0;
    ck_assert_msg(found, "examples/%s.flow has no examples/expected/%s.txt", programs[i], programs[i]);
  }
}
END_TEST

int main(void) {
  char folder[600];
  snprintf(folder, sizeof folder, "%s/expected", examples());
  transcripts = list(folder, ".txt", names);
  Suite *suite = suite_create("examples");
  TCase *all = tcase_create("transcripts");
  tcase_set_timeout(all, 120);
  tcase_add_loop_test(all, an_example_gives_what_its_transcript_shows, 0, transcripts);
  tcase_add_test(all, every_example_has_a_transcript);
  suite_add_tcase(suite, all);
  return run_suite(suite);
}
