/* SPDX-License-Identifier: Apache-2.0 */
/* interrupt.c -- a signal that comes just before the read of a key begins would not end that read; so from the first Ctrl-C until
 * it is taken a timer goes on knocking. */
#include "interrupt.h"
#include <signal.h>
#include <stddef.h>
#include <time.h>

enum { KNOCK_NS = 20000000 };

static volatile sig_atomic_t caught; /* a signal handler can reach nothing but globals */
static timer_t knocking;
static volatile sig_atomic_t has_timer;

static void knock_every(long nanoseconds) {
  struct itimerspec every = {{0, nanoseconds}, {0, nanoseconds}};
  if (has_timer) timer_settime(knocking, 0, &every, NULL);
}

static void note(int signal) {
  (void)signal;
  caught = 1;
  knock_every(KNOCK_NS);
}

static void knock(int signal) { (void)signal; }

/* No SA_RESTART: the read of the line is to end. */
static void handle(int signal, void (*with)(int)) {
  struct sigaction action = {.sa_handler = with};
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, NULL);
}

void interrupt_catch(void) {
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
  handle(SIGALRM, knock);
  has_timer = timer_create(CLOCK_MONOTONIC, &event, &knocking) == 0;
  handle(SIGINT, note);
}

bool interrupt_waiting(void) { return caught; }

bool interrupt_take(void) {
  bool was = caught;
  caught = 0;
  if (was) knock_every(0);
  return was;
}
