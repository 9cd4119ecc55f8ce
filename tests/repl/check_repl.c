/* SPDX-License-Identifier: Apache-2.0 */
/* check_repl.c -- the prompt through a pipe. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "session.h"
#include "run_suite.h"
#include "sanitized.h"

/* The whole output of a session, and its exit status. */
static void expect(const char *input, int code, const char *output) {
  Result result = session(input);
  expect_code(result, code);
  ck_assert_str_eq(result.out, output);
  result_free(&result);
}

static void expect_part(const char *input, int code, const char *part) {
  Result result = session(input);
  expect_code(result, code);
  expect_in(result.out, part);
  result_free(&result);
}

/* ---- values ------------------------------------------------------------------------------------------------------- */

START_TEST(a_value_is_shown_with_its_type) {
  static const char *const shown[][2] = {
      {"1 + 1", "2 : scalar\n"},
      {"0.1 + 0.2", "0.30000000000000004 : scalar\n"},
      {"[1, 2.5]", "[1, 2.5] : [2]\n"},
      {"[[1, 2], [3, 4]] @ [1, 1]", "[3, 7] : [2]\n"},
      {"[[1, 2], [3, 4]]", "[[1, 2],\n [3, 4]] : [2, 2]\n"},
      {"1 < 2", "true : truth value\n"},
      {"not 1 < 2 or 3 == 4", "false : truth value\n"},
      {"log(0)", "-inf : scalar\n"},
      {"[0/0, -(0/0)]", "[nan, nan] : [2]\n"},
      {"for k < 3: k^2", "[0, 1, 4] : [3]\n"},
      {"-[1, 2]", "[-1, -2] : [2]\n"},
      {"gelu(0)", "0 : scalar\n"},
      {"for k < 200: k", "[0, 1, 2, 3, 4, ..., 198, 199] : [200]\n"},
  };
  expect(shown[_i][0], 0, shown[_i][1]);
}
END_TEST

START_TEST(derivatives_densities_maps_and_draws_are_evaluated) {
  expect("field u(t, x: [2]) = [-x[1], x[0]]\n"
         "map m(t, x: [2]) = exp(t)*x\n"
         "density p(x: [2]) = -norm2(x)/2\n"
         "u(0.5, [1, 0])\ndiv(u)(0, [0, 0])\njvp(u)(0, [1, 2]; [1, 1])\ngrad(p)([3, 4])\nm(0, [1, 2])\ninverse(m)(0, [1, 2])\np([1, 1])\n",
         0,
         "field u(t, x: [2]) -> [2]\nmap m(t, x: [2]) -> [2]\ndensity p(x: [2]) -> scalar\n"
         "[-0, 1] : [2]\n0 : scalar\n[-1, 1] : [2]\n[-3, -4] : [2]\n[1, 2] : [2]\n[1, 2] : [2]\n-1 : scalar\n");
}
END_TEST

/* The interpreter in f64 and compiled code in f64 are the same arithmetic. */
START_TEST(a_network_with_weights_has_the_value_that_eval_writes) {
  Result prompt = session(":load examples/moons.flow\nv(0.5, [0.25, -1])\n");
  Result verb = flowc("eval %s/moons.flow --at 0.25,-1 --time 0.5 --precision f64", examples());
  expect_code(prompt, 0);
  expect_code(verb, 0);
  double a[2], b[2];
  ck_assert_int_eq(sscanf(strchr(prompt.out, '['), "[2]) -> %*[^\n]\nflow moons\n[%lf, %lf]", &a[0], &a[1]), 2);
  ck_assert_int_eq(sscanf(verb.out, "u0,u1\n%lf,%lf", &b[0], &b[1]), 2);
  ck_assert_double_eq(a[0], b[0]);
  ck_assert_double_eq(a[1], b[1]);
  result_free(&prompt);
  result_free(&verb);
}
END_TEST

