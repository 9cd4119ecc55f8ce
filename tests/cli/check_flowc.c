/* SPDX-License-Identifier: Apache-2.0 */
/* check_flowc.c -- flowc as a user meets it: help, messages, exit statuses, files; no model runs here (check_sample.c).
 */
#include "command_line.h"
#include "diag.h"
#include "run_suite.h"
#include "user.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- words ------------------------------------------------------------------------------------------------------- */

START_TEST(help_lists_every_verb) {
  static const char *const spelling[] = {"help", "--help", "-h"};
  Result result = flowc("%s", spelling[_i]);
  expect_code(result, 0);
  for (int v = 0; v < VERB_COUNT; v++) {
    char line[64];
    snprintf(line, sizeof line, "\n  flowc %s ", verbs[v].name);
    expect_in(result.out, line);
  }
  ck_assert_str_eq(result.err, "");
  result_free(&result);
}
END_TEST

START_TEST(help_of_a_verb_is_the_same_in_both_spellings) {
  Result one = flowc("help %s", verbs[_i].name), two = flowc("%s --help", verbs[_i].name);
  expect_code(one, 0);
  expect_code(two, 0);
  ck_assert_str_eq(one.out, two.out);
  expect_in(one.out, "Examples");
  result_free(&one);
  result_free(&two);
}
END_TEST

START_TEST(the_version_names_llvm_and_the_cpu) {
  Result result = flowc("--version");
  expect_code(result, 0);
  expect_in(result.out, "LLVM 19");
  expect_in(result.out, "CPU: x86-64-v");
  expect_in(result.out, "build: ");
  result_free(&result);
}
END_TEST

START_TEST(completion_scripts_are_valid_shell) {
  Result result = flowc("completion bash");
  expect_code(result, 0);
  char command[600];
  snprintf(command, sizeof command, "bash -n %s", scratch_file("completion", result.out));
  ck_assert_int_eq(system(command), 0);
  result_free(&result);
  result = flowc("completion fish");
  expect_code(result, 2);
  result_free(&result);
}
END_TEST

START_TEST(every_code_is_explained) {
  const char *code = diag_code_name((DiagCode)_i);
  Result result = flowc("explain %s", code);
  expect_code(result, 0);
  expect_in(result.out, code);
  ck_assert_msg(strlen(result.out) > 60, "%s", result.out);
  result_free(&result);
}
END_TEST

START_TEST(codes_are_found_in_other_spellings_and_unknown_ones_refused) {
  const char *code = diag_code_name((DiagCode)0);
  Result result = flowc("explain e%s", code + 1);
  expect_code(result, 0);
  result_free(&result);
  result = flowc("explain %s", code + 1);
  expect_code(result, 0);
  result_free(&result);
  result = flowc("explain E9999");
  expect_code(result, 2);
  expect_in(result.err, "there is no code `E9999`");
  result_free(&result);
}
END_TEST

/* ---- exit statuses ----------------------------------------------------------------------------------------------- */

static const struct {
  int code;
  const char *line, *words;
} wrong[] = {
    {2, "", "a verb is missing"},
    {2, "sampel m.flow", "did you mean `flowc sample`"},
    {2, "sample m.flow --stesp 5", "did you mean --steps"},
    {4, "m.flow -o m.so", "cannot open"},
    {4, "sample no_such_file.flow", "no_such_file.flow"},
    {4, "check no_such_file.flow", "no_such_file.flow"},
    {4, "inspect no_such_file.npy", "no_such_file.npy"},
    {4, "fmt no_such_file.flow", "no_such_file.flow"},
    {1, "inspect model.pt", "safetensors"},
    {1, "inspect model.zip", ".npz"},
    {2, "help smaple", "did you mean `sample`"},
};
START_TEST(what_is_wrong_has_its_exit_status_and_its_words) {
  Result result = flowc("%s", wrong[_i].line);
  expect_code(result, wrong[_i].code);
  expect_in(result.err, "flowc: error: ");
  expect_in(result.err, wrong[_i].words);
  ck_assert_str_eq(result.out, "");
  result_free(&result);
}
END_TEST

