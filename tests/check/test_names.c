/* SPDX-License-Identifier: Apache-2.0 */
/* test_names.c -- all errors in one run, one for each cause; suggestions; warnings; what hides what. */
#include <stdio.h>
#include <string.h>
#include "checking.h"

START_TEST(seven_errors_in_six_definitions_are_seven_messages) {
  expect_errors("let a = [1, 2] + [1, 2, 3]\n"
                "fn f(x) = y\n"
                "field u(t, x: [2]) = [x[2], x[3]]\n"
                "network v(t, x: [2]) -> [2] = t |> linear 2\n"
                "dim n = 1 / 2\n"
                "flow g { source normal(2)  velocity w  solver rk4 steps 20 }\n",
                "E0302 E0201 E0305 E0305 E0315 E0311 E0201");
} END_TEST

static const struct { const char *text, *codes; } cause[] = {
  /* a wrong constant silences everything that uses it */
  {"let a = [1, 2] + [1, 2, 3]\nlet b = a + 1\nlet c = b[7]\nfield u(t, x: [2]) = x + a\n", "E0302"},
  {"fn f(x) =\n  let a = unknown + x\n  let b = a*a\n  b + a\nlet c = f(1)\nlet d = f(2)\n", "E0201"},
  /* a generic function that is wrong is wrong once, for whatever shapes */
  {"fn f(v: [n]) = v[0] + [1, 2][3]\nlet a = f([1])\nlet b = f([1, 2])\nlet c = f([1, 2, 3])\n", "E0305"},
  {"dim n = 1 / 2\nlet v = for k < n: k\nfn f(x: [n]) = x\n", "E0311"},
  {"fn f(x) = g(x)\nfn g(x) = f(x)\nlet a = f(1)\nlet b = g(2)\n", "E0203"},
  {"field u(x: [2]) = -x\nflow f { source normal(2)  velocity u  solver rk4 steps 20 }\n", "E0208"},
  {"let a = 1\nlet a = 2\nlet b = a + a\n", "E0202"},
  {"let v = [1, 2]\nlet s = sum k: w[k]\n", "E0201"},
  {"let a = (b + b) * b - b\n", "E0201"},
  /* a size that can be none, whoever calls, and what is of that size */
  {"field u(t, x: [0]) = x\n", "E0311"},
  {"field u(t, x: [n], y: [1 - 2]) = x\nflow f { source normal(2)  velocity u  solver rk4 steps 2 }\n", "E0311"},
  {"fn f(x: [7/2], dim m) = sum(x)\nlet a = f([1, 2], 3)\n", "E0311"},
  {"network v(x: [n]) -> [99999999999] = x |> linear 2\n", "E0312"},
  {"dim n = 0\nfield u(t, x: [2, n]) = x\ncheck u(t, x) == 0\n", "E0311"},
  {"map m(t, x: [0]) = x\n  inverse(t, y) = y\nfield w = velocity of m\nflow f { source normal(2)  velocity of m }\ncheck m(t, x) == x\n", "E0311"},
  {"map m(t, x: [0]) = x\nfield w = velocity of m\ncheck inverse(m)(t, x) == x\n", "E0311"},
  {"density p(x: [0]) = 0\n  draw z ~ normal(2): z\nfield u(t, x: [n]) = x\ncheck continuity(p, u)\n", "E0311"},
  {"fn f(x: [2.5]) = x\n", "E0301"},
  /* what a syntax error swallowed is not unknown as well */
  {"let a = * 2\nlet b = a + 1\nfn f(x) = a*x\n", "E0101"},
};
START_TEST(one_cause_gives_one_error) { expect_errors(cause[_i].text, cause[_i].codes); } END_TEST

START_TEST(the_same_name_in_two_definitions_is_two_errors) {
  expect_errors("fn f(x) = q + q\nfn g(x) = q*q\n", "E0201 E0201");
} END_TEST

START_TEST(a_definition_that_nothing_calls_is_checked_for_names) {
  expect_errors("fn f(v: [n]) = dot(v, w)\nnetwork b(h: [n]) -> [n] = h |> linaer n\n", "E0201 E0201");
} END_TEST

START_TEST(a_number_that_is_no_size_may_be_a_dim) {
  expect_clean("dim first = 0\nfn f(x: [m]) = x[first]\ndim n = 0\nfn g(dim n, x: [n]) = x[0]\n");
} END_TEST

/* ---- what hides what ---- */
static const char *const hiding[] = {
  "fn relu(a) = 2*a\nlet b = relu(1)\n",                           /* the prelude's */
  "fn exp(a) = 2*a\nlet b = exp(1)\n",                             /* a builtin */
  "let pi = 3\nlet b = pi*2\n",
  "let s = 2\nfn f(s) = s*s\n",                                    /* a parameter hides a constant */
  "let s = [1, 2]\nfn f(t) =\n  let s = t\n  let s = s + 1\n  s*t\nlet a = f(2)\n",
  "let v = [1, 2]\nlet a = sum v: 2*w[v]\nlet w = [3, 4]\n",       /* a counter hides, and definitions stand in any order */
  "dim n = 3\nfn f(x: [n]) = x[2]\nlet a = f([1, 2, 3])\n",
  "field f(t, x: [2]) = -x\nflow f { source normal(2)  velocity f  solver rk4 steps 20 }\n",
};
START_TEST(an_inner_name_hides_an_outer_one) { expect_clean(hiding[_i]); } END_TEST