/* The numbers behind each "[" of a session's last lines are those of `flowc eval` with each flow. */
START_TEST(a_network_has_the_weights_of_the_flow_that_uses_it) {
  char input[2048], program[512];
  snprintf(program, sizeof program, "%s", two_trained(""));
  snprintf(input, sizeof input, ":set quiet\n:load %s\n:set precision f64\n:eval va 1,2\n:eval vb 1,2\n", program);
  Result verbs = session(input);
  expect_code(verbs, 0);
  double a[4], b[4];
  const char *at = strstr(verbs.out, "u0,u1\n"), *last = strstr(at + 1, "u0,u1\n");
  ck_assert_int_eq(sscanf(at, "u0,u1\n%lf,%lf", &a[0], &a[1]) + sscanf(last, "u0,u1\n%lf,%lf", &a[2], &a[3]), 4);
  snprintf(input, sizeof input, ":load %s\nva(0, [1, 2])\nvb(0, [1, 2])\n", program);
  Result values = session(input);
  expect_code(values, 0);
  at = strstr(values.out, "flow fb\n");
  ck_assert_int_eq(sscanf(at, "flow fb\n[%lf, %lf] : [2]\n[%lf, %lf]", &b[0], &b[1], &b[2], &b[3]), 4);
  for (int i = 0; i < 4; i++) ck_assert_double_eq(a[i], b[i]);
  ck_assert_double_ne(b[0], b[2]);
  result_free(&verbs), result_free(&values);
  snprintf(input, sizeof input, ":load %s\nva(0, [1, 2]) - vb(0, [1, 2])\n", program);
  expect_part(input, 2, "`va` has the weights of the flow `fa`, `vb` those of `fb`");
}
END_TEST

/* two_trained as two programs in folders of their own, each beside its weights. */
static void part_the_two(void) {
  two_trained("");
  scratch_file("a/one.flow", "network va(t, x: [2]) -> [2] = [t, x] |> linear 8 |> tanh |> linear 2\n"
                             "flow fa { source normal(2)  velocity va  weights \"w.safetensors\"  solver rk4 steps 5 } # the first\n");
  scratch_file("b/other.flow", "network vb(t, x: [2]) -> [2] = [t, x] |> linear 8 |> tanh |> linear 2\n"
                               "flow fb { source normal(2)  velocity vb  train { data \"x.npy\" }  weights \"w.safetensors\"  solver rk4 steps 5 }\n");
}

/* What `:load FILES` and then `input` print behind the echoes. */
static char *said_after(const char *files, const char *input) {
  char whole[1024];
  snprintf(whole, sizeof whole, ":load %s\nlet here = 1\n%s", files, input);
  Result result = session(whole);
  expect_code(result, 0);
  expect_in(result.out, "let here\n");
  const char *last = result.out; /* a file that was saved has it, too */
  for (const char *at = last; (at = strstr(at, "let here\n"));) last = at += 9;
  char *said = strdup(last);
  result_free(&result);
  return said;
}

#define BOTH "va(0, [1, 2])\nvb(0, [1, 2])\n:set quiet\n:sample fa -n 2 -o -\n:sample fb -n 2 -o -\n"

START_TEST(each_flow_finds_its_files_beside_its_own_program) {
  part_the_two();
  char *one_program = said_after("two.flow", BOTH), *two = said_after("a/one.flow b/other.flow", BOTH);
  ck_assert_str_eq(two, one_program);
  free(one_program), free(two);
  char *checked = said_after("a/one.flow b/other.flow", ":check --points 5\n");
  expect_in(checked, "; the layers of 2 flows are filled\n");
  free(checked);
}
END_TEST

START_TEST(what_is_saved_elsewhere_names_its_files_from_there) {
  part_the_two();
  free(said_after("a/one.flow b/other.flow", ":save all.flow\n"));
  char path[512];
  snprintf(path, sizeof path, "%s/all.flow", scratch());
  char *text = read_text(path, NULL), *before = said_after("two.flow", BOTH), *after = said_after("all.flow", BOTH);
  expect_in(text, "weights \"a/w.safetensors\"  solver rk4 steps 5 } # the first\n");
  expect_in(text, "train { data \"b/x.npy\" }  weights \"b/w.safetensors\"");
  ck_assert_str_eq(after, before);
  free(text), free(before), free(after);
}
END_TEST

START_TEST(a_path_that_no_program_there_may_name_is_a_warning_where_it_is_saved) {
  part_the_two();
  char *said = said_after("a/one.flow", ":save b/all.flow\n");
  expect_in(said, "warning: flow `fa`: the file of its `weights` is /");
  expect_in(said, "/a/w.safetensors, and b/all.flow can name only what is below its own folder; copy it there, or say --weights /");
  free(said);
  said = said_after("a/one.flow", ":save a/all.flow\n");
  ck_assert_str_eq(said, "3 definitions are in a/all.flow\n");
  free(said);
}
END_TEST

/* ---- definitions ---------------------------------------------------------------------------------------------------- */

