/* SPDX-License-Identifier: Apache-2.0 */
/* check_interactions.c -- what a person tries in the first hour, twenty things in order; each test is one of them, and its name says
 * what must come of it.  Of the last, only what there is: no editor has highlighting or live errors yet, and no verb writes a
 * report of a defect. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "session.h"
#include "run_suite.h"
#include "terminal_user.h"

/* `flowc words`, which must end with `code` and say each of the parts (NULL behind the last). */
static void expect_said(Result result, int code, const char *const *part) {
  expect_code(result, code);
  for (; *part; part++)
    ck_assert_msg(strstr(result.out, *part) || strstr(result.err, *part), "`%s` is not in: %s\n%s", *part, result.out, result.err);
  result_free(&result);
}
#define SAID(...) ((const char *const[]){__VA_ARGS__, NULL})

static const char moons[] = TESTS_DIR "/../examples/moons.flow";

START_TEST(i01_the_version_tells_compiler_and_processor) { expect_said(flowc("--version"), 0, SAID("flowc ", "LLVM", "CPU: x86-64-v")); }
END_TEST

START_TEST(i02_flowc_alone_has_a_banner_and_a_prompt_with_a_hint) {
  TerminalUser person = terminal_begin("", NULL);
  terminal_await(&person, ":help or ?NAME for help");
  terminal_await(&person, "flow> ");
  ck_assert_int_eq(terminal_end(&person), 0);
  expect_said(session("1 + 1\n"), 0, SAID("2 : scalar")); /* a script */
}
END_TEST

/* tests/cli/check_help_examples.c runs them, of every verb. */
START_TEST(i03_the_help_of_a_verb_has_examples) { expect_said(flowc("help sample"), 0, SAID("Examples", "flowc sample examples/moons.flow -n 10000 --plot")); }
END_TEST

START_TEST(i04_the_shell_and_the_prompt_complete) {
  expect_said(flowc("completion bash"), 0, SAID("repl", "--solver"));
  expect_said(flowc("completion zsh"), 0, SAID("repl"));
  if (strcmp(FLOW_LINE_EDITOR, "none") == 0) return;
  TerminalUser person = terminal_begin("repl -q", NULL);
  terminal_await(&person, "flow> ");
  terminal_type(&person, "let \\sigm\t = 2\r");
  terminal_await(&person, "σ");
  terminal_await(&person, "flow> ");
  ck_assert_int_eq(terminal_end(&person), 0);
}
END_TEST

START_TEST(i05_a_field_is_echoed_with_its_shapes_and_the_time_it_took) {
  TerminalUser person = terminal_begin("repl", NULL);
  terminal_await(&person, "flow> ");
  terminal_type(&person, "field v(t, x: [2]) = [-x[1], x[0]]\r");
  terminal_await(&person, "field v(t, x: [2]) -> [2]    ");
  terminal_await(&person, " ms");
  terminal_await(&person, "flow> ");
  ck_assert_int_eq(terminal_end(&person), 0);
}
END_TEST

/* A transcript of twenty lines, as a terminal marks what is pasted: nothing runs before Enter, and then all of it does. */
START_TEST(i06_a_pasted_program_with_prompts_is_one_text) {
  if (strcmp(FLOW_LINE_EDITOR, "none") == 0) return;
  TerminalUser person = terminal_begin("repl -q", NULL);
  terminal_await(&person, "flow> ");
  terminal_type(&person, "\033[200~flow> # a mixture of two\rflow> let mu = [[-2, 0],\r  ...           [2, 1]]\rflow> let s = 0.5\r"
                         "flow> field u(t, x: [2]) =\r  ...   let var = (1 - t)^2 + (s*t)^2\r  ...   let w = softmax(for k:\r"
                         "  ...     -norm2(x - t*mu[k])\r  ...     / (2*var))\r  ...   let a = (s^2*t - (1 - t)) / var\r"
                         "  ...   sum k:\r  ...     w[k] * (mu[k]\r  ...             + a*(x - t*mu[k]))\rflow> flow m {\r  ...   source normal(2)\r"
                         "  ...   velocity u\r  ...   solver rk4 steps 50\r  ... }\rflow> u(0, [0, 0])\rflow> 20 + 1\r\033[201~");
  terminal_await(&person, "20 + 1");
  ck_assert_ptr_null(strstr(person.screen, "scalar"));
  terminal_type(&person, "\r");
  terminal_await(&person, "[0, 0.5] : [2]");
  terminal_await(&person, "21 : scalar");
  terminal_await(&person, "flow> ");
  ck_assert_int_eq(terminal_end(&person), 0);
}
END_TEST