START_TEST(a_dim_in_a_parameters_shape_is_that_size) {
  expect_errors("dim n = 3\nfn f(x: [n]) = x\nlet a = f([1, 2])\n", "E0303");
} END_TEST

/* ---- suggestions ---- */
static uint32_t draw(uint32_t *state) { return (*state = *state * 1664525u + 1013904223u) >> 8; }

/* One letter changed, dropped, doubled, or swapped with the next. */
static void misspell(const char *word, uint32_t *state, char *to) {
  size_t length = strlen(word), at = draw(state) % (length - 1);
  uint32_t how = draw(state) % 4;
  strcpy(to, word);
  if (how == 0) to[at] = (char)('a' + draw(state) % 26);
  if (how == 1) memmove(to + at, to + at + 1, length - at);
  if (how == 2) memmove(to + at + 1, to + at, length - at + 1);
  if (how == 3) to[at] = word[at + 1], to[at + 1] = word[at];
}

START_TEST(nine_of_ten_typing_errors_are_recognised) {
  static const char *const word[] = {"rotate", "velocity_of_wind", "sqrt", "tanh", "softmax", "logsumexp", "sigmoid", "standardize",
                                     "softplus", "fourier", "sinusoid", "linear", "layer_norm", "embedding", "leaky_relu",
                                     "gelu_tanh", "mean", "norm2", "floor", "expm1"};
  uint32_t state = 20261125;
  int asked = 0, right = 0;
  while (asked < 50) {
    char wrong[64], text[512];
    const char *meant = word[draw(&state) % (sizeof word / sizeof *word)];
    misspell(meant, &state, wrong);
    snprintf(text, sizeof text, "fn rotate(x) = x\nfn velocity_of_wind(x) = x\nlet a = %s(1)\n", wrong);
    check_text(text);
    if (!run.diagnostics.errors || run.diagnostics.list[0].code != E0201) continue;     /* another word by chance */
    asked++;
    const char *fix = run.diagnostics.list[0].fix;
    right += fix && strcmp(fix, meant) == 0;
  }
  ck_assert_msg(right >= 45, "%d of %d", right, asked);
} END_TEST

START_TEST(a_name_like_no_other_gets_no_suggestion) {
  expect_said("let a = zzyzx\n", "t.flow:1:9: error[E0201]: nothing is called `zzyzx` here\n"
                                 "    1 | let a = zzyzx\n"
                                 "      |         ^~~~~\n");
} END_TEST

/* ---- warnings ---- */
START_TEST(a_let_that_nothing_uses_is_a_warning) {
  expect_said("fn f(x) =\n  let a = x\n  x + 1\n", "t.flow:2:7: warning[W0201]: nothing uses `a`\n"
                                                   "    2 |   let a = x\n"
                                                   "      |       ^\n");
} END_TEST

START_TEST(weights_that_nothing_reads_are_a_warning) {
  check_text("field u(t, x: [2]) = -x\n"
             "flow f { source normal(2)  velocity u  weights \"w.safetensors\"  solver rk4 steps 20 }\n");
  ck_assert_uint_eq(run.diagnostics.errors, 0);
  ck_assert_uint_eq(run.diagnostics.warnings, 1);
  ck_assert_int_eq(run.diagnostics.list[0].code, W0501);
} END_TEST

START_TEST(maps_densities_and_checks_are_looked_into) {
  expect_clean("density p(x: [2]) = -norm2(x)\n  draw z ~ normal(2): z\n"
               "map m(t, x: [2]) = x + t\n  inverse(t, y) = y - t\n"
               "field w = velocity of m\n"
               "field u(t, x: [2]) = -x\n"
               "check \"shrinks\": div(u)(t, x) == -2\n"
               "flow f { source p  velocity w }\n");
  ck_assert_uint_eq(run.program->flows, 1);
  ck_assert_uint_eq(run.program->densities, 1);
  ck_assert_uint_eq(run.program->maps, 1);
  ck_assert_uint_eq(run.program->checks, 1);
} END_TEST

void add_name_tests(TCase *tcase) {
  tcase_add_test(tcase, seven_errors_in_six_definitions_are_seven_messages);
  tcase_add_loop_test(tcase, one_cause_gives_one_error, 0, sizeof cause / sizeof *cause);
  tcase_add_test(tcase, the_same_name_in_two_definitions_is_two_errors);
  tcase_add_test(tcase, a_definition_that_nothing_calls_is_checked_for_names);
  tcase_add_test(tcase, a_number_that_is_no_size_may_be_a_dim);
  tcase_add_loop_test(tcase, an_inner_name_hides_an_outer_one, 0, sizeof hiding / sizeof *hiding);
  tcase_add_test(tcase, a_dim_in_a_parameters_shape_is_that_size);
  tcase_add_test(tcase, nine_of_ten_typing_errors_are_recognised);
  tcase_add_test(tcase, a_name_like_no_other_gets_no_suggestion);
  tcase_add_test(tcase, a_let_that_nothing_uses_is_a_warning);
  tcase_add_test(tcase, weights_that_nothing_reads_are_a_warning);
  tcase_add_test(tcase, maps_densities_and_checks_are_looked_into);
}
