/* SPDX-License-Identifier: Apache-2.0 */
#include "terminal_user.h"
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "user.h"

enum { PATIENCE_MS = 8000, PATIENCE_OF_KEY_MS = 300 };

static double milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

static void become(const char *folder, const char *arguments, const char *path) {
  char state[512], paths[512], *argv[32] = {(char *)(uintptr_t)FLOWC}, *words = strdup(arguments), *rest = NULL;
  int argc = 1;
  snprintf(state, sizeof state, "XDG_STATE_HOME=%s/state", folder);
  snprintf(paths, sizeof paths, "PATH=%s", path ? path : "/usr/bin:/bin");
  char *environment[] = {paths, (char[]){"LC_ALL=C.UTF-8"}, (char[]){"TERM=xterm"}, (char[]){"NO_COLOR=1"}, state, NULL};
  for (char *word = strtok_r(words, " ", &rest); word && argc < 31; word = strtok_r(NULL, " ", &rest)) argv[argc++] = word;
  if (chdir(folder) != 0) _exit(126);
  if (access("examples", F_OK) != 0 && symlink(TESTS_DIR "/../examples", "examples") != 0) _exit(126);
  execve(argv[0], argv, environment);
  _exit(127);
}

TerminalUser terminal_begin(const char *arguments, const char *path) {
  TerminalUser person = {0};
  struct winsize size = {.ws_row = 40, .ws_col = 100};
  const char *folder = scratch(); /* of this process: the child would make another */
  person.child = forkpty(&person.terminal, NULL, NULL, &size);
  ck_assert_int_ge(person.child, 0);
  if (person.child == 0) become(folder, arguments, path);
  return person;
}

void terminal_type(TerminalUser *person, const char *keys) {
  for (size_t sent = 0, length = strlen(keys); sent < length;) {
    ssize_t wrote = write(person->terminal, keys + sent, length - sent);
    ck_assert_int_gt(wrote, 0);
    sent += (size_t)wrote;
  }
}

/* Reads what there is; false at the end. */
static int take(TerminalUser *person) {
  if (person->length > sizeof person->screen / 2) { /* the older half is no longer waited for */
    size_t half = person->length / 2;
    memmove(person->screen, person->screen + half, person->length - half);
    person->length -= half;
  }
  ssize_t got = read(person->terminal, person->screen + person->length, sizeof person->screen - person->length - 1);
  if (got <= 0) return 0;
  person->length += (size_t)got;
  person->screen[person->length] = 0;
  return 1;
}

void terminal_await(TerminalUser *person, const char *text) {
  double deadline = milliseconds() + PATIENCE_MS;
  for (;;) {
    char *found = memmem(person->screen, person->length, text, strlen(text));
    if (found) {
      size_t used = (size_t)(found - person->screen) + strlen(text);
      memmove(person->screen, person->screen + used, person->length - used + 1);
      person->length -= used;
      return;
    }
    struct pollfd waiting = {.fd = person->terminal, .events = POLLIN};
    int ready = poll(&waiting, 1, 50);
    if ((ready > 0 && !take(person)) || milliseconds() > deadline)
      ck_abort_msg("`%s` did not appear; what came: %s", text, person->screen);
  }
}

double terminal_time(TerminalUser *person, const char *keys, const char *text) {
  double started = milliseconds();
  terminal_type(person, keys);
  terminal_await(person, text);
  return milliseconds() - started;
}

int terminal_end(TerminalUser *person) {
  int state = 0;
  double deadline = milliseconds() + PATIENCE_MS, typed = 0;
  while (waitpid(person->child, &state, WNOHANG) == 0) {
    if (milliseconds() > typed + PATIENCE_OF_KEY_MS) { /* a key that came before the line editor was ready is lost or worse */
      if (typed > 0) terminal_type(person, "\003");
      struct timespec pause = {.tv_nsec = typed > 0 ? 100000000 : 0};
      nanosleep(&pause, NULL);
      terminal_type(person, "\004");
      typed = milliseconds();
    }
    struct pollfd waiting = {.fd = person->terminal, .events = POLLIN};
    if (poll(&waiting, 1, 20) > 0) take(person);
    if (milliseconds() > deadline) ck_abort_msg("flowc did not end; what came: %s", person->screen);
  }
  close(person->terminal);
  return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}