START_TEST(an_error_of_the_program_has_place_code_and_exit_status_1) {
  Result result = flowc("check %s", scratch_file("typo.flow", "field u(t, x: [2]) = tahn(x)\n"));
  expect_code(result, 1);
  expect_in(result.err, "typo.flow:1:22: error[E");
  expect_in(result.err, "tanh");
  result_free(&result);
}
END_TEST

START_TEST(errors_come_as_json_on_request) {
  Result result = flowc("check --json %s", scratch_file("typo.flow", "field u(t, x: [2]) = tahn(x)\n"));
  expect_code(result, 1);
  ck_assert_msg(result.err[0] == '[', "%s", result.err);
  result_free(&result);
}
END_TEST

START_TEST(colours_appear_when_forced_and_not_otherwise) {
  const char *path = scratch_file("typo.flow", "field u(t, x: [2]) = tahn(x)\n");
  Result result = flowc("check %s", path);
  ck_assert_msg(strchr(result.err, 27) == NULL, "%s", result.err);
  result_free(&result);
  result = flowc("check --color always %s", path);
  ck_assert_msg(strchr(result.err, 27) != NULL, "%s", result.err);
  result_free(&result);
}
END_TEST

/* ---- check and inspect ------------------------------------------------------------------------------------------- */

START_TEST(check_prints_signatures_and_ok) {
  Result result = flowc("check %s/moons.flow", examples());
  expect_code(result, 0);
  expect_in(result.out, "network v(t, x: [2]) -> [2]\n");
  expect_in(
      result.out,
      "flow moons: normal(2), velocity v, midpoint 100 steps, time 0 -> 1, weights moons.safetensors prefix net.\n");
  expect_in(result.out, "; 8 tensors of ");
  result_free(&result);
}
END_TEST

START_TEST(check_needs_no_weights) {
  const char *path = scratch_file(
      "model.flow", "network v(t, x: [2]) -> [2] = [t, x] |> linear 8 |> tanh |> linear 2\n"
                    "flow m { source normal(2)  velocity v  weights \"not_yet.safetensors\"  solver rk4 steps 10 }\n");
  Result result = flowc("check %s", path);
  expect_code(result, 0);
  expect_in(result.out, "the weights file is not there");
  result_free(&result);
}
END_TEST

/* A program with a layer and the given clauses of weights. */
static const char *weighted(const char *clause) {
  static char text[800];
  snprintf(text, sizeof text,
           "network v(t, x: [2]) -> [2] = [t, x] |> linear 2\n"
           "field u(t, x: [2]) = -x\n"
           "flow plain { source normal(2)  velocity u  solver rk4 steps 10 }\n"
           "flow other { source normal(2)  velocity v  %s  solver rk4 steps 10 }\n",
           clause);
  return scratch_file("weighted.flow", text);
}

static const struct {
  int code;
  const char *clause, *words;
} paths[] = {
    {1, "weights \"/tmp/w.safetensors\"", "are not below the program's folder"},
    {1, "weights \"../w.safetensors\"", "are not below the program's folder"},
    {1, "weights \"a/../w.safetensors\"", "are not below the program's folder"},
    {0, "weights \"not_yet.safetensors\"", "not_yet.safetensors"},
};
START_TEST(check_looks_at_the_weights_of_every_flow) {
  Result result = flowc("check %s", weighted(paths[_i].clause));
  expect_code(result, paths[_i].code);
  expect_in(result.err, paths[_i].words);
  expect_in(result.err, paths[_i].code ? "flowc: error: " : "flowc: warning: flow `other`: ");
  result_free(&result);
}
END_TEST

