/* SPDX-License-Identifier: Apache-2.0 */
#include "apart.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CODE_UNWRITTEN = 4, CODE_CANCELLED = 130, CODE_LOST = 70 };

static long long milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void be_child(ApartWork *work, void *user, const sigset_t *mask) {
  signal(SIGINT, SIG_DFL);
  sigprocmask(SIG_SETMASK, mask, NULL);
  int code = work(user);
  if ((fflush(stdout) != 0 || ferror(stdout)) && code == 0) {
    fprintf(stderr, "flowc: error: standard output: %s\n", strerror(errno));
    code = CODE_UNWRITTEN;
  }
  fflush(stderr);
  _exit(code); /* what belongs to the prompt (its history, the terminal's state) is the parent's to end */
}

/* Waits for the child; the two signals are blocked, so that none can slip in between. */
static int wait_for(pid_t child, const sigset_t *signals, int grace, bool *cancelled) {
  long long deadline = 0;
  int state = 0;
  for (;;) {
    pid_t ended = waitpid(child, &state, WNOHANG);
    if (ended == child || (ended < 0 && errno != EINTR)) return state;
    long long left = deadline ? deadline - milliseconds() : 1000;
    if (deadline && left <= 0) {
      kill(child, SIGKILL);
      deadline = milliseconds() + 1000;
      continue;
    }
    struct timespec patience = {left / 1000, left % 1000 * 1000000};
    if (sigtimedwait(signals, NULL, &patience) == SIGINT && !*cancelled) {
      *cancelled = true;
      deadline = milliseconds() + grace;
    }
  }
}

static ApartEnd end_of(int state, bool cancelled) {
  ApartEnd end = {.cancelled = cancelled};
  if (WIFSIGNALED(state)) end.signal = WTERMSIG(state);
  end.code = cancelled ? CODE_CANCELLED : WIFEXITED(state) ? WEXITSTATUS(state) : CODE_LOST;
  return end;
}

ApartEnd apart_run(ApartWork *work, void *user, int grace, bool here) {
  fflush(stdout);
  fflush(stderr);
  if (here) return (ApartEnd){.code = work(user)};
  sigset_t signals, before;
  sigemptyset(&signals);
  sigaddset(&signals, SIGCHLD);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, &before);
  pid_t child = fork();
  if (child == 0) be_child(work, user, &before);
  bool cancelled = false;
  int state = 0;
  if (child > 0) state = wait_for(child, &signals, grace, &cancelled);
  sigprocmask(SIG_SETMASK, &before, NULL);
  if (child > 0) return end_of(state, cancelled);
  fprintf(stderr, "flowc: error: no process could be started: %s\n", strerror(errno));
  return (ApartEnd){.code = CODE_LOST};
}
