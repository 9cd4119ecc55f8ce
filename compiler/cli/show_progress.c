/* SPDX-License-Identifier: Apache-2.0 */
#include "show_progress.h"
#include "progress.h"
#include <signal.h>
#include <time.h>

static volatile sig_atomic_t stop_asked; /* a signal handler can reach nothing but a global */

static void ask_to_stop(int signal) {
  (void)signal;
  stop_asked = 1;
}

double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* A signal that is ignored already (nohup) stays so. */
static void stop_on(int signal) {
  struct sigaction old, action = {.sa_handler = ask_to_stop, .sa_flags = (int)SA_RESETHAND};
  sigemptyset(&action.sa_mask);
  if (sigaction(signal, NULL, &old) == 0 && old.sa_handler != SIG_IGN) sigaction(signal, &action, NULL);
}

void progress_begin(ShowProgress *show, const Run *run) {
  stop_on(SIGINT);
  stop_on(SIGTERM);
  stop_on(SIGHUP);
  *show = (ShowProgress){run, seconds_now(), 0, false};
  show->shown = show->started;
}

bool progress_stopped(void) { return stop_asked != 0; }

bool progress_due(const ShowProgress *show) {
  double now = seconds_now();
  return !has(show->run, OPTION_quiet) && now - show->started >= 1 &&
         now - show->shown >= (show->run->terminal.error_is_terminal ? 0.1 : 10);
}

void progress_line(ShowProgress *show, const char *text) {
  bool terminal = show->run->terminal.error_is_terminal;
  fprintf(stderr, terminal ? "\r%s\033[K" : "%s\n", text);
  show->shown = seconds_now();
  show->line_open = terminal;
}

int progress_step(ShowProgress *show, uint64_t done, uint64_t total) {
  char text[128];
  if (progress_stopped()) return 1;
  if (progress_due(show)) progress_line(show, flow_progress_line(text, sizeof text, done, total, seconds_now() - show->started));
  return 0;
}

void progress_end(ShowProgress *show) {
  if (show->line_open) fputs("\r\033[K", stderr);
  show->line_open = false;
}
