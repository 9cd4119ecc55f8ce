/* SPDX-License-Identifier: Apache-2.0 */
#include "user.h"
#include <check.h>
#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <spawn.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_WORDS = 64 };

typedef struct Text {
  char *text;
  size_t length, room;
} Text;

/* One read from the pipe; 0 at its end. */
static ssize_t take(Text *to, int from) {
  if (to->room - to->length < 65536) to->text = realloc(to->text, to->room = 2 * to->room + 131072);
  ck_assert_ptr_nonnull(to->text);
  ssize_t got = read(from, to->text + to->length, 65535);
  if (got > 0) to->length += (size_t)got;
  to->text[to->length] = 0;
  return got;
}

static void read_both(int out, int err, Text *text_out, Text *text_err) {
  struct pollfd waiting[2] = {{.fd = out, .events = POLLIN}, {.fd = err, .events = POLLIN}};
  while (waiting[0].fd >= 0 || waiting[1].fd >= 0) {
    if (poll(waiting, 2, -1) < 0) continue;
    for (int i = 0; i < 2; i++)
      if (waiting[i].revents && take(i ? text_err : text_out, waiting[i].fd) <= 0) waiting[i].fd = -1;
  }
}

static Result run(char *const *argv) {
  static char *const environment[] = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TERM=dumb",
                                      "COLUMNS=80",         "NO_COLOR=1",     NULL};
  int out[2], err[2], state;
  pid_t child;
  ck_assert_int_eq(pipe(out), 0);
  ck_assert_int_eq(pipe(err), 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", 0, 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  posix_spawn_file_actions_adddup2(&actions, err[1], 2);
  for (int i = 0; i < 2; i++) {
    posix_spawn_file_actions_addclose(&actions, out[i]);
    posix_spawn_file_actions_addclose(&actions, err[i]);
  }
  int failure = posix_spawn(&child, argv[0], &actions, NULL, argv, environment);
  posix_spawn_file_actions_destroy(&actions);
  close(out[1]);
  close(err[1]);
  ck_assert_msg(failure == 0, "%s: %s", argv[0], strerror(failure));
  Text text_out = {0}, text_err = {0};
  read_both(out[0], err[0], &text_out, &text_err);
  close(out[0]);
  close(err[0]);
  waitpid(child, &state, 0);
  return (Result){WIFEXITED(state) ? WEXITSTATUS(state) : -1, text_out.text, text_err.text};
}

/* The words of the line behind `words` others. */
static Result run_line(char **argv, int words, const char *format, va_list values) {
  char line[8192], *rest = NULL;
  vsnprintf(line, sizeof line, format, values);
  for (char *word = strtok_r(line, " ", &rest); word && words <= MOST_WORDS; word = strtok_r(NULL, " ", &rest))
    argv[words++] = word;
  argv[words] = NULL;
  return run(argv);
}

Result flowc(const char *format, ...) {
  char *argv[MOST_WORDS + 2] = {(char *)(uintptr_t)FLOWC};
  va_list values;
  va_start(values, format);
  Result result = run_line(argv, 1, format, values);
  va_end(values);
  return result;
}

Result flowc_on_a_small_disk(unsigned most, const char *format, ...) {
  char limit[40], *argv[MOST_WORDS + 2] = {(char *)(uintptr_t) "/usr/bin/prlimit", limit, (char *)(uintptr_t)FLOWC};
  void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);     /* it is inherited; the limit itself would hold for the files of Check, too */
  va_list values;
  snprintf(limit, sizeof limit, "--fsize=%u", most);
  va_start(values, format);
  Result result = run_line(argv, 3, format, values);
  va_end(values);
  signal(SIGXFSZ, handler);
  return result;
}

void result_free(Result *result) {
  free(result->out);
  free(result->err);
}

const char *examples(void) { return TESTS_DIR "/../examples"; }

/* ---- files ------------------------------------------------------------------------------------------------------- */

static char scratch_path[64];
static pid_t scratch_owner;

static int remove_one(const char *path, const struct stat *state, int kind, struct FTW *walk) {
  (void)state, (void)kind, (void)walk;
  return remove(path);
}

static void remove_scratch(void) {
  if (scratch_owner == getpid()) nftw(scratch_path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *scratch(void) {
  if (scratch_owner == getpid()) return scratch_path;
  snprintf(scratch_path, sizeof scratch_path, "/tmp/flowc-test-XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(scratch_path));
  scratch_owner = getpid();
  atexit(remove_scratch);
  return scratch_path;
}

const char *scratch_file(const char *name, const char *text) {
  static char path[512];
  snprintf(path, sizeof path, "%s/%s", scratch(), name);
  FILE *file = fopen(path, "w");
  ck_assert_ptr_nonnull(file);
  fputs(text, file);
  ck_assert_int_eq(fclose(file), 0);
  return path;
}

static void train_one(const char *program, const char *flow, const char *network, int seed) {
  Result result = flowc("train %s --flow %s --data 0.5,-1 -o %s/%s/w.safetensors --iterations 2 --batch 4 --quiet --seed %d", program, flow,
                        scratch(), network, seed);
  ck_assert_msg(result.code == 0, "%s", result.err);
  result_free(&result);
}

const char *two_trained(const char *more) {
  char text[4096], folder[512];
  for (int i = 0; i < 2; i++) {
    snprintf(folder, sizeof folder, "%s/%c", scratch(), "ab"[i]);
    ck_assert(mkdir(folder, 0700) == 0 || errno == EEXIST);
  }
  snprintf(text, sizeof text,
           "network va(t, x: [2]) -> [2] = [t, x] |> linear 8 |> tanh |> linear 2\n"
           "network vb(t, x: [2]) -> [2] = [t, x] |> linear 8 |> tanh |> linear 2\n"
           "flow fa { source normal(2)  velocity va  weights \"a/w.safetensors\"  solver rk4 steps 5 }\n"
           "flow fb { source normal(2)  velocity vb  weights \"b/w.safetensors\"  solver rk4 steps 5 }\n");
  train_one(scratch_file("two.flow", text), "fa", "a", 1);
  train_one(scratch_file("two.flow", text), "fb", "b", 2);
  strncat(text, more, sizeof text - strlen(text) - 1);
  return scratch_file("two.flow", text);
}

char *read_text(const char *path, size_t *length) {
  FILE *file = fopen(path, "r");
  if (!file) return NULL;
  Text text = {0};
  while (take(&text, fileno(file)) > 0) continue;
  fclose(file);
  if (length) *length = text.length;
  return text.text;
}

size_t read_csv(const char *text, double *number, size_t most) {
  size_t count = 0;
  const char *at = strchr(text, '\n');
  while (at && *at && count < most) {
    char *end;
    at += strspn(at, "\n,");
    double value = strtod(at, &end);
    if (end == at) break;
    number[count++] = value;
    at = end;
  }
  return count;
}