START_TEST(a_definition_is_replaced_and_what_depends_on_it_sees_the_new_one) {
  expect("let a = 2\nfn f(x) = a*x\nf(3)\nlet a = 10\nf(3)\n", 0, "let a\nfn f\n6 : scalar\nlet a\n30 : scalar\n");
}
END_TEST

START_TEST(a_definition_that_would_break_another_is_refused_and_the_old_one_stays) {
  Result result = session("field u(t, x: [2]) = x\nfield w(t, x: [2]) = u(t, x)\nfield u(t, x: [3]) = x\nw(0, [1, 2])\n");
  expect_code(result, 1);
  expect_in(result.out, "error[E0303]: `u` takes [3] as `x`, and this is [2]");
  expect_in(result.out, "<input>:1:12: note: `x` is declared here");
  expect_in(result.out, "\n[1, 2] : [2]\n");
  result_free(&result);
}
END_TEST

START_TEST(an_error_points_into_what_was_typed) {
  expect("field u(t, x: [2]) = x\nu(0, [1, 2, 3])\n", 1,
         "field u(t, x: [2]) -> [2]\n"
         "<input>:1:6: error[E0303]: `u` takes [2] as `x`, and this is [3]\n"
         "    1 | u(0, [1, 2, 3])\n"
         "      |      ^~~~~~~~~\n"
         "<session>:1:12: note: `x` is declared here\n"
         "    1 | field u(t, x: [2]) = x\n"
         "      |            ^~~~~~\n");
}
END_TEST

START_TEST(an_unknown_name_is_an_error_and_no_free_name) { expect_part("sin(z)\n", 1, "error[E0201]: nothing is called `z` here"); }
END_TEST

START_TEST(a_definition_without_its_word_is_told_of_it) {
  expect_part("v(t, x) = -x\n", 1, "help: a definition begins with what it is");
  expect_part("a = 3\n", 1, "help: a definition begins with what it is");
}
END_TEST

START_TEST(an_input_goes_on_as_long_as_it_is_incomplete) {
  expect("field u(t, x: [2]) =\n  let a = 2*x\n  a\n"
         "let m = [[1, 2],\n  [3, 4]]\n"
         "u(0,\n  [1,\n 2])\n"
         "flow f {\n  source normal(2)\n  velocity u\n  solver rk4 steps 4\n}\n"
         "1 +\n2\n",
         0, "field u(t, x: [2]) -> [2]\nlet m\n[2, 4] : [2]\nflow f\n3 : scalar\n");
}
END_TEST

START_TEST(draw_and_inverse_belong_to_the_definition_above_them) {
  expect("density p(x: [1]) = -x[0]^2\ndraw z ~ normal(1): z\nmap m(t, x: [1]) = 2*x\n  inverse(t, y) = y/2\n:list p\n", 0,
         "density p(x: [1]) -> scalar\nmap m(t, x: [1]) -> [1]\ndensity p(x: [1]) = -x[0]^2\ndraw z ~ normal(1): z\n");
}
END_TEST

START_TEST(a_pasted_transcript_loses_its_prompts) {
  expect("flow> field u(t, x: [2]) =\n  ...   -x\nflow> u(0, [1, 2])\n", 0, "field u(t, x: [2]) -> [2]\n[-1, -2] : [2]\n");
}
END_TEST

START_TEST(comments_and_blank_lines_are_nothing) { expect("# a comment\n\n   \n1 # one\n", 0, "1 : scalar\n"); }
END_TEST

START_TEST(the_end_of_the_input_ends_an_incomplete_input_with_its_error) { expect_part("sin(1", 1, "error[E0102]: `(` is not closed"); }
END_TEST

/* ---- commands ------------------------------------------------------------------------------------------------------- */

START_TEST(a_session_is_saved_and_loaded_as_it_was) {
  Result result = session("# a rotation\nfield u(t, x: [2]) = [-x[1], x[0]] # left\n:save saved.flow\n:forget all\n:list\n:load saved.flow\n:list\n");
  expect_code(result, 0);
  ck_assert_str_eq(result.out, "field u(t, x: [2]) -> [2]\n1 definitions are in saved.flow\nnothing is defined yet\n"
                               "field u(t, x: [2]) -> [2]\nfield u(t, x: [2]) = [-x[1], x[0]] # left\n");
  result_free(&result);
}
END_TEST