START_TEST(check_refuses_weights_that_are_a_link_out_of_the_folder) {
  char link[600];
  snprintf(link, sizeof link, "%s/link.safetensors", scratch());
  ck_assert_int_eq(symlink("/etc/passwd", link), 0);
  Result result = flowc("check %s", weighted("weights \"link.safetensors\""));
  expect_code(result, 1);
  expect_in(result.err, "a link out of the program's folder");
  unlink(link);
  result_free(&result);
}
END_TEST

START_TEST(a_skip_that_excuses_nothing_is_a_warning) {
  char weights[600];
  snprintf(weights, sizeof weights, "%s/moons.safetensors", examples());
  static const char *const skip[] = {"6.wieght", "net.6.wieght"};
  char text[800];
  snprintf(text, sizeof text,
           "network v(t, x: [2]) -> [2] = [t, x] |> linear 64 |> elu |> linear 64 |> elu |> linear 64 |> elu |> linear 2\n"
           "flow f { source normal(2)  velocity v  weights \"w\" prefix \"net.\"  skip \"%s\"  solver rk4 steps 10 }\n",
           skip[_i]);
  Result result = flowc("check %s --weights %s", scratch_file("skip.flow", text), weights);
  expect_code(result, 0);
  expect_in(result.err, "warning[W0502]: the weights file has no tensor `");
  expect_in(result.err, _i ? "did you mean 'net.6.weight'?" : "did you mean '6.weight'?");
  expect_in(result.out, "ok, 1 warning; ");
  result_free(&result);
}
END_TEST

START_TEST(check_takes_a_file_of_fields_without_a_flow) {
  Result result = flowc("check %s", scratch_file("fields.flow", "field u(t, x: [2]) = -x\nfield w(t, x: [3]) = t*x\n"));
  expect_code(result, 0);
  ck_assert_str_eq(result.out, "field u(t, x: [2]) -> [2]\nfield w(t, x: [3]) -> [3]\nok\n");
  result_free(&result);
}
END_TEST

static const char kinds[] =
    "map turn(t, x: [2]) = exp(t)*x\n"
    "  inverse(t, y) = exp(-t)*y\n"
    "density p(x: [2]) = -norm2(x)/2\n"
    "  draw z ~ normal(2): z\n"
    "network v(t, x: [2]) -> [2] = x |> linear 2\n"
    "field u(t, x: [2]) = -x\n"
    "flow a { source p  velocity of turn }\n"
    "flow b { source normal([0, 0], [[1, 0], [0, 2]])  velocity u  solver rk4 steps 5 }\n"
    "flow c { source normal(2)  velocity v  predicts data  path condot  time 0 -> 0.9  solver rk4 steps 5 }\n";
START_TEST(check_names_sources_and_velocities_of_all_kinds) {
  const char *path = scratch_file("kinds.flow", kinds);
  Result result = flowc("check %s", path);
  expect_code(result, 0);
  expect_in(result.out, "network v(t, x: [2]) -> [2]\nfield u(t, x: [2]) -> [2]\nflow a: density p, velocity of turn, ");
  expect_in(result.out, "\nflow b: normal in 2 dimensions with a covariance, velocity u, ");
  expect_in(result.out, "\nflow c: normal(2), velocity v, ");
  result_free(&result);
  result = flowc("check --json %s", path);
  expect_code(result, 0);
  expect_in(result.out, "\"source\": \"density\"");
  expect_in(result.out, "\"source\": \"gaussian\"");
  result_free(&result);
}
END_TEST

START_TEST(check_evaluates_claims) {
  Result result = flowc("check %s", scratch_file("claims.flow", "field u(t, x: [2]) = -x\ncheck \"wrong\": u(t, x) == 7*x\n"));
  expect_code(result, 3);
  expect_in(result.out, "  FAIL  wrong ");
  expect_in(result.out, "\n1 of ");
  result_free(&result);
  result = flowc("check --only types %s", scratch_file("claims.flow", "field u(t, x: [2]) = -x\ncheck \"wrong\": u(t, x) == 7*x\n"));
  expect_code(result, 0);
  result_free(&result);
}
END_TEST

