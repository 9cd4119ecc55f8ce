/* SPDX-License-Identifier: Apache-2.0 */
#include "interrupt.h"
#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t caught; /* a signal handler can reach nothing but a global */

static void note(int signal) {
  (void)signal;
  caught = 1;
}

void interrupt_catch(void) {
  struct sigaction action = {.sa_handler = note}; /* no SA_RESTART: the read of the line ends */
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
}

bool interrupt_waiting(void) { return caught; }

bool interrupt_take(void) {
  bool was = caught;
  caught = 0;
  return was;
}