START_TEST(what_is_set_reaches_every_command_that_has_the_option) {
  expect("field u(t, x: [1]) = -x\nflow f { source normal(1)  velocity u  solver euler steps 8 }\n"
         ":set precision f64\n:set steps 2\n:set quiet\n:sample --from 1 -o -\n",
         0, "field u(t, x: [1]) -> [1]\nflow f\nx0\n0.25\n");
}
END_TEST

START_TEST(a_command_that_is_written_wrong_says_what_would_have_been_right) {
  static const char *const wrong[][2] = {
      {":smaple", "there is no command `:smaple`; did you mean `:sample`?"},
      {":", "there is no command `:`"},
      {":save", "`:save` is written :save FILE"},
      {":set steps many", "--steps wants a whole number from 0 to 2^53, not `many`"},
      {":set stesp 5", "no command has an option --stesp; did you mean --steps?"},
      {":sample --stesp 5", "`flowc sample` has no option --stesp; did you mean --steps?"},
      {":load nowhere.flow", "nowhere.flow"},
      {":forget u", "nothing here is called `u`"},
      {":help sampel", "did you mean `sample`?"},
      {":sample 'a", "a quote is not closed"},
      {":emit", "`:emit` is written"},
      {":compile", "`:compile` is written :compile FILE.so [options]"},
      {":explain", "`:explain` is written :explain CODE"},
      {":plot nothing_here", "nothing here is called `nothing_here`"},
      {":set threads 0", "--threads wants 1 to 1024, not `0`"},
      {"1 + \xff", "<input>:1:5: error[E0001]"},
  };
  Result result = session(wrong[_i][0]);
  ck_assert_int_ne(result.code, 0);
  expect_in(result.out, wrong[_i][1]);
  result_free(&result);
}
END_TEST

START_TEST(every_command_has_help) {
  Result list = session(":help");
  expect_code(list, 0);
  char name[64];
  for (const char *at = list.out; (at = strstr(at, "\n  :")); at++) {
    char input[80];
    ck_assert_int_eq(sscanf(at, "\n  :%60[a-z]", name), 1);
    snprintf(input, sizeof input, "?%s", name);
    Result one = session(input);
    expect_code(one, 0);
    snprintf(input, sizeof input, ":%s ", name);
    expect_in(one.out, input);
    result_free(&one);
  }
  result_free(&list);
}
END_TEST

START_TEST(help_comes_from_the_tables_of_the_compiler) {
  static const char *const topic[][2] = {
      {"?tanh", "hyperbolic tangent"}, {"?jvp", "the Jacobian times v"}, {"?silu", "fn silu(a) = a * sigmoid(a)"}, {"?field", "a velocity field"},
      {"?E0303", "E0303"},             {"?rk4", "order 4"},              {"?source", "where samples come from"},     {"?--steps", "how many steps"},
      {"?linear", "weight [n, m]"},    {"?sample", "draw samples"},      {"?solvers", "dopri5"},                    {"?functions", "logsumexp"},
      {"?optimiser", "train { optimiser adam, adamw or sgd [RATE] }"}, {"?path", "train { path condot, vp or cosine }"}, {"?path", "linear(alpha, sigma)"},
      {"?train", "train { clip X }"},  {"?train", "flowc train MODEL.flow"}, {"?seed", "--seed N: "},
  };
  expect_part(topic[_i][0], 0, topic[_i][1]);
}
END_TEST

/* What stands behind "for example: " in the help of one name after the other, a line each. */
static void append_examples(const char *help, char *to, size_t room) {
  for (const char *at = help; (at = strstr(at, "for example: "));) {
    at += strlen("for example: ");
    for (const char *end = at + strcspn(at, "\n"); at < end;) {
      const char *gap = strstr(at, "   "), *until = gap && gap < end ? gap : end;
      size_t used = strlen(to);
      snprintf(to + used, room - used, "%.*s\n", (int)(until - at), at);
      at = until + strspn(until, " ");
    }
  }
}

START_TEST(what_help_gives_as_an_example_can_be_typed) {
  static const char topics[] = "?silu\n?gelu\n?softplus\n?exp\n?pow\n?min\n?max\n?sum\n?softmax\n?norm\n?dot\n?solve\n?logdet\n?one_hot\n?linear\n?layer_norm\n?embedding\n?param\n";
  char input[4096] = "";
  Result help = session(topics);
  append_examples(help.out, input, sizeof input);
  int lines = 0;
  for (const char *at = input; *at; at++) lines += *at == '\n';
  ck_assert_int_ge(lines, 26);
  Result result = session(input);
  expect_code(result, 0);
  result_free(&help);
  result_free(&result);
}
END_TEST