START_TEST(check_fills_the_layers_of_all_flows) {
  Result result = flowc("check %s/digits.flow", examples());
  expect_code(result, 0);
  expect_in(result.out, "flow digits: ");
  expect_in(result.out, "flow guide: ");
  expect_in(result.out, "; the layers of 2 flows are filled\n");
  result_free(&result);
}
END_TEST

/* 2-64-64-64-2 of [t, x]: 64 by the time, 64 * 2 + 2 * 64^2 + 2 * 64 = 8448 by the state. */
START_TEST(inspect_tells_what_an_evaluation_costs_with_and_without_weights) {
  static const char text[] = "network v(t, x: [2]) -> [2] = [t, x] |> linear 64 |> silu |> linear 64 |> silu |> linear 64 |> silu |> linear 2\n"
                             "flow f { source normal(2)  velocity v  solver rk4 steps 4 }\n";
  Result result = flowc("inspect %s", scratch_file("unbound.flow", text));
  expect_code(result, 0);
  expect_in(result.out, "8706 weights");
  expect_in(result.out, "          64  multiply-adds of products once for each stage time\n");
  expect_in(result.out, "        8448  multiply-adds of products in every evaluation\n");
  result_free(&result);
}
END_TEST

START_TEST(inspect_takes_the_field_that_is_named) {
  const char *path = scratch_file("two.flow", "field a(t, x: [2]) = x\nfield b(t, x: [3]) = [[1, 2, 3], [4, 5, 6], [7, 8, 9]] @ x\n");
  Result result = flowc("inspect %s", path);
  expect_code(result, 2);
  expect_in(result.err, "choose one with --field NAME");
  result_free(&result);
  result = flowc("inspect %s --field b", path);
  expect_code(result, 0);
  expect_in(result.out, "           9  multiply-adds of products in every evaluation\n");
  result_free(&result);
  result = flowc("inspect %s/moons.safetensors --field v", examples());
  expect_code(result, 2);
  expect_in(result.err, "--field NAME chooses a field of a program");
  result_free(&result);
}
END_TEST

START_TEST(inspect_takes_the_flow_that_is_named) {
  Result result = flowc("inspect %s/digits.flow", examples());
  expect_code(result, 2);
  expect_in(result.err, "choose one with --flow NAME");
  result_free(&result);
  Result one = flowc("inspect %s/digits.flow --flow digits", examples());
  Result two = flowc("inspect %s/digits.flow --flow guide", examples());
  expect_code(one, 0);
  expect_code(two, 0);
  expect_in(one.out, "blocks.0.linear1.weight [256, 256]\n");
  ck_assert_str_ne(strstr(one.out, "cost of the velocity"), strstr(two.out, "cost of the velocity"));
  result_free(&one);
  result_free(&two);
  result = flowc("inspect %s/moons.safetensors --flow moons", examples());
  expect_code(result, 2);
  expect_in(result.err, "--skeleton");
  result_free(&result);
}
END_TEST

START_TEST(inspect_shows_the_binding_and_the_cost) {
  Result result = flowc("inspect %s/moons.flow", examples());
  expect_code(result, 0);
  expect_in(result.out, "net.0.weight [64, 3]\n");
  expect_in(result.out, "net.6.bias [2]\n");
  expect_in(result.out, "8706 weights"); /* 4*64 + 2*65*64 + 65*2 */
  result_free(&result);
}
END_TEST

