/* SPDX-License-Identifier: Apache-2.0 */
/* check_terminal.c -- the prompt in a terminal: editing, history, completion, Ctrl-C. */
#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include "run_suite.h"
#include "terminal_user.h"
#include "user.h"

/* Stopping is promised within 200 ms; a machine that is busy with other tests gets ten times that before it counts as hung. */
enum { STOP_MS = 2000 };

static bool has_editor(void) { return strcmp(FLOW_LINE_EDITOR, "none") != 0; }

/* Ctrl-D means the end only where a line begins. */
static void leave(TerminalUser *person) {
  terminal_await(person, "flow> ");
  ck_assert_int_eq(terminal_end(person), 0);
}

static TerminalUser begin(const char *arguments) {
  TerminalUser person = terminal_begin(arguments, NULL);
  terminal_await(&person, "flow> ");
  return person;
}

START_TEST(flowc_alone_in_a_terminal_is_the_prompt_and_ctrl_d_ends_it) {
  TerminalUser person = terminal_begin("", NULL);
  terminal_await(&person, "flowc ");
  terminal_await(&person, "Ctrl-D ends");
  terminal_await(&person, "flow> ");
  terminal_type(&person, "1 + 1\r");
  terminal_await(&person, "2 : scalar");
  leave(&person);
}
END_TEST

START_TEST(an_incomplete_line_gets_a_prompt_of_its_own) {
  TerminalUser person = begin("repl");
  terminal_type(&person, "field u(t, x: [2]) =\r");
  terminal_await(&person, "  ... ");
  terminal_type(&person, "let a = 2\r");
  terminal_await(&person, "  ... ");
  terminal_type(&person, "a*x\r");
  terminal_await(&person, "field u(t, x: [2]) -> [2]");
  terminal_await(&person, " ms");
  terminal_await(&person, "flow> ");
  terminal_type(&person, "u(0, [1,\r");
  terminal_await(&person, "  ... ");
  terminal_type(&person, "2])\r");
  terminal_await(&person, "[2, 4] : [2]");
  leave(&person);
}
END_TEST

START_TEST(a_blank_line_ends_an_incomplete_input_with_its_error) {
  TerminalUser person = begin("repl");
  terminal_type(&person, "sin(1\r");
  terminal_await(&person, "  ... ");
  terminal_type(&person, "\r");
  terminal_await(&person, "is not closed");
  terminal_await(&person, "flow> ");
  ck_assert_int_eq(terminal_end(&person), 0);
}
END_TEST

START_TEST(ctrl_c_drops_the_line_and_the_session_stays) {
  TerminalUser person = begin("repl");
  terminal_type(&person, "let a = 7\r");
  terminal_await(&person, "let a");
  terminal_await(&person, "flow> ");
  terminal_type(&person, "this is nonsense");
  terminal_await(&person, "nonsense");
  terminal_type(&person, "\003");
  terminal_await(&person, "flow> ");
  terminal_type(&person, "field u(t,\r");
  terminal_await(&person, "  ... ");
  terminal_type(&person, "\003");
  terminal_await(&person, "flow> ");
  terminal_type(&person, "a + 1\r");
  terminal_await(&person, "8 : scalar");
  leave(&person);
}
END_TEST

START_TEST(ctrl_c_stops_a_solve_an_evaluation_and_a_measurement) {
  static const char *const work[] = {":sample -n 1e9\r", "((for k < 1500: for j < 1500: sin(k*j)) @ (for k < 1500: for j < 1500: cos(k*j)))[3][7]\r", ":bench -n 1e6\r", ":check --points 1e8\r"};
  TerminalUser person = begin("repl examples/mixture.flow");
  terminal_type(&person, work[_i]);
  terminal_await(&person, "\n");
  struct timespec while_it_runs = {.tv_nsec = 500000000};
  nanosleep(&while_it_runs, NULL);
  double took = terminal_time(&person, "\003", "flow> ");
  ck_assert_msg(took < STOP_MS, "%s was stopped after %g ms", work[_i], took);
  terminal_type(&person, "s + 1\r");
  terminal_await(&person, "1.5 : scalar");
  leave(&person);
}
END_TEST

