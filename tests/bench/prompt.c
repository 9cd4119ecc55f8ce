/* SPDX-License-Identifier: Apache-2.0 */
/* prompt.c -- what a person waits for at the prompt, through a pseudo-terminal.
 *
 *   bench_prompt            one JSON line for each: milliseconds, the least and the median of the rounds
 *
 * Before an answer the line editor echoes the line, which counts.  Check runs it, since terminal_user.h asserts that what a person
 * waits for comes, though not when. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "terminal_user.h"
#include "user.h"

enum { ROUNDS = 15, STOPS = 5 };

static double milliseconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void report(const char *what, double *each, int rounds) {
  qsort(each, (size_t)rounds, sizeof *each, ascending);
  printf("{\"what\": \"%s\", \"ms\": {\"least\": %.1f, \"median\": %.1f}}\n", what, each[0], each[rounds / 2]);
  fflush(stdout);
}

static TerminalUser begin(const char *arguments) {
  TerminalUser person = terminal_begin(arguments, NULL);
  terminal_await(&person, "flow> ");
  return person;
}

static void time_start(void) {
  double each[ROUNDS];
  for (int i = 0; i < ROUNDS; i++) {
    double start = milliseconds();
    TerminalUser person = begin("repl");
    each[i] = milliseconds() - start;
    terminal_end(&person);
  }
  report("from the start to the prompt", each, ROUNDS);
}

static void time_line(const char *what, const char *arguments, const char *keys) {
  double each[ROUNDS];
  TerminalUser person = begin(arguments);
  for (int i = 0; i < ROUNDS; i++) each[i] = terminal_time(&person, keys, "flow> ");
  terminal_end(&person);
  report(what, each, ROUNDS);
}

static void time_stop(const char *what, const char *arguments, const char *keys) {
  double each[STOPS];
  TerminalUser person = begin(arguments);
  for (int i = 0; i < STOPS; i++) {
    struct timespec while_it_runs = {.tv_nsec = 500000000};
    terminal_type(&person, keys);
    terminal_await(&person, "\n");
    nanosleep(&while_it_runs, NULL);
    each[i] = terminal_time(&person, "\003", "flow> ");
  }
  terminal_end(&person);
  report(what, each, STOPS);
}

/* Each function calls the one before it twice: seconds of code generation. */
static const char *slow_program(void) {
  static char arguments[600];
  char text[2048], *to = text;
  to += sprintf(to, "fn f0(x) = sin(x*x + 1)\n");
  for (int i = 1; i <= 12; i++) to += sprintf(to, "fn f%d(x) = f%d(x) + f%d(x + 0.%d)*x\n", i, i - 1, i - 1, i);
  sprintf(to, "field slow(t, x: [1]) = f12(x)\n");
  snprintf(arguments, sizeof arguments, "repl -q %s", scratch_file("slow.flow", text));
  return arguments;
}

/* The person's waits are Check's assertions. */
START_TEST(what_a_person_waits_for_comes) {
  time_start();
  time_line("1 + 2", "repl", "1 + 2\r");
  time_line("a field of two numbers", "repl examples/rotation.flow", "rotate(0.5, [1, 0])\r");
  time_line("a mixture's divergence", "repl examples/mixture.flow", "div(u)(0.5, [1, 0])\r");
  time_line("a network of three layers of 64", "repl examples/moons.flow", "v(0.5, [1, 0])\r");
  time_line(":plot of a field", "repl examples/rotation.flow", ":plot rotate\r");
  time_stop("Ctrl-C in a solve", "repl examples/mixture.flow", ":sample -n 1e9\r");
  time_stop("Ctrl-C in a compilation", slow_program(), ":eval slow 1\r");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("prompt");
  TCase *tcase = tcase_create("times");
  tcase_add_test(tcase, what_a_person_waits_for_comes);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_set_fork_status(runner, CK_NOFORK);
  srunner_run_all(runner, CK_SILENT);
  if (srunner_ntests_failed(runner)) fputs("bench_prompt: the prompt did not answer in time\n", stderr);
  srunner_free(runner);
  return 0;
}