START_TEST(inspect_lists_a_program_without_a_velocity) {
  static const struct { const char *text, *out; } programs[] = {
      {"", "nothing is defined here\n"},
      {"let a = 1\n", "let a\n"},
      {"fn f(x) = x\ncheck f(x) == x\n", "fn f(x)\ncheck f(x) == x\n"},
      {"map m(t, x: [2]) =\n  2*x\n", "map m(t, x: [2])\n"},
      {"density p(x: [2]) = -norm2(x)/2 - log(2*pi)\n", "density p(x: [2])\n"},
      {"field u(t, x: [n]) = x\n", "field u(t, x: [n])\n"},
  };
  for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
    const char *model = scratch_file("few.flow", programs[i].text);
    Result result = flowc("inspect %s", model), json = flowc("inspect %s --json", model);
    expect_code(result, 0);
    expect_code(json, 0);
    ck_assert_msg(strncmp(result.out, programs[i].out, strlen(programs[i].out)) == 0, "%s, not %s", result.out, programs[i].out);
    expect_in(json.out, i ? "\"definitions\": [\"" : "\"definitions\": []");
    expect_in(json.out, "\"tensors\": [], \"nodes\": 0, ");
    result_free(&result), result_free(&json);
  }
}
END_TEST

START_TEST(inspect_shows_type_shape_and_range_of_each_array) {
  Result result = flowc("inspect %s/moons.safetensors", examples());
  expect_code(result, 0);
  expect_in(result.out, "net.0.weight  F32   [64, 3]");
  expect_in(result.out, "8 arrays, 8706 numbers\n");
  expect_in(result.out, "NaN 0");
  result_free(&result);
  result = flowc("inspect --json %s/moons.safetensors", examples());
  expect_code(result, 0);
  expect_in(result.out, "{\"name\": \"net.2.bias\", \"type\": \"F32\", \"shape\": [64], \"least\": ");
  result_free(&result);
}
END_TEST

START_TEST(a_csv_is_inspected_and_drawn) {
  Result result = flowc("inspect --plot --ascii %s", scratch_file("points.csv", "x0,x1\n0,0\n1,1\n2,nan\n"));
  expect_code(result, 0);
  expect_in(result.out, "[3, 2]");
  expect_in(result.out, "NaN 1");
  expect_in(result.out, "1 of 3 points are not finite");
  result_free(&result);
}
END_TEST

START_TEST(the_skeleton_of_a_weights_file_is_a_program_that_fits_it) {
  Result result = flowc("inspect --skeleton %s/moons.safetensors", examples());
  expect_code(result, 0);
  expect_in(result.out, "|> linear 64 \"net.0\"    # 3 -> 64\n");
  char weights[600];
  snprintf(weights, sizeof weights, "%s/moons.safetensors", examples());
  Result again = flowc("check %s --only types --weights %s", scratch_file("skeleton.flow", result.out), weights);
  expect_code(again, 0);
  result_free(&result);
  result_free(&again);
}
END_TEST

/* ---- fmt --------------------------------------------------------------------------------------------------------- */

static const char untidy[] = "# a comment\nfield   u(t,x:[2])=[ x[1] ,-x[0]*2 ]   # another\n";

START_TEST(fmt_is_idempotent) {
  Result once = flowc("fmt %s", scratch_file("untidy.flow", untidy));
  expect_code(once, 0);
  expect_in(once.out, "# a comment\n");
  expect_in(once.out, "# another");
  Result twice = flowc("fmt %s", scratch_file("tidy.flow", once.out));
  expect_code(twice, 0);
  ck_assert_str_eq(once.out, twice.out);
  Result check = flowc("fmt --check %s/tidy.flow", scratch());
  expect_code(check, 0);
  result_free(&once);
  result_free(&twice);
  result_free(&check);
}
END_TEST

START_TEST(fmt_check_changes_nothing_and_says_which_file) {
  char path[512];
  snprintf(path, sizeof path, "%s", scratch_file("untidy.flow", untidy));
  Result result = flowc("fmt --check %s", path);
  expect_code(result, 1);
  expect_in(result.err, "untidy.flow");
  char *text = read_text(path, NULL);
  ck_assert_str_eq(text, untidy);
  free(text);
  result_free(&result);
}
END_TEST

