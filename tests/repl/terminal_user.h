/* SPDX-License-Identifier: Apache-2.0 */
/* terminal_user.h -- a person at a terminal, by forkpty: types keys, waits for what must appear.
 *
 *   TerminalUser person = terminal_begin("repl examples/moons.flow", NULL);
 *   terminal_await(&person, "flow> ");
 *   terminal_type(&person, "1 + 1\r");
 *   terminal_await(&person, "2 : scalar");
 *   terminal_end(&person);                    Ctrl-D; the exit status
 *
 * What was awaited is taken off, so that each wait is for something new.  A wait fails the test after ten seconds. */
#ifndef FLOW_TESTS_REPL_TERMINAL_USER_H
#define FLOW_TESTS_REPL_TERMINAL_USER_H
#include <sys/types.h>

typedef struct TerminalUser {
  pid_t child;
  int terminal;
  char screen[1 << 16]; /* what has come and was not awaited yet */
  unsigned long length;
} TerminalUser;

/* In scratch(), with XDG_STATE_HOME below it; `path`: of programs, NULL for the usual. */
TerminalUser terminal_begin(const char *arguments, const char *path);
void terminal_type(TerminalUser *person, const char *keys);
void terminal_await(TerminalUser *person, const char *text);
/* Milliseconds from the keys to the text. */
double terminal_time(TerminalUser *person, const char *keys, const char *text);
int terminal_end(TerminalUser *person);

#endif