START_TEST(a_session_ends_at_quit_and_its_status_is_that_of_the_first_error) {
  expect("1\n:quit\n2\n", 0, "1 : scalar\n");
  expect_part("sin(\n:explain E9999\n", 1, "error");
  expect_part(":explain E9999\nsin(zz)\n", 2, "there is no code");
}
END_TEST

START_TEST(the_verbs_work_on_what_is_defined) {
  static const char *const verb[][2] = {
      {":check --points 10", "what should hold of flow `turn`"},
      {":check turn --only types", "flow turn: normal(2), velocity rotate"},
      {":emit ir", "function \"rotate\""},
      {":emit ast rotate", "rotate"},
      {":emit asm", "\n"},
      {":eval 1,0", "u0,u1\n"},
      {":eval rotate 1,0", "u0,u1\n"},
      {":logp 0.5,-1 --precision f64", "-2.4628"},
      {":sample -n 200", "┤"},
      {":sample turn -n 2 -o -", "x0,x1\n"},
      {":trajectory -n 5", "paths at 11 times"},
      {":bench -n 100 --rounds 7", "samples"},
      {":inspect", "flow turn"},
      {":weights", "cost of the velocity"},
      {":explain E0303", "E0303"},
      {":time rotate(0, [1, 0])", "ms to prepare"},
      {":type rotate(0, [1, 0])", "[2]\n"},
      {":type rotate", "field rotate(t, x: [2]) -> [2]"},
      {":plot", "┤"},
      {":plot rotate", "longest arrow"},
      {":plot sin(x)", "┤"},
      {":plot x*y --ascii", "contours every"},
  };
  char input[256];
  snprintf(input, sizeof input, ":load examples/rotation.flow\n%s\n", verb[_i][0]);
  expect_part(input, 0, verb[_i][1]);
}
END_TEST

/* ---- files and pictures ------------------------------------------------------------------------------------------------ */

START_TEST(a_picture_without_gnuplot_is_refused_in_words) {
  Result result = session_with("examples/rotation.flow", "PATH=/nowhere", ":plot rotate -o rotate.png\n:plot rotate --ascii\n");
  expect_code(result, 2);
  expect_in(result.out, "gnuplot draws pictures into files, and it is not installed");
  expect_in(result.out, "longest arrow");
  result_free(&result);
}
END_TEST

START_TEST(gnuplot_draws_into_the_file_whatever_its_name) {
  static const char *const name[] = {"a.png", "b.svg", "c'; system(\"touch hacked\") #.png", "d.pdf"};
  static const char *const what[] = {"rotate", "x*y", "sin(x)", "turn -n 50"};
  if (access("/usr/bin/gnuplot", X_OK) != 0) return;
  char input[256], path[512];
  snprintf(input, sizeof input, ":load examples/rotation.flow\n:set quiet\n:plot %s \"-o%s\"\n", what[_i], _i == 2 ? "c'; system(touch hacked) #.png" : name[_i]);
  Result result = session(input);
  expect_code(result, 0);
  snprintf(path, sizeof path, "%s/%s", scratch(), _i == 2 ? "c'; system(touch hacked) #.png" : name[_i]);
  struct stat state;
  ck_assert_msg(stat(path, &state) == 0 && state.st_size > 500, "%s", path);
  snprintf(path, sizeof path, "%s/hacked", scratch());
  ck_assert_int_ne(access(path, F_OK), 0);
  result_free(&result);
}
END_TEST

START_TEST(verbs_draw_pictures_into_files) {
  static const char *const line[][2] = {
      {":sample -n 50 -o s.png", "s.png"},
      {":trajectory -n 20 -o t.svg", "t.svg"},
      {":trajectory -n 20 -o t.gif", "t.gif"},
      {":logp --plot -o l.png --steps 4", "l.png"},
      {":plot turn --as histogram -n 100 -o h.pdf", "h.pdf"},
  };
  if (access("/usr/bin/gnuplot", X_OK) != 0) return;
  char input[256], path[512];
  snprintf(input, sizeof input, ":load examples/rotation.flow\n:set quiet\n%s\n", line[_i][0]);
  Result result = session(input);
  expect_code(result, 0);
  ck_assert_ptr_null(strstr(result.out, "warning"));
  ck_assert_ptr_null(strstr(result.out, "frames")); /* gnuplot's own words */
  snprintf(path, sizeof path, "%s/%s", scratch(), line[_i][1]);
  struct stat state;
  ck_assert_msg(stat(path, &state) == 0 && state.st_size > 500, "%s: %s", path, result.out);
  result_free(&result);
}
END_TEST

