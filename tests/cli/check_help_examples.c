/* SPDX-License-Identifier: Apache-2.0 */
/* check_help_examples.c -- the examples in the help of each verb, and the commands of the README and the documents, can be copied
 * and run.  A shell runs them as they stand, but for their sizes: so many samples and iterations are of no use here. */
#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "command_line.h"
#include "run_suite.h"
#include "user.h"

enum { MOST_LINE = 1024 };

/* What the examples presuppose, in the folder where they run. */
static const char preparation[] =
    "set -e\n"
    "ln -sf " TESTS_DIR "/../examples examples\n"
    "mkdir -p .local/share/bash-completion/completions .zfunc\n"
    "cat > model.flow <<end\n"
    "network v(t, x: [2]) -> [2] = [t, x] |> linear 8 \"in\" |> tanh |> linear 2 \"out\"\n"
    "fn my_loss(u: [d], target: [d]) = norm2(u - target)\n"
    "flow model { source normal(2)  velocity v  weights \"trained.safetensors\"  solver rk4 steps 10 }\n"
    "end\n"
    "flowc fmt -w model.flow 2> fmt.txt\n"
    "cp model.flow other.flow\n"
    "flowc data moons -n 40 -o points.npy 2> data.txt\n"
    "flowc data moons -n 40 > points.csv 2> data.txt\n"
    "flowc sample examples/moons.flow -n 40 -q -o samples.npy\n"
    "flowc sample examples/moons.flow -n 40 -q -o x0.npy\n"
    "flowc logp examples/rotation.flow --data points.npy -q -o times.npy\n" /* a number for each point */
    "flowc train model.flow --data points.npy -o trained.safetensors --iterations 5 --batch 8 -q\n"
    "mkdir -p build\n"
    "ln -sf " FLOWC " build/flowc\n"
    "cp model.flow MODEL.flow\n"
    "cp points.npy y.npy\n"
    "cp points.npy held.npy\n";

static int shell(const char *script) {
  char path[512], command[1024];
  snprintf(path, sizeof path, "%s", scratch_file("script.sh", script));
  snprintf(command, sizeof command, "cd %s && HOME=%s PATH=\"%.*s:$PATH\" sh script.sh > output.txt 2>&1 < /dev/null", scratch(), scratch(),
           (int)(strrchr(FLOWC, '/') - FLOWC), FLOWC);
  int state = system(command);
  return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

static void expect_runs(const char *line, const char *script) {
  char path[512];
  int code = shell(script);
  snprintf(path, sizeof path, "%s/output.txt", scratch());
  char *said = read_text(path, NULL);
  ck_assert_msg(code == 0, "%s\nas\n%s\nended with %d: %s", line, script, code, said ? said : "");
  free(said);
}

static void replace(char *line, const char *word, const char *by) {
  char whole[MOST_LINE];
  for (char *at = line; (at = strstr(at, word));) {
    size_t length = strlen(word);
    bool apart = at > line && at[-1] == ' ' && (at[length] == ' ' || !at[length]);
    if (!apart) {
      at += length;
      continue;
    }
    snprintf(whole, sizeof whole, "%.*s%s%s", (int)(at - line), line, by, at + length);
    strcpy(line, whole);
    at += strlen(by);
  }
}

static void make_small(char *line) {
  static const char *const size[][2] = {{"10000", "200"}, {"100000", "400"}, {"1e6", "200"}, {"2000:4000", "50:100"}, {"20000", "5"}, {"5000", "100"}, {"0.01", "0.3"}};
  for (size_t i = 0; i < sizeof size / sizeof *size; i++) replace(line, size[i][0], size[i][1]);
  if (strstr(line, "flowc train") && !strstr(line, "--names")) strcat(line, strstr(line, "--iterations") ? " --batch 8" : " --iterations 5 --batch 8");
}

/* To go on from a checkpoint there has to be one, of the same training. */
static void run_example(const char *line) {
  char text[MOST_LINE], script[3 * MOST_LINE];
  strcpy(text, line);
  bool picture = strstr(line, ".png") != NULL;
  if (picture && access("/usr/bin/gnuplot", X_OK) != 0) return;
  make_small(text);
  const char *resume = strstr(text, " --resume");
  if (resume) snprintf(script, sizeof script, "set -e\nrm -f weights.safetensors*\n%.*s%s\n%s\n", (int)(resume - text), text, resume + 9, text);
  else snprintf(script, sizeof script, "%s\n", text);
  expect_runs(line, script);
}

static void run_examples_of(const char *verb) {
  Result help = flowc("help %s", verb);
  expect_code(help, 0);
  char *at = strstr(help.out, "\nExamples\n"), line[MOST_LINE];
  int run = 0;
  ck_assert_ptr_nonnull(at);
  at += strlen("\nExamples\n");
  for (; strncmp(at, "  ", 2) == 0; at = strchr(at, '\n') + 1, run++) {
    size_t length = strcspn(at + 2, "\n");
    ck_assert_uint_lt(length, sizeof line / 2); /* with room for what make_small adds */
    snprintf(line, sizeof line, "%.*s", (int)length, at + 2);
    run_example(line);
  }
  ck_assert_int_ge(run, 2);
  result_free(&help);
}

START_TEST(the_examples_of_every_verb_can_be_copied_and_run) {
  expect_runs("the preparation", preparation);
  for (int v = 0; v < VERB_COUNT; v++) run_examples_of(verbs[v].name);
}
END_TEST

/* In the order of a reader, who has the files of one command for the next; how many commands each has at least. */
static const struct { const char *path; int commands; } documents[] = {
    {"README.md", 10}, {"docs/training.md", 8}, {"docs/embedding.md", 1}, {"python/flowrt/README.md", 1}};

/* A command stands in a line of its own, which goes on with words after two blanks or a #.  NULL: this is another line. */
static const char *command_of(const char *line, char *command) {
  static const char *const before[] = {"    flowc ", "$ build/flowc "};
  for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
    size_t skipped = strspn(before[i], " $"), length = strcspn(line, "\n");
    if (strncmp(line, before[i], strlen(before[i])) != 0) continue;
    ck_assert_uint_lt(length, MOST_LINE / 2);
    snprintf(command, MOST_LINE, "%.*s", (int)(length - skipped), line + skipped);
    char *words = strstr(command, "  "), *remark = strstr(command, " #");
    if (words) *words = '\0';
    if (remark && (!words || remark < words)) *remark = '\0';
    return strstr(command, "flowc inspect, ") ? NULL : command;  /* a list of verbs */
  }
  return NULL;
}

static int run_commands_of(const char *document) {
  char path[512], command[MOST_LINE];
  int run = 0;
  snprintf(path, sizeof path, TESTS_DIR "/../%s", document);
  char *text = read_text(path, NULL);
  ck_assert_msg(text != NULL, "there is no %s", path);
  for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
    if (!command_of(line, command)) continue;
    run_example(command);
    run++;
  }
  free(text);
  return run;
}

START_TEST(the_commands_of_the_documents_can_be_copied_and_run) {
  expect_runs("the preparation", preparation);
  for (size_t i = 0; i < sizeof documents / sizeof *documents; i++)
    ck_assert_int_ge(run_commands_of(documents[i].path), documents[i].commands);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("help examples");
  TCase *tcase = tcase_create("verbs");
  tcase_set_timeout(tcase, 900);
  tcase_add_test(tcase, the_examples_of_every_verb_can_be_copied_and_run);
  tcase_add_test(tcase, the_commands_of_the_documents_can_be_copied_and_run);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