/* Each function calls the one before it twice: seconds of code generation. */
START_TEST(ctrl_c_stops_a_compilation_and_what_was_defined_stays) {
  char text[2048], arguments[600], *to = text;
  to += sprintf(to, "fn f0(x) = sin(x*x + 1)\n");
  for (int i = 1; i <= 12; i++) to += sprintf(to, "fn f%d(x) = f%d(x) + f%d(x + 0.%d)*x\n", i, i - 1, i - 1, i);
  sprintf(to, "field slow(t, x: [1]) = f12(x)\nlet a = 7\n");
  snprintf(arguments, sizeof arguments, "repl -q %s", scratch_file("slow.flow", text));
  TerminalUser person = begin(arguments);
  terminal_type(&person, ":eval slow 1\r");
  terminal_await(&person, "\n");
  struct timespec while_it_runs = {.tv_nsec = 500000000};
  nanosleep(&while_it_runs, NULL);
  double took = terminal_time(&person, "\003", "flow> ");
  ck_assert_msg(took < STOP_MS, "it was stopped after %g ms", took);
  terminal_type(&person, "a + 1\r");
  terminal_await(&person, "8 : scalar");
  leave(&person);
}
END_TEST

START_TEST(history_is_private_and_comes_back_in_the_next_session) {
  if (!has_editor()) return;
  TerminalUser person = begin("repl");
  terminal_type(&person, "40 + 2\r");
  terminal_await(&person, "42 : scalar");
  leave(&person);
  char path[512];
  struct stat state;
  snprintf(path, sizeof path, "%s/state/flowc/history", scratch());
  ck_assert_int_eq(stat(path, &state), 0);
  ck_assert_uint_eq(state.st_mode & 07777, 0600);
  person = begin("repl");
  terminal_type(&person, "\033[A\r");
  terminal_await(&person, "42 : scalar");
  leave(&person);
}
END_TEST

START_TEST(tab_completes_from_the_tables_and_the_session) {
  static const struct {
    const char *typed, *added;
  } key[] = {
      {":traj\t", "ectory "},
      {":sample --so\t", "lver"},
      {":sample --solver mid\t", "point"},
      {":sample --precision f6\t", "4"},
      {":load examples/rot\t", "ation.flow"},
      {":load examples/moo\t", "ns.flow"},
      {":weights examples/moo\t", "ns.safetensors"},
      {":sample --weights examples/moo\t", "ns.safetensors"},
      {"flow m { weights \"examples/moo\t", "ns.safetensors"},
      {"flow m { source normal(2) solver dopr\t", "i5"},
      {"standar\t", "dize"},
      {"dens\t", "ity"},
      {"lin\t", "ear"},
      {"sinus\t", "oid"},
      {"1 + 2*standar\t", "dize"},
      {"digi\t", "ts"},
      {"\\alph\t", "α"},
      {"x\\_0\t", "₀"},
      {"param(128) \"blocks.0.linear_t.w\t", "eight"},
      {":help logsum\t", "exp"},
      {":set preci\t", "sion"},
      {":emit froz\t", "en"},
  };
  if (!has_editor()) return;
  TerminalUser person = begin("repl examples/digits.flow -q");
  terminal_type(&person, key[_i].typed);
  terminal_await(&person, key[_i].added);
  terminal_type(&person, "\003");
  terminal_await(&person, "flow> ");
  ck_assert_int_eq(terminal_end(&person), 0);
}
END_TEST

START_TEST(greek_letters_can_be_typed_and_deleted) {
  if (!has_editor()) return;
  TerminalUser person = begin("repl");
  terminal_type(&person, "let \\sigma\t = 3\r");
  terminal_await(&person, "let σ");
  terminal_await(&person, "flow> ");
  terminal_type(&person, "σx\177\r");
  terminal_await(&person, "3 : scalar");
  leave(&person);
}
END_TEST

START_TEST(a_pasted_program_is_taken_in_line_by_line) {
  TerminalUser person = begin("repl");
  terminal_type(&person, "let k = 3\rfield u(t, x: [2]) =\r  let a = k*t\r  [-a*x[1],\r   a*x[0]]\ru(1, [1, 0])\r");
  terminal_await(&person, "3] : [2]");
  leave(&person);
}
END_TEST