START_TEST(pairs_in_a_file_are_a_table_of_pictures) {
  if (access("/usr/bin/gnuplot", X_OK) != 0) return;
  Result result = session("field u(t, x: [3]) = -x\nflow f { source normal(3)  velocity u  solver rk4 steps 4 }\n:plot f -n 50 --as pairs -o pairs.svg\n");
  expect_code(result, 0);
  char path[512];
  snprintf(path, sizeof path, "%s/pairs.svg", scratch());
  char *picture = read_text(path, NULL);
  ck_assert_ptr_nonnull(picture);
  int plots = 0;
  for (const char *at = picture; (at = strstr(at, "id=\"gnuplot_plot_1")); at++) plots++;
  ck_assert_int_eq(plots, 9);
  free(picture);
  result_free(&result);
}
END_TEST

/* A stroke of the pen for each path: M, then L after L. */
START_TEST(paths_in_a_file_are_lines) {
  if (access("/usr/bin/gnuplot", X_OK) != 0) return;
  char input[256], path[512];
  snprintf(input, sizeof input, "field u(t, x: [%d]) = -x\nflow f { source normal(%d)  velocity u  solver rk4 steps 4 }\n:set quiet\n:trajectory -n 7 -o paths.svg\n",
           _i, _i);
  Result result = session(input);
  expect_code(result, 0);
  snprintf(path, sizeof path, "%s/paths.svg", scratch());
  char *picture = read_text(path, NULL);
  ck_assert_ptr_nonnull(picture);
  char *plot = strstr(picture, "id=\"gnuplot_plot_1\""), *lines = plot ? strstr(plot, "d='") : NULL, *end = lines ? strchr(lines + 3, '\'') : NULL;
  ck_assert_ptr_nonnull(end);
  int strokes = 0;
  for (char *at = lines; at < end; at++) strokes += *at == 'M';
  ck_assert_int_eq(strokes, 7);
  free(picture);
  result_free(&result);
}
END_TEST

START_TEST(a_picture_that_gnuplot_refuses_is_an_error_with_its_reason) {
  if (access("/usr/bin/gnuplot", X_OK) != 0) return;
  Result result = session(":plot 0*x/0 -o nothing.png\n");
  expect_code(result, 2);
  expect_in(result.out, "gnuplot did not draw it");
  expect_in(result.out, "undefined");
  result_free(&result);
}
END_TEST

START_TEST(a_file_that_is_not_there_is_no_formula) {
  expect(":plot samples.npy\n", 4, "flowc: error: samples.npy: cannot open: No such file or directory\n");
  Result result = session("field u(t, x: [2]) = x\n:save u\n:plot u --ascii\n"); /* a name is what it is called first */
  expect_code(result, 0);
  expect_in(result.out, "longest arrow");
  result_free(&result);
}
END_TEST

START_TEST(weights_that_cannot_be_read_are_not_kept) {
  expect_part(":weights nowhere.safetensors\n:set\n", 4, "nothing is set");
  expect_part(":weights examples/moons.safetensors\n", 0, "`:unset weights` goes back");
  expect_part(":weights examples/moons.safetensors\n:weights nowhere.safetensors\n:set\n", 4, "\n--weights examples/moons.safetensors\n");
}
END_TEST

/* Of a file, of a flow's samples, and of a formula, as text: the ends of the axes. */
static const struct { const char *input; int code; const char *part[3]; } windows[] = {
    {":plot p.csv --ascii --window -1:3,-2:4", 0, {"        4 |", "       -2 |", "           -1  "}},
    {":plot p.csv --ascii --window 0:9", 0, {"        9 |", "        0 |", "1 of 3 points lie outside"}},
    {":plot p.csv --ascii --as curve --window 0:1,-5:5", 0, {"        5 |", "       -5 |", ""}},
    {":plot p.csv --ascii --as histogram --window 0:10", 0, {"           0  ", " 10\n", "1 of 3 values lie outside"}},
    {":plot f --ascii --window -4:4,-2:2", 0, {"        2 |", "       -2 |", "           -4  "}},
    {":plot sin(x) --ascii --window 0:6,-2:2", 0, {"        2 |", "       -2 |", ""}},
    {":plot p.csv --window 3:-1", 2, {"--window wants A:B or A:B,C:D with A < B", "", ""}},
    {":plot f --window 3:-1", 2, {"--window wants A:B or A:B,C:D with A < B", "", ""}},
    {":plot u --window 3:-1", 2, {"--window wants A:B or A:B,C:D with A < B", "", ""}},
    {":plot p.csv --as pairs --window 0:1", 2, {"--window is for one pair of axes", "", ""}},
    {":plot p.csv --as histogram --window 0:1,0:1", 2, {"the counts fit themselves", "", ""}},
};