START_TEST(i06_a_pasted_program_with_prompts_is_taken_as_it_was_meant) {
  expect_said(session("flow> let mu = [[-2, 0], [2, 1]]\nflow> let s = 0.5\nflow> field u(t, x: [2]) =\n  ...   let var = (1 - t)^2 + (s*t)^2\n"
                      "  ...   let w = softmax(for k: -norm2(x - t*mu[k]) / (2*var))\n  ...   let a = (s^2*t - (1 - t)) / var\n"
                      "  ...   sum k: w[k] * (mu[k] + a*(x - t*mu[k]))\nflow> flow m { source normal(2)  velocity u  solver rk4 steps 50 }\n"
                      "flow> u(0, [0, 0])\n"),
              0, SAID("field u(t, x: [2]) -> [2]\nflow m\n[0, 0.5] : [2]\n"));
}
END_TEST

START_TEST(i07_a_typing_error_is_shown_with_what_was_meant_and_its_code_is_explained) {
  expect_said(session("field u(t, x: [2]) = tahn(x)\n"), 1, SAID("<input>:1:22: error[E0201]", "^~~~", "did you mean `tanh`?"));
  expect_said(session(":smaple\n"), 2, SAID("did you mean `:sample`?"));
  expect_said(session(":explain E0201\n"), 0, SAID("E0201: "));
}
END_TEST

START_TEST(i08_shapes_that_do_not_meet_are_shown_both_with_their_origins) {
  expect_said(session("field u(t, x: [2]) = x + [1, 2, 3]\n"), 1, SAID("error[E0302]", "[2] and [3]", "note: [2] comes from here", "note: this is [3]"));
}
END_TEST

START_TEST(i09_help_at_the_prompt_needs_no_network) {
  expect_said(session("?linear\n?layer_norm\n:help sample\n?silu\n"), 0, SAID("weight [n, m]", "Examples", "fn silu(a) = a * sigmoid(a)"));
}
END_TEST

START_TEST(i10_a_field_is_drawn_in_the_terminal_and_without_gnuplot_that_is_said) {
  expect_said(session("field v(t, x: [2]) = x\n:plot v\n"), 0, SAID("⣀", "longest arrow"));
  expect_said(session_with(NULL, "PATH=/nowhere", "field v(t, x: [2]) = x\n:plot v -o v.png\n"), 2, SAID("it is not installed", "without -o the picture is text", "longest arrow"));
}
END_TEST

START_TEST(i11_what_pytorch_saved_is_listed_with_ranges_and_nans) {
  expect_said(flowc("inspect %s/moons.safetensors", examples()), 0, SAID("net.0.weight", "[64, 3]", "NaN 0"));
  char *readme = read_text(TESTS_DIR "/../README.md", NULL);
  expect_in(readme, "save_file(model.state_dict(), \"model.safetensors\")");
  free(readme);
}
END_TEST

START_TEST(i12_weights_that_do_not_fit_are_shown_beside_the_layers) {
  char input[600];
  snprintf(input, sizeof input,
           "network v(t, x: [2]) -> [2] =\n  [t, x] |> linear 32 |> elu |> linear 2\nflow m { source normal(2)  velocity v  solver rk4 steps 4 }\n:weights %s/moons.safetensors\n:sample -n 4\n",
           examples());
  expect_said(session(input), 1, SAID("error[E0903]", "program", "file", "another shape", "not used"));
}
END_TEST

START_TEST(i13_a_pickle_is_not_opened_and_the_way_out_is_told) {
  expect_said(flowc("inspect %s", scratch_file("model.pt", "not opened")), 1, SAID("pickled files can run programs", "from safetensors.torch import save_file"));
}
END_TEST

START_TEST(i14_samples_come_with_a_summary_and_the_same_bits_on_any_threads) {
  Result one = flowc("sample %s -n 500 --seed 1 --threads 1", moons), many = flowc("sample %s -n 500 --seed 1 --threads 4", moons);
  ck_assert_str_eq(one.out, many.out);
  expect_in(one.err, "500 samples in");
  expect_in(one.err, "0 failed");
  result_free(&one), result_free(&many);
}
END_TEST

START_TEST(i15_a_file_for_numpy_comes_with_the_line_that_loads_it) {
  expect_said(session(":load examples/moons.flow\n:sample -n 100 -o x.npy\n:inspect x.npy\n"), 0, SAID("in Python: numpy.load(\"x.npy\")", "[100, 2]"));
}
END_TEST

START_TEST(i16_a_log_likelihood_says_how_sure_it_is) {
  expect_said(session(":load examples/moons.flow\n:sample -n 50 -o data.npy\n:logp data.npy --bits -o l.npy\n:logp data.npy --trace hutchinson -o h.npy\n"), 0,
              SAID("mean NLL", "+-", "exact trace", "bits per dimension", "round-trip error"));
}
END_TEST

START_TEST(i17_a_solve_that_fails_names_samples_time_and_place) {
  expect_said(session("field u(t, x: [2]) = [log(x[0] - 3*t), x[1]]\nflow f { source normal(2)  velocity u  solver rk4 steps 20 }\n:sample -n 50 -o f.npy\n"), 3,
              SAID("50 of 50 samples failed", "sample 0 at t = ", "log of -", "log(x[0] - 3*t)"));
}
END_TEST