START_TEST(a_marked_paste_is_one_text_that_enter_takes_in) {
  if (!has_editor()) return;
  TerminalUser person = terminal_begin("repl", NULL);
  terminal_await(&person, "\033[?2004h"); /* the terminal is asked for the marks */
  terminal_type(&person, "\033[200~flow> let σ = 3\rflow> field u(t, x: [2]) =\r  ...   let a = σ*t\r\t[-a*x[1],\r   a*x[0]]\ru(1, [1, 0])\r\033[201~");
  terminal_await(&person, "u(1, [1, 0])");
  terminal_type(&person, " + [0, 0.5");
  terminal_await(&person, "0.5"); /* it can be edited, and nothing has run */
  ck_assert_ptr_null(strstr(person.screen, "scalar"));
  terminal_type(&person, "]\r");
  terminal_await(&person, "\033[?2004l"); /* no marks while something runs */
  terminal_await(&person, "let σ");
  terminal_await(&person, "field u(t, x: [2]) -> [2]");
  terminal_await(&person, "3.5] : [2]");
  leave(&person);
}
END_TEST

START_TEST(a_tab_that_is_pasted_completes_nothing) {
  if (!has_editor()) return;
  TerminalUser person = begin("repl");
  terminal_type(&person, "\033[200~sinus\t + 1\033[201~\r");
  terminal_await(&person, "nothing is called `sinus`");
  leave(&person);
}
END_TEST

START_TEST(ctrl_c_ends_a_paste_whose_end_is_lost) {
  if (!has_editor()) return;
  TerminalUser person = begin("repl");
  terminal_type(&person, "\033[200~let a = 3\r");
  terminal_type(&person, "\003");
  terminal_await(&person, "flow> ");
  terminal_type(&person, "2 + 2\r");
  terminal_await(&person, "4 : scalar");
  leave(&person);
}
END_TEST

START_TEST(pictures_and_paths_are_drawn_in_the_terminal) {
  TerminalUser person = begin("repl examples/rotation.flow");
  terminal_type(&person, ":plot rotate\r");
  terminal_await(&person, "longest arrow");
  terminal_await(&person, "flow> ");
  terminal_type(&person, ":sample -n 100\r");
  terminal_await(&person, "┤");
  terminal_await(&person, "100 samples in");
  terminal_await(&person, "flow> ");
  terminal_type(&person, ":trajectory -n 50\r"); /* it moves: a frame goes over the one before */
  terminal_await(&person, "t = 0 ");
  terminal_await(&person, "\033[");
  terminal_await(&person, "t = 1 ");
  terminal_await(&person, "50 samples at 41 times");
  terminal_await(&person, "flow> ");
  terminal_type(&person, ":sample -n 50 -o s.npy\r");
  terminal_await(&person, "flow> ");
  terminal_type(&person, ":plot s.npy --as pairs\r");
  terminal_await(&person, "components 0 (to the right) and 1 (upwards)");
  terminal_await(&person, "the next page");
  terminal_type(&person, "\r");
  terminal_await(&person, "component 1");
  leave(&person);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("terminal");
  TCase *tcase = tcase_create("terminal");
  tcase_set_timeout(tcase, 60);
  tcase_add_test(tcase, flowc_alone_in_a_terminal_is_the_prompt_and_ctrl_d_ends_it);
  tcase_add_test(tcase, an_incomplete_line_gets_a_prompt_of_its_own);
  tcase_add_test(tcase, a_blank_line_ends_an_incomplete_input_with_its_error);
  tcase_add_test(tcase, ctrl_c_drops_the_line_and_the_session_stays);
  tcase_add_loop_test(tcase, ctrl_c_stops_a_solve_an_evaluation_and_a_measurement, 0, 4);
  tcase_add_test(tcase, ctrl_c_stops_a_compilation_and_what_was_defined_stays);
  tcase_add_test(tcase, history_is_private_and_comes_back_in_the_next_session);
  tcase_add_loop_test(tcase, tab_completes_from_the_tables_and_the_session, 0, 22);
  tcase_add_test(tcase, greek_letters_can_be_typed_and_deleted);
  tcase_add_test(tcase, a_pasted_program_is_taken_in_line_by_line);
  tcase_add_test(tcase, a_marked_paste_is_one_text_that_enter_takes_in);
  tcase_add_test(tcase, a_tab_that_is_pasted_completes_nothing);
  tcase_add_test(tcase, ctrl_c_ends_a_paste_whose_end_is_lost);
  tcase_add_test(tcase, pictures_and_paths_are_drawn_in_the_terminal);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