START_TEST(a_picture_spans_the_window_that_is_said) {
  char input[512];
  scratch_file("p.csv", "x,y\n-0.5,1\n0.5,2\n1,3\n");
  snprintf(input, sizeof input, "field u(t, x: [2]) = -x\nflow f { source normal(2)  velocity u  solver rk4 steps 2 }\n%s\n", windows[_i].input);
  Result result = session(input);
  expect_code(result, windows[_i].code);
  for (int i = 0; i < 3; i++) expect_in(result.out, windows[_i].part[i]);
  result_free(&result);
}
END_TEST

START_TEST(a_type_is_that_of_the_value_and_changes_nothing) {
  expect("let a = [1, 2]\ndim n = 3\nfn f(x) = 2*x\n:type a\n:type n\n:type f\n:type f(a)\n", 0,
         "let a\ndim n\nfn f\n[2]\nscalar\nfn f\n[2]\n");
  part_the_two();
  char *before = said_after("a/one.flow b/other.flow", BOTH), *after = said_after("a/one.flow b/other.flow", ":type fa\n" BOTH);
  ck_assert_str_eq(after + strlen("flow fa\n"), before);
  free(before), free(after);
}
END_TEST

static const char *const unwritten[] = {"echo 1+1 | $flowc repl", "echo let a = 1 | $flowc repl", "echo :help | $flowc repl",
                                        "$flowc plot $tests/../examples/moons.flow v", "$flowc plot $tests/reference/files/f64.npy"};

/* Standard output is a disk that is full. */
START_TEST(what_could_not_be_written_is_an_error) {
  char command[1024];
  snprintf(command, sizeof command, "flowc=%s; tests=%s; %s > /dev/full 2> /dev/null", FLOWC, TESTS_DIR, unwritten[_i]);
  int state = system(command);
  ck_assert_msg(WIFEXITED(state) && WEXITSTATUS(state) == 4, "%s: %d", command, WEXITSTATUS(state));
}
END_TEST

START_TEST(log_p_of_a_flow_is_drawn_over_a_window) {
  expect_part(":load examples/rotation.flow\n:logp --ascii --steps 4 --window -2:2\n", 0, "greatest -1.8");
  expect_part("field u(t, x: [1]) = -x\nflow f { source normal(1)  velocity u  solver rk4 steps 4 }\n:logp --plot --ascii\n", 0, "***");
  expect_part(":load examples/rotation.flow\n:logp --plot -o l.npy\n", 2, "a picture is a .png");
}
END_TEST

START_TEST(files_are_drawn_as_they_are_wanted) {
  Result result = session(":load examples/rotation.flow\n:set quiet\n:sample -n 100 -o s.npy\n:plot s.npy\n:plot s.npy --as pairs\n"
                          ":plot s.npy --as histogram\n:plot s.npy --as curve\n");
  expect_code(result, 0);
  expect_in(result.out, "components 0 (to the right) and 1 (upwards)");
  result_free(&result);
}
END_TEST

/* ---- memory ------------------------------------------------------------------------------------------------------------- */

