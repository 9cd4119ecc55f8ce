/* SPDX-License-Identifier: Apache-2.0 */
/* test_typos.c -- words of definitions and of flows with one letter wrong: each gets one error, which says what was meant. */
#include <stdio.h>
#include <string.h>
#include "checking.h"

static const char field[] = "field rotate(t, x: [2]) = [-x[1], x[0]]\n";

/* Programs around a word; %s stands for it. */
typedef struct Frame { const char *word, *text; } Frame;
static const Frame frame[] = {
  {"let", "%s scale = 2\n"},
  {"let", "fn twice(a) =\n  %s b = 2*a\n  b + a\n"},
  {"dim", "%s width = 2\n"},
  {"fn", "%s twice(a) = 2*a\nlet four = twice(2)\n"},
  {"field", "%s drift(t, x: [2]) = -x\nflow f { source normal(2)  velocity drift  solver rk4 steps 20 }\n"},
  {"network", "%s drift(t, x: [2]) -> [2] = x |> linear 2\nflow f { source normal(2)  velocity drift  weights \"w\"  solver rk4 steps 20 }\n"},
  {"map", "%s shear(t, x: [2]) = [x[0] + t*x[1], x[1]]\n"},
  {"density", "%s bell(x: [2]) = -norm2(x)/2\n"},
  {"check", "%s \"turns\": rotate(t, x) == [-x[1], x[0]]\n"},
  {"check", "%s rotate(t, x) == [-x[1], x[0]]\n"},
  {"flow", "%s turn { source normal(2)  velocity rotate  solver rk4 steps 20 }\n"},
  {"source", "flow turn { %s normal(2)  velocity rotate  solver rk4 steps 20 }\n"},
  {"source", "flow turn { velocity rotate  %s normal(2)  solver rk4 steps 20 }\n"},
  {"source", "flow turn {\n  velocity rotate\n  %s normal(2)\n  solver rk4 steps 20\n}\n"},
  {"velocity", "flow turn { source normal(2)  %s rotate  solver rk4 steps 20 }\n"},
  {"velocity", "flow turn {\n  source normal(2)\n  %s rotate\n  solver rk4 steps 20\n}\n"},
  {"weights", "flow turn { source normal(2)  velocity rotate  %s \"w.safetensors\"  solver rk4 steps 20 }\n"},
  {"weights", "flow turn {\n  source normal(2)\n  velocity rotate\n  %s \"w.safetensors\"\n  solver rk4 steps 20\n}\n"},
  {"skip", "flow turn { source normal(2)  velocity rotate  %s \"ema\"  solver rk4 steps 20 }\n"},
  {"skip", "flow turn {\n  source normal(2)\n  velocity rotate\n  %s \"ema\"\n  solver rk4 steps 20\n}\n"},
  {"solver", "flow turn { source normal(2)  velocity rotate  %s rk4 steps 20 }\n"},
  {"solver", "flow turn {\n  source normal(2)\n  velocity rotate\n  %s rk4 steps 20\n}\n"},
  {"rtol", "flow turn { source normal(2)  velocity rotate  solver dopri5 %s 1e-5 }\n"},
  {"predicts", "flow turn { source normal(2)  velocity rotate  %s noise  path condot  solver rk4 steps 20 }\n"},
  {"path", "flow turn {\n  source normal(2)\n  velocity rotate\n  %s condot\n  solver rk4 steps 20\n}\n"},
  {"spacing", "flow turn { source normal(2)  velocity rotate  solver rk4 steps 20 %s cosine }\n"},
  {"time", "flow turn { source normal(2)  velocity rotate  solver rk4 steps 20  %s 0 -> 2 }\n"},
  {"time", "flow turn {\n  source normal(2)\n  velocity rotate\n  %s 0 -> 2\n  solver rk4 steps 20\n}\n"},
  {"steps", "flow turn { source normal(2)  velocity rotate  solver rk4 %s 20 }\n"},
  {"prefix", "flow turn { source normal(2)  velocity rotate  weights \"w.safetensors\" %s \"net.\"  solver rk4 steps 20 }\n"},
};
enum { FRAMES = sizeof frame / sizeof *frame };

/* Misspelling number i: each letter dropped, each doubled, each swapped with the next; false past the last. */
static bool misspell(const char *word, size_t i, char *to) {
  size_t length = strlen(word), at = i / 3;
  if (at >= length) return false;
  strcpy(to, word);
  if (i % 3 == 0) memmove(to + at, to + at + 1, length - at);
  if (i % 3 == 1) memmove(to + at + 1, to + at, length - at + 1);
  if (i % 3 == 2 && at + 1 < length) to[at] = word[at + 1], to[at + 1] = word[at];
  return true;
}

static bool mends(const Diag *diag, const char *meant) { return diag->fix && strcmp(diag->fix, meant) == 0; }