START_TEST(fmt_w_writes_what_fmt_prints) {
  char path[512];
  snprintf(path, sizeof path, "%s", scratch_file("untidy.flow", untidy));
  Result printed = flowc("fmt %s", path), written = flowc("fmt -w %s", path);
  expect_code(written, 0);
  ck_assert_str_eq(written.out, "");
  char *text = read_text(path, NULL);
  ck_assert_str_eq(text, printed.out);
  free(text);
  result_free(&printed);
  result_free(&written);
}
END_TEST

START_TEST(fmt_leaves_a_broken_program_alone) {
  static const char broken[] = "field u(t, x: [2] = x\n";
  char path[512];
  snprintf(path, sizeof path, "%s", scratch_file("broken.flow", broken));
  Result result = flowc("fmt -w %s", path);
  expect_code(result, 1);
  expect_in(result.err, "error[E");
  char *text = read_text(path, NULL);
  ck_assert_str_eq(text, broken);
  free(text);
  result_free(&result);
}
END_TEST

START_TEST(the_examples_are_in_the_usual_form) {
  static const char *const name[] = {"moons", "rotation", "mixture"};
  Result result = flowc("fmt --check %s/%s.flow", examples(), name[_i]);
  expect_code(result, 0);
  result_free(&result);
}
END_TEST

/* ---- weights ----------------------------------------------------------------------------------------------------- */

/* A program one folder below the scratch folder, with weights named as given. */
static Result check_with_weights(const char *written) {
  char folder[512], path[600], text[2000];
  snprintf(folder, sizeof folder, "%s/inner", scratch());
  mkdir(folder, 0700);
  snprintf(text, sizeof text,
           "network v(t, x: [2]) -> [2] = [t, x] |> linear 2\n"
           "flow m { source normal(2)  velocity v  weights \"%s\"  solver rk4 steps 10 }\n",
           written);
  snprintf(path, sizeof path, "%s", scratch_file("inner/model.flow", text));
  return flowc("check %s", path);
}

static const char *const outside[] = {"../moons.safetensors", "/etc/passwd.safetensors", "a/../../moons.safetensors",
                                      ".."};
START_TEST(weights_outside_the_program_s_folder_are_refused) {
  Result result = check_with_weights(outside[_i]);
  expect_code(result, 1);
  expect_in(result.err, "not below the program's folder");
  result_free(&result);
}
END_TEST

START_TEST(a_link_out_of_the_folder_is_refused) {
  char link[512], target[600];
  snprintf(link, sizeof link, "%s/inner", scratch());
  mkdir(link, 0700);
  snprintf(link, sizeof link, "%s/inner/link.safetensors", scratch());
  snprintf(target, sizeof target, "%s/moons.safetensors", examples());
  ck_assert_int_eq(symlink(target, link), 0);
  Result result = check_with_weights("link.safetensors");
  expect_code(result, 1);
  expect_in(result.err, "link out of the program's folder");
  result_free(&result);
}
END_TEST

START_TEST(missing_tensors_are_told_with_exit_status_1) {
  char weights[600];
  snprintf(weights, sizeof weights, "%s/moons.safetensors", examples());
  const char *path = scratch_file("wide.flow", "network v(t, x: [2]) -> [2] = [t, x] |> linear 32 |> elu |> linear 2\n"
                                               "flow m { source normal(2)  velocity v  solver rk4 steps 10 }\n");
  Result result = flowc("check %s --weights %s", path, weights);
  expect_code(result, 1);
  expect_in(result.err, "net.");
  result_free(&result);
}
END_TEST