START_TEST(i18_a_model_becomes_a_library_with_examples_of_its_use) {
  expect_said(session(":load examples/rotation.flow\n:compile rotation.so\n"), 0, SAID("import flowrt"));
  char path[600];
  snprintf(path, sizeof path, "%s/rotation.h", scratch());
  ck_assert_int_eq(access(path, R_OK), 0);
}
END_TEST

/* A network is trained, stopped by Ctrl-C, goes on from its checkpoint, and its loss is drawn. */
START_TEST(i19_training_stops_at_ctrl_c_with_a_checkpoint_and_goes_on_from_there) {
  static const char program[] = "network v(t, x: [2]) -> [2] = [t, x] |> linear 16 |> silu |> linear 2\r";
  char path[600];
  expect_said(session(":load examples/rotation.flow\n:sample -n 300 -o data.npy\n"), 0, SAID("300 samples"));
  TerminalUser person = terminal_begin("repl", NULL);
  terminal_await(&person, "flow> ");
  terminal_type(&person, program);
  terminal_await(&person, " ms");
  terminal_await(&person, "flow> ");
  terminal_type(&person, "flow m { source normal(2)  velocity v  solver rk4 steps 10 }\r");
  terminal_await(&person, " ms");
  terminal_await(&person, "flow> ");
  terminal_type(&person, ":train data.npy -o w.safetensors --iterations 1e8 --batch 16 --log log.csv\r");
  terminal_await(&person, "\n");
  sleep(2);
  terminal_type(&person, "\003");
  terminal_await(&person, "stopped after iteration");
  terminal_await(&person, "flow> ");
  terminal_type(&person, ":train data.npy -o w.safetensors --iterations 1e8 --batch 16 --resume --log log.csv\r");
  terminal_await(&person, "goes on after iteration");
  sleep(2);
  terminal_type(&person, "\003");
  terminal_await(&person, "stopped after iteration");
  terminal_await(&person, "flow> ");
  ck_assert_int_eq(terminal_end(&person), 0);
  snprintf(path, sizeof path, "%s/log.csv", scratch());
  ck_assert_int_eq(access(path, R_OK), 0);
  expect_said(session(":plot log.csv --ascii\n"), 0, SAID("*", "+---"));
}
END_TEST

START_TEST(i20_a_program_is_formatted_checked_and_measured) {
  expect_said(flowc("fmt --check %s/rotation.flow", examples()), 0, SAID(""));
  expect_said(flowc("check %s/rotation.flow --points 20", examples()), 0, SAID("ok"));
  expect_said(flowc("bench %s/rotation.flow -n 100 --json", examples()), 0, SAID("{"));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("interactions");
  TCase *tcase = tcase_create("interactions");
  tcase_set_timeout(tcase, 120);
  tcase_add_test(tcase, i01_the_version_tells_compiler_and_processor);
  tcase_add_test(tcase, i02_flowc_alone_has_a_banner_and_a_prompt_with_a_hint);
  tcase_add_test(tcase, i03_the_help_of_a_verb_has_examples);
  tcase_add_test(tcase, i04_the_shell_and_the_prompt_complete);
  tcase_add_test(tcase, i05_a_field_is_echoed_with_its_shapes_and_the_time_it_took);
  tcase_add_test(tcase, i06_a_pasted_program_with_prompts_is_one_text);
  tcase_add_test(tcase, i06_a_pasted_program_with_prompts_is_taken_as_it_was_meant);
  tcase_add_test(tcase, i07_a_typing_error_is_shown_with_what_was_meant_and_its_code_is_explained);
  tcase_add_test(tcase, i08_shapes_that_do_not_meet_are_shown_both_with_their_origins);
  tcase_add_test(tcase, i09_help_at_the_prompt_needs_no_network);
  tcase_add_test(tcase, i10_a_field_is_drawn_in_the_terminal_and_without_gnuplot_that_is_said);
  tcase_add_test(tcase, i11_what_pytorch_saved_is_listed_with_ranges_and_nans);
  tcase_add_test(tcase, i12_weights_that_do_not_fit_are_shown_beside_the_layers);
  tcase_add_test(tcase, i13_a_pickle_is_not_opened_and_the_way_out_is_told);
  tcase_add_test(tcase, i14_samples_come_with_a_summary_and_the_same_bits_on_any_threads);
  tcase_add_test(tcase, i15_a_file_for_numpy_comes_with_the_line_that_loads_it);
  tcase_add_test(tcase, i16_a_log_likelihood_says_how_sure_it_is);
  tcase_add_test(tcase, i17_a_solve_that_fails_names_samples_time_and_place);
  tcase_add_test(tcase, i18_a_model_becomes_a_library_with_examples_of_its_use);
  tcase_add_test(tcase, i19_training_stops_at_ctrl_c_with_a_checkpoint_and_goes_on_from_there);
  tcase_add_test(tcase, i20_a_program_is_formatted_checked_and_measured);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
