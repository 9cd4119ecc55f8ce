/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"
#include <check.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static long memory;

/* The folder, and the way from it to the examples. */
static void make_folder(void) {
  char link[512];
  snprintf(link, sizeof link, "%s/examples", scratch());
  if (access(link, F_OK) != 0) ck_assert_int_eq(symlink(TESTS_DIR "/../examples", link), 0);
}

static void become(const char *folder, const char *in, const char *out, const char *arguments, const char *environment) {
  char *names[] = {(char[]){"PATH=/usr/bin:/bin"}, (char[]){"LC_ALL=C.UTF-8"}, (char[]){"TERM=dumb"}, (char[]){"COLUMNS=80"}, (char[]){"NO_COLOR=1"}, NULL, NULL};
  char *argv[32] = {(char *)(uintptr_t)FLOWC, (char[]){"repl"}}, *words = strdup(arguments ? arguments : ""), *rest = NULL;
  int argc = 2;
  for (char *word = strtok_r(words, " ", &rest); word && argc < 31; word = strtok_r(NULL, " ", &rest)) argv[argc++] = word;
  for (int i = 0; environment && i < 6; i++)
    if (!names[i] || strncmp(names[i], environment, strcspn(environment, "=") + 1) == 0) {
      names[i] = strdup(environment);
      break;
    }
  int from = open(in, O_RDONLY), to = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (chdir(folder) != 0 || from < 0 || to < 0) _exit(126);
  dup2(from, 0), dup2(to, 1), dup2(to, 2);
  execve(argv[0], argv, names);
  _exit(127);
}

Result session_with(const char *arguments, const char *environment, const char *input) {
  char in[512], out[512];
  const char *folder = scratch(); /* of this process: the child would make another */
  make_folder();
  snprintf(in, sizeof in, "%s", scratch_file("input.txt", input));
  snprintf(out, sizeof out, "%s/output.txt", scratch());
  fflush(stdout);
  pid_t child = fork();
  ck_assert_int_ge(child, 0);
  if (child == 0) become(folder, in, out, arguments, environment);
  int state;
  struct rusage used;
  ck_assert_int_eq(wait4(child, &state, 0, &used), child);
  memory = used.ru_maxrss;
  char *text = read_text(out, NULL);
  ck_assert_ptr_nonnull(text);
  return (Result){WIFEXITED(state) ? WEXITSTATUS(state) : -1, text, strdup("")};
}

Result session(const char *input) { return session_with(NULL, NULL, input); }

long session_memory(void) { return memory; }