/* 64 MiB for 10,000 evaluations are 12.8 for 2,000; the program's own size is what the first of the two sessions needs. */
START_TEST(evaluations_leave_no_memory_behind) {
  if (UNDER_ADDRESS_SANITIZER || UNDER_THREAD_SANITIZER) return; /* a sanitizer keeps what was freed */
  enum { EVALUATIONS = 2000 };
  char *input = malloc(EVALUATIONS * 24 + 64), *to = input;
  Result few = session("field u(t, x: [2]) = x\nu(0, [1, 2])\n");
  long before = session_memory();
  to += sprintf(to, "field u(t, x: [2]) = x\n");
  for (int i = 0; i < EVALUATIONS; i++) to += sprintf(to, i % 100 ? "u(0, [1, %d])\n" : "let a = %d\n", i);
  Result many = session(input);
  expect_code(few, 0);
  ck_assert_int_eq(many.code, 0);
  ck_assert_msg(session_memory() - before <= 64 * 1024 / 5, "%ld KiB more", session_memory() - before);
  result_free(&few);
  result_free(&many);
  free(input);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("repl");
  TCase *values = tcase_create("values"), *definitions = tcase_create("definitions"), *commands = tcase_create("commands"), *memory = tcase_create("memory");
  tcase_set_timeout(commands, 120);
  tcase_set_timeout(memory, 600);
  tcase_add_loop_test(values, a_value_is_shown_with_its_type, 0, 13);
  tcase_add_test(values, derivatives_densities_maps_and_draws_are_evaluated);
  tcase_add_test(values, a_network_with_weights_has_the_value_that_eval_writes);
  tcase_add_test(values, a_network_has_the_weights_of_the_flow_that_uses_it);
  tcase_add_test(values, each_flow_finds_its_files_beside_its_own_program);
  tcase_add_test(values, what_is_saved_elsewhere_names_its_files_from_there);
  tcase_add_test(values, a_path_that_no_program_there_may_name_is_a_warning_where_it_is_saved);
  suite_add_tcase(suite, values);
  tcase_add_test(definitions, a_definition_is_replaced_and_what_depends_on_it_sees_the_new_one);
  tcase_add_test(definitions, a_definition_that_would_break_another_is_refused_and_the_old_one_stays);
  tcase_add_test(definitions, an_error_points_into_what_was_typed);
  tcase_add_test(definitions, an_unknown_name_is_an_error_and_no_free_name);
  tcase_add_test(definitions, a_definition_without_its_word_is_told_of_it);
  tcase_add_test(definitions, an_input_goes_on_as_long_as_it_is_incomplete);
  tcase_add_test(definitions, draw_and_inverse_belong_to_the_definition_above_them);
  tcase_add_test(definitions, a_pasted_transcript_loses_its_prompts);
  tcase_add_test(definitions, comments_and_blank_lines_are_nothing);
  tcase_add_test(definitions, the_end_of_the_input_ends_an_incomplete_input_with_its_error);
  suite_add_tcase(suite, definitions);
  tcase_add_test(commands, a_session_is_saved_and_loaded_as_it_was);
  tcase_add_test(commands, what_is_set_reaches_every_command_that_has_the_option);
  tcase_add_loop_test(commands, a_command_that_is_written_wrong_says_what_would_have_been_right, 0, 16);
  tcase_add_test(commands, every_command_has_help);
  tcase_add_loop_test(commands, help_comes_from_the_tables_of_the_compiler, 0, 18);
  tcase_add_test(commands, what_help_gives_as_an_example_can_be_typed);
  tcase_add_test(commands, a_session_ends_at_quit_and_its_status_is_that_of_the_first_error);
  tcase_add_loop_test(commands, the_verbs_work_on_what_is_defined, 0, 22);
  tcase_add_test(commands, a_picture_without_gnuplot_is_refused_in_words);
  tcase_add_loop_test(commands, gnuplot_draws_into_the_file_whatever_its_name, 0, 4);
  tcase_add_loop_test(commands, verbs_draw_pictures_into_files, 0, 5);
  tcase_add_test(commands, pairs_in_a_file_are_a_table_of_pictures);
  tcase_add_loop_test(commands, paths_in_a_file_are_lines, 1, 3);
  tcase_add_test(commands, a_picture_that_gnuplot_refuses_is_an_error_with_its_reason);
  tcase_add_test(commands, a_file_that_is_not_there_is_no_formula);
  tcase_add_test(commands, weights_that_cannot_be_read_are_not_kept);
  tcase_add_loop_test(commands, a_picture_spans_the_window_that_is_said, 0, (int)(sizeof windows / sizeof *windows));
  tcase_add_test(commands, a_type_is_that_of_the_value_and_changes_nothing);
  tcase_add_loop_test(commands, what_could_not_be_written_is_an_error, 0, (int)(sizeof unwritten / sizeof *unwritten));
  tcase_add_test(commands, log_p_of_a_flow_is_drawn_over_a_window);
  tcase_add_test(commands, files_are_drawn_as_they_are_wanted);
  suite_add_tcase(suite, commands);
  tcase_add_test(memory, evaluations_leave_no_memory_behind);
  suite_add_tcase(suite, memory);
  return run_suite(suite);
}