/* A path outside the folder, and a file that is not there: what it is, where it is named, and the option that helps. */
static const struct { const char *verb, *clauses; int code; const char *part[3]; } named[] = {
    {"sample %s -n 1", "source \"none.npy\"", 4, {"named.flow:4:8: cannot read the points of the source `none.npy`, that is /", "No such file or directory", "; --from FILE takes"}},
    {"compile %s -o m.so", "source \"none.npy\"", 4, {"cannot read the points of the source `none.npy`", "; --source embed=FILE takes", ""}},
    {"sample %s -n 1", "source \"../none.npy\"", 1, {":4:8: the points of the source `../none.npy` are not below", "and --from FILE takes them from anywhere", ""}},
    {"train %s -o w.safetensors", "source normal(2) train { data \"none.npy\" }", 4, {":4:31: cannot read the data `none.npy`", "; --data FILE takes", ""}},
    {"train %s -o w.safetensors", "source normal(2) train { data \"/none.npy\" }", 1, {":4:31: the data `/none.npy` are not below", "and --data FILE takes", ""}},
    {"sample %s -n 1", "source normal(2) weights \"none.npz\"", 4, {":4:26: cannot read the weights `none.npz`", "; --weights FILE takes", ""}},
};

START_TEST(a_file_that_a_program_names_is_called_what_it_is) {
  char text[512];
  snprintf(text, sizeof text, "network v(t, x: [2]) -> [2] = [t, x] |> linear 2\nfield u(t, x: [2]) = -x\nflow f { velocity %s solver rk4 steps 2\n%s }\n", strstr(named[_i].clauses, "normal") ? "v" : "u", named[_i].clauses);
  const char *path = scratch_file("named.flow", text);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  Result result = flowc(named[_i].verb, path);
#pragma GCC diagnostic pop
  expect_code(result, named[_i].code);
  for (int i = 0; i < 3; i++) expect_in(result.err, named[_i].part[i]);
  result_free(&result);
}
END_TEST

/* The same numbers as under the flow itself, and not those of the other flow. */
START_TEST(a_field_has_the_weights_of_the_flow_that_uses_it) {
  const char *program = two_trained("field half(t, x: [2]) = vb(t, x)/2\n");
  Result by_name = flowc("eval %s --field vb --at 1,2", program), by_flow = flowc("eval %s --flow fb --at 1,2", program),
         other = flowc("eval %s --field va --at 1,2", program);
  expect_code(by_name, 0);
  ck_assert_str_eq(by_name.out, by_flow.out);
  ck_assert_str_ne(by_name.out, other.out);
  result_free(&by_flow), result_free(&other);
  by_flow = flowc("eval %s --field vb --flow fa --at 1,2", program);
  ck_assert_str_eq(by_name.out, by_flow.out);
  result_free(&by_name), result_free(&by_flow);
  Result part = flowc("eval %s --field half --at 1,2", program), drawn = flowc("plot %s vb", program), undrawn = flowc("plot %s va", program);
  expect_code(part, 0);
  expect_code(drawn, 0);
  ck_assert_str_ne(drawn.out, undrawn.out);
  result_free(&part), result_free(&drawn), result_free(&undrawn);
}
END_TEST