START_TEST(nineteen_of_twenty_misspelt_words_are_recognised) {
  size_t asked = 0, right = 0, alone = 0;
  char unknown[4096] = "";
  for (int f = 0; f < FRAMES; f++) {
    char wrong[64], around[1024], text[1024];
    for (size_t i = 0; misspell(frame[f].word, i, wrong); i++) {
      if (strcmp(wrong, frame[f].word) == 0) continue;
      snprintf(around, sizeof around, "%s%s", field, frame[f].text);
      snprintf(text, sizeof text, around, wrong);
      check_text(text);
      asked++;
      bool found = run.diagnostics.errors > 0 && mends(&run.diagnostics.list[0], frame[f].word);
      right += found;
      alone += found && run.diagnostics.errors == 1;
      if (!found && strlen(unknown) < sizeof unknown - 80) sprintf(unknown + strlen(unknown), " %s", wrong);
    }
  }
  ck_assert_uint_ge(asked, 300);
  ck_assert_msg(20*right >= 19*asked, "%zu of %zu; not%s", right, asked, unknown);
  ck_assert_msg(alone == right, "%zu of %zu have a second error", right - alone, right);
} END_TEST

static const struct { const char *text, *codes; } once[] = {
  {"flow turn { source normal(2, velocity rotate  solver rk4 steps 20 }\n", "E0101"},
  {"flow turn { source  velocity rotate  solver rk4 steps 20 }\n", "E0504"},
  {"flow turn { source normal 2  velocity rotate  solver rk4 steps 20 }\n", "E0504"},
  {"flow turn { source normal(2)  velocity rotate  solver rk4 20 }\n", "E0504"},
  {"flow turn { source normal(2)  velocity rotate  solver steps 20 }\n", "E0504"},
  {"flow turn { source normal(2)  velocity rotate  method rk4 steps 20 }\n", "E0504"},
  {"flow turn {\n  source normal(2)\n  velocity rotate\n  method rk4 steps 20\n}\n", "E0501"},
  {"map m(t, x: [2, 2]) = t*x\nflow turn { source normal(4)  velocity of m }\n", "E0218"},
  {"flow turn {\n  source normal(2)\n  velocity rotate +\n  solver rk4 steps 20\n}\n", "E0101"},
};
START_TEST(lets_that_cannot_be_read_are_not_two_of_one_name) {
  expect_errors("let v = [1, 2]\nlet a = sin (1)\nlet b = v [0]\nlet c = if 1 = 2 then 1 else 0\n", "E0106 E0106 E0111");
} END_TEST

START_TEST(a_wrong_clause_is_one_error) {
  char text[512];
  snprintf(text, sizeof text, "%s%s", field, once[_i].text);
  expect_errors(text, once[_i].codes);
} END_TEST

/* Two names at the beginning of a line that are no misspelt definition. */
static const char *const innocent[] = {
  "fn f(v: [n]) =\n  max k: v[k]\nlet a = f([1, 2])\n",
  "fn f(v: [n]) =\n  let s = sum k: v[k]\n  min k: v[k]*s\nlet a = f([1, 2])\n",
  "network b(x: [2]) -> [2] =\n  x |>\n  linear 2\n",
  "dim tim = 20\nflow turn { source normal(2)  velocity rotate  solver rk4 steps tim }\n",
};
START_TEST(a_line_of_two_names_is_not_always_a_slip) {
  char text[512];
  snprintf(text, sizeof text, "%s%s", field, innocent[_i]);
  expect_clean(text);
} END_TEST

START_TEST(a_flow_is_no_value_and_says_so) {
  static const char *const use[] = {"let a = 2*turn\n", "flow again { source normal(2)  velocity turn  solver rk4 steps 20 }\n"};
  char text[512];
  snprintf(text, sizeof text, "%sflow turn { source normal(2)  velocity rotate  solver rk4 steps 20 }\n%s", field, use[_i]);
  expect_errors(text, "E0206");
  ck_assert_msg(strstr(said(), "`turn` is a flow, which is sampled") && strstr(said(), "its velocity is `rotate`"), "%s", said());
} END_TEST

START_TEST(a_let_that_looks_like_a_size_is_a_warning_with_its_mend) {
  check_text("let n = 2\nfield u(t, x: [n]) = -x\nfn f(v: [n], w: [n]) = dot(v, w)\n");
  ck_assert_uint_eq(run.diagnostics.errors, 0);
  ck_assert_uint_eq(run.diagnostics.warnings, 2);
  for (int i = 0; i < 2; i++) {
    ck_assert_int_eq(run.diagnostics.list[i].code, W0301);
    ck_assert_str_eq(run.diagnostics.list[i].fix, "dim n = 2");
  }
  expect_clean("let n = 0.5\nfn f(v: [n]) = v*v\n");
  expect_clean("dim n = 2\nfn f(v: [n]) = v*v\n");
} END_TEST

void add_typo_tests(TCase *tcase) {
  tcase_add_test(tcase, nineteen_of_twenty_misspelt_words_are_recognised);
  tcase_add_test(tcase, lets_that_cannot_be_read_are_not_two_of_one_name);
  tcase_add_loop_test(tcase, a_wrong_clause_is_one_error, 0, sizeof once / sizeof *once);
  tcase_add_loop_test(tcase, a_line_of_two_names_is_not_always_a_slip, 0, sizeof innocent / sizeof *innocent);
  tcase_add_loop_test(tcase, a_flow_is_no_value_and_says_so, 0, 2);
  tcase_add_test(tcase, a_let_that_looks_like_a_size_is_a_warning_with_its_mend);
}