START_TEST(a_network_of_several_flows_or_of_none_is_refused_until_it_is_said_which) {
  const char *program = two_trained("field sum(t, x: [2]) = va(t, x) + vb(t, x)\n"
                                    "network v(t, x: [2]) -> [2] = [t, x] |> linear 8 |> tanh |> linear 2\n"
                                    "flow fc { source normal(2)  velocity va  weights \"c/w.safetensors\"  solver rk4 steps 5 }\n");
  static const struct { const char *options; int code; const char *part; } asked[] = {
      {"--field va", 2, "the flows `fa` and `fc` fill `va` with different weights; say which with --flow NAME"},
      {"--field va --flow fa", 0, ""},
      {"--field v", 2, "no flow uses the network `v`"},
      {"--field v --flow fa", 0, ""},
      {"--field sum", 2, "`va` has the weights of the flow `fa`, `vb` those of `fb`"},
  };
  for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
    Result result = flowc("eval %s %s --at 1,2", program, asked[i].options);
    expect_code(result, asked[i].code);
    expect_in(result.err, asked[i].part);
    result_free(&result);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("flowc");
  TCase *words = tcase_create("words"), *codes = tcase_create("exit statuses"),
        *looking = tcase_create("check and inspect"), *fmt = tcase_create("fmt"), *weights = tcase_create("weights");
  tcase_add_loop_test(words, help_lists_every_verb, 0, 3);
  tcase_add_loop_test(words, help_of_a_verb_is_the_same_in_both_spellings, 0, VERB_COUNT);
  tcase_add_test(words, the_version_names_llvm_and_the_cpu);
  tcase_add_test(words, completion_scripts_are_valid_shell);
  tcase_add_loop_test(words, every_code_is_explained, 0, DIAG_CODE_COUNT);
  tcase_add_test(words, codes_are_found_in_other_spellings_and_unknown_ones_refused);
  tcase_add_loop_test(codes, what_is_wrong_has_its_exit_status_and_its_words, 0, (int)(sizeof wrong / sizeof *wrong));
  tcase_add_test(codes, an_error_of_the_program_has_place_code_and_exit_status_1);
  tcase_add_test(codes, errors_come_as_json_on_request);
  tcase_add_test(codes, colours_appear_when_forced_and_not_otherwise);
  tcase_add_test(looking, check_prints_signatures_and_ok);
  tcase_add_test(looking, check_needs_no_weights);
  tcase_add_test(looking, inspect_shows_the_binding_and_the_cost);
  tcase_add_test(looking, inspect_lists_a_program_without_a_velocity);
  tcase_add_test(looking, inspect_shows_type_shape_and_range_of_each_array);
  tcase_add_test(looking, a_csv_is_inspected_and_drawn);
  tcase_add_loop_test(looking, check_looks_at_the_weights_of_every_flow, 0, sizeof paths / sizeof *paths);
  tcase_add_test(looking, check_refuses_weights_that_are_a_link_out_of_the_folder);
  tcase_add_loop_test(looking, a_skip_that_excuses_nothing_is_a_warning, 0, 2);
  tcase_add_test(looking, check_takes_a_file_of_fields_without_a_flow);
  tcase_add_test(looking, check_names_sources_and_velocities_of_all_kinds);
  tcase_add_test(looking, check_evaluates_claims);
  tcase_add_test(looking, check_fills_the_layers_of_all_flows);
  tcase_add_test(looking, inspect_takes_the_flow_that_is_named);
  tcase_add_test(looking, inspect_takes_the_field_that_is_named);
  tcase_add_test(looking, inspect_tells_what_an_evaluation_costs_with_and_without_weights);
  tcase_add_test(looking, the_skeleton_of_a_weights_file_is_a_program_that_fits_it);
  tcase_add_test(fmt, fmt_is_idempotent);
  tcase_add_test(fmt, fmt_check_changes_nothing_and_says_which_file);
  tcase_add_test(fmt, fmt_w_writes_what_fmt_prints);
  tcase_add_test(fmt, fmt_leaves_a_broken_program_alone);
  tcase_add_loop_test(fmt, the_examples_are_in_the_usual_form, 0, 3);
  tcase_add_loop_test(weights, weights_outside_the_program_s_folder_are_refused, 0,
                      (int)(sizeof outside / sizeof *outside));
  tcase_add_test(weights, a_link_out_of_the_folder_is_refused);
  tcase_add_test(weights, missing_tensors_are_told_with_exit_status_1);
  tcase_add_loop_test(weights, a_file_that_a_program_names_is_called_what_it_is, 0, (int)(sizeof named / sizeof *named));
  tcase_add_test(weights, a_field_has_the_weights_of_the_flow_that_uses_it);
  tcase_add_test(weights, a_network_of_several_flows_or_of_none_is_refused_until_it_is_said_which);
  TCase *all[] = {words, codes, looking, fmt, weights};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    tcase_set_timeout(all[i], 60);
    suite_add_tcase(suite, all[i]);
  }
  return run_suite(suite);
}
